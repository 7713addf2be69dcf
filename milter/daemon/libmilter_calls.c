/* libmilter_calls - see libmilter_calls.h */

#include <config.h>

#include "milter/daemon/libmilter_calls.h"

#include "milter/arrival/memory_budget.h"
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
#define ABSORB_PAUSE       200
#define LISTEN_MOST        1000 /* milliseconds */
#define COMPLAINT_INTERVAL (60 * G_USEC_PER_SEC)

/* A packet: four bytes with the length of what comes after them, the first of which is its kind. */
#define HEAD_BYTES  5u
#define KIND_HEADER 'L'
#define KIND_MACRO  'D' /* the step that it is of, then name and value by turns, each ended by a NUL */

/* libmilter has memory for a packet before it has come; for one that is longer there has to be room. */
#define LONG_PACKET (128u * 1024)

/* What libmilter gets instead of a long header field that there is no room for. */
static const char instead[] = LIBMILTER_NO_MEMORY "\0";

struct mta_socket {
    char *ahead; /* read, and not asked for yet: from `next` to `end`; NULL: nothing */
    size_t next, end;

    /* Where the reader is. */
    unsigned char head[HEAD_BYTES];
    unsigned head_got;
    uint32_t left;             /* bytes of the packet that are still to come */
    uint32_t strings;          /* that have ended in a packet of macros */
    bool staged;               /* the step has come, which is before them */
    uint32_t skip;             /* bytes of a long packet that libmilter does not get */
    size_t given;              /* bytes of `instead` that it got; all of them: it has no packet like that */
    int timeout;               /* of the last poll, in milliseconds */
    struct memory_share share; /* of a long packet, until libmilter asks for the next one */
    bool broken;               /* a packet that must not reach libmilter has come */
    bool polled;               /* alone: a libmilter that waits in another way would not see what is kept */
    bool reads_ahead;
    bool readable; /* a poll said so, and nothing has been read since */
    int patience;  /* milliseconds that libmilter would wait until it can write */
    pid_t process;
};

/* What is read beyond what was asked for. */
static _Thread_local char more[AHEAD_LIMIT];

static _Atomic(struct mta_socket *) connections[DESCRIPTORS];
static atomic_uint kept;
static atomic_bool read_ahead;
static atomic_int listener = -1;
static struct memory_budget *budget; /* or NULL; set before there are connections */

/* A block of a thread that nothing is kept in. */
#ifdef __SANITIZE_ADDRESS__
#define SPARE_SIZE 0u /* none: the sanitizer is to see each as its own */
#else
#define SPARE_SIZE 4096u
#endif
static GPrivate spare = G_PRIVATE_INIT(g_free);

/* ---- the C library's */

static struct {
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*readv)(int, const struct iovec *, int);
    ssize_t (*writev)(int, const struct iovec *, int);
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
    find("writev", &libc.writev);
    find("poll", &libc.poll);
    find("accept", &libc.accept);
    find("close", &libc.close);
}

/* ---- packets */

static bool has_room(struct mta_socket *connection, size_t length)
{
    static const struct memory_sender sender = {.client = "packets"};

    return budget == NULL || memory_take(budget, &connection->share, &sender, length) == MEMORY_GIVEN;
}

/* libmilter is done with the packet before. */
static void packet_over(struct mta_socket *connection)
{
    if (budget != NULL && connection->share.used > 0)
        memory_give_back(budget, &connection->share);
}

/*
 * The five bytes of a packet that there is no room for become those of `instead`, and the rest of it will be skipped.
 * False where that cannot be: no MTA sends other packets of that length.
 */
static bool replace_head(struct mta_socket *connection, unsigned char *bytes, size_t length)
{
    uint32_t size = GUINT32_TO_BE((uint32_t)sizeof instead + 1);

    if (length != HEAD_BYTES || bytes[HEAD_BYTES - 1] != KIND_HEADER)
        return false;
    memcpy(bytes, &size, sizeof size);
    connection->skip = connection->left;
    connection->given = 0;
    connection->left = 0;
    connection->head_got = 0;
    return true;
}

