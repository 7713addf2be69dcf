/* show_held - `rcptguardq show`: why one message is held, and what it is; see rcptguardq(8) */

#include "address.h"
#include "exposure.h"
#include "facts.h"
#include "json.h"
#include "policy.h"
#include "selection.h"
#include "terminal.h"
#include "why.h"

#include <stdio.h>
#include <string.h>

static gboolean recipients_option = FALSE;
static gboolean parties_option = FALSE;
static gboolean message_option = FALSE;
static gboolean raw_option = FALSE;
static char **id_options = NULL;

/* Columns of the words at the left. */
enum { LABEL_WIDTH = 14, CONDITION_WIDTH = 50 };

/* Parties that are shown unless all are asked for, and how many stand on a line; the columns of each. */
#define PARTIES_SHOWN  12u
#define PARTIES_A_LINE 2u
enum { PARTY_NUMBER = 4, PARTY_NAME = 25 };

/* All that is known of the message. */
struct shown {
    struct tool *tool;
    const struct view_item *item;
    GPtrArray *parties;   /* struct ledger_party *, or NULL */
    GPtrArray *approvals; /* char *, or NULL */
    struct why *why;
    struct reading *reading; /* NULL: it is in the queue no longer */
    char *unread;            /* why it could not be read, or NULL */
};

static int check(void)
{
    if (id_options == NULL || id_options[1] != NULL)
        return tool_usage_error("expected one queue id");
    if (raw_option && (message_option || recipients_option || parties_option || tool_json()))
        return tool_usage_error("--raw prints the message alone");
    if (raw_option && terminal_is(stdout))
        return tool_usage_error("--raw would let the message control this terminal: write it to a file or a program");
    return EXITS_DONE;
}

/* ---- what there is */

static void shown_clear(struct shown *shown)
{
    g_clear_pointer(&shown->parties, g_ptr_array_unref);
    g_clear_pointer(&shown->approvals, g_ptr_array_unref);
    why_free(shown->why);
    reading_free(shown->reading);
    g_free(shown->unread);
}

static int fetch_ledger(struct shown *shown)
{
    const struct ledger_row *row = shown->item->row;
    struct ledger *ledger = shown->tool->ledger;
    struct database_error error;
    if (row == NULL)
        return EXITS_DONE;
    shown->parties = ledger_parties(ledger, row->id, &error);
    if (shown->parties == NULL)
        return tool_ledger_error(&error);
    shown->approvals = ledger_approvals(ledger, row->id, &error);
    if (shown->approvals == NULL)
        return tool_ledger_error(&error);
    g_autofree char *policy = ledger_policy_text(ledger, row->message.policy, &error);
    if (policy == NULL && error.failure != DATABASE_NONE)
        return tool_ledger_error(&error);
    shown->why = why_new(&row->message, shown->parties, policy);
    return EXITS_DONE;
}

static void fetch_queue(struct shown *shown)
{
    if (shown->item->entry != NULL)
        reader_read(&shown->tool->reader, shown->tool->queue, shown->item->entry->id, &shown->reading, &shown->unread);
}

/* ---- for people */

static void begin_label(GString *out, const char *label)
{
    unsigned columns = terminal_append_within(out, label, LABEL_WIDTH - 2);
    terminal_append_blanks(out, columns, LABEL_WIDTH);
}

static void append_fact(GString *out, const char *label, const char *text)
{
    begin_label(out, label);
    terminal_append_wrapped(out, text, LABEL_WIDTH, terminal_width(stdout));
    g_string_append_c(out, '\n');
}

static void append_state(GString *out, const struct shown *shown)
{
    const struct view_item *item = shown->item;
    g_autofree char *age = selection_age(tool_now() - view_arrival(item));
    g_autofree char *time = facts_local_time(view_arrival(item));
    g_autofree char *remark = facts_remark(shown->tool, item);
    g_autoptr(GString) text = g_string_new(item->row != NULL ? item->row->message.queue_id : item->entry->id);
    if (item->entry != NULL)
        g_string_append_printf(text, "  on hold for %s, since %s", age, time);
    else
        g_string_append_printf(text, "  judged %s ago, %s", age, time);
    if (remark != NULL)
        g_string_append_printf(text, "  [%s]", remark);
    terminal_append_plain(out, text->str);
    g_string_append(out, "\n\n");
}

