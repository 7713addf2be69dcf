/*
 * conninfo_read - what a connection string says, for who gives advice about it; libpq is who connects.
 *
 * It is one that conninfo_wrong has nothing against.  Texts are for g_free.
 */
#ifndef RCPTGUARD_CONNINFO_READ_H
#define RCPTGUARD_CONNINFO_READ_H

#include <stdbool.h>

/* The value of a setting, the last one if there are several, as in libpq; NULL: it is not set, or empty. */
char *conninfo_value(const char *conninfo, const char *name);

/* The same string with a setting added, which replaces one that it has. */
char *conninfo_with(const char *conninfo, const char *name, const char *value);

/* Whether each server that it names is on this host: a directory of sockets, or the loopback.  One that names none is
 * so, but not one that leaves that to a service file. */
bool conninfo_is_local(const char *conninfo);

#endif
