/* test-state-client - the daemon's state: the cases of every implementation through its thread; what fails, and for how
 * long */

#include <config.h>

#include "milter/state/state_client.h"
#include "state_cases.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In which whoever waits has certainly ended, in microseconds; and whoever is to stop, in seconds. */
#define PATIENCE   (60 * G_USEC_PER_SEC)
#define STOP_LIMIT 60

static struct database_error error;

/* A folder that nobody else may write, and a client whose file is in it. */
struct place {
    char *folder;
    struct config *config;
    struct state_client *client;
    struct state_file *other; /* the same file, opened by another */
    int errors[STATE_OPERATIONS];
    GArray *learned; /* state_hash: the parties of the last set, and its scope */
    state_hash scope;
    unsigned sets; /* that were learned */
};

static struct state_client *client_sound(const struct config *config)
{
    auto_free(diags) diags = diags_new();
    struct state_client *client = state_client_new(config, diags);
    g_assert_cmpuint(diags_errors(diags), ==, 0);
    g_assert_nonnull(client);
    return client;
}

static void count_error(void *data, enum state_operation operation)
{
    g_atomic_int_inc(&((struct place *)data)->errors[operation]);
}

/* With a database that is away, if one is named. */
static struct place *place_with(const char *database)
{
    struct place *place = g_new0(struct place, 1);
    place->learned = g_array_new(FALSE, FALSE, sizeof(state_hash));
    place->folder = folder_new();
    g_assert_cmpint(chmod(place->folder, 0700), ==, 0);
    place->config = config_new("rcptguard.conf");
    g_free(place->config->ledger);
    place->config->ledger = g_build_filename(place->folder, "ledger.db", NULL);
    place->config->state_database = g_strdup(database);
    if (database != NULL)
        place->config->state_on_away = STATE_AWAY_LOCAL;
    place->client = client_sound(place->config);
    state_client_on_error(place->client, count_error, place);
    g_autofree char *path = config_state(place->config);
    place->other = state_file_open(path, geteuid(), DATABASE_EXISTING, 1000, &error);
    g_assert_nonnull(place->other);
    return place;
}

static struct place *place_new(void)
{
    return place_with(NULL);
}

static void place_free(struct place *place)
{
    g_assert_true(state_client_stop(place->client, STOP_LIMIT));
    state_client_free(place->client);
    state_file_close(place->other);
    config_free(place->config);
    g_array_unref(place->learned);
    folder_free(place->folder);
    g_free(place);
}

static const struct state_functions *functions_of(const struct place *place)
{
    return state_client_state(place->client)->functions;
}

static void *data_of(const struct place *place)
{
    return state_client_state(place->client)->data;
}

/* ---- a busy machine: a call may be too late, and nothing is asked for some time then */

static bool may_be_late(gint64 end)
{
    g_usleep(20 * 1000);
    return g_get_monotonic_time() < end;
}

/* The outcome of a call, which is made again where it was too late. */
#define PATIENTLY(outcome, call)                                                                                       \
    for (gint64 end_ = g_get_monotonic_time() + PATIENCE; ((outcome) = (call)) == STATE_AWAY && may_be_late(end_);)    \
    continue

/* ---- the cases of all: what the daemon never calls goes to the file */

static enum state_outcome case_windows(void *data, const struct state_record *record, bool keep,
                                       struct state_window *windows, unsigned count)
{
    enum state_outcome outcome;
    PATIENTLY(outcome, functions_of(data)->window(data_of(data), record, keep, windows, count));
    return outcome;
}

static enum state_outcome case_withdraw(void *data, state_hash id)
{
    return functions_of(data)->withdraw(data_of(data), id);
}

static enum state_outcome case_both(void *data, struct state_question *known, const struct state_record *record,
                                    bool keep, struct state_window *windows, unsigned count)
{
    enum state_outcome outcome;
    PATIENTLY(outcome, functions_of(data)->known_else_window(data_of(data), known, record, keep, windows, count));
    return outcome;
}

