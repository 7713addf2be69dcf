/* memory_budget - see memory_budget.h */

#include <config.h>

#include "milter/arrival/memory_budget.h"

#include "policy/base/keyed_hash.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

/* What a message takes at once is as much as it has, within these bounds: a long one asks seldom. */
#define STEP_LEAST 4096u
#define STEP_MOST  (256u * 1024)

/* Evaluations of texts up to this length wait for nothing. */
#define EVALUATION_SMALL (16u * 1024)

/* Memory that was given back, and is worth a trim. */
#define TRIM_WORTH (1024u * 1024)

/* An IPv6 host has as many addresses as it likes, within a network of this length in bytes. */
#define NETWORK_BYTES 8

struct memory_owner {
    char *name;
    guint64 taken;
};

/* POSIX's locks and not GLib's, which a thread sanitizer does not see through. */
struct memory_budget {
    pthread_mutex_t lock; /* of the next four */
    guint64 limit;
    guint64 taken;
    guint64 returned;   /* since the last trim */
    GHashTable *owners; /* name: struct memory_owner, with something taken */

    pthread_mutex_t turn_lock; /* of the rest */
    pthread_cond_t turn;
    guint64 evaluating;    /* bytes */
    guint64 came, entered; /* evaluations that had to take a turn, and those of them that had it */
};

static void owner_free(gpointer data)
{
    struct memory_owner *owner = data;

    g_free(owner->name);
    g_free(owner);
}

struct memory_budget *memory_budget_new(guint64 limit)
{
    struct memory_budget *budget = g_new0(struct memory_budget, 1);

    pthread_mutex_init(&budget->lock, NULL);
    pthread_mutex_init(&budget->turn_lock, NULL);
    pthread_cond_init(&budget->turn, NULL);
    budget->limit = limit;
    budget->owners = g_hash_table_new_full(hash_string, g_str_equal, NULL, owner_free);
    return budget;
}

void memory_budget_free(struct memory_budget *budget)
{
    if (budget == NULL)
        return;
    g_hash_table_unref(budget->owners);
    pthread_mutex_destroy(&budget->lock);
    pthread_mutex_destroy(&budget->turn_lock);
    pthread_cond_destroy(&budget->turn);
    g_free(budget);
}

void memory_budget_limit(struct memory_budget *budget, guint64 limit)
{
    pthread_mutex_lock(&budget->lock);
    budget->limit = limit;
    pthread_mutex_unlock(&budget->lock);
}

/* ---- what is kept */

/* For g_free.  A login and a client never have one name. */
static char *owner_name(const struct memory_sender *sender)
{
    struct in6_addr address;

    if (sender->login != NULL)
        return g_strconcat("login ", sender->login, NULL);
    if (sender->client == NULL)
        return g_strdup("local");
    if (inet_pton(AF_INET6, sender->client, &address) != 1)
        return g_strdup(sender->client);
    memset(address.s6_addr + NETWORK_BYTES, 0, sizeof address.s6_addr - NETWORK_BYTES);
    char text[INET6_ADDRSTRLEN];
    return g_strdup(inet_ntop(AF_INET6, &address, text, sizeof text));
}

/* With the lock. */
static struct memory_owner *owner_find(struct memory_budget *budget, const struct memory_sender *sender)
{
    g_autofree char *name = owner_name(sender);
    struct memory_owner *owner = g_hash_table_lookup(budget->owners, name);

    if (owner != NULL)
        return owner;
    owner = g_new0(struct memory_owner, 1);
    owner->name = g_steal_pointer(&name);
    g_hash_table_insert(budget->owners, owner->name, owner);
    return owner;
}

/* With the lock. */
static void owner_release(struct memory_budget *budget, struct memory_owner *owner)
{
    if (owner->taken == 0)
        g_hash_table_remove(budget->owners, owner->name);
}

