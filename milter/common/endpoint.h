/*
 * endpoint - the notation of the socket that the MTA connects to.
 *
 * Ownership: endpoint_parse gives an endpoint, endpoint_free takes it back; the
 * strings in it are its own.  Errors are texts for g_free.
 */
#ifndef RCPTGUARD_ENDPOINT_H
#define RCPTGUARD_ENDPOINT_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

enum endpoint_kind { ENDPOINT_UNIX, ENDPOINT_INET, ENDPOINT_INET6, ENDPOINT_FD };

struct endpoint {
    enum endpoint_kind kind;
    char *name;    /* as libmilter's smfi_setconn takes it */
    char *path;    /* ENDPOINT_UNIX: absolute */
    char *host;    /* ENDPOINT_INET, ENDPOINT_INET6: without brackets */
    unsigned port; /* 1 to 65535 */
    int fd;        /* ENDPOINT_FD: a listening socket that was handed over */
};

/* The longest path in bytes that libmilter binds: it wants room for two NULs in sun_path. */
unsigned endpoint_path_limit(void);

/*
 * Reads `unix:/path`, `local:/path`, a plain absolute path, `inet:port@host`,
 * `inet6:port@host` or `fd:N`.  NULL with `error` set for anything else; the
 * text begins with a small letter and names what was expected.
 */
struct endpoint *endpoint_parse(const char *text, char **error);
void endpoint_free(struct endpoint *endpoint);
AUTO_FREE_DEFINE(endpoint, endpoint_free)

/* Whether who connects to that host reaches one of the kinds INET and INET6: all names of the loopback are one. */
bool endpoint_has_host(const struct endpoint *endpoint, const char *host);

/*
 * The address of who connected, in numbers, and its port; an IPv4 address that came mapped into IPv6 is written as
 * IPv4. NULL with port 0 if it is of another family, or not known.
 */
char *endpoint_client(const struct sockaddr *address, unsigned *port);

#endif
