/* ledger_writer - see ledger_writer.h */

#include "milter/daemon/ledger_writer.h"

#include "milter/answers/answer_decision.h"
#include "milter/database/database_damage.h"
#include "milter/ledger/ledger_bell.h"
#include "milter/ledger/schema.h"
#include "milter/log/log.h"
#include "milter/store/store_thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

/* Rows of one commit at most: what comes after them waits for the next one. */
#define GROUP_LIMIT 256u

/* How long a message waits while nothing can be written, in milliseconds: libmilter has few threads for connections
 * that were idle, and other mail needs them. */
#define STUCK_WAIT 50u

/* How long the thread pauses before it asks again for a lock that was refused at once, in microseconds; and before it
 * tries again to void rows. */
#define LOCK_PAUSE 1000
#define VOID_PAUSE G_USEC_PER_SEC

/* Rows that are remembered to be void at most. */
#define VOID_LIMIT 10000u

/* Of a step of the tidying: how long it waits for other processes, in milliseconds, and how often in a row in vain. */
#define STEP_WAIT  50u
#define STEP_TRIES 20u

/* How long keeper_tidy waits for the policy to be written, in microseconds. */
#define POLICY_WAIT (2 * G_USEC_PER_SEC)

struct keeper {
    _Atomic(const struct config *) config;
    _Atomic(struct metrics *) metrics;
    struct store *store;
    struct store_group *holds, *answers, *trips, *tidying;
    atomic_bool locked; /* the thread waits, or waited last, for another process */
    atomic_bool stuck;  /* somebody waited in vain, and nothing was written since */

    /* The thread's own. */
    struct ledger *ledger; /* NULL: to be opened */
    GArray *voids;         /* struct ledger_void: rows of messages that were not held */
    bool pruning;          /* a job of it waits */
    bool opened;           /* it was a ledger before */
    gint64 damaged;        /* monotonic: when one was set aside */
};

static const struct config *config_of(const struct keeper *keeper)
{
    return atomic_load(&keeper->config);
}

/* ---- opening */

/* What a person has to fix, and waiting does not. */
static bool lasts(enum database_failure failure)
{
    return failure == DATABASE_MISSING || failure == DATABASE_INSECURE || failure == DATABASE_READ_ONLY ||
           failure == DATABASE_FOREIGN;
}

static void on_wait(void *data)
{
    struct keeper *keeper = data;
    atomic_store(&keeper->locked, true);
}

static int open_ledger(struct keeper *keeper, struct database_error *error)
{
    if (keeper->ledger != NULL)
        return 0;
    const char *path = config_of(keeper)->ledger;
    if (database_is_cut(path) != CUT_NOT)
        return database_error_set(error, DATABASE_CORRUPT, "%s" DATABASE_CUT, path);
    keeper->ledger = ledger_open(path, geteuid(), DATABASE_CREATE, error);
    if (keeper->ledger == NULL) {
        atomic_store(&keeper->locked, error->failure == DATABASE_BUSY);
        return -1;
    }
    database_on_wait(ledger_database(keeper->ledger), on_wait, keeper);
    keeper->opened = true;
    return 0;
}

/* ---- what failed */

/* Whether a ledger that cannot be read is worth another try. */
static bool recover(struct keeper *keeper, const struct database_error *error)
{
    const struct damaged damaged = {
        .path = config_of(keeper)->ledger,
        .application = SCHEMA_APPLICATION,
        .opened = keeper->opened,
        .certain = keeper->ledger != NULL && ledger_is_damaged(keeper->ledger),
        .before = keeper->damaged,
    };
    struct database_error found = *error;
    g_autofree char *aside = NULL;
    g_clear_pointer(&keeper->ledger, ledger_close);
    enum recovery recovery = database_recover(&damaged, &found, &aside);
    if (recovery == RECOVERY_FAILED)
        log_line(LOG_CRIT, "ledger: %s", found.text);
    if (recovery != RECOVERY_ASIDE)
        return recovery == RECOVERY_SOUND;
    keeper->damaged = g_get_monotonic_time();
    g_array_set_size(keeper->voids, 0);
    log_line(LOG_CRIT,
             "ledger: %s; it is damaged and was renamed to %s, and a new one is begun: messages that are on hold are"
             " untracked now, see LEDGER in rcptguardd(8)",
             found.text, aside);
    return true;
}

