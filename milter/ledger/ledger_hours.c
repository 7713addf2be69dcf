/* ledger_hours - see ledger_hours.h */

#include "milter/ledger/ledger_hours.h"

#include "milter/ledger/ledger_private.h"

#include <string.h>

static const char *const outcome_names[] = {"released", "returned", "deleted", "expired"};
G_STATIC_ASSERT(G_N_ELEMENTS(outcome_names) == LEDGER_OUTCOMES);

const char *ledger_outcome_name(enum ledger_outcome outcome)
{
    return outcome_names[outcome];
}

/* An hour more, unless it is that of the last one. */
static struct ledger_hour *hour_of(GArray *hours, gint64 start)
{
    const struct ledger_hour hour = {.start = start};
    if (hours->len == 0 || g_array_index(hours, struct ledger_hour, hours->len - 1).start != start)
        g_array_append_val(hours, hour);
    return &g_array_index(hours, struct ledger_hour, hours->len - 1);
}

static void add(struct ledger_hour *hour, const char *what, unsigned number)
{
    if (strcmp(what, "held") == 0)
        hour->held += number;
    for (unsigned i = 0; i < LEDGER_OUTCOMES; i++) {
        if (strcmp(what, outcome_names[i]) == 0)
            hour->outcomes[i] += number;
    }
}

GArray *ledger_hours(struct ledger *ledger, gint64 since, gint64 length, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(since / length * length), sql_number(length)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT judged / ?2 * ?2 AS start, 'held' AS what, count(*) FROM held WHERE judged >= ?1"
                       " GROUP BY start UNION ALL "
                       "SELECT at / ?2 * ?2 AS start, CASE WHEN action = 'release' THEN 'released'"
                       " WHEN way = 'expiry' THEN 'expired' WHEN action = 'return' THEN 'returned' ELSE 'deleted' END"
                       " AS what, count(*) FROM history WHERE at >= ?1 AND action IN ('release', 'return', 'delete')"
                       " GROUP BY start, what ORDER BY 1",
                       parameters, G_N_ELEMENTS(parameters));
    GArray *hours = g_array_new(FALSE, FALSE, sizeof(struct ledger_hour));
    int row;
    while ((row = statement_step(statement, error)) == 1)
        add(hour_of(hours, statement_number(statement, 0)), statement_text(statement, 1),
            (unsigned)statement_number(statement, 2));
    statement_reset(statement);
    if (row == 0)
        return hours;
    g_array_unref(hours);
    return NULL;
}
