/* store_thread - see store_thread.h */

#include "milter/store/store_thread.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

/* POSIX's locks and not GLib's, which a thread sanitizer does not see through. */
struct store {
    pthread_t thread;
    pthread_mutex_t lock; /* of all that follows, and of all groups and jobs */
    pthread_cond_t work;  /* for the thread: there is something to do */
    pthread_cond_t ended; /* for store_stop */
    pthread_condattr_t monotonic;
    GPtrArray *groups;
    bool stopping;
    bool over; /* the thread has ended */
    bool joined;
    gint64 turn;     /* when a background group had its turn, or had nothing to do */
    guint64 arrived; /* jobs so far */
};

struct store_group {
    struct store *store;
    bool background;
    store_work work;
    void *owner;
    GQueue waiting; /* struct store_job, the oldest first */
    gint64 call_at; /* monotonic; 0: not */
};

enum job_state { JOB_WAITING, JOB_TAKEN, JOB_ENDED, JOB_LEFT };

struct store_job {
    GList link;
    pthread_cond_t done;
    bool awaited; /* somebody waits for it: store_do */
    gint holders; /* of one that was awaited and has ended: who waited, and the thread */
    enum job_state state;
    gint64 deadline;
    guint64 number; /* in the order of arrival */
    void *data;
    GDestroyNotify free_data;
    void *answer;
};

static void free_data_of(struct store_job *job)
{
    if (job->free_data != NULL)
        job->free_data(job->data);
    job->free_data = NULL;
}

static void job_free(struct store_job *job)
{
    free_data_of(job);
    pthread_cond_destroy(&job->done);
    g_free(job);
}

static void job_let_go(struct store_job *job)
{
    if (g_atomic_int_dec_and_test(&job->holders))
        job_free(job);
}

static struct timespec time_of(gint64 monotonic)
{
    return (struct timespec){.tv_sec = (time_t)(monotonic / G_USEC_PER_SEC),
                             .tv_nsec = (long)(monotonic % G_USEC_PER_SEC) * 1000};
}

/* Waits for a signal of the condition, until `end`: false if that has come. */
static bool wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, gint64 end)
{
    if (end == STORE_FOREVER) {
        pthread_cond_wait(condition, lock);
        return true;
    }
    const struct timespec limit = time_of(end);
    return pthread_cond_timedwait(condition, lock, &limit) == 0;
}

/* ---- the thread */

/* The first job whose caller is still there. */
static struct store_job *first_waiting(const struct store_group *group, gint64 now)
{
    for (GList *link = group->waiting.head; link != NULL; link = link->next) {
        struct store_job *job = link->data;
        if (job->deadline > now)
            return job;
    }
    return NULL;
}

/* What the group waits for, as a number: its first job's, 0 if it wants to be called; -1 if it waits for nothing. */
static gint64 first_number(const struct store_group *group, gint64 now)
{
    if (group->call_at != 0 && group->call_at <= now && !group->store->stopping)
        return 0;
    const struct store_job *job = first_waiting(group, now);
    return job == NULL ? -1 : (gint64)job->number;
}

/* The group of this kind that has waited longest; NULL if there is none. */
static struct store_group *find_group(const struct store *store, bool background, gint64 now)
{
    struct store_group *found = NULL;
    gint64 least = 0;
    for (guint i = 0; i < store->groups->len; i++) {
        struct store_group *group = g_ptr_array_index(store->groups, i);
        gint64 number = group->background == background ? first_number(group, now) : -1;
        if (number == -1 || (found != NULL && number >= least))
            continue;
        found = group;
        least = number;
    }
    return found;
}

/* Whose turn it is.  Background work waits while there is other work, but not for ever. */
static struct store_group *next_group(struct store *store, gint64 now)
{
    struct store_group *first = find_group(store, false, now);
    struct store_group *later = find_group(store, true, now);
    bool turn = later != NULL && (first == NULL || now - store->turn >= STORE_TURN);
    if (turn || later == NULL)
        store->turn = now;
    return turn ? later : first;
}

