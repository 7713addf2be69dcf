/* config - see config.h */

#include "config.h"

#include <string.h>
#include <syslog.h>

/* What GLib's key file does not keep: where things stand. */
struct scan {
    struct config *config;
    const struct source *source;
    struct diags *diags;
    GHashTable *groups; /* name: offset of its header, as a pointer */
    GHashTable *values; /* "group\nkey": offset of the value, as a pointer */
    char *group;        /* the group that the line belongs to, or NULL before the first and in an unknown one */
    bool group_seen;
};

/* One key's reader: stores the value, or returns what is wrong with it, for g_free. */
typedef char *(*reader)(struct config *config, const char *value);

struct key {
    const char *group;
    const char *name;
    reader read;
};

struct word {
    const char *name;
    int value;
};

/* ---- values */

/* Looks a word up; if it is none of them, says which there are. */
static char *read_word(const char *value, const struct word *words, int *result)
{
    for (const struct word *word = words; word->name != NULL; word++) {
        if (strcmp(word->name, value) == 0) {
            *result = word->value;
            return NULL;
        }
    }
    g_autoptr(GString) known = g_string_new(NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const struct word *word = words; word->name != NULL; word++) {
        const char *joint = word == words ? "" : word[1].name == NULL ? " or " : ", ";
        g_string_append_printf(known, "%s%s", joint, word->name);
        g_ptr_array_add(names, (gpointer)word->name);
    }
    g_ptr_array_add(names, NULL);
    const char *near = diag_nearest(value, (const char *const *)names->pdata);
    if (near != NULL)
        return g_strdup_printf("expected %s, not `%s`; did you mean `%s`?", known->str, value, near);
    return g_strdup_printf("expected %s, not `%s`", known->str, value);
}

/* Seconds: a number, alone or with s, m, h or d behind it. */
static char *read_duration(const char *value, unsigned least, unsigned *result)
{
    static const struct {
        char unit;
        unsigned seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const unsigned most = 7 * 86400;

    size_t digits = strspn(value, "0123456789");
    unsigned factor = value[digits] == '\0' ? 1 : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (value[digits] == units[i].unit && value[digits + 1] == '\0')
            factor = units[i].seconds;
    }
    if (digits == 0 || digits > 7 || factor == 0)
        return g_strdup_printf("expected a time such as 90s, 15m or 1h, not `%s`", value);
    guint64 seconds = g_ascii_strtoull(value, NULL, 10) * factor;
    if (seconds < least || seconds > most)
        return g_strdup_printf("expected a time from %us to 7d, not `%s`", least, value);
    *result = (unsigned)seconds;
    return NULL;
}

static char *read_socket(struct config *config, const char *value)
{
    char *error;
    struct endpoint *endpoint = endpoint_parse(value, &error);
    if (endpoint == NULL)
        return error;
    endpoint_free(config->socket);
    config->socket = endpoint;
    return NULL;
}

static char *read_user(struct config *config, const char *value)
{
    if (strpbrk(value, " \t:/") != NULL)
        return g_strdup_printf("expected the name of a user, not `%s`", value);
    g_free(config->user);
    config->user = g_strdup(value);
    config->user_given = true;
    return NULL;
}

static char *read_policy(struct config *config, const char *value)
{
    g_autofree char *directory = g_path_get_dirname(config->path);
    g_free(config->policy);
    config->policy = g_path_is_absolute(value) ? g_strdup(value) : g_build_filename(directory, value, NULL);
    return NULL;
}

static char *read_on_error(struct config *config, const char *value)
{
    static const struct word words[] = {{"tempfail", DISPOSITION_TEMPFAIL}, {"accept", DISPOSITION_ACCEPT}, {NULL, 0}};
    int found = (int)config->on_error;
    char *error = read_word(value, words, &found);
    config->on_error = (enum disposition)found;
    return error;
}

