/* state_file - see state_file.h */

#include "milter/state/state_file_private.h"

#include "milter/database/schema_update.h"

#include <pthread.h>
#include <string.h>

/*
 * A step that was released is never changed: a new one is added.  Times are seconds since 1970; a hash is its 64 bits
 * as SQLite's number, several are their bytes one behind the other, in the machine's order.
 *
 * `record` has a row for each signature of a message, so that a window is read in one piece.  `party` has a row for
 * each party of a set, by which sets are found, the one learned last first: a set that is learned anew gets a new id,
 * once in PLACE_TIME.  Its rows are found by its parties alone, for each index is a page more to be written; and the
 * same set by a digest.
 */
static const char *const steps[] = {
    "CREATE TABLE record ("
    " author INTEGER NOT NULL, signature INTEGER NOT NULL, at INTEGER NOT NULL,"
    " id INTEGER NOT NULL, subject INTEGER NOT NULL, hashes BLOB NOT NULL,"
    " PRIMARY KEY (author, signature, at, id)) WITHOUT ROWID;"
    "CREATE INDEX record_id ON record (id); CREATE INDEX record_at ON record (at);"

    "CREATE TABLE circle ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, scope INTEGER NOT NULL,"
    " digest INTEGER NOT NULL," /* of scope and parties */
    " parties BLOB NOT NULL,"   /* in the order of their numbers */
    " at INTEGER NOT NULL,"
    " placed INTEGER NOT NULL);" /* when it got its id */
    "CREATE INDEX circle_digest ON circle (digest); CREATE INDEX circle_at ON circle (at);"

    "CREATE TABLE party ("
    " hash INTEGER NOT NULL, circle INTEGER NOT NULL,"
    " PRIMARY KEY (hash, circle)) WITHOUT ROWID;",

    /* `taken` is the message that has taken the permit, or 0. */
    "CREATE TABLE permit ("
    " code INTEGER PRIMARY KEY,"
    " rule INTEGER NOT NULL,"
    " author INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " until INTEGER NOT NULL,"
    " taken INTEGER NOT NULL DEFAULT 0,"
    " visible BLOB NOT NULL);" /* in the order of their numbers */
    "CREATE INDEX permit_author ON permit (author, at);"
    "CREATE INDEX permit_until ON permit (until);",
};
static const struct schema schema = {STATE_FILE_APPLICATION, "file of [state]", steps, G_N_ELEMENTS(steps)};

/* Others may write the file at any time: so often their log is read to its end at most, in microseconds. */
#define CHECK_INTERVAL G_USEC_PER_SEC

/* Less sets of one party are looked at, and none of a rarer one is looked for. */
#define FEW_SETS 64

/* Seconds in which a set that is learned again and again keeps its id. */
#define PLACE_TIME 86400

/*
 * Pages of the log after which it goes into the file, while a message waits.  Seldom, since few messages shall wait;
 * but tidying fills it with pages that are all different, and so many take too long on a slow disk.
 */
#define LOG_USUAL   "PRAGMA wal_autocheckpoint = 2000"
#define LOG_TIDYING "PRAGMA wal_autocheckpoint = 200"

/* Kilobytes of the file that stay in memory. */
#define SETTINGS "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384; " LOG_USUAL

struct state_file *state_file_open(const char *path, uid_t owner, enum database_mode mode, unsigned wait,
                                   struct database_error *error)
{
    auto_free(database) database = database_open(path, owner, mode, wait, error);
    if (database == NULL || schema_bring(database, &schema, error) == -1 ||
        database_run(database, SETTINGS, error) == -1)
        return NULL;
    struct state_file *file = g_new0(struct state_file, 1);
    pthread_mutex_init(&file->lock, NULL);
    file->database = g_steal_pointer(&database);
    return file;
}

void state_file_close(struct state_file *file)
{
    if (file == NULL)
        return;
    database_close(file->database);
    pthread_mutex_destroy(&file->lock);
    g_free(file);
}

const struct database_error *state_file_error(const struct state_file *file)
{
    return &file->error;
}

