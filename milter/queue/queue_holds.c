/* queue_holds - see queue_holds.h */

#include "milter/queue/queue_holds.h"

#include "milter/queue/reconcile.h"

struct onhold {
    struct queue *queue;
    GPtrArray *entries; /* struct queue_entry * */
    GHashTable *by_id;  /* queue id: GPtrArray of them */
    char *trouble;
};

struct onhold *onhold_look(struct queue *queue, char **error)
{
    GPtrArray *entries = queue_held(queue, error);
    if (entries == NULL)
        return NULL;
    struct onhold *onhold = g_new(struct onhold, 1);
    onhold->queue = queue;
    onhold->entries = entries;
    onhold->trouble = queue_trouble(queue);
    onhold->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < entries->len; i++) {
        struct queue_entry *entry = g_ptr_array_index(entries, i);
        GPtrArray *same = g_hash_table_lookup(onhold->by_id, entry->id);
        if (same == NULL) {
            same = g_ptr_array_new();
            g_hash_table_insert(onhold->by_id, entry->id, same);
        }
        g_ptr_array_add(same, entry);
    }
    return onhold;
}

void onhold_free(struct onhold *onhold)
{
    g_hash_table_unref(onhold->by_id);
    g_ptr_array_unref(onhold->entries);
    g_free(onhold->trouble);
    g_free(onhold);
}

unsigned onhold_count(const struct onhold *onhold)
{
    return onhold->entries->len;
}

/* No message is read here.  Where the times leave it open, the id decides: the row is open, and another message of
 * its id would be later. */
static bool is_its(const struct onhold *onhold, const struct ledger_row *row, const struct queue_entry *entry)
{
    int match = queue_is_elsewhere(onhold->queue, row->message.instance, entry) ? 0 : reconcile_match(row, entry);
    return match == 1 || (match == -1 && !reconcile_is_later(row, entry));
}

static const struct queue_entry *find(const struct onhold *onhold, const struct ledger_row *row)
{
    const GPtrArray *same = g_hash_table_lookup(onhold->by_id, row->message.queue_id);
    for (guint i = 0; same != NULL && i < same->len; i++) {
        const struct queue_entry *entry = g_ptr_array_index((GPtrArray *)same, i);
        if (is_its(onhold, row, entry))
            return entry;
    }
    return NULL;
}

bool onhold_has(const struct onhold *onhold, const struct ledger_row *row)
{
    return find(onhold, row) != NULL;
}

void onhold_name(const struct onhold *onhold, struct ledger_row *row)
{
    const struct queue_entry *entry = find(onhold, row);
    if (entry == NULL || entry->instance == NULL)
        return;
    g_free(row->message.instance);
    row->message.instance = g_strdup(entry->instance);
}

bool onhold_may_have(const struct onhold *onhold, const struct ledger_row *row)
{
    return !onhold_has(onhold, row) && !queue_sees(onhold->queue, row->message.instance);
}

const char *onhold_trouble(const struct onhold *onhold)
{
    return onhold->trouble;
}
