/* state_opener - see state_opener.h */

#include "milter/state/state_opener.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

struct state_opener {
    struct state_database_place place;
    unsigned wait;
    pthread_t thread;
    bool busy; /* there is the thread; else it is idle */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done; /* the thread needs nothing of this any more */
    struct state_database *database;
    struct pg_error error;
};

struct state_opener *state_opener_new(const struct state_database_place *place, unsigned wait)
{
    struct state_opener *opener = g_new0(struct state_opener, 1);
    pthread_condattr_t monotonic;
    opener->place = *place;
    opener->wait = wait;
    pthread_mutex_init(&opener->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&opener->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return opener;
}

void state_opener_free(struct state_opener *opener)
{
    if (opener == NULL)
        return;
    if (opener->busy)
        pthread_join(opener->thread, NULL);
    state_database_close(opener->database);
    pthread_cond_destroy(&opener->ended);
    pthread_mutex_destroy(&opener->lock);
    g_free(opener);
}

static void *connect_now(void *data)
{
    struct state_opener *opener = data;
    gint64 deadline = g_get_monotonic_time() + (gint64)opener->wait * G_TIME_SPAN_MILLISECOND;
    struct pg_error error = {.kind = PG_AWAY};
    struct state_database *database = state_database_open(&opener->place, deadline, &error);
    pthread_mutex_lock(&opener->lock);
    opener->database = database;
    opener->error = error;
    opener->done = true;
    pthread_cond_signal(&opener->ended);
    pthread_mutex_unlock(&opener->lock);
    return NULL;
}

/* Signals are for the main thread.  If there is no thread now, there may be one after the next failure. */
void state_opener_begin(struct state_opener *opener)
{
    sigset_t all, before;
    if (opener->busy)
        return;
    opener->done = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    opener->busy = pthread_create(&opener->thread, NULL, connect_now, opener) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Waits for the end of the thread until then: whether it is done. */
static bool await_end(struct state_opener *opener, gint64 until)
{
    const struct timespec limit = {.tv_sec = until / G_USEC_PER_SEC, .tv_nsec = (long)(until % G_USEC_PER_SEC) * 1000};
    pthread_mutex_lock(&opener->lock);
    while (!opener->done && pthread_cond_timedwait(&opener->ended, &opener->lock, &limit) == 0)
        continue;
    bool done = opener->done;
    pthread_mutex_unlock(&opener->lock);
    return done;
}

enum state_opened state_opener_look(struct state_opener *opener, gint64 until, struct state_database **database,
                                    struct pg_error *error)
{
    if (!opener->busy)
        return OPENER_IDLE;
    if (!await_end(opener, until))
        return OPENER_BUSY;
    pthread_join(opener->thread, NULL);
    opener->busy = false;
    *database = g_steal_pointer(&opener->database);
    *error = opener->error;
    return *database == NULL ? OPENER_FAILED : OPENER_DONE;
}
