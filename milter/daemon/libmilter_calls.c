/* libmilter_calls - see libmilter_calls.h */

#include <config.h>

#include "milter/daemon/libmilter_calls.h"

#include "milter/log/log.h"

#include <dlfcn.h>
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Descriptors that are looked after; with a higher one libmilter is on its own. */
#define DESCRIPTORS 65536

/* Bytes that are read beyond what is asked for, at most. */
#define AHEAD_LIMIT (64u * 1024)

/* Microseconds: of a pause, and between two lines about it. */
#define ACCEPT_PAUSE       (50 * 1000)
#define COMPLAINT_INTERVAL (60 * G_USEC_PER_SEC)

/* A packet: four bytes with the length of what comes after them, the first of which is its kind. */
#define HEAD_BYTES 5u
#define KIND_MACRO 'D' /* the step that it is of, then name and value by turns, each ended by a NUL */

struct mta_socket {
    char *ahead; /* read, and not asked for yet: from `next` to `end`; NULL: nothing */
    size_t next, end;

    /* Where the reader is. */
    unsigned char head[HEAD_BYTES];
    unsigned head_got;
    uint32_t left;    /* bytes of the packet that are still to come */
    uint32_t strings; /* that have ended in it */
    bool broken;      /* a packet that must not reach libmilter has come */
    bool polled;      /* alone: a libmilter that waits in another way would not see what is kept */
    bool reads_ahead;
    pid_t process;
};

static _Atomic(struct mta_socket *) connections[DESCRIPTORS];
static atomic_uint kept;
static atomic_bool read_ahead;

/* ---- the C library's */

static struct {
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*readv)(int, const struct iovec *, int);
    int (*poll)(struct pollfd *, nfds_t, int);
    int (*accept)(int, struct sockaddr *, socklen_t *);
    int (*close)(int);
} libc;

/* A pointer to data is no pointer to a function in C, but it is in POSIX. */
static void find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

/* Before main; other libraries may have begun before. */
__attribute__((constructor)) static void find_all(void)
{
    if (libc.close != NULL)
        return;
    find("read", &libc.read);
    find("readv", &libc.readv);
    find("poll", &libc.poll);
    find("accept", &libc.accept);
    find("close", &libc.close);
}

/* ---- packets */

/*
 * Follows the packets of a connection.  False at the last byte of one that libmilter could not bear: the byte must
 * not be handed to it.
 */
static bool packets_go_on(struct mta_socket *connection, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        if (connection->head_got < HEAD_BYTES) {
            connection->head[connection->head_got++] = bytes[i++];
            if (connection->head_got < HEAD_BYTES)
                continue;
            memcpy(&connection->left, connection->head, sizeof connection->left);
            connection->left = GUINT32_FROM_BE(connection->left);
            connection->left -= connection->left > 0;
            connection->strings = 0;
        }
        size_t part = MIN(connection->left, length - i);
        bool macros = connection->head[HEAD_BYTES - 1] == KIND_MACRO;
        for (size_t j = 0; macros && j < part; j++)
            connection->strings += bytes[i + j] == '\0';
        i += part;
        connection->left -= (uint32_t)part;
        if (connection->left > 0)
            continue;
        connection->head_got = 0;
        if (macros && connection->strings % 2 != 0)
            return false;
    }
    return true;
}

/* ---- connections */

static struct mta_socket *connection_of(int descriptor)
{
    if (descriptor < 0 || descriptor >= DESCRIPTORS)
        return NULL;
    return atomic_load_explicit(&connections[descriptor], memory_order_acquire);
}

static void forget_ahead(struct mta_socket *connection)
{
    if (connection->ahead != NULL)
        atomic_fetch_sub(&kept, 1);
    g_clear_pointer(&connection->ahead, g_free);
}

static ssize_t take_ahead(struct mta_socket *connection, void *buffer, size_t size)
{
    size_t part = MIN(size, connection->end - connection->next);

    memcpy(buffer, connection->ahead + connection->next, part);
    connection->next += part;
    if (connection->next == connection->end)
        forget_ahead(connection);
    return (ssize_t)part;
}

/* What was asked for goes where it belongs at once, and what comes beyond it is kept. */
static ssize_t read_more(struct mta_socket *connection, int descriptor, void *buffer, size_t size)
{
    static _Thread_local char more[AHEAD_LIMIT];
    struct iovec parts[2] = {{buffer, size}, {more, sizeof more}};
    ssize_t got = libc.readv(descriptor, parts, 2);

    if (got <= (ssize_t)size)
        return got;
    connection->next = 0;
    connection->end = (size_t)got - size;
    connection->ahead = g_memdup2(more, connection->end);
    atomic_fetch_add(&kept, 1);
    return (ssize_t)size;
}

