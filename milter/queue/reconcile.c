/* reconcile - see reconcile.h */

#include "milter/queue/reconcile.h"

#include "policy/message/message_id.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The MTA's clock and ours are one, but it counts whole seconds; in microseconds. */
#define SLACK G_USEC_PER_SEC

/* ---- the view */

void view_item_free(gpointer data)
{
    struct view_item *item = data;
    ledger_row_free(item->row);
    queue_entry_free(item->entry);
    g_free(item);
}

struct view *view_new(void)
{
    struct view *view = g_new0(struct view, 1);
    view->items = g_ptr_array_new_with_free_func(view_item_free);
    return view;
}

const char *view_bare_id(const char *id, char **instance)
{
    const char *slash = strrchr(id, '/'); /* the instance may be a directory */
    *instance = slash == NULL ? NULL : g_strndup(id, (gsize)(slash - id));
    return slash == NULL ? id : slash + 1;
}

/* What is on hold, as far as is known. */
static bool is_there(const struct view_item *item)
{
    return item->entry != NULL || item->unread;
}

static const char *instance_of(const struct view_item *item)
{
    if (item->entry != NULL && item->entry->instance != NULL)
        return item->entry->instance;
    return item->row == NULL ? NULL : item->row->message.instance;
}

static bool is_in(const struct view_item *item, const char *instance)
{
    return instance == NULL || g_strcmp0(instance_of(item), instance) == 0;
}

static bool has_instance(const GPtrArray *items, guint first, const char *instance)
{
    for (guint i = first; i < items->len; i++) {
        if (g_strcmp0(instance_of(g_ptr_array_index((GPtrArray *)items, i)), instance) == 0)
            return true;
    }
    return false;
}

void view_find(const struct view *view, const struct tool *at, const char *id, GPtrArray *found)
{
    const struct view_item *nowhere = NULL, *former = NULL;
    const guint first = found->len;
    g_autofree char *instance = NULL;
    id = view_bare_id(id, &instance);
    for (guint i = 0; i < view->items->len; i++) {
        struct view_item *item = g_ptr_array_index(view->items, i);
        if (item->at != at || !is_there(item) || !is_in(item, instance))
            continue;
        const char *own = item->entry != NULL ? item->entry->id : item->row->message.queue_id;
        bool former_id = item->entry != NULL && item->row != NULL && g_strcmp0(item->row->former, id) == 0;
        if (strcmp(own, id) != 0)
            former = former_id ? item : former;
        else if (instance_of(item) == NULL)
            nowhere = nowhere == NULL ? item : nowhere;
        else if (!has_instance(found, first, instance_of(item)))
            g_ptr_array_add(found, item);
    }
    if (found->len == first && (nowhere != NULL || former != NULL))
        g_ptr_array_add(found, (gpointer)(nowhere != NULL ? nowhere : former));
}

void view_free(struct view *view)
{
    if (view == NULL)
        return;
    g_ptr_array_unref(view->items);
    g_free(view->unread);
    g_free(view->unrecorded);
    g_free(view);
}

struct view_item *view_add(struct view *view, struct ledger_row *row, struct queue_entry *entry)
{
    struct view_item *item = g_new(struct view_item, 1);
    *item = (struct view_item){.row = row, .entry = entry};
    g_ptr_array_add(view->items, item);
    return item;
}

gint64 view_arrival(const struct view_item *item)
{
    return item->row != NULL ? item->row->message.judged : item->entry->arrival * G_USEC_PER_SEC;
}

static const char *item_id(const struct view_item *item)
{
    return item->row != NULL ? item->row->message.queue_id : item->entry->id;
}

int view_compare(gconstpointer a, gconstpointer b)
{
    const struct view_item *one = *(const struct view_item *const *)a, *other = *(const struct view_item *const *)b;
    gint64 x = view_arrival(one), y = view_arrival(other);
    if (x == y && one->row != NULL && other->row != NULL) { /* the later row is the newer one */
        x = one->row->id;
        y = other->row->id;
    }
    return x != y ? (x < y) - (x > y) : strcmp(item_id(one), item_id(other));
}

/* ---- is it the same message? */

/* What a round knows. */
struct round {
    const struct reconciling *reconciling;
    GPtrArray *rows;     /* struct ledger_row *: the open ones, as they were before the queue was looked at */
    GHashTable *by_id;   /* queue id: GPtrArray of those rows */
    GHashTable *entries; /* row id (gint64 *): struct queue_entry *, taken by the row */
    GHashTable *taken;   /* row id (gint64 *, owned): its message is on hold, and known */
    GHashTable *adopted; /* row id (gint64 *): it is in the view already */
    GArray *sights;
    struct view *view;
};

