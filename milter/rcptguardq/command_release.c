/* command_release - `rcptguardq release`, `return`, `delete`; see rcptguardq(8) */

#include "milter/places/typed_ids.h"
#include "milter/rcptguardq/commands.h"
#include "milter/review/confirmation.h"
#include "milter/review/decision.h"
#include "milter/review/held_summary.h"
#include "milter/review/message_filter.h"

#include <stdio.h>
#include <string.h>

static char *reason_option = NULL;
static gboolean all_option = FALSE;
static gboolean yes_option = FALSE;
static gboolean dry_option = FALSE;
static char **id_options = NULL;

/* The word in the place of queue ids that has them read from standard input. */
#define FROM_INPUT "-"

static bool from_input(void)
{
    return id_options != NULL && strcmp(id_options[0], FROM_INPUT) == 0;
}

static int check(void)
{
    g_autofree char *error = NULL;
    tool_bare_ids(id_options);
    if (reason_option == NULL || g_strstrip(reason_option)[0] == '\0')
        return tool_usage_error("--reason is missing: the record says why");
    if (all_option && id_options != NULL)
        return tool_usage_error("--all and queue ids do not go together");
    if (all_option && !selection_given())
        return tool_usage_error("--all wants --sender, --rule, --subject, --party, --user, --older or --newer");
    if (from_input() && id_options[1] != NULL)
        return tool_usage_error("`-` reads the queue ids from standard input: no other ids are allowed");
    if (!all_option && selection_given())
        return tool_usage_error("a filter goes with --all");
    if (!all_option && id_options == NULL)
        return tool_usage_error("expected queue ids, or --all and a filter");
    auto_free(selection) selection = selection_new(tool_now(), &error);
    return selection == NULL ? tool_usage_error("%s", error) : EXITS_DONE;
}

/* JSON is one stream, whatever came of each. */
static void print(const struct tool *tool, const struct tool_decided *decided)
{
    tool_print_decided(tool, decided->code == EXITS_DONE || tool_json() ? stdout : stderr, decided);
}

static void print_unknown(int code, const char *id, const char *said)
{
    const struct tool_decided decided = {.id = id, .code = code, .said = said};
    print(NULL, &decided);
}

static int decide_one(struct tool *tool, const struct view_item *item, enum ledger_action action)
{
    const struct decision decision = {.action = action, .reason = reason_option, .dry = dry_option, .learn = true};
    g_autofree char *said = NULL;
    struct tool *at = tool_at(tool, item);
    const char *instance = facts_known_instance(at, item);
    int code = decision_make(at, item, &decision, &said);
    const struct tool_decided decided = {decision_id(item), instance, code, said};
    print(at, &decided);
    return code;
}

/* The message that a queue id means: what is on hold under it now, or else what the ledger last knew of it. */
static int decide_id(struct places *places, const char *id, enum ledger_action action)
{
    g_autofree char *said = NULL;
    int status = EXITS_DONE;
    const struct view_item *item = typed_id_find(places, id, &said, &status);
    if (item != NULL)
        return decide_one(places->home, item, action);
    if (said != NULL)
        print_unknown(status, id, said);
    return status;
}

static int decide_ids(struct places *places, enum ledger_action action)
{
    int result = EXITS_DONE;
    for (char **id = id_options; *id != NULL; id++) {
        int code = decide_id(places, *id, action);
        result = result == EXITS_DONE ? code : result;
    }
    return result;
}

/* ---- many at once: --all, and `-` */

static bool waits(const struct view_item *item)
{
    return item->row != NULL && item->entry != NULL && item->row->state == LEDGER_HELD;
}

/* Asks where it has to be asked.  What is piped in are queue ids: the answer to a question comes from the terminal. */
static GPtrArray *agree(GPtrArray *items, enum ledger_action action)
{
    if (yes_option || dry_option)
        return g_ptr_array_ref(items);
    FILE *answers = from_input() ? fopen("/dev/tty", "re") : stdin;
    if (answers == NULL) {
        tool_error(EXITS_WRONG, "there is no terminal to ask on: give --yes");
        return NULL;
    }
    GPtrArray *agreed = confirmation_ask(items, action, answers);
    if (answers != stdin)
        fclose(answers);
    return agreed;
}