/* Whether there is a use in trying again with the file opened anew. */
static bool begin_anew(struct keeper *keeper, const struct database_error *error)
{
    switch (error->failure) {
    case DATABASE_REPLACED:
        log_line(LOG_ERR, "ledger: %s; its rows are lost unless the file comes back, and a new one is begun",
                 error->text);
        g_clear_pointer(&keeper->ledger, ledger_close);
        g_array_set_size(keeper->voids, 0);
        return true;
    case DATABASE_CORRUPT:
        return recover(keeper, error);
    case DATABASE_OTHER: /* who fixes or replaces it finds it open no more */
        g_clear_pointer(&keeper->ledger, ledger_close);
        return false;
    default:
        return false;
    }
}

static void void_clear(gpointer data)
{
    struct ledger_void *row = data;
    g_free(row->queue_id);
}

static void write_holds(struct store_group *group, void *owner);
static void take_answers(struct store_group *group, void *owner);
static void take_trips(struct store_group *group, void *owner);
static void tidy_step(struct store_group *group, void *owner);

struct keeper *keeper_new(const struct config *config, struct diags *diags)
{
    struct keeper *keeper = g_new0(struct keeper, 1);
    atomic_init(&keeper->config, config);
    keeper->voids = g_array_new(FALSE, FALSE, sizeof(struct ledger_void));
    g_array_set_clear_func(keeper->voids, void_clear);
    struct database_error error;
    int result = open_ledger(keeper, &error);
    if (result == -1 && begin_anew(keeper, &error))
        result = open_ledger(keeper, &error);
    if (result == -1 && lasts(error.failure)) {
        diags_file_error(diags, config->ledger, "the ledger cannot be there: %s", error.text);
        g_array_unref(keeper->voids);
        g_free(keeper);
        return NULL;
    }
    if (result == -1)
        log_line(LOG_ERR, "ledger: %s; what would be held is deferred until it can be written", error.text);
    keeper->store = store_new();
    keeper->holds = store_group_new(keeper->store, false, write_holds, keeper);
    keeper->answers = store_group_new(keeper->store, false, take_answers, keeper);
    keeper->trips = store_group_new(keeper->store, false, take_trips, keeper);
    keeper->tidying = store_group_new(keeper->store, true, tidy_step, keeper);
    return keeper;
}

void keeper_use(struct keeper *keeper, const struct config *config)
{
    atomic_store(&keeper->config, config);
}

void keeper_count_in(struct keeper *keeper, struct metrics *metrics)
{
    atomic_store(&keeper->metrics, metrics);
}

int keeper_check(const struct config *config, struct diags *diags)
{
    struct database_error error;
    if (database_check_place(config->ledger, geteuid(), &error) != -1)
        return 0;
    diags_file_error(diags, config->ledger, "the ledger cannot be there: %s", error.text);
    return -1;
}

bool keeper_stop(struct keeper *keeper, unsigned limit)
{
    if (!store_stop(keeper->store, g_get_monotonic_time() + (gint64)limit * G_USEC_PER_SEC))
        return false;
    g_clear_pointer(&keeper->ledger, ledger_close); /* which leaves one file */
    return true;
}

void keeper_free(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    store_free(keeper->store);
    ledger_close(keeper->ledger);
    g_array_unref(keeper->voids);
    g_free(keeper);
}

static char *failure_text(const struct database_error *error)
{
    return g_strdup_printf("the ledger could not be written (%s): %s", database_failure_name(error->failure),
                           error->text);
}

/* ---- holding: in the thread */

/* A row to be written: the data of a job. */
struct writing {
    struct hold *hold;
    bool notice; /* notices are configured */
    gint64 id;   /* of the row; 0: it could not be added */
};

static void writing_free(gpointer data)
{
    struct writing *writing = data;
    hold_free(writing->hold);
    g_free(writing);
}

/* What is written together. */
struct commit {
    struct keeper *keeper;
    struct store_group *store;
    GPtrArray *jobs; /* struct store_job, taken */
    bool ended;      /* the commit was tried */
};

