/*
 * source - a text with a name: what diagnostics point into.
 *
 * Ownership: a source owns its text; free it with source_free.
 */
#ifndef RCPTGUARD_SOURCE_H
#define RCPTGUARD_SOURCE_H

#include "policy/base/diagnostics.h"

#include <stdarg.h>
#include <stddef.h>

/* The text is valid UTF-8 without NUL, and is followed by a NUL. */
struct source {
    char *name;
    char *text;
    size_t length;
    GArray *lines; /* offsets (size_t) of the first byte of each line */
};

/*
 * Reads a regular file of at most `limit` bytes.  NULL, with an error in
 * `diags`, for what is missing, unreadable, a directory or no regular file, too
 * large, not UTF-8, or changed while it was read: half a file must not become a
 * policy.  `expected` says what should have been there ("a policy").
 */
struct source *source_read(const char *path, const char *expected, size_t limit, struct diags *diags);

/* The same of standard input, whose name is "-". */
struct source *source_read_standard(const char *expected, size_t limit, struct diags *diags);

/* A source from memory, which it copies; for tests and fuzzers. */
struct source *source_from_memory(const char *name, const char *text, size_t length, struct diags *diags);
void source_free(struct source *source);
AUTO_FREE_DEFINE(source, source_free)

/* Line (from 1) of a byte offset. */
unsigned source_line(const struct source *source, size_t offset);

/* Adds a diagnostic that points at a byte offset of a source. */
void source_diag(const struct source *source, size_t offset, struct diags *diags, enum diag_level level,
                 const char *format, ...) G_GNUC_PRINTF(5, 6);

/* The same; of a warning of a lint `lint` is its name, a constant; else it is NULL. */
void source_diag_list(const struct source *source, size_t offset, struct diags *diags, enum diag_level level,
                      const char *lint, const char *format, va_list arguments) G_GNUC_PRINTF(6, 0);

#endif
