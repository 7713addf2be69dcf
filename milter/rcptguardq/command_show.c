/* command_show - `rcptguardq show`: why one message is held, and what it is; see rcptguardq(8) */

#include "milter/answers/answer_decision.h"
#include "milter/places/typed_ids.h"
#include "milter/rcptguardq/commands.h"
#include "milter/review/decision.h"
#include "milter/review/held_details.h"
#include "milter/review/held_summary.h"
#include "milter/review/held_text.h"
#include "policy/address/address.h"
#include "policy/base/time_text.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <stdio.h>
#include <string.h>

static gboolean recipients_option = FALSE;
static gboolean parties_option = FALSE;
static gboolean text_option = FALSE;
static gboolean message_option = FALSE;
static gboolean raw_option = FALSE;
static char **id_options = NULL;

static int check(void)
{
    tool_bare_ids(id_options);
    if (id_options == NULL || id_options[1] != NULL)
        return tool_usage_error("expected one queue id");
    if (text_option && !tool_json() && (message_option || parties_option))
        return tool_usage_error("--text shows the message instead of the facts: without --message and --parties");
    if (raw_option && (text_option || message_option || recipients_option || parties_option || tool_json()))
        return tool_usage_error("--raw prints the message alone");
    if (raw_option && terminal_is(stdout))
        return tool_usage_error("--raw would let the message control this terminal: write it to a file or a program");
    return EXITS_DONE;
}

/* ---- what was decided of it, and who can decide yet */

struct trail {
    GPtrArray *decisions; /* struct ledger_decision *, or NULL: it is not in the ledger */
    GPtrArray *events;    /* struct ledger_event * */
    gint64 sender_until;  /* 0: its sender cannot release it */
};

static void trail_clear(struct trail *trail)
{
    g_clear_pointer(&trail->decisions, g_ptr_array_unref);
    g_clear_pointer(&trail->events, g_ptr_array_unref);
}

static int fetch_trail(struct trail *trail, const struct held_details *shown, struct database_error *error)
{
    const struct ledger_row *row = shown->item->row;
    struct ledger *ledger = shown->tool->ledger;
    const struct config *config = shown->tool->config;
    if (row == NULL)
        return 0;
    trail->decisions = ledger_decisions(ledger, row->id, error);
    trail->events = trail->decisions == NULL ? NULL : ledger_history(ledger, row->id, 0, error);
    if (trail->events == NULL)
        return -1;
    if (config->review.answers == NULL || shown->item->entry == NULL || shown->tool->home != NULL)
        return 0;
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = policy_load(config->policy, diags);
    const struct answer_site site = {.review = &config->review, .policy = policy};
    return answer_sender_until(ledger, &site, row, tool_now(), &trail->sender_until, error);
}

/* ---- JSON: the keys are a contract, rcptguardq(8) */

