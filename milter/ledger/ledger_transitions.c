/*
 * ledger_transitions - how the state of held messages changes, as people decide and as the queue
 * tells; see ledger.h.
 *
 * Every function here is one transaction that begins with the lock of who
 * writes: what it reads stays true until it is done.
 */

#include "milter/ledger/ledger_private.h"

#include <string.h>
#include <unistd.h>

int row_note(struct ledger *ledger, const struct ledger_act *act, const char *action, const char *detail,
             struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(act->id),
                                           sql_number(act->now),
                                           sql_text(act->person == NULL ? NULL : act->person->login),
                                           sql_number(act->person == NULL ? 0 : act->person->uid),
                                           sql_text(action),
                                           sql_text(act->reason),
                                           sql_text(detail),
                                           sql_text(ledger_way_name(act->way)),
                                           sql_text(act->node)};
    return database_change(ledger->database,
                           "INSERT INTO history (held, at, who, uid, action, reason, detail, way, node)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                           parameters, G_N_ELEMENTS(parameters), error) == -1
               ? -1
               : row_changed(ledger, act->id, error);
}

/* ---- looking */

const char *ledger_look_name(unsigned look)
{
    return look == LEDGER_LOOK_RECIPIENTS ? "recipients" : "message";
}

int ledger_look(struct ledger *ledger, const struct ledger_act *act, unsigned looks, struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = 0;
    for (unsigned look = LEDGER_LOOK_RECIPIENTS; look <= LEDGER_LOOK_MESSAGE && result == 0; look <<= 1) {
        if ((looks & look) != 0)
            result = row_note(ledger, act, "look", ledger_look_name(look), error);
    }
    return database_end(ledger->database, result, error);
}

/* ---- following the queue */

/* Whether a row in that state becomes what was seen. */
static bool moves(enum ledger_state from, enum ledger_state to)
{
    switch (to) {
    case LEDGER_HELD:
        return from == LEDGER_PENDING || from == LEDGER_LEFT;
    case LEDGER_LEFT:
        return from == LEDGER_PENDING || from == LEDGER_HELD;
    default:
        return false;
    }
}

static int set_sight(struct ledger *ledger, const struct ledger_sight *sight, gint64 now, struct database_error *error)
{
    const struct parameter parameters[] = {
        sql_number(sight->id),   sql_text(ledger_state_name(sight->state)),
        sql_number(now),         sql_number(sight->state == LEDGER_HELD ? sight->arrival : 0),
        sql_number(sight->size), sql_text(sight->instance)};
    return database_change(
               ledger->database,
               "UPDATE held SET state = ?2, changed = ?3, arrival = CASE WHEN ?4 > 0 THEN ?4 ELSE arrival END,"
               " size = CASE WHEN ?4 > 0 THEN ?5 ELSE size END, instance = ifnull(?6, instance) WHERE id = ?1",
               parameters, G_N_ELEMENTS(parameters), error) == -1
               ? -1
               : row_changed(ledger, sight->id, error);
}

/* The state at hand: 1, or 0 if there is no such row. */
static int read_state(struct ledger *ledger, gint64 id, enum ledger_state *state, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    struct statement *statement =
        database_query(ledger->database, "SELECT state FROM held WHERE id = ?1", parameters, G_N_ELEMENTS(parameters));
    int row = statement_step(statement, error);
    if (row == 1)
        *state = (enum ledger_state)row_state(statement_text(statement, 0));
    statement_reset(statement);
    return row;
}

/* What is held already is seen in an instance for the first time. */
static int set_instance(struct ledger *ledger, const struct ledger_sight *sight, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(sight->id), sql_text(sight->instance)};
    return database_change(ledger->database, "UPDATE held SET instance = ?2 WHERE id = ?1", parameters,
                           G_N_ELEMENTS(parameters), error) == -1
               ? -1
               : row_changed(ledger, sight->id, error);
}

