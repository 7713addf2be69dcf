/* metrics_file - see metrics_file.h */

#include "milter/metrics/metrics_file.h"

#include "milter/ledger/ledger.h"
#include "milter/log/log.h"
#include "milter/metrics/metrics_replace.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

/* POSIX's locks and not GLib's, which a thread sanitizer does not see through. */
struct metrics_file {
    const struct config *config;
    struct metrics *metrics;

    pthread_mutex_t lock;  /* of the next three */
    pthread_cond_t change; /* by the monotonic clock */
    bool asked;
    guint64 begun; /* writings, and those of them that are over */
    guint64 over;

    /* Of the thread alone: */
    char *file_trouble; /* what was said last, or NULL while all is well */
    char *ledger_trouble;
    struct ledger_figures figures;
};

struct metrics_file *metrics_file_new(const struct config *config, struct metrics *metrics)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);

    struct metrics_file *file = g_new0(struct metrics_file, 1);
    file->config = config;
    file->metrics = metrics;
    pthread_mutex_init(&file->lock, NULL);
    pthread_cond_init(&file->change, &monotonic);
    return file;
}

/* ---- the ledger */

/*
 * A connection of its own: no message waits for this one's turn.  It is closed each time: in one process, all
 * connections to a database share the memory of its log, so that one that stays open would keep the old memory in use
 * after the files beside the ledger were deleted, and nothing could be held.
 */
static int ask_ledger(struct metrics_file *file, struct database_error *error)
{
    auto_free(ledger) ledger = ledger_open(file->config->ledger, geteuid(), DATABASE_EXISTING, error);
    if (ledger == NULL)
        return -1;
    /* Only counted: what is in the log is the writer's to copy. */
    database_keep_log(ledger_database(ledger));
    return ledger_figures_update(ledger, &file->figures, error);
}

/* ---- what is said */

/* A trouble that is new, or another than before: true.  `trouble` is NULL if all is well. */
static bool changed(char **before, const char *trouble)
{
    if (g_strcmp0(*before, trouble) == 0)
        return false;
    g_free(*before);
    *before = g_strdup(trouble);
    return true;
}

static void tell_file(struct metrics_file *file, const char *trouble)
{
    const char *path = file->config->metrics;
    if (!changed(&file->file_trouble, trouble))
        return;
    if (trouble != NULL)
        log_line(LOG_WARNING, "metrics: %s: %s; mail is evaluated as usual", path, trouble);
    else
        log_line(LOG_NOTICE, "metrics: %s is written again", path);
}

static void tell_ledger(struct metrics_file *file, const char *trouble)
{
    if (changed(&file->ledger_trouble, trouble) && trouble != NULL)
        log_line(LOG_WARNING, "metrics: how many messages are held is left out: %s", trouble);
}

/* ---- the thread */

static void write_once(struct metrics_file *file)
{
    struct metrics_held held = {.known = false, .lost_lines = log_lost()};
    struct database_error error;
    held.known = ask_ledger(file, &error) == 0;
    held.figures = file->figures;
    if (!held.known)
        metrics_count_ledger_error(file->metrics, METRICS_COUNT);
    tell_ledger(file, held.known ? NULL : error.text);

    g_autoptr(GString) text = g_string_new(NULL);
    metrics_append(file->metrics, text, &held, g_get_real_time());
    g_autofree char *trouble = metrics_replace(file->config->metrics, text);
    tell_file(file, trouble);
}

static struct timespec from_now(unsigned milliseconds)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return end;
}

gpointer metrics_file_run(gpointer data)
{
    struct metrics_file *file = data;
    for (;;) {
        struct timespec next = from_now(METRICS_INTERVAL * 1000);
        pthread_mutex_lock(&file->lock);
        file->asked = false;
        file->begun++;
        pthread_mutex_unlock(&file->lock);

        write_once(file);

        pthread_mutex_lock(&file->lock);
        file->over = file->begun;
        pthread_cond_broadcast(&file->change);
        while (!file->asked && pthread_cond_timedwait(&file->change, &file->lock, &next) == 0)
            continue;
        pthread_mutex_unlock(&file->lock);
    }
    return NULL;
}

void metrics_file_ask(struct metrics_file *file)
{
    pthread_mutex_lock(&file->lock);
    file->asked = true;
    pthread_cond_broadcast(&file->change);
    pthread_mutex_unlock(&file->lock);
}

void metrics_file_wait(struct metrics_file *file, unsigned limit)
{
    struct timespec end = from_now(limit);
    pthread_mutex_lock(&file->lock);
    guint64 wanted = file->begun + 1; /* one that runs may have copied the numbers already */
    file->asked = true;
    pthread_cond_broadcast(&file->change);
    while (file->over < wanted && pthread_cond_timedwait(&file->change, &file->lock, &end) == 0)
        continue;
    pthread_mutex_unlock(&file->lock);
}
