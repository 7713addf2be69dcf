/* fleet_checks - the checks of the database that several servers share; see checks.h and rcptguard-fleet(7) */

#include "milter/common/conninfo_read.h"
#include "milter/fleet/fleet.h"
#include "milter/fleet/fleet_manage.h"
#include "milter/fleet/fleet_schema.h"
#include "milter/setup/checks.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MINUTE 60

static const char alone[] = "Mail is held and released here as before; other nodes do not see it, and their decisions "
                            "about it wait.";

static const char *database_of(const struct doctor *doctor)
{
    return doctor->tool->config->fleet_database;
}

/* NULL without a database, after another check has said why it cannot be used, and after a failure. */
static struct pg_answer *ask(struct doctor *doctor, const char *sql)
{
    struct pg_error error;
    if (doctor->fleet == NULL)
        return NULL;
    struct pg_answer *answer = pg_session_query(doctor->fleet, sql, 0, NULL, fleet_deadline(FLEET_PATIENCE), &error);
    if (answer == NULL)
        findings_add(doctor->findings, SEVERITY_WARNING, alone, "%s", error.text);
    return answer;
}

static bool is_true(const struct pg_answer *answer, unsigned column)
{
    return g_strcmp0(pg_value(answer, 0, column), "t") == 0;
}

/* The unit that exchanges with the database. */
static char *unit_of(const struct doctor *doctor)
{
    return config_unit(doctor->tool->config, "rcptguard-fleet", ".service");
}

/* ---- the file of passwords */

/* What is wrong with the file that the connection string names, for g_free; NULL: nothing, or it names none. */
static char *passfile_trouble(const struct doctor *doctor, const char *path)
{
    struct stat status;
    if (path == NULL)
        return NULL;
    if (stat(path, &status) == -1)
        return g_strdup_printf("%s: %s", path, g_strerror(errno));
    if (!S_ISREG(status.st_mode))
        return g_strdup_printf("%s is not a file", path);
    if (status.st_uid != tool_daemon_user(doctor->tool))
        return g_strdup_printf("%s belongs to another user than %s", path, doctor->tool->config->user);
    if ((status.st_mode & 077) != 0)
        return g_strdup_printf("%s has the mode %03o, with which libpq does not use it", path,
                               (unsigned)status.st_mode & 0777);
    return NULL;
}

static void examine_passfile(struct doctor *doctor)
{
    static const char why[] = "The node has no password for the database without it.";
    if (database_of(doctor) == NULL)
        return;
    g_autofree char *path = conninfo_value(database_of(doctor), "passfile");
    g_autofree char *trouble = passfile_trouble(doctor, path);
    const char *user = doctor->tool->config->user;
    if (path == NULL)
        findings_ok(doctor->findings, "[fleet] database names no file of passwords");
    else if (trouble == NULL)
        findings_ok(doctor->findings, "%s can be read by its owner alone", path);
    else
        finding_mend(findings_add(doctor->findings, SEVERITY_ERROR, why, "%s", trouble), MEND_SHELL,
                     "touch %s && chown %s %s && chmod 600 %s", path, user, path, path);
}

/* ---- the connection */

/* The role that logs in, and where: as the connection string says. */
static void mend_refusal(const struct doctor *doctor, struct finding *finding, const struct pg_error *error)
{
    const char *database = database_of(doctor);
    g_autofree char *named = conninfo_value(database, "user"), *host = conninfo_value(database, "host");
    g_autofree char *passfile = conninfo_value(database, "passfile");
    const char *role = named != NULL ? named : doctor->tool->config->user;
    if (strcmp(error->sqlstate, "42501") == 0) {
        finding_mend(finding, MEND_PSQL, "GRANT " FLEET_NODE " TO \"%s\"", role);
        return;
    }
    finding_mend(finding, MEND_PSQL, "\\password \"%s\"", role);
    if (passfile != NULL)
        finding_mend(finding, MEND_SHELL, "echo '%s:*:*:%s:PASSWORD' >>%s", host != NULL ? host : "*", role, passfile);
}

static void add_failure(struct doctor *doctor, const struct pg_error *error)
{
    struct finding *finding = findings_add(doctor->findings, error->kind == PG_AWAY ? SEVERITY_WARNING : SEVERITY_ERROR,
                                           alone, "%s", error->text);
    if (error->kind == PG_REFUSED)
        mend_refusal(doctor, finding, error);
    else if (error->kind == PG_AWAY && conninfo_is_local(database_of(doctor)))
        finding_mend(finding, MEND_SHELL, "systemctl start postgresql");
}