static int take_sight(struct ledger *ledger, const struct ledger_sight *sight, gint64 now, struct database_error *error)
{
    enum ledger_state state;
    int there = read_state(ledger, sight->id, &state, error);
    if (there == 1 && state == LEDGER_HELD && sight->state == LEDGER_HELD && sight->instance != NULL)
        return set_instance(ledger, sight, error);
    if (there != 1 || !moves(state, sight->state))
        return there == -1 ? -1 : 0;
    if (set_sight(ledger, sight, now, error) == -1)
        return -1;
    if (state == LEDGER_PENDING && sight->state == LEDGER_HELD) /* what everybody expects is no event */
        return 0;
    const char *detail = sight->state == LEDGER_HELD ? "it is in the queue after all"
                         : sight->detail != NULL     ? sight->detail
                         : state == LEDGER_PENDING   ? "it was never seen on hold"
                                                     : NULL;
    const struct ledger_act act = {.id = sight->id, .now = now};
    return row_note(ledger, &act, ledger_state_name(sight->state), detail, error);
}

int ledger_sighted(struct ledger *ledger, const GArray *sights, gint64 now, struct database_error *error)
{
    if (sights->len == 0)
        return 0;
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = 0;
    for (guint i = 0; i < sights->len && result == 0; i++)
        result = take_sight(ledger, &g_array_index(sights, struct ledger_sight, i), now, error);
    return database_end(ledger->database, result, error);
}

/* ---- deciding */

/* A change in the making: a transaction, and the row as it was at its start. */
struct transition {
    struct ledger *ledger;
    struct ledger_act act;
    struct ledger_row *row;     /* before; NULL if there is none */
    struct ledger_row **result; /* what is given of it in the end; NULL: nothing */
    struct database_error *error;
};

static int decision_begin(struct transition *decision)
{
    if (decision->result != NULL)
        *decision->result = NULL;
    if (database_begin(decision->ledger->database, decision->error) == -1)
        return -1;
    decision->error->failure = DATABASE_NONE;
    decision->row = ledger_get(decision->ledger, decision->act.id, decision->error);
    if (decision->row != NULL || decision->error->failure == DATABASE_NONE)
        return 0;
    database_rollback(decision->ledger->database);
    return -1;
}

/* Ends the transaction with an answer, and gives the row as it is now. */
static enum ledger_answer decision_end(struct transition *decision, enum ledger_answer answer)
{
    struct database *database = decision->ledger->database;
    auto_free(ledger_row) before = g_steal_pointer(&decision->row);
    auto_free(ledger_row) after = NULL;
    if (answer == LEDGER_DONE) {
        after = ledger_get(decision->ledger, decision->act.id, decision->error);
        if (after == NULL || database_commit(database, decision->error) == -1)
            answer = LEDGER_FAILED;
    }
    if (answer != LEDGER_DONE)
        database_rollback(database);
    if (decision->result != NULL && answer != LEDGER_FAILED)
        *decision->result = after != NULL ? g_steal_pointer(&after) : g_steal_pointer(&before);
    return answer;
}

/* Whether somebody may act on the row: LEDGER_DONE, or why not. */
static enum ledger_answer waits(const struct ledger_row *row)
{
    if (row == NULL)
        return LEDGER_UNKNOWN;
    if ((LEDGER_BIT(row->state) & LEDGER_CLOSED) != 0)
        return LEDGER_NOT_WAITING;
    return (LEDGER_BIT(row->state) & LEDGER_CLAIMED) != 0 ? LEDGER_TAKEN : LEDGER_DONE;
}

/* ---- approvals */

/* 1 if it is new, 0 if the person had approved before. */
static int add_approval(const struct transition *decision)
{
    struct database *database = decision->ledger->database;
    const struct parameter parameters[] = {sql_number(decision->act.id), sql_text(decision->act.person->login),
                                           sql_number(decision->act.person->uid), sql_number(decision->act.now)};
    return database_change(database, "INSERT OR IGNORE INTO approval (held, login, uid, at) VALUES (?1, ?2, ?3, ?4)",
                           parameters, G_N_ELEMENTS(parameters), decision->error) == -1
               ? -1
               : (int)database_changes(database);
}