/* What the rule asks for, and beside it, or below it if it is long, what the message has. */
static void append_condition(GString *out, const char *label, const struct why_line *line, unsigned width)
{
    bool is_long = strlen(line->condition) > width;
    begin_label(out, label);
    terminal_append_wrapped(out, line->condition, LABEL_WIDTH, terminal_width(stdout));
    if (line->has != NULL) {
        if (is_long)
            g_string_append_c(out, '\n');
        terminal_append_blanks(out, is_long ? 0 : (unsigned)strlen(line->condition),
                               is_long ? LABEL_WIDTH + width : width);
        g_string_append(out, "  has ");
        terminal_append_plain(out, line->has);
    }
    g_string_append_c(out, '\n');
}

static void append_conditions(GString *out, const struct why *why)
{
    size_t width = 0;
    for (guint i = 0; i < why->lines->len; i++) {
        const struct why_line *line = g_ptr_array_index(why->lines, i);
        width = MAX(width, strlen(line->condition));
    }
    for (guint i = 0; i < why->lines->len; i++)
        append_condition(out, i == 0 ? "  holds when" : "", g_ptr_array_index(why->lines, i),
                         (unsigned)MIN(width, CONDITION_WIDTH));
}

static void append_why(GString *out, const struct shown *shown)
{
    const struct ledger_message *message = &shown->item->row->message;
    bool colours = terminal_colours(stdout);
    g_string_append(out, terminal_begin(colours, STYLE_STRONG));
    append_fact(out, "Held because", message->text != NULL ? message->text : message->rule);
    g_string_append(out, terminal_end(colours));
    g_autofree char *rule = g_strdup_printf("%s, line %u of policy %.*s", message->rule, message->line,
                                            POLICY_DIGEST_SHOWN, message->policy);
    append_fact(out, "Rule", rule);
    append_conditions(out, shown->why);
    g_string_append_c(out, '\n');
}

static const char *header_value(const struct reading *reading, const char *name)
{
    for (guint i = 0; reading != NULL && i < reading->headers->len; i++) {
        const struct reading_field *field = g_ptr_array_index(reading->headers, i);
        if (strcmp(field->name, name) == 0)
            return field->value;
    }
    return NULL;
}

static void append_sender(GString *out, const struct shown *shown)
{
    const struct ledger_row *row = shown->item->row;
    g_autoptr(GString) text = g_string_new(facts_sender(shown->item));
    if (row != NULL && row->message.user != NULL)
        g_string_append_printf(text, ", login %s", row->message.user);
    if (row != NULL && row->message.client != NULL)
        g_string_append_printf(text, ", client %s", row->message.client);
    append_fact(out, "Sender", text->str);
}

/* The message's own words; what the ledger kept where it cannot be read. */
static void append_headers(GString *out, const struct shown *shown)
{
    static const char *const more[] = {"Sender", "Reply-To", "Date", "List-Id", "User-Agent", "X-Mailer"};
    const struct ledger_row *row = shown->item->row;
    append_sender(out, shown);
    const char *from = header_value(shown->reading, "From");
    const char *subject = header_value(shown->reading, "Subject");
    if (from != NULL)
        append_fact(out, "From", from);
    if (subject == NULL && row != NULL)
        subject = row->message.subject;
    append_fact(out, "Subject", subject == NULL ? "-" : subject);
    for (size_t i = 0; i < G_N_ELEMENTS(more); i++) {
        const char *value = header_value(shown->reading, more[i]);
        if (value != NULL)
            append_fact(out, i == 0 ? "Sender field" : more[i], value);
    }
    const char *id = header_value(shown->reading, "Message-ID");
    if (id != NULL || (row != NULL && row->message.message_id != NULL))
        append_fact(out, "Message-ID", id != NULL ? id : row->message.message_id);
}