static enum memory_answer take_step(struct memory_budget *budget, struct memory_share *share,
                                    const struct memory_sender *sender, size_t step)
{
    enum memory_answer answer = MEMORY_GIVEN;

    pthread_mutex_lock(&budget->lock);
    struct memory_owner *owner = share->owner != NULL ? share->owner : owner_find(budget, sender);
    if (step > budget->limit / MEMORY_PARTS || owner->taken > budget->limit / MEMORY_PARTS - step)
        answer = MEMORY_ONE_OWNER;
    else if (budget->taken > budget->limit - step)
        answer = MEMORY_FULL;
    if (answer == MEMORY_GIVEN) {
        budget->taken += step;
        owner->taken += step;
        share->taken += step;
        share->owner = owner;
    } else if (share->owner == NULL) {
        owner_release(budget, owner);
    }
    pthread_mutex_unlock(&budget->lock);
    return answer;
}

enum memory_answer memory_take(struct memory_budget *budget, struct memory_share *share,
                               const struct memory_sender *sender, size_t length)
{
    size_t needed = share->used + length + MEMORY_ITEM, has = MEMORY_FREE + share->taken;
    enum memory_answer answer = MEMORY_GIVEN;

    if (needed > has)
        answer = take_step(budget, share, sender, MAX(needed - has, CLAMP(share->taken, STEP_LEAST, STEP_MOST)));
    if (answer == MEMORY_GIVEN)
        share->used = needed;
    return answer;
}

void memory_return(struct memory_share *share, size_t length)
{
    share->used -= length + MEMORY_ITEM;
}

void memory_give_back(struct memory_budget *budget, struct memory_share *share)
{
    if (share->owner != NULL) {
        pthread_mutex_lock(&budget->lock);
        budget->taken -= share->taken;
        budget->returned += share->taken;
        share->owner->taken -= share->taken;
        owner_release(budget, share->owner);
        pthread_mutex_unlock(&budget->lock);
    }
    *share = (struct memory_share){0};
}

guint64 memory_taken(struct memory_budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    guint64 taken = budget->taken;
    pthread_mutex_unlock(&budget->lock);
    return taken;
}

guint64 memory_limit(struct memory_budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    guint64 limit = budget->limit;
    pthread_mutex_unlock(&budget->lock);
    return limit;
}

/* ---- evaluations */

size_t memory_evaluation_begin(struct memory_budget *budget, size_t longest)
{
    if (longest <= EVALUATION_SMALL)
        return 0;
    guint64 room = memory_limit(budget) / 2;
    size_t weight = (size_t)MIN(longest * MEMORY_EVALUATION, room); /* with all the room it has its turn alone */

    pthread_mutex_lock(&budget->turn_lock);
    guint64 turn = budget->came++;
    while (budget->entered != turn || budget->evaluating > room - weight)
        pthread_cond_wait(&budget->turn, &budget->turn_lock);
    budget->entered++;
    budget->evaluating += weight;
    pthread_cond_broadcast(&budget->turn); /* there may be room for the next one, too */
    pthread_mutex_unlock(&budget->turn_lock);
    return weight;
}

void memory_evaluation_end(struct memory_budget *budget, size_t weight)
{
    if (weight == 0)
        return;
    pthread_mutex_lock(&budget->turn_lock);
    budget->evaluating -= weight;
    pthread_cond_broadcast(&budget->turn);
    pthread_mutex_unlock(&budget->turn_lock);
}

/* ---- the C library's */

void memory_prepare(void)
{
#ifdef HAVE_MALLOC_TRIM
    /* Without these glibc keeps ever larger blocks, once such a one was freed. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
#endif
}

void memory_count_returned(struct memory_budget *budget, guint64 bytes)
{
    pthread_mutex_lock(&budget->lock);
    budget->returned += bytes;
    pthread_mutex_unlock(&budget->lock);
}

void memory_trim(struct memory_budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    bool worth = budget->returned >= TRIM_WORTH;
    if (worth)
        budget->returned = 0;
    pthread_mutex_unlock(&budget->lock);
#ifdef HAVE_MALLOC_TRIM
    if (worth)
        malloc_trim(0);
#else
    (void)worth;
#endif
}
