/* fleet_take - see fleet_take.h */

#include "milter/fleet/fleet_take.h"

void fleet_decision_free(gpointer decision)
{
    struct fleet_decision *one = decision;
    g_free(one->queue_id);
    g_free(one->action);
    g_free(one->reason);
    g_free(one->who);
    g_free(one->node);
    g_free(one);
}

static struct fleet_decision *decision_of(const struct pg_answer *answer, unsigned row)
{
    struct fleet_decision *decision = g_new0(struct fleet_decision, 1);
    decision->id = pg_number(answer, row, 0);
    decision->row = pg_number(answer, row, 1);
    decision->queue_id = g_strdup(pg_value(answer, row, 2));
    decision->action = g_strdup(pg_value(answer, row, 3));
    decision->reason = g_strdup(pg_value(answer, row, 4));
    decision->who = g_strdup(pg_value(answer, row, 5));
    decision->node = g_strdup(pg_value(answer, row, 6));
    decision->at = pg_number(answer, row, 7);
    decision->taken = pg_number(answer, row, 8) != 0;
    decision->age = pg_number(answer, row, 9);
    return decision;
}

/* Who vouches is a role; what people know is its node.  Nothing but this limits how long a text is. */
static const char select_open[] = "SELECT d.id, d.row, left(d.queue_id, 256), d.action, left(d.reason, 4000),"
                                  " coalesce(left(d.vouched_for, 256), d.who::text),"
                                  " CASE WHEN d.vouched_for IS NOT NULL THEN coalesce(n.name::text, d.who::text) END,"
                                  " (extract(epoch FROM d.at) * 1000000)::bigint, (d.taken IS NOT NULL)::int,"
                                  " (extract(epoch FROM clock_timestamp() - d.at) * 1000000)::bigint"
                                  " FROM rcptguard.decision d LEFT JOIN rcptguard.node n ON n.role = d.who"
                                  " WHERE d.node = $1 AND d.done IS NULL ORDER BY d.id LIMIT " G_STRINGIFY(500);
G_STATIC_ASSERT(FLEET_DECISIONS == 500);

GPtrArray *fleet_decisions(struct fleet *fleet, const char *node, gint64 deadline, struct pg_error *error)
{
    const char *const values[] = {node};
    auto_free(pg_answer) answer = fleet_query(fleet, select_open, G_N_ELEMENTS(values), values, deadline, error);
    if (answer == NULL)
        return NULL;
    GPtrArray *decisions = g_ptr_array_new_with_free_func(fleet_decision_free);
    for (unsigned i = 0; i < pg_rows(answer); i++)
        g_ptr_array_add(decisions, decision_of(answer, i));
    return decisions;
}

int fleet_taken(struct fleet *fleet, const struct fleet_decision *decision, const char *node, gint64 deadline,
                struct pg_error *error)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, decision->id);
    const char *const values[] = {id, node};
    auto_free(pg_answer) answer = fleet_query(fleet,
                                              "UPDATE rcptguard.decision SET taken = clock_timestamp()"
                                              " WHERE id = $1::bigint AND node = $2 AND taken IS NULL",
                                              G_N_ELEMENTS(values), values, deadline, error);
    return answer == NULL ? -1 : 0;
}

int fleet_answer(struct fleet *fleet, const struct fleet_decision *decision, const char *node, int code,
                 const char *words, gint64 deadline, struct pg_error *error)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, decision->id);
    g_autofree char *code_text = g_strdup_printf("%d", code);
    const char *const values[] = {id, node, code_text, words};
    auto_free(pg_answer) answer = fleet_query(
        fleet,
        "UPDATE rcptguard.decision SET done = clock_timestamp(), taken = coalesce(taken, clock_timestamp()),"
        " code = $3::int, words = $4 WHERE id = $1::bigint AND node = $2 AND done IS NULL",
        G_N_ELEMENTS(values), values, deadline, error);
    return answer == NULL ? -1 : 0;
}
