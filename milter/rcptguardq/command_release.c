/* command_release - `rcptguardq release`, `return`, `delete`; see rcptguardq(8) */

#include "milter/rcptguardq/commands.h"
#include "milter/review/decision.h"
#include "milter/review/message_filter.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <stdio.h>
#include <string.h>

static char *reason_option = NULL;
static gboolean all_option = FALSE;
static gboolean yes_option = FALSE;
static gboolean dry_option = FALSE;
static char **id_options = NULL;

/* How many messages a question lists. */
#define QUESTION_LINES 20u

static int check(void)
{
    struct ledger_filter filter;
    g_autofree char *error = NULL;
    tool_bare_ids(id_options);
    if (reason_option == NULL || reason_option[0] == '\0')
        return tool_usage_error("--reason is missing: the record says why");
    if (all_option && id_options != NULL)
        return tool_usage_error("--all and queue ids do not go together");
    if (all_option && !selection_given())
        return tool_usage_error("--all wants --sender, --rule, --older or --newer");
    if (!all_option && selection_given())
        return tool_usage_error("a filter goes with --all");
    if (!all_option && id_options == NULL)
        return tool_usage_error("expected queue ids, or --all and a filter");
    if (selection_filter(&filter, tool_now(), &error) == -1)
        return tool_usage_error("%s", error);
    return EXITS_DONE;
}

static void tell(int code, const char *id, const char *said)
{
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_string(json, "id", id);
        json_number(json, "code", code);
        json_string(json, "said", said);
        json_builder_end_object(json);
        tool_print_json(json);
        return;
    }
    g_autoptr(GString) line = g_string_new(NULL);
    terminal_append_plain(line, id);
    g_string_append(line, ": ");
    terminal_append_plain(line, said);
    g_string_append_c(line, '\n');
    if (code == EXITS_DONE)
        tool_print(line);
    else
        fputs(line->str, stderr);
}

static int decide_one(struct tool *tool, const struct view_item *item, enum ledger_action action)
{
    const struct decision decision = {.action = action, .reason = reason_option, .dry = dry_option};
    g_autofree char *said = NULL;
    int code = decision_make(tool, item, &decision, &said);
    tell(code, decision_id(item), said);
    return code;
}

/* The item that a queue id names: what is on hold under it now, or else what the ledger last knew of it. */
static int decide_id(struct tool *tool, const struct view *view, const char *id, enum ledger_action action)
{
    const struct view_item *there = view_find(view, id);
    if (there != NULL)
        return decide_one(tool, there, action);
    int status = EXITS_DONE;
    auto_free(ledger_row) row = tool_find(tool, id, &status);
    if (row == NULL) {
        if (status == EXITS_WRONG)
            tell(status, id, "is not known: neither on hold nor in the ledger");
        return status;
    }
    const struct view_item item = {.row = row};
    return decide_one(tool, &item, action);
}

static int decide_ids(struct tool *tool, const struct view *view, enum ledger_action action)
{
    int result = EXITS_DONE;
    for (char **id = id_options; *id != NULL; id++) {
        int code = decide_id(tool, view, *id, action);
        result = result == EXITS_DONE ? code : result;
    }
    return result;
}

/* ---- --all */

static GPtrArray *select_items(const struct view *view)
{
    struct ledger_filter filter;
    g_autofree char *error = NULL;
    GPtrArray *items = g_ptr_array_new();
    selection_filter(&filter, tool_now(), &error); /* checked before */
    for (guint i = 0; i < view->items->len; i++) {
        struct view_item *item = g_ptr_array_index(view->items, i);
        if (item->row != NULL && item->entry != NULL && item->row->state == LEDGER_HELD && selection_has(&filter, item))
            g_ptr_array_add(items, item);
    }
    return items;
}

static bool confirm(const GPtrArray *items, enum ledger_action action)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < items->len && i < QUESTION_LINES; i++) {
        const struct view_item *item = g_ptr_array_index((GPtrArray *)items, i);
        const struct ledger_message *message = &item->row->message;
        g_string_append_printf(text, "  %-17s", message->queue_id);
        terminal_append_within(text, message->sender[0] != '\0' ? message->sender : "<>", 30);
        g_string_append(text, "  ");
        terminal_append_within(text, message->subject != NULL ? message->subject : "", 28);
        g_string_append_c(text, '\n');
    }
    if (items->len > QUESTION_LINES)
        g_string_append_printf(text, "  ... and %u more\n", items->len - QUESTION_LINES);
    g_string_append_printf(text, "%s %u message%s? Type yes: ",
                           action == LEDGER_RELEASE  ? "Release"
                           : action == LEDGER_RETURN ? "Return"
                                                     : "Delete",
                           items->len, items->len == 1 ? "" : "s");
    fputs(text->str, stderr);
    char answer[16];
    if (fgets(answer, sizeof answer, stdin) == NULL)
        answer[0] = '\0';
    return strcmp(g_strchomp(answer), "yes") == 0;
}

static int decide_all(struct tool *tool, const struct view *view, enum ledger_action action)
{
    g_autoptr(GPtrArray) items = select_items(view);
    if (items->len == 0)
        return tool_error(EXITS_WRONG, "no message on hold passes the filter");
    if (!yes_option && !dry_option && !confirm(items, action))
        return tool_error(EXITS_WRONG, "nothing was done: the answer was not `yes`");
    int result = EXITS_DONE;
    for (guint i = 0; i < items->len; i++) {
        int code = decide_one(tool, g_ptr_array_index(items, i), action);
        result = result == EXITS_DONE ? code : result;
    }
    return result;
}

static int run(struct tool *tool, enum ledger_action action)
{
    int status = EXITS_DONE;
    auto_free(view) view = tool_view(tool, &status);
    if (view == NULL)
        return status;
    return all_option ? decide_all(tool, view, action) : decide_ids(tool, view, action);
}

static int run_release(struct tool *tool)
{
    return run(tool, LEDGER_RELEASE);
}

static int run_return(struct tool *tool)
{
    return run(tool, LEDGER_RETURN);
}

static int run_delete(struct tool *tool)
{
    return run(tool, LEDGER_DELETE);
}

static const GOptionEntry entries[] = {
    {"reason", 0, 0, G_OPTION_ARG_STRING, &reason_option, "The reason; recorded", "TEXT"},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all_option, "Every message on hold that matches the filter", NULL},
    SELECTION_ENTRIES,
    {"yes", 0, 0, G_OPTION_ARG_NONE, &yes_option, "With --all: do not ask", NULL},
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_option, "Only print what would be done", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &id_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

#define NEEDS (NEED_LEDGER | NEED_QUEUE | NEED_IDENTITIES)

const struct rcptguardq_command command_release = {
    .command.name = "release",
    .command.summary = "Release held messages",
    .command.arguments = "[ID...]",
    .command.entries = entries,
    .right = REVIEW_RELEASE,
    .needs = NEEDS,
    .command.check = check,
    .command.run = run_release,
};

const struct rcptguardq_command command_return = {
    .command.name = "return",
    .command.summary = "Return held messages to their senders",
    .command.arguments = "[ID...]",
    .command.entries = entries,
    .right = REVIEW_RETURN,
    .needs = NEEDS,
    .command.check = check,
    .command.run = run_return,
};

const struct rcptguardq_command command_delete = {
    .command.name = "delete",
    .command.summary = "Delete held messages; no one is informed",
    .command.arguments = "[ID...]",
    .command.entries = entries,
    .right = REVIEW_DELETE,
    .needs = NEEDS,
    .command.check = check,
    .command.run = run_delete,
};