static void json_fields(JsonBuilder *json, const char *key, const GPtrArray *fields, const char *name,
                        const char *value, bool displays)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
    for (guint i = 0; i < fields->len; i++) {
        const struct reading_field *field = g_ptr_array_index((GPtrArray *)fields, i);
        json_builder_begin_object(json);
        json_string(json, name, field->name);
        json_string(json, value, field->value);
        if (displays)
            json_string(json, "name", field->display);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_ledger(JsonBuilder *json, const struct held_details *shown)
{
    json_builder_set_member_name(json, "why");
    json_builder_begin_array(json);
    for (guint i = 0; i < shown->why->len; i++) {
        const struct kept_line *line = g_ptr_array_index(shown->why, i);
        json_builder_begin_object(json);
        json_string(json, "condition", line->condition);
        json_string(json, "has", line->has);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_number(json, "line", shown->item->row->message.line);
    json_builder_set_member_name(json, "largest");
    json_builder_begin_array(json);
    for (guint i = 0; i < shown->parties->len; i++) {
        const struct ledger_party *party = g_ptr_array_index(shown->parties, i);
        g_autofree char *name = party->name == NULL ? NULL : domain_display(party->name);
        json_builder_begin_object(json);
        json_string(json, "party", name);
        json_string(json, "class", party->class_name);
        json_boolean(json, "individuals", party->individuals);
        json_number(json, "people", party->people);
        json_number(json, "parties", party->parties);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    g_autofree char *within = hold_within_field(&shown->item->row->message, shown->remembered);
    json_string(json, "within", within);
    json_string(json, "known", hold_known(shown->remembered));
    json_strings(json, "approved_by", shown->approvals);
    json_string(json, "released_before", shown->before == NULL ? NULL : shown->before->message.queue_id);
}

static const char *decision_state(const struct ledger_decision *decision)
{
    if (decision->done == 0)
        return "waiting";
    if (decision->code == EXITS_DONE)
        return "done";
    return decision->code == EXITS_PASSING ? "abandoned" : "refused";
}

/* What it was done by: where several reviewers are needed, a release may be an approval. */
static const char *decision_action(const struct ledger_decision *decision, const GPtrArray *events)
{
    const char *name = ledger_action_name(decision->action), *found = name;
    for (guint i = 0; decision->done != 0 && i < events->len; i++) {
        const struct ledger_event *event = g_ptr_array_index((GPtrArray *)events, i);
        if (event->when < decision->at || event->when > decision->done || g_strcmp0(event->who, decision->who) != 0)
            continue;
        if (strcmp(event->action, name) == 0)
            return name;
        if (strcmp(event->action, "approve") == 0)
            found = "approve";
    }
    return found;
}

static void json_decisions(JsonBuilder *json, const struct trail *trail)
{
    json_begin_array(json, "decisions");
    for (guint i = 0; i < trail->decisions->len; i++) {
        const struct ledger_decision *decision = g_ptr_array_index(trail->decisions, i);
        g_autofree char *time = time_text_json(decision->at);
        json_builder_begin_object(json);
        json_string(json, "who", decision->who);
        json_string(json, "action", decision_action(decision, trail->events));
        json_string(json, "reason", decision->reason);
        json_string(json, "way", ledger_way_name(decision->way));
        json_string(json, "time", time);
        json_string(json, "state", decision_state(decision));
        json_string(json, "detail", decision->words);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    g_autofree char *until = trail->sender_until == 0 ? NULL : time_text_json(trail->sender_until);
    json_string(json, "sender_until", until);
}

/* The same code says it that the commands refuse with. */
static void json_may(JsonBuilder *json, const struct held_details *shown)
{
    json_begin_array(json, "may");
    for (unsigned i = LEDGER_RELEASE; i <= LEDGER_DELETE; i++) {
        g_autofree char *said = NULL;
        int code = decision_can(shown->tool, shown->item, (enum ledger_action)i, &said);
        json_builder_begin_object(json);
        json_string(json, "action", ledger_action_name((enum ledger_action)i));
        json_boolean(json, "allowed", code == EXITS_DONE);
        json_string(json, "why", code == EXITS_DONE ? NULL : said);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_reading(JsonBuilder *json, const struct message_reading *reading)
{
    json_fields(json, "headers", reading->headers, "name", "value", false);
    if (!recipients_option)
        return;
    json_fields(json, "visible_recipients", reading->visible, "fields", "address", true);
    json_strings(json, "hidden_recipients", reading->hidden);
    json_boolean(json, "recipients_cut", reading->cut);
}

static void print_json(const struct held_details *shown, const struct trail *trail, const GString *message,
                       const struct content *content)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    facts_json(json, shown->tool, shown->item);
    if (shown->item->row != NULL)
        json_ledger(json, shown);
    if (trail->decisions != NULL)
        json_decisions(json, trail);
    if (shown->tool->peer != NULL) {
        g_autofree char *elsewhere = tool_elsewhere(shown->tool, decision_id(shown->item), NULL);
        json_string(json, "elsewhere", elsewhere);
    }
    json_may(json, shown);
    if (shown->reading != NULL)
        json_reading(json, shown->reading);
    if (message != NULL)
        json_string(json, "message", message->str);
    if (content != NULL)
        held_text_json(json, content);
    json_builder_end_object(json);
    tool_print_json(json);
}

/* ---- the message itself */

static void take_raw(void *data, const char *piece, size_t length)
{
    (void)data;
    fwrite(piece, 1, length, stdout);
}

static int absent(void)
{
    return tool_error(EXITS_GONE, "%s: the message is on hold no longer", id_options[0]);
}

/* What only the node that holds it can give. */
static int refuse_elsewhere(const struct held_details *shown)
{
    const char *option = raw_option          ? "--raw"
                         : message_option    ? "--message"
                         : text_option       ? "--text"
                         : recipients_option ? "--recipients"
                                             : NULL;
    g_autofree char *said = option == NULL ? NULL : tool_elsewhere(shown->tool, decision_id(shown->item), option);
    return said == NULL ? EXITS_DONE : tool_error(EXITS_WRONG, "%s: %s", id_options[0], said);
}

/* An exit code; nothing is shown unless it is EXITS_DONE. */
static int record_looks(const struct held_details *shown, unsigned looks)
{
    struct database_error error;
    return held_details_look(shown, looks, &error) == -1 ? tool_ledger_error(&error) : EXITS_DONE;
}

static int print_raw(const struct held_details *shown)
{
    g_autofree char *error = NULL;
    const struct queue_entry *entry = shown->item->entry;
    if (entry == NULL)
        return absent();
    int status = record_looks(shown, LEDGER_LOOK_MESSAGE);
    if (status != EXITS_DONE)
        return status;
    enum queue_answer answer = queue_raw(shown->tool->queue, entry, true, take_raw, NULL, &error);
    if (answer == QUEUE_FAILED)
        return tool_error(EXITS_PASSING, "%s", error);
    return answer == QUEUE_DONE ? EXITS_DONE : absent();
}

static int fetch_message(const struct held_details *shown, GString *message)
{
    g_autofree char *error = NULL;
    enum queue_answer answer = held_details_message(shown, message, &error);
    if (answer == QUEUE_FAILED)
        return tool_error(EXITS_PASSING, "%s", error);
    return answer == QUEUE_DONE ? EXITS_DONE : absent();
}

static int fetch_content(const struct held_details *shown, struct content **content)
{
    g_autofree char *error = NULL;
    enum queue_answer answer = held_text_fetch(shown, content, &error);
    if (answer == QUEUE_FAILED)
        return tool_error(EXITS_PASSING, "%s", error);
    return answer == QUEUE_DONE ? EXITS_DONE : absent();
}

static void print_content(const struct held_details *shown, const struct content *content)
{
    g_autoptr(GString) out = g_string_new(NULL);
    held_details_append_title(out, shown);
    held_text_append(out, shown, content);
    tool_print(out);
}

static void print_text(const struct held_details *shown, const GString *message)
{
    g_autoptr(GString) out = g_string_new(NULL);
    held_details_append(out, shown);
    if (message != NULL) {
        g_string_append_c(out, '\n');
        held_details_append_message(out, message);
    }
    tool_print(out);
}

/* What is asked for beside the facts, from the queue. */
static int fetch_asked(const struct held_details *shown, GString *message, struct content **content)
{
    int status = EXITS_DONE;
    if (message != NULL)
        status = fetch_message(shown, message);
    if (status == EXITS_DONE && text_option)
        status = fetch_content(shown, content);
    if (status == EXITS_DONE && recipients_option && shown->reading == NULL)
        status = shown->unread != NULL ? tool_error(EXITS_PASSING, "%s", shown->unread) : absent();
    return status;
}

static int show(struct held_details *shown, struct trail *trail)
{
    struct database_error failure;
    int status = refuse_elsewhere(shown);
    if (status != EXITS_DONE)
        return status;
    if (raw_option)
        return print_raw(shown);
    if (held_details_fetch(shown, &failure) == -1 || (tool_json() && fetch_trail(trail, shown, &failure) == -1))
        return tool_ledger_error(&failure);
    held_details_read(shown);
    g_autoptr(GString) asked = message_option ? g_string_new(NULL) : NULL;
    auto_free(content) content = NULL;
    status = fetch_asked(shown, asked, &content);
    const GString *message = status == EXITS_DONE ? asked : NULL;
    unsigned looks = (recipients_option && shown->reading != NULL ? LEDGER_LOOK_RECIPIENTS : 0) |
                     (message != NULL ? LEDGER_LOOK_MESSAGE : 0);
    int recorded = record_looks(shown, looks);
    if (recorded != EXITS_DONE)
        return recorded;
    if (tool_json())
        print_json(shown, trail, message, status == EXITS_DONE ? content : NULL);
    else if (content != NULL)
        print_content(shown, content);
    else
        print_text(shown, message);
    return status;
}

static int run(struct tool *tool)
{
    int status = EXITS_DONE;
    const struct places_wish wish = {
        .view = true, .ids = id_options, .beginnings = strlen(id_options[0]) >= TYPED_ID_LEAST, .parts = FLEET_WHOLE};
    g_autofree char *said = NULL;
    auto_free(places) places = places_open(tool, &wish, &status);
    if (places != NULL)
        facts_policy(tool, places->view);
    g_autofree char *id = places == NULL ? NULL : typed_id_complete(places, id_options[0], &status);
    if (id == NULL)
        return status;
    const struct view_item *item = typed_id_find(places, id, &said, &status);
    if (item == NULL)
        return said == NULL ? status : tool_error(status, "%s: %s", id, said);
    struct held_details shown = {.tool = tool_at(tool, item), .item = item, .parts = SHOWN_STYLED};
    shown.parts |= (parties_option ? SHOWN_PARTIES : 0) | (recipients_option ? SHOWN_RECIPIENTS : 0);
    struct trail trail = {0};
    status = show(&shown, &trail);
    trail_clear(&trail);
    held_details_clear(&shown);
    return status;
}

static const GOptionEntry entries[] = {
    PLACES_ENTRIES,
    {"parties", 0, 0, G_OPTION_ARG_NONE, &parties_option, "Every party, not only the largest", NULL},
    {"recipients", 0, 0, G_OPTION_ARG_NONE, &recipients_option, "The recipients' addresses, from the queue", NULL},
    {"text", 0, 0, G_OPTION_ARG_NONE, &text_option, "The message as its reader sees it, decoded", NULL},
    {"message", 0, 0, G_OPTION_ARG_NONE, &message_option, "Also the message as it came, escaped for a terminal", NULL},
    {"raw", 0, 0, G_OPTION_ARG_NONE, &raw_option, "Only the message, unchanged", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &id_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_show = {
    .command.name = "show",
    .command.summary = "Show why a message is held",
    .command.arguments = "ID",
    .command.entries = entries,
    .right = REVIEW_SHOW,
    .needs = NEED_LEDGER | NEED_QUEUE,
    .command.check = check,
    .command.run = run,
};