/* All that was handed over before is done. */
static void settle(struct place *place)
{
    const struct state_set set = {0, PARTIES(424242), 1};
    enum state_outcome outcome;
    gint64 when;
    PATIENTLY(outcome, functions_of(place)->known(data_of(place), &set, 0, &when));
    g_assert_cmpint(outcome, ==, STATE_OK);
}

/* And what was learned is in the file. */
static void settle_file(struct place *place)
{
    const struct state_set set = {place->scope, (const state_hash *)(gpointer)place->learned->data,
                                  place->learned->len};
    gint64 when = 0, end = g_get_monotonic_time() + PATIENCE;
    settle(place);
    while (set.count > 0 && when == 0) {
        state_file_functions.known(place->other, &set, 0, &when);
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(5 * 1000);
    }
    g_array_set_size(place->learned, 0);
}

static enum state_outcome case_learns(void *data, const struct state_set *set, gint64 time)
{
    struct place *place = data;
    enum state_outcome outcome;
    PATIENTLY(outcome, functions_of(place)->learn(data_of(place), set, time));
    settle(place); /* or some hundreds wait when the next question comes */
    if (outcome == STATE_OK) {
        g_array_set_size(place->learned, 0);
        g_array_append_vals(place->learned, set->parties, set->count);
        place->scope = set->scope;
        place->sets++;
    }
    return outcome;
}

static enum state_outcome case_forgets(void *data, const state_hash *hashes, unsigned count, unsigned *gone)
{
    settle_file(data);
    return state_file_functions.forget(((struct place *)data)->other, hashes, count, gone);
}

static enum state_outcome case_expires(void *data, gint64 records, gint64 sets)
{
    settle_file(data);
    return state_file_functions.expire(((struct place *)data)->other, records, sets);
}

/* More sets than are looked at are more than are looked at in the file. */
static enum state_outcome case_is_known(void *data, const struct state_set *set, gint64 since, gint64 *when)
{
    if (((struct place *)data)->sets >= STATE_SETS_READ_LIMIT)
        settle_file(data);
    enum state_outcome outcome;
    PATIENTLY(outcome, functions_of(data)->known(data_of(data), set, since, when));
    return outcome;
}

static enum state_outcome case_permits(void *data, const struct state_permit *permit)
{
    enum state_outcome outcome;
    PATIENTLY(outcome, functions_of(data)->permit(data_of(data), permit));
    return outcome;
}

static enum state_outcome case_claims_of(void *data, const struct state_claim *claim, enum state_claimed *claimed,
                                         state_hash *rule)
{
    enum state_outcome outcome;
    PATIENTLY(outcome, functions_of(data)->claim(data_of(data), claim, claimed, rule));
    return outcome;
}

static enum state_outcome case_gives_back(void *data, state_hash code, state_hash message)
{
    enum state_outcome outcome;
    PATIENTLY(outcome, functions_of(data)->unclaim(data_of(data), code, message));
    return outcome;
}

static const struct state_functions case_functions = {
    .window = case_windows,
    .withdraw = case_withdraw,
    .known = case_is_known,
    .known_else_window = case_both,
    .learn = case_learns,
    .forget = case_forgets,
    .permit = case_permits,
    .claim = case_claims_of,
    .unclaim = case_gives_back,
    .expire = case_expires,
};

static void *open_case(void)
{
    return place_new();
}

static void close_case(void *data)
{
    place_free(data);
}

/* ---- failures */

static enum state_outcome ask(const struct place *place, state_hash id, guint32 *value)
{
    const struct state_values values = {3, (const state_hash[]){id * 100 + 1, id * 100 + 2}, 2};
    const struct state_record record = {id, 7, 5, NOW, &values, 1};
    struct state_window window = {.seconds = 600};
    enum state_outcome outcome = functions_of(place)->window(data_of(place), &record, true, &window, 1);
    *value = window.value;
    return outcome;
}