bool reconcile_is_later(const struct ledger_row *row, const struct queue_entry *entry)
{
    return !entry->unique && entry->arrival * G_USEC_PER_SEC > row->message.judged + SLACK;
}

/* Whether an id that several instances have is of this one's message, as far as the row says. */
static bool is_told_apart(const struct ledger_row *row, const struct queue_entry *entry)
{
    return !entry->shared || g_strcmp0(row->message.instance, entry->instance) == 0;
}

/* By the id and the times. */
static int match_times(const struct ledger_row *row, const struct queue_entry *entry)
{
    if (entry->unique)
        return 1;
    if (row->arrival != 0)
        return row->arrival / G_USEC_PER_SEC == entry->arrival;
    if (entry->arrival * G_USEC_PER_SEC < row->message.began - SLACK)
        return -1; /* by sendmail(1), or an older message */
    return reconcile_is_later(row, entry) ? -1 : 1;
}

int reconcile_match(const struct ledger_row *row, const struct queue_entry *entry)
{
    if (strcmp(row->message.queue_id, entry->id) != 0)
        return 0;
    int match = match_times(row, entry);
    return match == 1 && !is_told_apart(row, entry) ? -1 : match;
}

/* A message without an id when it was evaluated got one from the MTA later: then the sender has to do.  Of one that
 * seems to be later both have to be right. */
static bool same_message(const struct reconciling *reconciling, const struct ledger_row *row,
                         const struct queue_entry *entry)
{
    bool later = reconcile_is_later(row, entry), same_sender = strcmp(row->message.sender, entry->sender) == 0;
    if (row->message.message_id == NULL || row->message.message_id[0] == '\0')
        return same_sender && !later;
    if (later && !same_sender)
        return false;
    g_autofree char *wanted = message_id_copy(row->message.message_id);
    g_autofree char *found = reader_message_id(reconciling->reader, reconciling->queue, entry);
    return found != NULL && strcmp(found, wanted) == 0;
}

/* Whether a row may be that of a message at all: its message is not known to be another one, nor in another instance.
 */
static bool is_free(const struct round *round, const struct ledger_row *row, const struct queue_entry *entry)
{
    return !g_hash_table_contains(round->taken, &row->id) &&
           !queue_is_elsewhere(round->reconciling->queue, row->message.instance, entry);
}

/*
 * Which of some rows, all with the entry's id, is the message on hold; -1: none.  Two that could be it by their times
 * are told apart by the Message-ID.
 */
static int choose(const struct round *round, const GPtrArray *rows, const struct queue_entry *entry)
{
    int sure = -1, possible = 0;
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(rows, i);
        int match = is_free(round, row, entry) ? reconcile_match(row, entry) : 0;
        possible += match != 0 && !reconcile_is_later(row, entry);
        if (match == 1)
            sure = (int)i;
    }
    if (possible == 1 && sure != -1)
        return sure;
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(rows, i);
        if (is_free(round, row, entry) && reconcile_match(row, entry) != 0 &&
            same_message(round->reconciling, row, entry))
            return (int)i;
    }
    return -1;
}

/* ---- one round */

/* What another MTA held is not missed in this queue; NULL: it is of this one. */
static const char *other_queue(const struct round *round, const struct ledger_row *row)
{
    const struct queue *queue = round->reconciling->queue;
    if (row->message.mta == queue_mta(queue))
        return NULL;
    g_autofree char *text =
        g_strdup_printf("it was looked for in the queue of %s, which is not where it was held", queue_name(queue));
    return g_intern_string(text);
}

/* Without an entry it has left. */
static void see(struct round *round, const struct ledger_row *row, const struct queue_entry *entry)
{
    struct ledger_sight sight = {.id = row->id, .state = LEDGER_LEFT, .detail = other_queue(round, row)};
    if (entry != NULL)
        sight = (struct ledger_sight){.id = row->id,
                                      .state = LEDGER_HELD,
                                      .arrival = entry->arrival * G_USEC_PER_SEC,
                                      .size = entry->size,
                                      .instance = entry->instance};
    g_array_append_val(round->sights, sight);
}

static void take(struct round *round, const struct ledger_row *row)
{
    g_hash_table_add(round->taken, g_memdup2(&row->id, sizeof row->id));
}