int state_file_check(struct state_file *file, struct database_error *error)
{
    pthread_mutex_lock(&file->lock);
    int result = database_check_quickly(file->database, error);
    pthread_mutex_unlock(&file->lock);
    return result;
}

/* ---- one call, one transaction */

/* The files were written by somebody else: another program of ours, or one that damages them. */
static int check_changed(struct state_file *file)
{
    gint64 application = 0, now = g_get_monotonic_time();
    if (!file->unchecked || now - file->checked < CHECK_INTERVAL)
        return 0;
    if (database_check_log(file->database, &file->error) == -1 ||
        database_number(file->database, "PRAGMA application_id", &application, &file->error) == -1)
        return -1;
    if (application != STATE_FILE_APPLICATION)
        return database_error_set(&file->error, DATABASE_CORRUPT, "%s: its first page is lost",
                                  database_path(file->database));
    file->unchecked = false;
    file->checked = now;
    return 0;
}

int state_file_begin(struct state_file *file)
{
    pthread_mutex_lock(&file->lock);
    enum database_change change;
    if (database_look_at_files(file->database, &change, &file->error) == -1)
        return -1;
    if (change == DATABASE_SHORTER) /* perhaps by VACUUM: who opens it anew finds out */
        return database_error_set(&file->error, DATABASE_CORRUPT, "%s is shorter than it was",
                                  database_path(file->database));
    file->written = change == DATABASE_CHANGED;
    file->unchecked = file->unchecked || file->written;
    return database_begin(file->database, &file->error) == -1 ? -1 : check_changed(file);
}

/* `result` is -1 if begin or what came after it failed. */
int state_file_end(struct state_file *file, int result)
{
    result = database_end(file->database, result, &file->error);
    if (result == 0 && file->written)
        database_files_known(file->database);
    pthread_mutex_unlock(&file->lock);
    return result;
}

/* The same 64 bits as a number of SQLite's. */
struct parameter state_file_hash(state_hash hash)
{
    return sql_number((gint64)hash);
}

struct parameter state_file_hashes(const GArray *hashes)
{
    return sql_bytes(hashes->data, hashes->len * sizeof(state_hash));
}

GArray *state_file_list(const state_hash *hashes, unsigned count)
{
    GArray *array = g_array_sized_new(FALSE, FALSE, sizeof(state_hash), MAX(count, 1));
    if (count > 0)
        g_array_append_vals(array, hashes, count);
    return array;
}

int state_file_change(struct state_file *file, const char *sql, const struct parameter *parameters, unsigned count)
{
    file->written = true;
    return database_change(file->database, sql, parameters, count, &file->error);
}

int state_file_compare(gconstpointer one, gconstpointer other)
{
    state_hash a = *(const state_hash *)one, b = *(const state_hash *)other;
    return a < b ? -1 : a > b;
}

/* Appends the hashes in a column. */
void state_file_read(struct statement *statement, int column, GArray *hashes)
{
    size_t size;
    const void *bytes = statement_bytes(statement, column, &size);
    guint before = hashes->len, count = (guint)(size / sizeof(state_hash));
    g_array_set_size(hashes, before + count);
    if (count > 0)
        memcpy(&g_array_index(hashes, state_hash, before), bytes, count * sizeof(state_hash));
}

/* ---- sets */

/* How many sets have this party, but no more than `limit`; -1 if it failed. */
static int sets_of(struct state_file *file, state_hash party, int limit)
{
    const struct parameter parameters[] = {state_file_hash(party), sql_number(limit)};
    struct statement *statement =
        database_query(file->database, "SELECT count(*) FROM (SELECT 1 FROM party WHERE hash = ?1 LIMIT ?2)",
                       parameters, G_N_ELEMENTS(parameters));
    int row = statement_step(statement, &file->error);
    int count = row == 1 ? (int)statement_number(statement, 0) : -1;
    statement_reset(statement);
    return count;
}

