/* fleet_publish - see fleet_publish.h */

#include "milter/fleet/fleet_publish.h"

#include "milter/fleet/fleet_schema.h"

#include <string.h>

/* A number as a parameter. */
#define NUMBER_SIZE 24
static const char *number_text(gint64 number, char text[NUMBER_SIZE])
{
    g_snprintf(text, NUMBER_SIZE, "%" G_GINT64_FORMAT, number);
    return text;
}

/* How many rows a statement without an answer of interest has changed, or -1. */
static int change(struct fleet *fleet, const char *sql, unsigned count, const char *const *values, gint64 deadline,
                  struct pg_error *error)
{
    auto_free(pg_answer) answer = fleet_query(fleet, sql, count, values, deadline, error);
    return answer == NULL ? -1 : (int)pg_changed(answer);
}

/* ---- that it is there */

/* Milliseconds that the clock here is ahead: half of the way there and back is taken off. */
static int measure_skew(struct fleet *fleet, gint64 *skew, gint64 deadline, struct pg_error *error)
{
    gint64 before = g_get_monotonic_time();
    auto_free(pg_answer) answer = fleet_query(fleet, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
                                              0, NULL, deadline, error);
    if (answer == NULL)
        return -1;
    gint64 then = g_get_real_time() - (g_get_monotonic_time() - before) / 2;
    *skew = (then - pg_number(answer, 0, 0)) / 1000;
    return 0;
}

#define STATE_VALUES 9

static const char node_update[] =
    "UPDATE rcptguard.node SET program = $2, mta = $3, host = $4, ledger_version = $5::int, fleet_version = $6::int,"
    " skew_ms = $7::bigint, waiting = $8::int, failures = $9::bigint"
    " WHERE name = $1 AND role = session_user RETURNING published::text";
static const char node_insert[] =
    "INSERT INTO rcptguard.node (name, program, mta, host, ledger_version, fleet_version, skew_ms, waiting, failures)"
    " VALUES ($1, $2, $3, $4, $5::int, $6::int, $7::bigint, $8::int, $9::bigint)";

/* What is unique is the name, and the role. */
static int taken(const struct fleet *fleet, const char *node, struct pg_error *error)
{
    if (strcmp(error->sqlstate, "23505") == 0)
        return pg_error_set(error, PG_WRONG,
                            "the node `%s` has another role than `%s`, or this role is another node's: each node has"
                            " its own name and role",
                            node, fleet_role(fleet));
    return -1;
}

int fleet_be_there(struct fleet *fleet, const struct fleet_state *state, char **published, gint64 deadline,
                   struct pg_error *error)
{
    char ledger[NUMBER_SIZE], schema[NUMBER_SIZE], skew_text[NUMBER_SIZE], waiting[NUMBER_SIZE], failures[NUMBER_SIZE];
    gint64 skew = 0;
    if (measure_skew(fleet, &skew, deadline, error) == -1)
        return -1;
    const char *const values[STATE_VALUES] = {
        state->node,
        state->program,
        state->mta,
        state->host,
        number_text(state->ledger_version, ledger),
        number_text(fleet_schema_version(), schema),
        number_text(skew, skew_text),
        number_text(state->waiting, waiting),
        number_text(state->failures, failures),
    };
    auto_free(pg_answer) answer = fleet_query(fleet, node_update, STATE_VALUES, values, deadline, error);
    if (answer == NULL)
        return -1;
    if (published != NULL)
        *published = g_strdup(pg_value(answer, 0, 0));
    if (pg_rows(answer) == 0 && change(fleet, node_insert, STATE_VALUES, values, deadline, error) == -1)
        return taken(fleet, state->node, error);
    return 0;
}

/* ---- policies */

GPtrArray *fleet_policies(struct fleet *fleet, const char *node, gint64 deadline, struct pg_error *error)
{
    const char *const values[] = {node};
    auto_free(pg_answer) answer = fleet_query(fleet, "SELECT digest FROM rcptguard.policy WHERE node = $1",
                                              G_N_ELEMENTS(values), values, deadline, error);
    if (answer == NULL)
        return NULL;
    GPtrArray *digests = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < pg_rows(answer); i++)
        g_ptr_array_add(digests, g_strdup(pg_value(answer, i, 0)));
    return digests;
}

