/* ledger_remembered - what held messages have to do with the state, and what it is due; see ledger.h */

#include "milter/ledger/ledger_private.h"

#include <string.h>

/* In the table: more than can be counted. */
#define MANY (-1)

/* Rows that one step of ledger_forget reads: others wait for it. */
#define FORGET_ROWS 1000

/* ---- one row */

static struct parameter sql_parties(const GArray *parties)
{
    return parties == NULL ? sql_text(NULL) : sql_bytes(parties->data, parties->len * sizeof(state_hash));
}

/* The value of a window, of which there is none without an answer. */
static int add_within(struct ledger *ledger, gint64 id, const struct ledger_remembered *remembered,
                      struct database_error *error)
{
    const struct parameter parameters[] = {
        sql_number(id), sql_number(remembered->within == STATE_WINDOW_MANY ? MANY : (gint64)remembered->within)};
    return database_change(ledger->database, "UPDATE remembered SET within = ?2 WHERE held = ?1", parameters,
                           G_N_ELEMENTS(parameters), error);
}

int row_add_remembered(struct ledger *ledger, gint64 id, const struct ledger_remembered *remembered,
                       struct database_error *error)
{
    static const char *const words[] = {[KNOWN_NOT_ASKED] = NULL, [KNOWN_NO] = "no", [KNOWN_YES] = "yes"};
    const struct parameter parameters[] = {sql_number(id),
                                           sql_number((gint64)remembered->record),
                                           sql_number((gint64)remembered->scope),
                                           sql_parties(remembered->parties),
                                           sql_text(words[remembered->known]),
                                           sql_text(remembered->counted)};
    if (database_change(ledger->database,
                        "INSERT INTO remembered (held, record, scope, parties, known, counted)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        parameters, G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    return remembered->counted != NULL && remembered->answered ? add_within(ledger, id, remembered, error) : 0;
}

int row_set_due(struct ledger *ledger, gint64 id, const char *due, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_text(due)};
    return database_change(ledger->database,
                           "UPDATE remembered SET due = ?2 WHERE held = ?1 AND"
                           " (?2 IS NULL OR ?2 = '" LEDGER_DUE_LEARN "' AND parties IS NOT NULL"
                           " OR ?2 = '" LEDGER_DUE_WITHDRAW "' AND record <> 0)",
                           parameters, G_N_ELEMENTS(parameters), error);
}

/* What take_remembered takes, in its order. */
#define REMEMBERED_COLUMNS "record, scope, remembered.parties, known, counted, within"

/* The hashes of a column; NULL if it has none. */
static GArray *read_parties(struct statement *statement, int column)
{
    size_t size = 0;
    const void *bytes = statement_bytes(statement, column, &size);
    guint count = (guint)(size / sizeof(state_hash));
    if (count == 0)
        return NULL;
    GArray *parties = g_array_sized_new(FALSE, FALSE, sizeof(state_hash), count);
    g_array_append_vals(parties, bytes, count);
    return parties;
}

/* The word of the table as it is known here: it outlives the row. */
static const char *counted_word(const char *text)
{
    for (unsigned count = 0; text != NULL && count < COUNT_KINDS; count++) {
        if (strcmp(text, count_name((enum count)count)) == 0)
            return count_name((enum count)count);
    }
    return NULL;
}

static void take_remembered(struct statement *statement, int column, struct ledger_remembered *remembered)
{
    remembered->record = (state_hash)statement_number(statement, column++);
    remembered->scope = (state_hash)statement_number(statement, column++);
    remembered->parties = read_parties(statement, column++);
    const char *known = statement_text(statement, column++);
    remembered->known = known == NULL ? KNOWN_NOT_ASKED : strcmp(known, "yes") == 0 ? KNOWN_YES : KNOWN_NO;
    remembered->counted = counted_word(statement_text(statement, column++));
    remembered->answered = statement_text(statement, column) != NULL;
    gint64 within = statement_number(statement, column);
    remembered->within = within == MANY ? STATE_WINDOW_MANY : (guint32)within;
}

static void clear_remembered(struct ledger_remembered *remembered)
{
    g_clear_pointer(&remembered->parties, g_array_unref);
}

void ledger_remembered_free(struct ledger_remembered *remembered)
{
    if (remembered == NULL)
        return;
    clear_remembered(remembered);
    g_free(remembered);
}

struct ledger_remembered *ledger_remembered(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    struct ledger_remembered *remembered = NULL;
    struct statement *statement =
        database_query(ledger->database, "SELECT " REMEMBERED_COLUMNS " FROM remembered WHERE held = ?1", parameters,
                       G_N_ELEMENTS(parameters));
    int row = statement_step(statement, error);
    if (row == 1) {
        remembered = g_new0(struct ledger_remembered, 1);
        take_remembered(statement, 0, remembered);
    } else if (row == 0) {
        database_error_set(error, DATABASE_NONE, "there is no such row");
    }
    statement_reset(statement);
    return remembered;
}

/* ---- what is due */

static void untold_free(gpointer data)
{
    struct ledger_untold *untold = data;
    clear_remembered(&untold->remembered);
    g_free(untold->queue_id);
    g_free(untold);
}

static struct ledger_untold *take_untold(struct statement *statement)
{
    struct ledger_untold *untold = g_new0(struct ledger_untold, 1);
    untold->id = statement_number(statement, 0);
    untold->queue_id = g_strdup(statement_text(statement, 1));
    untold->since = statement_number(statement, 2);
    untold->learn = g_strcmp0(statement_text(statement, 3), LEDGER_DUE_LEARN) == 0;
    take_remembered(statement, 4, &untold->remembered);
    return untold;
}

GPtrArray *ledger_untold(struct ledger *ledger, gint64 id, unsigned limit, struct database_error *error)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(untold_free);
    const struct parameter parameters[] = {sql_number(id), sql_number(limit)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT held, queue_id, since, due, " REMEMBERED_COLUMNS " FROM remembered"
                       " JOIN held ON held.id = held WHERE due IS NOT NULL AND (?1 = 0 OR held = ?1)"
                       " AND (due = '" LEDGER_DUE_LEARN "' AND state = 'released'"
                       " OR due = '" LEDGER_DUE_WITHDRAW "' AND state IN ('returned', 'deleted'))"
                       " ORDER BY held LIMIT ?2",
                       parameters, G_N_ELEMENTS(parameters));
    int row;
    while ((row = statement_step(statement, error)) == 1)
        g_ptr_array_add(rows, take_untold(statement));
    statement_reset(statement);
    if (row == 0)
        return rows;
    g_ptr_array_unref(rows);
    return NULL;
}

