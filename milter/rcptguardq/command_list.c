/* command_list - `rcptguardq list`: what waits for review; see rcptguardq(8) */

#include "milter/places/places.h"
#include "milter/rcptguardq/commands.h"
#include "milter/review/held_summary.h"
#include "milter/review/message_filter.h"
#include "policy/base/keyed_hash.h"
#include "policy/cli/terminal.h"

#include <stdio.h>
#include <string.h>

static gboolean all_option = FALSE;
static char *state_option = NULL;

/* Columns of the first fields, each with the blanks after it. */
enum {
    ID_WIDTH = 18,
    AGE_WIDTH = 8,
    COUNT_WIDTH = 9,
    RULE_WIDTH = 18,
    STATE_WIDTH = 26,
    SENDER_WIDTH = 32,
    NODE_WIDTH = 18,
    INSTANCE_WIDTH = 16
};

/* A terminal of fewer columns gives sender and subject a line of their own. */
#define ONE_LINE 120

/* By what messages of one queue id differ. */
enum sharing { SHARED_BY_NODES = 1, SHARED_BY_INSTANCES = 2 };

/* How the list is printed. */
struct layout {
    struct tool *tool;
    bool nodes;         /* a column of the nodes */
    GHashTable *shared; /* queue ids (const char *) of several messages: what has to be before one, enum sharing */
    gint64 now;
    unsigned width;
    bool states; /* a column of what the state does not say: a subject may say that, too, and so has no place before it
                  */
    bool one_line;
    bool instances; /* a column of them */
};

/* The state of that name, or -1; "untracked" is none of the ledger's. */
static int find_state(const char *name)
{
    for (int state = 0; state < LEDGER_STATES; state++) {
        if (strcmp(ledger_state_name((enum ledger_state)state), name) == 0)
            return state;
    }
    return -1;
}

static int check(void)
{
    g_autofree char *error = NULL;
    auto_free(selection) selection = selection_new(tool_now(), &error);
    if (selection == NULL)
        return tool_usage_error("%s", error);
    if (all_option && state_option != NULL)
        return tool_usage_error("--all and --state do not go together");
    if (state_option == NULL || strcmp(state_option, "untracked") == 0 || find_state(state_option) != -1)
        return EXITS_DONE;
    g_autoptr(GString) known = g_string_new(NULL);
    for (int state = 0; state < LEDGER_STATES; state++)
        g_string_append_printf(known, "%s, ", ledger_state_name((enum ledger_state)state));
    return tool_usage_error("--state: expected %suntracked, not `%s`", known->str, state_option);
}

/* ---- which */

/* Takes an item if it passes; -1 after `status` was set. */
static int take_item(struct tool *tool, struct selection *selection, const struct view_item *item, GPtrArray *items,
                     int *status)
{
    g_autofree char *error = NULL;
    int has = selection_has(selection, tool_at(tool, item)->ledger, item, &error);
    if (has == -1)
        *status = tool_error(EXITS_WRONG, "%s", error);
    if (has == 1)
        g_ptr_array_add(items, g_memdup2(item, sizeof *item));
    return has;
}

static unsigned closed_states(void)
{
    int state = state_option == NULL ? -1 : find_state(state_option);
    return all_option ? LEDGER_CLOSED : state == -1 ? 0 : LEDGER_BIT(state) & LEDGER_CLOSED;
}

/* The closed rows of a place, which `kept` keeps alive. */
static int take_closed(struct places *places, struct tool *tool, struct selection *selection, GPtrArray *items,
                       GPtrArray *kept, int *status)
{
    struct ledger_filter filter = *selection_filter(selection);
    struct database_error error;
    filter.states = closed_states();
    GPtrArray *rows = ledger_list(tool->ledger, &filter, &error);
    if (rows == NULL) {
        *status = tool_ledger_error(&error);
        return -1;
    }
    g_ptr_array_add(kept, rows);
    for (guint i = 0; i < rows->len; i++) {
        const struct view_item item = {.row = g_ptr_array_index(rows, i), .at = tool == places->home ? NULL : tool};
        if (take_item(places->home, selection, &item, items, status) == -1)
            return -1;
    }
    return 0;
}