static void answer(const struct commit *commit, struct store_job *job, char *failure)
{
    store_end(commit->store, job, failure, g_free);
}

static void answer_all(struct commit *commit, const struct database_error *error)
{
    for (guint i = 0; i < commit->jobs->len; i++)
        answer(commit, g_ptr_array_index(commit->jobs, i), failure_text(error));
    g_ptr_array_set_size(commit->jobs, 0);
}

static void take_all(struct commit *commit)
{
    struct store_job *job;
    while (commit->jobs->len < GROUP_LIMIT && (job = store_take(commit->store)) != NULL)
        g_ptr_array_add(commit->jobs, job);
}

static int add_row(const struct commit *commit, struct writing *writing, struct database_error *error)
{
    const struct hold *hold = writing->hold;
    const struct ledger_hold row = {
        .message = &hold->message,
        .parties = hold->parties,
        .policy_text = hold->policy_text,
        .notice = writing->notice || hold->message.terms.release == RELEASE_AFTER,
        .window = hold->window,
        .untold = hold->untold,
        .remembered = hold->remembers ? &hold->remembered : NULL,
        .inside = hold->inside,
    };
    return ledger_group_add(commit->keeper->ledger, &row, &writing->id, error);
}

/* A row that is wrong fails alone, and is answered at once: nothing of it is there. */
static int add_rows(struct commit *commit, struct database_error *error)
{
    for (guint i = 0; i < commit->jobs->len; i++) {
        struct store_job *job = g_ptr_array_index(commit->jobs, i);
        if (add_row(commit, store_job_data(job), error) == 0)
            continue;
        if (!ledger_group_goes_on(commit->keeper->ledger, error))
            return -1;
        answer(commit, job, failure_text(error));
        g_ptr_array_remove_index(commit->jobs, i--);
    }
    return 0;
}

static int void_rows(const struct keeper *keeper, struct database_error *error)
{
    for (guint i = 0; i < keeper->voids->len; i++) {
        if (ledger_group_void(keeper->ledger, &g_array_index(keeper->voids, struct ledger_void, i), error) == -1)
            return -1;
    }
    return 0;
}

/* The lock first: those whose time is up while another process has it are not taken at all, and those that come
 * meanwhile are. */
static int begin(struct commit *commit, struct database_error *error)
{
    struct keeper *keeper = commit->keeper;
    if (open_ledger(keeper, error) == -1)
        return -1;
    gint64 now = g_get_monotonic_time(), end = now;
    bool waiting = store_waiting(commit->store, &end);
    database_set_wait(ledger_database(keeper->ledger), waiting ? (unsigned)((end - now) / 1000) : STEP_WAIT);
    if (ledger_group_begin(keeper->ledger, error) == -1)
        return -1;
    atomic_store(&keeper->locked, false);
    return 0;
}

static int write_commit(struct commit *commit, struct database_error *error)
{
    if (begin(commit, error) == -1)
        return -1;
    take_all(commit);
    if (void_rows(commit->keeper, error) == 0 && add_rows(commit, error) == 0) {
        commit->ended = true;
        return ledger_group_end(commit->keeper->ledger, error);
    }
    ledger_group_cancel(commit->keeper->ledger);
    return -1;
}

static struct ledger_void void_of(struct store_job *job)
{
    const struct writing *writing = store_job_data(job);
    const struct ledger_message *message = &writing->hold->message;
    return (struct ledger_void){writing->id, g_strdup(message->queue_id), message->judged};
}

/* What a sync could not write can be in the log nevertheless, and come back when it is recovered. */
static void answer_not_written(struct commit *commit, const struct database_error *error)
{
    GArray *voids = commit->keeper->voids;
    bool unclear = commit->ended && error->failure == DATABASE_OTHER;
    for (guint i = 0; unclear && i < commit->jobs->len && voids->len < VOID_LIMIT; i++) {
        struct ledger_void row = void_of(g_ptr_array_index(commit->jobs, i));
        g_array_append_val(voids, row);
    }
    take_all(commit);
    answer_all(commit, error);
}

