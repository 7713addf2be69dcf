/* test-state-database - the state in PostgreSQL passes the cases of every implementation; clocks that differ, messages
 * at once, another key, and what a server can do to it.  The environment has the connection strings of a server that is
 * there for it alone: STATE_OWNER for a superuser, STATE_NODE for a node; with STATE_BEHIND in it, the cases go by a
 * clock that is an hour behind.  tests/fleet/state_cases.py runs it. */

#include "milter/state/state_database.h"
#include "milter/state/state_schema.h"
#include "state_cases.h"

#define WAIT 20000u

static struct state_key *key;
static struct pg_connection *owner;
static unsigned limit = WAIT; /* of statements */

static gint64 soon(void)
{
    return g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
}

static void owner_runs(const char *sql)
{
    struct pg_error error;
    auto_free(pg_answer) answer = pg_query(owner, sql, 0, NULL, soon(), &error);
    if (answer == NULL)
        g_error("%s: %s", sql, error.text);
}

/* The first value of a query. */
static gint64 owner_reads(const char *sql)
{
    struct pg_error error;
    auto_free(pg_answer) answer = pg_query(owner, sql, 0, NULL, soon(), &error);
    if (answer == NULL)
        g_error("%s: %s", sql, error.text);
    return pg_number(answer, 0, 0);
}

static struct state_database *try_open(const struct state_key *with, const char *node, gint64 (*clock)(void),
                                       struct pg_error *error)
{
    const struct state_database_place place = {
        .conninfo = g_getenv("STATE_NODE"), .key = with, .node = node, .wait = WAIT, .limit = limit, .clock = clock};
    return state_database_open(&place, soon(), error);
}

static struct state_database *open_as(const char *node, gint64 (*clock)(void))
{
    struct pg_error error;
    struct state_database *database = try_open(key, node, clock, &error);
    if (database == NULL)
        g_error("%s", error.text);
    return database;
}

static void empty(void)
{
    owner_runs("TRUNCATE rcptguard.state_record, rcptguard.state_circle, rcptguard.state_party,"
               " rcptguard.state_permit, rcptguard.state_need, rcptguard.state_key");
}

/* ---- the cases of all: with the times that are handed in, and by a clock that is an hour behind */

static gint64 clock_behind(void)
{
    return g_get_real_time() - 3600 * G_TIME_SPAN_SECOND;
}

static void *open_case(void)
{
    empty();
    return open_as("a", NULL);
}

static void *open_case_behind(void)
{
    empty();
    return open_as("a", clock_behind);
}

static void close_case(void *data)
{
    state_database_close(data);
}

/* ---- clocks */

static gint64 clock_early(void)
{
    return g_get_real_time() - 5 * G_USEC_PER_SEC;
}

static gint64 clock_late(void)
{
    return g_get_real_time() + 5 * G_USEC_PER_SEC;
}

/* A message now, by a clock, in a window of so many seconds. */
static guint32 window_now(struct state_database *database, gint64 (*clock)(void), state_hash id, unsigned seconds)
{
    const struct case_message message = {id, 7, 5, clock() / G_USEC_PER_SEC, 3, id * 100, 9};
    return case_window(&state_database_functions, database, &message, true, seconds, false);
}

/* Ten seconds apart by their own clocks, and within three seconds by the database's. */
static void test_clocks(void)
{
    gint64 when, now = clock_early() / G_USEC_PER_SEC;
    empty();
    auto_free(state_database) early = open_as("a", clock_early);
    auto_free(state_database) late = open_as("b", clock_late);
    g_assert_cmpuint(window_now(late, clock_late, 1, 8), ==, 9);
    g_assert_cmpuint(window_now(early, clock_early, 2, 8), ==, 18);
    g_assert_cmpuint(window_now(late, clock_late, 3, 8), ==, 27);
    g_assert_cmpint(ABS(owner_reads("SELECT max(at) - min(at) FROM rcptguard.state_record")), <, 8);

    case_learn(&state_database_functions, late, PARTIES(1, 2), clock_late() / G_USEC_PER_SEC);
    when = case_known(&state_database_functions, early, PARTIES(1, 2), 0);
    g_assert_cmpint(when, >=, now - 1); /* by the clock of the one who asks */
    g_assert_cmpint(when, <=, clock_early() / G_USEC_PER_SEC + 1);
}

/* ---- at once */

struct racer {
    struct state_database *database;
    state_hash id, author;
    guint32 value;
};

static gpointer race_run(gpointer data)
{
    struct racer *racer = data;
    const struct case_message message = {racer->id, racer->author, 5, NOW, 3, racer->id * 100, 9};
    racer->value = case_window(&state_database_functions, racer->database, &message, true, 600, false);
    return NULL;
}