static ssize_t connection_read(struct mta_socket *connection, int descriptor, void *buffer, size_t size)
{
    ssize_t got = -1;

    if (connection->broken)
        errno = EPROTO;
    else if (connection->ahead != NULL)
        got = take_ahead(connection, buffer, size);
    else if (connection->reads_ahead && connection->polled)
        got = read_more(connection, descriptor, buffer, size);
    else
        got = libc.read(descriptor, buffer, size);
    if (got <= 0 || packets_go_on(connection, buffer, (size_t)got))
        return got;
    log_line(LOG_ERR, "protocol: macros that are no pairs of name and value; the connection is closed");
    connection->broken = true;
    forget_ahead(connection);
    errno = EPROTO;
    return -1;
}

void libmilter_read_ahead(bool yes)
{
    atomic_store(&read_ahead, yes);
}

unsigned libmilter_kept(void)
{
    return atomic_load(&kept);
}

/*
 * ---- what libmilter calls
 *
 * Functions of ours with the C library's names for the linker alone: its headers declare them with types and attributes
 * that no definition can have.  The last ones are what compilers call where they know the size of a buffer.
 */

#define CALLED(name) __asm__(name) __attribute__((visibility("default"), used))

/*
 * A connection that cannot be taken for want of descriptors or memory keeps the listening socket ready, and libmilter
 * would try again without a pause.
 */
static void pause_after(int problem)
{
    static _Atomic(gint64) said = G_MININT64 / 2;
    gint64 now = g_get_monotonic_time(), before = atomic_load(&said);

    if (problem != EMFILE && problem != ENFILE && problem != ENOBUFS && problem != ENOMEM)
        return;
    if (now - before >= COMPLAINT_INTERVAL && atomic_compare_exchange_strong(&said, &before, now))
        log_line(LOG_ERR,
                 "connections: none can be taken, and mail waits: %s; raise the limit of descriptors (LimitNOFILE)",
                 g_strerror(problem));
    g_usleep(ACCEPT_PAUSE);
}

int called_accept(int listener, struct sockaddr *address, socklen_t *length) CALLED("accept");
ssize_t called_read(int descriptor, void *buffer, size_t size) CALLED("read");
int called_poll(struct pollfd *fds, nfds_t count, int timeout) CALLED("poll");
int called_close(int descriptor) CALLED("close");
void called_syslog(int priority, const char *format, ...) CALLED("syslog") G_GNUC_PRINTF(2, 3);
ssize_t called_read_chk(int descriptor, void *buffer, size_t size, size_t room) CALLED("__read_chk");
int called_poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room) CALLED("__poll_chk");
void called_syslog_chk(int priority, int flag, const char *format, ...) CALLED("__syslog_chk") G_GNUC_PRINTF(3, 4);

int called_accept(int listener, struct sockaddr *address, socklen_t *length)
{
    find_all();
    int descriptor = libc.accept(listener, address, length);
    int problem = errno;

    if (descriptor >= 0 && descriptor < DESCRIPTORS) {
        struct mta_socket *connection = g_new0(struct mta_socket, 1);
        connection->reads_ahead = READ_AHEAD && atomic_load(&read_ahead);
        connection->process = getpid();
        atomic_store_explicit(&connections[descriptor], connection, memory_order_release);
    }
    if (descriptor == -1)
        pause_after(problem);
    errno = problem;
    return descriptor;
}

ssize_t called_read(int descriptor, void *buffer, size_t size)
{
    struct mta_socket *connection = connection_of(descriptor);

    find_all();
    return connection == NULL ? libc.read(descriptor, buffer, size)
                              : connection_read(connection, descriptor, buffer, size);
}

int called_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    struct mta_socket *connection = count == 1 ? connection_of(fds[0].fd) : NULL;

    find_all();
    if (connection != NULL)
        connection->polled = true;
    if (connection == NULL || connection->ahead == NULL || (fds[0].events & POLLIN) == 0)
        return libc.poll(fds, count, timeout);
    fds[0].revents = POLLIN;
    return 1;
}

int called_close(int descriptor)
{
    struct mta_socket *connection = connection_of(descriptor);

    find_all();
    /* A child that closes all before it becomes another program leaves the memory alone. */
    if (connection != NULL && connection->process == getpid()) {
        atomic_store_explicit(&connections[descriptor], NULL, memory_order_release);
        forget_ahead(connection);
        g_free(connection);
    }
    return libc.close(descriptor);
}

ssize_t called_read_chk(int descriptor, void *buffer, size_t size, size_t room)
{
    if (size > room)
        abort();
    return called_read(descriptor, buffer, size);
}

int called_poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
    if (count > room / sizeof *fds)
        abort();
    return called_poll(fds, count, timeout);
}

/* libmilter's own lines go by our log, for which nobody waits. */
static void G_GNUC_PRINTF(2, 0) log_words(int priority, const char *format, va_list arguments)
{
    g_autofree char *words = g_strdup_vprintf(format, arguments);

    log_line(LOG_PRI(priority), "libmilter: %s", words);
}

void called_syslog(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_words(priority, format, arguments);
    va_end(arguments);
}

void called_syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start(arguments, format);
    log_words(priority, format, arguments);
    va_end(arguments);
}