/* The rows are on the disk.  Those that nobody waits for any more were answered as not written. */
static void answer_written(struct commit *commit)
{
    struct keeper *keeper = commit->keeper;
    g_array_set_size(keeper->voids, 0);
    for (guint i = 0; i < commit->jobs->len; i++) {
        struct store_job *job = g_ptr_array_index(commit->jobs, i);
        struct ledger_void row = void_of(job);
        if (store_end(commit->store, job, NULL, NULL))
            void_clear(&row);
        else
            g_array_append_val(keeper->voids, row);
    }
    g_ptr_array_set_size(commit->jobs, 0);
}

static void write_holds(struct store_group *store, void *owner)
{
    struct keeper *keeper = owner;
    gint64 began = g_get_monotonic_time(), deadline;
    if (keeper->voids->len == 0 && !store_waiting(store, &deadline))
        return;
    g_autoptr(GPtrArray) jobs = g_ptr_array_new();
    struct commit commit = {.keeper = keeper, .store = store, .jobs = jobs};
    struct database_error error;
    int result = write_commit(&commit, &error);
    if (result == -1 && begin_anew(keeper, &error))
        result = write_commit(&commit, &error);
    if (result == 0) {
        atomic_store(&keeper->stuck, false);
        answer_written(&commit);
    } else if (error.failure != DATABASE_BUSY || jobs->len > 0) {
        answer_not_written(&commit, &error);
    } else if (g_get_monotonic_time() - began < LOCK_PAUSE) {
        g_usleep(LOCK_PAUSE); /* those who wait for it leave when their time is up */
    }
    if (keeper->voids->len > 0)
        store_call_at(store, g_get_monotonic_time() + (result == 0 ? 1 : VOID_PAUSE));
}

/* ---- holding: the caller */

static char *expired_text(struct keeper *keeper)
{
    atomic_store(&keeper->stuck, true);
    if (atomic_load(&keeper->locked))
        return g_strdup_printf("the ledger could not be written (busy): %s: another process has it locked",
                               config_of(keeper)->ledger);
    return g_strdup_printf("the ledger could not be written (slow): %s: its disk does not take the row in time",
                           config_of(keeper)->ledger);
}

char *keeper_hold(struct keeper *keeper, struct hold *hold)
{
    gint64 wait = atomic_load(&keeper->stuck) ? STUCK_WAIT : LEDGER_WAIT;
    gint64 end = g_get_monotonic_time() + wait * 1000;
    if (hold->message.queue_id == NULL) {
        hold_free(hold);
        return g_strdup("the MTA sent no queue id (macro i), so the ledger could not identify the held message");
    }
    struct writing *writing = g_new0(struct writing, 1);
    writing->hold = hold;
    writing->notice = config_of(keeper)->review.notice != NULL;
    void *failure = NULL;
    switch (store_do(keeper->holds, writing, writing_free, end, &failure)) {
    case STORE_DONE:
        return failure;
    case STORE_EXPIRED:
    case STORE_ABANDONED:
        return expired_text(keeper);
    case STORE_STOPPED:
        break;
    }
    return g_strdup("rcptguardd is being stopped");
}

/* ---- answers by mail */

/* 1: it is written, with this `id`; 0 with `why`; or -1.  Other processes are waited for until `end` at most. */
static int take_answer(struct keeper *keeper, const struct received_answer *received, gint64 end, gint64 *id,
                       char **why, struct database_error *error)
{
    const struct config *config = config_of(keeper);
    struct answer_site site = {.review = &config->review, .policy = received->policy};
    if (open_ledger(keeper, error) == -1 || database_check_files(ledger_database(keeper->ledger), error) == -1 ||
        answer_key_read(config, geteuid(), site.key, error) == -1)
        return -1;
    gint64 rest = (end - g_get_monotonic_time()) / 1000 - (gint64)STEP_WAIT;
    database_set_wait(ledger_database(keeper->ledger), (unsigned)MAX(rest, 0));
    error->failure = DATABASE_NONE;
    return answer_decide(keeper->ledger, &site, &received->answer, id, why, error);
}

static void answered_free(gpointer data)
{
    struct answered *answered = data;
    g_free(answered->text);
    g_free(answered);
}

