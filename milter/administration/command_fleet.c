/* command_fleet - `rcptguardq fleet`: makes and looks after the database that servers share; see rcptguardq(8) */

#include "milter/common/conninfo.h"
#include "milter/fleet/fleet.h"
#include "milter/fleet/fleet_manage.h"
#include "milter/fleet/fleet_schema.h"
#include "milter/log/log.h"
#include "milter/rcptguardq/commands.h"
#include "policy/cli/json.h"

#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* Making tables may have to wait for others' transactions. */
#define PATIENCE (60 * G_USEC_PER_SEC)

static char **words_option;
static char *user_option, *database_option, *vouching_option;
static gboolean no_vouching_option, anyway_option;

enum action { FLEET_INIT, FLEET_UPDATE, FLEET_STATUS, FLEET_REMOVE, FLEET_ACTIONS };
static const char *const action_names[FLEET_ACTIONS] = {"init", "update", "status", "remove"};

static enum action chosen(void)
{
    enum action action = FLEET_INIT;
    while (action < FLEET_ACTIONS &&
           g_strcmp0(words_option == NULL ? NULL : words_option[0], action_names[action]) != 0)
        action++;
    return action;
}

/* ---- the command line */

static int check_words(enum action action)
{
    if (words_option == NULL)
        return tool_usage_error("fleet: expected init, update, status or remove");
    unsigned count = g_strv_length(words_option);
    if (action == FLEET_ACTIONS)
        return tool_usage_error("fleet: expected init, update, status or remove, not `%s`", words_option[0]);
    if (action == FLEET_REMOVE && count != 2)
        return tool_usage_error("fleet remove: expected the name of one node");
    if (action != FLEET_REMOVE && count != 1)
        return tool_usage_error("fleet %s: expected nothing after it, not `%s`", action_names[action], words_option[1]);
    return EXITS_DONE;
}

static int check(void)
{
    enum action action = chosen();
    int status = check_words(action);
    if (status != EXITS_DONE)
        return status;
    if (no_vouching_option && action != FLEET_INIT)
        return tool_usage_error("--no-vouching goes with fleet init; later it is fleet update --vouching no");
    if (vouching_option != NULL && action != FLEET_UPDATE)
        return tool_usage_error("--vouching goes with fleet update");
    if (vouching_option != NULL && strcmp(vouching_option, "yes") != 0 && strcmp(vouching_option, "no") != 0)
        return tool_usage_error("--vouching: expected yes or no, not `%s`", vouching_option);
    if (anyway_option && action != FLEET_REMOVE)
        return tool_usage_error("--anyway goes with fleet remove");
    return EXITS_DONE;
}

/* ---- the connection */

static int failed(const struct pg_error *error)
{
    int code = error->kind == PG_AWAY ? EXITS_PASSING : error->kind == PG_REFUSED ? EXITS_FORBIDDEN : EXITS_WRONG;
    return tool_error(code, "the fleet's database: %s", error->text);
}

/* Root itself talks to no server: it names a user, or looks as the node does. */
static struct pg_user *find_user(const struct tool *tool, enum action action, char **error)
{
    const char *name = user_option;
    if (name != NULL && !tool->reviewer->root) {
        *error = g_strdup("only root can connect as another user: leave out --user");
        return NULL;
    }
    if (name == NULL && tool->reviewer->root && action == FLEET_STATUS)
        name = tool->config->user;
    if (name == NULL && tool->reviewer->root) {
        *error =
            g_strdup_printf("root does not talk to a database server: say as which user of this system to connect, "
                            "such as `rcptguardq fleet %s --user postgres`",
                            action_names[action]);
        return NULL;
    }
    struct pg_user *user = name != NULL ? pg_user_named(name) : pg_user_of(tool->reviewer->uid);
    if (user == NULL)
        *error = g_strdup_printf("there is no user `%s` on this system", name != NULL ? name : tool->reviewer->login);
    return user;
}

static struct pg_session *open_session(const struct tool *tool, enum action action, int *status)
{
    struct pg_error failure;
    const char *conninfo = database_option != NULL ? database_option : tool->config->fleet_database;
    g_autofree char *error = database_option == NULL ? NULL : conninfo_wrong(database_option);
    if (error != NULL)
        *status = tool_error(EXITS_WRONG, "--database: %s", error);
    else if (conninfo == NULL)
        *status = tool_error(EXITS_WRONG, "%s names no database in [fleet]; give --database", tool->config->path);
    if (error != NULL || conninfo == NULL)
        return NULL;
    auto_free(pg_user) user = find_user(tool, action, &error);
    if (user == NULL) {
        *status = tool_error(EXITS_WRONG, "%s", error);
        return NULL;
    }
    struct pg_session *session = pg_session_open(conninfo, user, fleet_deadline(FLEET_PATIENCE), &failure);
    if (session == NULL)
        *status = failed(&failure);
    return session;
}

