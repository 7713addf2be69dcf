/* rcptguardq_tool - see rcptguardq_tool.h */

#include "milter/review/rcptguardq_tool.h"

#include "milter/common/conf_instance.h"
#include "milter/common/conf_load.h"
#include "milter/database/database.h"
#include "milter/log/log.h"
#include "milter/queue/queue_union.h"
#include "milter/review/state_feedback.h"
#include "policy/base/escape.h"
#include "policy/base/time_text.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <unistd.h>

static char *config_option = NULL;
static char *instance_option = NULL;
static gboolean utc_option = FALSE;

const GOptionEntry tool_entries[] = {
    {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config_option, "The configuration (" CONFIG_DEFAULT_PATH ")", "CONF"},
    {"instance", 0, 0, G_OPTION_ARG_STRING, &instance_option, "The instance: /etc/rcptguard/NAME.conf", "NAME"},
    {"utc", 0, 0, G_OPTION_ARG_NONE, &utc_option, "Times in UTC, not in the local time zone", NULL},
    G_OPTION_ENTRY_NULL,
};

void tool_config_arguments(GPtrArray *arguments)
{
    const char *option = config_option != NULL ? "-c" : "--instance";
    const char *value = config_option != NULL ? config_option : instance_option;
    if (value == NULL)
        return;
    g_ptr_array_add(arguments, (gpointer)option);
    g_ptr_array_add(arguments, (gpointer)value);
}

struct config *tool_config(const struct reviewer *reviewer, struct diags *diags, int *status)
{
    *status = EXITS_WRONG;
    if (reviewer->sudo && config_option != NULL) {
        *status = tool_error(EXITS_FORBIDDEN, "not permitted: -c goes with root itself, not with sudo");
        return NULL;
    }
    if (instance_option == NULL)
        return config_load(config_option != NULL ? config_option : CONFIG_DEFAULT_PATH, diags);
    if (config_option != NULL || !instance_name_is_sound(instance_option)) {
        *status = config_option != NULL
                      ? tool_usage_error("-c and --instance do not go together")
                      : tool_usage_error("--instance: expected " INSTANCE_NAME_EXPECTED ", not `%s`", instance_option);
        return NULL;
    }
    g_autofree char *path = instance_path(instance_option);
    return instance_is_roots(path, diags) ? config_load(path, diags) : NULL;
}

gint64 tool_now(void)
{
    return g_get_real_time();
}

char *tool_time_text(gint64 microseconds)
{
    return time_text(microseconds, utc_option);
}

bool tool_time_parse(const char *text, gint64 *microseconds)
{
    return time_text_parse(text, utc_option, microseconds);
}

void tool_print(const GString *text)
{
    fwrite(text->str, 1, text->len, stdout);
}

void tool_print_decided(const struct tool *tool, FILE *stream, const struct tool_decided *decided)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *full = tool_full_id(tool, decided->id);
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_string(json, "id", decided->id);
        tool_json_place(json, tool, decided->instance);
        json_number(json, "code", decided->code);
        json_string(json, "said", decided->said);
        if (tool != NULL && tool->peer != NULL)
            json_boolean(json, "waits", tool->peer->waits);
        json_builder_end_object(json);
        json_append_line(line, json);
    } else {
        terminal_append_plain(line, full);
        g_string_append(line, ": ");
        terminal_append_plain(line, decided->said);
        g_string_append_c(line, '\n');
    }
    fwrite(line->str, 1, line->len, stream);
}

int tool_error(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = text_printable(message, LOG_LINE_LIMIT);
    fprintf(stderr, "rcptguardq: %s\n", line);
    return code;
}

void tool_diags(const struct diags *diags)
{
    for (unsigned i = 0; i < diags_count(diags); i++) {
        g_autofree char *text = diag_format(diags_get(diags, i));
        fputs(text, stderr);
    }
}

int tool_ledger_error(const struct database_error *error)
{
    switch (error->failure) {
    case DATABASE_BUSY:
    case DATABASE_FULL:
    case DATABASE_REPLACED:
        return tool_error(EXITS_PASSING, "%s", error->text);
    default:
        return tool_error(EXITS_WRONG, "%s", error->text);
    }
}

/* What decisions that were interrupted owe it: one that is missing is owed nothing. */
static void update_state(const struct tool *tool)
{
    g_autofree char *problem = NULL;
    if (state_feedback_send(tool->ledger, tool->config, tool_daemon_user(tool), 0, &problem) == FEEDBACK_LATER)
        tool_error(EXITS_PASSING, "warning: [state] could not be brought up to date: %s", problem);
}

struct view *tool_view(struct tool *tool, int *status)
{
    const struct reconciling reconciling = {
        .ledger = tool->ledger, .queue = tool->queue, .reader = &tool->reader, .now = tool_now()};
    g_autofree char *error = NULL;
    struct view *view = reconcile(&reconciling, &error);
    if (view != NULL && view->unread != NULL)
        tool_error(EXITS_PASSING, "warning: %s; what is held there is shown as it was known", view->unread);
    if (view == NULL)
        *status = tool_error(EXITS_PASSING, "%s", error);
    else if (view->unrecorded != NULL)
        tool_error(EXITS_PASSING, "warning: the ledger could not be brought up to date: %s", view->unrecorded);
    else
        update_state(tool);
    return view;
}