/* What the window has, once there is an answer. */
static guint32 answered(const struct place *place, state_hash id)
{
    enum state_outcome outcome;
    guint32 value;
    PATIENTLY(outcome, ask(place, id, &value));
    g_assert_cmpint(outcome, ==, STATE_OK);
    return value;
}

/* Another process has the lock: away within the time, then at once, and after the pause all is well again. */
static void test_locked(void)
{
    struct place *place = place_new();
    g_autofree char *path = config_state(place->config);
    auto_free(database) locker = database_open(path, geteuid(), DATABASE_EXISTING, 200, &error);
    guint32 value;
    answered(place, 1);
    g_assert_cmpint(database_begin(locker, &error), ==, 0);

    gint64 began = g_get_monotonic_time();
    g_assert_cmpint(ask(place, 2, &value), ==, STATE_AWAY);
    g_assert_cmpint(g_get_monotonic_time() - began, >=, 150 * 1000);
    int errors = g_atomic_int_get(&place->errors[STATE_WINDOW]);
    g_assert_cmpint(errors, >=, 1);
    for (unsigned i = 0; i < 100; i++)
        g_assert_cmpint(ask(place, 2, &value), ==, STATE_AWAY);
    /* What is not asked does not fail; the thread may be at the first one still. */
    g_assert_cmpint(g_atomic_int_get(&place->errors[STATE_WINDOW]), <=, errors + 1);
    database_rollback(locker);
    g_assert_cmpint(functions_of(place)->withdraw(data_of(place), 2), ==, STATE_OK); /* the rollback may be in time */

    answered(place, 3);
    g_assert_cmpuint(answered(place, 4), ==, 6); /* of 1, 3 and 4 */
    place_free(place);
}

