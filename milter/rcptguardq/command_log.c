/* command_log - `rcptguardq log`: what was decided and noticed, by whom, and why; see rcptguardq(8) */

#include "milter/places/typed_ids.h"
#include "milter/rcptguardq/commands.h"
#include "milter/review/message_filter.h"
#include "policy/base/time_text.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <stdio.h>
#include <string.h>

/* Columns of the time: the name of a zone has up to 4 letters, in summer another number than in winter. */
enum { TIME_WIDTH = 26, NODE_WIDTH = 14 };

/* A line of the history, and whose ledger has it. */
struct placed_event {
    const struct tool *tool;
    const struct ledger_event *event;
};

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

static void print_json(const struct tool *tool, const struct ledger_event *event)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autofree char *time = time_text_json(event->when);
    json_builder_begin_object(json);
    json_string(json, "id", event->queue_id);
    tool_json_place(json, tool, event->instance);
    json_string(json, "time", time);
    json_string(json, "who", event->who);
    if (tool->peer != NULL)
        json_string(json, "by_node", event->node);
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
static void print_text(const struct tool *tool, const struct ledger_event *event)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *time = tool_time_text(event->when);
    unsigned columns = terminal_append_plain(out, time);
    terminal_append_blanks(out, columns, TIME_WIDTH);
    columns = terminal_append_plain(out, event->queue_id);
    terminal_append_blanks(out, columns, 18);
    if (tool->peer != NULL) {
        columns = terminal_append_plain(out, tool->peer->name);
        terminal_append_blanks(out, columns, NODE_WIDTH);
    }
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
    if (event->node != NULL) {
        g_string_append(out, " (by node ");
        terminal_append_plain(out, event->node);
        g_string_append_c(out, ')');
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

/* Adds those of one row, or with 0 of all; `kept` keeps them alive. */
static int take_events(const struct tool *tool, gint64 row, GArray *events, GPtrArray *kept)
{
    struct database_error error;
    GPtrArray *found = ledger_history(tool->ledger, row, first_time(), &error);
    if (found == NULL)
        return tool_ledger_error(&error);
    g_ptr_array_add(kept, found);
    for (guint i = 0; i < found->len; i++) {
        const struct placed_event event = {tool, g_ptr_array_index(found, i)};
        g_array_append_val(events, event);
    }
    return EXITS_DONE;
}

/* A short queue id may have been used by several messages: each has its history, the oldest first. */
static int take_id(const struct tool *tool, const char *id, GArray *events, GPtrArray *kept)
{
    struct database_error error;
    int status = EXITS_DONE;
    g_autofree char *instance = NULL;
    g_autoptr(GPtrArray) rows = ledger_find(tool->ledger, view_bare_id(id, &instance), &error);
    if (rows == NULL)
        return tool_ledger_error(&error);
    for (guint i = rows->len; i > 0 && status == EXITS_DONE; i--) {
        const struct ledger_row *row = g_ptr_array_index(rows, i - 1);
        if (instance == NULL || g_strcmp0(instance, row->message.instance) == 0)
            status = take_events(tool, row->id, events, kept);
    }
    return status;
}

/* By time; those of one ledger are in its own order. */
static gint compare_events(gconstpointer a, gconstpointer b)
{
    const struct placed_event *one = a, *other = b;
    return (one->event->when > other->event->when) - (one->event->when < other->event->when);
}

static int take_all(struct places *places, const char *word, GArray *events, GPtrArray *kept)
{
    struct tool *at = NULL;
    const char *id = NULL;
    int status = EXITS_DONE;
    if (word != NULL)
        (void)places_named(places, word, &at, &id); /* it was found before */
    for (guint i = 0; i < places->tools->len && status == EXITS_DONE; i++) {
        struct tool *tool = g_ptr_array_index(places->tools, i);
        if (id == NULL)
            status = take_events(tool, 0, events, kept);
        else if (places_meant(at, tool))
            status = take_id(tool, id, events, kept);
    }
    if (places->tools->len > 1)
        g_array_sort(events, compare_events);
    return status;
}

static int run(struct tool *tool)
{
    int status = EXITS_DONE;
    const gint64 since = first_time();
    const struct places_wish wish = {.states = id_options == NULL && since == 0 ? ~0u : 0,
                                     .since = id_options == NULL ? since : 0,
                                     .events = true,
                                     .ids = id_options,
                                     .beginnings = id_options != NULL && strlen(id_options[0]) >= TYPED_ID_LEAST,
                                     .parts = FLEET_HISTORY};
    g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct placed_event));
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    auto_free(places) places = places_open(tool, &wish, &status);
    if (places == NULL)
        return status;
    g_autofree char *word = id_options == NULL ? NULL : typed_id_complete(places, id_options[0], &status);
    if (status == EXITS_DONE)
        status = take_all(places, word, events, kept);
    for (guint i = 0; status == EXITS_DONE && i < events->len; i++) {
        const struct placed_event *event = &g_array_index(events, struct placed_event, i);
        (tool_json() ? print_json : print_text)(event->tool, event->event);
    }
    return status;
}

static const GOptionEntry entries[] = {
    {"newer", 0, 0, G_OPTION_ARG_STRING, &newer_option, "Not older than: 90s, 15m, 2h, 3d", "AGE"},
    {"since", 0, 0, G_OPTION_ARG_STRING, &since_option, "Not before: 2026-11-23, or 2026-11-23T10:00:00Z", "TIME"},
    PLACES_ENTRIES,
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
