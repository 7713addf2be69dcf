/*
 * test-ledger-writer - rows that wait together are committed together; none is there behind an answer that says it is
 * not, and none is missing behind one that says it is
 *
 * fsync and fdatasync are this program's own here, in place of the C library's: SQLite's syncs
 * wait or fail as a test wants, and never because the machine's own disk is busy.
 */

#include "milter/daemon/ledger_writer.h"
#include "milter/log/log.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGES   60
#define STOP_LIMIT 60 /* seconds */

/* Microseconds in which whoever waits has certainly ended. */
#define LONG (60 * G_USEC_PER_SEC)

static atomic_int sync_delay; /* milliseconds */
static atomic_bool sync_hangs;
static atomic_int sync_error; /* errno, or 0 */
static atomic_int syncs;

static int sync_as_wanted(void)
{
    atomic_fetch_add(&syncs, 1);
    if (atomic_load(&sync_delay) > 0)
        g_usleep((gulong)atomic_load(&sync_delay) * 1000);
    while (atomic_load(&sync_hangs))
        g_usleep(1000);
    errno = atomic_load(&sync_error);
    return errno == 0 ? 0 : -1;
}

int fsync(int descriptor)
{
    (void)descriptor;
    return sync_as_wanted();
}

int fdatasync(int descriptor)
{
    (void)descriptor;
    return sync_as_wanted();
}

/* ---- what the daemon has: its log, its metrics */

static GString *log_text;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

void log_line(int priority, const char *format, ...)
{
    (void)priority;
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&log_lock);
    g_string_append_vprintf(log_text, format, arguments);
    g_string_append_c(log_text, '\n');
    pthread_mutex_unlock(&log_lock);
    va_end(arguments);
}

/* ---- a keeper in a folder */

struct place {
    char *folder;
    struct config *config;
    struct policy *policy;
    struct keeper *keeper;
};

static struct place place_new(void)
{
    struct place place = {.folder = folder_new(), .config = g_new0(struct config, 1)};
    auto_free(diags) diags = diags_new();
    g_assert_cmpint(chmod(place.folder, 0700), ==, 0);
    log_text = g_string_new(NULL);
    place.config->ledger = g_build_filename(place.folder, "ledger.db", NULL);
    place.config->keep = 24 * 60 * 60;
    place.policy = policy_of(UNIT_HEAD "default quarantine \"held\"\n");
    place.keeper = keeper_new(place.config, diags);
    g_assert_nonnull(place.keeper);
    return place;
}

static void place_clear(struct place *place)
{
    atomic_store(&sync_delay, 0);
    atomic_store(&sync_error, 0);
    g_assert_true(keeper_stop(place->keeper, STOP_LIMIT));
    keeper_free(place->keeper);
    policy_unref(place->policy);
    g_free(place->config->ledger);
    g_free(place->config);
    folder_free(place->folder);
    g_string_free(log_text, TRUE);
}

static struct ledger *look(const struct place *place)
{
    struct database_error error;
    struct ledger *ledger = ledger_open(place->config->ledger, geteuid(), DATABASE_EXISTING, &error);
    if (ledger == NULL)
        g_error("%s", error.text);
    return ledger;
}

/* How many rows the ledger has of a queue id. */
static unsigned rows_of(struct ledger *ledger, const char *queue_id)
{
    struct database_error error;
    g_autoptr(GPtrArray) rows = ledger_find(ledger, queue_id, &error);
    g_assert_nonnull(rows);
    return rows->len;
}

static unsigned rows_in_all(struct ledger *ledger)
{
    struct database_error error;
    const struct ledger_filter every = {0};
    unsigned count = 0;
    gint64 oldest;
    g_assert_cmpint(ledger_count(ledger, &every, &count, &oldest, &error), ==, 0);
    return count;
}

/* ---- messages */

struct sender {
    pthread_t thread;
    const struct place *place;
    char queue_id[32];
    bool bad;
    struct hold *hold;
    char *failure;
    gint64 took;
};

/* Where the senders of one start wait for each other. */
static pthread_barrier_t ready;

