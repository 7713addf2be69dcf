/* state_memory - see state_memory.h */

#include "policy/state/state_memory.h"

#include "policy/state/state_keys.h"

#include <pthread.h>
#include <string.h>

/* The values of one message for one signature. */
struct kept_record {
    state_hash id, author, subject, signature;
    gint64 time;
    GArray *values; /* state_hash */
};

struct kept_set {
    state_hash scope;
    gint64 time;
    GArray *parties; /* state_hash, in ascending order */
};

struct kept_permit {
    state_hash code, rule, author, taken; /* taken: by which message, or 0 */
    gint64 time, until;
    GArray *visible; /* state_hash, in ascending order */
};

/* The lists are in the order in which their items came.  The lock is not GLib's, which a thread sanitizer does not see
 * through. */
struct state_memory {
    pthread_mutex_t lock;
    GHashTable *records; /* struct kept_record *: all of them */
    GHashTable *ids;     /* state_hash * -> GPtrArray * of the records with that id */
    GHashTable *authors; /* the same of an author */
    GHashTable *sets;    /* struct kept_set *: all of them */
    GHashTable *members; /* state_hash * -> GPtrArray * of the sets that a party is in */
    GPtrArray *permits;  /* struct kept_permit *, in the order in which they came */
};

static void record_free(struct kept_record *record)
{
    g_array_unref(record->values);
    g_free(record);
}

static void set_free(struct kept_set *set)
{
    g_array_unref(set->parties);
    g_free(set);
}

static void permit_free(struct kept_permit *permit)
{
    g_array_unref(permit->visible);
    g_free(permit);
}

static GHashTable *lists_new(void)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
}

struct state_memory *state_memory_new(void)
{
    struct state_memory *memory = g_new0(struct state_memory, 1);

    pthread_mutex_init(&memory->lock, NULL);
    memory->records = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)record_free, NULL);
    memory->ids = lists_new();
    memory->authors = lists_new();
    memory->sets = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)set_free, NULL);
    memory->members = lists_new();
    memory->permits = g_ptr_array_new_with_free_func((GDestroyNotify)permit_free);
    return memory;
}

void state_memory_free(struct state_memory *memory)
{
    g_hash_table_unref(memory->ids);
    g_hash_table_unref(memory->authors);
    g_hash_table_unref(memory->members);
    g_ptr_array_unref(memory->permits);
    g_hash_table_unref(memory->records);
    g_hash_table_unref(memory->sets);
    pthread_mutex_destroy(&memory->lock);
    g_free(memory);
}

static GPtrArray *list_of(GHashTable *lists, state_hash hash)
{
    GPtrArray *list = g_hash_table_lookup(lists, &hash);

    if (list == NULL) {
        list = g_ptr_array_new();
        g_hash_table_insert(lists, g_memdup2(&hash, sizeof hash), list);
    }
    return list;
}

static void leave_list(GHashTable *lists, state_hash hash, gpointer item)
{
    GPtrArray *list = g_hash_table_lookup(lists, &hash);

    if (list != NULL)
        g_ptr_array_remove(list, item);
    if (list != NULL && list->len == 0)
        g_hash_table_remove(lists, &hash);
}

static bool is_among(state_hash hash, const state_hash *hashes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (hashes[i] == hash)
            return true;
    return false;
}

/* ---- windows */

static void delete_record(struct state_memory *memory, struct kept_record *record)
{
    leave_list(memory->authors, record->author, record);
    leave_list(memory->ids, record->id, record);
    g_hash_table_remove(memory->records, record);
}

static void delete_id(struct state_memory *memory, state_hash id)
{
    GPtrArray *list;

    while ((list = g_hash_table_lookup(memory->ids, &id)) != NULL)
        delete_record(memory, g_ptr_array_index(list, list->len - 1));
}

static void keep_record(struct state_memory *memory, const struct state_record *record)
{
    for (unsigned i = 0; i < record->count; i++) {
        const struct state_values *values = &record->values[i];
        struct kept_record *kept = g_new(struct kept_record, 1);
        *kept =
            (struct kept_record){record->id, record->author, record->subject, values->signature, record->time, NULL};
        kept->values = g_array_new(FALSE, FALSE, sizeof(state_hash));
        g_array_append_vals(kept->values, values->values, values->count);
        g_hash_table_add(memory->records, kept);
        g_ptr_array_add(list_of(memory->ids, record->id), kept);
        g_ptr_array_add(list_of(memory->authors, record->author), kept);
    }
}

