/* state_database - see state_database.h */

#include "milter/state/state_database.h"

#include "milter/state/state_text.h"

#include <pthread.h>

/*
 * Of the session: who it is must not change what a call means.  Indexes are used whatever the tables' figures say,
 * which a new table does not have.
 */
#define SETTINGS                                                                                                       \
    "SELECT set_config('search_path', 'pg_catalog, pg_temp', false),"                                                  \
    " set_config('default_transaction_isolation', 'read committed', false),"                                           \
    " set_config('synchronous_commit', 'off', false), set_config('statement_timeout', $1, false),"                     \
    " set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)"

/* What is hashed to recognise a key; no name of a rule is like it. */
#define KEY_TEXT "the key of [state]\n"

/* How the failure begins that is said of a database with another one. */
#define ANOTHER_KEY "the database has another key"

struct state_database {
    pthread_mutex_t lock;
    struct pg_connection *connection; /* or: */
    struct pg_session *session;
    struct pg_error error;
    unsigned wait;
    gint64 end;
    char *node;
    gint64 (*clock)(void);
};

/* ---- one call */

/* One statement by the connection or the session that there is. */
static struct pg_answer *run(struct state_database *database, const char *sql, unsigned count,
                             const char *const *values, gint64 deadline)
{
    if (database->connection != NULL)
        return pg_query(database->connection, sql, count, values, deadline, &database->error);
    if (database->session != NULL)
        return pg_session_query(database->session, sql, count, values, deadline, &database->error);
    pg_error_set(&database->error, PG_AWAY, "the connection to the database is closed");
    return NULL;
}

static void hang_up(struct state_database *database)
{
    g_clear_pointer(&database->connection, pg_close);
    g_clear_pointer(&database->session, pg_session_close);
}

/* The answer of a function, whose parameters are these; NULL if it failed.  The lock is held then, too. */
static struct pg_answer *ask(struct state_database *database, const char *sql, const struct state_text *text)
{
    gint64 deadline = MIN(g_get_monotonic_time() + (gint64)database->wait * 1000, database->end);
    pthread_mutex_lock(&database->lock);
    struct pg_answer *answer = run(database, sql, state_text_count(text), state_text_values(text), deadline);
    if (answer == NULL)
        hang_up(database);
    return answer;
}

static void done(struct state_database *database)
{
    pthread_mutex_unlock(&database->lock);
}

/* A call without an answer. */
static enum state_outcome tell(struct state_database *database, const char *sql, const struct state_text *text)
{
    auto_free(pg_answer) answer = ask(database, sql, text);
    done(database);
    return answer == NULL ? STATE_AWAY : STATE_OK;
}

/* The caller's time is the first parameter of most functions. */
static struct state_text *text_with_now(const struct state_database *database)
{
    struct state_text *text = state_text_new();
    if (database->clock == NULL)
        state_text_add_null(text);
    else
        state_text_add_number(text, database->clock());
    return text;
}

const struct pg_error *state_database_error(const struct state_database *database)
{
    return &database->error;
}

void state_database_set_wait(struct state_database *database, unsigned wait)
{
    database->wait = wait;
}

void state_database_set_end(struct state_database *database, gint64 end)
{
    database->end = end;
}

/* ---- opening */

static int connect_as(struct state_database *database, const struct state_database_place *place, gint64 deadline)
{
    if (place->user == NULL)
        database->connection = pg_connect(place->conninfo, deadline, &database->error);
    else
        database->session = pg_session_open(place->conninfo, place->user, deadline, &database->error);
    return database->connection == NULL && database->session == NULL ? -1 : 0;
}

static int set_session(struct state_database *database, unsigned limit, gint64 deadline)
{
    g_autofree char *timeout = g_strdup_printf("%ums", limit);
    const char *values[] = {timeout};
    auto_free(pg_answer) answer = run(database, SETTINGS, G_N_ELEMENTS(values), values, deadline);
    return answer == NULL ? -1 : 0;
}