/* One whose sender was told in the meantime that it was not written is taken back; the agent is woken for the others.
 */
static void take_one(struct keeper *keeper, struct store_group *group, struct store_job *job, gint64 end)
{
    struct database_error error = {.failure = DATABASE_NONE};
    struct answered *answered = g_new0(struct answered, 1);
    gint64 id = 0;
    int result = take_answer(keeper, store_job_data(job), end, &id, &answered->text, &error);
    if (result == -1 && begin_anew(keeper, &error))
        result = take_answer(keeper, store_job_data(job), end, &id, &answered->text, &error);
    answered->result = result == 1 ? ANSWERED_TAKEN : result == 0 ? ANSWERED_REFUSED : ANSWERED_NOT;
    if (result == -1)
        answered->text = failure_text(&error);
    bool heard = store_end(group, job, answered, answered_free);
    if (heard && result == 1)
        bell_ring(config_of(keeper)->ledger, BELL_AGENT);
    if (!heard && result == 1 && ledger_decision_void(keeper->ledger, id, &error) == -1)
        log_line(LOG_ERR, "ledger: an answer by mail was deferred, and its decision stays: %s", error.text);
}

static void take_answers(struct store_group *group, void *owner)
{
    struct store_job *job;
    gint64 end = 0;
    while (store_waiting(group, &end) && (job = store_take(group)) != NULL)
        take_one(owner, group, job, end);
}

struct answered keeper_answer(struct keeper *keeper, struct received_answer *received)
{
    gint64 end = g_get_monotonic_time() + (gint64)LEDGER_WAIT * 1000;
    void *given = NULL;
    switch (store_do(keeper->answers, received, received_answer_free, end, &given)) {
    case STORE_DONE: {
        const struct answered answered = *(struct answered *)given;
        g_free(given);
        return answered;
    }
    case STORE_EXPIRED:
    case STORE_ABANDONED:
        return (struct answered){ANSWERED_NOT, expired_text(keeper)};
    case STORE_STOPPED:
        break;
    }
    return (struct answered){ANSWERED_NOT, g_strdup("rcptguardd is being stopped")};
}

/* ---- refusals that end delays */

/* Other processes are waited for until `end` at most. */
static int take_trip(struct keeper *keeper, const struct ledger_trip *trip, gint64 end, struct database_error *error)
{
    if (open_ledger(keeper, error) == -1 || database_check_files(ledger_database(keeper->ledger), error) == -1)
        return -1;
    gint64 rest = (end - g_get_monotonic_time()) / 1000 - (gint64)STEP_WAIT;
    database_set_wait(ledger_database(keeper->ledger), (unsigned)MAX(rest, 0));
    return ledger_end_delays(keeper->ledger, trip, 0, error);
}

/* One that nobody waits for any more is done all the same: it keeps mail on hold. */
static void take_trips(struct store_group *group, void *owner)
{
    struct keeper *keeper = owner;
    struct database_error error;
    struct store_job *job;
    gint64 end = 0;
    while (store_waiting(group, &end) && (job = store_take(group)) != NULL) {
        int result = take_trip(keeper, store_job_data(job), end, &error);
        if (result == -1 && begin_anew(keeper, &error))
            result = take_trip(keeper, store_job_data(job), end, &error);
        if (result == 0) /* their author is told */
            bell_ring(config_of(keeper)->ledger, BELL_AGENT);
        store_end(group, job, result == -1 ? failure_text(&error) : NULL, g_free);
    }
}

char *keeper_end_delays(struct keeper *keeper, struct ledger_trip *trip)
{
    gint64 end = g_get_monotonic_time() + (gint64)LEDGER_WAIT * 1000;
    void *failure = NULL;
    switch (store_do(keeper->trips, trip, ledger_trip_free, end, &failure)) {
    case STORE_DONE:
        return failure;
    case STORE_EXPIRED:
    case STORE_ABANDONED:
        return expired_text(keeper);
    case STORE_STOPPED:
        break;
    }
    return g_strdup("rcptguardd is being stopped");
}

/* ---- tidying */

enum tidy_kind { TIDY_POLICY, TIDY_PRUNE };