static void append_counts(GString *out, const struct shown *shown)
{
    const struct ledger_row *row = shown->item->row;
    g_autoptr(GString) text = g_string_new(NULL);
    if (row != NULL) {
        const struct ledger_message *message = &row->message;
        g_string_printf(text, "%u outside of %u parties in %u domains, %u inside; Bcc: %u", message->visible,
                        message->parties, message->domains, message->internal, message->hidden);
        append_fact(out, "Recipients", text->str);
    } else if (shown->item->entry != NULL) {
        g_string_printf(text, "%u in the envelope", shown->item->entry->recipients);
        append_fact(out, "Recipients", text->str);
    }
    if (row != NULL && row->message.defects != 0) {
        g_string_truncate(text, 0);
        for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1) {
            if ((row->message.defects & bit) != 0)
                g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", defect_name((enum defect)bit));
        }
        append_fact(out, "Defects", text->str);
    }
    g_string_truncate(text, 0);
    for (guint i = 0; shown->reading != NULL && i < shown->reading->addressed->len; i++) {
        const struct reading_field *field = g_ptr_array_index(shown->reading->addressed, i);
        g_string_append_printf(text, "%s%s: %s", i > 0 ? ", " : "", field->name, field->value);
    }
    if (text->len > 0)
        append_fact(out, "  stand in", text->str);
}

static char *party_text(const struct ledger_party *party)
{
    if (party->name == NULL)
        return g_strdup_printf("%u parties more of %s", party->parties, party->class_name);
    g_autofree char *name = domain_display(party->name);
    return g_strdup_printf("%s%s", name, party->individuals ? " (individuals)" : "");
}

/* With --parties each on a line, with its class. */
static void append_party_line(GString *out, const struct ledger_party *party, const char *label)
{
    g_autofree char *name = party_text(party);
    begin_label(out, label);
    g_string_append_printf(out, "%5u  ", party->people);
    unsigned columns = terminal_append_within(out, party->class_name, 14);
    terminal_append_blanks(out, columns, 16);
    terminal_append_plain(out, name);
    g_string_append_c(out, '\n');
}

/* Two on a line, so that a dozen takes six. */
static void append_largest(GString *out, const struct shown *shown, guint most)
{
    for (guint i = 0; i < most; i++) {
        const struct ledger_party *party = g_ptr_array_index(shown->parties, i);
        g_autofree char *name = party_text(party);
        bool last = i % PARTIES_A_LINE + 1 == PARTIES_A_LINE || i + 1 == most;
        if (i % PARTIES_A_LINE == 0)
            begin_label(out, i == 0 ? "Parties" : "");
        g_string_append_printf(out, "%*u  ", PARTY_NUMBER, party->people);
        unsigned columns = terminal_append_within(out, name, PARTY_NAME);
        if (last)
            g_string_append_c(out, '\n');
        else
            terminal_append_blanks(out, columns, PARTY_NAME + 1);
    }
}

static void append_parties(GString *out, const struct shown *shown)
{
    guint count = shown->parties == NULL ? 0 : shown->parties->len;
    guint most = MIN(count, PARTIES_SHOWN);
    for (guint i = 0; parties_option && i < count; i++)
        append_party_line(out, g_ptr_array_index(shown->parties, i), i == 0 ? "Parties" : "");
    if (parties_option)
        return;
    append_largest(out, shown, most);
    if (most < count) {
        begin_label(out, "");
        g_string_append_printf(out, "... and %u more: show --parties\n", count - most);
    }
}

