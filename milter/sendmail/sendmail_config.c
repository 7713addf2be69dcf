/* sendmail_config - see sendmail_config.h */

#include "milter/sendmail/sendmail_config.h"

#include "milter/common/duration.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLANKS " \t\r,"

static void filter_free(struct sendmail_filter *filter)
{
    g_free(filter->name);
    g_free(filter->socket);
    g_free(filter->flags);
    g_free(filter->timeouts);
    g_free(filter);
}

void sendmail_config_free(struct sendmail_config *config)
{
    if (config == NULL)
        return;
    g_free(config->path);
    g_ptr_array_unref(config->filters);
    g_ptr_array_unref(config->daemons);
    g_ptr_array_unref(config->groups);
    g_hash_table_unref(config->options);
    g_free(config);
}

/* ---- reading */

char *sendmail_setting(const char *settings, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(settings, ",", -1);
    for (char **part = parts; *part != NULL; part++) {
        char *equals = strchr(*part, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        g_strstrip(*part);
        if (g_ascii_toupper((*part)[0]) == g_ascii_toupper(name[0]))
            return g_strdup(g_strstrip(equals + 1));
    }
    return NULL;
}

static void take_filter(struct sendmail_config *config, const char *line)
{
    size_t length = strcspn(line, BLANKS);
    struct sendmail_filter *filter = g_new0(struct sendmail_filter, 1);
    filter->name = g_strndup(line, length);
    filter->socket = sendmail_setting(line + length, "S");
    filter->flags = sendmail_setting(line + length, "F");
    filter->timeouts = sendmail_setting(line + length, "T");
    g_ptr_array_add(config->filters, filter);
}

static void take_option(struct sendmail_config *config, const char *line)
{
    const char *equals = strchr(line, '=');
    if (equals == NULL)
        return;
    g_autofree char *name = g_strstrip(g_strndup(line, (gsize)(equals - line)));
    char *value = g_strstrip(g_strdup(equals + 1));
    if (g_ascii_strcasecmp(name, "DaemonPortOptions") == 0)
        g_ptr_array_add(config->daemons, value);
    else
        g_hash_table_replace(config->options, g_ascii_strdown(name, -1), value);
}

/* A line that begins with a blank goes on with the one before. */
static GPtrArray *logical_lines(const char *text)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit(text, "\n", -1);
    for (char **part = parts; *part != NULL; part++) {
        if (((*part)[0] == ' ' || (*part)[0] == '\t') && lines->len > 0) {
            char *last = g_ptr_array_index(lines, lines->len - 1);
            g_ptr_array_index(lines, lines->len - 1) = g_strconcat(last, " ", g_strstrip(*part), NULL);
            g_free(last);
        } else {
            g_ptr_array_add(lines, g_strdup(*part));
        }
    }
    return lines;
}

struct sendmail_config *sendmail_config_read(const char *path, char **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;
    if (path == NULL)
        path = SENDMAIL_DEFAULT_CONFIG;
    if (access(path, R_OK) == -1) {
        *error = g_strdup_printf("%s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (!g_file_get_contents(path, &text, NULL, &failure)) {
        *error = g_strdup(failure->message);
        return NULL;
    }
    struct sendmail_config *config = g_new0(struct sendmail_config, 1);
    config->path = g_strdup(path);
    config->filters = g_ptr_array_new_with_free_func((GDestroyNotify)filter_free);
    config->daemons = g_ptr_array_new_with_free_func(g_free);
    config->groups = g_ptr_array_new_with_free_func(g_free);
    config->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) lines = logical_lines(text);
    for (guint i = 0; i < lines->len; i++) {
        const char *line = g_ptr_array_index(lines, i);
        if (line[0] == 'X')
            take_filter(config, line + 1);
        else if (line[0] == 'Q')
            g_ptr_array_add(config->groups, g_strdup(line + 1));
        else if (line[0] == 'O' && line[1] == ' ')
            take_option(config, line + 2);
    }
    return config;
}

/* ---- asking */

const char *sendmail_option(const struct sendmail_config *config, const char *name)
{
    g_autofree char *key = g_ascii_strdown(name, -1);
    return g_hash_table_lookup(config->options, key);
}

GPtrArray *sendmail_filters(const struct sendmail_config *config, const char *list)
{
    GPtrArray *found = g_ptr_array_new();
    g_auto(GStrv) names = g_strsplit_set(list == NULL ? "" : list, BLANKS ";", -1);
    for (char **name = names; *name != NULL; name++) {
        for (guint i = 0; i < config->filters->len; i++) {
            struct sendmail_filter *filter = g_ptr_array_index(config->filters, i);
            if (strcmp(filter->name, *name) == 0)
                g_ptr_array_add(found, filter);
        }
    }
    return found;
}

static bool is_ours(const struct sendmail_filter *filter, const struct endpoint *endpoint)
{
    g_autofree char *error = NULL;
    auto_free(endpoint) theirs = filter->socket == NULL ? NULL : endpoint_parse(filter->socket, &error);
    if (theirs == NULL || theirs->kind != endpoint->kind)
        return false;
    if (endpoint->kind == ENDPOINT_UNIX) {
        g_autofree char *path = g_canonicalize_filename(theirs->path, "/");
        g_autofree char *ours = g_canonicalize_filename(endpoint->path, "/");
        return strcmp(path, ours) == 0;
    }
    return theirs->port == endpoint->port && endpoint_has_host(endpoint, theirs->host);
}

const struct sendmail_filter *sendmail_filter_find(const struct sendmail_config *config,
                                                   const struct endpoint *endpoint)
{
    for (guint i = 0; i < config->filters->len; i++) {
        const struct sendmail_filter *filter = g_ptr_array_index(config->filters, i);
        if (is_ours(filter, endpoint))
            return filter;
    }
    return NULL;
}

unsigned sendmail_filter_seconds(const struct sendmail_filter *filter, char which)
{
    static const struct {
        char which;
        unsigned seconds;
    } defaults[] = {{'C', 300}, {'S', 10}, {'R', 10}, {'E', 300}};
    g_auto(GStrv) parts = g_strsplit(filter->timeouts == NULL ? "" : filter->timeouts, ";", -1);
    for (char **part = parts; *part != NULL; part++) {
        const char *text = g_strstrip(*part);
        if (g_ascii_toupper(text[0]) == which && text[1] == ':')
            /* A bare number is minutes in all of Sendmail's timeouts but these. */
            return (unsigned)MAX(duration_read(text + 2, "smhd", 's'), 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++) {
        if (defaults[i].which == which)
            return defaults[i].seconds;
    }
    return 0;
}

/* ---- writing */

char *sendmail_socket_name(const struct endpoint *endpoint)
{
    switch (endpoint->kind) {
    case ENDPOINT_UNIX:
        return g_strconcat("unix:", endpoint->path, NULL);
    case ENDPOINT_INET:
        return g_strdup_printf("inet:%u@%s", endpoint->port, endpoint->host);
    case ENDPOINT_INET6:
        return g_strdup_printf("inet6:%u@%s", endpoint->port, endpoint->host);
    case ENDPOINT_FD:
        return NULL;
    }
    return NULL;
}

char *sendmail_filter_line(const char *name, const struct endpoint *endpoint)
{
    g_autofree char *socket = sendmail_socket_name(endpoint);
    return socket == NULL
               ? NULL
               : g_strdup_printf("INPUT_MAIL_FILTER(`%s', `S=%s, F=T, T=C:30s;S:30s;R:30s;E:5m')dnl", name, socket);
}
