/* endpoint - see endpoint.h */

#include "milter/common/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

unsigned endpoint_path_limit(void)
{
    return sizeof(((struct sockaddr_un *)NULL)->sun_path) - 2;
}

static char *parse_path(struct endpoint *endpoint, const char *path)
{
    if (path[0] != '/')
        return g_strdup_printf("the path of a socket begins with a slash; "
                               "Postfix alone counts `%s` from its queue directory",
                               path);
    if (strlen(path) > endpoint_path_limit())
        return g_strdup_printf("the path of a socket has at most %u bytes, this one has %zu", endpoint_path_limit(),
                               strlen(path));
    endpoint->path = g_strdup(path);
    endpoint->name = g_strconcat("unix:", path, NULL);
    return NULL;
}

/* `port@host`; the host may be in brackets. */
static char *parse_internet(struct endpoint *endpoint, const char *text)
{
    bool six = endpoint->kind == ENDPOINT_INET6;
    const char *family = six ? "inet6" : "inet";
    const char *at = strchr(text, '@');
    if (at == NULL || at == text || at[1] == '\0')
        return g_strdup_printf("expected %s:port@host; Postfix's main.cf has the two the other way round", family);
    g_autofree char *digits = g_strndup(text, (size_t)(at - text));
    guint64 port;
    if (!g_ascii_string_to_unsigned(digits, 10, 1, 65535, &port, NULL))
        return g_strdup_printf("a port is a number from 1 to 65535, not `%s`", digits);
    size_t length = strlen(at + 1);
    bool brackets = length > 2 && at[1] == '[' && at[length] == ']';
    g_autofree char *host = brackets ? g_strndup(at + 2, length - 2) : g_strdup(at + 1);
    struct in6_addr address;
    bool numeric = inet_pton(six ? AF_INET6 : AF_INET, host, &address) == 1;
    if (!numeric && strchr(host, ':') != NULL)
        return g_strdup_printf("`%s` is no host%s", host, six ? "" : "; an IPv6 address needs inet6:port@address");
    endpoint->port = (unsigned)port;
    /* libmilter looks a name up; an address it takes in brackets. */
    endpoint->name = g_strdup_printf(numeric ? "%s:%u@[%s]" : "%s:%u@%s", family, endpoint->port, host);
    endpoint->host = g_steal_pointer(&host);
    return NULL;
}

static char *parse_descriptor(struct endpoint *endpoint, const char *text)
{
    guint64 fd;
    if (!g_ascii_string_to_unsigned(text, 10, 0, 65535, &fd, NULL))
        return g_strdup_printf("expected the number of a descriptor, not `%s`", text);
    endpoint->fd = (int)fd;
    endpoint->name = g_strdup_printf("fd:%d", endpoint->fd);
    return NULL;
}

/* How each kind is written; what reads the rest says what is wrong with it, or gives NULL. */
static const struct notation {
    const char *prefix;
    enum endpoint_kind kind;
    char *(*parse)(struct endpoint *endpoint, const char *text);
} notations[] = {
    {"unix:", ENDPOINT_UNIX, parse_path},     {"local:", ENDPOINT_UNIX, parse_path},
    {"inet:", ENDPOINT_INET, parse_internet}, {"inet6:", ENDPOINT_INET6, parse_internet},
    {"fd:", ENDPOINT_FD, parse_descriptor},
};

struct endpoint *endpoint_parse(const char *text, char **error)
{
    auto_free(endpoint) endpoint = g_new0(struct endpoint, 1);
    g_autofree char *whole = text[0] == '/' ? g_strconcat("unix:", text, NULL) : g_strdup(text);
    endpoint->fd = -1;
    for (const struct notation *notation = notations; notation < notations + G_N_ELEMENTS(notations); notation++) {
        if (g_str_has_prefix(whole, notation->prefix)) {
            endpoint->kind = notation->kind;
            *error = notation->parse(endpoint, whole + strlen(notation->prefix));
            return *error == NULL ? g_steal_pointer(&endpoint) : NULL;
        }
    }
    *error = g_strdup("expected unix:/path, inet:port@host, inet6:port@host or fd:N");
    return NULL;
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

char *endpoint_client(const struct sockaddr *address, unsigned *port)
{
    char text[INET6_ADDRSTRLEN];
    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        *port = ntohs(four->sin_port);
        return g_strdup(inet_ntop(AF_INET, &four->sin_addr, text, sizeof text));
    }
    if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
        *port = ntohs(six->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
            return g_strdup(inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text, sizeof text));
        return g_strdup(inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text));
    }
    *port = 0;
    return NULL;
}