static void append_recipients(GString *out, const struct shown *shown)
{
    const struct reading *reading = shown->reading;
    if (reading == NULL || !recipients_option)
        return;
    g_string_append_c(out, '\n');
    for (guint i = 0; i < reading->visible->len; i++) {
        const struct reading_field *field = g_ptr_array_index(reading->visible, i);
        begin_label(out, field->name);
        terminal_append_plain(out, field->value);
        g_string_append_c(out, '\n');
    }
    for (guint i = 0; i < reading->hidden->len; i++) {
        begin_label(out, "hidden (Bcc)");
        terminal_append_plain(out, g_ptr_array_index(reading->hidden, i));
        g_string_append_c(out, '\n');
    }
    if (reading->cut)
        append_fact(out, "", "there are more than are read");
}

static void append_decision(GString *out, const struct shown *shown)
{
    const struct ledger_row *row = shown->item->row;
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned needed = tool_approvals_needed(shown->tool, row);
    if (needed > 1 || shown->approvals->len > 0) {
        g_string_printf(text, "%u of %u", row->granted, needed);
        for (guint i = 0; i < shown->approvals->len; i++)
            g_string_append_printf(text, "%s%s", i == 0 ? ": " : ", ",
                                   (const char *)g_ptr_array_index(shown->approvals, i));
        append_fact(out, "Approvals", text->str);
    }
    if (row->who != NULL) {
        g_autofree char *time = facts_local_time(row->changed);
        g_string_printf(text, "%s by %s, %s", ledger_state_name(row->state), row->who, time);
        append_fact(out, "Decision", text->str);
        append_fact(out, "Reason", row->reason == NULL ? "-" : row->reason);
    }
    if (row->requeued != NULL)
        append_fact(out, "New queue id", row->requeued);
}

static void print_text(const struct shown *shown)
{
    g_autoptr(GString) out = g_string_new(NULL);
    append_state(out, shown);
    if (shown->item->row != NULL)
        append_why(out, shown);
    append_headers(out, shown);
    append_counts(out, shown);
    append_parties(out, shown);
    if (shown->item->row != NULL)
        append_decision(out, shown);
    if (shown->unread != NULL)
        append_fact(out, "Not read", shown->unread);
    append_recipients(out, shown);
    tool_print(out);
}

/* ---- JSON: the keys are a contract, rcptguardq(8) */

static void json_fields(JsonBuilder *json, const char *key, const GPtrArray *fields, const char *name,
                        const char *value)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
    for (guint i = 0; i < fields->len; i++) {
        const struct reading_field *field = g_ptr_array_index((GPtrArray *)fields, i);
        json_builder_begin_object(json);
        json_string(json, name, field->name);
        json_string(json, value, field->value);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_strings(JsonBuilder *json, const char *key, const GPtrArray *strings)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
    for (guint i = 0; i < strings->len; i++)
        json_builder_add_string_value(json, g_ptr_array_index((GPtrArray *)strings, i));
    json_builder_end_array(json);
}

static void json_ledger(JsonBuilder *json, const struct shown *shown)
{
    json_builder_set_member_name(json, "why");
    json_builder_begin_array(json);
    for (guint i = 0; i < shown->why->lines->len; i++) {
        const struct why_line *line = g_ptr_array_index(shown->why->lines, i);
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
    json_strings(json, "approved_by", shown->approvals);
}

static void json_reading(JsonBuilder *json, const struct reading *reading)
{
    json_fields(json, "headers", reading->headers, "name", "value");
    if (!recipients_option)
        return;
    json_fields(json, "visible_recipients", reading->visible, "fields", "address");
    json_strings(json, "hidden_recipients", reading->hidden);
    json_boolean(json, "recipients_cut", reading->cut);
}

static void print_json(const struct shown *shown, const GString *message)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    facts_json(json, shown->tool, shown->item);
    if (shown->item->row != NULL)
        json_ledger(json, shown);
    if (shown->reading != NULL)
        json_reading(json, shown->reading);
    if (message != NULL)
        json_string(json, "message", message->str);
    json_builder_end_object(json);
    tool_print_json(json);
}

/* ---- the message itself */

static void take_raw(void *data, const char *piece, size_t length)
{
    (void)data;
    fwrite(piece, 1, length, stdout);
}