static void index_rows(struct round *round)
{
    for (guint i = 0; i < round->rows->len; i++) {
        struct ledger_row *row = g_ptr_array_index(round->rows, i);
        GPtrArray *same = g_hash_table_lookup(round->by_id, row->message.queue_id);
        if (same == NULL) {
            same = g_ptr_array_new();
            g_hash_table_insert(round->by_id, row->message.queue_id, same);
        }
        g_ptr_array_add(same, row);
    }
}

/* The instance by which a row is known from now on; a message that was there before it had one gets it, too. */
static void set_instance(struct ledger_row *row, const struct queue_entry *entry)
{
    if (entry->instance == NULL || g_strcmp0(row->message.instance, entry->instance) == 0)
        return;
    g_free(row->message.instance);
    row->message.instance = g_strdup(entry->instance);
}

/* A message whose row is not among the open ones: written since, or closed by mistake, or not ours. */
static int find_other_row(struct round *round, struct queue_entry *entry, char **error)
{
    struct database_error failure;
    g_autoptr(GPtrArray) rows = ledger_find(round->reconciling->ledger, entry->id, &failure);
    if (rows == NULL) {
        *error = g_strdup(failure.text);
        return -1;
    }
    int chosen = choose(round, rows, entry);
    struct ledger_row *row = chosen == -1 ? NULL : g_ptr_array_index(rows, (guint)chosen);
    const unsigned reopened = LEDGER_OPEN | LEDGER_BIT(LEDGER_LEFT);
    if (row == NULL || (LEDGER_BIT(row->state) & reopened) == 0) {
        view_add(round->view, NULL, entry);
        return 0;
    }
    take(round, row);
    if (row->state != LEDGER_HELD)
        see(round, row, entry);
    set_instance(row, entry);
    row->state = (LEDGER_BIT(row->state) & LEDGER_CLAIMED) != 0 ? row->state : LEDGER_HELD;
    g_ptr_array_steal_index(rows, (guint)chosen);
    view_add(round->view, row, entry);
    return 0;
}

/* Gives each message on hold its row. */
static int match_entries(struct round *round, GPtrArray *entries, char **error)
{
    for (guint i = 0; i < entries->len; i++) {
        struct queue_entry *entry = g_ptr_array_index(entries, i);
        g_ptr_array_index(entries, i) = NULL; /* it has another owner from here on */
        const GPtrArray *rows = g_hash_table_lookup(round->by_id, entry->id);
        int chosen = rows == NULL ? -1 : choose(round, rows, entry);
        if (chosen != -1) {
            struct ledger_row *row = g_ptr_array_index((GPtrArray *)rows, (guint)chosen);
            g_hash_table_insert(round->entries, &row->id, entry);
            take(round, row);
        } else if (find_other_row(round, entry, error) == -1) {
            return -1;
        }
    }
    return 0;
}

/* Whether whoever claimed a row has died over it, and nothing that he started can change what is seen. */
static bool is_interrupted(const struct ledger_row *row, gint64 now, bool on_hold)
{
    if (now - row->since > RECONCILE_CLAIM)
        return true;
    if (row->process == getpid() || kill(row->process, 0) == 0 || errno != ESRCH)
        return false;
    return !on_hold || now - row->since > RECONCILE_ORPHANS;
}

/* The ledger is locked or its disk full: the next round tells it. */
static void note_unrecorded(struct round *round, const struct database_error *error)
{
    if (round->view->unrecorded == NULL)
        round->view->unrecorded = g_strdup(error->text);
}

/* A claim that nobody is at any more: what the queue says of the message is what came of it. */
static void settle_claim(struct round *round, struct ledger_row *row, const struct queue_entry *entry)
{
    const struct reconciling *reconciling = round->reconciling;
    struct database_error error;
    auto_free(ledger_row) after = NULL;
    enum ledger_answer answer =
        ledger_settle(reconciling->ledger, row, entry != NULL, reconciling->now, &after, &error);
    if (answer == LEDGER_FAILED)
        note_unrecorded(round, &error);
    if (after != NULL)
        row->state = after->state;
    const struct queue_entry gone = {
        .id = row->message.queue_id, .instance = row->message.instance, .arrival = row->arrival / G_USEC_PER_SEC};
    if (answer == LEDGER_DONE && (row->state == LEDGER_RELEASED || row->state == LEDGER_RETURNED))
        queue_hurry(reconciling->queue, &gone, row->state == LEDGER_RELEASED ? reconciling->now / G_USEC_PER_SEC : 0);
}

/* Whether its message may be in a queue that could not be read. */
static bool is_unread(const struct round *round, const struct ledger_row *row)
{
    return !queue_sees(round->reconciling->queue, row->message.instance);
}