struct tool *tool_at(struct tool *tool, const struct view_item *item)
{
    return item->at != NULL ? item->at : tool;
}

char *tool_elsewhere(const struct tool *tool, const char *id, const char *option)
{
    if (tool->home == NULL)
        return NULL;
    const char *host = tool->peer->host;
    return g_strdup_printf("is held by node %s%s%s%s: ask there: rcptguardq show %s%s%s", tool->peer->name,
                           host == NULL ? "" : " (host ", host == NULL ? "" : host, host == NULL ? "" : ")", id,
                           option == NULL ? "" : " ", option == NULL ? "" : option);
}

char *tool_full_id(const struct tool *tool, const char *id)
{
    return tool == NULL || tool->home == NULL ? g_strdup(id) : g_strdup_printf("%s:%s", tool->peer->name, id);
}

void tool_json_place(JsonBuilder *json, const struct tool *tool, const char *instance)
{
    if (tool != NULL && tool->peer != NULL)
        json_string(json, "node", tool->peer->name);
    if (instance != NULL)
        json_string(json, "instance", instance);
}

void tool_bare_ids(char **ids)
{
    for (; ids != NULL && *ids != NULL; ids++) {
        char *bare = queue_id_bare(*ids);
        g_free(*ids);
        *ids = bare;
    }
}

struct ledger_row *tool_find(struct tool *tool, const char *queue_id, int *status)
{
    struct database_error error;
    g_autofree char *instance = NULL;
    const char *id = view_bare_id(queue_id, &instance);
    g_autoptr(GPtrArray) rows = ledger_find(tool->ledger, id, &error);
    if (rows == NULL) {
        *status = tool_ledger_error(&error);
        return NULL;
    }
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(rows, i);
        if (instance == NULL || g_strcmp0(row->message.instance, instance) == 0)
            return g_ptr_array_steal_index(rows, i);
    }
    *status = EXITS_WRONG;
    return NULL;
}

unsigned tool_approvals_needed(const struct tool *tool, const struct ledger_row *row)
{
    return MAX(tool->config->review.approvals, row->message.approvals);
}

uid_t tool_daemon_user(const struct tool *tool)
{
    return config_owner(tool->config);
}

struct ledger *tool_open_ledger(const struct tool *tool, struct database_error *error)
{
    return ledger_open(tool->config->ledger, config_owner(tool->config), DATABASE_EXISTING, error);
}

/* The MTA of the newest row; not worth an error of its own. */
static enum mta last_mta(const struct tool *tool)
{
    struct database_error error;
    const struct ledger_filter newest = {.limit = 1};
    g_autoptr(GPtrArray) rows = ledger_list(tool->ledger, &newest, &error);
    return rows == NULL || rows->len == 0 ? MTA_NONE : ((struct ledger_row *)g_ptr_array_index(rows, 0))->message.mta;
}

struct queue *tool_queue(const struct tool *tool, enum mta mta, const char *configuration, char **error)
{
    const struct review *review = &tool->config->review;
    struct queue_choice choice = {.drivers = tool->drivers, .mta = mta != MTA_NONE ? mta : review->mta};
    const char *const alone[] = {configuration, NULL};
    for (unsigned i = 0; i < MTAS; i++) {
        choice.places[i].configurations = (const char *const *)review->places[i].configurations;
        choice.places[i].command = review->places[i].command;
    }
    if (mta != MTA_NONE && configuration != NULL)
        choice.places[mta].configurations = alone;
    if (choice.mta == MTA_NONE && tool->ledger != NULL)
        choice.last = last_mta(tool);
    return queue_union_open(&choice, error);
}

bool tool_may(const struct tool *tool, unsigned right)
{
    if (right == REVIEW_ROOT)
        return tool->reviewer->root;
    if (right == REVIEW_SERVICE)
        return tool->reviewer->root || tool->reviewer->uid == config_owner(tool->config);
    return reviewer_may(tool->reviewer, (const char *const *)tool->config->review.groups[right]);
}

char *tool_forbidden(const struct tool *tool, unsigned right, const char *command)
{
    if (tool_may(tool, right))
        return NULL;
    if (right == REVIEW_ROOT)
        return g_strdup_printf("not permitted: %s is root's", command);
    if (right == REVIEW_SERVICE)
        return g_strdup_printf("not permitted: %s is for root and for the daemon's user", command);
    return g_strdup_printf("not permitted: `%s` is in no group that [review] lets %s", tool->reviewer->login, command);
}

int tool_load_identities(struct tool *tool, struct diags *diags)
{
    const char *path = tool->config->review.identities;
    if (path == NULL || tool->identities != NULL)
        return 0;
    if (tool->home != NULL) {
        int loaded = tool_load_identities(tool->home, diags);
        tool->identities = tool->home->identities;
        return loaded;
    }
    tool->identities = identities_load(path, diags);
    return tool->identities == NULL ? -1 : 0;
}