enum ledger_answer ledger_approve(struct ledger *ledger, const struct ledger_act *act, struct ledger_row **row,
                                  struct database_error *error)
{
    struct transition decision = {.ledger = ledger, .act = *act, .result = row, .error = error};
    if (decision_begin(&decision) == -1)
        return LEDGER_FAILED;
    enum ledger_answer answer = waits(decision.row);
    if (answer == LEDGER_DONE) {
        int added = add_approval(&decision);
        if (added == -1 || (added == 1 && row_note(ledger, act, "approve", NULL, error) == -1))
            answer = LEDGER_FAILED;
    }
    return decision_end(&decision, answer);
}

/* ---- claims */

static int set_claim(const struct transition *decision, enum ledger_action action)
{
    const struct parameter parameters[] = {
        sql_number(decision->act.id),          sql_text(ledger_state_name(ledger_action_claims(action))),
        sql_number(decision->act.now),         sql_text(decision->act.person->login),
        sql_number(decision->act.person->uid), sql_number(getpid()),
        sql_text(decision->act.reason),        sql_text(ledger_way_name(decision->act.way)),
        sql_text(decision->act.node)};
    if (database_change(decision->ledger->database,
                        "UPDATE held SET state = ?2, changed = ?3, since = ?3, who = ?4,"
                        " uid = ?5, process = ?6, reason = ?7, way = ?8, node = ?9 WHERE id = ?1",
                        parameters, G_N_ELEMENTS(parameters), decision->error) == -1 ||
        row_changed(decision->ledger, decision->act.id, decision->error) == -1)
        return -1;
    const char *due = action != LEDGER_RELEASE ? LEDGER_DUE_WITHDRAW : decision->act.learn ? LEDGER_DUE_LEARN : NULL;
    return row_set_due(decision->ledger, decision->act.id, due, decision->error);
}

enum ledger_answer ledger_claim(struct ledger *ledger, enum ledger_action action, const struct ledger_act *act,
                                struct ledger_row **row, struct database_error *error)
{
    struct transition decision = {.ledger = ledger, .act = *act, .result = row, .error = error};
    if (decision_begin(&decision) == -1)
        return LEDGER_FAILED;
    enum ledger_answer answer = waits(decision.row);
    const struct ledger_row *there = decision.row;
    if (answer == LEDGER_DONE && act->way == LEDGER_BY_DELAY && (there->leaves == 0 || there->leaves > act->now))
        answer = LEDGER_STOPPED;
    if (answer == LEDGER_DONE && action == LEDGER_RELEASE) {
        unsigned wanted = MAX(act->needed, decision.row->message.approvals);
        if (wanted > 1 && decision.row->granted < wanted)
            answer = LEDGER_NOT_APPROVED;
        else if (wanted <= 1 && act->person->login != NULL && add_approval(&decision) == -1)
            answer = LEDGER_FAILED;
    }
    if (answer == LEDGER_DONE && set_claim(&decision, action) == -1)
        answer = LEDGER_FAILED;
    return decision_end(&decision, answer);
}

/* The action that a claim is for; -1 if the row is not claimed. */
static int claimed_action(const struct ledger_row *row)
{
    static const enum ledger_action actions[] = {LEDGER_RELEASE, LEDGER_RETURN, LEDGER_DELETE};
    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (row->state == ledger_action_claims(actions[i]))
            return (int)actions[i];
    }
    return -1;
}

