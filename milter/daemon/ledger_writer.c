/* ledger_writer - see ledger_writer.h */

#include "milter/daemon/ledger_writer.h"

#include "milter/log/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* POSIX's locks and not GLib's, which a thread sanitizer does not see through. */
struct keeper {
    _Atomic(const struct config *) config;

    pthread_mutex_t lock; /* of the two below */
    pthread_cond_t turn;  /* by the monotonic clock */
    bool taken;           /* a thread uses the ledger */
    bool blocked;         /* and it waits for another process */

    struct ledger *ledger; /* of the thread that has taken it; NULL: to be opened */
};

static const struct config *config_of(const struct keeper *keeper)
{
    return atomic_load(&keeper->config);
}

/* ---- taking turns */

/* From within the transaction that has to wait: those after it shall not. */
static void on_wait(void *data)
{
    struct keeper *keeper = data;
    pthread_mutex_lock(&keeper->lock);
    keeper->blocked = true;
    pthread_cond_broadcast(&keeper->turn);
    pthread_mutex_unlock(&keeper->lock);
}

/* Waits for those who are being written, until `end` (monotonic, microseconds); not for one who waits himself. */
static bool take(struct keeper *keeper, gint64 end)
{
    struct timespec limit = {.tv_sec = end / G_USEC_PER_SEC, .tv_nsec = end % G_USEC_PER_SEC * 1000};
    pthread_mutex_lock(&keeper->lock);
    while (keeper->taken && !keeper->blocked && pthread_cond_timedwait(&keeper->turn, &keeper->lock, &limit) == 0)
        continue;
    bool got = !keeper->taken;
    keeper->taken = true;
    pthread_mutex_unlock(&keeper->lock);
    return got;
}

static void give_back(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->taken = false;
    keeper->blocked = false;
    pthread_cond_signal(&keeper->turn);
    pthread_mutex_unlock(&keeper->lock);
}

/* ---- opening */

/* What a person has to fix, and waiting does not. */
static bool lasts(enum database_failure failure)
{
    return failure == DATABASE_MISSING || failure == DATABASE_INSECURE || failure == DATABASE_READ_ONLY ||
           failure == DATABASE_FOREIGN;
}

static int open_ledger(struct keeper *keeper, struct database_error *error)
{
    keeper->ledger = ledger_open(config_of(keeper)->ledger, geteuid(), DATABASE_CREATE, error);
    if (keeper->ledger == NULL)
        return -1;
    database_on_wait(ledger_database(keeper->ledger), on_wait, keeper);
    return 0;
}

struct keeper *keeper_new(const struct config *config, struct diags *diags)
{
    struct keeper *keeper = g_new0(struct keeper, 1);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_cond_init(&keeper->turn, &monotonic);
    atomic_init(&keeper->config, config);

    struct database_error error;
    if (open_ledger(keeper, &error) == 0)
        return keeper;
    if (lasts(error.failure)) {
        diags_file_error(diags, config->ledger, "the ledger cannot be there: %s", error.text);
        g_free(keeper);
        return NULL;
    }
    log_line(LOG_ERR, "ledger: %s; what would be held is deferred until it can be written", error.text);
    return keeper;
}

void keeper_use(struct keeper *keeper, const struct config *config)
{
    atomic_store(&keeper->config, config);
}

int keeper_check(const struct config *config, struct diags *diags)
{
    struct database_error error;
    if (database_check_place(config->ledger, geteuid(), &error) != -1)
        return 0;
    diags_file_error(diags, config->ledger, "the ledger cannot be there: %s", error.text);
    return -1;
}

/* ---- holding */

/* Whether there is a use in trying again with the file opened anew. */
static bool begin_anew(struct keeper *keeper, const struct database_error *error)
{
    switch (error->failure) {
    case DATABASE_REPLACED:
        log_line(LOG_ERR, "ledger: %s; its rows are lost unless the file comes back, and a new one is begun",
                 error->text);
        g_clear_pointer(&keeper->ledger, ledger_close);
        return true;
    case DATABASE_CORRUPT:
    case DATABASE_OTHER: /* who fixes or replaces it finds it open no more */
        g_clear_pointer(&keeper->ledger, ledger_close);
        return false;
    default:
        return false;
    }
}

/* What is left until then, in milliseconds. */
static unsigned left(gint64 end)
{
    gint64 now = g_get_monotonic_time();
    return now < end ? (unsigned)((end - now) / 1000) : 0;
}

static int write_row(struct keeper *keeper, const struct ledger_hold *hold, gint64 end, struct database_error *error)
{
    for (unsigned tries = 0; tries < 2; tries++) {
        if (keeper->ledger == NULL && open_ledger(keeper, error) == -1)
            return -1;
        database_set_wait(ledger_database(keeper->ledger), left(end));
        if (ledger_hold(keeper->ledger, hold, error) == 0)
            return 0;
        if (!begin_anew(keeper, error))
            return -1;
    }
    return -1;
}

char *keeper_hold(struct keeper *keeper, const struct hold *hold)
{
    const struct ledger_hold row = {
        .message = &hold->message,
        .parties = hold->parties,
        .policy_text = hold->policy_text,
        .notice = config_of(keeper)->review.notice != NULL,
        .untold = hold->untold,
    };
    if (hold->message.queue_id == NULL)
        return g_strdup("the MTA sent no queue id (macro i), so the ledger could not identify the held message");
    gint64 end = g_get_monotonic_time() + (gint64)LEDGER_WAIT * 1000;
    if (!take(keeper, end))
        return g_strdup("the ledger is busy with another message");
    struct database_error error;
    int result = write_row(keeper, &row, end, &error);
    give_back(keeper);
    if (result == 0)
        return NULL;
    return g_strdup_printf("the ledger could not be written (%s): %s", database_failure_name(error.failure),
                           error.text);
}

/* ---- tidying */

int keeper_tidy(struct keeper *keeper, const struct policy *policy)
{
    const struct config *config = config_of(keeper);
    const char *digest = policy_digest(policy);
    gint64 now = g_get_real_time();
    unsigned removed = 0;
    int result = 0;
    struct database_error error;

    /* A connection of its own: no message waits for this one's turn. */
    auto_free(ledger) ledger = ledger_open(config->ledger, geteuid(), DATABASE_CREATE, &error);
    if (ledger == NULL || ledger_keep_policy(ledger, digest, policy_text(policy), now, &error) == -1 ||
        ledger_prune(ledger, now - (gint64)config->keep * G_USEC_PER_SEC, digest, &removed, &error) == -1) {
        log_line(LOG_ERR, "ledger: %s", error.text);
        result = -1;
    }
    if (removed > 0)
        log_line(LOG_INFO, "ledger: removed %u closed rows older than %u days", removed, config->keep / (24 * 60 * 60));
    return result;
}
