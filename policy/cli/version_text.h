/*
 * version_text - what `--version` prints: the program's version, and below it one
 * line for each library that it runs with, `NAME VERSION`.  Others read it, so
 * that form stays; the manual pages describe it.
 */
#ifndef RCPTGUARD_VERSION_TEXT_H
#define RCPTGUARD_VERSION_TEXT_H

#include <glib.h>

/* The program's line, and those of the libraries that every program of ours runs with. */
void versions_begin(GString *out, const char *program);

/* The line of a library: the first word of `version`, as the library itself says it. */
void versions_add(GString *out, const char *library, const char *version);

/* The same of a library that cannot tell: the version that the program was built with. */
void versions_add_built(GString *out, const char *library, const char *version);

#endif
