/* postfix_config - see postfix_config.h */

#include "milter/postfix/postfix_config.h"

#include "policy/init/postconf.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void service_free(struct postfix_service *service)
{
    g_free(service->name);
    g_free(service->command);
    g_hash_table_unref(service->overrides);
    g_hash_table_unref(service->written);
    g_free(service);
}

void postfix_config_free(struct postfix_config *config)
{
    if (config == NULL)
        return;
    g_free(config->directory);
    g_hash_table_unref(config->main);
    g_hash_table_unref(config->written);
    g_ptr_array_unref(config->services);
    g_free(config);
}

/* ---- postconf */

/* "smtp/inet/chroot": the service up to the last slash; it is made when it is first seen. */
static struct postfix_service *service_of(struct postfix_config *config, const char *key, const char **field)
{
    const char *slash = strrchr(key, '/');
    if (slash == NULL)
        return NULL;
    g_autofree char *name = g_strndup(key, (gsize)(slash - key));
    *field = slash + 1;
    for (guint i = 0; i < config->services->len; i++) {
        struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (strcmp(service->name, name) == 0)
            return service;
    }
    struct postfix_service *service = g_new0(struct postfix_service, 1);
    service->name = g_steal_pointer(&name);
    service->command = g_strdup("");
    service->overrides = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    service->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_ptr_array_add(config->services, service);
    return service;
}

/* Without a word on it, a service is chrooted if the configuration is of the time before Postfix 3. */
static bool chrooted_by_default(const struct postfix_config *config)
{
    return g_ascii_strtoull(postfix_config_value(config, "compatibility_level"), NULL, 10) < 1;
}

static void take_field(const struct postfix_config *config, struct postfix_service *service, const char *field,
                       const char *value)
{
    if (strcmp(field, "chroot") == 0) {
        service->chrooted = value[0] == 'y' || (value[0] == '-' && chrooted_by_default(config));
    } else if (strcmp(field, "command") == 0) {
        g_free(service->command);
        service->command = g_strndup(value, strcspn(value, POSTCONF_BLANKS));
    }
}

/* What postconf(1) is asked for, in this order. */
enum question { MAIN, MAIN_WRITTEN, FIELDS, OVERRIDES, OVERRIDES_WRITTEN };

static void take(struct postfix_config *config, enum question question, const char *key, const char *value)
{
    const char *name = key;
    struct postfix_service *service = question >= FIELDS ? service_of(config, key, &name) : NULL;
    bool written = question == MAIN_WRITTEN || question == OVERRIDES_WRITTEN;
    if (question < FIELDS)
        g_hash_table_replace(written ? config->written : config->main, g_strdup(name), g_strdup(value));
    else if (service != NULL && question == FIELDS)
        take_field(config, service, name, value);
    else if (service != NULL)
        g_hash_table_replace(written ? service->written : service->overrides, g_strdup(name), g_strdup(value));
}

struct postfix_config *postfix_config_read(const char *directory, char **error)
{
    static const char *const questions[][3] = {[MAIN] = {"-x"},
                                               [MAIN_WRITTEN] = {NULL},
                                               [FIELDS] = {"-F"},
                                               [OVERRIDES] = {"-x", "-P"},
                                               [OVERRIDES_WRITTEN] = {"-P"}};

    auto_free(postfix_config) config = g_new0(struct postfix_config, 1);
    config->directory = g_strdup(directory);
    config->main = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    config->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    config->services = g_ptr_array_new_with_free_func((GDestroyNotify)service_free);
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        g_autofree char *text = postconf_output(directory, questions[i], false, error);
        if (text == NULL)
            return NULL;
        const char *name, *value;
        for (char *rest = text; postconf_next(&rest, &name, &value);)
            take(config, (enum question)i, name, value);
    }
    return g_steal_pointer(&config);
}

char *postfix_command(const struct postfix_config *config, const char *options, const char *line)
{
    g_autofree char *quoted = g_shell_quote(line);
    if (config->directory == NULL)
        return g_strdup_printf("postconf %s %s", options, quoted);
    g_autofree char *directory = g_shell_quote(config->directory);
    return g_strdup_printf("postconf -c %s %s %s", directory, options, quoted);
}

/* ---- values */

const char *postfix_config_value(const struct postfix_config *config, const char *name)
{
    const char *value = g_hash_table_lookup(config->main, name);
    return value == NULL ? "" : value;
}

const char *postfix_service_value(const struct postfix_config *config, const struct postfix_service *service,
                                  const char *name)
{
    const char *value = service == NULL ? NULL : g_hash_table_lookup(service->overrides, name);
    return value == NULL ? postfix_config_value(config, name) : value;
}

const char *postfix_written(const struct postfix_config *config, const struct postfix_service *service,
                            const char *name)
{
    const char *value = service == NULL ? NULL : g_hash_table_lookup(service->written, name);
    if (value == NULL)
        value = g_hash_table_lookup(config->written, name);
    return value == NULL ? "" : value;
}

