/* fleet_manage - see fleet_manage.h */

#include <config.h>

#include "milter/fleet/fleet_manage.h"

#include "milter/fleet/fleet_schema.h"
#include "policy/base/escape.h"

#include <string.h>

/* ---- making it */

static int set_vouching(struct pg_session *session, bool vouching, gint64 deadline, struct pg_error *error)
{
    const char *const values[] = {vouching ? "t" : "f"};
    auto_free(pg_answer) answer =
        pg_session_query(session, "UPDATE rcptguard.fleet SET vouching = $1::boolean WHERE vouching <> $1::boolean", 1,
                         values, deadline, error);
    return answer == NULL ? -1 : 0;
}

static int check_version(unsigned version, struct pg_error *error)
{
    if (version == 0)
        return pg_error_set(error, PG_WRONG, "there are no tables yet: `rcptguardq fleet init` makes them");
    if (version > fleet_schema_version())
        return pg_error_set(error, PG_WRONG, "the fleet's database has schema %u, this rcptguard knows %u: update it",
                            version, fleet_schema_version());
    return 0;
}

int fleet_init(struct pg_session *session, bool vouching, gint64 deadline, struct pg_error *error)
{
    unsigned before;
    if (!fleet_schema_read(session, &before, deadline, error))
        return -1;
    if (before > 0) /* perhaps by this very command, whose answer was lost */
        return check_version(before, error) == -1 || (!vouching && set_vouching(session, false, deadline, error) == -1)
                   ? -1
                   : 0;
    if (fleet_schema_roles(session, deadline, error) == -1 ||
        fleet_schema_bring(session, fleet_schema_version(), !vouching, deadline, error) == -1)
        return -1;
    return 1;
}

int fleet_update(struct pg_session *session, int vouching, unsigned *before, gint64 deadline, struct pg_error *error)
{
    if (!fleet_schema_read(session, before, deadline, error) || check_version(*before, error) == -1)
        return -1;
    if (fleet_schema_bring(session, fleet_schema_version(), false, deadline, error) == -1)
        return -1;
    return vouching == -1 ? 0 : set_vouching(session, vouching == 1, deadline, error);
}

/* ---- looking at it */

static void node_free(gpointer data)
{
    struct fleet_node *node = data;
    g_free(node->name);
    g_free(node->role);
    g_free(node->program);
    g_free(node->mta);
    g_free(node->host);
    g_free(node->seen);
    g_free(node->published);
    g_ptr_array_unref(node->troubles);
    g_free(node);
}

void fleet_report_free(struct fleet_report *report)
{
    if (report == NULL)
        return;
    g_free(report->incarnation);
    g_ptr_array_unref(report->nodes);
    g_ptr_array_unref(report->troubles);
    g_free(report);
}

/* "7 min": of what is said to be late, so it is a minute at least. */
static char *minutes(gint64 seconds)
{
    if (seconds >= 2 * 24 * 60 * 60)
        return g_strdup_printf("%" G_GINT64_FORMAT " days", seconds / (24 * 60 * 60));
    if (seconds >= 2 * 60 * 60)
        return g_strdup_printf("%" G_GINT64_FORMAT " h", seconds / (60 * 60));
    return g_strdup_printf("%" G_GINT64_FORMAT " min", seconds / 60);
}

