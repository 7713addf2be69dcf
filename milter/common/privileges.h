/*
 * privileges - what the daemon may do: the user it runs as, the descriptors it may have.
 */
#ifndef RCPTGUARD_PRIVILEGES_H
#define RCPTGUARD_PRIVILEGES_H

#include <stdbool.h>

/* Descriptors wanted: libmilter's accept loop spins without a word when there are none left. */
#define PRIVILEGES_DESCRIPTORS 16384u

/*
 * Becomes `user`, with its groups, for good.  Started as root, the user has to
 * exist and must not be root.  Started as another, it must be that one already
 * if `given`, and is not looked at otherwise.
 *
 * 0, or -1 with `error` set, for g_free.
 */
int privileges_drop(const char *user, bool given, char **error);

/* Raises the limit of descriptors; call it as root if there is a choice.  Returns the limit in force. */
unsigned privileges_raise_descriptors(void);

#endif