/* The first party that is in less than FEW_SETS, else that in the fewest, and in how many; -1 if it failed. */
static int rare(struct state_file *file, const struct state_set *set, state_hash *party)
{
    *party = set->parties[0];
    for (unsigned i = 0; i < set->count; i++) {
        int count = sets_of(file, set->parties[i], FEW_SETS);
        if (count < FEW_SETS) {
            *party = set->parties[i];
            return count;
        }
    }
    int least = (int)STATE_SETS_READ_LIMIT + 1;
    for (unsigned i = 0; least != -1 && i < set->count; i++) {
        int count = sets_of(file, set->parties[i], least);
        if (count < least) {
            least = count;
            *party = set->parties[i];
        }
    }
    return least;
}

static bool holds_all(GArray *parties, const struct state_set *set)
{
    for (unsigned i = 0; i < set->count; i++) {
        if (!g_array_binary_search(parties, &set->parties[i], state_file_compare, NULL))
            return false;
    }
    return true;
}

/* Looks at the sets of a party that were learned last, and that have another one of the parties, too: 0 or -1. */
static int look(struct state_file *file, const struct state_set *set, state_hash party, gint64 since, gint64 *when)
{
    state_hash other = set->parties[set->parties[0] == party ? set->count - 1 : 0];
    const struct parameter parameters[] = {state_file_hash(party), sql_number(STATE_SETS_READ_LIMIT),
                                           state_file_hash(other)};
    struct statement *statement =
        database_query(file->database,
                       "SELECT scope, at, parties FROM"
                       " (SELECT circle FROM party WHERE hash = ?1 ORDER BY circle DESC LIMIT ?2) AS few"
                       " CROSS JOIN party AS other ON other.hash = ?3 AND other.circle = few.circle"
                       " CROSS JOIN circle ON circle.id = few.circle",
                       parameters, G_N_ELEMENTS(parameters));
    g_autoptr(GArray) parties = state_file_list(NULL, 0);
    int row;
    while ((row = statement_step(statement, &file->error)) == 1) {
        gint64 at = statement_number(statement, 1);
        if ((state_hash)statement_number(statement, 0) != set->scope || at < since || at <= *when)
            continue;
        g_array_set_size(parties, 0);
        state_file_read(statement, 2, parties);
        if (holds_all(parties, set))
            *when = at;
    }
    statement_reset(statement);
    return row;
}

/* Within a transaction: 0 with an outcome, or -1. */
static int ask_known(struct state_file *file, const struct state_set *set, gint64 since, gint64 *when,
                     enum state_outcome *outcome)
{
    state_hash party;
    *outcome = STATE_BOUND;
    if (set->count == 0 || set->count > STATE_SET_LIMIT)
        return 0;
    int sets = rare(file, set, &party);
    if (sets == -1 || (sets > 0 && look(file, set, party, since, when) == -1))
        return -1;
    if (*when != 0 || sets <= (int)STATE_SETS_READ_LIMIT)
        *outcome = STATE_OK;
    return 0;
}

static enum state_outcome known(void *data, const struct state_set *set, gint64 since, gint64 *when)
{
    struct state_file *file = data;
    enum state_outcome outcome = STATE_AWAY;
    *when = 0;
    int result = state_file_begin(file);
    if (result == 0)
        result = ask_known(file, set, since, when, &outcome);
    if (state_file_end(file, result) == 0)
        return outcome;
    *when = 0;
    return STATE_AWAY;
}

static enum state_outcome known_else_window(void *data, struct state_question *question,
                                            const struct state_record *record, bool keep, struct state_window *windows,
                                            unsigned count)
{
    struct state_file *file = data;
    question->when = 0;
    int result = state_file_begin(file);
    if (result == 0)
        result = ask_known(file, &question->set, question->since, &question->when, &question->outcome);
    bool is_known = question->when != 0;
    if (result == 0 && !is_known)
        result = state_windows_ask(file, record, keep, windows, count);
    if (state_file_end(file, result) == 0)
        return is_known ? STATE_OK : state_windows_outcome(windows, count);
    question->when = 0;
    question->outcome = STATE_AWAY;
    return STATE_AWAY;
}

