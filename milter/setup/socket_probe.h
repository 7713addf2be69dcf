/*
 * socket_probe - looks at the daemon's socket as the MTA does: whether a process of the
 * MTA's user, chrooted or not, can connect, and what answers.
 *
 * Ownership: errors are texts for g_free.
 */
#ifndef RCPTGUARD_SOCKET_PROBE_H
#define RCPTGUARD_SOCKET_PROBE_H

#include "milter/common/endpoint.h"

#include <glib.h>
#include <stdbool.h>

/* Seconds that an answer may take. */
#define PROBE_SECONDS 5u

/*
 * Connects to a socket file as `user` with its groups, from `directory`, confined
 * to `root`; either may be NULL.  Needs root.  0, or the errno of the failure,
 * with `error` set, and with `denied` set, for g_free, to the directory that cannot be
 * searched, if that was the reason.
 */
int probe_reach(const char *user, const char *root, const char *directory, const char *path, char **denied,
                char **error);

/* What a milter said when it was asked what it wants. */
struct probe_answer {
    bool quarantines; /* it wants to hold, and to change header fields */
    bool asks_macros; /* it names the macros that it needs, the login's among them */
};

/* Speaks the milter protocol up to the negotiation of options.  0, or -1 with `error` set. */
int probe_negotiate(const struct endpoint *endpoint, struct probe_answer *answer, char **error);

#endif
