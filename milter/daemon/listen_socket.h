/*
 * listen_socket - the socket that the daemon listens on: whether it can be bound,
 * and the lock that keeps a second daemon away.  Errors are texts for g_free.
 */
#ifndef RCPTGUARD_LISTEN_SOCKET_H
#define RCPTGUARD_LISTEN_SOCKET_H

#include "milter/common/endpoint.h"

/*
 * Makes sure that the endpoint can be bound: for a path, that its directory is
 * there and writable, that nothing but a dead socket is in the way (which it
 * removes), and that no program listens on it; for an address, that it can be
 * bound; for a descriptor, that it is a listening socket.  Call it with the
 * rights of the daemon's user and, for a path, with the lock held.
 *
 * 0, or the exit code (see exit codes in rcptguardd(8)) with `error` set.
 */
int listen_socket_prepare(const struct endpoint *endpoint, char **error);

/*
 * Takes the lock of a path: flock(2) on `PATH.lock`, which holds the process id.
 * The lock lasts as long as a process has the descriptor, so that the children
 * of a dead parent keep it too.  Other kinds need none.
 *
 * 0 with `fd` set (-1 where none is needed), or the exit code with `error` set.
 */
int listen_socket_lock(const struct endpoint *endpoint, int *fd, char **error);

/* Writes this process's id into the lock; after a fork. */
void listen_socket_lock_owner(int fd);

/* Removes the lock's file and closes it. */
void listen_socket_unlock(const struct endpoint *endpoint, int fd);

/* Removes the socket of a path if no process listens on it. */
void listen_socket_remove(const struct endpoint *endpoint);

#endif