/* Of messages of one author that two servers evaluate at once, at least one sees both. */
static void test_at_once(void)
{
    unsigned both = 0;
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    auto_free(state_database) other = open_as("b", NULL);
    for (unsigned i = 1; i <= 200; i++) {
        struct racer racers[] = {{one, 2 * i, i, 0}, {other, 2 * i + 1, i, 0}};
        GThread *thread = g_thread_new("race", race_run, &racers[0]);
        race_run(&racers[1]);
        g_thread_join(thread);
        both += racers[0].value == 18 && racers[1].value == 18;
        if (racers[0].value != 18 && racers[1].value != 18)
            UNIT_FAIL("round %u: %u and %u", i, racers[0].value, racers[1].value);
    }
    g_assert_cmpuint(both, ==, 0); /* one of them was first */
}

/* A permit that two claim at once is one message's. */
static void test_claims(void)
{
    state_hash rule;
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    auto_free(state_database) other = open_as("b", NULL);
    case_permit(&state_database_functions, one, 101, NOW, PARTIES(40, 50));
    g_assert_cmpint(case_claim(&state_database_functions, other, 101, 7, 1, PARTIES(40), NOW, &rule), ==, CLAIM_TAKEN);
    g_assert_cmpint(case_claim(&state_database_functions, one, 101, 7, 2, PARTIES(40), NOW, &rule), ==, CLAIM_USED);
}

/* ---- the key, and what nodes need */

static void test_key(void)
{
    static const unsigned char bytes[STATE_KEY_SIZE] = {9, 9};
    struct state_key *another = state_key_new(bytes, sizeof bytes);
    struct pg_error error;
    empty();
    auto_free(state_database) first = open_as("a", NULL);
    g_assert_nonnull(first);
    g_assert_null(try_open(another, "b", NULL, &error));
    g_assert_cmpint(error.kind, ==, PG_WRONG);
    g_assert_nonnull(strstr(error.text, "another key"));
    auto_free(state_database) second = open_as("b", NULL);
    g_assert_nonnull(second);
    state_key_free(another);
}

/* One looks an hour back, another a day: what is two hours old stays. */
static void test_needs(void)
{
    empty();
    auto_free(state_database) one = open_as("a", g_get_real_time);
    auto_free(state_database) other = open_as("b", g_get_real_time);
    const gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    const struct case_message old = {1, 7, 5, now - 7200, 3, 100, 9}, asks = {2, 7, 5, now, 3, 200, 1};
    case_window(&state_database_functions, one, &old, true, 600, false);
    g_assert_cmpint(state_database_expire(other, now - 86400, now), ==, 0);
    g_assert_cmpint(state_database_expire(one, now - 3600, now), ==, 0);
    g_assert_cmpuint(case_window(&state_database_functions, one, &asks, false, 86400, false), ==, 10);
    owner_runs("UPDATE rcptguard.state_need SET at = at - 700000 WHERE node = 'b'"); /* it was not seen any more */
    g_assert_cmpint(state_database_expire(one, now - 3600, now), ==, 0);
    g_assert_cmpuint(case_window(&state_database_functions, one, &asks, false, 86400, false), ==, 1);
}

static void test_expires_in_steps(void)
{
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    for (unsigned i = 1; i <= STATE_DATABASE_STEP + 1; i++) {
        const struct case_message message = {i, i, 5, NOW, 3, 100, 2};
        case_window(&state_database_functions, one, &message, true, 600, false);
    }
    g_assert_cmpint(state_database_expire(one, NOW + 1, 0), ==, 1);
    g_assert_cmpint(state_database_expire(one, NOW + 1, 0), ==, 0);
    g_assert_cmpint(owner_reads("SELECT count(*) FROM rcptguard.state_record"), ==, 0);
}

/* While another one is at it, there is nothing to do. */
static void test_expires_alone(void)
{
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    const struct case_message message = {1, 7, 5, NOW, 3, 100, 2};
    case_window(&state_database_functions, one, &message, true, 600, false);
    owner_runs("SELECT pg_advisory_lock(1382241027, 0)");
    g_assert_cmpint(state_database_expire(one, NOW + 1, 0), ==, 0);
    g_assert_cmpint(owner_reads("SELECT count(*) FROM rcptguard.state_record"), ==, 1);
    owner_runs("SELECT pg_advisory_unlock(1382241027, 0)");
    g_assert_cmpint(state_database_expire(one, NOW + 1, 0), ==, 0);
    g_assert_cmpint(owner_reads("SELECT count(*) FROM rcptguard.state_record"), ==, 0);
}

/* ---- what was kept elsewhere */

