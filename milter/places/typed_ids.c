/* typed_ids - see typed_ids.h */

#include "milter/places/typed_ids.h"

#include "milter/review/held_summary.h"
#include "milter/review/message_filter.h"
#include "policy/cli/terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Candidates that are named. */
#define CANDIDATES_SHOWN 20u

static const char *id_of(const struct view_item *item)
{
    return item->row != NULL ? item->row->message.queue_id : item->entry->id;
}

/* "INSTANCE/ID" where the instance is known. */
static char *local_id(const struct places *places, const struct view_item *item)
{
    const char *instance = facts_known_instance(tool_at(places->home, item), item);
    return instance == NULL ? g_strdup(id_of(item)) : g_strdup_printf("%s/%s", instance, id_of(item));
}

static char *full_id(const struct places *places, const struct view_item *item)
{
    g_autofree char *id = local_id(places, item);
    return tool_full_id(tool_at(places->home, item), id);
}

/* How a place is written in an item. */
static struct tool *mark_of(const struct places *places, struct tool *tool)
{
    return tool == places->home ? NULL : tool;
}

/* Nobody knows it; an exit code. */
static int unknown(const struct places *places, const char *sentence, char **said)
{
    *said = places->unseen == NULL ? g_strdup(sentence)
                                   : g_strdup_printf("%s; other nodes cannot be asked: %s", sentence, places->unseen);
    return places->unseen == NULL ? EXITS_WRONG : EXITS_PASSING;
}

/* ---- a whole one */

/* What waits in one of the places that are meant: struct view_item *. */
static GPtrArray *find_waiting(const struct places *places, const struct tool *at, const char *id)
{
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; places->view != NULL && i < places->tools->len; i++) {
        struct tool *tool = g_ptr_array_index(places->tools, i);
        if (places_meant(at, tool))
            view_find(places->view, mark_of(places, tool), id, found);
    }
    return found;
}

/* The newest row of it in each of the places that are meant.  NULL after it was said what is wrong. */
static GPtrArray *find_past(struct places *places, const struct tool *at, const char *id, int *status)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    for (guint i = 0; i < places->tools->len; i++) {
        struct tool *tool = g_ptr_array_index(places->tools, i);
        int answer = EXITS_WRONG;
        struct ledger_row *row = places_meant(at, tool) ? tool_find(tool, id, &answer) : NULL;
        if (row == NULL && answer != EXITS_WRONG) {
            *status = answer;
            return NULL;
        }
        if (row == NULL)
            continue;
        struct view_item *item = g_new0(struct view_item, 1);
        *item = (struct view_item){.row = row, .at = mark_of(places, tool)};
        g_ptr_array_add(places->past, item);
        g_ptr_array_add(found, item);
    }
    return g_steal_pointer(&found);
}

static bool of_several_nodes(const GPtrArray *items)
{
    const struct view_item *first = g_ptr_array_index((GPtrArray *)items, 0);
    for (guint i = 1; i < items->len; i++) {
        if (((const struct view_item *)g_ptr_array_index((GPtrArray *)items, i))->at != first->at)
            return true;
    }
    return false;
}

static const struct view_item *only_item(const struct places *places, const GPtrArray *found, char **said, int *status)
{
    if (found->len == 1)
        return g_ptr_array_index((GPtrArray *)found, 0);
    bool nodes = of_several_nodes(found);
    g_autoptr(GString) words = g_string_new(nodes ? "is a message of several nodes, say which: "
                                                  : "is on hold in several instances: say which, ");
    for (guint i = 0; i < found->len; i++) {
        const struct view_item *item = g_ptr_array_index((GPtrArray *)found, i);
        g_autofree char *id = nodes ? local_id(places, item) : full_id(places, item);
        g_string_append_printf(words, "%s%s%s%s", i == 0 ? "" : ", ",
                               nodes ? tool_at(places->home, item)->peer->name : "", nodes ? ":" : "", id);
    }
    *said = g_strdup(words->str);
    *status = EXITS_WRONG;
    return NULL;
}