/* When a group wants to be called though nothing comes. */
static gint64 next_call(const struct store *store)
{
    gint64 next = STORE_FOREVER;
    for (guint i = 0; i < store->groups->len; i++) {
        const struct store_group *group = g_ptr_array_index(store->groups, i);
        if (group->call_at != 0 && !store->stopping)
            next = MIN(next, group->call_at);
    }
    return next;
}

/* Whether callers whose time is up have not left yet: they still use their jobs. */
static bool is_empty(const struct store *store)
{
    for (guint i = 0; i < store->groups->len; i++) {
        const struct store_group *group = g_ptr_array_index(store->groups, i);
        if (group->waiting.length > 0)
            return false;
    }
    return true;
}

static void call(struct store_group *group)
{
    group->call_at = 0;
    pthread_mutex_unlock(&group->store->lock);
    group->work(group, group->owner);
    pthread_mutex_lock(&group->store->lock);
}

static void *run(void *data)
{
    struct store *store = data;
    pthread_mutex_lock(&store->lock);
    while (!store->stopping || !is_empty(store)) {
        struct store_group *group = next_group(store, g_get_monotonic_time());
        if (group != NULL)
            call(group);
        else
            wait_until(&store->work, &store->lock, next_call(store));
    }
    for (guint i = 0; i < store->groups->len; i++)
        call(g_ptr_array_index(store->groups, i));
    store->over = true;
    pthread_cond_broadcast(&store->ended);
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

/* Signals are for the threads that wait for them. */
static int start(struct store *store)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&store->thread, NULL, run, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

struct store *store_new(void)
{
    struct store *store = g_new0(struct store, 1);
    pthread_condattr_init(&store->monotonic);
    pthread_condattr_setclock(&store->monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->work, &store->monotonic);
    pthread_cond_init(&store->ended, &store->monotonic);
    store->groups = g_ptr_array_new_with_free_func(g_free);
    int failure = start(store);
    if (failure != 0)
        g_error("a thread cannot be started: %s", g_strerror(failure));
    return store;
}

struct store_group *store_group_new(struct store *store, bool background, store_work work, void *owner)
{
    struct store_group *group = g_new0(struct store_group, 1);
    group->store = store;
    group->background = background;
    group->work = work;
    group->owner = owner;
    g_queue_init(&group->waiting);
    pthread_mutex_lock(&store->lock);
    g_ptr_array_add(store->groups, group);
    pthread_mutex_unlock(&store->lock);
    return group;
}

void store_free(struct store *store)
{
    pthread_cond_destroy(&store->work);
    pthread_cond_destroy(&store->ended);
    pthread_mutex_destroy(&store->lock);
    pthread_condattr_destroy(&store->monotonic);
    g_ptr_array_unref(store->groups);
    g_free(store);
}

bool store_stop(struct store *store, gint64 deadline)
{
    pthread_mutex_lock(&store->lock);
    store->stopping = true;
    pthread_cond_signal(&store->work);
    while (!store->over && wait_until(&store->ended, &store->lock, deadline))
        continue;
    bool over = store->over, join = over && !store->joined;
    store->joined = over;
    pthread_mutex_unlock(&store->lock);
    if (join)
        pthread_join(store->thread, NULL);
    return over;
}

/* ---- handing over */

/* With the lock; then the thread is to be woken without it, which it would wait for at once. */
static struct store_job *add(struct store_group *group, void *data, GDestroyNotify free_data, gint64 deadline)
{
    struct store_job *job = g_new0(struct store_job, 1);
    job->link.data = job;
    pthread_cond_init(&job->done, &group->store->monotonic);
    job->data = data;
    job->free_data = free_data;
    job->deadline = deadline;
    job->number = ++group->store->arrived;
    job->holders = 2;
    g_queue_push_tail_link(&group->waiting, &job->link);
    return job;
}

bool store_add(struct store_group *group, void *data, GDestroyNotify free_data)
{
    struct store *store = group->store;
    pthread_mutex_lock(&store->lock);
    bool go = !store->stopping;
    if (go)
        add(group, data, free_data, STORE_FOREVER);
    pthread_mutex_unlock(&store->lock);
    if (go)
        pthread_cond_signal(&store->work);
    else if (free_data != NULL)
        free_data(data);
    return go;
}

enum store_result store_do(struct store_group *group, void *data, GDestroyNotify free_data, gint64 deadline,
                           void **answer)
{
    struct store *store = group->store;
    *answer = NULL;
    pthread_mutex_lock(&store->lock);
    if (store->stopping) {
        pthread_mutex_unlock(&store->lock);
        if (free_data != NULL)
            free_data(data);
        return STORE_STOPPED;
    }
    struct store_job *job = add(group, data, free_data, deadline);
    job->awaited = true;
    pthread_mutex_unlock(&store->lock);
    pthread_cond_signal(&store->work);
    pthread_mutex_lock(&store->lock);
    while (job->state != JOB_ENDED && wait_until(&job->done, &store->lock, deadline))
        continue;
    enum store_result result = STORE_DONE;
    if (job->state == JOB_ENDED) {
        *answer = job->answer;
    } else if (job->state == JOB_WAITING) {
        g_queue_unlink(&group->waiting, &job->link);
        if (store->stopping)
            pthread_cond_signal(&store->work);
        result = STORE_EXPIRED;
    } else {
        job->state = JOB_LEFT; /* it is the thread's alone now */
        result = STORE_ABANDONED;
    }
    pthread_mutex_unlock(&store->lock);
    if (result == STORE_DONE) {
        free_data_of(job);
        job_let_go(job);
    } else if (result == STORE_EXPIRED) {
        job_free(job);
    }
    return result;
}

/* ---- in the thread */

bool store_waiting(struct store_group *group, gint64 *deadline)
{
    pthread_mutex_lock(&group->store->lock);
    const struct store_job *job = first_waiting(group, g_get_monotonic_time());
    if (job != NULL)
        *deadline = job->deadline;
    pthread_mutex_unlock(&group->store->lock);
    return job != NULL;
}

struct store_job *store_take(struct store_group *group)
{
    pthread_mutex_lock(&group->store->lock);
    struct store_job *job = first_waiting(group, g_get_monotonic_time());
    if (job != NULL) {
        g_queue_unlink(&group->waiting, &job->link);
        job->state = JOB_TAKEN;
    }
    pthread_mutex_unlock(&group->store->lock);
    return job;
}

void *store_job_data(const struct store_job *job)
{
    return job->data;
}

void store_again(struct store_group *group, struct store_job *job)
{
    pthread_mutex_lock(&group->store->lock);
    bool left = job->state == JOB_LEFT;
    if (!left) {
        job->state = JOB_WAITING;
        g_queue_push_head_link(&group->waiting, &job->link);
    }
    pthread_mutex_unlock(&group->store->lock);
    if (left)
        job_free(job);
}

bool store_end(struct store_group *group, struct store_job *job, void *answer, GDestroyNotify free_answer)
{
    pthread_mutex_lock(&group->store->lock);
    bool left = job->state == JOB_LEFT;
    bool awaited = job->awaited;
    if (awaited && !left) {
        job->state = JOB_ENDED;
        job->answer = answer;
    }
    pthread_mutex_unlock(&group->store->lock);
    if (awaited && !left) {
        pthread_cond_signal(&job->done);
        job_let_go(job);
        return true;
    }
    if (answer != NULL && free_answer != NULL)
        free_answer(answer);
    job_free(job);
    return !left;
}

void store_call_at(struct store_group *group, gint64 when)
{
    pthread_mutex_lock(&group->store->lock);
    group->call_at = when;
    pthread_mutex_unlock(&group->store->lock);
}

bool store_stopping(const struct store_group *group)
{
    pthread_mutex_lock(&group->store->lock);
    bool stopping = group->store->stopping;
    pthread_mutex_unlock(&group->store->lock);
    return stopping;
}