/* The data of a job. */
struct tidy {
    enum tidy_kind kind;
    struct policy *policy; /* in force */
    unsigned removed;      /* rows so far */
    unsigned waited;       /* steps in a row that another process kept from the ledger */
};

static struct tidy *tidy_new(enum tidy_kind kind, struct policy *policy)
{
    struct tidy *tidy = g_new0(struct tidy, 1);
    tidy->kind = kind;
    tidy->policy = policy_ref(policy);
    return tidy;
}

static void tidy_free(gpointer data)
{
    struct tidy *tidy = data;
    policy_unref(tidy->policy);
    g_free(tidy);
}

/* One transaction: 1 if there is more to do. */
static int do_step(struct keeper *keeper, struct tidy *tidy, struct database_error *error)
{
    const char *digest = policy_digest(tidy->policy);
    gint64 now = g_get_real_time();
    unsigned removed = 0;
    if (open_ledger(keeper, error) == -1 || database_check_files(ledger_database(keeper->ledger), error) == -1)
        return -1;
    database_set_wait(ledger_database(keeper->ledger), STEP_WAIT);
    if (tidy->kind == TIDY_POLICY)
        return ledger_keep_policy(keeper->ledger, digest, policy_text(tidy->policy), now, error);
    gint64 before = now - (gint64)config_of(keeper)->keep * G_USEC_PER_SEC;
    if (ledger_prune(keeper->ledger, before, digest, &removed, error) == -1)
        return -1;
    tidy->removed += removed;
    return removed == LEDGER_PRUNE_ROWS ? 1 : 0;
}

/* Whether a step that failed is to be tried again: another process has the ledger, or the file was another one. */
static bool comes_again(struct keeper *keeper, struct tidy *tidy, const struct database_error *error)
{
    if (++tidy->waited >= STEP_TRIES)
        return false;
    return error->failure == DATABASE_BUSY || begin_anew(keeper, error);
}

static void tidy_failed(struct keeper *keeper, const struct database_error *error)
{
    metrics_count_ledger_error(atomic_load(&keeper->metrics), METRICS_TIDY);
    log_line(LOG_ERR, "ledger: %s", error->text);
}

static void prune_ended(struct keeper *keeper, const struct tidy *tidy)
{
    keeper->pruning = false;
    if (tidy->removed > 0)
        log_line(LOG_INFO, "ledger: removed %u closed rows older than %u days", tidy->removed,
                 config_of(keeper)->keep / (24 * 60 * 60));
}

/* Old rows leave step by step after the policy is there, without anybody waiting. */
static void prune_begin(struct keeper *keeper, struct store_group *group, struct policy *policy)
{
    if (!keeper->pruning)
        keeper->pruning = store_add(group, tidy_new(TIDY_PRUNE, policy), tidy_free);
}

static void tidy_step(struct store_group *group, void *owner)
{
    struct keeper *keeper = owner;
    struct store_job *job = store_take(group);
    if (job == NULL)
        return;
    struct tidy *tidy = store_job_data(job);
    struct database_error error = {.failure = DATABASE_NONE};
    int result = store_stopping(group) ? 0 : do_step(keeper, tidy, &error);
    if (result != -1)
        tidy->waited = 0;
    if (result == 1 || (result == -1 && comes_again(keeper, tidy, &error))) {
        store_again(group, job);
        return;
    }
    if (result == -1)
        tidy_failed(keeper, &error);
    if (tidy->kind == TIDY_PRUNE)
        prune_ended(keeper, tidy);
    else if (result == 0)
        prune_begin(keeper, group, tidy->policy);
    store_end(group, job, NULL, NULL);
}

void keeper_tidy(struct keeper *keeper, struct policy *policy)
{
    void *nothing;
    gint64 end = g_get_monotonic_time() + POLICY_WAIT;
    enum store_result result = store_do(keeper->tidying, tidy_new(TIDY_POLICY, policy), tidy_free, end, &nothing);
    if (result != STORE_EXPIRED)
        return;
    metrics_count_ledger_error(atomic_load(&keeper->metrics), METRICS_TIDY);
    log_line(LOG_ERR, "ledger: %s: its disk is too slow for the policy to be recorded", config_of(keeper)->ledger);
}