static struct hold *hold_of(const struct sender *sender)
{
    struct message *message = message_of("care@me.example", "ann@x.example, bob@y.example");
    message->mta = MTA_POSTFIX;
    message_set_queue_id(message, sender->queue_id);
    struct verdict *verdict = evaluate_at(sender->place->policy, message, 1790000000);
    gint64 now = g_get_real_time();
    struct hold *hold = hold_new(sender->place->policy, message, verdict, true, now, now);
    if (sender->bad)
        g_clear_pointer(&hold->message.rule, g_free); /* NOT NULL in the ledger */
    verdict_free(verdict);
    message_free(message);
    return hold;
}

static void *send_one(void *data)
{
    struct sender *sender = data;
    pthread_barrier_wait(&ready);
    gint64 began = g_get_monotonic_time();
    sender->failure = keeper_hold(sender->place->keeper, sender->hold);
    sender->took = g_get_monotonic_time() - began;
    return NULL;
}

static void start(struct sender *senders, unsigned count, const struct place *place, const char *prefix)
{
    static bool used;
    if (used)
        pthread_barrier_destroy(&ready);
    used = true;
    for (unsigned i = 0; i < count; i++) {
        senders[i] = (struct sender){.place = place, .bad = senders[i].bad};
        g_snprintf(senders[i].queue_id, sizeof senders[i].queue_id, "%s%u", prefix, i);
        senders[i].hold = hold_of(&senders[i]);
    }
    g_assert_cmpint(pthread_barrier_init(&ready, NULL, count), ==, 0);
    for (unsigned i = 0; i < count; i++)
        g_assert_cmpint(pthread_create(&senders[i].thread, NULL, send_one, &senders[i]), ==, 0);
}

/* Waits for all, and gives how many were written.  Each has the row that its answer says. */
static unsigned finish(struct sender *senders, unsigned count, struct ledger *ledger)
{
    unsigned written = 0;
    for (unsigned i = 0; i < count; i++)
        pthread_join(senders[i].thread, NULL);
    for (unsigned i = 0; i < count; i++) {
        if (senders[i].failure == NULL) {
            written++;
            g_assert_cmpuint(rows_of(ledger, senders[i].queue_id), ==, 1);
        }
    }
    return written;
}

static void senders_clear(struct sender *senders, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        g_clear_pointer(&senders[i].failure, g_free);
}

/* ---- tests */

static void test_together(void)
{
    static struct sender senders[MESSAGES];
    struct place place = place_new();
    auto_free(ledger) ledger = look(&place);
    atomic_store(&sync_delay, 20);
    atomic_store(&syncs, 0);
    start(senders, MESSAGES, &place, "T");
    g_assert_cmpuint(finish(senders, MESSAGES, ledger), ==, MESSAGES);
    g_test_message("%d syncs", atomic_load(&syncs));
    g_assert_cmpint(atomic_load(&syncs), <, MESSAGES / 2);
    g_assert_cmpuint(rows_in_all(ledger), ==, MESSAGES);
    senders_clear(senders, MESSAGES);
    place_clear(&place);
}

/* A row that cannot be written fails alone. */
static void test_bad_row(void)
{
    static struct sender senders[MESSAGES];
    struct place place = place_new();
    auto_free(ledger) ledger = look(&place);
    atomic_store(&sync_delay, 20);
    for (unsigned i = 0; i < MESSAGES; i += 7)
        senders[i].bad = true;
    start(senders, MESSAGES, &place, "B");
    unsigned bad = 0, written = finish(senders, MESSAGES, ledger);
    for (unsigned i = 0; i < MESSAGES; i++) {
        g_assert_cmpint(senders[i].failure != NULL, ==, senders[i].bad);
        bad += senders[i].bad;
        if (senders[i].bad)
            g_assert_nonnull(strstr(senders[i].failure, "NOT NULL"));
    }
    g_assert_cmpuint(written + bad, ==, MESSAGES);
    g_assert_cmpuint(rows_in_all(ledger), ==, written);
    senders_clear(senders, MESSAGES);
    place_clear(&place);
}

