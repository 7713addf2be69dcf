/* state_later - see state_later.h */

#include "milter/state/state_later.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct state_later {
    pthread_mutex_t lock;
    GArray *sets;                    /* struct state_later_set */
    gint64 due;                      /* monotonic: of the first set */
    GArray *withdrawn[STATE_PLACES]; /* state_hash; NULL: the state is not kept there */
};

static int compare_hashes(const void *one, const void *other)
{
    state_hash a = *(const state_hash *)one, b = *(const state_hash *)other;
    return a < b ? -1 : a > b;
}

struct state_later *state_later_new(bool in_file, bool in_database)
{
    struct state_later *later = g_new0(struct state_later, 1);
    pthread_mutex_init(&later->lock, NULL);
    later->sets = g_array_new(FALSE, FALSE, sizeof(struct state_later_set));
    const bool kept[STATE_PLACES] = {[STATE_IN_FILE] = in_file, [STATE_IN_DATABASE] = in_database};
    for (unsigned i = 0; i < STATE_PLACES; i++)
        later->withdrawn[i] = kept[i] ? g_array_new(FALSE, FALSE, sizeof(state_hash)) : NULL;
    return later;
}

void state_later_free(struct state_later *later)
{
    g_array_unref(later->sets);
    for (unsigned i = 0; i < STATE_PLACES; i++)
        g_clear_pointer(&later->withdrawn[i], g_array_unref);
    pthread_mutex_destroy(&later->lock);
    g_free(later);
}

unsigned state_later_learn(struct state_later *later, const struct state_set *set, gint64 time)
{
    struct state_later_set learned = {.scope = set->scope, .time = time, .count = set->count};
    memcpy(learned.parties, set->parties, set->count * sizeof learned.parties[0]);
    qsort(learned.parties, learned.count, sizeof learned.parties[0], compare_hashes);
    pthread_mutex_lock(&later->lock);
    unsigned count = later->sets->len < STATE_LATER_LIMIT ? later->sets->len + 1 : 0;
    if (count == 1)
        later->due = g_get_monotonic_time() + STATE_LATER_TIME;
    if (count > 0)
        g_array_append_val(later->sets, learned);
    pthread_mutex_unlock(&later->lock);
    return count;
}

/* How many are in the list then; 0: there is no room, or no such place. */
static unsigned append(GArray *withdrawn, state_hash id)
{
    if (withdrawn == NULL || withdrawn->len >= STATE_LATER_LIMIT)
        return 0;
    g_array_append_val(withdrawn, id);
    return withdrawn->len;
}

unsigned state_later_withdraw(struct state_later *later, state_hash id)
{
    unsigned count = 0;
    pthread_mutex_lock(&later->lock);
    for (unsigned i = 0; i < STATE_PLACES; i++)
        count = MAX(count, append(later->withdrawn[i], id));
    pthread_mutex_unlock(&later->lock);
    return count;
}

void state_later_withdraw_in(struct state_later *later, enum state_place place, state_hash id)
{
    pthread_mutex_lock(&later->lock);
    append(later->withdrawn[place], id);
    pthread_mutex_unlock(&later->lock);
}

static bool holds_all(const struct state_later_set *learned, const struct state_set *set)
{
    if (learned->scope != set->scope || learned->count < set->count)
        return false;
    for (unsigned i = 0; i < set->count; i++) {
        if (bsearch(&set->parties[i], learned->parties, learned->count, sizeof set->parties[i], compare_hashes) == NULL)
            return false;
    }
    return true;
}

gint64 state_later_known(struct state_later *later, const struct state_set *set, gint64 since)
{
    gint64 when = 0;
    pthread_mutex_lock(&later->lock);
    for (guint i = 0; set->count > 0 && i < later->sets->len; i++) {
        const struct state_later_set *learned = &g_array_index(later->sets, struct state_later_set, i);
        if (learned->time >= since && learned->time > when && holds_all(learned, set))
            when = learned->time;
    }
    pthread_mutex_unlock(&later->lock);
    return when;
}

/* With the lock. */
static bool is_withdrawing(const struct state_later *later)
{
    bool any = false;
    for (unsigned i = 0; i < STATE_PLACES; i++)
        any = any || (later->withdrawn[i] != NULL && later->withdrawn[i]->len > 0);
    return any;
}

gint64 state_later_due(struct state_later *later)
{
    pthread_mutex_lock(&later->lock);
    bool now = later->sets->len >= STATE_LATER_MANY || is_withdrawing(later);
    gint64 due = later->sets->len > 0 ? later->due : G_MAXINT64;
    pthread_mutex_unlock(&later->lock);
    return now ? 0 : due;
}

unsigned state_later_sets(struct state_later *later, struct state_later_set *sets)
{
    pthread_mutex_lock(&later->lock);
    unsigned count = MIN(later->sets->len, STATE_LATER_STEP);
    if (count > 0)
        memcpy(sets, later->sets->data, count * sizeof *sets);
    pthread_mutex_unlock(&later->lock);
    return count;
}

static void drop(struct state_later *later, GArray *array, unsigned count)
{
    pthread_mutex_lock(&later->lock);
    if (count > 0)
        g_array_remove_range(array, 0, count);
    pthread_mutex_unlock(&later->lock);
}

void state_later_drop_sets(struct state_later *later, unsigned count)
{
    drop(later, later->sets, count);
}

unsigned state_later_withdrawn(struct state_later *later, enum state_place place, state_hash *ids)
{
    pthread_mutex_lock(&later->lock);
    const GArray *withdrawn = later->withdrawn[place];
    unsigned count = withdrawn == NULL ? 0 : withdrawn->len;
    if (count > 0)
        memcpy(ids, withdrawn->data, count * sizeof *ids);
    pthread_mutex_unlock(&later->lock);
    return count;
}

void state_later_drop_withdrawn(struct state_later *later, enum state_place place, unsigned count)
{
    drop(later, later->withdrawn[place], count);
}

bool state_later_is_withdrawing(struct state_later *later)
{
    pthread_mutex_lock(&later->lock);
    bool any = is_withdrawing(later);
    pthread_mutex_unlock(&later->lock);
    return any;
}