static void trouble(GPtrArray *troubles, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void trouble(GPtrArray *troubles, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(troubles, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static void find_late(struct fleet_node *node)
{
    g_autofree char *seen = minutes(node->seen_age), *waits = minutes(node->waiting_age);
    if (node->seen_age > FLEET_AWAY_AFTER)
        trouble(node->troubles, "was not seen for %s: is rcptguard-fleet.service running there?", seen);
    if (node->waiting > 0 && node->waiting_age > FLEET_WAITING_AFTER)
        trouble(node->troubles, "%" G_GINT64_FORMAT " decision%s for it wait%s, the oldest for %s", node->waiting,
                node->waiting == 1 ? "" : "s", node->waiting == 1 ? "s" : "", waits);
}

static void find_troubles(const struct fleet_report *report, struct fleet_node *node, bool member)
{
    find_late(node);
    if (node->skew > FLEET_SKEW_LIMIT || node->skew < -FLEET_SKEW_LIMIT)
        trouble(node->troubles, "its clock is %.1f s %s that of the database", ABS((double)node->skew) / 1000,
                node->skew > 0 ? "ahead of" : "behind");
    if (node->fleet_version > 0 && node->fleet_version < report->version)
        trouble(node->troubles, "its rcptguard knows schema %u, the database has %u: update it", node->fleet_version,
                report->version);
    if (node->program != NULL && strcmp(node->program, PACKAGE_VERSION) != 0)
        trouble(node->troubles, "it has rcptguard %s, this is %s", node->program, PACKAGE_VERSION);
    if (!member)
        trouble(node->troubles, "its role `%s` is not a member of " FLEET_NODE, node->role);
}

static const char nodes_query[] =
    "SELECT n.name, n.role, n.program, n.mta, n.host, n.fleet_version, n.ledger_version,"
    " to_char(n.seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    " to_char(n.published AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    " floor(extract(epoch FROM clock_timestamp() - n.seen))::bigint,"
    " CASE WHEN isfinite(n.published) THEN floor(extract(epoch FROM clock_timestamp() - n.published))::bigint"
    "  ELSE -1 END,"
    " n.skew_ms, n.failures,"
    " (SELECT count(*) FROM rcptguard.held h WHERE h.node = n.name AND h.state IN ('pending', 'held')),"
    " (SELECT count(*) FROM rcptguard.decision d WHERE d.node = n.name AND d.done IS NULL),"
    " (SELECT floor(extract(epoch FROM clock_timestamp() - min(d.at)))::bigint FROM rcptguard.decision d"
    "  WHERE d.node = n.name AND d.done IS NULL),"
    " EXISTS (SELECT FROM pg_roles r WHERE r.rolname = n.role AND pg_has_role(r.oid, '" FLEET_NODE "', 'USAGE'))"
    " FROM rcptguard.node n ORDER BY n.name";

/* What a node says of itself goes to a terminal. */
static char *printable(const char *value)
{
    return value == NULL ? NULL : text_printable(value, strlen(value));
}

static struct fleet_node *node_of(const struct pg_answer *answer, unsigned row)
{
    struct fleet_node *node = g_new0(struct fleet_node, 1);
    node->name = g_strdup(pg_value(answer, row, 0));
    node->role = g_strdup(pg_value(answer, row, 1));
    node->program = printable(pg_value(answer, row, 2));
    node->mta = printable(pg_value(answer, row, 3));
    node->host = printable(pg_value(answer, row, 4));
    node->fleet_version = (unsigned)pg_number(answer, row, 5);
    node->ledger_version = (unsigned)pg_number(answer, row, 6);
    node->seen = g_strdup(pg_value(answer, row, 7));
    node->published = g_strdup(pg_value(answer, row, 8));
    node->seen_age = MAX(pg_number(answer, row, 9), 0);
    node->published_age = pg_number(answer, row, 10);
    node->skew = pg_number(answer, row, 11);
    node->failures = pg_number(answer, row, 12);
    node->held = pg_number(answer, row, 13);
    node->waiting = pg_number(answer, row, 14);
    node->waiting_age = pg_number(answer, row, 15);
    node->troubles = g_ptr_array_new_with_free_func(g_free);
    return node;
}

static int read_fleet(struct pg_session *session, struct fleet_report *report, gint64 deadline, struct pg_error *error)
{
    if (!fleet_schema_read(session, &report->version, deadline, error) || check_version(report->version, error) == -1)
        return -1;
    auto_free(pg_answer) answer =
        pg_session_query(session, "SELECT incarnation, vouching FROM rcptguard.fleet", 0, NULL, deadline, error);
    if (answer == NULL)
        return -1;
    report->incarnation = g_strdup(pg_value(answer, 0, 0));
    report->vouching = g_strcmp0(pg_value(answer, 0, 1), "t") == 0;
    if (report->version < fleet_schema_version())
        trouble(report->troubles, "the database has schema %u, this rcptguard knows %u: `rcptguardq fleet update`",
                report->version, fleet_schema_version());
    return 0;
}

struct fleet_report *fleet_status(struct pg_session *session, gint64 deadline, struct pg_error *error)
{
    auto_free(fleet_report) report = g_new0(struct fleet_report, 1);
    report->nodes = g_ptr_array_new_with_free_func(node_free);
    report->troubles = g_ptr_array_new_with_free_func(g_free);
    if (read_fleet(session, report, deadline, error) == -1)
        return NULL;
    auto_free(pg_answer) answer = pg_session_query(session, nodes_query, 0, NULL, deadline, error);
    if (answer == NULL)
        return NULL;
    for (unsigned row = 0; row < pg_rows(answer); row++) {
        struct fleet_node *node = node_of(answer, row);
        find_troubles(report, node, g_strcmp0(pg_value(answer, row, 16), "t") == 0);
        g_ptr_array_add(report->nodes, node);
    }
    return g_steal_pointer(&report);
}

/* ---- removing a node */

int fleet_remove(struct pg_session *session, const char *name, bool anyway, struct fleet_removed *removed,
                 gint64 deadline, struct pg_error *error)
{
    unsigned version;
    const char *const values[] = {name};
    *removed = (struct fleet_removed){0};
    if (!fleet_schema_read(session, &version, deadline, error) || check_version(version, error) == -1)
        return -1;
    auto_free(pg_answer) there = pg_session_query(
        session,
        "SELECT floor(extract(epoch FROM clock_timestamp() - n.seen))::bigint,"
        " (SELECT count(*) FROM rcptguard.held h WHERE h.node = n.name AND h.state IN ('pending', 'held')),"
        " (SELECT count(*) FROM rcptguard.decision d WHERE d.node = n.name AND d.done IS NULL)"
        " FROM rcptguard.node n WHERE n.name = $1",
        1, values, deadline, error);
    if (there == NULL)
        return -1;
    if (pg_rows(there) == 0)
        return 0;
    *removed = (struct fleet_removed){pg_number(there, 0, 0), pg_number(there, 0, 1), pg_number(there, 0, 2)};
    if (removed->seen_age <= FLEET_AWAY_AFTER && !anyway)
        return 2;
    auto_free(pg_answer) answer =
        pg_session_query(session, "DELETE FROM rcptguard.node WHERE name = $1", 1, values, deadline, error);
    return answer == NULL ? -1 : pg_changed(answer) > 0 ? 1 : 0;
}
