/*
 * conninfo - the connection string of a database in a configuration: `name=value name=value`, or a
 * URI, as in section 34.1.1 of the manual of PostgreSQL (libpq, Connection Strings).
 *
 * libpq reads it when it connects.  Before that nobody but us has seen it, so its form is
 * checked here, and that there is no password in it: many may read a configuration.
 */
#ifndef RCPTGUARD_CONNINFO_H
#define RCPTGUARD_CONNINFO_H

#include <glib.h>
#include <stdbool.h>

/* NULL if it is fine, or what is wrong with it, without a part of it that may be a secret; for g_free. */
char *conninfo_wrong(const char *conninfo);

/* Whether a line of a configuration may have a secret in it by mistake, so that it must not be shown. */
bool conninfo_may_be_secret(const char *line, size_t length);

#endif