/* Whether what is in the database can be used by this program. */
static bool is_usable(struct doctor *doctor, unsigned version)
{
    unsigned known = fleet_schema_version();
    if (version > known)
        findings_add(doctor->findings, SEVERITY_ERROR, alone,
                     "the database has schema %u, and this rcptguard knows %u: it has to be updated", version, known);
    else if (version == 0)
        finding_mend(findings_add(doctor->findings, SEVERITY_ERROR, alone, "the database has no tables yet"),
                     MEND_SHELL, "rcptguardq fleet init");
    else if (version < known)
        finding_mend(findings_add(doctor->findings, SEVERITY_NOTE,
                                  "What is new needs it; nodes of the version before go on working.",
                                  "the database has schema %u, and this rcptguard knows %u", version, known),
                     MEND_SHELL, "rcptguardq fleet update");
    else
        findings_ok(doctor->findings, "the database answers, with schema %u", version);
    return version > 0 && version <= known;
}

static void examine_fleet(struct doctor *doctor)
{
    struct pg_error error;
    unsigned version;
    if (database_of(doctor) == NULL) {
        findings_ok(doctor->findings, "no database is set in [fleet]");
        return;
    }
    g_autofree char *path = conninfo_value(database_of(doctor), "passfile");
    g_autofree char *said = passfile_trouble(doctor, path);
    gint64 deadline = fleet_deadline(FLEET_PATIENCE);
    auto_free(pg_user) user = pg_user_of(tool_daemon_user(doctor->tool));
    if (said != NULL || user == NULL) /* said above, or by the check `user` */
        return;
    auto_free(pg_session) session = pg_session_open(database_of(doctor), user, deadline, &error);
    if (session == NULL || !fleet_schema_read(session, &version, deadline, &error))
        add_failure(doctor, &error);
    else if (is_usable(doctor, version))
        doctor->fleet = g_steal_pointer(&session);
}

/* ---- what protects it on its way */

static void examine_tls(struct doctor *doctor)
{
    static const char why[] = "Whoever is between them can be the database, and decide about held mail.";
    const char *database = database_of(doctor);
    if (database == NULL)
        return;
    g_autofree char *mode = conninfo_value(database, "sslmode");
    if (conninfo_is_local(database)) {
        findings_ok(doctor->findings, "the database is reached without a network");
        return;
    }
    if (g_strcmp0(mode, "verify-full") == 0) {
        findings_ok(doctor->findings, "the server's certificate and name are checked");
        return;
    }
    g_autofree char *better = conninfo_with(database, "sslmode", "verify-full");
    finding_mend(findings_add(doctor->findings, SEVERITY_WARNING, why,
                              "sslmode is %s in [fleet] database: the name of the server is not checked",
                              mode != NULL ? mode : "not set"),
                 doctor->conf, "database = %s", better);
}

/* ---- rights */

