/* ledger_notices - whose held mail the authors are still to be told of; see ledger.h */

#include "milter/ledger/ledger_private.h"

GPtrArray *ledger_notices(struct ledger *ledger, struct database_error *error)
{
    return row_collect(database_query(ledger->database,
                                      "SELECT " ROW_COLUMNS " FROM held WHERE id IN"
                                      " (SELECT held FROM notice WHERE notice.state = 'wanted') ORDER BY judged, id",
                                      NULL, 0),
                       error);
}

int ledger_notice_skip(struct ledger *ledger, gint64 id, const char *reason, gint64 now, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_number(now), sql_text(reason)};
    return database_change(
        ledger->database,
        "UPDATE notice SET state = 'skipped', at = ?2, reason = ?3 WHERE held = ?1 AND state = 'wanted'", parameters,
        G_N_ELEMENTS(parameters), error);
}

/* 1 if it may be sent, 0 if not. */
static int try_one(struct ledger *ledger, gint64 id, gint64 now, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_number(LEDGER_NOTICE_TRIES)};
    if (database_change(ledger->database,
                        "UPDATE notice SET tries = tries + 1 WHERE held = ?1 AND state = 'wanted' AND tries < ?2",
                        parameters, G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    if (database_changes(ledger->database) > 0)
        return 1;
    return ledger_notice_skip(ledger, id, "it was interrupted too often, and may have been sent", now, error);
}

/* Without those that cannot be sent. */
static int try_all(struct ledger *ledger, GArray *rows, gint64 now, struct database_error *error)
{
    for (guint i = 0; i < rows->len;) {
        int answer = try_one(ledger, g_array_index(rows, gint64, i), now, error);
        if (answer == -1)
            return -1;
        if (answer == 1)
            i++;
        else
            g_array_remove_index(rows, i);
    }
    return 0;
}

int ledger_notices_begin(struct ledger *ledger, GArray *rows, gint64 now, struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database, try_all(ledger, rows, now, error), error);
}

/* Without a try it is wanted anew since: this mail was about what no longer holds. */
static int end_one(struct ledger *ledger, gint64 id, bool sent, gint64 now, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_number(now)};
    return database_change(ledger->database,
                           sent ? "UPDATE notice SET state = 'sent', at = ?2, reason = NULL"
                                  " WHERE held = ?1 AND state = 'wanted' AND tries > 0"
                                : "UPDATE notice SET tries = tries - 1"
                                  " WHERE held = ?1 AND state = 'wanted' AND tries > 0 AND ?2 IS NOT NULL",
                           parameters, G_N_ELEMENTS(parameters), error);
}

int ledger_notices_end(struct ledger *ledger, const GArray *rows, bool sent, gint64 now, struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = 0;
    for (guint i = 0; i < rows->len && result == 0; i++)
        result = end_one(ledger, g_array_index(rows, gint64, i), sent, now, error);
    return database_end(ledger->database, result, error);
}

int ledger_notice_time(struct ledger *ledger, gint64 id, gint64 now, gint64 *at, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_number(now)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT CASE WHEN state = 'sent' OR reason = '" LEDGER_NOTICE_ANEW "' THEN at"
                       " WHEN state = 'wanted' AND tries > 0 THEN ?2 ELSE 0 END FROM notice WHERE held = ?1",
                       parameters, G_N_ELEMENTS(parameters));
    int row = statement_step(statement, error);
    *at = row == 1 ? statement_number(statement, 0) : 0;
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}

/* What is said of a release is remembered where a notice that was skipped has its reason. */
#define TOLD "its author was informed that it was released"

GPtrArray *ledger_notices_released(struct ledger *ledger, gint64 since, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(since)};
    return row_collect(database_query(ledger->database,
                                      "SELECT " ROW_COLUMNS
                                      " FROM held WHERE state = 'released' AND changed >= ?1 AND id IN"
                                      " (SELECT held FROM notice WHERE notice.state = 'sent' AND notice.reason IS NULL)"
                                      " ORDER BY judged, id",
                                      parameters, G_N_ELEMENTS(parameters)),
                       error);
}

int ledger_notice_released(struct ledger *ledger, gint64 id, bool told, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_text(told ? TOLD : NULL)};
    return database_change(ledger->database, "UPDATE notice SET reason = ?2 WHERE held = ?1 AND state = 'sent'",
                           parameters, G_N_ELEMENTS(parameters), error);
}

/* The rows that one mail was about have the same time. */
int ledger_notices_sent(struct ledger *ledger, const char *author, gint64 since, unsigned *count,
                        struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(author), sql_number(since)};
    struct statement *statement = database_query(ledger->database,
                                                 "SELECT count(DISTINCT at) FROM notice WHERE"
                                                 " (state = 'sent' OR reason = '" LEDGER_NOTICE_ANEW "')"
                                                 " AND author = ?1 COLLATE NOCASE AND at >= ?2",
                                                 parameters, G_N_ELEMENTS(parameters));
    int row = statement_step(statement, error);
    if (row == 1)
        *count = (unsigned)statement_number(statement, 0);
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}
