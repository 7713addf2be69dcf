/* fleet_mirror - see fleet_mirror.h */

#include "milter/fleet/fleet_mirror.h"

#include "milter/ledger/ledger_record.h"

#include <string.h>

/* ---- what is there */

static void pending_free(gpointer data)
{
    struct fleet_pending *pending = data;
    g_free(pending->who);
    g_free(pending->vouched_by);
    g_free(pending->reason);
    g_free(pending);
}

struct fleet_peer *fleet_peer_own(const char *name)
{
    struct fleet_peer *peer = g_new0(struct fleet_peer, 1);
    peer->name = g_strdup(name);
    peer->own = true;
    peer->age = -1;
    peer->pending = g_ptr_array_new_with_free_func(pending_free);
    return peer;
}

void fleet_peer_free(struct fleet_peer *peer)
{
    if (peer == NULL)
        return;
    g_free(peer->name);
    g_free(peer->host);
    g_free(peer->unread);
    ledger_close(peer->ledger);
    g_ptr_array_unref(peer->pending);
    g_free(peer);
}

const struct fleet_pending *fleet_peer_pending(const struct fleet_peer *peer, gint64 row)
{
    for (guint i = peer->pending->len; i > 0; i--) {
        const struct fleet_pending *pending = g_ptr_array_index(peer->pending, i - 1);
        if (pending->row == row)
            return pending;
    }
    return NULL;
}

static struct fleet_peer *find_peer(const GPtrArray *peers, const char *name)
{
    for (guint i = 0; i < peers->len; i++) {
        struct fleet_peer *peer = g_ptr_array_index((GPtrArray *)peers, i);
        if (g_strcmp0(peer->name, name) == 0)
            return peer;
    }
    return NULL;
}

/* ---- nodes */

static int open_ledger(struct fleet_peer *peer, struct pg_error *error)
{
    struct database_error failure;
    peer->ledger = peer->own ? NULL : ledger_open_mirror(&failure);
    return peer->own || peer->ledger != NULL ? 0 : pg_error_set(error, PG_WRONG, "%s", failure.text);
}

/* The own one, too, if it has not published anything yet. */
static int read_nodes(struct fleet *fleet, const struct fleet_wish *wish, GPtrArray *peers, gint64 deadline,
                      struct pg_error *error)
{
    auto_free(pg_answer) rows =
        fleet_query(fleet,
                    "SELECT name, host, (extract(epoch FROM clock_timestamp() - seen) * 1000000)::bigint,"
                    " (extract(epoch FROM seen) * 1000000)::bigint FROM rcptguard.node ORDER BY name",
                    0, NULL, deadline, error);
    if (rows == NULL)
        return -1;
    for (unsigned i = 0; i < pg_rows(rows); i++) {
        struct fleet_peer *peer = fleet_peer_own(pg_value(rows, i, 0));
        g_ptr_array_add(peers, peer);
        peer->own = strcmp(peer->name, wish->own) == 0;
        peer->host = g_strdup(pg_value(rows, i, 1));
        peer->age = pg_number(rows, i, 2);
        peer->seen = pg_number(rows, i, 3);
        peer->away = !peer->own && peer->age > FLEET_PEER_AWAY;
        if (open_ledger(peer, error) == -1)
            return -1;
    }
    if (find_peer(peers, wish->own) == NULL)
        g_ptr_array_add(peers, fleet_peer_own(wish->own));
    return 0;
}

static int find_action(const char *name)
{
    for (int action = LEDGER_RELEASE; action <= LEDGER_DELETE; action++) {
        if (g_strcmp0(ledger_action_name((enum ledger_action)action), name) == 0)
            return action;
    }
    return -1;
}

static int read_pending(struct fleet *fleet, GPtrArray *peers, gint64 deadline, struct pg_error *error)
{
    auto_free(pg_answer) rows =
        fleet_query(fleet,
                    "SELECT d.node, d.id, d.row, d.action, coalesce(left(d.vouched_for, 256), d.who::text),"
                    " CASE WHEN d.vouched_for IS NOT NULL THEN coalesce(n.name, d.who::text) END, left(d.reason, 4000),"
                    " (extract(epoch FROM d.at) * 1000000)::bigint"
                    " FROM rcptguard.decision d LEFT JOIN rcptguard.node n ON n.role = d.who"
                    " WHERE d.done IS NULL ORDER BY d.id",
                    0, NULL, deadline, error);
    if (rows == NULL)
        return -1;
    for (unsigned i = 0; i < pg_rows(rows); i++) {
        struct fleet_peer *peer = find_peer(peers, pg_value(rows, i, 0));
        int action = find_action(pg_value(rows, i, 3));
        if (peer == NULL || action == -1)
            continue;
        struct fleet_pending *pending = g_new0(struct fleet_pending, 1);
        *pending = (struct fleet_pending){.id = pg_number(rows, i, 1),
                                          .row = pg_number(rows, i, 2),
                                          .action = (enum ledger_action)action,
                                          .who = g_strdup(pg_value(rows, i, 4)),
                                          .vouched_by = g_strdup(pg_value(rows, i, 5)),
                                          .reason = g_strdup(pg_value(rows, i, 6)),
                                          .at = pg_number(rows, i, 7)};
        g_ptr_array_add(peer->pending, pending);
    }
    return 0;
}

/* ---- records */

static char *state_names(unsigned states)
{
    GString *names = g_string_new(NULL);
    for (unsigned state = 0; state < LEDGER_STATES; state++) {
        if ((states & LEDGER_BIT(state)) != 0)
            g_string_append_printf(names, "%s%s", names->len > 0 ? "," : "", ledger_state_name(state));
    }
    return g_string_free(names, FALSE);
}