static void examine_role(struct doctor *doctor)
{
    static const char too_much[] = "Whoever takes over this server could then change what other nodes hold and who "
                                   "decided.";
    auto_free(pg_answer) answer = ask(
        doctor, "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, pg_has_role(oid, '" FLEET_OWNER "', 'MEMBER'),"
                " pg_has_role(oid, '" FLEET_REVIEWER "', 'MEMBER'), pg_has_role(oid, '" FLEET_NODE "', 'MEMBER')"
                " FROM pg_roles WHERE rolname = session_user");
    static const char *const more[] = {"SUPERUSER", "BYPASSRLS", "CREATEROLE"};
    static const char *const groups[] = {FLEET_OWNER, FLEET_REVIEWER};
    if (answer == NULL || pg_rows(answer) != 1)
        return;
    const char *role = pg_value(answer, 0, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(more); i++) {
        if (is_true(answer, 1 + i))
            finding_mend(
                findings_add(doctor->findings, SEVERITY_WARNING, too_much, "the role %s has %s", role, more[i]),
                MEND_PSQL, "ALTER ROLE \"%s\" NO%s", role, more[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(groups) && !is_true(answer, 1); i++) {
        if (is_true(answer, 4 + i))
            finding_mend(
                findings_add(doctor->findings, SEVERITY_WARNING, too_much, "the role %s is in %s", role, groups[i]),
                MEND_PSQL, "REVOKE %s FROM \"%s\"", groups[i], role);
    }
    if (!is_true(answer, 6))
        finding_mend(findings_add(doctor->findings, SEVERITY_ERROR, alone, "the role %s is not in " FLEET_NODE, role),
                     MEND_PSQL, "GRANT " FLEET_NODE " TO \"%s\"", role);
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "the role %s is in " FLEET_NODE " and has no other right", role);
}

/* ---- this node */

/* What the database says of the fleet; NULL after a failure, or if it cannot be used at all. */
static struct fleet_report *report_of(struct doctor *doctor)
{
    struct pg_error error;
    if (doctor->fleet == NULL)
        return NULL;
    struct fleet_report *report = fleet_status(doctor->fleet, fleet_deadline(FLEET_PATIENCE), &error);
    if (report == NULL)
        findings_add(doctor->findings, SEVERITY_WARNING, alone, "%s", error.text);
    return report;
}

static const struct fleet_node *node_named(const struct fleet_report *report, const char *name)
{
    for (guint i = 0; report != NULL && i < report->nodes->len; i++) {
        const struct fleet_node *node = g_ptr_array_index(report->nodes, i);
        if (strcmp(node->name, name) == 0)
            return node;
    }
    return NULL;
}

/* This one; NULL: the database has none of its name. */
static const struct fleet_node *own_node(const struct doctor *doctor, const struct fleet_report *report)
{
    g_autofree char *name = config_fleet_node(doctor->tool->config);
    return node_named(report, name);
}

static char *role_of(struct doctor *doctor)
{
    auto_free(pg_answer) answer = ask(doctor, "SELECT session_user");
    return answer == NULL ? NULL : g_strdup(pg_value(answer, 0, 0));
}

static void restart_unit(const struct doctor *doctor, struct finding *finding)
{
    g_autofree char *unit = unit_of(doctor);
    finding_mend(finding, MEND_SHELL, "systemctl enable %s && systemctl restart %s", unit, unit);
}

static void examine_node(struct doctor *doctor)
{
    auto_free(fleet_report) report = report_of(doctor);
    g_autofree char *name = config_fleet_node(doctor->tool->config), *role = role_of(doctor);
    const struct fleet_node *node = node_named(report, name);
    if (report == NULL || role == NULL)
        return;
    if (node == NULL)
        restart_unit(doctor, findings_add(doctor->findings, SEVERITY_WARNING, alone,
                                          "the database does not know a node %s", name));
    else if (strcmp(node->role, role) != 0)
        finding_mend(findings_add(doctor->findings, SEVERITY_ERROR, alone,
                                  "the name %s is that of a node whose role is %s, and this one is %s", name,
                                  node->role, role),
                     doctor->conf, "node = %s", role);
    else if (node->seen_age > FLEET_AWAY_AFTER)
        restart_unit(doctor, findings_add(doctor->findings, SEVERITY_WARNING, alone,
                                          "the node %s has published nothing for %" G_GINT64_FORMAT " minutes", name,
                                          node->seen_age / MINUTE));
    else
        findings_ok(doctor->findings, "the node %s was seen %" G_GINT64_FORMAT " s ago", name, node->seen_age);
}

static void examine_decisions(struct doctor *doctor)
{
    auto_free(fleet_report) report = report_of(doctor);
    const struct fleet_node *node = own_node(doctor, report);
    if (node == NULL)
        return;
    if (node->waiting > 0 && node->waiting_age > FLEET_WAITING_AFTER)
        restart_unit(doctor,
                     findings_add(doctor->findings, SEVERITY_WARNING, "Reviewers on other nodes wait for an answer.",
                                  "%" G_GINT64_FORMAT " decisions for this node wait, the oldest for %" G_GINT64_FORMAT
                                  " minutes",
                                  node->waiting, node->waiting_age / MINUTE));
    else
        findings_ok(doctor->findings, "%" G_GINT64_FORMAT " wait for this node", node->waiting);
}

/* Measured now, since what the node has published may be old. */
static void examine_clock(struct doctor *doctor)
{
    gint64 before = g_get_real_time();
    auto_free(pg_answer) answer = ask(doctor, "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    if (answer == NULL)
        return;
    gint64 after = g_get_real_time(), theirs = pg_number(answer, 0, 0);
    gint64 least = before / 1000 - theirs, most = after / 1000 - theirs;
    gint64 skew = least > 0 ? least : most < 0 ? most : 0; /* of what the time until its answer leaves open */
    if (ABS(skew) <= FLEET_SKEW_LIMIT)
        findings_ok(doctor->findings, "it agrees with that of the database");
    else
        finding_mend(findings_add(doctor->findings, SEVERITY_WARNING,
                                  "Times of other nodes are wrong here, and those of this one there.",
                                  "the clock is %.1f s %s that of the database", (double)ABS(skew) / 1000,
                                  skew > 0 ? "ahead of" : "behind"),
                     MEND_SHELL, "timedatectl set-ntp true");
}

const struct examination checks_of_fleet[] = {
    {"fleet-passfile", examine_passfile},
    {"fleet", examine_fleet},
    {"fleet-tls", examine_tls},
    {"fleet-role", examine_role},
    {"fleet-node", examine_node},
    {"fleet-clock", examine_clock},
    {"fleet-decisions", examine_decisions},
    {NULL, NULL},
};