static char *read_on_fault(struct config *config, const char *value)
{
    static const struct word words[] = {{"quarantine", DISPOSITION_QUARANTINE},
                                        {"tempfail", DISPOSITION_TEMPFAIL},
                                        {"reject", DISPOSITION_REJECT},
                                        {NULL, 0}};
    int found = (int)config->on_fault;
    char *error = read_word(value, words, &found);
    config->on_fault = (enum disposition)found;
    return error;
}

static char *read_timeout(struct config *config, const char *value)
{
    return read_duration(value, 1, &config->timeout);
}

static char *read_facility(struct config *config, const char *value)
{
    static const struct word words[] = {{"mail", LOG_MAIL},
                                        {"daemon", LOG_DAEMON},
                                        {"auth", LOG_AUTH},
                                        {"user", LOG_USER},
                                        {"local0", LOG_LOCAL0},
                                        {"local1", LOG_LOCAL1},
                                        {"local2", LOG_LOCAL2},
                                        {"local3", LOG_LOCAL3},
                                        {"local4", LOG_LOCAL4},
                                        {"local5", LOG_LOCAL5},
                                        {"local6", LOG_LOCAL6},
                                        {"local7", LOG_LOCAL7},
                                        {NULL, 0}};
    return read_word(value, words, &config->facility);
}

static char *read_accepted(struct config *config, const char *value)
{
    static const struct word words[] = {{"yes", true}, {"no", false}, {NULL, 0}};
    int found = config->accepted;
    char *error = read_word(value, words, &found);
    config->accepted = found != 0;
    return error;
}

static char *read_summary(struct config *config, const char *value)
{
    return read_duration(value, 1, &config->summary);
}

/* Each key there is; the keys of a group stand together. */
static const struct key keys[] = {
    {"milter", "socket", read_socket},     {"milter", "user", read_user},         {"milter", "policy", read_policy},
    {"milter", "on-error", read_on_error}, {"milter", "on-fault", read_on_fault}, {"milter", "timeout", read_timeout},
    {"log", "facility", read_facility},    {"log", "accepted", read_accepted},    {"log", "summary", read_summary},
};

static bool group_known(const char *group)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].group, group) == 0)
            return true;
    }
    return false;
}

static const struct key *key_find(const char *group, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].group, group) == 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

/* ---- the pre-scan */

static void unknown_group(struct scan *scan, size_t offset, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (i == 0 || strcmp(keys[i].group, keys[i - 1].group) != 0)
            g_ptr_array_add(names, (gpointer)keys[i].group);
    }
    g_ptr_array_add(names, NULL);
    const char *near = diag_nearest(name, (const char *const *)names->pdata);
    if (near != NULL)
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "there is no group `%s`; did you mean `%s`?", name,
                    near);
    else
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "there is no group `%s`; expected milter or log",
                    name);
}

static void unknown_key(struct scan *scan, size_t offset, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].group, scan->group) == 0)
            g_ptr_array_add(names, (gpointer)keys[i].name);
    }
    g_ptr_array_add(names, NULL);
    const char *near = diag_nearest(name, (const char *const *)names->pdata);
    for (size_t i = 0; near == NULL && i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].name, name) == 0) {
            source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "the key `%s` belongs to the group [%s]", name,
                        keys[i].group);
            return;
        }
    }
    if (near != NULL) {
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "there is no key `%s` in [%s]; did you mean `%s`?",
                    name, scan->group, near);
        return;
    }
    g_ptr_array_remove_index(names, names->len - 1);
    g_ptr_array_add(names, NULL);
    g_autofree char *known = g_strjoinv(", ", (char **)names->pdata);
    source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "there is no key `%s` in [%s]; expected one of %s", name,
                scan->group, known);
}

