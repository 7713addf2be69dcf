/* listen_socket - see listen_socket.h */

#include "milter/daemon/listen_socket.h"

#include "policy/cli/exit_codes.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket address for connect or bind; `storage` holds it. */
static int unix_address(const struct endpoint *endpoint, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    return g_strlcpy(address->sun_path, endpoint->path, sizeof address->sun_path) < sizeof address->sun_path ? 0 : -1;
}

static struct addrinfo *internet_addresses(const struct endpoint *endpoint, int *code)
{
    struct addrinfo hints = {
        .ai_family = endpoint->kind == ENDPOINT_INET6 ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    char port[16];
    g_snprintf(port, sizeof port, "%u", endpoint->port);
    struct addrinfo *list = NULL;
    *code = getaddrinfo(endpoint->host, port, &hints, &list);
    return *code == 0 ? list : NULL;
}

/* 1: somebody listens; 0: nobody; -1: cannot be told, see errno. */
static int path_alive(const struct endpoint *endpoint)
{
    struct sockaddr_un address;
    if (unix_address(endpoint, &address) == -1)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return -1;
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    int reason = errno;
    close(fd);
    errno = reason;
    if (result == 0 || reason == EAGAIN || reason == EINPROGRESS) /* EAGAIN: its queue is full */
        return 1;
    return reason == ECONNREFUSED || reason == ENOENT ? 0 : -1;
}

static int prepare_path(const struct endpoint *endpoint, char **error)
{
    g_autofree char *directory = g_path_get_dirname(endpoint->path);
    struct stat status;
    if (lstat(endpoint->path, &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) {
            *error = g_strdup_printf("%s: is there and is no socket, so it is left alone; remove it or name another",
                                     endpoint->path);
            return EXITS_WRONG;
        }
        int alive = path_alive(endpoint);
        if (alive == 1) {
            *error = g_strdup_printf("%s: another program listens on it; stop that one first", endpoint->path);
            return EXITS_PASSING;
        }
        if (alive == -1) {
            *error = g_strdup_printf("%s: whether a program listens on it cannot be told: %s", endpoint->path,
                                     g_strerror(errno));
            return EXITS_WRONG;
        }
        if (unlink(endpoint->path) == -1 && errno != ENOENT) {
            *error = g_strdup_printf("%s: is left over and cannot be removed: %s", endpoint->path, g_strerror(errno));
            return EXITS_WRONG;
        }
    } else if (errno != ENOENT) {
        *error = g_strdup_printf("%s: %s", endpoint->path, g_strerror(errno));
        return EXITS_WRONG;
    }
    if (access(directory, W_OK | X_OK) == -1) {
        *error = g_strdup_printf("%s: the socket cannot be made in this directory: %s", directory, g_strerror(errno));
        return errno == EROFS || errno == ENOSPC ? EXITS_PASSING : EXITS_WRONG;
    }
    return EXITS_DONE;
}

static int prepare_internet(const struct endpoint *endpoint, char **error)
{
    int code;
    struct addrinfo *list = internet_addresses(endpoint, &code);
    if (list == NULL) {
        *error = g_strdup_printf("%s: the host cannot be resolved: %s", endpoint->name, gai_strerror(code));
        return code == EAI_AGAIN ? EXITS_PASSING : EXITS_WRONG;
    }
    int result = EXITS_DONE;
    int on = 1;
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1 ||
        bind(fd, list->ai_addr, list->ai_addrlen) == -1 || listen(fd, 1) == -1) {
        result = errno == EADDRINUSE ? EXITS_PASSING : EXITS_WRONG;
        *error = g_strdup_printf("%s: cannot be listened on: %s", endpoint->name, g_strerror(errno));
    }
    if (fd != -1)
        close(fd);
    freeaddrinfo(list);
    return result;
}

static int prepare_descriptor(const struct endpoint *endpoint, char **error)
{
    int listening = 0;
    socklen_t length = sizeof listening;
    if (getsockopt(endpoint->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0)
        return EXITS_DONE;
    *error = g_strdup_printf("%s: no listening socket was handed over under this number", endpoint->name);
    return EXITS_WRONG;
}

int listen_socket_prepare(const struct endpoint *endpoint, char **error)
{
    *error = NULL;
    switch (endpoint->kind) {
    case ENDPOINT_UNIX:
        return prepare_path(endpoint, error);
    case ENDPOINT_INET:
    case ENDPOINT_INET6:
        return prepare_internet(endpoint, error);
    case ENDPOINT_FD:
        return prepare_descriptor(endpoint, error);
    }
    return EXITS_WRONG;
}

static char *lock_path(const struct endpoint *endpoint)
{
    return g_strconcat(endpoint->path, ".lock", NULL);
}

static int lock_refused(const struct endpoint *endpoint, int fd, char **error)
{
    char owner[32] = "";
    ssize_t got = pread(fd, owner, sizeof owner - 1, 0);
    owner[got > 0 ? got : 0] = '\0';
    *error = g_strdup_printf("%s: another rcptguardd (pid %s) serves this socket; stop that one first", endpoint->path,
                             owner[0] != '\0' ? g_strstrip(owner) : "unknown");
    return EXITS_PASSING;
}

int listen_socket_lock(const struct endpoint *endpoint, int *fd, char **error)
{
    *fd = -1;
    *error = NULL;
    if (endpoint->kind != ENDPOINT_UNIX)
        return EXITS_DONE;

    g_autofree char *path = lock_path(endpoint);
    for (;;) {
        int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (lock == -1) {
            int reason = errno;
            g_autofree char *directory = g_path_get_dirname(path);
            if (reason == ENOENT)
                *error = g_strdup_printf("%s: this directory of the socket is not there; create it for user id %ld",
                                         directory, (long)geteuid());
            else
                *error = g_strdup_printf("%s: cannot be made: %s; its directory has to be writable for user id %ld",
                                         path, g_strerror(reason), (long)geteuid());
            return reason == ENOSPC || reason == EMFILE || reason == ENFILE ? EXITS_PASSING : EXITS_WRONG;
        }
        if (flock(lock, LOCK_EX | LOCK_NB) == -1) {
            int result = lock_refused(endpoint, lock, error);
            close(lock);
            return result;
        }
        /* One that ended just now has removed the file that we locked: take the one that is there. */
        struct stat mine, there;
        if (fstat(lock, &mine) == 0 && stat(path, &there) == 0 && mine.st_dev == there.st_dev &&
            mine.st_ino == there.st_ino) {
            *fd = lock;
            listen_socket_lock_owner(lock);
            return EXITS_DONE;
        }
        close(lock);
    }
}

void listen_socket_lock_owner(int fd)
{
    char owner[32];
    int length = g_snprintf(owner, sizeof owner, "%ld\n", (long)getpid());
    /* The number is for people; the lock holds without it. */
    if (fd == -1 || ftruncate(fd, 0) == -1 || pwrite(fd, owner, (size_t)length, 0) != length)
        return;
}

void listen_socket_unlock(const struct endpoint *endpoint, int fd)
{
    if (fd == -1)
        return;
    g_autofree char *path = lock_path(endpoint);
    unlink(path);
    close(fd);
}

void listen_socket_remove(const struct endpoint *endpoint)
{
    struct stat status;
    if (endpoint->kind == ENDPOINT_UNIX && lstat(endpoint->path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        path_alive(endpoint) == 0)
        unlink(endpoint->path);
}
