/*
 * endpoint - the address that the MTA connects to: its notation, who is there
 * already, and the lock that keeps a second daemon away.
 *
 * Ownership: endpoint_parse gives an endpoint, endpoint_free takes it back; the
 * strings in it are its own.  Errors are texts for g_free.
 */
#ifndef RCPTGUARD_ENDPOINT_H
#define RCPTGUARD_ENDPOINT_H

#include "auto.h"

#include <glib.h>
#include <stdbool.h>

enum endpoint_kind { ENDPOINT_UNIX, ENDPOINT_INET, ENDPOINT_INET6, ENDPOINT_FD };

struct endpoint {
    enum endpoint_kind kind;
    char *name;    /* as libmilter's smfi_setconn takes it */
    char *path;    /* ENDPOINT_UNIX: absolute */
    char *host;    /* ENDPOINT_INET, ENDPOINT_INET6: without brackets */
    unsigned port; /* 1 to 65535 */
    int fd;        /* ENDPOINT_FD: a listening socket that was handed over */
};

/* The longest path in bytes that libmilter binds: it wants room for two NULs in sun_path. */
unsigned endpoint_path_limit(void);

/*
 * Reads `unix:/path`, `local:/path`, a plain absolute path, `inet:port@host`,
 * `inet6:port@host` or `fd:N`.  NULL with `error` set for anything else; the
 * text begins with a small letter and names what was expected.
 */
struct endpoint *endpoint_parse(const char *text, char **error);
void endpoint_free(struct endpoint *endpoint);
AUTO_FREE_DEFINE(endpoint, endpoint_free)

/*
 * Makes sure that the endpoint can be bound: for a path, that its directory is
 * there and writable, that nothing but a dead socket is in the way (which it
 * removes), and that no program listens on it; for an address, that it can be
 * bound; for a descriptor, that it is a listening socket.  Call it with the
 * rights of the daemon's user and, for a path, with the lock held.
 *
 * 0, or the exit code (see exit codes in rcptguardd(8)) with `error` set.
 */
int endpoint_prepare(const struct endpoint *endpoint, char **error);

/*
 * Takes the lock of a path: flock(2) on `PATH.lock`, which holds the process id.
 * The lock lasts as long as a process has the descriptor, so that the children
 * of a dead parent keep it too.  Other kinds need none.
 *
 * 0 with `fd` set (-1 where none is needed), or the exit code with `error` set.
 */
int endpoint_lock(const struct endpoint *endpoint, int *fd, char **error);

/* Writes this process's id into the lock; after a fork. */
void endpoint_lock_owner(int fd);

/* Removes the lock's file and closes it. */
void endpoint_unlock(const struct endpoint *endpoint, int fd);

/* Removes the socket of a path if nobody listens on it any more. */
void endpoint_remove(const struct endpoint *endpoint);

#endif