/* What the queue says of one open row. */
static void settle_row(struct round *round, struct ledger_row *row, const struct queue_entry *entry)
{
    gint64 now = round->reconciling->now;
    if (entry == NULL && is_unread(round, row))
        return;
    if ((LEDGER_BIT(row->state) & LEDGER_CLAIMED) != 0) {
        if (is_interrupted(row, now, entry != NULL))
            settle_claim(round, row, entry);
    } else if (entry != NULL) {
        bool moved = entry->instance != NULL && g_strcmp0(row->message.instance, entry->instance) != 0;
        if (row->state != LEDGER_HELD || moved)
            see(round, row, entry);
        set_instance(row, entry);
        row->state = LEDGER_HELD;
        row->arrival = entry->arrival * G_USEC_PER_SEC;
    } else if (row->state == LEDGER_HELD || now - row->message.judged > RECONCILE_PATIENCE) {
        see(round, row, NULL);
        row->state = LEDGER_LEFT;
    }
}

/* Those without a row, of which one may have another id now.  The ledger may be locked: the next round tries again. */
static void adopt(struct round *round)
{
    struct database_error error;
    g_autoptr(GArray) strays = g_array_new(FALSE, FALSE, sizeof(struct stray));
    g_autoptr(GPtrArray) items = g_ptr_array_new();
    for (guint i = 0; i < round->view->items->len; i++) {
        struct view_item *item = g_ptr_array_index(round->view->items, i);
        const struct stray stray = {.entry = item->entry};
        if (item->row != NULL)
            continue;
        g_array_append_val(strays, stray);
        g_ptr_array_add(items, item);
    }
    if (adopt_strays(round->reconciling, round->taken, strays, &error) == -1)
        note_unrecorded(round, &error);
    for (guint i = 0; i < strays->len; i++) {
        struct view_item *item = g_ptr_array_index(items, i);
        item->row = g_array_index(strays, struct stray, i).row;
        if (item->row != NULL)
            g_hash_table_add(round->adopted, &item->row->id);
    }
}

static void settle_rows(struct round *round)
{
    for (guint i = 0; i < round->rows->len; i++) {
        struct ledger_row *row = g_ptr_array_index(round->rows, i);
        struct queue_entry *entry = g_hash_table_lookup(round->entries, &row->id);
        if (g_hash_table_contains(round->adopted, &row->id))
            continue;
        settle_row(round, row, entry);
        if ((LEDGER_BIT(row->state) & LEDGER_OPEN) == 0)
            continue;
        g_hash_table_steal(round->entries, &row->id);
        g_ptr_array_index(round->rows, i) = NULL;
        view_add(round->view, row, entry);
        struct view_item *item = g_ptr_array_index(round->view->items, round->view->items->len - 1);
        item->unread = entry == NULL && is_unread(round, row);
    }
}

static int run_round(struct round *round, char **error)
{
    const struct reconciling *reconciling = round->reconciling;
    struct database_error failure;

    /* The rows first: one that is on hold now and not in the queue afterwards has left, whoever else is at it. */
    const struct ledger_filter open = {.states = LEDGER_OPEN};
    round->rows = ledger_list(reconciling->ledger, &open, &failure);
    if (round->rows == NULL) {
        *error = g_strdup(failure.text);
        return -1;
    }
    g_autoptr(GPtrArray) entries = queue_held(reconciling->queue, error);
    if (entries == NULL)
        return -1;
    round->view->unread = queue_trouble(reconciling->queue);
    index_rows(round);
    if (match_entries(round, entries, error) == -1)
        return -1;
    adopt(round);
    settle_rows(round);
    if (ledger_sighted(reconciling->ledger, round->sights, reconciling->now, &failure) == -1)
        note_unrecorded(round, &failure);
    g_ptr_array_sort(round->view->items, view_compare);
    return 0;
}

struct view *reconcile(const struct reconciling *reconciling, char **error)
{
    struct view *view = view_new();
    struct round round = {
        .reconciling = reconciling,
        .by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref),
        .entries = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)queue_entry_free),
        .taken = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
        .adopted = g_hash_table_new(g_int64_hash, g_int64_equal),
        .sights = g_array_new(FALSE, FALSE, sizeof(struct ledger_sight)),
        .view = view,
    };
    int result = run_round(&round, error);
    g_hash_table_unref(round.by_id);
    g_hash_table_unref(round.entries);
    g_hash_table_unref(round.taken);
    g_hash_table_unref(round.adopted);
    g_array_unref(round.sights);
    if (round.rows != NULL)
        g_ptr_array_unref(round.rows);
    if (result == 0)
        return view;
    view_free(view);
    return NULL;
}
