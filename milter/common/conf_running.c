/* conf_running - see conf_running.h */

#include "milter/common/conf_running.h"

#include "policy/base/keyed_hash.h"
#include "policy/base/source.h"

#include <stdlib.h>
#include <string.h>

#define SUFFIX ".running"

/* The whole file in bytes: some paths. */
#define RUNNING_LIMIT (256u * 1024)

#define PROCESS "process"
#define RELOADS "reloads"
#define FAILED  "failed"
#define MEMORY  "memory"
#define MISSED  "missed"

static char *path_of(const struct config *config)
{
    return g_strconcat(config->ledger, SUFFIX, NULL);
}

static char *name_of(const struct key *key)
{
    return g_strconcat(key->group, ".", key->name, NULL);
}

/* Whether its value is the file's, and the daemon's. */
static bool is_compared(const struct key *key, const struct config *config)
{
    return key->use != KEY_COMMAND && !(config->socket_given && key->kind == KEY_SOCKET);
}

/* A line a key, `NAME = VALUE`, or `NAME` if it has no value; no value holds a line's end. */
int running_write(const struct running *running, const struct config *config, char **error)
{
    g_autofree char *path = path_of(config);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GString) text = g_string_new("# What rcptguardd runs with; it writes this file, and never reads it.\n");
    g_string_append_printf(text, PROCESS " = %ld\n" RELOADS " = %" G_GUINT64_FORMAT "\n" FAILED " = %s\n",
                           (long)running->process, running->reloads, running->failed ? "yes" : "no");
    g_string_append_printf(text, MEMORY " = %" G_GUINT64_FORMAT "\n", running->memory);
    if (running->missed != NULL)
        g_string_append_printf(text, MISSED " = %s\n", running->missed);
    const struct key *key;
    for (unsigned i = 0; (key = key_at(i)) != NULL; i++) {
        g_autofree char *name = name_of(key);
        g_autofree char *value = is_compared(key, config) ? key_text(key, config) : NULL;
        if (is_compared(key, config))
            g_string_append_printf(text, "%s%s%s\n", name, value != NULL ? " = " : "", value != NULL ? value : "");
    }
    if (g_file_set_contents_full(path, text->str, (gssize)text->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &failure))
        return 0;
    *error = g_strdup(failure->message);
    return -1;
}

static void take_line(struct running *running, char *line)
{
    char *equals = strstr(line, " = ");
    const char *value = equals == NULL ? NULL : equals + strlen(" = ");
    if (line[0] == '#' || line[0] == '\0')
        return;
    if (equals != NULL)
        *equals = '\0';
    if (strcmp(line, PROCESS) == 0 && value != NULL) {
        running->process = (pid_t)strtol(value, NULL, 10);
    } else if (strcmp(line, RELOADS) == 0 && value != NULL) {
        running->reloads = g_ascii_strtoull(value, NULL, 10);
    } else if (strcmp(line, FAILED) == 0 && value != NULL) {
        running->failed = strcmp(value, "yes") == 0;
    } else if (strcmp(line, MEMORY) == 0 && value != NULL) {
        running->memory = g_ascii_strtoull(value, NULL, 10);
    } else if (strcmp(line, MISSED) == 0 && value != NULL) {
        g_free(running->missed);
        running->missed = g_strdup(value);
    } else {
        g_hash_table_add(running->known, g_strdup(line));
        if (value != NULL)
            g_hash_table_replace(running->values, g_strdup(line), g_strdup(value));
    }
}

struct running *running_read(const struct config *config)
{
    g_autofree char *path = path_of(config);
    auto_free(diags) ignored = diags_new();
    auto_free(source) source = source_read(path, "what rcptguardd runs with", RUNNING_LIMIT, ignored);
    if (source == NULL)
        return NULL;
    struct running *running = g_new0(struct running, 1);
    running->values = g_hash_table_new_full(hash_string, g_str_equal, g_free, g_free);
    running->known = g_hash_table_new_full(hash_string, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(source->text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        take_line(running, *line);
    return running;
}

void running_free(struct running *running)
{
    if (running == NULL)
        return;
    g_free(running->missed);
    g_hash_table_unref(running->values);
    g_hash_table_unref(running->known);
    g_free(running);
}

char *running_differences(const struct running *running, const struct config *config, enum key_use use)
{
    g_autoptr(GString) names = g_string_new(NULL);
    const struct key *key;
    for (unsigned i = 0; (key = key_at(i)) != NULL; i++) {
        g_autofree char *name = name_of(key);
        g_autofree char *value = key_text(key, config);
        if (key->use != use || !g_hash_table_contains(running->known, name) ||
            g_strcmp0(value, g_hash_table_lookup(running->values, name)) == 0)
            continue;
        g_string_append_printf(names, "%s[%s] %s", names->len > 0 ? ", " : "", key->group, key->name);
    }
    return names->len == 0 ? NULL : g_strdup(names->str);
}