static uint32_t count_nuls(const unsigned char *bytes, size_t length)
{
    const unsigned char *at = bytes, *end = bytes + length;
    uint32_t count = 0;

    while (at < end && (at = memchr(at, '\0', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static void follow_macros(struct mta_socket *connection, const unsigned char *bytes, size_t length)
{
    size_t step = !connection->staged && length > 0;

    connection->staged = connection->staged || step > 0;
    connection->strings += count_nuls(bytes + step, length - step);
}

/*
 * Follows the packets of a connection.  False at the last byte of one that libmilter could not bear: the byte must
 * not be handed to it.
 */
static bool packets_go_on(struct mta_socket *connection, unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        if (connection->head_got < HEAD_BYTES) {
            size_t part = MIN(HEAD_BYTES - connection->head_got, length - i);
            memcpy(connection->head + connection->head_got, bytes + i, part);
            connection->head_got += (unsigned)part;
            i += part;
            if (connection->head_got < HEAD_BYTES)
                return true;
            memcpy(&connection->left, connection->head, sizeof connection->left);
            connection->left = GUINT32_FROM_BE(connection->left);
            /* libmilter counts with a sign: where the length is negative, the next packet comes at once. */
            connection->left -= connection->left > 0;
            if (connection->left > G_MAXINT32)
                connection->left = 0;
            connection->strings = 0;
            connection->staged = false;
            if (connection->left > LONG_PACKET && !has_room(connection, connection->left))
                return replace_head(connection, bytes, length);
        }
        size_t part = MIN(connection->left, length - i);
        bool macros = connection->head[HEAD_BYTES - 1] == KIND_MACRO;
        if (macros)
            follow_macros(connection, bytes + i, part);
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

/*
 * Memory for what is kept.  Most of it is of the size of one message's header, and a block of that size is dear to
 * malloc(3): each thread has one for the next time.
 */
static char *ahead_new(size_t size)
{
    char *block = size <= SPARE_SIZE ? g_private_get(&spare) : NULL;

    if (block == NULL)
        return g_malloc(MAX(size, SPARE_SIZE));
    g_private_set(&spare, NULL);
    return block;
}

static void ahead_free(char *block, size_t size)
{
    if (size <= SPARE_SIZE && g_private_get(&spare) == NULL)
        g_private_set(&spare, block);
    else
        g_free(block);
}

static void forget_ahead(struct mta_socket *connection)
{
    if (connection->ahead == NULL)
        return;
    ahead_free(connection->ahead, connection->end);
    connection->ahead = NULL;
    atomic_fetch_sub(&kept, 1);
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

static size_t kept_of(const struct mta_socket *connection)
{
    return connection->ahead == NULL ? 0 : connection->end - connection->next;
}

static void keep(struct mta_socket *connection, const char *bytes, size_t length)
{
    size_t has = kept_of(connection);
    char *all = ahead_new(has + length);

    if (has > 0)
        memcpy(all, connection->ahead + connection->next, has);
    else
        atomic_fetch_add(&kept, 1);
    memcpy(all + has, bytes, length);
    if (connection->ahead != NULL)
        ahead_free(connection->ahead, connection->end);
    connection->ahead = all;
    connection->next = 0;
    connection->end = has + length;
}

/* What was asked for goes where it belongs at once, and what comes beyond it is kept. */
static ssize_t read_more(struct mta_socket *connection, int descriptor, void *buffer, size_t size)
{
    struct iovec parts[2] = {{buffer, size}, {more, sizeof more}};
    ssize_t got = libc.readv(descriptor, parts, 2);

    if (got <= (ssize_t)size)
        return got;
    keep(connection, more, (size_t)got - size);
    return (ssize_t)size;
}

/* Whether libmilter has read a part of a packet. */
static bool is_within_packet(const struct mta_socket *connection)
{
    return connection->head_got > 0 || connection->left > 0 || connection->given < sizeof instead;
}

/* Whether libmilter can read a packet, or the rest of one, without waiting for the MTA; one that is too long to be kept
 * as soon as it has begun. */
static bool is_complete(const struct mta_socket *connection)
{
    size_t has = kept_of(connection);
    uint32_t length;

    if (is_within_packet(connection) || has < HEAD_BYTES)
        return is_within_packet(connection) && has > 0;
    memcpy(&length, connection->ahead + connection->next, sizeof length);
    length = MAX(GUINT32_FROM_BE(length), 1);
    return length > AHEAD_LIMIT - sizeof length || has >= sizeof length + length;
}

/* Of a connection that is readable: takes what has come, and says whether libmilter may read it. */
static bool absorb(struct mta_socket *connection, int descriptor)
{
    if (!connection->reads_ahead || is_within_packet(connection) || is_complete(connection))
        return true;
    ssize_t got = recv(descriptor, more, sizeof more, MSG_DONTWAIT);
    if (got == -1)
        return errno != EAGAIN && errno != EINTR; /* an error is libmilter's to find */
    if (got == 0)
        return true;
    keep(connection, more, (size_t)got);
    return is_complete(connection);
}

/* libmilter waits no longer for a packet than for its first byte. */
static bool wait_readable(const struct mta_socket *connection, int descriptor)
{
    struct pollfd waiting = {.fd = descriptor, .events = POLLIN};

    return libc.poll(&waiting, 1, connection->timeout) == 1;
}

/* Once the packet is over: what libmilter gets instead. */
static ssize_t read_instead(struct mta_socket *connection, int descriptor, void *buffer, size_t size)
{
    while (connection->skip > 0) {
        size_t part = MIN(connection->skip, sizeof more);
        ssize_t got = 0;
        if (connection->ahead != NULL)
            got = take_ahead(connection, more, part);
        else if (wait_readable(connection, descriptor))
            got = libc.read(descriptor, more, part);
        if (got <= 0)
            return got;
        connection->skip -= (uint32_t)got;
    }
    size_t part = MIN(size, sizeof instead - connection->given);
    memcpy(buffer, instead + connection->given, part);
    connection->given += part;
    return (ssize_t)part;
}

static ssize_t connection_read(struct mta_socket *connection, int descriptor, void *buffer, size_t size)
{
    ssize_t got = -1;

    connection->readable = false;
    if (connection->head_got == 0)
        packet_over(connection);
    if (!connection->broken && connection->given < sizeof instead)
        return read_instead(connection, descriptor, buffer, size);
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
    log_line(LOG_ERR, "protocol: %s; the connection is closed",
             connection->head_got == 0 ? "macros that are no pairs of name and value"
                                       : "a packet that is too long for what it says");
    connection->broken = true;
    forget_ahead(connection);
    errno = EPROTO;
    return -1;
}

void libmilter_memory(struct memory_budget *memory)
{
    budget = memory;
}

void libmilter_listens(int descriptor)
{
    atomic_store(&listener, descriptor);
}

/*
 * Waits only where there is no room, as long as libmilter would have waited before.  -1 with ETIMEDOUT ends the
 * connection, as the poll that came to nothing would have done.
 */
static ssize_t connection_write(const struct mta_socket *connection, int descriptor, const struct iovec *parts,
                                int count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    struct pollfd room = {.fd = descriptor, .events = POLLOUT};
    ssize_t sent;

    while ((sent = sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL)) == -1 &&
           (errno == EAGAIN || errno == EWOULDBLOCK)) {
        int ready = libc.poll(&room, 1, connection->patience);
        if (ready == 0)
            errno = ETIMEDOUT;
        if (ready == 0 || (ready == -1 && errno != EINTR))
            return -1;
    }
    return sent;
}

/* Whether the answer of a poll of this connection alone is known.  What waits in the socket stays there until it is
 * read, and whether there is room to write shows when it is tried. */
static bool poll_is_known(struct mta_socket *connection, struct pollfd *one, int timeout)
{
    if ((one->events & POLLIN) != 0 && (is_complete(connection) || connection->readable)) {
        one->revents = POLLIN;
        return true;
    }
    if (!READ_AHEAD || one->events != POLLOUT || timeout <= 0)
        return false;
    connection->patience = timeout;
    one->revents = POLLOUT;
    return true;
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

int called_accept(int listening, struct sockaddr *address, socklen_t *length) CALLED("accept");
ssize_t called_read(int descriptor, void *buffer, size_t size) CALLED("read");
int called_poll(struct pollfd *fds, nfds_t count, int timeout) CALLED("poll");
ssize_t called_writev(int descriptor, const struct iovec *parts, int count) CALLED("writev");
int called_close(int descriptor) CALLED("close");
void called_syslog(int priority, const char *format, ...) CALLED("syslog") G_GNUC_PRINTF(2, 3);
ssize_t called_read_chk(int descriptor, void *buffer, size_t size, size_t room) CALLED("__read_chk");
int called_poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room) CALLED("__poll_chk");
void called_syslog_chk(int priority, int flag, const char *format, ...) CALLED("__syslog_chk") G_GNUC_PRINTF(3, 4);

int called_accept(int listening, struct sockaddr *address, socklen_t *length)
{
    find_all();
    int descriptor = libc.accept(listening, address, length);
    int problem = errno;

    if (descriptor >= 0 && descriptor < DESCRIPTORS) {
        struct mta_socket *connection = g_new0(struct mta_socket, 1);
        connection->reads_ahead = READ_AHEAD && atomic_load(&read_ahead);
        connection->process = getpid();
        connection->given = sizeof instead;
        connection->timeout = -1;
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

/* Of several sockets or one: those of which libmilter can read a packet, and what is no connection. */
static int find_complete(struct pollfd *fds, nfds_t count, bool readable)
{
    int found = 0;

    for (nfds_t i = 0; i < count; i++) {
        struct mta_socket *connection = connection_of(fds[i].fd);
        if (!readable)
            fds[i].revents = connection != NULL && is_complete(connection) ? POLLIN : 0;
        else if (fds[i].revents == POLLIN && connection != NULL && !absorb(connection, fds[i].fd))
            fds[i].revents = 0;
        found += fds[i].revents != 0;
    }
    return found;
}

/* As poll, but that half a packet is nothing yet: it would block a thread, and others may have to wait for that one. */
static int poll_packets(struct pollfd *fds, nfds_t count, int timeout)
{
    gint64 end = g_get_monotonic_time() + timeout * G_TIME_SPAN_MILLISECOND;
    int found = find_complete(fds, count, false);

    while (found == 0) {
        found = libc.poll(fds, count, timeout);
        if (found <= 0)
            return found;
        found = find_complete(fds, count, true);
        if (found == 0 &&
            count > 1) /* a thousand of them that send byte by byte cost a poll a moment, not a thousand */
            g_usleep(ABSORB_PAUSE);
        if (found == 0 && timeout > 0)
            timeout = (int)MAX((end - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND, 0);
        else if (found == 0 && timeout == 0)
            return 0;
    }
    return found;
}

int called_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    struct mta_socket *connection = count == 1 ? connection_of(fds[0].fd) : NULL;

    find_all();
    if (connection != NULL) {
        connection->polled = true;
        connection->timeout = timeout;
        if (connection->head_got == 0)
            packet_over(connection);
        if (poll_is_known(connection, fds, timeout))
            return 1;
    }
    if (count == 1 && fds[0].fd == atomic_load(&listener) && timeout > LISTEN_MOST)
        timeout = LISTEN_MOST;
    if (count == 1 && (connection == NULL || (fds[0].events & POLLIN) == 0))
        return libc.poll(fds, count, timeout);
    int found = poll_packets(fds, count, timeout);
    if (connection != NULL)
        connection->readable = READ_AHEAD && found == 1 && fds[0].revents == POLLIN;
    return found;
}

ssize_t called_writev(int descriptor, const struct iovec *parts, int count)
{
    struct mta_socket *connection = connection_of(descriptor);

    find_all();
    return connection == NULL || connection->patience == 0 ? libc.writev(descriptor, parts, count)
                                                           : connection_write(connection, descriptor, parts, count);
}

int called_close(int descriptor)
{
    struct mta_socket *connection = connection_of(descriptor);

    find_all();
    /* A child that closes all before it becomes another program leaves the memory alone. */
    if (connection != NULL && connection->process == getpid()) {
        atomic_store_explicit(&connections[descriptor], NULL, memory_order_release);
        forget_ahead(connection);
        packet_over(connection);
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