/* It has no such function, schema or table. */
static bool has_no_tables(const struct pg_error *error)
{
    return g_str_equal(error->sqlstate, "42883") || g_str_equal(error->sqlstate, "3F000") ||
           g_str_equal(error->sqlstate, "42P01");
}

bool state_database_is_unmade(const struct pg_error *error)
{
    return has_no_tables(error) || g_str_equal(error->sqlstate, "3D000");
}

bool state_database_is_foreign(const struct pg_error *error)
{
    return error->kind == PG_WRONG && g_str_has_prefix(error->text, ANOTHER_KEY);
}

static int say_unmade(struct pg_error *error)
{
    const struct pg_error found = *error;
    pg_error_set(error, PG_WRONG,
                 "the database has no tables for [state]: an owner makes them with `rcptguardq fleet init`,"
                 " or with `rcptguardq fleet update` where there is a fleet");
    g_strlcpy(error->sqlstate, found.sqlstate, sizeof error->sqlstate);
    return -1;
}

static int check_key(struct state_database *database, const struct state_key *key, gint64 deadline)
{
    auto_free(state_text) text = state_text_new();
    state_text_add_number(text, (gint64)state_hash_text(key, STATE_RULE, KEY_TEXT));
    auto_free(pg_answer) answer = run(database, "SELECT same, made_by, made FROM rcptguard.state_hello($1)",
                                      state_text_count(text), state_text_values(text), deadline);
    if (answer == NULL)
        return has_no_tables(&database->error) ? say_unmade(&database->error) : -1;
    if (g_strcmp0(pg_value(answer, 0, 0), "t") == 0)
        return 0;
    return pg_error_set(&database->error, PG_WRONG,
                        ANOTHER_KEY " than [state] of this server: it is that of the server which"
                                    " logged in as %s at %s UTC, whose state.key all servers have to have",
                        pg_value(answer, 0, 1), pg_value(answer, 0, 2));
}

struct state_database *state_database_open(const struct state_database_place *place, gint64 deadline,
                                           struct pg_error *error)
{
    struct state_database *database = g_new0(struct state_database, 1);
    pthread_mutex_init(&database->lock, NULL);
    database->wait = place->wait;
    database->end = G_MAXINT64;
    database->clock = place->clock;
    database->node = g_strdup(place->node);
    int result = connect_as(database, place, deadline);
    /* A name may have been looked up until now. */
    gint64 end = MAX(deadline, g_get_monotonic_time() + (gint64)place->wait * G_TIME_SPAN_MILLISECOND);
    if (result == 0 && set_session(database, place->limit, end) == 0 && check_key(database, place->key, end) == 0)
        return database;
    *error = database->error;
    state_database_close(database);
    return NULL;
}

void state_database_close(struct state_database *database)
{
    if (database == NULL)
        return;
    hang_up(database);
    pthread_mutex_destroy(&database->lock);
    g_free(database->node);
    g_free(database);
}

/* ---- windows */

static enum state_outcome outcome_of(const struct pg_answer *answer, unsigned column)
{
    return pg_number(answer, 0, column) == STATE_OK ? STATE_OK : STATE_BOUND;
}

static void add_record(struct state_text *text, const struct state_record *record, bool keep)
{
    state_text_add_hash(text, record->id);
    state_text_add_hash(text, record->author);
    state_text_add_hash(text, record->subject);
    state_text_add_number(text, record->time);
    for (unsigned i = 0; i < record->count; i++)
        state_text_add_item(text, (gint64)record->values[i].signature);
    state_text_end_items(text);
    for (unsigned i = 0; i < record->count; i++)
        state_text_add_item(text, record->values[i].count);
    state_text_end_items(text);
    for (unsigned i = 0; i < record->count; i++)
        state_text_add_items(text, record->values[i].values, record->values[i].count);
    state_text_end_items(text);
    state_text_add(text, keep ? "t" : "f");
}

/* Indexes of SQL's arrays are from 1. */
static void add_windows(struct state_text *text, const struct state_window *windows, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        state_text_add_item(text, (gint64)windows[i].values + 1);
    state_text_end_items(text);
    for (unsigned i = 0; i < count; i++)
        state_text_add_item(text, windows[i].seconds);
    state_text_end_items(text);
    for (unsigned i = 0; i < count; i++)
        state_text_add_item(text, windows[i].alike);
    state_text_end_items(text);
}

