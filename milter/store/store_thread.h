/*
 * store_thread - a thread with a queue, for work that waits for a disk or a network.
 *
 * A caller hands over a job and waits for its answer, until a deadline of the monotonic
 * clock.  The limits of the libraries below (SQLite's busy timeout, for example) bound
 * neither a sync nor a connection that hangs, so the caller does not depend on them: at
 * its deadline it goes on, whatever the thread is doing.
 *
 * Jobs of one kind form a group.  Its function is called in the thread while jobs of it
 * wait, takes as many as it can do together, and ends each of them.  Foreground groups
 * come before background ones; those get a step at least every STORE_TURN.
 *
 * Ownership: the store owns a job and its data.  Data is freed by its job's free
 * function as soon as neither the caller nor the thread needs it, in either of them.
 * Any thread may use a store, but what says "in the thread" is for a group's function.
 * A fork keeps the caller's thread only: begin the store in the process that uses it.
 */
#ifndef RCPTGUARD_STORE_THREAD_H
#define RCPTGUARD_STORE_THREAD_H

#include <glib.h>
#include <stdbool.h>

/* How long a background group that has something to do waits at most while there is other work, in microseconds. */
#define STORE_TURN (50 * 1000)

/* Waits as long as it takes. */
#define STORE_FOREVER G_MAXINT64

struct store;
struct store_group;
struct store_job;

/* What came of a job. */
enum store_result {
    STORE_DONE,      /* it ended, and there is an answer */
    STORE_EXPIRED,   /* its time was up while it waited: it was never begun */
    STORE_ABANDONED, /* its time was up while it was being done: store_end tells its group */
    STORE_STOPPED,   /* the store has been stopped: it was never begun */
};

/* The function of a group, in the thread. */
typedef void (*store_work)(struct store_group *group, void *owner);

/* Starts the thread, with all signals blocked in it. */
struct store *store_new(void);

/* Before the first job of the group.  `owner` is for the function. */
struct store_group *store_group_new(struct store *store, bool background, store_work work, void *owner);

/*
 * Hands over `data` and waits for its answer until `deadline`.  `answer`, with
 * STORE_DONE, is what store_end was given, for the caller; otherwise NULL.
 */
enum store_result store_do(struct store_group *group, void *data, GDestroyNotify free_data, gint64 deadline,
                           void **answer);

/* Hands over `data` and does not wait.  False if the store was stopped; then it is freed. */
bool store_add(struct store_group *group, void *data, GDestroyNotify free_data);

/*
 * Refuses new jobs, and waits until `deadline` for the thread to have done those that
 * wait, to have called the function of each group once more, and to end.  True: it has
 * ended and was joined.  False: it hangs; callers still go on at their deadlines.
 */
bool store_stop(struct store *store, gint64 deadline);

/* Of a store that was stopped with true, and that nobody uses any more. */
void store_free(struct store *store);

/* ---- in the thread */

/* Whether jobs wait whose time is not up; and, if so, when the time of the first is. */
bool store_waiting(struct store_group *group, gint64 *deadline);

/* The next job, in the order of their arrival; NULL if none waits. */
struct store_job *store_take(struct store_group *group);

void *store_job_data(const struct store_job *job);

/* Puts a job that was taken in front of the others: its next step comes at the group's next turn. */
void store_again(struct store_group *group, struct store_job *job);

/*
 * Ends a job.  True: its caller gets the answer, or it had none.  False: the
 * caller's time was up before, and `answer` is freed with `free_answer` if that is not NULL.
 */
bool store_end(struct store_group *group, struct store_job *job, void *answer, GDestroyNotify free_answer);

/* Calls the group's function again at that time (monotonic, microseconds), though no job may wait then. */
void store_call_at(struct store_group *group, gint64 when);

/* Whether the store is being stopped: store_call_at does nothing any more. */
bool store_stopping(const struct store_group *group);

#endif