static void test_adds(void)
{
    const state_hash hashes[] = {200, 201};
    const struct case_message there = {1, 7, 5, NOW, 3, 100, 9}, asks = {9, 7, 5, NOW, 3, 300, 1};
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct state_row));
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(state_hash));
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    case_window(&state_database_functions, one, &there, true, 600, false);
    g_array_append_vals(values, hashes, G_N_ELEMENTS(hashes));
    const struct state_row made[] = {
        {1, 7, 5, 3, NOW, values}, /* it is there, with other values */
        {2, 7, 5, 3, NOW, values},
        {2, 7, 5, 4, NOW, values}, /* the same message, another signature */
    };
    g_array_append_vals(rows, made, G_N_ELEMENTS(made));
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpint(state_database_add(one, rows), ==, 0);
        g_assert_cmpuint(case_window(&state_database_functions, one, &asks, false, 600, false), ==, 12);
        g_assert_cmpint(owner_reads("SELECT count(*) FROM rcptguard.state_record"), ==, 3);
    }
}

/* ---- forgetting */

#define PATIENT 60000u

static gpointer forget_run(gpointer data)
{
    unsigned gone = 0;
    g_assert_cmpint(state_database_functions.forget(data, PARTIES(101, 2), 2, &gone), ==, STATE_OK);
    return GUINT_TO_POINTER(gone);
}