static void wait_for_rows(struct ledger *ledger, unsigned count)
{
    for (unsigned i = 0; i < 6000 && rows_in_all(ledger) != count; i++)
        g_usleep(10 * 1000);
    g_assert_cmpuint(rows_in_all(ledger), ==, count);
}

/* A sync that does not end: answered all the same, and the row is void soon after it has ended. */
static void test_void(void)
{
    static struct sender senders[4];
    struct place place = place_new();
    auto_free(ledger) ledger = look(&place);
    start(senders, 1, &place, "BEFORE");
    g_assert_cmpuint(finish(senders, 1, ledger), ==, 1);
    atomic_store(&sync_hangs, true);
    start(senders, 4, &place, "V");
    g_assert_cmpuint(finish(senders, 4, ledger), ==, 0);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_nonnull(strstr(senders[i].failure, "slow"));
        g_assert_cmpint(senders[i].took, <, LONG);
    }
    atomic_store(&sync_hangs, false);
    /* Each row that was committed appears, and goes. */
    senders_clear(senders, 4);
    unsigned written = 0;
    for (unsigned i = 0; i < 1000 && written == 0; i++) { /* at first they wait for a shorter time */
        senders_clear(senders, 1);
        start(senders, 1, &place, "AFTER");
        written = finish(senders, 1, ledger);
    }
    g_assert_cmpuint(written, ==, 1);
    wait_for_rows(ledger, 2);
    g_assert_cmpuint(rows_of(ledger, "BEFORE0"), ==, 1);
    g_assert_cmpuint(rows_of(ledger, "AFTER0"), ==, 1);
    place_clear(&place);
    senders_clear(senders, 1);
}

/* The same without a message after it, and with the stop right behind it. */
static void test_void_at_the_stop(void)
{
    static struct sender sender[1];
    struct place place = place_new();
    atomic_store(&sync_delay, (int)LEDGER_WAIT + 100);
    auto_free(ledger) ledger = look(&place);
    start(sender, 1, &place, "S");
    g_assert_cmpuint(finish(sender, 1, ledger), ==, 0);
    g_assert_true(keeper_stop(place.keeper, STOP_LIMIT));
    g_assert_cmpuint(rows_in_all(ledger), ==, 0);
    atomic_store(&sync_delay, 0);
    keeper_free(place.keeper);
    policy_unref(place.policy);
    g_free(place.config->ledger);
    g_free(place.config);
    folder_free(place.folder);
    g_string_free(log_text, TRUE);
    senders_clear(sender, 1);
}

/* A sync that fails: no row of the group is there, then and after a recovery of the log, and each caller hears why. */
static void test_failing_sync(void)
{
    static struct sender senders[MESSAGES];
    struct place place = place_new();
    atomic_store(&sync_error, EIO);
    start(senders, MESSAGES, &place, "F");
    for (unsigned i = 0; i < MESSAGES; i++) {
        pthread_join(senders[i].thread, NULL);
        g_assert_nonnull(senders[i].failure);
        g_assert_nonnull(strstr(senders[i].failure, "could not be written"));
    }
    atomic_store(&sync_error, 0);
    senders_clear(senders, MESSAGES);
    start(senders, 1, &place, "G");
    pthread_join(senders[0].thread, NULL);
    g_assert_cmpstr(senders[0].failure, ==, NULL);
    auto_free(ledger) ledger = look(&place);
    wait_for_rows(ledger, 1);
    g_assert_cmpuint(rows_of(ledger, "G0"), ==, 1);
    g_assert_cmpstr(log_text->str, ==, "");
    place_clear(&place);
}

