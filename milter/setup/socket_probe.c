/*
 * socket_probe - see socket_probe.h
 *
 * The protocol is that of sendmail's libmilter, version 6: a packet is its length
 * (32 bits, network order), a letter, and data.  The first is `O`: version,
 * actions, steps; the answer has the same, and lists of macros after.
 */

#include "milter/setup/socket_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION           6u
#define ACTIONS           0x1ffu
#define ACTION_HEADERS    0x11u /* add, and change */
#define ACTION_QUARANTINE 0x20u
#define STEPS             0x1fffffu
#define OPTIONS_LENGTH    12u
#define ANSWER_LIMIT      4096u
#define LOGIN             "{auth_authen}"

/* ---- connecting */

static void limit_waiting(int fd)
{
    const struct timeval limit = {.tv_sec = PROBE_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* -1 with errno. */
static int connect_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    limit_waiting(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int connect_internet(const struct endpoint *endpoint, char **error)
{
    struct addrinfo hints = {.ai_family = endpoint->kind == ENDPOINT_INET6 ? AF_INET6 : AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV};
    char port[16];
    struct addrinfo *list = NULL;
    g_snprintf(port, sizeof port, "%u", endpoint->port);
    int code = getaddrinfo(endpoint->host, port, &hints, &list);
    if (code != 0) {
        *error = g_strdup_printf("%s cannot be resolved: %s", endpoint->host, gai_strerror(code));
        return -1;
    }
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1)
        limit_waiting(fd);
    if (fd == -1 || connect(fd, list->ai_addr, list->ai_addrlen) == -1) {
        *error = g_strdup(g_strerror(errno));
        if (fd != -1)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

/* ---- as another user */

/* What the child found out: the errno of connect, and how much of the path may be passed. */
struct sight {
    int reason;
    int passed; /* bytes of the path up to the directory that stopped it, or -1 */
};

/* The first directory of the path that this process may not pass, by the bytes up to its end; -1 if there is none. */
static int blocked_at(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        if (length >= sizeof folder)
            return -1;
        memcpy(folder, path, length);
        folder[length] = '\0';
        if (access(folder, X_OK) == -1)
            return (int)length;
    }
    return -1;
}

/* In the child: no memory is taken, no library's lock is asked for. */
static void look(int out, const struct passwd *user, const gid_t *groups, int count, const char *root,
                 const char *directory, const char *path)
{
    struct sight sight = {.reason = 0, .passed = -1};
    if ((directory != NULL && chdir(directory) == -1) || (root != NULL && (chroot(root) == -1 || chdir("/") == -1)) ||
        setgroups((size_t)count, groups) == -1 || setgid(user->pw_gid) == -1 || setuid(user->pw_uid) == -1) {
        sight.reason = errno;
    } else if (connect_path(path) == -1) {
        sight.reason = errno;
        sight.passed = blocked_at(path);
    }
    if (write(out, &sight, sizeof sight) != sizeof sight)
        _exit(1);
    _exit(0);
}

static int look_as(const struct passwd *user, const char *root, const char *directory, const char *path,
                   struct sight *sight)
{
    gid_t groups[256];
    int count = G_N_ELEMENTS(groups), ends[2];
    if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) == -1)
        count = G_N_ELEMENTS(groups);
    if (pipe(ends) == -1)
        return -1;
    pid_t child = fork();
    if (child == 0)
        look(ends[1], user, groups, count, root, directory, path);
    close(ends[1]);
    ssize_t got = child == -1 ? -1 : read(ends[0], sight, sizeof *sight);
    close(ends[0]);
    if (child != -1)
        waitpid(child, NULL, 0);
    return got == sizeof *sight ? 0 : -1;
}

int probe_reach(const char *user, const char *root, const char *directory, const char *path, char **denied,
                char **error)
{
    struct sight sight = {.reason = EIO, .passed = -1};
    *denied = NULL;
    *error = NULL;
    const struct passwd *entry = getpwnam(user);
    if (entry == NULL) {
        *error = g_strdup_printf("there is no user `%s`", user);
        return ENOENT;
    }
    if (look_as(entry, root, directory, path, &sight) == -1)
        sight.reason = EIO;
    if (sight.reason == 0)
        return 0;
    *error = g_strdup(g_strerror(sight.reason));
    if (sight.reason == EACCES && sight.passed > 0) {
        g_autofree char *folder = g_strndup(path, (gsize)sight.passed);
        const char *base = root != NULL ? root : path[0] == '/' || directory == NULL ? "/" : directory;
        *denied = g_build_filename(base, folder, NULL);
    }
    return sight.reason;
}

/* ---- the protocol */

static int send_packet(int fd, char letter, const guint32 *numbers, unsigned count)
{
    unsigned char packet[64];
    guint32 length = htonl(1 + count * 4);
    memcpy(packet, &length, 4);
    packet[4] = (unsigned char)letter;
    for (unsigned i = 0; i < count; i++) {
        guint32 number = htonl(numbers[i]);
        memcpy(packet + 5 + i * 4, &number, 4);
    }
    size_t size = 5 + count * 4;
    return send(fd, packet, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

static int receive(int fd, void *buffer, size_t length)
{
    char *at = buffer;
    while (length > 0) {
        ssize_t got = recv(fd, at, length, 0);
        if (got == -1 && errno == EINTR)
            continue;
        if (got == 0)
            errno = ECONNRESET;
        if (got <= 0)
            return -1;
        at += got;
        length -= (size_t)got;
    }
    return 0;
}

static guint32 number_at(const unsigned char *data, size_t offset)
{
    guint32 number;
    memcpy(&number, data + offset, 4);
    return ntohl(number);
}

/* After the options: the number of a stage, and the macros that are asked for there, ended by NUL. */
static bool asks_login(const unsigned char *data, size_t length)
{
    for (size_t at = OPTIONS_LENGTH + 4; at < length;) {
        const unsigned char *end = memchr(data + at, '\0', length - at);
        if (end == NULL)
            return false;
        if (strstr((const char *)data + at, LOGIN) != NULL)
            return true;
        at = (size_t)(end - data) + 1 + 4;
    }
    return false;
}

static int converse(int fd, struct probe_answer *answer)
{
    static const guint32 offer[] = {VERSION, ACTIONS, STEPS};
    unsigned char head[5], data[ANSWER_LIMIT];
    if (send_packet(fd, 'O', offer, G_N_ELEMENTS(offer)) == -1 || receive(fd, head, sizeof head) == -1)
        return -1;
    size_t length = number_at(head, 0);
    if (head[4] != 'O' || length < 1 + OPTIONS_LENGTH || length - 1 > sizeof data) {
        errno = EPROTO;
        return -1;
    }
    length--;
    if (receive(fd, data, length) == -1)
        return -1;
    guint32 actions = number_at(data, 4);
    answer->quarantines = (actions & (ACTION_QUARANTINE | ACTION_HEADERS)) == (ACTION_QUARANTINE | ACTION_HEADERS);
    answer->asks_macros = asks_login(data, length);
    send_packet(fd, 'Q', NULL, 0); /* one that has hung up already has said all */
    return 0;
}

int probe_negotiate(const struct endpoint *endpoint, struct probe_answer *answer, char **error)
{
    *error = NULL;
    int fd = endpoint->kind == ENDPOINT_UNIX ? connect_path(endpoint->path) : connect_internet(endpoint, error);
    if (fd == -1) {
        if (*error == NULL)
            *error = g_strdup(g_strerror(errno));
        return -1;
    }
    int result = converse(fd, answer);
    if (result == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
        *error = g_strdup_printf("nothing was said for %u s", PROBE_SECONDS);
    else if (result == -1)
        *error = g_strdup_printf("what answers does not speak the milter protocol: %s", g_strerror(errno));
    close(fd);
    return result;
}