/* While it looks through the records, which may be many, everybody learns. */
static void test_learns_beside_forget(void)
{
    const struct case_message message = {1, 7, 5, NOW, 3, 100, 3};
    const gint64 end = g_get_monotonic_time() + PATIENT * 1000;
    empty();
    limit = PATIENT;
    auto_free(state_database) one = open_as("a", NULL);
    limit = WAIT;
    auto_free(state_database) other = open_as("b", NULL);
    state_database_set_wait(one, PATIENT);
    case_window(&state_database_functions, one, &message, true, 600, false);
    case_learn(&state_database_functions, one, PARTIES(1, 2), NOW);

    owner_runs("BEGIN");
    owner_runs("SELECT 1 FROM rcptguard.state_record FOR UPDATE");
    GThread *thread = g_thread_new("forget", forget_run, one);
    while (owner_reads("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0)
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    case_learn(&state_database_functions, other, PARTIES(3, 4), NOW);
    owner_runs("COMMIT");

    g_assert_cmpuint(GPOINTER_TO_UINT(g_thread_join(thread)), ==, 2);
    g_assert_cmpint(case_known(&state_database_functions, other, PARTIES(3, 4), 0), ==, NOW);
    g_assert_cmpint(case_known(&state_database_functions, other, PARTIES(1, 2), 0), ==, 0);
}

/* Of several: a record or a set that has more than one of them is counted once, and what is left of a set is known. */
static void test_forgets_several(void)
{
    const struct case_message both = {1, 7, 5, NOW, 3, 100, 2}, more = {2, 7, 5, NOW, 3, 100, 3};
    const struct case_message asks = {9, 7, 5, NOW, 3, 500, 1};
    unsigned gone = 0;
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    case_window(&state_database_functions, one, &both, true, 600, false);
    case_window(&state_database_functions, one, &more, true, 600, false);
    case_learn(&state_database_functions, one, PARTIES(100, 101, 3), NOW);
    case_learn(&state_database_functions, one, PARTIES(100, 101, 5, 6), NOW);
    g_assert_cmpint(state_database_functions.forget(one, PARTIES(100, 101), 2, &gone), ==, STATE_OK);
    g_assert_cmpuint(gone, ==, 4);
    g_assert_cmpint(owner_reads("SELECT count(*) FROM rcptguard.state_record"), ==, 1);
    g_assert_cmpint(owner_reads("SELECT count(*) FROM rcptguard.state_circle"), ==, 1);
    g_assert_cmpuint(case_window(&state_database_functions, one, &asks, false, 600, false), ==, 2);
    g_assert_cmpint(case_known(&state_database_functions, one, PARTIES(5, 6), 0), ==, NOW);
}

/* How often a table was read as a whole in this transaction. */
static gint64 times_read(const char *table)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname = '%s'", table);
    return owner_reads(sql);
}

/* Sets are found by an index; the records, which have none for this, are read as often for many hashes as for one. */
static void test_forget_reads(void)
{
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    case_learn(&state_database_functions, one, PARTIES(1, 2), NOW);
    owner_runs("BEGIN");
    owner_runs("SET LOCAL enable_seqscan = off"); /* as a node does */
    gint64 records = times_read("state_record"), circles = times_read("state_circle"),
           parties = times_read("state_party");
    owner_runs("SELECT rcptguard.state_forget(ARRAY[1, 7, 8, 9, 10])");
    g_assert_cmpint(times_read("state_record") - records, <=, 3);
    g_assert_cmpint(times_read("state_circle") - circles, ==, 0);
    g_assert_cmpint(times_read("state_party") - parties, ==, 0);
    owner_runs("COMMIT");
    g_assert_cmpint(owner_reads("SELECT count(*) FROM rcptguard.state_circle"), ==, 0);
}

/* ---- failures */

/* Another one has the lock of the author: away within the time, and then at once. */
static void test_locked(void)
{
    const state_hash values[] = {1, 2};
    const struct state_values of = {3, values, 2};
    const struct state_record record = {1, 7, 5, NOW, &of, 1};
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    owner_runs("SELECT pg_advisory_lock(1382241025, 7)");
    state_database_set_wait(one, 200);
    gint64 began = g_get_monotonic_time();
    g_assert_cmpint(state_database_functions.window(one, &record, true, NULL, 0), ==, STATE_AWAY);
    g_assert_cmpint(g_get_monotonic_time() - began, >=, 150 * 1000);
    g_assert_cmpint(state_database_error(one)->kind, ==, PG_AWAY);
    g_assert_cmpint(state_database_functions.withdraw(one, 1), ==, STATE_AWAY);
    owner_runs("SELECT pg_advisory_unlock(1382241025, 7)");
}

/* The server ends the session. */
static void test_ended(void)
{
    empty();
    auto_free(state_database) one = open_as("a", NULL);
    owner_runs("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'node_a'");
    g_assert_cmpint(state_database_functions.withdraw(one, 1), ==, STATE_AWAY);
    g_assert_cmpint(state_database_error(one)->kind, ==, PG_AWAY);
}

static void test_read_only(void)
{
    struct pg_error error;
    empty();
    owner_runs("ALTER ROLE node_a SET default_transaction_read_only = on");
    g_assert_null(try_open(key, "a", NULL, &error));
    g_assert_cmpint(error.kind, ==, PG_AWAY);
    owner_runs("ALTER ROLE node_a RESET default_transaction_read_only");
}

static void test_unmade(void)
{
    struct pg_error error;
    owner_runs("ALTER SCHEMA rcptguard RENAME TO elsewhere");
    g_assert_null(try_open(key, "a", NULL, &error));
    g_assert_cmpint(error.kind, ==, PG_WRONG);
    g_assert_nonnull(strstr(error.text, "fleet init"));
    owner_runs("ALTER SCHEMA elsewhere RENAME TO rcptguard");
}

/* ---- the whole */

/* The tables are made twice: the second time nothing changes. */
static void make_tables(void)
{
    struct pg_error error;
    owner = pg_connect(g_getenv("STATE_OWNER"), soon(), &error);
    if (owner == NULL)
        g_error("%s", error.text);
    owner_runs("CREATE ROLE rcptguard_node NOLOGIN");
    owner_runs("CREATE ROLE node_a LOGIN IN ROLE rcptguard_node");
    owner_runs("CREATE SCHEMA rcptguard");
    owner_runs("SET client_min_messages = warning");
    for (unsigned i = 0; i < 2; i++) {
        for (const char *const *statement = state_schema; *statement != NULL; statement++)
            owner_runs(*statement);
    }
}

static void add_failures(void)
{
    g_test_add_func("/state-database/locked", test_locked);
    g_test_add_func("/state-database/ended", test_ended);
    g_test_add_func("/state-database/read-only", test_read_only);
    g_test_add_func("/state-database/unmade", test_unmade);
}

int main(int argc, char **argv)
{
    static const struct state_case_maker handed = {"database", &state_database_functions, open_case, close_case};
    static const struct state_case_maker behind = {"database-behind", &state_database_functions, open_case_behind,
                                                   close_case};
    static const unsigned char bytes[STATE_KEY_SIZE] = {1, 2, 3};

    g_test_init(&argc, &argv, NULL);
    key = state_key_new(bytes, sizeof bytes);
    make_tables();
    state_cases_add(g_getenv("STATE_BEHIND") == NULL ? &handed : &behind);
    g_test_add_func("/state-database/clocks", test_clocks);
    g_test_add_func("/state-database/at-once", test_at_once);
    g_test_add_func("/state-database/claims", test_claims);
    g_test_add_func("/state-database/key", test_key);
    g_test_add_func("/state-database/needs", test_needs);
    g_test_add_func("/state-database/expires-in-steps", test_expires_in_steps);
    g_test_add_func("/state-database/expires-alone", test_expires_alone);
    g_test_add_func("/state-database/adds", test_adds);
    g_test_add_func("/state-database/learns-beside-forget", test_learns_beside_forget);
    g_test_add_func("/state-database/forgets-several", test_forgets_several);
    g_test_add_func("/state-database/forget-reads", test_forget_reads);
    add_failures();
    int status = g_test_run();
    pg_close(owner);
    state_key_free(key);
    return status;
}
