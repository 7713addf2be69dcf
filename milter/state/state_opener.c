/* state_opener - see state_opener.h */

#include "milter/state/state_opener.h"

struct state_opener {
    struct state_database_place place;
    unsigned wait;
    GThread *thread; /* NULL: it is idle */
    GMutex lock;
    GCond ended;
    bool done; /* the thread needs nothing of this any more */
    struct state_database *database;
    struct pg_error error;
};

struct state_opener *state_opener_new(const struct state_database_place *place, unsigned wait)
{
    struct state_opener *opener = g_new0(struct state_opener, 1);
    opener->place = *place;
    opener->wait = wait;
    g_mutex_init(&opener->lock);
    g_cond_init(&opener->ended);
    return opener;
}

void state_opener_free(struct state_opener *opener)
{
    if (opener == NULL)
        return;
    if (opener->thread != NULL)
        g_thread_join(opener->thread);
    state_database_close(opener->database);
    g_mutex_clear(&opener->lock);
    g_cond_clear(&opener->ended);
    g_free(opener);
}

static gpointer connect_now(gpointer data)
{
    struct state_opener *opener = data;
    gint64 deadline = g_get_monotonic_time() + (gint64)opener->wait * G_TIME_SPAN_MILLISECOND;
    opener->database = state_database_open(&opener->place, deadline, &opener->error);
    g_mutex_lock(&opener->lock);
    opener->done = true;
    g_cond_signal(&opener->ended);
    g_mutex_unlock(&opener->lock);
    return NULL;
}

void state_opener_begin(struct state_opener *opener)
{
    if (opener->thread != NULL)
        return;
    opener->done = false;
    opener->thread = g_thread_try_new("state", connect_now, opener, NULL); /* else at the next failure */
}

enum state_opened state_opener_look(struct state_opener *opener, gint64 until, struct state_database **database,
                                    struct pg_error *error)
{
    if (opener->thread == NULL)
        return OPENER_IDLE;
    g_mutex_lock(&opener->lock);
    while (!opener->done && g_cond_wait_until(&opener->ended, &opener->lock, until))
        continue;
    bool done = opener->done;
    g_mutex_unlock(&opener->lock);
    if (!done)
        return OPENER_BUSY;
    g_thread_join(g_steal_pointer(&opener->thread));
    *database = g_steal_pointer(&opener->database);
    *error = opener->error;
    return *database == NULL ? OPENER_FAILED : OPENER_DONE;
}
