/*
 * worker - the milter process: libmilter's threads, one that reloads, one for maintenance.
 */
#ifndef RCPTGUARD_WORKER_H
#define RCPTGUARD_WORKER_H

#include "milter/common/conf.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* The messages between the child and its parent, one byte each. */
enum child_word {
    CHILD_READY = 'R',    /* it listens, with a policy loaded */
    CHILD_ALIVE = 'A',    /* every few seconds, while no evaluation is stuck */
    CHILD_RELOADED = 'D', /* a reload is over, however it went */
    CHILD_STOP = 'S',     /* from the parent, once the child is ready: end */
};

struct child_start {
    const struct config *config;
    unsigned descriptors; /* the limit of descriptors */
    bool foreground;      /* standard error stays in use */
    pid_t parent;
    int lock;    /* of the socket, see listen_socket_lock */
    int control; /* a stream socket to the parent; its end ends the child */
};

/*
 * Serves until it is asked to stop.  SIGUSR1, blocked when this is called, means
 * reload.  Call it in a process without threads.  Never returns.
 */
void child_run(const struct child_start *start) G_GNUC_NORETURN;

/* Redirects standard error to /dev/null, once it is not read any more. */
void child_leave_terminal(void);

#endif