static bool counts_for(const struct kept_record *kept, const struct state_record *record,
                       const struct state_window *window)
{
    if (kept->id == record->id || kept->signature != record->values[window->values].signature)
        return false;
    if (window->alike && kept->subject != record->subject && kept->subject != 0 && record->subject != 0)
        return false;
    return kept->time >= record->time - (gint64)window->seconds;
}

static void add_values(GHashTable *seen, const state_hash *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        g_hash_table_add(seen, (gpointer)&values[i]);
}

static bool answer(const GPtrArray *list, const struct state_record *record, struct state_window *window)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    const struct state_values *own = &record->values[window->values];
    guint64 read = own->count;

    add_values(seen, own->values, own->count);
    for (unsigned i = list != NULL ? list->len : 0; i-- > 0 && read <= STATE_READ_LIMIT;) {
        const struct kept_record *kept = g_ptr_array_index(list, i);
        if (!counts_for(kept, record, window))
            continue;
        read += kept->values->len;
        add_values(seen, (const state_hash *)(gpointer)kept->values->data, kept->values->len);
    }
    unsigned value = g_hash_table_size(seen);
    bool bound = value > STATE_WINDOW_LIMIT || read > STATE_READ_LIMIT;
    window->value = bound ? STATE_WINDOW_MANY : value;
    return bound;
}

static enum state_outcome window(void *data, const struct state_record *record, bool keep, struct state_window *windows,
                                 unsigned count)
{
    struct state_memory *memory = data;
    bool bound = false;

    pthread_mutex_lock(&memory->lock);
    if (keep) {
        delete_id(memory, record->id);
        keep_record(memory, record);
    }
    for (unsigned i = 0; i < count; i++)
        bound = answer(g_hash_table_lookup(memory->authors, &record->author), record, &windows[i]) || bound;
    pthread_mutex_unlock(&memory->lock);
    return bound ? STATE_BOUND : STATE_OK;
}

static enum state_outcome withdraw(void *data, state_hash id)
{
    struct state_memory *memory = data;

    pthread_mutex_lock(&memory->lock);
    delete_id(memory, id);
    pthread_mutex_unlock(&memory->lock);
    return STATE_OK;
}

/* ---- sets */

static int compare_hashes(gconstpointer one, gconstpointer other)
{
    state_hash a = *(const state_hash *)one, b = *(const state_hash *)other;

    return a < b ? -1 : a > b;
}

static GArray *sorted(const state_hash *hashes, unsigned count)
{
    GArray *array = g_array_new(FALSE, FALSE, sizeof(state_hash));

    if (count > 0)
        g_array_append_vals(array, hashes, count);
    g_array_sort(array, compare_hashes);
    return array;
}

static bool holds_all(const struct kept_set *kept, const struct state_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        if (!is_among(set->parties[i], (const state_hash *)(gpointer)kept->parties->data, kept->parties->len))
            return false;
    return true;
}

/* The sets of the rarest of the parties, or NULL if one of them is in none. */
static const GPtrArray *rarest(const struct state_memory *memory, const struct state_set *set)
{
    const GPtrArray *least = NULL;

    for (unsigned i = 0; i < set->count; i++) {
        const GPtrArray *list = g_hash_table_lookup(memory->members, &set->parties[i]);
        if (list == NULL)
            return NULL;
        if (least == NULL || list->len < least->len)
            least = list;
    }
    return least;
}

static enum state_outcome known(void *data, const struct state_set *set, gint64 since, gint64 *when)
{
    struct state_memory *memory = data;
    unsigned looked_at = 0;

    *when = 0;
    if (set->count > STATE_SET_LIMIT)
        return STATE_BOUND;
    pthread_mutex_lock(&memory->lock);
    const GPtrArray *list = rarest(memory, set);
    for (unsigned i = list != NULL ? list->len : 0; i-- > 0 && looked_at++ < STATE_SETS_READ_LIMIT;) {
        const struct kept_set *kept = g_ptr_array_index(list, i);
        if (kept->scope == set->scope && kept->time >= since && holds_all(kept, set))
            *when = MAX(*when, kept->time);
    }
    bool bound = *when == 0 && list != NULL && list->len > STATE_SETS_READ_LIMIT;
    pthread_mutex_unlock(&memory->lock);
    return bound ? STATE_BOUND : STATE_OK;
}

static void delete_set(struct state_memory *memory, struct kept_set *set)
{
    for (unsigned i = 0; i < set->parties->len; i++)
        leave_list(memory->members, g_array_index(set->parties, state_hash, i), set);
    g_hash_table_remove(memory->sets, set);
}

