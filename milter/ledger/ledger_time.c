/* ledger_time - see ledger_time.h */

#include "milter/ledger/ledger_time.h"

#include "milter/ledger/ledger_private.h"

int ledger_agent_read(struct ledger *ledger, struct ledger_agent *agent, struct database_error *error)
{
    struct statement *statement =
        database_query(ledger->database, "SELECT last, running, steady, expired FROM agent", NULL, 0);
    int row = statement_step(statement, error);
    *agent = (struct ledger_agent){0};
    if (row == 1)
        *agent = (struct ledger_agent){statement_number(statement, 0), statement_number(statement, 1),
                                       statement_number(statement, 2), statement_number(statement, 3)};
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}

static int write_agent(struct ledger *ledger, const struct ledger_agent *agent, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(agent->last), sql_number(agent->running),
                                           sql_number(agent->steady), sql_number(agent->expired)};
    return database_change(ledger->database, "UPDATE agent SET last = ?1, running = ?2, steady = ?3, expired = ?4",
                           parameters, G_N_ELEMENTS(parameters), error);
}

/* Nobody can say whether it was a stop or a leap of the clock, so it is no time since an announcement. */
static int skip_gap(struct ledger *ledger, gint64 gap, gint64 now, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(gap), sql_number(now)};
    if (rows_changed(ledger, "announced > 0 AND announced <= ?1", &parameters[1], 1, error) == -1)
        return -1;
    return database_change(
        ledger->database, "UPDATE held SET announced = min(announced + ?1, ?2) WHERE announced > 0 AND announced <= ?2",
        parameters, G_N_ELEMENTS(parameters), error);
}

int ledger_agent_run(struct ledger *ledger, gint64 now, struct ledger_agent *agent, struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = ledger_agent_read(ledger, agent, error);
    gint64 gap = now - agent->last; /* less than 0: the clock was set back */
    if (result == 0 && gap > LEDGER_AGENT_GAP && gap <= LEDGER_STEADY_GAP)
        result = skip_gap(ledger, gap, now, error);
    if (gap < 0 || gap > LEDGER_AGENT_GAP)
        agent->running = now;
    if (gap < 0 || gap > LEDGER_STEADY_GAP)
        agent->steady = now;
    if (agent->expired > now)
        agent->expired = 0;
    agent->last = now;
    if (result == 0)
        result = write_agent(ledger, agent, error);
    return database_end(ledger->database, result, error);
}

int ledger_agent_expires(struct ledger *ledger, gint64 now, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(now)};
    return database_change(ledger->database, "UPDATE agent SET expired = ?1", parameters, G_N_ELEMENTS(parameters),
                           error);
}

static int announce(struct ledger *ledger, gint64 id, gint64 steady, gint64 now, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_number(steady), sql_number(now)};
    if (row_changed(ledger, id, error) == -1)
        return -1;
    return database_change(
        ledger->database,
        "UPDATE held SET announced = ?3 WHERE id = ?1 AND (announced = 0 OR announced < ?2 OR announced > ?3)",
        parameters, G_N_ELEMENTS(parameters), error);
}

int ledger_announced(struct ledger *ledger, const GArray *rows, gint64 steady, gint64 now, struct database_error *error)
{
    int result = 0;
    if (rows->len == 0)
        return 0;
    if (database_begin(ledger->database, error) == -1)
        return -1;
    for (guint i = 0; i < rows->len && result == 0; i++)
        result = announce(ledger, g_array_index(rows, gint64, i), steady, now, error);
    return database_end(ledger->database, result, error);
}

GPtrArray *ledger_expiring(struct ledger *ledger, gint64 steady, gint64 until, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(steady), sql_number(until)};
    return row_collect(database_query(ledger->database,
                                      "SELECT " ROW_COLUMNS " FROM held WHERE state = 'held' AND announced > 0"
                                      " AND announced BETWEEN ?1 AND ?2 ORDER BY judged, id",
                                      parameters, G_N_ELEMENTS(parameters)),
                       error);
}

GPtrArray *ledger_leaving(struct ledger *ledger, gint64 until, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(until)};
    return row_collect(database_query(ledger->database,
                                      "SELECT " ROW_COLUMNS " FROM held WHERE leaves > 0 AND leaves <= ?1"
                                      " AND state IN ('pending', 'held') ORDER BY leaves, id",
                                      parameters, G_N_ELEMENTS(parameters)),
                       error);
}

void ledger_trip_free(gpointer data)
{
    struct ledger_trip *trip = data;
    g_free(trip->sent_by);
    g_free(trip->rule);
    g_free(trip);
}

/* What a trip ends. */
#define ENDED                                                                                                          \
    "leaves > 0 AND sent_by = ?2 AND id <> ?1 AND judged >= ?3"                                                        \
    " AND state IN ('pending', 'held', 'releasing', 'returning', 'deleting')"

/* Who was told that it is sent, or is being told, has to be told that it is not: see ledger_notices.c. */
static int want_notices(struct ledger *ledger, const struct parameter parameters[3], gint64 judged,
                        struct database_error *error)
{
    const struct parameter all[] = {parameters[0], parameters[1], parameters[2], sql_number(judged)};
    return database_change(ledger->database,
                           "UPDATE notice SET at = CASE WHEN state = 'sent' THEN at ELSE ?4 END, state = 'wanted',"
                           " tries = 0, reason = '" LEDGER_NOTICE_ANEW "' WHERE held IN"
                           " (SELECT id FROM held WHERE " ENDED ")"
                           " AND (state = 'sent' OR (state = 'wanted' AND tries > 0))",
                           all, G_N_ELEMENTS(all), error);
}

static int end_delays(struct ledger *ledger, const struct ledger_trip *trip, gint64 except,
                      struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(except), sql_text(trip->sent_by),
                                           sql_number(trip->judged - trip->seconds * G_TIME_SPAN_SECOND),
                                           sql_text(trip->rule)};
    if (want_notices(ledger, parameters, trip->judged, error) == -1 ||
        rows_changed(ledger, ENDED, parameters, 3, error) == -1)
        return -1;
    return database_change(ledger->database, "UPDATE held SET leaves = 0, stopped = ?4 WHERE " ENDED, parameters,
                           G_N_ELEMENTS(parameters), error);
}

int ledger_end_delays(struct ledger *ledger, const struct ledger_trip *trip, gint64 except,
                      struct database_error *error)
{
    if (database_in_transaction(ledger->database))
        return end_delays(ledger, trip, except, error);
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database, end_delays(ledger, trip, except, error), error);
}

int ledger_next_leaving(struct ledger *ledger, gint64 after, gint64 *next, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(after)};
    struct statement *statement = database_query(
        ledger->database, "SELECT ifnull(min(leaves), 0) FROM held WHERE leaves > ?1 AND state IN ('pending', 'held')",
        parameters, G_N_ELEMENTS(parameters));
    int row = statement_step(statement, error);
    *next = row == 1 ? statement_number(statement, 0) : 0;
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}