int fleet_publish_policy(struct fleet *fleet, const char *node, const char *record, gint64 deadline,
                         struct pg_error *error)
{
    const char *const values[] = {node, record};
    return change(fleet,
                  "INSERT INTO rcptguard.policy (node, digest, record) SELECT $1, $2::jsonb ->> 'digest', $2::jsonb"
                  " WHERE NOT EXISTS"
                  " (SELECT FROM rcptguard.policy WHERE node = $1 AND digest = $2::jsonb ->> 'digest')",
                  G_N_ELEMENTS(values), values, deadline, error) == -1
               ? -1
               : 0;
}

int fleet_remove_policy(struct fleet *fleet, const char *node, const char *digest, gint64 deadline,
                        struct pg_error *error)
{
    const char *const values[] = {node, digest};
    return change(fleet, "DELETE FROM rcptguard.policy WHERE node = $1 AND digest = $2", G_N_ELEMENTS(values), values,
                  deadline, error) == -1
               ? -1
               : 0;
}

/* ---- records */

/* A row that was decided while the batch was made may be in it twice; what it is now has a mark that stays. */
static const char publish[] =
    "WITH written AS (INSERT INTO rcptguard.held (node, row, queue_id, state, judged, changed, record)"
    " SELECT $1, (value -> 'held' ->> 'id')::bigint, value -> 'held' ->> 'queue_id', value -> 'held' ->> 'state',"
    " (value -> 'held' ->> 'judged')::bigint, (value -> 'held' ->> 'changed')::bigint, value"
    " FROM (SELECT DISTINCT ON (value -> 'held' -> 'id') value FROM jsonb_array_elements($2::jsonb)) records"
    " ON CONFLICT (node, row) DO UPDATE SET queue_id = excluded.queue_id, state = excluded.state,"
    " judged = excluded.judged, changed = excluded.changed, record = excluded.record)"
    " UPDATE rcptguard.node SET published = clock_timestamp() WHERE name = $1 RETURNING published::text";

int fleet_publish(struct fleet *fleet, const char *node, const GPtrArray *records, char **published, gint64 deadline,
                  struct pg_error *error)
{
    g_autoptr(GString) json = g_string_new("[");
    for (guint i = 0; i < records->len; i++) {
        g_string_append(json, i == 0 ? "" : ",");
        g_string_append(json, g_ptr_array_index((GPtrArray *)records, i));
    }
    g_string_append_c(json, ']');
    const char *const values[] = {node, json->str};
    auto_free(pg_answer) answer = fleet_query(fleet, publish, G_N_ELEMENTS(values), values, deadline, error);
    if (answer == NULL)
        return -1;
    if (pg_rows(answer) == 0)
        return pg_error_set(error, PG_AWAY, "the database does not know the node `%s` any more", node);
    *published = g_strdup(pg_value(answer, 0, 0));
    return 0;
}

/* ---- which rows there are */

int fleet_count_rows(struct fleet *fleet, const char *node, gint64 *count, gint64 deadline, struct pg_error *error)
{
    const char *const values[] = {node};
    auto_free(pg_answer) answer = fleet_query(fleet, "SELECT count(*) FROM rcptguard.held WHERE node = $1",
                                              G_N_ELEMENTS(values), values, deadline, error);
    if (answer == NULL)
        return -1;
    *count = pg_number(answer, 0, 0);
    return 0;
}

GArray *fleet_rows(struct fleet *fleet, const char *node, gint64 after, unsigned limit, gint64 deadline,
                   struct pg_error *error)
{
    char first[NUMBER_SIZE], most[NUMBER_SIZE];
    const char *const values[] = {node, number_text(after, first), number_text(limit, most)};
    auto_free(pg_answer) answer = fleet_query(
        fleet, "SELECT row FROM rcptguard.held WHERE node = $1 AND row > $2::bigint ORDER BY row LIMIT $3::bigint",
        G_N_ELEMENTS(values), values, deadline, error);
    if (answer == NULL)
        return NULL;
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (unsigned i = 0; i < pg_rows(answer); i++) {
        gint64 row = pg_number(answer, i, 0);
        g_array_append_val(rows, row);
    }
    return rows;
}

int fleet_remove_rows(struct fleet *fleet, const char *node, const GArray *rows, gint64 deadline,
                      struct pg_error *error)
{
    g_autoptr(GString) list = g_string_new("{");
    for (guint i = 0; i < rows->len; i++)
        g_string_append_printf(list, "%s%" G_GINT64_FORMAT, i == 0 ? "" : ",", g_array_index(rows, gint64, i));
    g_string_append_c(list, '}');
    const char *const values[] = {node, list->str};
    return change(fleet, "DELETE FROM rcptguard.held WHERE node = $1 AND row = ANY ($2::bigint[])",
                  G_N_ELEMENTS(values), values, deadline, error) == -1
               ? -1
               : 0;
}