static struct kept_set *same_set(const struct state_memory *memory, const struct state_set *set, const GArray *parties)
{
    const GPtrArray *list = rarest(memory, set);

    for (unsigned i = 0; list != NULL && i < list->len; i++) {
        struct kept_set *kept = g_ptr_array_index(list, i);
        if (kept->scope == set->scope && kept->parties->len == parties->len &&
            memcmp(kept->parties->data, parties->data, parties->len * sizeof(state_hash)) == 0)
            return kept;
    }
    return NULL;
}

static enum state_outcome learn(void *data, const struct state_set *set, gint64 time)
{
    struct state_memory *memory = data;
    g_autoptr(GArray) parties = sorted(set->parties, set->count);

    if (set->count < 2 || set->count > STATE_SET_LIMIT)
        return STATE_BOUND;
    pthread_mutex_lock(&memory->lock);
    struct kept_set *kept = same_set(memory, set, parties);
    if (kept == NULL) {
        kept = g_new(struct kept_set, 1);
        *kept = (struct kept_set){set->scope, time, g_array_ref(parties)};
        g_hash_table_add(memory->sets, kept);
        for (unsigned i = 0; i < parties->len; i++)
            g_ptr_array_add(list_of(memory->members, g_array_index(parties, state_hash, i)), kept);
    }
    if (time - kept->time >= STATE_SET_FRESH)
        kept->time = time;
    pthread_mutex_unlock(&memory->lock);
    return STATE_OK;
}

/* ---- permits */

static struct kept_permit *find_permit(const struct state_memory *memory, state_hash code)
{
    for (unsigned i = 0; i < memory->permits->len; i++) {
        struct kept_permit *kept = g_ptr_array_index(memory->permits, i);
        if (kept->code == code)
            return kept;
    }
    return NULL;
}

/* Those that are over, and the oldest of an author who has too many. */
static void drop_permits(struct state_memory *memory, state_hash author, gint64 time)
{
    unsigned of_author = 1;

    for (unsigned i = memory->permits->len; i-- > 0;) {
        const struct kept_permit *kept = g_ptr_array_index(memory->permits, i);
        of_author += kept->author == author;
        if (kept->until < time - STATE_PERMIT_KNOWN || (kept->author == author && of_author > STATE_PERMITS_LIMIT))
            g_ptr_array_remove_index(memory->permits, i);
    }
}

static enum state_outcome permit(void *data, const struct state_permit *permit)
{
    struct state_memory *memory = data;

    if (permit->count > STATE_PERMIT_LIMIT)
        return STATE_BOUND;
    struct kept_permit *kept = g_new(struct kept_permit, 1);
    *kept = (struct kept_permit){permit->code,
                                 permit->rule,
                                 permit->author,
                                 0,
                                 permit->time,
                                 permit->until,
                                 sorted(permit->visible, permit->count)};
    pthread_mutex_lock(&memory->lock);
    drop_permits(memory, permit->author, permit->time);
    g_ptr_array_add(memory->permits, kept);
    pthread_mutex_unlock(&memory->lock);
    return STATE_OK;
}

static enum state_claimed claim_of(const struct kept_permit *kept, const struct state_claim *claim)
{
    if (kept == NULL)
        return CLAIM_UNKNOWN;
    if (kept->author != claim->author)
        return CLAIM_AUTHOR;
    if (claim->time > kept->until)
        return CLAIM_LATE;
    if (kept->taken != 0 && kept->taken != claim->message)
        return CLAIM_USED;
    for (unsigned i = 0; i < claim->count; i++)
        if (!g_array_binary_search(kept->visible, &claim->visible[i], compare_hashes, NULL))
            return CLAIM_LARGER;
    return CLAIM_TAKEN;
}

static enum state_outcome claim(void *data, const struct state_claim *claim, enum state_claimed *claimed,
                                state_hash *rule)
{
    struct state_memory *memory = data;

    *rule = 0;
    pthread_mutex_lock(&memory->lock);
    struct kept_permit *kept = find_permit(memory, claim->code);
    *claimed = claim_of(kept, claim);
    if (*claimed == CLAIM_TAKEN) {
        kept->taken = claim->message;
        *rule = kept->rule;
    }
    pthread_mutex_unlock(&memory->lock);
    return STATE_OK;
}

static enum state_outcome unclaim(void *data, state_hash code, state_hash message)
{
    struct state_memory *memory = data;

