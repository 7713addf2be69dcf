/* postfix_commands - see postfix_commands.h */

#include "milter/postfix/postfix_commands.h"

#include "policy/init/postconf.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* The longest queue id: see enable_long_queue_ids in postconf(5); they have 11 to 20 characters. */
#define ID_LIMIT 32

int postfix_run(const struct queue *queue, const char *const *words, const struct program *program, char **error)
{
    const char *option = strcmp(words[0], "sendmail") == 0 ? "-C" : "-c";
    g_autoptr(GPtrArray) arguments = program_words(words[0], option, queue->configuration, words + 1);
    struct program whole = program == NULL ? (struct program){.name = NULL} : *program;
    whole.arguments = (const char *const *)arguments->pdata;
    return program_run(&whole, error);
}

/* ---- its configuration */

/* All at once, since each call takes some milliseconds.  The last is missing in older versions. */
static const char *const parameters[] = {"-x",
                                         "-h",
                                         "maximal_queue_lifetime",
                                         "bounce_queue_lifetime",
                                         "always_bcc",
                                         "sender_bcc_maps",
                                         "recipient_bcc_maps",
                                         POSTFIX_MAIL_LOG,
                                         POSTFIX_INSTANCE,
                                         POSTFIX_SPOOL,
                                         NULL};
#define PARAMETER_OPTIONS 2

const char *postfix_parameter(struct queue *queue, const char *name, char **error)
{
    const char *known = g_hash_table_lookup(queue->facts, name);
    if (known != NULL)
        return known;
    g_autofree char *values = postconf_output(queue->configuration, parameters, false, error);
    if (values == NULL)
        return NULL;
    g_auto(GStrv) lines = g_strsplit(values, "\n", -1);
    guint count = g_strv_length(lines);
    for (guint i = 0; parameters[PARAMETER_OPTIONS + i] != NULL; i++)
        g_hash_table_insert(queue->facts, g_strdup(parameters[PARAMETER_OPTIONS + i]),
                            g_strdup(i < count ? lines[i] : ""));
    return g_hash_table_lookup(queue->facts, name);
}

int postfix_identify(struct queue *queue, char **error)
{
    const char *name = postfix_parameter(queue, POSTFIX_INSTANCE, error);
    const char *spool = name == NULL ? NULL : postfix_parameter(queue, POSTFIX_SPOOL, error);
    if (spool == NULL)
        return -1;
    g_free(queue->name);
    queue->name = name[0] != '\0' ? g_strdup(name) : g_path_get_basename(queue->configuration);
    g_free(queue->spool);
    queue->spool = g_strdup(spool);
    return 0;
}

/* Not by postmulti(1), which fails if one of them is broken. */
char **postfix_instances(char **error)
{
    static const char *const words[] = {"-x", "-h", "config_directory", "multi_instance_directories", NULL};
    g_autofree char *values = postconf_output(NULL, words, false, error);
    if (values == NULL)
        return NULL;
    g_auto(GStrv) words_of = g_strsplit_set(values, POSTCONF_BLANKS, -1);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    for (char **each = words_of; *each != NULL; each++) {
        if ((*each)[0] != '\0' && !g_ptr_array_find_with_equal_func(found, *each, g_str_equal, NULL))
            g_ptr_array_add(found, *each);
    }
    g_ptr_array_add(found, NULL);
    return g_strdupv((char **)found->pdata);
}

bool postfix_id_is_sound(const char *id)
{
    size_t length = strlen(id);
    if (length < 5 || length > ID_LIMIT)
        return false;
    return strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == length;
}

/* At least six characters of seconds, four of microseconds, `z`, the inode; a short id is hexadecimal. */
bool postfix_id_is_unique(const char *id)
{
    const char *separator = strrchr(id, 'z');
    return separator != NULL && separator - id >= 10;
}

/* ---- what is on hold */

/* postqueue -j: an object a line. */
struct listing {
    GPtrArray *entries;
    bool all; /* those too that are not on hold */
    GString *line;
    JsonParser *parser;
    bool failed;
};

/* What is not on hold is most of a busy queue: it is passed over before it is parsed. */
static bool is_elsewhere(const char *line)
{
    static const char start[] = "{\"queue_name\": \"";
    return g_str_has_prefix(line, start) && !g_str_has_prefix(line + sizeof start - 1, "hold\"");
}

static const char *member_string(JsonObject *object, const char *name)
{
    const char *value = json_object_get_string_member_with_default(object, name, NULL);
    return value == NULL ? "" : value;
}

/*
 * The recipients are the most of a line and not wanted but for their number: they
 * are cut off before it is parsed.  A quote within a JSON string has a backslash
 * before it, so no address can look like what is searched for.
 */
static unsigned cut_recipients(GString *line)
{
    static const char start[] = ", \"recipients\": [", each[] = "{\"address\": ";
    const char *found = strstr(line->str, start);
    unsigned count = 0;
    if (found == NULL)
        return 0;
    for (const char *one = strstr(found, each); one != NULL; one = strstr(one + sizeof each - 1, each))
        count++;
    g_string_truncate(line, (gsize)(found - line->str));
    g_string_append_c(line, '}');
    return count;
}

static void take_line(struct listing *listing)
{
    if (listing->line->len == 0 || (!listing->all && is_elsewhere(listing->line->str)))
        return;
    unsigned recipients = cut_recipients(listing->line);
    JsonNode *root = NULL;
    if (json_parser_load_from_data(listing->parser, listing->line->str, (gssize)listing->line->len, NULL))
        root = json_parser_get_root(listing->parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        listing->failed = true;
        return;
    }
    JsonObject *object = json_node_get_object(root);
    if (!listing->all && strcmp(member_string(object, "queue_name"), "hold") != 0)
        return;
    struct queue_entry *entry = g_new0(struct queue_entry, 1);
    entry->id = g_strdup(member_string(object, "queue_id"));
    entry->sender = g_strdup(member_string(object, "sender"));
    entry->arrival = json_object_get_int_member_with_default(object, "arrival_time", 0);
    entry->size = json_object_get_int_member_with_default(object, "message_size", 0);
    entry->recipients = recipients;
    g_ptr_array_add(listing->entries, entry);
}

static void take_lines(void *data, const char *piece, size_t length)
{
    struct listing *listing = data;
    while (length > 0) {
        const char *end = memchr(piece, '\n', length);
        size_t part = end == NULL ? length : (size_t)(end - piece);
        g_string_append_len(listing->line, piece, (gssize)part);
        if (end == NULL)
            return;
        take_line(listing);
        g_string_truncate(listing->line, 0);
        piece = end + 1;
        length -= part + 1;
    }
}

int postfix_list(struct queue *queue, bool all, GPtrArray *entries, char **error)
{
    static const char *const words[] = {"postqueue", "-j", NULL};
    struct listing listing = {
        .entries = entries, .all = all, .line = g_string_new(NULL), .parser = json_parser_new_immutable()};
    const struct program program = {.take = take_lines, .data = &listing};
    int result = postfix_run(queue, words, &program, error);
    if (result == 0 && (listing.failed || listing.line->len > 0)) {
        *error = g_strdup("postqueue -j printed a line that cannot be read");
        result = -1;
    }
    g_string_free(listing.line, TRUE);
    g_object_unref(listing.parser);
    return result;
}