static int delete_circle(struct state_file *file, gint64 id, const state_hash *parties, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct parameter party[] = {state_file_hash(parties[i]), sql_number(id)};
        if (state_file_change(file, "DELETE FROM party WHERE hash = ?1 AND circle = ?2", party, G_N_ELEMENTS(party)) ==
            -1)
            return -1;
    }
    const struct parameter parameters[] = {sql_number(id)};
    return state_file_change(file, "DELETE FROM circle WHERE id = ?1", parameters, G_N_ELEMENTS(parameters));
}

/* FNV-1a over what are hashes already; which set it is, is looked at. */
static state_hash digest_of(state_hash scope, const GArray *parties)
{
    state_hash digest = 14695981039346656037ULL ^ scope;
    for (guint i = 0; i < parties->len; i++)
        digest = digest * 1099511628211ULL ^ g_array_index(parties, state_hash, i);
    return digest;
}

static int add_circle(struct state_file *file, state_hash scope, const GArray *parties, gint64 time)
{
    const struct parameter parameters[] = {state_file_hash(scope), state_file_hash(digest_of(scope, parties)),
                                           state_file_hashes(parties), sql_number(time)};
    int result = state_file_change(file,
                                   "INSERT INTO circle (scope, digest, parties, at, placed)"
                                   " VALUES (?1, ?2, ?3, ?4, ?4)",
                                   parameters, G_N_ELEMENTS(parameters));
    gint64 id = database_last_row(file->database);
    for (guint i = 0; result == 0 && i < parties->len; i++) {
        const struct parameter party[] = {state_file_hash(g_array_index(parties, state_hash, i)), sql_number(id)};
        result = state_file_change(file, "INSERT OR IGNORE INTO party (hash, circle) VALUES (?1, ?2)", party,
                                   G_N_ELEMENTS(party));
    }
    return result;
}

struct found {
    gint64 id; /* 0: it is not there */
    gint64 at, placed;
};

/* The same set. */
static int find_circle(struct state_file *file, state_hash scope, const GArray *parties, struct found *found)
{
    const struct parameter parameters[] = {state_file_hash(digest_of(scope, parties)), state_file_hash(scope),
                                           state_file_hashes(parties)};
    struct statement *statement = database_query(file->database,
                                                 "SELECT id, at, placed FROM circle WHERE digest = ?1"
                                                 " AND scope = ?2 AND parties = ?3",
                                                 parameters, G_N_ELEMENTS(parameters));
    int row = statement_step(statement, &file->error);
    *found = (struct found){0};
    if (row == 1)
        *found = (struct found){statement_number(statement, 0), statement_number(statement, 1),
                                statement_number(statement, 2)};
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}

/* Takes the place of the same set, if that is older. */
static int put_circle(struct state_file *file, state_hash scope, const GArray *parties, gint64 time)
{
    struct found found;
    if (find_circle(file, scope, parties, &found) == -1)
        return -1;
    if (found.id != 0 && time - found.at < STATE_SET_FRESH)
        return 0;
    if (found.id != 0 && time - found.placed < PLACE_TIME) {
        const struct parameter parameters[] = {sql_number(found.id), sql_number(time)};
        return state_file_change(file, "UPDATE circle SET at = ?2 WHERE id = ?1", parameters, G_N_ELEMENTS(parameters));
    }
    const state_hash *hashes = (const state_hash *)(gpointer)parties->data;
    if (found.id != 0 && delete_circle(file, found.id, hashes, parties->len) == -1)
        return -1;
    return add_circle(file, scope, parties, time);
}

/* Within a transaction: 0 or -1. */
static int learn_one(struct state_file *file, const struct state_learned *learned)
{
    const struct state_set *set = &learned->set;
    if (set->count < 2 || set->count > STATE_SET_LIMIT)
        return 0;
    g_autoptr(GArray) parties = state_file_list(set->parties, set->count);
    g_array_sort(parties, state_file_compare);
    return put_circle(file, set->scope, parties, learned->time);
}