/* ---- what it prints */

static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void say(const char *format, ...)
{
    va_list arguments;
    g_autoptr(GString) text = g_string_new(NULL);
    va_start(arguments, format);
    g_string_append_vprintf(text, format, arguments);
    va_end(arguments);
    if (!tool_json())
        tool_print(text);
}

static JsonBuilder *json_new(void)
{
    JsonBuilder *json = json_builder_new();
    json_builder_begin_object(json);
    return json;
}

static void print_json(JsonBuilder *json)
{
    json_builder_end_object(json);
    tool_print_json(json);
}

static void print_version(unsigned before, bool changed)
{
    g_autoptr(JsonBuilder) json = json_new();
    json_boolean(json, "changed", changed);
    json_number(json, "before", before);
    json_number(json, "version", fleet_schema_version());
    if (tool_json())
        print_json(json);
}

static void add_node(JsonBuilder *json, const struct fleet_node *node)
{
    json_builder_begin_object(json);
    json_string(json, "node", node->name);
    json_string(json, "role", node->role);
    json_string(json, "host", node->host);
    json_string(json, "mta", node->mta);
    json_string(json, "program", node->program);
    json_number(json, "schema", node->fleet_version);
    json_number(json, "ledger_schema", node->ledger_version);
    json_string(json, "seen", node->seen);
    json_number(json, "seen_age", node->seen_age);
    json_string(json, "published", node->published);
    json_number(json, "skew_ms", node->skew);
    json_number(json, "held", node->held);
    json_number(json, "waiting", node->waiting);
    json_number(json, "failures", node->failures);
    json_strings(json, "troubles", node->troubles);
    json_builder_end_object(json);
}

static void print_report_json(const struct fleet_report *report)
{
    g_autoptr(JsonBuilder) json = json_new();
    json_number(json, "version", report->version);
    json_string(json, "incarnation", report->incarnation);
    json_boolean(json, "vouching", report->vouching);
    json_begin_array(json, "nodes");
    for (guint i = 0; i < report->nodes->len; i++)
        add_node(json, g_ptr_array_index(report->nodes, i));
    json_builder_end_array(json);
    json_strings(json, "troubles", report->troubles);
    print_json(json);
}

static void append_troubles(GString *out, const char *lead, const GPtrArray *troubles)
{
    for (guint i = 0; i < troubles->len; i++)
        g_string_append_printf(out, "%s%s\n", lead, (const char *)g_ptr_array_index(troubles, i));
}

/* "12 s", "7 min", "3 h", "2 d" */
static char *short_age(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        const char *name;
    } units[] = {{24 * 60 * 60, "d"}, {60 * 60, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    while (i + 1 < G_N_ELEMENTS(units) && seconds < 2 * units[i].seconds)
        i++;
    return seconds < 0 ? g_strdup("never")
                       : g_strdup_printf("%" G_GINT64_FORMAT " %s", seconds / units[i].seconds, units[i].name);
}

static const char *shown(const char *value)
{
    return value == NULL ? "-" : value;
}

static void append_node(GString *out, const struct fleet_node *node)
{
    g_autofree char *seen = short_age(node->seen_age), *published = short_age(node->published_age);
    g_string_append_printf(out,
                           "%-16s rcptguard %s (schema %u), %s: seen %s ago, published %s%s, clock %+.1f s, "
                           "%" G_GINT64_FORMAT " held, %" G_GINT64_FORMAT " waiting\n",
                           node->name, shown(node->program), node->fleet_version, shown(node->mta), seen, published,
                           node->published_age < 0 ? "" : " ago", (double)node->skew / 1000, node->held, node->waiting);
    append_troubles(out, "    ! ", node->troubles);
}

static void print_report(const struct fleet_report *report)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "schema %u, nodes %s vouch for people, %u node%s\n", report->version,
                           report->vouching ? "may" : "may not", report->nodes->len,
                           report->nodes->len == 1 ? "" : "s");
    append_troubles(text, "! ", report->troubles);
    for (guint i = 0; i < report->nodes->len; i++)
        append_node(text, g_ptr_array_index(report->nodes, i));
    tool_print(text);
}

/* ---- the actions */

static int init(const struct tool *tool, struct pg_session *session)
{
    struct pg_error error;
    int made = fleet_init(session, !no_vouching_option, fleet_deadline(PATIENCE), &error);
    if (made == -1)
        return failed(&error);
    if (made == 1)
        log_line(LOG_NOTICE, "%s has made the fleet's database: schema %u", tool->reviewer->login,
                 fleet_schema_version());
    if (made == 1)
        say("made: schema %u, and the roles " FLEET_OWNER ", " FLEET_NODE " and " FLEET_REVIEWER "\n",
            fleet_schema_version());
    else
        say("it is there already: `rcptguardq fleet status` says how it is\n");
    print_version(0, made == 1);
    return EXITS_DONE;
}