/* What is learned is known at once, and is in the file soon, without another call. */
static void test_gathered(void)
{
    struct place *place = place_new();
    const state_hash parties[] = {3, 1, 2};
    const struct state_set set = {9, parties, 3}, other_scope = {8, parties, 3}, some = {9, parties, 2};
    const struct state_set more = {9, PARTIES(1, 2, 3, 4), 4};
    gint64 when;
    g_assert_cmpint(case_learns(place, &set, NOW), ==, STATE_OK);
    g_assert_cmpint(case_is_known(place, &some, NOW, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, NOW);
    g_assert_cmpint(case_is_known(place, &some, NOW + 1, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, 0);
    g_assert_cmpint(case_is_known(place, &other_scope, 0, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, 0);
    g_assert_cmpint(case_is_known(place, &more, 0, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, 0);
    settle_file(place);
    place_free(place);
}

/* Waits until so many calls that learn have failed. */
static void await_unlearned(struct place *place, int count)
{
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (g_atomic_int_get(&place->errors[STATE_LEARN]) < count) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(1000);
    }
}

/* Another process has the lock while something is to be learned: no message waits for that, so the next one is
 * answered; what is learned from then on is in the file only after the pause. */
static void test_learning_locked(void)
{
    struct place *place = place_new();
    g_autofree char *path = config_state(place->config);
    auto_free(database) locker = database_open(path, geteuid(), DATABASE_EXISTING, 200, &error);
    guint32 value;
    g_assert_cmpint(ask(place, 1, &value), ==, STATE_OK);
    g_assert_cmpint(database_begin(locker, &error), ==, 0);
    case_learn(functions_of(place), data_of(place), PARTIES(1, 2), NOW);
    await_unlearned(place, 1);
    gint64 failed = g_get_monotonic_time();
    database_rollback(locker);
    g_assert_cmpint(ask(place, 2, &value), ==, STATE_OK);
    g_assert_cmpuint(value, ==, 4);

    g_assert_cmpint(case_learns(place, &(struct state_set){.parties = PARTIES(3, 4), .count = 2}, NOW), ==, STATE_OK);
    g_assert_cmpint(case_known(functions_of(place), data_of(place), PARTIES(1, 2), 0), ==, 0);
    g_assert_cmpint(case_known(functions_of(place), data_of(place), PARTIES(3, 4), 0), ==, NOW);
    settle_file(place);
    g_assert_cmpint(g_get_monotonic_time() - failed, >=, STATE_CLIENT_PAUSE - G_USEC_PER_SEC);
    g_assert_cmpint(g_atomic_int_get(&place->errors[STATE_LEARN]), ==, 1);
    place_free(place);
}

/* It is stopped in that pause: what was gathered is written. */
static void test_learning_stopped(void)
{
    struct place *place = place_new();
    g_autofree char *path = config_state(place->config);
    auto_free(database) locker = database_open(path, geteuid(), DATABASE_EXISTING, 200, &error);
    g_assert_cmpint(database_begin(locker, &error), ==, 0);
    case_learn(functions_of(place), data_of(place), PARTIES(1, 2), NOW);
    await_unlearned(place, 1);
    database_rollback(locker);
    for (unsigned i = 0; i < 100; i++)
        case_learn(functions_of(place), data_of(place), PARTIES(3, 10 + i), NOW);
    g_assert_true(state_client_stop(place->client, 10));
    g_assert_cmpint(case_known(&state_file_functions, place->other, PARTIES(3, 109), 0), ==, NOW);
    place_free(place);
}

/* ---- an answer that comes too late */

/* While it is true, who writes a file of SQLite waits. */
static int silent;

typedef ssize_t (*write_at)(int descriptor, const void *bytes, size_t size, off_t offset);
static write_at real_write;

static ssize_t silent_write(int descriptor, const void *bytes, size_t size, off_t offset)
{
    while (g_atomic_int_get(&silent))
        g_usleep(1000);
    return real_write(descriptor, bytes, size, offset);
}

/* Of "pwrite" and "pwrite64" SQLite uses one. */
static void make_disk(bool own)
{
    static const char *const names[] = {"pwrite", "pwrite64"};
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    real_write = pwrite;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        vfs->xSetSystemCall(vfs, names[i], own ? (sqlite3_syscall_ptr)silent_write : NULL);
}

/* The values of the author in the file, when all is done. */
static guint32 values_in_file(struct place *place)
{
    const struct case_message asks = {9, 7, 5, NOW, 3, 5000, 1};
    g_assert_true(state_client_stop(place->client, STOP_LIMIT));
    return case_window(&state_file_functions, place->other, &asks, false, 600, false) - 1;
}

static struct place *place_with_late_answer(state_hash id, const char *database)
{
    struct place *place = place_with(database);
    guint32 value;
    make_disk(true);
    g_atomic_int_set(&silent, 1);
    g_assert_cmpint(ask(place, id, &value), ==, STATE_AWAY);
    return place;
}

static void late_place_free(struct place *place)
{
    make_disk(false);
    place_free(place);
}

/* The message may have passed: its record counts. */
static void test_late(void)
{
    struct place *place = place_with_late_answer(1, NULL);
    g_atomic_int_set(&silent, 0);
    g_assert_cmpuint(values_in_file(place), ==, 2);
    late_place_free(place);
}

/* The message was deferred, and its owner withdraws it: before the record is there, and while nothing is asked. */
static void check_late_withdrawn(const char *database)
{
    struct place *place = place_with_late_answer(1, database);
    g_assert_cmpint(functions_of(place)->withdraw(data_of(place), 1), ==, STATE_OK);
    g_atomic_int_set(&silent, 0);
    g_assert_cmpuint(values_in_file(place), ==, 0);
    late_place_free(place);
}

static void test_late_withdrawn(void)
{
    check_late_withdrawn(NULL);
}

/* It was deferred, and passed when it came again. */
static void check_late_again(const char *database)
{
    struct place *place = place_with_late_answer(1, database);
    g_assert_cmpint(functions_of(place)->withdraw(data_of(place), 1), ==, STATE_OK);
    g_atomic_int_set(&silent, 0);
    g_assert_cmpuint(answered(place, 1), ==, 2);
    g_assert_cmpuint(values_in_file(place), ==, 2);
    late_place_free(place);
}

static void test_late_again(void)
{
    check_late_again(NULL);
}

#ifdef HAVE_LIBPQ
/* Of a fleet: what the database is to withdraw, once it is there, does not keep the file from doing so. */
#define AWAY "host=/nonexistent"

static void test_late_withdrawn_away(void)
{
    check_late_withdrawn(AWAY);
}

static void test_late_again_away(void)
{
    check_late_again(AWAY);
}
#endif

/* What was learned and withdrawn without waiting is on the disk when the client has stopped. */
static void test_stopped(void)
{
    struct place *place = place_new();
    guint32 value;
    answered(place, 1);
    for (unsigned i = 0; i < 200; i++)
        case_learn(functions_of(place), data_of(place), PARTIES(1, 2, 100 + i), NOW);
    g_assert_cmpint(functions_of(place)->withdraw(data_of(place), 1), ==, STATE_OK);
    g_assert_true(state_client_stop(place->client, STOP_LIMIT));
    g_assert_cmpint(case_known(&state_file_functions, place->other, PARTIES(2, 299), 0), ==, NOW);
    const struct case_message asks = {9, 7, 5, NOW, 3, 5000, 1};
    g_assert_cmpuint(case_window(&state_file_functions, place->other, &asks, false, 600, false), ==, 1);
    g_assert_cmpint(ask(place, 2, &value), ==, STATE_AWAY);
    place_free(place);
}

/* A busy machine may be too late for one of them, and not for each. */
#define TRIES 5

/* Deleted while it is open: a new one is begun, and that message has its answer. */
static void test_deleted(void)
{
    struct place *place = place_new();
    g_autofree char *path = config_state(place->config);
    guint32 value;
    bool in_time = false;
    for (unsigned i = 0; i < TRIES && !in_time; i++) {
        answered(place, 1);
        g_assert_cmpint(unlink(path), ==, 0);
        in_time = ask(place, 2, &value) == STATE_OK;
    }
    g_assert_true(in_time);
    g_assert_cmpuint(value, ==, 2);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    place_free(place);
}

/* Files that were set aside, those beside them not counted. */
static unsigned files_aside(const struct place *place)
{
    g_autoptr(GDir) folder = g_dir_open(place->folder, 0, NULL);
    unsigned count = 0;
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;)
        count += strstr(name, "state.db.damaged-") != NULL && g_str_has_suffix(name, "Z");
    return count;
}

static void overwrite(const char *path, off_t from, size_t size)
{
    g_autofree char *bytes = g_strnfill(size, '\xa5');
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pwrite(descriptor, bytes, size, from), ==, (ssize_t)size);
    close(descriptor);
}

/* Stopped, with all that it knows in one file. */
static void stop(struct place *place)
{
    state_file_close(place->other);
    place->other = NULL;
    g_assert_true(state_client_stop(place->client, STOP_LIMIT));
    state_client_free(place->client);
}

/* Damaged while nobody has it open: it is set aside, and a new one counts from the next message on. */
static void test_damaged(void)
{
    struct place *place = place_new();
    g_autofree char *path = config_state(place->config);
    guint32 value;
    unsigned tries = 0;
    bool in_time = false;
    while (tries++ < TRIES && !in_time) {
        answered(place, 1);
        stop(place);
        overwrite(path, 4096, 4096 * 4);
        place->client = client_sound(place->config);
        in_time = ask(place, 2, &value) == STATE_OK;
    }
    g_assert_true(in_time);
    g_assert_cmpuint(value, ==, 2);
    g_assert_cmpuint(files_aside(place), ==, tries - 1);
    g_assert_cmpuint(answered(place, 3), ==, 4);
    place_free(place);
}

/* It is shorter than it was. */
static void test_cut(void)
{
    struct place *place = place_new();
    g_autofree char *path = config_state(place->config);
    answered(place, 1);
    stop(place);
    g_assert_cmpint(truncate(path, 8192), ==, 0);
    place->client = client_sound(place->config);
    g_assert_cmpuint(files_aside(place), ==, 1);
    answered(place, 2);
    place_free(place);
}

/* The log is damaged while it is in use: what was in it counts no more, and never silently. */
static void test_damaged_log(void)
{
    struct place *place = place_new();
    g_autofree char *path = config_state(place->config);
    g_autofree char *log = g_strconcat(path, "-wal", NULL);
    answered(place, 1);
    state_file_close(place->other);
    place->other = NULL;
    overwrite(log, 0, 4096);
    g_assert_cmpuint(answered(place, 2), ==, 2);
    g_assert_cmpuint(files_aside(place), >=, 1);
    place_free(place);
}

/* What the configuration names by mistake stays as it is. */
static void test_foreign(void)
{
    struct place *place = place_new();
    g_autofree char *path = config_state(place->config);
    guint32 value;
    stop(place);
    overwrite(path, 0, 8192);
    place->client = client_sound(place->config);
    g_assert_cmpint(ask(place, 1, &value), ==, STATE_AWAY);
    g_assert_cmpuint(files_aside(place), ==, 0);
    place_free(place);
}

static void test_expire(void)
{
    struct place *place = place_new();
    answered(place, 1);
    state_client_expire(place->client, NOW + 1, NOW + 1);
    gint64 end = g_get_monotonic_time() + PATIENCE;
    const struct case_message asks = {9, 7, 5, NOW, 3, 5000, 1};
    while (case_window(&state_file_functions, place->other, &asks, false, 600, false) != 1) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(5 * 1000);
    }
    place_free(place);
}

