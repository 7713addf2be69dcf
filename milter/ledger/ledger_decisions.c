/* ledger_decisions - see ledger_decisions.h */

#include "milter/ledger/ledger_decisions.h"

#include "milter/ledger/ledger_private.h"

#include <string.h>
#include <unistd.h>

void ledger_decision_free(struct ledger_decision *decision)
{
    if (decision == NULL)
        return;
    g_free(decision->who);
    g_free(decision->reason);
    g_free(decision->words);
    g_free(decision->origin);
    g_free(decision->node);
    g_free(decision);
}

/* ---- reading */

#define COLUMNS                                                                                                        \
    "id, held, action, way, who, uid, reason, at, seal, since, process, done, code, words, fleet,"                     \
    " origin, node"

/* The table's CHECK lets in no other word. */
static enum ledger_action action_of(const char *name)
{
    if (g_strcmp0(name, ledger_action_name(LEDGER_RELEASE)) == 0)
        return LEDGER_RELEASE;
    return g_strcmp0(name, ledger_action_name(LEDGER_DELETE)) == 0 ? LEDGER_DELETE : LEDGER_RETURN;
}

static struct ledger_decision *decision_of(struct statement *statement)
{
    struct ledger_decision *decision = g_new0(struct ledger_decision, 1);
    size_t size = 0;
    decision->id = statement_number(statement, 0);
    decision->row = statement_number(statement, 1);
    decision->action = action_of(statement_text(statement, 2));
    decision->way = ledger_way_find(statement_text(statement, 3));
    decision->who = g_strdup(statement_text(statement, 4));
    decision->uid = (uid_t)statement_number(statement, 5);
    decision->reason = g_strdup(statement_text(statement, 6));
    decision->at = statement_number(statement, 7);
    const void *seal = statement_bytes(statement, 8, &size);
    decision->sealed = seal != NULL && size == LEDGER_SEAL_SIZE;
    if (decision->sealed)
        memcpy(decision->seal, seal, LEDGER_SEAL_SIZE);
    decision->since = statement_number(statement, 9);
    decision->process = (pid_t)statement_number(statement, 10);
    decision->done = statement_number(statement, 11);
    decision->code = (int)statement_number(statement, 12);
    decision->words = g_strdup(statement_text(statement, 13));
    decision->fleet = statement_number(statement, 14);
    decision->origin = g_strdup(statement_text(statement, 15));
    decision->node = g_strdup(statement_text(statement, 16));
    return decision;
}

static GPtrArray *collect(struct statement *statement, struct database_error *error)
{
    GPtrArray *decisions = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_decision_free);
    int row;
    while ((row = statement_step(statement, error)) == 1)
        g_ptr_array_add(decisions, decision_of(statement));
    statement_reset(statement);
    if (row == 0)
        return decisions;
    g_ptr_array_unref(decisions);
    return NULL;
}

GPtrArray *ledger_decisions(struct ledger *ledger, gint64 row, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(row)};
    return collect(database_query(ledger->database, "SELECT " COLUMNS " FROM decision WHERE held = ?1 ORDER BY id",
                                  parameters, G_N_ELEMENTS(parameters)),
                   error);
}

GPtrArray *ledger_decisions_open(struct ledger *ledger, struct database_error *error)
{
    return collect(
        database_query(ledger->database, "SELECT " COLUMNS " FROM decision WHERE done = 0 ORDER BY id", NULL, 0),
        error);
}

/* ---- writing */

static int insert(struct ledger *ledger, const struct ledger_decision *decision, gint64 *id,
                  struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(decision->row),
                                           sql_text(ledger_action_name(decision->action)),
                                           sql_text(ledger_way_name(decision->way)),
                                           sql_text(decision->who),
                                           sql_number(decision->uid),
                                           sql_text(decision->reason),
                                           sql_number(decision->at),
                                           decision->sealed ? sql_bytes(decision->seal, LEDGER_SEAL_SIZE)
                                                            : sql_text(NULL),
                                           sql_number(decision->since),
                                           sql_number(decision->process),
                                           decision->fleet == 0 ? sql_text(NULL) : sql_number(decision->fleet),
                                           sql_text(decision->origin),
                                           sql_text(decision->node)};
    if (database_change(ledger->database,
                        "INSERT INTO decision (held, action, way, who, uid, reason, at, seal, since, process,"
                        " fleet, origin, node) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                        parameters, G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    *id = database_last_row(ledger->database);
    return row_changed(ledger, decision->row, error);
}

int ledger_decide(struct ledger *ledger, const struct ledger_decision *decision, gint64 *id,
                  struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database, insert(ledger, decision, id, error), error);
}

/* The row of a decision, which has changed or will. */
static int changed(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    return rows_changed(ledger, "id = (SELECT decision.held FROM decision WHERE decision.id = ?1)", parameters,
                        G_N_ELEMENTS(parameters), error);
}