enum state_outcome state_file_learn(struct state_file *file, const struct state_learned *sets, unsigned count)
{
    int result = state_file_begin(file);
    for (unsigned i = 0; result == 0 && i < count; i++)
        result = learn_one(file, &sets[i]);
    return state_file_end(file, result) == -1 ? STATE_AWAY : STATE_OK;
}

static enum state_outcome learn(void *data, const struct state_set *set, gint64 time)
{
    const struct state_learned learned = {*set, time};
    if (set->count < 2 || set->count > STATE_SET_LIMIT)
        return STATE_BOUND;
    return state_file_learn(data, &learned, 1);
}

/* ---- what goes */

/* A row that has a hash which goes: what names it, and its hashes, later without that one. */
struct reduced {
    gint64 key[4];
    GArray *hashes;
};

static void reduced_clear(gpointer data)
{
    g_array_unref(((struct reduced *)data)->hashes);
}

/* The rows of a statement with `keys` columns and then hashes; NULL if it failed. */
static GArray *rows_of(struct state_file *file, const char *sql, const struct parameter *parameters, unsigned count,
                       int keys)
{
    struct statement *statement = database_query(file->database, sql, parameters, count);
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct reduced));
    g_array_set_clear_func(rows, reduced_clear);
    int step;
    while ((step = statement_step(statement, &file->error)) == 1) {
        struct reduced row = {.hashes = state_file_list(NULL, 0)};
        for (int i = 0; i < keys; i++)
            row.key[i] = statement_number(statement, i);
        state_file_read(statement, keys, row.hashes);
        g_array_append_val(rows, row);
    }
    statement_reset(statement);
    if (step == -1)
        g_clear_pointer(&rows, g_array_unref);
    return rows;
}

/* Whether it had the hash. */
static bool reduce(struct reduced *row, state_hash hash)
{
    guint before = row->hashes->len;
    for (guint i = before; i-- > 0;) {
        if (g_array_index(row->hashes, state_hash, i) == hash)
            g_array_remove_index(row->hashes, i);
    }
    return row->hashes->len < before;
}

/* Deletes the sets of a statement with the columns id and parties: how many, or -1. */
static int delete_circles(struct state_file *file, const char *sql, const struct parameter *parameters, unsigned count)
{
    g_autoptr(GArray) sets = rows_of(file, sql, parameters, count, 1);
    if (sets == NULL)
        return -1;
    for (guint i = 0; i < sets->len; i++) {
        const struct reduced *set = &g_array_index(sets, struct reduced, i);
        const state_hash *parties = (const state_hash *)(gpointer)set->hashes->data;
        if (delete_circle(file, set->key[0], parties, set->hashes->len) == -1)
            return -1;
    }
    return (int)sets->len;
}

static int put_record(struct state_file *file, const struct reduced *row)
{
    const struct parameter parameters[] = {sql_number(row->key[0]), sql_number(row->key[1]), sql_number(row->key[2]),
                                           sql_number(row->key[3]), state_file_hashes(row->hashes)};
    const char *sql = row->hashes->len > 0 ? "UPDATE record SET hashes = ?5"
                                             " WHERE author = ?1 AND signature = ?2 AND at = ?3 AND id = ?4"
                                           : "DELETE FROM record"
                                             " WHERE author = ?1 AND signature = ?2 AND at = ?3 AND id = ?4";
    return state_file_change(file, sql, parameters, row->hashes->len > 0 ? 5 : 4);
}

static int forget_in_records(struct state_file *file, state_hash hash, unsigned *gone)
{
    const struct parameter author[] = {state_file_hash(hash)};
    if (state_file_change(file, "DELETE FROM record WHERE author = ?1", author, G_N_ELEMENTS(author)) == -1)
        return -1;
    *gone += (unsigned)database_changes(file->database);

    /* The bytes may also be those of two hashes, one after the other: each row that is found is looked at. */
    const struct parameter bytes[] = {sql_bytes(&hash, sizeof hash)};
    g_autoptr(GArray) rows =
        rows_of(file, "SELECT author, signature, at, id, hashes FROM record WHERE instr(hashes, ?1) > 0", bytes, 1, 4);
    if (rows == NULL)
        return -1;
    for (guint i = 0; i < rows->len; i++) {
        struct reduced *row = &g_array_index(rows, struct reduced, i);
        if (!reduce(row, hash))
            continue;
        if (put_record(file, row) == -1)
            return -1;
        ++*gone;
    }
    return 0;
}

