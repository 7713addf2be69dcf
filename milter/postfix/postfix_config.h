/*
 * postfix_config - what main.cf and master.cf say, by postconf(1): its values
 * with variables expanded, the services, and the lists of milters.
 *
 * Ownership: postfix_config_free frees all of it; values belong to it.
 */
#ifndef RCPTGUARD_POSTFIX_CONFIG_H
#define RCPTGUARD_POSTFIX_CONFIG_H

#include "milter/common/endpoint.h"
#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

struct postfix_service {
    char *name;    /* "127.0.0.1:10025/inet" */
    char *command; /* "smtpd" */
    bool chrooted;
    GHashTable *overrides; /* char * to char *: -o of master.cf */
    GHashTable *written;   /* the same with their $variables */
};

struct postfix_config {
    char *directory; /* or NULL: Postfix's own */
    GHashTable *main;
    GHashTable *written; /* the same with its $variables */
    GPtrArray *services; /* struct postfix_service * */
};

struct postfix_config *postfix_config_read(const char *directory, char **error);
void postfix_config_free(struct postfix_config *config);
AUTO_FREE_DEFINE(postfix_config, postfix_config_free)

/* The value in main.cf, or the default; "" if there is none.  With a service: the value there. */
const char *postfix_config_value(const struct postfix_config *config, const char *name);
const char *postfix_service_value(const struct postfix_config *config, const struct postfix_service *service,
                                  const char *name);

/* The same as the administrator wrote it, with its $variables. */
const char *postfix_written(const struct postfix_config *config, const struct postfix_service *service,
                            const char *name);

/* The name of a value that is one variable and no more ("$mua_milters"), for g_free; or NULL. */
char *postfix_variable(const char *written);

bool postfix_service_overrides(const struct postfix_service *service, const char *name);

/* Whether it listens on a network, and whether on the loopback alone. */
bool postfix_service_is_inet(const struct postfix_service *service);
bool postfix_service_is_loopback(const struct postfix_service *service);

/* For duration_read: postconf(5), the type of the parameters that are times. */
#define POSTFIX_TIME_UNITS "smhdw"

/* Whether a list, with commas or blanks between its words, has a word. */
bool postfix_list_has(const char *list, const char *word);

/* The list without a word, for g_free. */
char *postfix_list_without(const char *list, const char *word);

/*
 * `postconf -c DIRECTORY -P LINE`, as a person types it; for g_free.  `options`: "-P", "-PX", ...
 * postconf takes no blanks in the values of a service.
 */
char *postfix_command(const struct postfix_config *config, const char *options, const char *line);

/* ---- milters */

struct postfix_milter {
    char *text;     /* as written in the list, with its braces */
    char *endpoint; /* "unix:rcptguard/rcptguard.sock" */
};

/* What smtpd_milters holds: struct postfix_milter *. */
GPtrArray *postfix_milters(const char *list);

/* The value of `name` in braces, for g_free, or NULL. */
char *postfix_milter_setting(const struct postfix_milter *milter, const char *name);

/* Whether this is our daemon's socket. */
bool postfix_milter_is(const struct postfix_config *config, const struct postfix_milter *milter,
                       const struct endpoint *endpoint);

/*
 * Whether this is a socket file that rcptguardd had, by its name, under another path than ours, and that nobody
 * serves now: Postfix waits for it with all mail.
 */
bool postfix_milter_is_left_over(const struct postfix_config *config, const struct postfix_milter *milter,
                                 const struct endpoint *endpoint);

/* The index of ours in a list of milters, or -1. */
int postfix_milters_find(const struct postfix_config *config, GPtrArray *milters, const struct endpoint *endpoint);

/* The same with what it needs where main.cf is made for others: "{ unix:..., default_action=tempfail }"; for g_free. */
char *postfix_milter_entry(const struct postfix_config *config, const struct endpoint *endpoint);

/* The entry with a setting in its braces, for g_free. */
char *postfix_milter_set(const struct postfix_milter *milter, const char *name, const char *value);

/*
 * The list with ours in its last place, once: as `entry`, or as written there if `entry` is NULL; without
 * what is left over.  For g_free.
 */
char *postfix_milters_with(const struct postfix_config *config, const char *list, const struct endpoint *endpoint,
                           const char *entry);

/* A list of milters without the blanks that it does not need; for g_free. */
char *postfix_milters_compact(const char *list);

/* The list without ours. */
char *postfix_milters_without(const struct postfix_config *config, const char *list, const struct endpoint *endpoint);

#endif