/*
 * What is not asked for is cut off there: it is most of a record.  What a node has published may be of any shape; where
 * it is another one than a record has, the query must not fail for all nodes.
 */
static const char records_sql[] =
    "SELECT h.node, CASE jsonb_typeof(h.record) WHEN 'object' THEN h.record - string_to_array($7, ',')"
    " ELSE h.record END FROM rcptguard.held h WHERE h.node <> $1 AND ($2::text IS NULL "
    "OR lower(h.node) = lower($2))"
    " AND (h.state = ANY (string_to_array($3, ','))"
    " OR ($4::bigint > 0 AND (h.judged >= $4::bigint OR h.changed >= $4::bigint))"
    " OR h.queue_id = ANY (string_to_array($5, E'\\n'))"
    " OR ($6 = 'yes' AND starts_with(h.queue_id, $5))"
    " OR ($5 IS NOT NULL AND (h.record #>> '{held,requeued}' = ANY (string_to_array($5, E'\\n'))"
    " OR h.record #>> '{held,former}' = ANY (string_to_array($5, E'\\n'))))"
    " OR ($8::bigint > 0 AND jsonb_path_exists(h.record, '$.history[*].at ? (@ >= $since)',"
    " jsonb_build_object('since', $8::bigint))))"
    " ORDER BY h.node, h.row";

/* The tables that are cut off, with commas between them. */
static char *left_out(unsigned parts)
{
    return g_strconcat((parts & FLEET_PARTIES) != 0 ? "" : "party,", (parts & FLEET_HISTORY) != 0 ? "" : "history,",
                       (parts & FLEET_REST) != 0 ? "" : "inside_test,decision,remembered,", NULL);
}

static struct pg_answer *query_records(struct fleet *fleet, const struct fleet_wish *wish, gint64 deadline,
                                       struct pg_error *error)
{
    g_autofree char *states = state_names(wish->states);
    g_autofree char *without = left_out(wish->parts);
    g_autofree char *since = g_strdup_printf("%" G_GINT64_FORMAT, wish->since);
    g_autofree char *ids = wish->ids == NULL ? NULL : g_strjoinv("\n", (char **)wish->ids);
    const char *values[] = {wish->own, wish->node,
                            states,    since,
                            ids,       wish->beginnings ? "yes" : "no",
                            without,   wish->events ? since : "0"};
    return fleet_query(fleet, records_sql, G_N_ELEMENTS(values), values, deadline, error);
}

/* Those of one node, in one transaction: from `first` on, until another node begins, which is what it gives. */
static unsigned import_node(const struct pg_answer *rows, unsigned first, struct fleet_peer *peer,
                            int (*import)(struct ledger *, const char *, struct database_error *))
{
    struct database_error failure;
    struct database *database = ledger_database(peer->ledger);
    int result = peer->unread == NULL ? database_begin(database, &failure) : 0;
    unsigned i = first;
    for (; i < pg_rows(rows) && g_strcmp0(pg_value(rows, i, 0), peer->name) == 0; i++) {
        if (result == 0 && peer->unread == NULL)
            result = import(peer->ledger, pg_value(rows, i, 1), &failure);
    }
    if (database_in_transaction(database))
        result = database_end(database, result, &failure);
    if (result == -1)
        peer->unread = g_strdup(failure.text);
    return i;
}

/* Rows are in the order of the nodes.  One node's record that cannot be read does not hide what the others hold. */
static void import_records(const struct pg_answer *rows, GPtrArray *peers,
                           int (*import)(struct ledger *, const char *, struct database_error *))
{
    for (unsigned i = 0; i < pg_rows(rows);) {
        struct fleet_peer *peer = find_peer(peers, pg_value(rows, i, 0));
        i = peer == NULL || peer->ledger == NULL ? i + 1 : import_node(rows, i, peer, import);
    }
}

static int read_records(struct fleet *fleet, const struct fleet_wish *wish, GPtrArray *peers, gint64 deadline,
                        struct pg_error *error)
{
    auto_free(pg_answer) rows = query_records(fleet, wish, deadline, error);
    if (rows == NULL)
        return -1;
    import_records(rows, peers, ledger_record_import);
    return 0;
}

static int read_policies(struct fleet *fleet, const struct fleet_wish *wish, GPtrArray *peers, gint64 deadline,
                         struct pg_error *error)
{
    const char *values[] = {wish->own, wish->node};
    auto_free(pg_answer) rows = fleet_query(
        fleet,
        "SELECT node, record FROM rcptguard.policy WHERE node <> $1 AND ($2::text IS NULL OR lower(node) = lower($2))"
        " ORDER BY node",
        G_N_ELEMENTS(values), values, deadline, error);
    if (rows == NULL)
        return -1;
    import_records(rows, peers, ledger_policy_import);
    return 0;
}

GPtrArray *fleet_peers_read(struct fleet *fleet, const struct fleet_wish *wish, gint64 deadline, struct pg_error *error)
{
    g_autoptr(GPtrArray) peers = g_ptr_array_new_with_free_func((GDestroyNotify)fleet_peer_free);
    if (read_nodes(fleet, wish, peers, deadline, error) == -1 || read_pending(fleet, peers, deadline, error) == -1 ||
        ((wish->parts & FLEET_REST) != 0 && read_policies(fleet, wish, peers, deadline, error) == -1) ||
        read_records(fleet, wish, peers, deadline, error) == -1)
        return NULL;
    return g_steal_pointer(&peers);
}