static void add_set(struct state_text *text, const struct state_set *set, gint64 since)
{
    state_text_add_hash(text, set->scope);
    state_text_add_items(text, set->parties, set->count);
    state_text_end_items(text);
    state_text_add_number(text, since);
}

/* A window's values come in their order; -1 is many. */
static enum state_outcome read_windows(const struct pg_answer *answer, struct state_window *windows, unsigned count)
{
    enum state_outcome outcome = STATE_OK;
    g_autofree gint64 *numbers = g_new(gint64, MAX(count, 1));
    if (state_text_read(pg_value(answer, 0, 2), numbers, count) != count)
        return STATE_AWAY;
    for (unsigned i = 0; i < count; i++) {
        windows[i].value = numbers[i] < 0 ? STATE_WINDOW_MANY : (guint32)numbers[i];
        if (numbers[i] < 0)
            outcome = STATE_BOUND;
    }
    return outcome;
}

static enum state_outcome ask_windows(struct state_database *database, struct state_question *question,
                                      const struct state_record *record, bool keep, struct state_window *windows,
                                      unsigned count)
{
    auto_free(state_text) text = text_with_now(database);
    add_record(text, record, keep);
    add_windows(text, windows, count);
    if (question != NULL)
        add_set(text, &question->set, question->since);
    for (unsigned i = 0; question == NULL && i < 3; i++)
        state_text_add_null(text);
    auto_free(pg_answer) answer =
        ask(database,
            "SELECT outcome, at, answers FROM rcptguard.state_window($1, $2, $3, $4, $5, $6, $7, $8, $9,"
            " $10, $11, $12::int[]::boolean[], $13, $14, $15)",
            text);
    done(database);
    if (answer == NULL)
        return STATE_AWAY;
    if (question != NULL) {
        question->when = pg_number(answer, 0, 1);
        question->outcome = outcome_of(answer, 0);
    }
    return question != NULL && question->when != 0 ? STATE_OK : read_windows(answer, windows, count);
}

static enum state_outcome window(void *data, const struct state_record *record, bool keep, struct state_window *windows,
                                 unsigned count)
{
    return ask_windows(data, NULL, record, keep, windows, count);
}

static enum state_outcome known(void *data, const struct state_set *set, gint64 since, gint64 *when)
{
    struct state_database *database = data;
    *when = 0;
    if (set->count == 0 || set->count > STATE_SET_LIMIT)
        return STATE_BOUND;
    auto_free(state_text) text = text_with_now(database);
    add_set(text, set, since);
    auto_free(pg_answer) answer = ask(database, "SELECT outcome, at FROM rcptguard.state_known($1, $2, $3, $4)", text);
    done(database);
    if (answer == NULL)
        return STATE_AWAY;
    *when = pg_number(answer, 0, 1);
    return outcome_of(answer, 0);
}

static enum state_outcome known_else_window(void *data, struct state_question *question,
                                            const struct state_record *record, bool keep, struct state_window *windows,
                                            unsigned count)
{
    question->when = 0;
    question->outcome = STATE_AWAY;
    if (question->set.count > 0 && question->set.count <= STATE_SET_LIMIT)
        return ask_windows(data, question, record, keep, windows, count);
    enum state_outcome outcome = window(data, record, keep, windows, count);
    question->outcome = outcome == STATE_AWAY ? STATE_AWAY : STATE_BOUND;
    return outcome;
}

enum state_outcome state_database_withdraw(struct state_database *database, const state_hash *ids, unsigned count)
{
    auto_free(state_text) text = state_text_new();
    state_text_add_items(text, ids, count);
    state_text_end_items(text);
    return tell(database, "SELECT rcptguard.state_withdraw(i) FROM unnest($1::bigint[]) i", text);
}

static enum state_outcome withdraw(void *data, state_hash id)
{
    return state_database_withdraw(data, &id, 1);
}

/* ---- sets */