/* Of the decision that was read: there may be another one since. */
int ledger_told(struct ledger *ledger, const struct ledger_untold *untold, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(untold->id), sql_number(untold->since)};
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = database_change(ledger->database,
                                 "UPDATE remembered SET due = NULL WHERE held = ?1"
                                 " AND EXISTS (SELECT 1 FROM held WHERE id = ?1 AND since = ?2"
                                 " AND state IN ('released', 'returned', 'deleted'))",
                                 parameters, G_N_ELEMENTS(parameters), error);
    return database_end(ledger->database, result, error);
}

/* ---- forgetting */

/* A row that can teach, while what is forgotten is taken out. */
struct teaching {
    gint64 id;
    state_hash scope;
    GArray *parties;
};

static void teaching_clear(gpointer data)
{
    g_array_unref(((struct teaching *)data)->parties);
}

/* The next rows after one. */
static GArray *read_sets(struct ledger *ledger, gint64 after, struct database_error *error)
{
    GArray *sets = g_array_new(FALSE, FALSE, sizeof(struct teaching));
    const struct parameter parameters[] = {sql_number(after), sql_number(FORGET_ROWS)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT held, scope, parties FROM remembered WHERE held > ?1 AND length(parties) >= 8"
                       " ORDER BY held LIMIT ?2",
                       parameters, G_N_ELEMENTS(parameters));
    g_array_set_clear_func(sets, teaching_clear);
    int row;
    while ((row = statement_step(statement, error)) == 1) {
        const struct teaching set = {statement_number(statement, 0), (state_hash)statement_number(statement, 1),
                                     read_parties(statement, 2)};
        g_array_append_val(sets, set);
    }
    statement_reset(statement);
    if (row == 0)
        return sets;
    g_array_unref(sets);
    return NULL;
}

static bool has_hash(const state_hash *hashes, unsigned count, state_hash hash)
{
    for (unsigned i = 0; i < count; i++) {
        if (hashes[i] == hash)
            return true;
    }
    return false;
}

/* Whether there is less of it than before. */
static bool take_out(struct teaching *set, const state_hash *hashes, unsigned count)
{
    guint before = set->parties->len;
    for (guint i = set->parties->len; i > 0; i--) {
        if (has_hash(hashes, count, g_array_index(set->parties, state_hash, i - 1)))
            g_array_remove_index_fast(set->parties, i - 1);
    }
    if (set->parties->len < 2 || (set->scope != 0 && has_hash(hashes, count, set->scope)))
        g_array_set_size(set->parties, 0);
    return set->parties->len < before;
}

/* What was to be learned of a set that is gone is not due any more. */
static int write_set(struct ledger *ledger, const struct teaching *set, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(set->id),
                                           sql_parties(set->parties->len == 0 ? NULL : set->parties)};
    return database_change(ledger->database,
                           "UPDATE remembered SET parties = ?2,"
                           " scope = CASE WHEN ?2 IS NULL THEN 0 ELSE scope END,"
                           " due = CASE WHEN ?2 IS NULL AND due = '" LEDGER_DUE_LEARN "' THEN NULL ELSE due END"
                           " WHERE held = ?1",
                           parameters, G_N_ELEMENTS(parameters), error);
}

/* One step, in a transaction: the last row that it read, 0 if there are no more, or -1. */
static gint64 forget_step(struct ledger *ledger, gint64 after, const state_hash *hashes, unsigned count, unsigned *gone,
                          struct database_error *error)
{
    g_autoptr(GArray) sets = read_sets(ledger, after, error);
    if (sets == NULL)
        return -1;
    for (guint i = 0; i < sets->len; i++) {
        struct teaching *set = &g_array_index(sets, struct teaching, i);
        if (!take_out(set, hashes, count))
            continue;
        if (write_set(ledger, set, error) == -1)
            return -1;
        ++*gone;
    }
    return sets->len < FORGET_ROWS ? 0 : g_array_index(sets, struct teaching, sets->len - 1).id;
}

int ledger_forget(struct ledger *ledger, const state_hash *hashes, unsigned count, unsigned *gone,
                  struct database_error *error)
{
    gint64 last = 0;
    *gone = 0;
    do {
        if (database_begin(ledger->database, error) == -1)
            return -1;
        last = forget_step(ledger, last, hashes, count, gone, error);
        if (database_end(ledger->database, last == -1 ? -1 : 0, error) == -1)
            return -1;
    } while (last > 0);
    return 0;
}
