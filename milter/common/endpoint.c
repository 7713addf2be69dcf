/* endpoint - see endpoint.h */

#include "milter/common/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#define NOTATIONS "expected unix:/path, inet:port@host, inet6:port@host or fd:N"

unsigned endpoint_path_limit(void)
{
    return sizeof(((struct sockaddr_un *)NULL)->sun_path) - 2;
}

static int parse_path(struct endpoint *endpoint, const char *path, char **error)
{
    if (path[0] != '/') {
        *error = g_strdup_printf("the path of a socket begins with a slash; "
                                 "Postfix alone counts `%s` from its queue directory",
                                 path);
        return -1;
    }
    if (strlen(path) > endpoint_path_limit()) {
        *error = g_strdup_printf("the path of a socket has at most %u bytes, this one has %zu", endpoint_path_limit(),
                                 strlen(path));
        return -1;
    }
    endpoint->kind = ENDPOINT_UNIX;
    endpoint->path = g_strdup(path);
    endpoint->name = g_strconcat("unix:", path, NULL);
    return 0;
}

/* `port@host`; the host may stand in brackets. */
static int parse_internet(struct endpoint *endpoint, const char *text, bool six, char **error)
{
    const char *family = six ? "inet6" : "inet";
    const char *at = strchr(text, '@');
    if (at == NULL || at == text || at[1] == '\0') {
        *error = g_strdup_printf("expected %s:port@host; Postfix's main.cf has the two the other way round", family);
        return -1;
    }
    g_autofree char *digits = g_strndup(text, (size_t)(at - text));
    guint64 port;
    if (!g_ascii_string_to_unsigned(digits, 10, 1, 65535, &port, NULL)) {
        *error = g_strdup_printf("a port is a number from 1 to 65535, not `%s`", digits);
        return -1;
    }
    g_autofree char *host = g_strdup(at + 1);
    size_t length = strlen(host);
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = '\0';
    }
    struct in6_addr address;
    bool numeric = inet_pton(six ? AF_INET6 : AF_INET, host, &address) == 1;
    if (!numeric && strchr(host, ':') != NULL) {
        *error = g_strdup_printf("`%s` is no host%s", host, six ? "" : "; an IPv6 address needs inet6:port@address");
        return -1;
    }
    endpoint->kind = six ? ENDPOINT_INET6 : ENDPOINT_INET;
    endpoint->port = (unsigned)port;
    /* libmilter looks a name up; an address it takes in brackets. */
    endpoint->name = g_strdup_printf(numeric ? "%s:%u@[%s]" : "%s:%u@%s", family, endpoint->port, host);
    endpoint->host = g_steal_pointer(&host);
    return 0;
}

static int parse_descriptor(struct endpoint *endpoint, const char *text, char **error)
{
    guint64 fd;
    if (!g_ascii_string_to_unsigned(text, 10, 0, 65535, &fd, NULL)) {
        *error = g_strdup_printf("expected the number of a descriptor, not `%s`", text);
        return -1;
    }
    endpoint->kind = ENDPOINT_FD;
    endpoint->fd = (int)fd;
    endpoint->name = g_strdup_printf("fd:%d", endpoint->fd);
    return 0;
}

struct endpoint *endpoint_parse(const char *text, char **error)
{
    auto_free(endpoint) endpoint = g_new0(struct endpoint, 1);
    endpoint->fd = -1;
    *error = NULL;

    int result;
    if (g_str_has_prefix(text, "unix:")) {
        result = parse_path(endpoint, text + strlen("unix:"), error);
    } else if (g_str_has_prefix(text, "local:")) {
        result = parse_path(endpoint, text + strlen("local:"), error);
    } else if (g_str_has_prefix(text, "inet:")) {
        result = parse_internet(endpoint, text + strlen("inet:"), false, error);
    } else if (g_str_has_prefix(text, "inet6:")) {
        result = parse_internet(endpoint, text + strlen("inet6:"), true, error);
    } else if (g_str_has_prefix(text, "fd:")) {
        result = parse_descriptor(endpoint, text + strlen("fd:"), error);
    } else if (text[0] == '/') {
        result = parse_path(endpoint, text, error);
    } else {
        *error = g_strdup(NOTATIONS);
        result = -1;
    }
    return result == 0 ? g_steal_pointer(&endpoint) : NULL;
}

bool endpoint_has_host(const struct endpoint *endpoint, const char *host)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", NULL};
    return g_ascii_strcasecmp(host, endpoint->host) == 0 ||
           (g_strv_contains(loopback, host) && g_strv_contains(loopback, endpoint->host));
}

void endpoint_free(struct endpoint *endpoint)
{
    if (endpoint == NULL)
        return;
    g_free(endpoint->name);
    g_free(endpoint->path);
    g_free(endpoint->host);
    g_free(endpoint);
}