char *postfix_variable(const char *written)
{
    static GRegex *regex;
    g_autoptr(GMatchInfo) match = NULL;
    if (regex == NULL)
        regex = g_regex_new("^\\$(?:(\\w+)|\\{(\\w+)\\}|\\((\\w+)\\))$", 0, 0, NULL);
    if (!g_regex_match(regex, written, 0, &match))
        return NULL;
    return g_match_info_fetch(match, g_match_info_get_match_count(match) - 1);
}

bool postfix_service_overrides(const struct postfix_service *service, const char *name)
{
    return g_hash_table_contains(service->overrides, name);
}

bool postfix_service_is_inet(const struct postfix_service *service)
{
    return g_str_has_suffix(service->name, "/inet") || g_str_has_suffix(service->name, "/pass");
}

bool postfix_service_is_loopback(const struct postfix_service *service)
{
    return postconf_is_loopback(service->name);
}

bool postfix_list_has(const char *list, const char *word)
{
    g_auto(GStrv) words = g_strsplit_set(list, POSTCONF_BLANKS, -1);
    for (char **each = words; *each != NULL; each++) {
        if (g_ascii_strcasecmp(*each, word) == 0)
            return true;
    }
    return false;
}

char *postfix_list_without(const char *list, const char *word)
{
    g_autoptr(GString) rest = g_string_new(NULL);
    g_auto(GStrv) words = g_strsplit_set(list, POSTCONF_BLANKS, -1);
    for (char **each = words; *each != NULL; each++) {
        if (**each != '\0' && g_ascii_strcasecmp(*each, word) != 0)
            g_string_append_printf(rest, "%s%s", rest->len > 0 ? "," : "", *each);
    }
    return g_strdup(rest->str);
}

/* ---- milters */

static void milter_free(struct postfix_milter *milter)
{
    g_free(milter->text);
    g_free(milter->endpoint);
    g_free(milter);
}

GPtrArray *postfix_milters(const char *list)
{
    GPtrArray *milters = g_ptr_array_new_with_free_func((GDestroyNotify)milter_free);
    g_autoptr(GPtrArray) words = postconf_words(list);
    for (guint i = 0; i < words->len; i++) {
        struct postfix_milter *milter = g_new0(struct postfix_milter, 1);
        milter->text = g_strdup(g_ptr_array_index(words, i));
        const char *name = milter->text + (milter->text[0] == '{');
        name += strspn(name, POSTCONF_BLANKS);
        milter->endpoint = g_strndup(name, strcspn(name, POSTCONF_BLANKS "}"));
        g_ptr_array_add(milters, milter);
    }
    return milters;
}

char *postfix_milter_setting(const struct postfix_milter *milter, const char *name)
{
    if (milter->text[0] != '{')
        return NULL;
    g_auto(GStrv) parts = g_strsplit_set(milter->text, ",{}", -1);
    for (char **part = parts; *part != NULL; part++) {
        char *equals = strchr(*part, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        if (strcmp(g_strstrip(*part), name) == 0)
            return g_strdup(g_strstrip(equals + 1));
    }
    return NULL;
}

char *postfix_milter_set(const struct postfix_milter *milter, const char *name, const char *value)
{
    g_autofree char *there = postfix_milter_setting(milter, name);
    g_autofree char *assignment = g_strdup_printf("%s=%s", name, value);
    if (milter->text[0] != '{')
        return g_strdup_printf("{ %s, %s }", milter->text, assignment);
    if (there == NULL) {
        g_autofree char *open = g_strndup(milter->text, strlen(milter->text) - 1);
        return g_strdup_printf("%s, %s }", g_strchomp(open), assignment);
    }
    g_autofree char *pattern = g_strdup_printf("\\b%s\\s*=\\s*[^,\\s}]+", name);
    g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
    return g_regex_replace_literal(regex, milter->text, -1, 0, assignment, 0, NULL);
}

static bool is_address(const char *text, const struct endpoint *endpoint)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || g_ascii_strtoull(colon + 1, NULL, 10) != endpoint->port)
        return false;
    g_autofree char *host = g_strndup(text, (gsize)(colon - text));
    size_t length = strlen(host);
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = '\0';
    }
    return endpoint_has_host(endpoint, host);
}

/* A path counts from the queue directory, and in a chroot an absolute one as well. */
static bool is_path(const struct postfix_config *config, const char *path, const struct endpoint *endpoint)
{
    const char *queue = postfix_config_value(config, "queue_directory");
    g_autofree char *inside = g_build_filename(queue, path, NULL);
    g_autofree char *canonical = g_canonicalize_filename(inside, "/");
    g_autofree char *outside = g_canonicalize_filename(path, "/");
    g_autofree char *ours = g_canonicalize_filename(endpoint->path, "/");
    return strcmp(canonical, ours) == 0 || (path[0] == '/' && strcmp(outside, ours) == 0);
}