/* `[group]`, from the bracket to the end of the line without its blanks. */
static void scan_group(struct scan *scan, size_t offset, const char *line, size_t length)
{
    g_clear_pointer(&scan->group, g_free);
    scan->group_seen = true;
    const char *end = memchr(line, ']', length);
    if (end == NULL || end + 1 != line + length) {
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR,
                    "expected a group's name in brackets and nothing behind it");
        return;
    }
    g_autofree char *name = g_strndup(line + 1, (size_t)(end - line) - 1);
    if (!group_known(name)) {
        unknown_group(scan, offset + 1, name);
        return;
    }
    gpointer first;
    if (g_hash_table_lookup_extended(scan->groups, name, NULL, &first)) {
        source_diag(scan->source, offset + 1, scan->diags, DIAG_ERROR, "the group [%s] stands in line %u already", name,
                    source_line(scan->source, GPOINTER_TO_SIZE(first)));
    } else {
        g_hash_table_insert(scan->groups, g_strdup(name), GSIZE_TO_POINTER(offset));
    }
    scan->group = g_steal_pointer(&name);
}

/* GLib would take a comment behind a value as part of the value. */
static bool scan_comment(struct scan *scan, size_t offset, const char *value, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if ((value[i] == '#' || value[i] == ';') && (value[i - 1] == ' ' || value[i - 1] == '\t')) {
            source_diag(scan->source, offset + i, scan->diags, DIAG_ERROR,
                        "a comment stands on a line of its own; here it would be part of the value");
            return true;
        }
    }
    return false;
}

/* GLib takes the line apart and undoes its escapes; the key's reader judges what comes out. */
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
        error = key->read(scan->config, value);
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
                    "this key belongs to no group; expected `[milter]` or `[log]` before it");
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
        source_diag(scan->source, offset, scan->diags, DIAG_ERROR, "the key `%s` stands in line %u already", name,
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
    if (line[0] == '[')
        scan_group(scan, offset, line, length);
    else
        scan_key(scan, offset, line, length);
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

/* ---- the whole */

static struct config *config_new(const char *path)
{
    struct config *config = g_new0(struct config, 1);
    char *error;
    config->path = g_canonicalize_filename(path, NULL); /* the daemon leaves the directory it was started in */
    config->socket = endpoint_parse(CONFIG_DEFAULT_SOCKET, &error);
    config->user = g_strdup(CONFIG_DEFAULT_USER);
    config->policy = g_strdup(CONFIG_DEFAULT_POLICY);
    config->on_error = DISPOSITION_TEMPFAIL;
    config->on_fault = DISPOSITION_QUARANTINE;
    config->timeout = CONFIG_DEFAULT_TIMEOUT;
    config->facility = LOG_MAIL;
    config->accepted = true;
    config->summary = CONFIG_DEFAULT_SUMMARY;
    return config;
}

static struct config *config_read(const char *path, const struct source *source, struct diags *diags)
{
    auto_free(config) config = config_new(path);
    g_autoptr(GHashTable) groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct scan scan = {.config = config, .source = source, .diags = diags, .groups = groups, .values = values};
    unsigned before = diags_errors(diags);

    scan_source(&scan);
    g_free(scan.group);
    return diags_errors(diags) == before ? g_steal_pointer(&config) : NULL;
}

struct config *config_parse(const char *path, const char *text, size_t length, struct diags *diags)
{
    auto_free(source) source = source_from_memory(path, text, length, diags);
    return source == NULL ? NULL : config_read(path, source, diags);
}

static struct timespec modified(const char *path)
{
    struct stat status;
    struct timespec never = {0, 0};
    return stat(path, &status) == 0 ? status.st_mtim : never;
}

struct config *config_load(const char *path, struct diags *diags)
{
    struct timespec before = modified(path);
    auto_free(source) source = source_read(path, "a configuration", CONFIG_SIZE_LIMIT, diags);
    if (source == NULL)
        return NULL;
    struct config *config = config_read(path, source, diags);
    if (config != NULL)
        config->modified = before;
    return config;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    g_free(config->path);
    endpoint_free(config->socket);
    g_free(config->user);
    g_free(config->policy);
    g_free(config);
}

bool config_is_stale(const struct config *config)
{
    struct timespec now = modified(config->path);
    return now.tv_sec != config->modified.tv_sec || now.tv_nsec != config->modified.tv_nsec;
}
