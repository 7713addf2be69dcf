/* typed_ids - see typed_ids.h */

#include "milter/review/typed_ids.h"

#include "milter/review/held_summary.h"
#include "milter/review/message_filter.h"
#include "policy/cli/terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Candidates that are named. */
#define CANDIDATES_SHOWN 20u

/* ---- the beginning of one */

static const char *id_of(const struct view_item *item)
{
    return item->row != NULL ? item->row->message.queue_id : item->entry->id;
}

/* Those of the view that begin so: struct view_item *. */
static GPtrArray *find_waiting(const struct view *view, const char *id)
{
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; view != NULL && strlen(id) >= TYPED_ID_LEAST && i < view->items->len; i++) {
        struct view_item *item = g_ptr_array_index(view->items, i);
        if (g_str_has_prefix(id_of(item), id))
            g_ptr_array_add(found, item);
    }
    return found;
}

/* The same of all rows, which `rows` keeps; an id that was used again once. */
static GPtrArray *find_rows(const GPtrArray *rows, const char *id)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < rows->len; i++) {
        const struct view_item item = {.row = g_ptr_array_index((GPtrArray *)rows, i)};
        bool known = false;
        for (guint j = 0; j < found->len; j++)
            known = known || strcmp(id_of(g_ptr_array_index(found, j)), id_of(&item)) == 0;
        if (!known && g_str_has_prefix(id_of(&item), id))
            g_ptr_array_add(found, g_memdup2(&item, sizeof item));
    }
    return found;
}

static void say_candidates(const GPtrArray *found)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < found->len && i < CANDIDATES_SHOWN; i++) {
        const struct view_item *item = g_ptr_array_index((GPtrArray *)found, i);
        g_autofree char *age = selection_age(tool_now() - view_arrival(item));
        g_string_append(out, "  ");
        unsigned columns = terminal_append_within(out, id_of(item), 20);
        terminal_append_blanks(out, columns, 22);
        g_string_append_printf(out, "%6s  %-10s  ", age, facts_state(item));
        terminal_append_within(out, facts_sender(item), 40);
        g_string_append_c(out, '\n');
    }
    if (found->len > CANDIDATES_SHOWN)
        g_string_append_printf(out, "  ... and %u more\n", found->len - CANDIDATES_SHOWN);
    fputs(out->str, stderr);
}

/* The only one, or NULL after it was said which there are. */
static char *only_one(const GPtrArray *found, const char *id, int *status)
{
    if (found->len == 1)
        return g_strdup(id_of(g_ptr_array_index((GPtrArray *)found, 0)));
    *status = tool_error(EXITS_WRONG, "%s: %u queue ids begin with it", id, found->len);
    say_candidates(found);
    return NULL;
}

static char *complete(struct tool *tool, const struct view *view, const char *id, int *status)
{
    struct database_error error;
    const struct ledger_filter all = {0};
    g_autoptr(GPtrArray) waiting = find_waiting(view, id);
    if (waiting->len > 0)
        return only_one(waiting, id, status);
    g_autoptr(GPtrArray) rows =
        strlen(id) < TYPED_ID_LEAST ? g_ptr_array_new() : ledger_list(tool->ledger, &all, &error);
    if (rows == NULL) {
        *status = tool_ledger_error(&error);
        return NULL;
    }
    g_autoptr(GPtrArray) found = find_rows(rows, id);
    if (found->len > 0)
        return only_one(found, id, status);
    *status = tool_error(
        EXITS_WRONG,
        view == NULL ? "%s: is not known to the ledger" : "%s: is not known: neither on hold nor in the ledger", id);
    return NULL;
}

char *typed_id_complete(struct tool *tool, const struct view *view, const char *id, int *status)
{
    int found = EXITS_DONE;
    g_autofree char *several = view == NULL ? NULL : view_find_several(view, id);
    if (several != NULL) {
        *status = tool_error(EXITS_WRONG, "%s: " TYPED_ID_SEVERAL, id, several);
        return NULL;
    }
    if (view != NULL && view_find(view, id) != NULL)
        return g_strdup(id);
    auto_free(ledger_row) row = tool_find(tool, id, &found);
    if (row != NULL)
        return g_strdup(id);
    if (found == EXITS_WRONG)
        return complete(tool, view, id, status);
    *status = found;
    return NULL;
}

char *typed_id_hint(const struct view *view, const char *id)
{
    g_autoptr(GPtrArray) found = find_waiting(view, id);
    GString *ids = g_string_new(NULL);
    for (guint i = 0; i < found->len && i < CANDIDATES_SHOWN; i++)
        g_string_append_printf(ids, "%s%s", i > 0 ? ", " : "", id_of(g_ptr_array_index(found, i)));
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