static char *hint(const struct places *places, const struct tool *at, const char *id);

const struct view_item *typed_id_find(struct places *places, const char *word, char **said, int *status)
{
    struct tool *at;
    const char *id;
    if (places_named(places, word, &at, &id) == -1) {
        *status = unknown(places, "the fleet has no such node", said);
        return NULL;
    }
    g_autoptr(GPtrArray) waiting = find_waiting(places, at, id);
    if (waiting->len > 0)
        return only_item(places, waiting, said, status);
    g_autoptr(GPtrArray) past = find_past(places, at, id, status);
    if (past == NULL)
        return NULL;
    if (past->len > 0)
        return only_item(places, past, said, status);
    g_autofree char *others = hint(places, at, id);
    g_autofree char *sentence = others == NULL
                                    ? g_strdup("is not known: neither on hold nor in the ledger")
                                    : g_strdup_printf("is not known; a decision takes whole queue ids: %s", others);
    *status = unknown(places, sentence, said);
    return NULL;
}

/* ---- the beginning of one */

/* Whether its id begins so, in that instance; NULL: in any. */
static bool begins(const struct places *places, const struct view_item *item, const char *id, const char *instance)
{
    const char *own = facts_instance(tool_at(places->home, item), item);
    return strlen(id) >= TYPED_ID_LEAST && g_str_has_prefix(id_of(item), id) &&
           (instance == NULL || g_strcmp0(own, instance) == 0);
}

/* Those of the view that begin so: struct view_item *. */
static GPtrArray *begin_waiting(const struct places *places, const struct tool *at, const char *typed)
{
    GPtrArray *found = g_ptr_array_new();
    g_autofree char *instance = NULL;
    const char *id = view_bare_id(typed, &instance);
    for (guint i = 0; places->view != NULL && i < places->view->items->len; i++) {
        struct view_item *item = g_ptr_array_index(places->view->items, i);
        if (places_meant(at, tool_at(places->home, item)) && begins(places, item, id, instance))
            g_ptr_array_add(found, item);
    }
    return found;
}

static bool has_id(const struct places *places, const GPtrArray *items, const struct view_item *wanted)
{
    g_autofree char *id = local_id(places, wanted);
    for (guint i = 0; i < items->len; i++) {
        const struct view_item *item = g_ptr_array_index((GPtrArray *)items, i);
        g_autofree char *other = item->at == wanted->at ? local_id(places, item) : NULL;
        if (g_strcmp0(id, other) == 0)
            return true;
    }
    return false;
}

/* The same of all rows of a place; an id that was used again once. */
static int begin_past(struct places *places, struct tool *tool, const char *typed, GPtrArray *found)
{
    struct database_error error;
    g_autofree char *instance = NULL;
    const char *id = view_bare_id(typed, &instance);
    const struct ledger_filter all = {0};
    g_autoptr(GPtrArray) rows = ledger_list(tool->ledger, &all, &error);
    for (guint i = 0; rows != NULL && i < rows->len; i++) {
        struct ledger_row *row = g_ptr_array_index(rows, i);
        const struct view_item item = {.row = row, .at = mark_of(places, tool)};
        if (!begins(places, &item, id, instance) || has_id(places, found, &item))
            continue;
        g_ptr_array_index(rows, i) = NULL;
        struct view_item *kept = g_memdup2(&item, sizeof item);
        g_ptr_array_add(places->past, kept);
        g_ptr_array_add(found, kept);
    }
    return rows == NULL ? tool_ledger_error(&error) : EXITS_DONE;
}