static int forget_scope(struct state_file *file, state_hash hash, unsigned *gone)
{
    const struct parameter scope[] = {state_file_hash(hash)};
    int sets = delete_circles(file, "SELECT id, parties FROM circle WHERE scope = ?1", scope, G_N_ELEMENTS(scope));
    *gone += (unsigned)MAX(sets, 0);
    return sets == -1 ? -1 : 0;
}

static int forget_in_sets(struct state_file *file, state_hash hash, unsigned *gone)
{
    const struct parameter party[] = {state_file_hash(hash)};
    g_autoptr(GArray) sets = rows_of(file,
                                     "SELECT id, at, scope, parties FROM circle"
                                     " WHERE id IN (SELECT circle FROM party WHERE hash = ?1)",
                                     party, G_N_ELEMENTS(party), 3);
    if (sets == NULL)
        return -1;
    for (guint i = 0; i < sets->len; i++) {
        struct reduced *set = &g_array_index(sets, struct reduced, i);
        const state_hash *parties = (const state_hash *)(gpointer)set->hashes->data;
        if (delete_circle(file, set->key[0], parties, set->hashes->len) == -1)
            return -1;
        reduce(set, hash);
        if (set->hashes->len >= 2 && put_circle(file, (state_hash)set->key[2], set->hashes, set->key[1]) == -1)
            return -1;
    }
    *gone += sets->len;
    return 0;
}

static enum state_outcome forget(void *data, const state_hash *hashes, unsigned count, unsigned *gone)
{
    struct state_file *file = data;
    *gone = 0;
    int result = state_file_begin(file);
    for (unsigned i = 0; result == 0 && i < count; i++) {
        result = forget_in_records(file, hashes[i], gone);
        if (result == 0)
            result = forget_scope(file, hashes[i], gone);
        if (result == 0)
            result = forget_in_sets(file, hashes[i], gone);
        if (result == 0)
            result = state_permits_forget(file, hashes[i], gone);
    }
    return state_file_end(file, result) == -1 ? STATE_AWAY : STATE_OK;
}

int state_file_expire(struct state_file *file, gint64 records, gint64 sets)
{
    const struct parameter old_records[] = {sql_number(records), sql_number(STATE_FILE_STEP)};
    const struct parameter old_sets[] = {sql_number(sets), sql_number(STATE_FILE_STEP)};
    int result = state_file_begin(file);
    gint64 most = 0;
    if (result == 0)
        result = state_file_change(file,
                                   "DELETE FROM record WHERE (author, signature, at, id) IN"
                                   " (SELECT author, signature, at, id FROM record WHERE at < ?1 LIMIT ?2)",
                                   old_records, G_N_ELEMENTS(old_records));
    if (result == 0)
        most = database_changes(file->database);
    if (result == 0)
        result = delete_circles(file, "SELECT id, parties FROM circle WHERE at < ?1 LIMIT ?2", old_sets,
                                G_N_ELEMENTS(old_sets));
    most = MAX(most, result);
    bool more = most >= STATE_FILE_STEP;
    if (result >= 0)
        result = database_run(file->database, more ? LOG_TIDYING : LOG_USUAL, &file->error);
    return state_file_end(file, result) == -1 ? -1 : more;
}

static enum state_outcome expire(void *data, gint64 records, gint64 sets)
{
    int result;
    while ((result = state_file_expire(data, records, sets)) == 1)
        continue;
    return result == -1 ? STATE_AWAY : STATE_OK;
}

const struct state_functions state_file_functions = {
    .window = state_windows_of,
    .withdraw = state_windows_withdraw,
    .known = known,
    .known_else_window = known_else_window,
    .learn = learn,
    .forget = forget,
    .expire = expire,
    .permit = state_permits_add,
    .claim = state_permits_claim,
    .unclaim = state_permits_give_back,
};