/* LEDGER_DONE if the row is claimed and can come to an end of either kind. */
static enum ledger_answer check_claimed(const struct transition *decision)
{
    enum ledger_answer answer = waits(decision->row);
    if (answer == LEDGER_TAKEN)
        return LEDGER_DONE;
    if (answer != LEDGER_DONE)
        return answer;
    database_error_set(decision->error, DATABASE_OTHER, "%s: it is not claimed, so nothing can come of it",
                       decision->row->message.queue_id);
    return LEDGER_FAILED;
}

char *ledger_detail(const char *requeued, const char *detail)
{
    if (requeued == NULL)
        return g_strdup(detail);
    return detail == NULL ? g_strdup_printf("as %s", requeued) : g_strdup_printf("as %s; %s", requeued, detail);
}

/* What came of a claim is by whom, and for the reason, that the row has. */
static int note_claimed(const struct transition *decision, const char *action, const char *detail)
{
    const struct ledger_person person = {decision->row->who, decision->row->uid};
    struct ledger_act act = decision->act;
    act.person = &person;
    act.way = decision->row->way;
    act.node = decision->row->node;
    act.reason = decision->row->reason;
    return row_note(decision->ledger, &act, action, detail, decision->error);
}

/* Of a claimed row. */
static int finish(const struct transition *decision, const char *requeued, const char *detail)
{
    enum ledger_action action = (enum ledger_action)claimed_action(decision->row);
    g_autofree char *text = ledger_detail(requeued, detail);
    const struct parameter parameters[] = {sql_number(decision->act.id),
                                           sql_text(ledger_state_name(ledger_action_ends(action))),
                                           sql_number(decision->act.now), sql_text(requeued)};
    if (database_change(
            decision->ledger->database,
            "UPDATE held SET state = ?2, changed = ?3, since = ?3, process = 0, requeued = ?4 WHERE id = ?1",
            parameters, G_N_ELEMENTS(parameters), decision->error) == -1)
        return -1;
    return note_claimed(decision, ledger_action_name(action), text);
}

enum ledger_answer ledger_finish(struct ledger *ledger, gint64 id, const char *requeued, const char *detail, gint64 now,
                                 struct ledger_row **row, struct database_error *error)
{
    struct transition decision = {.ledger = ledger, .act = {.id = id, .now = now}, .result = row, .error = error};
    if (decision_begin(&decision) == -1)
        return LEDGER_FAILED;
    enum ledger_answer answer = check_claimed(&decision);
    if (answer == LEDGER_DONE && finish(&decision, requeued, detail) == -1)
        answer = LEDGER_FAILED;
    return decision_end(&decision, answer);
}

static int abandon(const struct transition *decision, const char *detail)
{
    const struct parameter parameters[] = {sql_number(decision->act.id), sql_number(decision->act.now)};
    if (database_change(
            decision->ledger->database,
            "UPDATE held SET state = CASE WHEN arrival > 0 THEN 'held' ELSE 'pending' END, changed = ?2, since = 0,"
            " who = NULL, uid = 0, process = 0, reason = NULL, way = NULL, node = NULL WHERE id = ?1",
            parameters, G_N_ELEMENTS(parameters), decision->error) == -1 ||
        row_set_due(decision->ledger, decision->act.id, NULL, decision->error) == -1)
        return -1;
    return note_claimed(decision, "abandon", detail);
}

enum ledger_answer ledger_abandon(struct ledger *ledger, gint64 id, const char *detail, gint64 now,
                                  struct ledger_row **row, struct database_error *error)
{
    struct transition decision = {.ledger = ledger, .act = {.id = id, .now = now}, .result = row, .error = error};
    if (decision_begin(&decision) == -1)
        return LEDGER_FAILED;
    enum ledger_answer answer = check_claimed(&decision);
    if (answer == LEDGER_DONE && abandon(&decision, detail) == -1)
        answer = LEDGER_FAILED;
    return decision_end(&decision, answer);
}

