/* adoption - see adoption.h */

#include "milter/queue/adoption.h"

#include "policy/message/message_id.h"

#include <string.h>

/* Whether a row can be that of a message, by all that needs no look at the message itself. */
static bool fits(const struct reconciling *reconciling, GHashTable *taken, const struct ledger_row *row,
                 const struct queue_entry *entry)
{
    const struct ledger_message *message = &row->message;
    if (message->mta != queue_mta(reconciling->queue) || message->message_id == NULL || message->message_id[0] == '\0')
        return false;
    if (g_hash_table_contains(taken, &row->id) || queue_is_elsewhere(reconciling->queue, message->instance, entry))
        return false;
    if ((LEDGER_BIT(row->state) & LEDGER_CLAIMED) != 0 || (row->size != 0 && row->size != entry->size))
        return false;
    /* What was queued anew has one field more: without its size it looks like what was there before. */
    if (row->requeued != NULL && row->size == 0 && strcmp(message->queue_id, entry->id) != 0)
        return false;
    bool fresh = reconciling->now - row->changed < ADOPTION_WAIT;
    return !fresh || row->state == LEDGER_HELD || row->state == LEDGER_LEFT;
}

/* The rows that can be that of a message: struct ledger_row *. */
static GPtrArray *find_candidates(const struct reconciling *reconciling, GHashTable *taken,
                                  const struct queue_entry *entry, struct database_error *error)
{
    GPtrArray *rows = ledger_arrived(reconciling->ledger, entry->sender, entry->arrival, error);
    for (guint i = rows == NULL ? 0 : rows->len; i > 0; i--) {
        if (!fits(reconciling, taken, g_ptr_array_index(rows, i - 1), entry))
            g_ptr_array_remove_index(rows, i - 1);
    }
    if (rows == NULL || rows->len == 0)
        return rows;
    /* Few messages come this far: only these are read. */
    g_autofree char *found = reader_message_id(reconciling->reader, reconciling->queue, entry);
    for (guint i = rows->len; i > 0; i--) {
        const struct ledger_row *row = g_ptr_array_index(rows, i - 1);
        g_autofree char *wanted = message_id_copy(row->message.message_id);
        if (g_strcmp0(found, wanted) != 0)
            g_ptr_array_remove_index(rows, i - 1);
    }
    return rows;
}

/* How many messages each row (its id) could be that of. */
static GHashTable *count_claims(const GPtrArray *candidates)
{
    GHashTable *claims = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < candidates->len; i++) {
        const GPtrArray *rows = g_ptr_array_index((GPtrArray *)candidates, i);
        for (guint j = 0; j < rows->len; j++) {
            struct ledger_row *row = g_ptr_array_index((GPtrArray *)rows, j);
            guint before = GPOINTER_TO_UINT(g_hash_table_lookup(claims, &row->id));
            g_hash_table_insert(claims, &row->id, GUINT_TO_POINTER(before + 1));
        }
    }
    return claims;
}

static int adopt_one(const struct reconciling *reconciling, struct stray *stray, const struct ledger_row *row,
                     struct database_error *error)
{
    const struct queue_entry *entry = stray->entry;
    const struct ledger_arrival arrival = {.queue_id = entry->id,
                                           .instance = entry->instance,
                                           .arrival = entry->arrival * G_USEC_PER_SEC,
                                           .size = entry->size};
    auto_free(ledger_row) after = NULL;
    enum ledger_answer answer = ledger_adopt(reconciling->ledger, row, &arrival, reconciling->now, &after, error);
    if (answer == LEDGER_DONE)
        stray->row = g_steal_pointer(&after);
    return answer == LEDGER_FAILED ? -1 : 0;
}

static int adopt_sure(const struct reconciling *reconciling, GArray *strays, const GPtrArray *candidates,
                      struct database_error *error)
{
    g_autoptr(GHashTable) claims = count_claims(candidates);
    for (guint i = 0; i < strays->len; i++) {
        const GPtrArray *rows = g_ptr_array_index((GPtrArray *)candidates, i);
        const struct ledger_row *row = rows->len == 1 ? g_ptr_array_index((GPtrArray *)rows, 0) : NULL;
        if (row == NULL || GPOINTER_TO_UINT(g_hash_table_lookup(claims, &row->id)) != 1)
            continue;
        if (adopt_one(reconciling, &g_array_index(strays, struct stray, i), row, error) == -1)
            return -1;
    }
    return 0;
}

int adopt_strays(const struct reconciling *reconciling, GHashTable *taken, GArray *strays, struct database_error *error)
{
    g_autoptr(GPtrArray) candidates = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < strays->len; i++) {
        GPtrArray *rows = find_candidates(reconciling, taken, g_array_index(strays, struct stray, i).entry, error);
        if (rows == NULL)
            return -1;
        g_ptr_array_add(candidates, rows);
    }
    return adopt_sure(reconciling, strays, candidates, error);
}
