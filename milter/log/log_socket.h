/*
 * log_socket - a socket to a local log daemon on which nobody ever waits.
 *
 * It is opened with the first line, and again when the log daemon has come back with a new one.  What cannot be sent
 * at once is lost, and the caller counts it: mail must not wait for a log that is not read.
 */
#ifndef RCPTGUARD_LOG_SOCKET_H
#define RCPTGUARD_LOG_SOCKET_H

#include <glib.h>
#include <stdbool.h>
#include <sys/uio.h>

/* Static ones alone, begun as {.path = "...", .descriptor = -1}. */
struct log_socket {
    const char *path;
    GMutex lock;
    int descriptor; /* -1: none */
    int type;       /* SOCK_DGRAM, or SOCK_STREAM where the log daemon wants that */
};

enum log_sent {
    LOG_SENT,
    LOG_LOST, /* the log daemon does not read, or there is no memory */
    LOG_AWAY, /* there is none */
};

/*
 * Sends one datagram, or on a stream one text ended by a NUL as syslog(3) does it.  Never waits, and any thread may
 * send.
 */
enum log_sent log_socket_send(struct log_socket *log, const struct iovec *parts, size_t count);

/* The same to a descriptor such as standard error, in one call; false if it would have waited. */
bool log_write(int descriptor, const struct iovec *parts, size_t count);

#endif