static int decide_many(struct tool *tool, GPtrArray *items, enum ledger_action action)
{
    g_autoptr(GPtrArray) agreed = agree(items, action);
    if (agreed == NULL)
        return tool_error(EXITS_WRONG, "nothing was done: the answer was not `yes`");
    int result = EXITS_DONE;
    for (guint i = 0; i < agreed->len; i++) {
        int code = decide_one(tool, g_ptr_array_index(agreed, i), action);
        result = result == EXITS_DONE ? code : result;
    }
    return result;
}

static int decide_all(struct places *places, enum ledger_action action)
{
    const struct view *view = places->view;
    g_autofree char *error = NULL;
    auto_free(selection) selection = selection_new(tool_now(), &error); /* checked before */
    g_autoptr(GPtrArray) items = g_ptr_array_new();
    for (guint i = 0; i < view->items->len; i++) {
        struct view_item *item = g_ptr_array_index(view->items, i);
        int has = waits(item) ? selection_has(selection, tool_at(places->home, item)->ledger, item, &error) : 0;
        if (has == -1)
            return tool_error(EXITS_WRONG, "%s", error);
        if (has == 1)
            g_ptr_array_add(items, item);
    }
    if (items->len == 0)
        return tool_error(EXITS_WRONG, "no message on hold passes the filter");
    return decide_many(places->home, items, action);
}

/* What cannot be decided is told first, so that the question is about the others. */
static int decide_input(struct places *places, const GPtrArray *ids, enum ledger_action action)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new();
    int result = EXITS_DONE;
    for (guint i = 0; i + 1 < ids->len; i++) {
        const char *id = g_ptr_array_index((GPtrArray *)ids, i);
        g_autofree char *said = NULL;
        int code = EXITS_DONE;
        const struct view_item *item = typed_id_find(places, id, &said, &code);
        if (item == NULL && said != NULL)
            print_unknown(code, id, said);
        else if (item != NULL && !waits(item))
            code = decide_one(places->home, item, action);
        else if (item != NULL && !g_ptr_array_find(items, item, NULL))
            g_ptr_array_add(items, (gpointer)item);
        result = result == EXITS_DONE ? code : result;
    }
    int code = items->len == 0 ? EXITS_DONE : decide_many(places->home, items, action);
    return result == EXITS_DONE ? code : result;
}

/* Those on standard input, ended by NULL; NULL after it was said what is wrong. */
static GPtrArray *read_input(void)
{
    g_autofree char *error = NULL;
    g_autoptr(GPtrArray) ids = typed_ids_read(stdin, &error);
    if (ids == NULL || ids->len == 0) {
        tool_error(EXITS_WRONG, "%s", ids == NULL ? error : "standard input has no queue id");
        return NULL;
    }
    g_ptr_array_add(ids, NULL);
    return g_steal_pointer(&ids);
}

static int run(struct tool *tool, enum ledger_action action)
{
    int status = EXITS_DONE;
    g_autoptr(GPtrArray) ids = from_input() ? read_input() : NULL;
    if (from_input() && ids == NULL)
        return EXITS_WRONG;
    const struct places_wish wish = {.view = true,
                                     .states = LEDGER_OPEN,
                                     .ids = ids != NULL ? (char **)ids->pdata : id_options,
                                     .parts = selection_party != NULL ? FLEET_PARTIES : 0};
    auto_free(places) places = places_open(tool, &wish, &status);
    if (places == NULL)
        return status;
    if (ids != NULL)
        return decide_input(places, ids, action);
    return all_option ? decide_all(places, action) : decide_ids(places, action);
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
    PLACES_ENTRIES,
    {"yes", 0, 0, G_OPTION_ARG_NONE, &yes_option, "With --all, or with `-`: do not ask", NULL},
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
