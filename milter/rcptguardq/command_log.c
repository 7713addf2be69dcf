/* command_log - `rcptguardq log`: what was decided and noticed, by whom, and why; see rcptguardq(8) */

#include "milter/rcptguardq/commands.h"
#include "milter/review/message_filter.h"
#include "milter/review/typed_ids.h"
#include "policy/base/time_text.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <stdio.h>

/* Columns of the time: the name of a zone has up to 4 letters, in summer another number than in winter. */
enum { TIME_WIDTH = 26 };

static char *newer_option = NULL;
static char *since_option = NULL;
static char **id_options = NULL;

static int check(void)
{
    gint64 since;
    tool_bare_ids(id_options);
    if (newer_option != NULL && selection_span(newer_option) == -1)
        return tool_usage_error("--newer: expected a time such as 90s, 15m, 2h or 3d, not `%s`", newer_option);
    if (newer_option != NULL && since_option != NULL)
        return tool_usage_error("--newer and --since do not go together");
    if (since_option != NULL && !tool_time_parse(since_option, &since))
        return tool_usage_error("--since: expected " TOOL_TIME_EXPECTED ", not `%s`", since_option);
    if (id_options != NULL && id_options[1] != NULL)
        return tool_usage_error("expected one queue id, or none");
    return EXITS_DONE;
}

static void print_json(const struct ledger_event *event)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autofree char *time = time_text_json(event->when);
    json_builder_begin_object(json);
    json_string(json, "id", event->queue_id);
    json_string(json, "time", time);
    json_string(json, "who", event->who);
    json_string(json, "action", event->action);
    json_string(json, "reason", event->reason);
    json_string(json, "detail", event->detail);
    json_string(json, "way", ledger_way_name(event->way));
    json_builder_end_object(json);
    tool_print_json(json);
}

/* A command needs no word: it is what there was before there were other ways. */
static const char *way_text(enum ledger_way way)
{
    switch (way) {
    case LEDGER_BY_AUTHOR:
        return " (by mail of its author)";
    case LEDGER_BY_REVIEWER:
        return " (by mail of a reviewer)";
    case LEDGER_BY_EXPIRY:
        return " (it has expired)";
    case LEDGER_BY_DELAY:
        return " (its delay is over)";
    case LEDGER_BY_NOBODY:
    case LEDGER_BY_COMMAND:
        break;
    }
    return "";
}

/* Who is `-` where nobody acted: something was noticed in the queue. */
static void print_text(const struct ledger_event *event)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *time = tool_time_text(event->when);
    unsigned columns = terminal_append_plain(out, time);
    terminal_append_blanks(out, columns, TIME_WIDTH);
    columns = terminal_append_plain(out, event->queue_id);
    terminal_append_blanks(out, columns, 18);
    columns = terminal_append_plain(out, event->who == NULL ? "-" : event->who);
    terminal_append_blanks(out, columns, 11);
    g_string_append_c(out, ' ');
    columns = terminal_append_plain(out, event->action);
    terminal_append_blanks(out, columns, 10);
    if (event->reason != NULL) {
        g_string_append(out, " \"");
        terminal_append_plain(out, event->reason);
        g_string_append_c(out, '"');
    }
    if (event->detail != NULL) {
        g_string_append_c(out, ' ');
        terminal_append_plain(out, event->detail);
    }
    g_string_append(out, way_text(event->way));
    g_string_append_c(out, '\n');
    tool_print(out);
}

/* Of the entries that are asked for. */
static gint64 first_time(void)
{
    gint64 since = 0;
    if (newer_option != NULL)
        return tool_now() - selection_span(newer_option);
    if (since_option != NULL)
        (void)tool_time_parse(since_option, &since); /* checked before */
    return since;
}

static int print_events(struct tool *tool, gint64 row)
{
    struct database_error error;
    g_autoptr(GPtrArray) events = ledger_history(tool->ledger, row, first_time(), &error);
    if (events == NULL)
        return tool_ledger_error(&error);
    for (guint i = 0; i < events->len; i++) {
        if (tool_json())
            print_json(g_ptr_array_index(events, i));
        else
            print_text(g_ptr_array_index(events, i));
    }
    return EXITS_DONE;
}

/* A short queue id may have been used by several messages: each has its history, the oldest first. */
static int run(struct tool *tool)
{
    if (id_options == NULL)
        return print_events(tool, 0);
    struct database_error error;
    int status = EXITS_DONE;
    g_autofree char *id = typed_id_complete(tool, NULL, id_options[0], &status);
    if (id == NULL)
        return status;
    g_autofree char *instance = NULL;
    g_autoptr(GPtrArray) rows = ledger_find(tool->ledger, view_bare_id(id, &instance), &error);
    if (rows == NULL)
        return tool_ledger_error(&error);
    for (guint i = rows->len; i > 0 && status == EXITS_DONE; i--) {
        const struct ledger_row *row = g_ptr_array_index(rows, i - 1);
        if (instance == NULL || g_strcmp0(instance, row->message.instance) == 0)
            status = print_events(tool, row->id);
    }
    return status;
}

static const GOptionEntry entries[] = {
    {"newer", 0, 0, G_OPTION_ARG_STRING, &newer_option, "Not older than: 90s, 15m, 2h, 3d", "AGE"},
    {"since", 0, 0, G_OPTION_ARG_STRING, &since_option, "Not before: 2026-11-23, or 2026-11-23T10:00:00Z", "TIME"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &id_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_log = {
    .command.name = "log",
    .command.summary = "Show what was decided, by whom, when and why",
    .command.arguments = "[ID]",
    .command.entries = entries,
    .right = REVIEW_LIST,
    .needs = NEED_LEDGER,
    .command.check = check,
    .command.run = run,
};