struct ledger_decision *ledger_decision_of(struct ledger *ledger, const char *origin, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(origin)};
    g_autoptr(GPtrArray) found =
        collect(database_query(ledger->database, "SELECT " COLUMNS " FROM decision WHERE origin = ?1", parameters,
                               G_N_ELEMENTS(parameters)),
                error);
    if (found == NULL)
        return NULL;
    if (found->len > 0)
        return g_ptr_array_steal_index(found, 0);
    database_error_set(error, DATABASE_NONE, "there is no such decision");
    return NULL;
}

/* Within a transaction. */
static int decide_once(struct ledger *ledger, struct ledger_decision *decision, int *added,
                       struct database_error *error)
{
    auto_free(ledger_decision) there = ledger_decision_of(ledger, decision->origin, error);
    if (there == NULL && error->failure != DATABASE_NONE)
        return -1;
    *added = there == NULL;
    if (there == NULL)
        return insert(ledger, decision, &decision->id, error);
    decision->id = there->id;
    decision->done = there->done;
    decision->code = there->code;
    g_free(decision->words);
    decision->words = g_steal_pointer(&there->words);
    return 0;
}

int ledger_decide_once(struct ledger *ledger, struct ledger_decision *decision, struct database_error *error)
{
    int added = 0;
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = decide_once(ledger, decision, &added, error);
    return database_end(ledger->database, result, error) == -1 ? -1 : added;
}

int ledger_decision_void(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = changed(ledger, id, error);
    if (result == 0)
        result = database_change(ledger->database, "DELETE FROM decision WHERE id = ?1 AND since = 0 AND done = 0",
                                 parameters, G_N_ELEMENTS(parameters), error);
    return database_end(ledger->database, result, error);
}

int ledger_decision_take(struct ledger *ledger, const struct ledger_decision *decision, gint64 now,
                         struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(decision->id), sql_number(decision->since),
                                           sql_number(decision->process), sql_number(now), sql_number(getpid())};
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = database_change(ledger->database,
                                 "UPDATE decision SET since = ?4, process = ?5"
                                 " WHERE id = ?1 AND since = ?2 AND process = ?3 AND done = 0",
                                 parameters, G_N_ELEMENTS(parameters), error);
    int taken = database_changes(ledger->database) > 0;
    return database_end(ledger->database, result, error) == -1 ? -1 : taken;
}

int ledger_decision_leave(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database,
                        database_change(ledger->database,
                                        "UPDATE decision SET since = 0, process = 0 WHERE id = ?1 AND done = 0",
                                        parameters, G_N_ELEMENTS(parameters), error),
                        error);
}

static int notice(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_text(LEDGER_NOTICE_SENT)};
    if (changed(ledger, id, error) == -1)
        return -1;
    return database_change(ledger->database, "UPDATE decision SET words = ?2 WHERE id = ?1 AND done = 0", parameters,
                           G_N_ELEMENTS(parameters), error);
}

int ledger_decision_noticed(struct ledger *ledger, gint64 id, struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database, notice(ledger, id, error), error);
}

int ledger_decision_is_noticed(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_text(LEDGER_NOTICE_SENT),
                                           sql_text(ledger_way_name(LEDGER_BY_EXPIRY))};
    struct statement *statement = database_query(ledger->database,
                                                 "SELECT 1 FROM decision AS this JOIN held ON held.id = this.held"
                                                 " JOIN decision AS one ON one.held = this.held AND one.way = this.way"
                                                 " AND one.action = this.action WHERE this.id = ?1 AND one.words = ?2"
                                                 " AND (one.id = ?1 OR (this.way = ?3 AND one.at >= held.arrival))",
                                                 parameters, G_N_ELEMENTS(parameters));
    int found = statement_step(statement, error);
    statement_reset(statement);
    return found;
}

static int end(struct ledger *ledger, gint64 id, int code, const char *words, gint64 now, gint64 *ended,
               struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_number(now), sql_number(code), sql_text(words)};
    *ended = 0;
    if (changed(ledger, id, error) == -1 ||
        database_change(ledger->database,
                        "UPDATE decision SET done = ?2, code = ?3, words = ?4 WHERE id = ?1 AND done = 0", parameters,
                        G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    *ended = database_changes(ledger->database);
    return 0;
}

int ledger_decision_end(struct ledger *ledger, gint64 id, int code, const char *words, gint64 now,
                        struct database_error *error)
{
    gint64 ended;
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database, end(ledger, id, code, words, now, &ended, error), error);
}

int ledger_decision_refuse(struct ledger *ledger, const struct ledger_decision *decision, int code, const char *words,
                           gint64 now, struct database_error *error)
{
    const struct ledger_person person = {decision->who, decision->uid};
    const struct ledger_act act = {.id = decision->row,
                                   .now = now,
                                   .person = &person,
                                   .way = decision->way,
                                   .reason = decision->reason,
                                   .node = decision->node};
    if (database_begin(ledger->database, error) == -1)
        return -1;
    gint64 ended;
    int result = end(ledger, decision->id, code, words, now, &ended, error);
    if (result == 0 && ended > 0)
        result = row_note(ledger, &act, "refuse", words, error);
    return database_end(ledger->database, result, error);
}
