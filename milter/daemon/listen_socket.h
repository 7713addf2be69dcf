/*
 * listen_socket - the socket that the daemon listens on: whether it can be bound,
 * and the lock that keeps a second daemon away.  Errors are texts for g_free.
 */
#ifndef RCPTGUARD_LISTEN_SOCKET_H
#define RCPTGUARD_LISTEN_SOCKET_H

#include "milter/common/endpoint.h"

#include <sys/stat.h>

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

/* Writes the id of the process that takes signals into the lock. */
void listen_socket_lock_owner(int fd, pid_t owner);

/* Removes the lock's file, unless it is another daemon's by now, and closes it. */
void listen_socket_unlock(const struct endpoint *endpoint, int fd);

/* The socket of a path on which this process listens, and its lock. */
struct listen_socket {
    const struct endpoint *endpoint;
    pid_t owner;       /* the process that takes signals */
    int fd;            /* or -1: the endpoint is none of a path */
    int lock;          /* as of listen_socket_lock */
    struct stat there; /* what was at the path when it was bound */
};

/* Finds it among the descriptors of this process, just after it was bound. */
void listen_socket_find(struct listen_socket *listening, const struct endpoint *endpoint, int lock, pid_t owner);

/* Whether both of them are at their paths still; true once nobody listens any more, so that nothing is to be done. */
bool listen_socket_is_there(const struct listen_socket *listening);

/*
 * Binds the path anew, with a new lock if that is gone; whoever accepts connections of the descriptor goes on with it.
 * 0, or -1 with `error` set, and `*taken`: another program has the path or the lock.
 */
int listen_socket_again(struct listen_socket *listening, bool *taken, char **error);

/* Removes the socket of a path if no process listens on it. */
void listen_socket_remove(const struct endpoint *endpoint);

#endif
