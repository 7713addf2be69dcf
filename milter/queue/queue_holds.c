/* queue_holds - see queue_holds.h */

#include "milter/queue/queue_holds.h"

#include "milter/queue/reconcile.h"

struct onhold {
    GPtrArray *entries; /* struct queue_entry * */
    GHashTable *by_id;  /* queue id: one of them */
};

struct onhold *onhold_look(struct queue *queue, char **error)
{
    GPtrArray *entries = queue_held(queue, error);
    if (entries == NULL)
        return NULL;
    struct onhold *onhold = g_new(struct onhold, 1);
    onhold->entries = entries;
    onhold->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < entries->len; i++) {
        struct queue_entry *entry = g_ptr_array_index(entries, i);
        g_hash_table_insert(onhold->by_id, entry->id, entry);
    }
    return onhold;
}

void onhold_free(struct onhold *onhold)
{
    g_hash_table_unref(onhold->by_id);
    g_ptr_array_unref(onhold->entries);
    g_free(onhold);
}

unsigned onhold_count(const struct onhold *onhold)
{
    return onhold->entries->len;
}

/* No message is read here.  Where the times leave it open, the id decides: the row is open, and another message of
 * its id would be later. */
bool onhold_has(const struct onhold *onhold, const struct ledger_row *row)
{
    const struct queue_entry *entry = g_hash_table_lookup(onhold->by_id, row->message.queue_id);
    int match = entry == NULL ? 0 : reconcile_match(row, entry);
    return match == 1 || (match == -1 && !reconcile_is_later(row, entry));
}
