/* conf_load - see conf_load.h */

#include "milter/common/conf_load.h"

#include "milter/common/conf_keys.h"
#include "milter/common/conninfo.h"
#include "policy/base/source.h"
#include "policy/base/suggest.h"

#include <string.h>

/* What GLib's key file does not keep: where things are. */
struct scan {
    struct config *config;
    const struct source *source;
    struct diags *diags;
    GHashTable *groups; /* name: offset of its header, as a pointer */
    GHashTable *values; /* "group\nkey": offset of the value, as a pointer */
    char *group;        /* the group that the line belongs to, or NULL before the first and in an unknown one */
    bool group_seen;
};

/* ---- the pre-scan */

/* The names of all groups, or of all keys of a group; ends with NULL. */
static GPtrArray *names_of(const char *group)
{
    GPtrArray *names = g_ptr_array_new();
    const char *last = NULL;
    for (unsigned i = 0; key_at(i) != NULL; i++) {
        const struct key *key = key_at(i);
        if (group != NULL && strcmp(key->group, group) == 0)
            g_ptr_array_add(names, (gpointer)key->name);
        else if (group == NULL && g_strcmp0(key->group, last) != 0)
            g_ptr_array_add(names, (gpointer)key->group);
        last = key->group;
    }
    g_ptr_array_add(names, NULL);
    return names;
}

/* What may have been meant: the nearest of the names, or all of them. */
static char *hint(const char *name, const GPtrArray *names)
{
    const char *near = diag_nearest(name, (const char *const *)names->pdata);
    g_autofree char *known = g_strjoinv(", ", (char **)names->pdata);
    return near != NULL ? g_strdup_printf("did you mean `%s`?", near) : g_strdup_printf("expected one of %s", known);
}

/* Another group that has a key of that name, or NULL. */
static const char *group_with(const char *name)
{
    for (unsigned i = 0; key_at(i) != NULL; i++) {
        if (strcmp(key_at(i)->name, name) == 0)
            return key_at(i)->group;
    }
    return NULL;
}

static void unknown_key(struct scan *scan, size_t offset, const char *name)
{
    g_autoptr(GPtrArray) names = names_of(scan->group);
    g_autofree char *meant = hint(name, names);
    const char *other = diag_nearest(name, (const char *const *)names->pdata) == NULL ? group_with(name) : NULL;
    if (other != NULL)
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "the key `%s` belongs to the group [%s]", name,
                    other);
    else
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "there is no key `%s` in [%s]; %s", name,
                    scan->group, meant);
}

/* `[group]`, from the bracket to the end of the line without its blanks. */
static void scan_group(struct scan *scan, size_t offset, const char *line, size_t length)
{
    g_clear_pointer(&scan->group, g_free);
    scan->group_seen = true;
    const char *end = memchr(line, ']', length);
    if (end == NULL || end + 1 != line + length) {
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR,
                    "expected a group's name in brackets and nothing after it");
        return;
    }
    g_autofree char *name = g_strndup(line + 1, (size_t)(end - line) - 1);
    g_autoptr(GPtrArray) names = names_of(NULL);
    if (!g_strv_contains((const char *const *)names->pdata, name)) {
        g_autofree char *meant = hint(name, names);
        source_diag(scan->source, offset + 1, scan->diags, DIAG_ERROR, "there is no group `%s`; %s", name, meant);
        return;
    }
    gpointer first;
    if (g_hash_table_lookup_extended(scan->groups, name, NULL, &first)) {
        source_diag(scan->source, offset + 1, scan->diags, DIAG_ERROR, "the group [%s] is in line %u already", name,
                    source_line(scan->source, GPOINTER_TO_SIZE(first)));
    } else {
        g_hash_table_insert(scan->groups, g_strdup(name), GSIZE_TO_POINTER(offset));
    }
    scan->group = g_steal_pointer(&name);
}

/* GLib would take a comment after a value as part of the value. */
static bool scan_comment(struct scan *scan, size_t offset, const char *value, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if ((value[i] == '#' || value[i] == ';') && (value[i - 1] == ' ' || value[i - 1] == '\t')) {
            source_diag(scan->source, offset + i, scan->diags, DIAG_ERROR,
                        "write a comment on a separate line; here it would be part of the value");
            return true;
        }
    }
    return false;
}

/* GLib takes the line apart and undoes its escapes; the key's reader evaluates what comes out. */
static char *value_of(const struct key *key, const char *line, size_t length, char **error)
{
    /* Before GLib, which complains aloud of the second wrong one. */
    for (size_t i = 0; i < length; i++) {
        if (line[i] != '\\')
            continue;
        if (++i == length || strchr("sntr\\", line[i]) == NULL) {
            *error = g_strdup("the escapes of a value are \\s, \\n, \\t, \\r and \\\\");
            return NULL;
        }
    }
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "[%s]\n%.*s\n", key->group, (int)length, line);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) failure = NULL;
    char *value = NULL;
    if (g_key_file_load_from_data(file, text->str, text->len, G_KEY_FILE_NONE, &failure))
        value = g_key_file_get_string(file, key->group, key->name, &failure);
    if (failure != NULL && *error == NULL)
        *error = g_strdup("the escapes of a value are \\s, \\n, \\t, \\r and \\\\");
    return value;
}