bool postfix_milter_is(const struct postfix_config *config, const struct postfix_milter *milter,
                       const struct endpoint *endpoint)
{
    const char *text = milter->endpoint;
    switch (endpoint->kind) {
    case ENDPOINT_UNIX:
        return g_str_has_prefix(text, "unix:") && is_path(config, text + strlen("unix:"), endpoint);
    case ENDPOINT_INET:
    case ENDPOINT_INET6:
        return g_str_has_prefix(text, "inet:") && is_address(text + strlen("inet:"), endpoint);
    case ENDPOINT_FD:
        return false;
    }
    return false;
}

/* Whether somebody listens there. */
static bool is_served(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return true; /* who knows */
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd == -1 ? 0 : connect(fd, (struct sockaddr *)&address, sizeof address);
    bool served = result == 0 || (errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR);
    if (fd != -1)
        close(fd);
    return served;
}

bool postfix_milter_is_left_over(const struct postfix_config *config, const struct postfix_milter *milter,
                                 const struct endpoint *endpoint)
{
    if (!g_str_has_prefix(milter->endpoint, "unix:") || postfix_milter_is(config, milter, endpoint))
        return false;
    const char *path = milter->endpoint + strlen("unix:");
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *inside = g_build_filename(postfix_config_value(config, "queue_directory"), path, NULL);
    return strcmp(name, "rcptguard.sock") == 0 && !is_served(inside) && (path[0] != '/' || !is_served(path));
}

int postfix_milters_find(const struct postfix_config *config, GPtrArray *milters, const struct endpoint *endpoint)
{
    for (guint i = 0; i < milters->len; i++) {
        if (postfix_milter_is(config, g_ptr_array_index(milters, i), endpoint))
            return (int)i;
    }
    return -1;
}

static char *name_of(const struct postfix_config *config, const struct endpoint *endpoint)
{
    const char *queue = postfix_config_value(config, "queue_directory");
    switch (endpoint->kind) {
    case ENDPOINT_UNIX:
        if (g_str_has_prefix(endpoint->path, queue) && endpoint->path[strlen(queue)] == '/')
            return g_strconcat("unix:", endpoint->path + strlen(queue) + 1, NULL);
        return g_strconcat("unix:", endpoint->path, NULL);
    case ENDPOINT_INET:
        return g_strdup_printf("inet:%s:%u", endpoint->host, endpoint->port);
    case ENDPOINT_INET6:
        return g_strdup_printf("inet:[%s]:%u", endpoint->host, endpoint->port);
    case ENDPOINT_FD:
        return NULL;
    }
    return NULL;
}

char *postfix_milter_entry(const struct postfix_config *config, const struct endpoint *endpoint)
{
    g_autofree char *name = name_of(config, endpoint);
    bool action = strcmp(postfix_config_value(config, "milter_default_action"), "tempfail") == 0;
    bool protocol = g_ascii_strtoull(postfix_config_value(config, "milter_protocol"), NULL, 10) >= 6;
    if (name == NULL || (action && protocol))
        return g_steal_pointer(&name);
    return g_strdup_printf("{ %s%s%s }", name, action ? "" : ", default_action=tempfail",
                           protocol ? "" : ", protocol=6");
}

static char *join(const struct postfix_config *config, const char *list, const struct endpoint *endpoint,
                  const char *entry, bool with)
{
    g_autoptr(GPtrArray) milters = postfix_milters(list);
    g_autoptr(GString) out = g_string_new(NULL);
    const char *ours = entry;
    for (guint i = 0; i < milters->len; i++) {
        const struct postfix_milter *milter = g_ptr_array_index(milters, i);
        if (with && postfix_milter_is_left_over(config, milter, endpoint))
            continue;
        if (!postfix_milter_is(config, milter, endpoint))
            g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", milter->text);
        else if (ours == NULL)
            ours = milter->text;
    }
    if (with && ours != NULL)
        g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", ours);
    return g_strdup(out->str);
}

char *postfix_milters_with(const struct postfix_config *config, const char *list, const struct endpoint *endpoint,
                           const char *entry)
{
    return join(config, list, endpoint, entry, true);
}

char *postfix_milters_without(const struct postfix_config *config, const char *list, const struct endpoint *endpoint)
{
    return join(config, list, endpoint, NULL, false);
}

char *postfix_milters_compact(const char *list)
{
    g_autoptr(GPtrArray) milters = postfix_milters(list);
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < milters->len; i++) {
        const struct postfix_milter *milter = g_ptr_array_index(milters, i);
        g_string_append(out, i > 0 ? "," : "");
        for (const char *p = milter->text; *p != '\0'; p++) {
            if (strchr(POSTCONF_BLANKS, *p) == NULL || *p == ',')
                g_string_append_c(out, *p);
        }
    }
    return g_strdup(out->str);
}