/* What a person has to fix is said at the start. */
static void test_refused(void)
{
    struct place *place = place_new();
    g_autofree char *key = config_state_key(place->config);
    auto_free(diags) diags = diags_new();
    g_assert_cmpint(chmod(key, 0644), ==, 0);
    g_assert_null(state_client_new(place->config, diags));
    g_assert_cmpuint(diags_errors(diags), ==, 1);
    g_assert_nonnull(strstr(diags_get(diags, 0)->message, "chmod 600"));
    place_free(place);
}

int main(int argc, char **argv)
{
    static const struct state_case_maker maker = {"client", &case_functions, open_case, close_case};

    g_test_init(&argc, &argv, NULL);
    state_cases_add(&maker);
    g_test_add_func("/state-client/locked", test_locked);
    g_test_add_func("/state-client/learning-locked", test_learning_locked);
    g_test_add_func("/state-client/learning-stopped", test_learning_stopped);
    g_test_add_func("/state-client/stopped", test_stopped);
    g_test_add_func("/state-client/gathered", test_gathered);
    g_test_add_func("/state-client/late", test_late);
    g_test_add_func("/state-client/late-withdrawn", test_late_withdrawn);
    g_test_add_func("/state-client/late-again", test_late_again);
#ifdef HAVE_LIBPQ
    g_test_add_func("/state-client/late-withdrawn-away", test_late_withdrawn_away);
    g_test_add_func("/state-client/late-again-away", test_late_again_away);
#endif
    g_test_add_func("/state-client/deleted", test_deleted);
    g_test_add_func("/state-client/damaged", test_damaged);
    g_test_add_func("/state-client/cut", test_cut);
    g_test_add_func("/state-client/damaged-log", test_damaged_log);
    g_test_add_func("/state-client/foreign", test_foreign);
    g_test_add_func("/state-client/expire", test_expire);
    g_test_add_func("/state-client/refused", test_refused);
    return g_test_run();
}