enum ledger_answer ledger_settle(struct ledger *ledger, const struct ledger_row *claim, bool on_hold, gint64 now,
                                 struct ledger_row **row, struct database_error *error)
{
    struct transition decision = {
        .ledger = ledger, .act = {.id = claim->id, .now = now}, .result = row, .error = error};
    if (decision_begin(&decision) == -1)
        return LEDGER_FAILED;
    const struct ledger_row *now_there = decision.row;
    bool another = now_there != NULL && (now_there->since != claim->since || now_there->process != claim->process);
    enum ledger_answer answer = another ? LEDGER_TAKEN : check_claimed(&decision);
    if (answer == LEDGER_DONE && (on_hold ? abandon(&decision, "interrupted; it is still on hold")
                                          : finish(&decision, NULL, "interrupted; it is no longer on hold")) == -1)
        answer = LEDGER_FAILED;
    return decision_end(&decision, answer);
}

/* ---- adoption */

/* What it was, and what of that does not count any more. */
static char *adoption_detail(const struct ledger_row *before, const char *queue_id)
{
    GString *detail = g_string_new(NULL);
    if (strcmp(before->message.queue_id, queue_id) != 0)
        g_string_append_printf(detail, "its queue id was %s", before->message.queue_id);
    else
        g_string_append(detail, "it is on hold again");
    if ((LEDGER_BIT(before->state) & LEDGER_DECIDED) != 0)
        g_string_append_printf(detail, "; that it was %s by %s does not count", ledger_state_name(before->state),
                               before->who == NULL ? "somebody" : before->who);
    else if (before->granted > 0)
        g_string_append_printf(detail, "; %u approval%s not count", before->granted,
                               before->granted == 1 ? " does" : "s do");
    return g_string_free(detail, FALSE);
}

static int adopt(const struct transition *decision, const struct ledger_arrival *arrival)
{
    struct database *database = decision->ledger->database;
    g_autofree char *detail = adoption_detail(decision->row, arrival->queue_id);
    const struct parameter parameters[] = {sql_number(decision->act.id),  sql_text(arrival->queue_id),
                                           sql_number(arrival->arrival),  sql_number(arrival->size),
                                           sql_number(decision->act.now), sql_text(arrival->instance)};
    if (database_change(
            database,
            "UPDATE held SET former = CASE WHEN queue_id = ?2 THEN former ELSE ifnull(former, queue_id) END,"
            " queue_id = ?2, arrival = ?3, size = ?4, state = 'held', changed = ?5, since = 0, who = NULL, uid = 0,"
            " process = 0, reason = NULL, requeued = NULL, way = NULL, node = NULL, leaves = 0, announced = 0,"
            " instance = ifnull(?6, instance) WHERE id = ?1",
            parameters, G_N_ELEMENTS(parameters), decision->error) == -1 ||
        database_change(database, "DELETE FROM approval WHERE held = ?1", parameters, 1, decision->error) == -1 ||
        row_set_due(decision->ledger, decision->act.id, NULL, decision->error) == -1)
        return -1;
    return row_note(decision->ledger, &decision->act, "adopt", detail, decision->error);
}

enum ledger_answer ledger_adopt(struct ledger *ledger, const struct ledger_row *before,
                                const struct ledger_arrival *arrival, gint64 now, struct ledger_row **row,
                                struct database_error *error)
{
    struct transition decision = {
        .ledger = ledger, .act = {.id = before->id, .now = now}, .result = row, .error = error};
    if (decision_begin(&decision) == -1)
        return LEDGER_FAILED;
    const struct ledger_row *there = decision.row;
    enum ledger_answer answer = LEDGER_DONE;
    if (there == NULL)
        answer = LEDGER_UNKNOWN;
    else if (there->state != before->state || there->changed != before->changed ||
             strcmp(there->message.queue_id, before->message.queue_id) != 0 ||
             (LEDGER_BIT(there->state) & LEDGER_CLAIMED) != 0)
        answer = LEDGER_TAKEN;
    else if (adopt(&decision, arrival) == -1)
        answer = LEDGER_FAILED;
    return decision_end(&decision, answer);
}
