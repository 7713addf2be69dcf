/*
 * sendmail_config - what a sendmail.cf says of milters (its `X` lines, and which of
 * them are used), of queue groups (`Q`) and in options.  See the Sendmail Installation and Operation Guide.
 *
 * Ownership: sendmail_config_free frees all of it; values belong to it.
 */
#ifndef RCPTGUARD_SENDMAIL_CONFIG_H
#define RCPTGUARD_SENDMAIL_CONFIG_H

#include "milter/common/endpoint.h"
#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

#define SENDMAIL_DEFAULT_CONFIG "/etc/mail/sendmail.cf"

/* A line `Xname, S=socket, F=flags, T=timeouts`. */
struct sendmail_filter {
    char *name;
    char *socket;
    char *flags;
    char *timeouts; /* "C:30s;S:30s" */
};

struct sendmail_config {
    char *path;
    GPtrArray *filters;  /* struct sendmail_filter *, by their lines */
    GHashTable *options; /* char * in lower case to char *: those of `O Name=value` */
    GPtrArray *daemons;  /* char *: each DaemonPortOptions */
    GPtrArray *groups;   /* char *: each queue group, `NAME, P=PATH, ...` */
};

struct sendmail_config *sendmail_config_read(const char *path, char **error);
void sendmail_config_free(struct sendmail_config *config);
AUTO_FREE_DEFINE(sendmail_config, sendmail_config_free)

/* The last that was set, or NULL. */
const char *sendmail_option(const struct sendmail_config *config, const char *name);

/* Those that mail is shown to, in their order: struct sendmail_filter *.  `list` is InputMailFilters, or a daemon's. */
GPtrArray *sendmail_filters(const struct sendmail_config *config, const char *list);

/* The filter at our daemon's socket, or NULL. */
const struct sendmail_filter *sendmail_filter_find(const struct sendmail_config *config,
                                                   const struct endpoint *endpoint);

/* Seconds of one timeout of a filter (`C`, `S`, `R`, `E`), or the default. */
unsigned sendmail_filter_seconds(const struct sendmail_filter *filter, char which);

/* The value of a key in `Name=MTA, Port=25`, by its name or first letter, for g_free; or NULL. */
char *sendmail_setting(const char *settings, const char *name);

/* How the daemon's socket is written in `S=`, for g_free; NULL if it has no address. */
char *sendmail_socket_name(const struct endpoint *endpoint);

/* What INPUT_MAIL_FILTER has to say of our daemon, for g_free; NULL if it has no address. */
char *sendmail_filter_line(const char *name, const struct endpoint *endpoint);

#endif
