/* fleet_request - see fleet_request.h */

#include "milter/fleet/fleet_request.h"

/* How long one look at the row may take beyond the time of the wait. */
#define LOOK_PATIENCE (2 * G_USEC_PER_SEC)

void fleet_outcome_clear(struct fleet_outcome *outcome)
{
    g_clear_pointer(&outcome->words, g_free);
}

/* Nobody but the database says who it is, so that column is not named; the other one only by a node. */
int fleet_request_send(struct fleet *fleet, const struct fleet_request *request, gint64 *id, gint64 deadline,
                       struct pg_error *error)
{
    g_autofree char *row = g_strdup_printf("%" G_GINT64_FORMAT, request->row);
    const char *values[] = {request->node,     row,
                            request->queue_id, ledger_action_name(request->action),
                            request->reason,   request->vouched_for};
    if (fleet_listen(fleet, deadline, error) == -1)
        return -1;
    auto_free(pg_answer) rows =
        request->vouched_for == NULL
            ? fleet_query(fleet,
                          "INSERT INTO rcptguard.decision (node, row, queue_id, action, reason)"
                          " VALUES ($1, $2::bigint, $3, $4, $5) RETURNING id",
                          G_N_ELEMENTS(values) - 1, values, deadline, error)
            : fleet_query(fleet,
                          "INSERT INTO rcptguard.decision (node, row, queue_id, action, reason, vouched_for)"
                          " VALUES ($1, $2::bigint, $3, $4, $5, $6) RETURNING id",
                          G_N_ELEMENTS(values), values, deadline, error);
    if (rows == NULL)
        return -1;
    *id = pg_number(rows, 0, 0);
    return 0;
}

/* 1, 0 or -1. */
static int look(struct fleet *fleet, const char *id, gint64 deadline, struct fleet_outcome *outcome,
                struct pg_error *error)
{
    auto_free(pg_answer) rows = fleet_query(
        fleet, "SELECT taken IS NOT NULL, done IS NOT NULL, code, words FROM rcptguard.decision WHERE id = $1::bigint",
        1, &id, deadline, error);
    if (rows == NULL)
        return -1;
    outcome->removed = pg_rows(rows) == 0;
    if (outcome->removed)
        return pg_error_set(error, PG_WRONG, "the decision was removed from the database, with its node");
    outcome->taken = g_strcmp0(pg_value(rows, 0, 0), "t") == 0;
    if (g_strcmp0(pg_value(rows, 0, 1), "t") != 0)
        return 0;
    outcome->code = (int)pg_number(rows, 0, 2);
    outcome->words = g_strdup(pg_value(rows, 0, 3));
    return 1;
}

int fleet_request_wait(struct fleet *fleet, gint64 id, gint64 deadline, struct fleet_outcome *outcome,
                       struct pg_error *error)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, id);
    int there, came;
    if (fleet_listen(fleet, deadline + LOOK_PATIENCE, error) == -1) /* another process may have sent it */
        return -1;
    do {
        there = look(fleet, text, deadline + LOOK_PATIENCE, outcome, error);
        if (there != 0)
            return there;
        came = fleet_wait(fleet, deadline, error);
    } while (came == 1);
    return came;
}