/* Those of the view that pass, and with them the closed rows that were asked for. */
static GPtrArray *select_items(struct places *places, GPtrArray *kept, int *status)
{
    const struct view *view = places->view;
    g_autofree char *message = NULL;
    auto_free(selection) selection = selection_new(tool_now(), &message); /* checked before */
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        if (state_option != NULL && strcmp(facts_state(item), state_option) != 0)
            continue;
        if (take_item(places->home, selection, item, items, status) == -1)
            return NULL;
    }
    for (guint i = 0; closed_states() != 0 && i < places->tools->len; i++) {
        if (take_closed(places, g_ptr_array_index(places->tools, i), selection, items, kept, status) == -1)
            return NULL;
    }
    if (kept->len > 0)
        g_ptr_array_sort(items, view_compare);
    return g_steal_pointer(&items);
}

/* ---- how */

static void append_cell(GString *out, const char *text, unsigned width)
{
    unsigned columns = terminal_append_within(out, text, width - 2);
    terminal_append_blanks(out, columns, width);
}

/* A line ends with its last word. */
static void end_line(GString *out)
{
    while (out->len > 0 && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
}

/* What the recipient headers show and, after a plus, what another part of the message shows beside them. */
static void append_number(GString *out, const struct view_item *item, unsigned number, unsigned inside)
{
    char text[2 * COUNT_WIDTH + 8];
    if (item->row == NULL)
        g_strlcpy(text, "-", sizeof text);
    else if (inside == 0)
        g_snprintf(text, sizeof text, "%u", number);
    else
        g_snprintf(text, sizeof text, "%u+%u", number, inside);
    g_string_append_printf(out, "%7s  ", text);
}

static const char *subject_of(const struct view_item *item)
{
    return item->row == NULL || item->row->message.subject == NULL ? "" : item->row->message.subject;
}

static unsigned columns_of_facts(const struct layout *layout)
{
    return ID_WIDTH + (layout->nodes ? NODE_WIDTH : 0) + AGE_WIDTH + 2 * COUNT_WIDTH + RULE_WIDTH;
}

static const char *id_of(const struct view_item *item)
{
    return item->row != NULL ? item->row->message.queue_id : item->entry->id;
}

/* An id is as it can be given to a command. */
static void append_id(GString *out, const struct layout *layout, const struct view_item *item)
{
    const struct tool *tool = tool_at(layout->tool, item);
    unsigned shared = GPOINTER_TO_UINT(g_hash_table_lookup(layout->shared, id_of(item)));
    bool by_node = (shared & SHARED_BY_NODES) != 0, by_instance = (shared & SHARED_BY_INSTANCES) != 0;
    const char *instance = by_instance ? facts_instance(tool, item) : NULL;
    g_autofree char *full =
        g_strconcat(by_node ? tool->peer->name : "", by_node ? ":" : "", instance == NULL ? "" : instance,
                    instance == NULL ? "" : "/", id_of(item), NULL);
    if (shared != 0) { /* cut, it would mean nothing */
        terminal_append_blanks(out, terminal_append_plain(out, full), ID_WIDTH - 2);
        g_string_append(out, "  ");
    } else {
        append_cell(out, full, ID_WIDTH);
    }
    if (!layout->nodes)
        return;
    g_autofree char *node = g_strdup_printf("%s%s", tool->peer->name, tool->peer->away ? " (away)" : "");
    append_cell(out, node, NODE_WIDTH);
}

/* Where it is the last of its line it has what is left of that. */
static void append_state(GString *out, const struct layout *layout, const struct view_item *item)
{
    g_autofree char *remark = layout->states ? facts_remark(tool_at(layout->tool, item), item) : NULL;
    const char *state = remark != NULL ? remark : facts_state(item);
    if (layout->states && layout->one_line)
        append_cell(out, state, STATE_WIDTH);
    else if (layout->states)
        terminal_append_within(out, state, layout->width - MIN(layout->width, columns_of_facts(layout)));
}

/* The sender and the subject begin another line where there is no room, with the instance if there are several.
 */
static unsigned begin_sender(GString *out, const struct layout *layout, const char *instance)
{
    unsigned used = layout->one_line ? columns_of_facts(layout) + (layout->states ? STATE_WIDTH : 0) : 4;
    if (!layout->one_line) {
        end_line(out);
        g_string_append(out, "    ");
    }
    if (!layout->instances)
        return used;
    append_cell(out, instance == NULL ? FACTS_NO_INSTANCE : instance, INSTANCE_WIDTH);
    return used + INSTANCE_WIDTH;
}

static void append_item(GString *out, const struct layout *layout, const struct view_item *item)
{
    const struct ledger_message *message = item->row == NULL ? NULL : &item->row->message;
    struct inside_place inside = {0};
    if (message != NULL)
        inside = inside_counts_largest(&message->inside);
    g_autofree char *age = selection_age(layout->now - view_arrival(item));
    append_id(out, layout, item);
    g_string_append_printf(out, "%6s  ", age);
    append_number(out, item, message == NULL ? 0 : message->counts.visible, inside.people);
    append_number(out, item, message == NULL ? 0 : message->counts.parties, inside.parties);
    append_cell(out, message == NULL ? "-" : message->rule, RULE_WIDTH);
    append_state(out, layout, item);
    unsigned used = begin_sender(out, layout, facts_instance(tool_at(layout->tool, item), item)) + SENDER_WIDTH;
    append_cell(out, facts_sender(item), SENDER_WIDTH);
    terminal_append_within(out, subject_of(item), layout->width - MIN(layout->width, used));
    end_line(out);
}

static void append_head(GString *out, const struct layout *layout, const GPtrArray *items)
{
    const struct view_item *last = g_ptr_array_index((GPtrArray *)items, items->len - 1);
    g_autofree char *oldest = selection_age(layout->now - view_arrival(last));
    if (terminal_is(stdout))
        g_string_append_printf(out, "%u message%s, the oldest held for %s\n\n", items->len, items->len == 1 ? "" : "s",
                               oldest);
    g_string_append_printf(out, "%-*s%-*s%6s  %7s  %7s  %-*s", ID_WIDTH, "ID", layout->nodes ? NODE_WIDTH : 0,
                           layout->nodes ? "NODE" : "", "AGE", "VISIBLE", "PARTIES", RULE_WIDTH, "RULE");
    if (layout->states)
        g_string_append_printf(out, "%-*s", STATE_WIDTH, "STATE");
    begin_sender(out, layout, "INSTANCE");
    g_string_append_printf(out, "%-*sSUBJECT\n", SENDER_WIDTH, "SENDER");
}

/* By what the places of two messages of one queue id differ. */
static unsigned compare_places(struct tool *tool, const struct view_item *one, const struct view_item *other)
{
    const struct tool *at = tool_at(tool, one);
    if (at != tool_at(tool, other))
        return SHARED_BY_NODES;
    const char *instance = facts_instance(at, one), *others = facts_instance(at, other);
    bool known = instance != NULL && others != NULL;
    return known && strcmp(instance, others) != 0 ? SHARED_BY_INSTANCES : 0;
}

/* Adds it to those of its id if none is of the same place; by what they differ. */
static unsigned add_place(struct tool *tool, GPtrArray *same, struct view_item *item)
{
    unsigned sharing = 0;
    bool known = false;
    for (guint i = 0; i < same->len; i++) {
        unsigned one = compare_places(tool, item, g_ptr_array_index(same, i));
        known = known || one == 0;
        sharing |= one;
    }
    if (!known)
        g_ptr_array_add(same, item);
    return sharing;
}

/* Without a fleet and without several instances an id is that of one message, or of one after the other. */
static GHashTable *find_shared(struct tool *tool, const GPtrArray *items)
{
    GHashTable *seen = g_hash_table_new_full(hash_string, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    GHashTable *shared = g_hash_table_new(hash_string, g_str_equal);
    for (guint i = 0; i < items->len; i++) {
        struct view_item *item = g_ptr_array_index((GPtrArray *)items, i);
        GPtrArray *same = g_hash_table_lookup(seen, id_of(item));
        unsigned sharing = GPOINTER_TO_UINT(g_hash_table_lookup(shared, id_of(item)));
        if (same == NULL) {
            same = g_ptr_array_new();
            g_hash_table_insert(seen, (gpointer)id_of(item), same);
        }
        sharing |= add_place(tool, same, item);
        if (sharing != 0)
            g_hash_table_insert(shared, (gpointer)id_of(item), GUINT_TO_POINTER(sharing));
    }
    g_hash_table_unref(seen);
    return shared;
}

static struct layout make_layout(struct tool *tool, const GPtrArray *items)
{
    /* What goes to a program or a file is not cut at the edge of a terminal that is not there. */
    struct layout layout = {.tool = tool,
                            .nodes = tool->peer != NULL,
                            .shared = find_shared(tool, items),
                            .now = tool_now(),
                            .width = terminal_is(stdout) ? terminal_width(stdout) : 1000};
    for (guint i = 0; i < items->len; i++) {
        const struct view_item *item = g_ptr_array_index((GPtrArray *)items, i);
        g_autofree char *remark = facts_remark(tool_at(tool, item), item);
        layout.states = layout.states || remark != NULL;
        layout.instances = layout.instances || facts_instance(tool_at(tool, item), item) != NULL;
    }
    unsigned extra = layout.states ? STATE_WIDTH : 0;
    extra += layout.nodes ? (unsigned)NODE_WIDTH : 0;
    extra += layout.instances ? (unsigned)INSTANCE_WIDTH : 0;
    layout.one_line = layout.width >= ONE_LINE + extra;
    return layout;
}

static void print_text(struct tool *tool, const GPtrArray *items)
{
    const struct layout layout = make_layout(tool, items);
    g_autoptr(GString) out = g_string_new(NULL);
    if (items->len == 0)
        g_string_append(out, "Nothing waits.\n");
    else
        append_head(out, &layout, items);
    for (guint i = 0; i < items->len; i++)
        append_item(out, &layout, g_ptr_array_index((GPtrArray *)items, i));
    g_hash_table_unref(layout.shared);
    tool_print(out);
}

static void print_json(struct tool *tool, const GPtrArray *items)
{
    for (guint i = 0; i < items->len; i++) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        const struct view_item *item = g_ptr_array_index((GPtrArray *)items, i);
        facts_json(json, tool_at(tool, item), item);
        json_builder_end_object(json);
        tool_print_json(json);
    }
}

static int run(struct tool *tool)
{
    int status = EXITS_DONE;
    const struct places_wish wish = {
        .view = true, .states = LEDGER_OPEN | closed_states(), .parts = selection_party != NULL ? FLEET_PARTIES : 0};
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    auto_free(places) places = places_open(tool, &wish, &status);
    if (places == NULL)
        return status;
    facts_policy(tool, places->view);
    g_autoptr(GPtrArray) items = select_items(places, kept, &status);
    if (items == NULL)
        return status;
    if (tool_json())
        print_json(tool, items);
    else
        print_text(tool, items);
    return EXITS_DONE;
}

static const GOptionEntry entries[] = {
    SELECTION_ENTRIES,
    PLACES_ENTRIES,
    {"state", 0, 0, G_OPTION_ARG_STRING, &state_option, "Those in a state, such as released", "STATE"},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all_option, "Also those that no longer wait", NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_list = {
    .command.name = "list",
    .command.summary = "List the messages that wait for review, the newest first",
    .command.entries = entries,
    .right = REVIEW_LIST,
    .needs = NEED_LEDGER | NEED_QUEUE,
    .command.check = check,
    .command.run = run,
};