static void say_candidates(const struct places *places, const GPtrArray *found)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < found->len && i < CANDIDATES_SHOWN; i++) {
        const struct view_item *item = g_ptr_array_index((GPtrArray *)found, i);
        g_autofree char *age = selection_age(tool_now() - view_arrival(item));
        g_autofree char *full = full_id(places, item);
        g_string_append(out, "  ");
        terminal_append_blanks(out, terminal_append_plain(out, full), 22);
        g_string_append_printf(out, "%6s  %-10s  ", age, facts_state(item));
        terminal_append_within(out, facts_sender(item), 40);
        g_string_append_c(out, '\n');
    }
    if (found->len > CANDIDATES_SHOWN)
        g_string_append_printf(out, "  ... and %u more\n", found->len - CANDIDATES_SHOWN);
    fputs(out->str, stderr);
}

/* The only one, or NULL after it was said which there are. */
static char *only_one(const struct places *places, const GPtrArray *found, const char *word, int *status)
{
    if (found->len == 1)
        return full_id(places, g_ptr_array_index((GPtrArray *)found, 0));
    *status = tool_error(EXITS_WRONG, "%s: %u queue ids begin with it", word, found->len);
    say_candidates(places, found);
    return NULL;
}

static char *complete(struct places *places, const struct tool *at, const char *id, const char *word, int *status)
{
    g_autoptr(GPtrArray) waiting = begin_waiting(places, at, id);
    if (waiting->len > 0)
        return only_one(places, waiting, word, status);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    for (guint i = 0; i < places->tools->len; i++) {
        struct tool *tool = g_ptr_array_index(places->tools, i);
        *status = places_meant(at, tool) ? begin_past(places, tool, id, found) : EXITS_DONE;
        if (*status != EXITS_DONE)
            return NULL;
    }
    if (found->len > 0)
        return only_one(places, found, word, status);
    g_autofree char *said = NULL;
    int code = unknown(
        places, places->view == NULL ? "is not known to the ledger" : "is not known: neither on hold nor in the ledger",
        &said);
    *status = tool_error(code, "%s: %s", word, said);
    return NULL;
}

char *typed_id_complete(struct places *places, const char *word, int *status)
{
    struct tool *at;
    const char *id;
    g_autofree char *said = NULL;
    if (places_named(places, word, &at, &id) == -1) {
        int code = unknown(places, "the fleet has no such node", &said);
        *status = tool_error(code, "%s: %s", word, said);
        return NULL;
    }
    g_autoptr(GPtrArray) waiting = find_waiting(places, at, id);
    g_autoptr(GPtrArray) past = waiting->len > 0 ? g_ptr_array_ref(waiting) : find_past(places, at, id, status);
    if (past == NULL)
        return NULL;
    return past->len > 0 ? g_strdup(word) : complete(places, at, id, word, status);
}

/* Those that begin so, one after the other with commas; NULL if there are none. */
static char *hint(const struct places *places, const struct tool *at, const char *id)
{
    g_autoptr(GPtrArray) found = begin_waiting(places, at, id);
    GString *ids = g_string_new(NULL);
    for (guint i = 0; i < found->len && i < CANDIDATES_SHOWN; i++) {
        g_autofree char *full = full_id(places, g_ptr_array_index(found, i));
        g_string_append_printf(ids, "%s%s", i > 0 ? ", " : "", full);
    }
    return g_string_free(ids, found->len == 0);
}

/* ---- many of them */

GPtrArray *typed_ids_read(FILE *stream, char **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stream) != -1) {
        char *word = line;
        word[strcspn(word, " \t\r\n")] = '\0';
        if (word[0] == '\0' || strcmp(word, "ID") == 0)
            continue;
        g_ptr_array_add(ids, queue_id_bare(word));
        if (ids->len > TYPED_IDS_LIMIT)
            break;
    }
    free(line);
    if (ferror(stream))
        *error = g_strdup_printf("standard input cannot be read: %s", g_strerror(errno));
    else if (ids->len > TYPED_IDS_LIMIT)
        *error = g_strdup_printf("standard input has more than %u queue ids", TYPED_IDS_LIMIT);
    return *error != NULL ? NULL : g_steal_pointer(&ids);
}