static void scan_value(struct scan *scan, const struct key *key, size_t place, const char *line, size_t length)
{
    g_autofree char *error = NULL;
    g_autofree char *value = value_of(key, line, length, &error);
    for (const char *byte = value; error == NULL && byte != NULL && *byte != '\0'; byte++) {
        if (g_ascii_iscntrl(*byte))
            error = g_strdup("a value holds no control characters");
    }
    if (error == NULL && g_strchomp(value)[0] == '\0')
        error = g_strdup("has no value; leave the line out for its default");
    if (error == NULL)
        error = key->read(key, scan->config, value);
    if (error != NULL)
        source_diag(scan->source, place, scan->diags, DIAG_ERROR, "%s: %s", key->name, error);
}

static void scan_key(struct scan *scan, size_t offset, const char *line, size_t length)
{
    const char *equals = memchr(line, '=', length);
    if (equals == NULL || equals == line) {
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR,
                    "expected `[group]`, `key = value`, or a comment that begins with `#`");
        return;
    }
    if (!scan->group_seen) {
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR,
                    "this key belongs to no group; expected a group such as `[milter]` before it");
        return;
    }
    if (scan->group == NULL) /* an unknown group was reported once */
        return;

    size_t name_length = (size_t)(equals - line);
    while (name_length > 0 && g_ascii_isspace(line[name_length - 1]))
        name_length--;
    g_autofree char *name = g_strndup(line, name_length);
    const struct key *key = key_find(scan->group, name);
    if (key == NULL) {
        unknown_key(scan, offset, name);
        return;
    }

    size_t start = (size_t)(equals - line) + 1;
    while (start < length && g_ascii_isspace(line[start]))
        start++;
    g_autofree char *id = g_strconcat(scan->group, "\n", name, NULL);
    gpointer first;
    if (g_hash_table_lookup_extended(scan->values, id, NULL, &first)) {
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "the key `%s` is in line %u already", name,
                    source_line(scan->source, GPOINTER_TO_SIZE(first)));
        return;
    }
    size_t place = start < length ? offset + start : offset + (size_t)(equals - line);
    g_hash_table_insert(scan->values, g_steal_pointer(&id), GSIZE_TO_POINTER(place));
    if (start == length || line[start] == '#' || line[start] == ';') {
        source_diag(scan->source, place, scan->diags, DIAG_ERROR,
                    "the key `%s` has no value; leave the line out for its default", name);
    } else if (!scan_comment(scan, offset + start, line + start, length - start)) {
        scan_value(scan, key, place, line, length);
    }
}

static void scan_line(struct scan *scan, size_t offset, const char *line, size_t length)
{
    while (length > 0 && g_ascii_isspace(line[length - 1]))
        length--;
    while (length > 0 && g_ascii_isspace(line[0])) {
        line++;
        offset++;
        length--;
    }
    if (length == 0 || line[0] == '#')
        return;
    unsigned before = diags_count(scan->diags);
    if (line[0] == '[')
        scan_group(scan, offset, line, length);
    else
        scan_key(scan, offset, line, length);
    if (conninfo_may_be_secret(line, length))
        diags_hide_lines(scan->diags, before);
}

static void scan_source(struct scan *scan)
{
    const char *text = scan->source->text;
    size_t length = scan->source->length;
    for (size_t offset = 0; offset < length;) {
        const char *end = memchr(text + offset, '\n', length - offset);
        size_t next = end == NULL ? length : (size_t)(end - text) + 1;
        scan_line(scan, offset, text + offset, next - offset);
        offset = next;
    }
}

/* ---- what keys mean together */

/* The offset of a value, or 0: no value is there. */
static size_t place_of_value(const struct scan *scan, const char *group, const char *name)
{
    g_autofree char *id = g_strconcat(group, "\n", name, NULL);
    return GPOINTER_TO_SIZE(g_hash_table_lookup(scan->values, id));
}

static void check_state(const struct scan *scan)
{
    const struct config *config = scan->config;
    size_t away = place_of_value(scan, "state", "on-away"), database = place_of_value(scan, "state", "database");
    if (config->state_database != NULL && config_state_database(config) == NULL)
        source_diag(scan->source, database, scan->diags, DIAG_ERROR,
                    "database: `%s` is the database that [fleet] names, and [fleet] has no `database`",
                    CONFIG_STATE_FLEET);
    if (away != 0 && database == 0)
        source_diag(scan->source, away, scan->diags, DIAG_ERROR,
                    "on-away: [state] has no `database` that could be away");
}

/* ---- the whole */

static struct config *config_read(const char *path, const struct source *source, struct diags *diags)
{
    auto_free(config) config = config_new(path);
    g_autoptr(GHashTable) groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct scan scan = {.config = config, .source = source, .diags = diags, .groups = groups, .values = values};
    unsigned before = diags_errors(diags);

    scan_source(&scan);
    check_state(&scan);
    g_free(scan.group);
    return diags_errors(diags) == before ? g_steal_pointer(&config) : NULL;
}

struct config *config_parse(const char *path, const char *text, size_t length, struct diags *diags)
{
    auto_free(source) source = source_from_memory(path, text, length, diags);
    return source == NULL ? NULL : config_read(path, source, diags);
}

struct config *config_load(const char *path, struct diags *diags)
{
    auto_free(source) source = source_read(path, "a configuration", CONFIG_SIZE_LIMIT, diags);
    return source == NULL ? NULL : config_read(path, source, diags);
}
