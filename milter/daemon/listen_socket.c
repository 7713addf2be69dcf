/* listen_socket - see listen_socket.h */

#include <config.h>

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

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
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
        if (fstat(lock, &mine) == 0 && stat(path, &there) == 0 && is_same(&mine, &there)) {
            *fd = lock;
            listen_socket_lock_owner(lock, getpid());
            return EXITS_DONE;
        }
        close(lock);
    }
}

void listen_socket_lock_owner(int fd, pid_t process)
{
    char owner[32];
    int length = g_snprintf(owner, sizeof owner, "%ld\n", (long)process);
    /* The number is for people; the lock holds without it. */
    if (fd == -1 || ftruncate(fd, 0) == -1 || pwrite(fd, owner, (size_t)length, 0) != length)
        return;
}

/* One that the milter took when the first was deleted is free once the milter has ended; another daemon's is not. */
static bool is_free(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool free = fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0;

    if (fd != -1)
        close(fd);
    return free;
}

void listen_socket_unlock(const struct endpoint *endpoint, int fd)
{
    struct stat mine, there;

    if (fd == -1)
        return;
    g_autofree char *path = lock_path(endpoint);
    if (fstat(fd, &mine) == 0 && lstat(path, &there) == 0 && (is_same(&mine, &there) || is_free(path)))
        unlink(path);
    close(fd);
}

/* ---- a socket that was deleted */

/* Descriptors that are looked at: the socket is one of the first. */
#define DESCRIPTORS 256

static bool listens_on(int fd, const char *path)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int listening = 0;
    socklen_t size = sizeof listening;

    memset(&address, 0, sizeof address);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0 &&
           getsockname(fd, (struct sockaddr *)&address, &length) == 0 && address.sun_family == AF_UNIX &&
           strncmp(address.sun_path, path, sizeof address.sun_path) == 0;
}

void listen_socket_find(struct listen_socket *listening, const struct endpoint *endpoint, int lock, pid_t owner)
{
    *listening = (struct listen_socket){.endpoint = endpoint, .owner = owner, .fd = -1, .lock = lock};
    if (endpoint->kind != ENDPOINT_UNIX || lstat(endpoint->path, &listening->there) == -1)
        return;
    for (int fd = 0; fd < DESCRIPTORS && listening->fd == -1; fd++)
        if (listens_on(fd, endpoint->path))
            listening->fd = fd;
}

static bool socket_is_there(const struct listen_socket *listening)
{
    struct stat status;

    return lstat(listening->endpoint->path, &status) == 0 && is_same(&status, &listening->there);
}

static bool lock_is_there(const struct listen_socket *listening)
{
    g_autofree char *path = lock_path(listening->endpoint);
    struct stat status, own;

    return fstat(listening->lock, &own) == 0 && lstat(path, &status) == 0 && is_same(&status, &own);
}

/* A libmilter that was asked to stop has closed it, and removed the path: the number may be another file's by then. */
bool listen_socket_is_there(const struct listen_socket *listening)
{
    return listening->fd == -1 || (socket_is_there(listening) && lock_is_there(listening)) ||
           !listens_on(listening->fd, listening->endpoint->path);
}

/* A socket at the path that the group may connect to, as the first one; nobody can before it listens. */
static int bind_path(const struct endpoint *endpoint, char **error)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd != -1 && unix_address(endpoint, &address) == 0 &&
        bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && chmod(endpoint->path, 0660) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    *error = g_strdup(g_strerror(errno));
    if (fd != -1)
        close(fd);
    return -1;
}

/* The descriptor becomes that of the new socket; who waits for the old one does so until the wait is over. */
static int replace(const struct listen_socket *listening, int new, char **error)
{
    if (dup3(new, listening->fd, O_CLOEXEC) != -1)
        return 0;
    *error = g_strdup(g_strerror(errno));
    return -1;
}

int listen_socket_again(struct listen_socket *listening, bool *taken, char **error)
{
    const struct endpoint *endpoint = listening->endpoint;

    *taken = false;
    if (!lock_is_there(listening)) {
        int lock;
        int code = listen_socket_lock(endpoint, &lock, error);
        *taken = code == EXITS_PASSING;
        if (code != EXITS_DONE)
            return -1;
        listen_socket_lock_owner(lock, listening->owner);
        close(listening->lock);
        listening->lock = lock;
    }
    if (socket_is_there(listening))
        return 0;
    int code = prepare_path(endpoint, error);
    *taken = code == EXITS_PASSING;
    int new = code == EXITS_DONE ? bind_path(endpoint, error) : -1;
    if (new == -1)
        return -1;
    int result = replace(listening, new, error);
    close(new);
    if (result == 0 && lstat(endpoint->path, &listening->there) == -1)
        listening->there.st_ino = 0; /* gone again: the next look finds it so */
    return result;
}

void listen_socket_remove(const struct endpoint *endpoint)
{
    struct stat status;
    if (endpoint->kind == ENDPOINT_UNIX && lstat(endpoint->path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        path_alive(endpoint) == 0)
        unlink(endpoint->path);
}