/* A NUL would hide what stands behind it. */
static void take_text(void *data, const char *piece, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (piece[i] == '\0')
            g_string_append(data, "\357\277\275"); /* U+FFFD */
        else
            g_string_append_c((GString *)data, piece[i]);
    }
}

/* A line at a time, so that it keeps its lines and nothing else that a terminal would act on. */
static void print_plain(const GString *message)
{
    g_autoptr(GString) out = g_string_new("\n");
    g_auto(GStrv) lines = g_strsplit(message->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_strdelimit(g_strchomp(*line), "\t", ' ');
        terminal_append_plain(out, *line);
        g_string_append_c(out, '\n');
    }
    tool_print(out);
}

static int fetch_message(const struct shown *shown, program_take take, void *data)
{
    g_autofree char *error = NULL;
    enum queue_answer answer = shown->item->entry == NULL
                                   ? QUEUE_ABSENT
                                   : queue_raw(shown->tool->queue, shown->item->entry->id, true, take, data, &error);
    if (answer == QUEUE_FAILED)
        return tool_error(EXITS_PASSING, "%s", error);
    return answer == QUEUE_DONE ? EXITS_DONE
                                : tool_error(EXITS_GONE, "%s: the message is on hold no longer", id_options[0]);
}

static int show(struct shown *shown)
{
    if (raw_option)
        return fetch_message(shown, take_raw, NULL);
    int status = fetch_ledger(shown);
    if (status != EXITS_DONE)
        return status;
    fetch_queue(shown);
    g_autoptr(GString) message = message_option ? g_string_new(NULL) : NULL;
    if (message_option)
        status = fetch_message(shown, take_text, message);
    if (status == EXITS_DONE && recipients_option && shown->reading == NULL)
        status = shown->unread != NULL ? tool_error(EXITS_PASSING, "%s", shown->unread)
                                       : tool_error(EXITS_GONE, "%s: the message is on hold no longer", id_options[0]);
    if (tool_json()) {
        print_json(shown, status == EXITS_DONE ? message : NULL);
        return status;
    }
    print_text(shown);
    if (message != NULL && status == EXITS_DONE)
        print_plain(message);
    return status;
}

static int run(struct tool *tool)
{
    int status = EXITS_DONE;
    const char *id = id_options[0];
    auto_free(view) view = tool_view(tool, &status);
    if (view == NULL)
        return status;
    const struct view_item *item = NULL;
    for (guint i = 0; item == NULL && i < view->items->len; i++) {
        const struct view_item *one = g_ptr_array_index(view->items, i);
        if (one->entry != NULL && strcmp(one->entry->id, id) == 0)
            item = one;
    }
    auto_free(ledger_row) row = item == NULL ? tool_find(tool, id, &status) : NULL;
    if (item == NULL && row == NULL)
        return status == EXITS_WRONG ? tool_error(status, "%s: is not known: neither on hold nor in the ledger", id)
                                     : status;
    const struct view_item past = {.row = row};
    struct shown shown = {.tool = tool, .item = item != NULL ? item : &past};
    status = show(&shown);
    shown_clear(&shown);
    return status;
}

static const GOptionEntry entries[] = {
    {"parties", 0, 0, G_OPTION_ARG_NONE, &parties_option, "Every party, not the largest alone", NULL},
    {"recipients", 0, 0, G_OPTION_ARG_NONE, &recipients_option, "The recipients' addresses, from the queue", NULL},
    {"message", 0, 0, G_OPTION_ARG_NONE, &message_option, "The message too, made harmless for a terminal", NULL},
    {"raw", 0, 0, G_OPTION_ARG_NONE, &raw_option, "The message alone, byte by byte", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &id_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

const struct command command_show = {
    .name = "show",
    .summary = "Tell why a message is held, and what it is",
    .arguments = "ID",
    .entries = entries,
    .right = REVIEW_SHOW,
    .needs = NEED_LEDGER | NEED_QUEUE,
    .check = check,
    .run = run,
};