static bool is_learnable(const struct state_set *set)
{
    return set->count >= 2 && set->count <= STATE_SET_LIMIT;
}

enum state_outcome state_database_learn(struct state_database *database, const struct state_learned *sets,
                                        unsigned count)
{
    auto_free(state_text) text = text_with_now(database);
    enum { SCOPES, COUNTS, TIMES, PARTIES, COLUMNS };
    for (unsigned column = 0; column < COLUMNS; column++) {
        for (unsigned i = 0; i < count; i++) {
            const struct state_set *set = &sets[i].set;
            const gint64 numbers[] = {(gint64)set->scope, set->count, sets[i].time};
            if (is_learnable(set) && column == PARTIES)
                state_text_add_items(text, set->parties, set->count);
            else if (is_learnable(set))
                state_text_add_item(text, numbers[column]);
        }
        state_text_end_items(text);
    }
    return tell(database, "SELECT rcptguard.state_learn($1, $2, $3, $4, $5)", text);
}

static enum state_outcome learn(void *data, const struct state_set *set, gint64 time)
{
    const struct state_learned learned = {*set, time};
    return is_learnable(set) ? state_database_learn(data, &learned, 1) : STATE_BOUND;
}

/* ---- what goes */

static enum state_outcome forget(void *data, const state_hash *hashes, unsigned count, unsigned *gone)
{
    struct state_database *database = data;
    auto_free(state_text) text = state_text_new();
    *gone = 0;
    state_text_add_items(text, hashes, count);
    state_text_end_items(text);
    auto_free(pg_answer) answer = ask(database, "SELECT rcptguard.state_forget($1)", text);
    done(database);
    if (answer != NULL)
        *gone = (unsigned)pg_number(answer, 0, 0);
    return answer == NULL ? STATE_AWAY : STATE_OK;
}

int state_database_expire(struct state_database *database, gint64 records, gint64 sets)
{
    auto_free(state_text) text = text_with_now(database);
    state_text_add(text, database->node);
    state_text_add_number(text, records);
    state_text_add_number(text, sets);
    state_text_add_number(text, STATE_DATABASE_STEP);
    auto_free(pg_answer) answer = ask(database, "SELECT rcptguard.state_expire($1, $2, $3, $4, $5)", text);
    done(database);
    return answer == NULL ? -1 : g_strcmp0(pg_value(answer, 0, 0), "t") == 0;
}

static enum state_outcome expire(void *data, gint64 records, gint64 sets)
{
    int result;
    while ((result = state_database_expire(data, records, sets)) == 1)
        continue;
    return result == -1 ? STATE_AWAY : STATE_OK;
}

/* ---- permits */

static enum state_outcome permit(void *data, const struct state_permit *permit)
{
    if (permit->count > STATE_PERMIT_LIMIT)
        return STATE_BOUND;
    auto_free(state_text) text = text_with_now(data);
    state_text_add_hash(text, permit->code);
    state_text_add_hash(text, permit->rule);
    state_text_add_hash(text, permit->author);
    state_text_add_number(text, permit->time);
    state_text_add_number(text, permit->until);
    state_text_add_items(text, permit->visible, permit->count);
    state_text_end_items(text);
    return tell(data, "SELECT rcptguard.state_add_permit($1, $2, $3, $4, $5, $6, $7)", text);
}

static enum state_outcome claim(void *data, const struct state_claim *claim, enum state_claimed *claimed,
                                state_hash *rule)
{
    struct state_database *database = data;
    auto_free(state_text) text = text_with_now(database);
    *claimed = CLAIM_UNKNOWN;
    *rule = 0;
    state_text_add_hash(text, claim->code);
    state_text_add_hash(text, claim->author);
    state_text_add_hash(text, claim->message);
    state_text_add_number(text, claim->time);
    state_text_add_items(text, claim->visible, claim->count);
    state_text_end_items(text);
    auto_free(pg_answer) answer =
        ask(database, "SELECT claimed, rule FROM rcptguard.state_claim($1, $2, $3, $4, $5, $6)", text);
    done(database);
    if (answer == NULL)
        return STATE_AWAY;
    gint64 number = pg_number(answer, 0, 0);
    *claimed = number >= CLAIM_UNKNOWN && number <= CLAIM_TAKEN ? (enum state_claimed)number : CLAIM_UNKNOWN;
    *rule = *claimed == CLAIM_TAKEN ? (state_hash)pg_number(answer, 0, 1) : 0;
    return STATE_OK;
}