    pthread_mutex_lock(&memory->lock);
    struct kept_permit *kept = find_permit(memory, code);
    if (kept != NULL && kept->taken == message)
        kept->taken = 0;
    pthread_mutex_unlock(&memory->lock);
    return STATE_OK;
}

/* ---- what goes */

/* Whether something was taken out of an array of hashes. */
static bool take_out(GArray *from, const state_hash *hashes, unsigned count)
{
    unsigned before = from->len;

    for (unsigned i = from->len; i-- > 0;)
        if (is_among(g_array_index(from, state_hash, i), hashes, count))
            g_array_remove_index(from, i);
    return from->len < before;
}

/* All records, or all sets, so that some can be deleted. */
static GPtrArray *all_of(GHashTable *items)
{
    GPtrArray *all = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer item;

    g_hash_table_iter_init(&iterator, items);
    while (g_hash_table_iter_next(&iterator, &item, NULL))
        g_ptr_array_add(all, item);
    return all;
}

static unsigned forget_in_sets(struct state_memory *memory, const state_hash *hashes, unsigned count)
{
    g_autoptr(GPtrArray) sets = all_of(memory->sets);
    unsigned gone = 0;

    for (unsigned i = 0; i < sets->len; i++) {
        struct kept_set *set = g_ptr_array_index(sets, i);
        bool scope = is_among(set->scope, hashes, count);
        bool changed = take_out(set->parties, hashes, count);
        for (unsigned j = 0; changed && j < count; j++)
            leave_list(memory->members, hashes[j], set);
        gone += changed || scope;
        if (set->parties->len < 2 || scope)
            delete_set(memory, set);
    }
    return gone;
}

static unsigned forget_in_records(struct state_memory *memory, const state_hash *hashes, unsigned count)
{
    g_autoptr(GPtrArray) records = all_of(memory->records);
    unsigned gone = 0;

    for (unsigned i = 0; i < records->len; i++) {
        struct kept_record *record = g_ptr_array_index(records, i);
        bool author = is_among(record->author, hashes, count);
        gone += take_out(record->values, hashes, count) || author;
        if (author || record->values->len == 0)
            delete_record(memory, record);
    }
    return gone;
}

static unsigned forget_permits(struct state_memory *memory, const state_hash *hashes, unsigned count)
{
    unsigned gone = 0;

    for (unsigned i = memory->permits->len; i-- > 0;) {
        struct kept_permit *kept = g_ptr_array_index(memory->permits, i);
        if (!is_among(kept->author, hashes, count) && !take_out(kept->visible, hashes, count))
            continue;
        g_ptr_array_remove_index(memory->permits, i);
        gone++;
    }
    return gone;
}

static enum state_outcome forget(void *data, const state_hash *hashes, unsigned count, unsigned *gone)
{
    struct state_memory *memory = data;

    pthread_mutex_lock(&memory->lock);
    *gone = forget_in_sets(memory, hashes, count) + forget_in_records(memory, hashes, count) +
            forget_permits(memory, hashes, count);
    pthread_mutex_unlock(&memory->lock);
    return STATE_OK;
}

static enum state_outcome expire(void *data, gint64 before_records, gint64 before_sets)
{
    struct state_memory *memory = data;

    pthread_mutex_lock(&memory->lock);
    g_autoptr(GPtrArray) records = all_of(memory->records);
    g_autoptr(GPtrArray) sets = all_of(memory->sets);
    for (unsigned i = 0; i < records->len; i++)
        if (((const struct kept_record *)g_ptr_array_index(records, i))->time < before_records)
            delete_record(memory, g_ptr_array_index(records, i));
    for (unsigned i = 0; i < sets->len; i++)
        if (((const struct kept_set *)g_ptr_array_index(sets, i))->time < before_sets)
            delete_set(memory, g_ptr_array_index(sets, i));
    pthread_mutex_unlock(&memory->lock);
    return STATE_OK;
}

const struct state_functions state_memory_functions = {
    .window = window,
    .withdraw = withdraw,
    .known = known,
    .learn = learn,
    .forget = forget,
    .expire = expire,
    .permit = permit,
    .claim = claim,
    .unclaim = unclaim,
};

void state_scratch_open(struct state_scratch *scratch)
{
    scratch->memory = state_memory_new();
    scratch->key = state_key_new("", 0);
    scratch->functions = state_memory_functions;
    scratch->state = (struct state){&scratch->functions, scratch->memory, scratch->key};
}

void state_scratch_close(struct state_scratch *scratch)
{
    state_memory_free(scratch->memory);
    state_key_free(scratch->key);
}