static int update(const struct tool *tool, struct pg_session *session)
{
    struct pg_error error;
    unsigned before;
    int vouching = vouching_option == NULL ? -1 : strcmp(vouching_option, "yes") == 0;
    if (fleet_update(session, vouching, &before, fleet_deadline(PATIENCE), &error) == -1)
        return failed(&error);
    bool changed = before < fleet_schema_version();
    if (changed)
        log_line(LOG_NOTICE, "%s has brought the fleet's database from schema %u to %u", tool->reviewer->login, before,
                 fleet_schema_version());
    if (vouching != -1)
        log_line(LOG_NOTICE, "%s has said that nodes may%s vouch for people", tool->reviewer->login,
                 vouching == 1 ? "" : " not");
    if (changed)
        say("brought from schema %u to %u\n", before, fleet_schema_version());
    else
        say("schema %u is the one that this rcptguard knows\n", before);
    if (vouching != -1)
        say("nodes %s vouch for people\n", vouching == 1 ? "may" : "may not");
    print_version(before, changed);
    return EXITS_DONE;
}

static int status_of(const struct fleet_report *report)
{
    guint troubles = report->troubles->len;
    for (guint i = 0; i < report->nodes->len; i++)
        troubles += ((const struct fleet_node *)g_ptr_array_index(report->nodes, i))->troubles->len;
    return troubles == 0 ? EXITS_DONE : EXITS_WRONG;
}

static int show_status(struct pg_session *session)
{
    struct pg_error error;
    auto_free(fleet_report) report = fleet_status(session, fleet_deadline(FLEET_PATIENCE), &error);
    if (report == NULL)
        return failed(&error);
    if (tool_json())
        print_report_json(report);
    else
        print_report(report);
    return status_of(report);
}

static int remove_node(const struct tool *tool, struct pg_session *session, const char *name)
{
    struct pg_error error;
    struct fleet_removed removed;
    int found = fleet_remove(session, name, anyway_option, &removed, fleet_deadline(PATIENCE), &error);
    if (found == -1)
        return failed(&error);
    if (found == 0)
        return tool_error(EXITS_WRONG, "there is no node `%s`: `rcptguardq fleet status` lists them", name);
    if (found == 2)
        return tool_error(EXITS_WRONG,
                          "node %s was seen %" G_GINT64_FORMAT " s ago: stop rcptguard-fleet.service there first, or "
                          "give --anyway",
                          name, removed.seen_age);
    log_line(LOG_NOTICE, "%s has removed node %s from the fleet", tool->reviewer->login, name);
    say("removed: node %s, of which %" G_GINT64_FORMAT " held message%s %s known here, and %" G_GINT64_FORMAT
        " waiting decision%s\n",
        name, removed.held, removed.held == 1 ? "" : "s", removed.held == 1 ? "was" : "were", removed.waiting,
        removed.waiting == 1 ? "" : "s");
    g_autoptr(JsonBuilder) json = json_new();
    json_string(json, "node", name);
    json_number(json, "held", removed.held);
    json_number(json, "waiting", removed.waiting);
    if (tool_json())
        print_json(json);
    return EXITS_DONE;
}

static int run(struct tool *tool)
{
    int status = EXITS_WRONG;
    enum action action = chosen();
    auto_free(pg_session) session = open_session(tool, action, &status);
    if (session == NULL)
        return status;
    switch (action) {
    case FLEET_INIT:
        return init(tool, session);
    case FLEET_UPDATE:
        return update(tool, session);
    case FLEET_STATUS:
        return show_status(session);
    default:
        return remove_node(tool, session, words_option[1]);
    }
}

static const GOptionEntry entries[] = {
    {"user", 0, 0, G_OPTION_ARG_STRING, &user_option, "Connect as the system's user USER; for root", "USER"},
    {"database", 0, 0, G_OPTION_ARG_STRING, &database_option, "Connect by CONNINFO, not as configured", "CONNINFO"},
    {"no-vouching", 0, 0, G_OPTION_ARG_NONE, &no_vouching_option, "init: nodes may not vouch for people", NULL},
    {"vouching", 0, 0, G_OPTION_ARG_STRING, &vouching_option, "update: whether nodes may vouch: yes or no", "WORD"},
    {"anyway", 0, 0, G_OPTION_ARG_NONE, &anyway_option, "remove: also a node that was seen a moment ago", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words_option, "", NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_fleet = {
    .command.name = "fleet",
    .command.summary = "Make and check the database that servers share",
    .command.arguments = "ACTION [NODE]",
    .command.entries = entries,
    .right = REVIEW_SERVICE,
    .command.check = check,
    .command.run = run,
};