static enum state_outcome unclaim(void *data, state_hash code, state_hash message)
{
    auto_free(state_text) text = state_text_new();
    state_text_add_hash(text, code);
    state_text_add_hash(text, message);
    return tell(data, "SELECT rcptguard.state_unclaim($1, $2)", text);
}

GArray *state_database_overridden(struct state_database *database, gint64 since)
{
    auto_free(state_text) text = text_with_now(database);
    state_text_add_number(text, since);
    auto_free(pg_answer) answer = ask(database, "SELECT rcptguard.state_overridden($1, $2)", text);
    done(database);
    if (answer == NULL)
        return NULL;
    GArray *rules = g_array_new(FALSE, FALSE, sizeof(state_hash));
    for (unsigned i = 0; i < pg_rows(answer); i++) {
        const state_hash rule = (state_hash)pg_number(answer, i, 0);
        g_array_append_val(rules, rule);
    }
    return rules;
}

/* ---- what a node has kept by itself */

/* Whether each of the rows is not there; NULL if it failed. */
static bool *missing_of(struct state_database *database, const GArray *rows, bool *some)
{
    auto_free(state_text) text = state_text_new();
    for (guint i = 0; i < rows->len; i++)
        state_text_add_item(text, (gint64)g_array_index(rows, struct state_row, i).id);
    state_text_end_items(text);
    for (guint i = 0; i < rows->len; i++)
        state_text_add_item(text, (gint64)g_array_index(rows, struct state_row, i).signature);
    state_text_end_items(text);
    auto_free(pg_answer) answer = ask(database, "SELECT rcptguard.state_missing($1, $2)", text);
    done(database);
    if (answer == NULL)
        return NULL;
    bool *missing = g_new0(bool, MAX(rows->len, 1));
    for (unsigned i = 0; i < pg_rows(answer); i++) {
        gint64 number = pg_number(answer, i, 0);
        if (number >= 1 && number <= rows->len)
            missing[number - 1] = *some = true;
    }
    return missing;
}

static void add_rows(struct state_text *text, const GArray *rows, const bool *missing)
{
    enum { IDS, AUTHORS, SUBJECTS, TIMES, SIGNATURES, COUNTS, HASHES, COLUMNS };
    for (unsigned column = 0; column < COLUMNS; column++) {
        for (guint i = 0; i < rows->len; i++) {
            const struct state_row *row = &g_array_index(rows, struct state_row, i);
            const gint64 numbers[] = {(gint64)row->id, (gint64)row->author,    (gint64)row->subject,
                                      row->time,       (gint64)row->signature, row->hashes->len};
            if (missing[i] && column == HASHES)
                state_text_add_items(text, (const state_hash *)(gpointer)row->hashes->data, row->hashes->len);
            else if (missing[i])
                state_text_add_item(text, numbers[column]);
        }
        state_text_end_items(text);
    }
}

int state_database_add(struct state_database *database, const GArray *rows)
{
    bool some = false;
    g_autofree bool *missing = missing_of(database, rows, &some);
    if (missing == NULL || !some)
        return missing == NULL ? -1 : 0;
    auto_free(state_text) text = text_with_now(database);
    add_rows(text, rows, missing);
    return tell(database, "SELECT rcptguard.state_add($1, $2, $3, $4, $5, $6, $7, $8)", text) == STATE_OK ? 0 : -1;
}

const struct state_functions state_database_functions = {
    .window = window,
    .withdraw = withdraw,
    .known = known,
    .known_else_window = known_else_window,
    .learn = learn,
    .forget = forget,
    .expire = expire,
    .permit = permit,
    .claim = claim,
    .unclaim = unclaim,
};