/* Another process has the lock for a while: who waits for it is written as soon as it is free. */
static void test_locked(void)
{
    static struct sender senders[8];
    struct place place = place_new();
    struct database_error error;
    auto_free(ledger) ledger = look(&place);
    unsigned written = 0, rows = 0;
    for (unsigned i = 0; i < 100 && written < 4; i++) {
        g_autofree char *prefix = g_strdup_printf("L%u.", i);
        g_assert_cmpint(database_begin(ledger_database(ledger), &error), ==, 0);
        start(senders, 4, &place, prefix);
        g_usleep(100 * 1000); /* part of the time that they wait; on a busy machine it can be all of it */
        database_rollback(ledger_database(ledger));
        written = finish(senders, 4, ledger);
        rows += written;
        senders_clear(senders, 4);
    }
    g_assert_cmpuint(written, ==, 4);

    g_assert_cmpint(database_begin(ledger_database(ledger), &error), ==, 0);
    start(senders, 8, &place, "M");
    for (unsigned i = 0; i < 8; i++) {
        pthread_join(senders[i].thread, NULL);
        g_assert_nonnull(senders[i].failure);
        g_assert_nonnull(strstr(senders[i].failure, "(busy)"));
        g_assert_nonnull(strstr(senders[i].failure, "locked"));
        g_assert_cmpint(senders[i].took, <, LONG);
    }
    database_rollback(ledger_database(ledger));
    senders_clear(senders, 8);
    wait_for_rows(ledger, rows);
    place_clear(&place);
}

/* Old rows go in steps, and the policy in force is recorded, while messages are held. */
static void test_tidy(void)
{
    static struct sender senders[MESSAGES];
    struct place place = place_new();
    struct database_error error;
    auto_free(ledger) ledger = look(&place);
    start(senders, MESSAGES, &place, "OLD");
    g_assert_cmpuint(finish(senders, MESSAGES, ledger), ==, MESSAGES);
    senders_clear(senders, MESSAGES);
    g_assert_cmpint(database_run(ledger_database(ledger),
                                 "UPDATE held SET state = 'left', changed = 1;"
                                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5)"
                                 "INSERT INTO held (queue_id, mta, began, judged, sender, rule, line, policy, visible,"
                                 " parties, domains, internal, hidden, recipients, defects, approvals, state, changed)"
                                 " SELECT queue_id, mta, began, judged, sender, rule, line, policy, visible,"
                                 " parties, domains, internal, hidden, recipients, defects, approvals, state, changed"
                                 " FROM held, n",
                                 &error),
                    ==, 0);
    g_assert_cmpuint(rows_in_all(ledger), ==, 6 * MESSAGES);
    for (unsigned i = 0; i < 20; i++)
        keeper_tidy(place.keeper, place.policy);
    start(senders, MESSAGES, &place, "NEW");
    g_assert_cmpuint(finish(senders, MESSAGES, ledger), ==, MESSAGES);
    wait_for_rows(ledger, MESSAGES);
    senders_clear(senders, MESSAGES);
    g_autofree char *text = ledger_policy_text(ledger, policy_digest(place.policy), &error);
    g_assert_cmpstr(text, ==, policy_text(place.policy));
    place_clear(&place);
}

/* ---- the stop */

static void test_stop(void)
{
    static struct sender senders[MESSAGES], late[1];
    struct place place = place_new();
    auto_free(ledger) ledger = look(&place);
    atomic_store(&sync_delay, 20);
    atomic_store(&syncs, 0);
    start(senders, MESSAGES, &place, "Q");
    for (unsigned i = 0; i < 60000 && atomic_load(&syncs) == 0; i++) /* so that there is something to be stopped */
        g_usleep(1000);
    g_assert_cmpint(atomic_load(&syncs), >, 0);
    g_assert_true(keeper_stop(place.keeper, STOP_LIMIT));
    unsigned written = finish(senders, MESSAGES, ledger);
    g_assert_cmpuint(rows_in_all(ledger), ==, written);
    start(late, 1, &place, "LATE");
    g_assert_cmpuint(finish(late, 1, ledger), ==, 0);
    g_assert_nonnull(strstr(late[0].failure, "stopped"));
    senders_clear(senders, MESSAGES);
    senders_clear(late, 1);
    place_clear(&place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/writer/together", test_together);
    g_test_add_func("/writer/bad-row", test_bad_row);
    g_test_add_func("/writer/void", test_void);
    g_test_add_func("/writer/void-at-the-stop", test_void_at_the_stop);
    g_test_add_func("/writer/failing-sync", test_failing_sync);
    g_test_add_func("/writer/locked", test_locked);
    g_test_add_func("/writer/tidy", test_tidy);
    g_test_add_func("/writer/stop", test_stop);
    return g_test_run();
}
