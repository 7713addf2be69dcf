/* log_socket - see log_socket.h */

#include "milter/log/log_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The most parts of a text that goes over a stream. */
#define STREAM_PARTS 8

static void close_log(struct log_socket *log)
{
    if (log->descriptor != -1)
        close(log->descriptor);
    log->descriptor = -1;
}

static bool connect_log(struct log_socket *log, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    g_strlcpy(address.sun_path, log->path, sizeof address.sun_path);
    log->type = type;
    log->descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (log->descriptor != -1 && connect(log->descriptor, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    int problem = errno;
    close_log(log);
    errno = problem;
    return false;
}

static bool open_log(struct log_socket *log)
{
    return log->descriptor != -1 || connect_log(log, SOCK_DGRAM) ||
           (errno == EPROTOTYPE && connect_log(log, SOCK_STREAM));
}

/* 0, or errno.  Half a text on a stream would run into the next one: the stream is closed then. */
static int send_once(struct log_socket *log, const struct iovec *parts, size_t count)
{
    struct iovec with_end[STREAM_PARTS + 1];
    struct msghdr message = {.msg_iov = (struct iovec *)parts};
    size_t whole = 0;

    if (log->type == SOCK_STREAM) {
        if (count > STREAM_PARTS)
            return EMSGSIZE;
        memcpy(with_end, parts, count * sizeof *parts);
        with_end[count++] = (struct iovec){(void *)"", 1};
        message.msg_iov = with_end;
    }
    for (size_t i = 0; i < count; i++)
        whole += message.msg_iov[i].iov_len;
    message.msg_iovlen = count;
    ssize_t sent = sendmsg(log->descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == -1)
        return errno;
    return (size_t)sent == whole ? 0 : EPIPE;
}

static bool would_wait(int problem)
{
    return problem == EAGAIN || problem == EWOULDBLOCK || problem == ENOBUFS || problem == ENOMEM ||
           problem == EMSGSIZE;
}

enum log_sent log_socket_send(struct log_socket *log, const struct iovec *parts, size_t count)
{
    enum log_sent result = LOG_AWAY;

    g_mutex_lock(&log->lock);
    /* Twice: the log daemon may have begun anew since the socket was opened. */
    for (int i = 0; i < 2 && result == LOG_AWAY && open_log(log); i++) {
        int problem = send_once(log, parts, count);
        result = problem == 0 ? LOG_SENT : would_wait(problem) ? LOG_LOST : LOG_AWAY;
        if (result == LOG_AWAY)
            close_log(log);
    }
    g_mutex_unlock(&log->lock);
    return result;
}

bool log_write(int descriptor, const struct iovec *parts, size_t count)
{
    static GMutex lock;
    struct pollfd ready = {.fd = descriptor, .events = POLLOUT};

    /* Where there is room at all, a pipe has it for PIPE_BUF bytes. */
    g_mutex_lock(&lock);
    bool written =
        poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0 && writev(descriptor, parts, (int)count) > 0;
    g_mutex_unlock(&lock);
    return written;
}
