/* held_details - see held_details.h */

#include "milter/review/held_details.h"

#include "milter/log/log.h"
#include "milter/log/log_fields.h"
#include "milter/review/decision.h"
#include "milter/review/held_summary.h"
#include "milter/review/message_filter.h"
#include "policy/address/address.h"
#include "policy/cli/terminal.h"
#include "policy/engine/policy.h"
#include "policy/exposure/exposure.h"

#include <stdio.h>
#include <string.h>

/* Columns of the words at the left. */
enum { LABEL_WIDTH = 14, CONDITION_WIDTH = 50 };

/* Parties that are shown unless all are asked for, and how many are on a line; the columns of each. */
#define PARTIES_SHOWN  12u
#define PARTIES_A_LINE 2u
enum { PARTY_NUMBER = 4, PARTY_NAME = 25 };

/* ---- what there is */

void held_details_clear(struct held_details *shown)
{
    g_clear_pointer(&shown->before, ledger_row_free);
    g_clear_pointer(&shown->parties, g_ptr_array_unref);
    g_clear_pointer(&shown->approvals, g_ptr_array_unref);
    g_clear_pointer(&shown->why, g_ptr_array_unref);
    g_clear_pointer(&shown->remembered, ledger_remembered_free);
    message_reading_free(shown->reading);
    g_free(shown->unread);
}

int held_details_fetch(struct held_details *shown, struct database_error *error)
{
    const struct ledger_row *row = shown->item->row;
    struct ledger *ledger = shown->tool->ledger;
    if (row == NULL)
        return 0;
    shown->before = ledger_released_before(ledger, row, error);
    if (shown->before == NULL && error->failure != DATABASE_NONE)
        return -1;
    shown->parties = ledger_parties(ledger, row->id, error);
    if (shown->parties == NULL)
        return -1;
    shown->approvals = ledger_approvals(ledger, row->id, error);
    if (shown->approvals == NULL)
        return -1;
    shown->remembered = ledger_remembered(ledger, row->id, error);
    if (shown->remembered == NULL && error->failure != DATABASE_NONE)
        return -1;
    g_autofree char *policy = ledger_policy_text(ledger, row->message.policy, error);
    if (policy == NULL && error->failure != DATABASE_NONE)
        return -1;
    g_autoptr(GArray) inside = ledger_inside(ledger, row->id, error);
    if (inside == NULL)
        return -1;
    shown->why = hold_reasons(&row->message, shown->parties, shown->remembered, inside, policy);
    return 0;
}

void held_details_read(struct held_details *shown)
{
    if (shown->tool->home != NULL)
        shown->unread = tool_elsewhere(shown->tool, shown->item->row->message.queue_id, NULL);
    else if (shown->item->entry != NULL)
        reader_read(&shown->tool->reader, shown->tool->queue, shown->item->entry, &shown->reading, &shown->unread);
}

/* ---- for people */

static void begin_label(GString *out, const char *label)
{
    unsigned columns = terminal_append_within(out, label, LABEL_WIDTH - 2);
    terminal_append_blanks(out, columns, LABEL_WIDTH);
}

void held_details_append_fact(GString *out, const char *label, const char *text)
{
    begin_label(out, label);
    terminal_append_wrapped(out, text, LABEL_WIDTH, terminal_width(stdout));
    g_string_append_c(out, '\n');
}

void held_details_append_title(GString *out, const struct held_details *shown)
{
    const struct view_item *item = shown->item;
    g_autofree char *age = selection_age(tool_now() - view_arrival(item));
    g_autofree char *time = tool_time_text(view_arrival(item));
    g_autofree char *remark = facts_remark(shown->tool, item);
    g_autofree char *id = tool_full_id(shown->tool, decision_id(item));
    g_autoptr(GString) text = g_string_new(id);
    if (facts_instance(shown->tool, item) != NULL)
        g_string_append_printf(text, "  in %s", facts_instance(shown->tool, item));
    if (item->entry != NULL && (shown->parts & SHOWN_BRIEF) != 0)
        g_string_append_printf(text, "  on hold for %s", age);
    else if (item->entry != NULL)
        g_string_append_printf(text, "  on hold for %s, since %s", age, time);
    else
        g_string_append_printf(text, "  judged %s ago, %s", age, time);
    if (remark != NULL)
        g_string_append_printf(text, "  [%s]", remark);
    terminal_append_plain(out, text->str);
    g_string_append(out, "\n\n");
}

/* What the rule asks for, and beside it, or below it if it is long, what the message has. */
static void append_condition(GString *out, const char *label, const struct kept_line *line, unsigned width)
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

static void append_conditions(GString *out, const GPtrArray *why)
{
    size_t width = 0;
    for (guint i = 0; i < why->len; i++) {
        const struct kept_line *line = g_ptr_array_index((GPtrArray *)why, i);
        width = MAX(width, strlen(line->condition));
    }
    for (guint i = 0; i < why->len; i++)
        append_condition(out, i == 0 ? "  holds when" : "", g_ptr_array_index((GPtrArray *)why, i),
                         (unsigned)MIN(width, CONDITION_WIDTH));
}

/* A hint for whoever decides: a Message-ID can be forged. */
static void append_before(GString *out, const struct held_details *shown)
{
    const struct ledger_row *before = shown->before;
    if (before == NULL)
        return;
    g_autofree char *time = tool_time_text(before->changed);
    g_autofree char *text = g_strdup_printf("a message with this Message-ID, which anybody can copy: %s, released by "
                                            "%s, %s",
                                            before->message.queue_id, before->who, time);
    held_details_append_fact(out, "Seen before", text);
}

/* What earlier mail made of it. */
static void append_state(GString *out, const struct held_details *shown)
{
    g_autofree char *within = hold_within(&shown->item->row->message, shown->remembered);
    const char *known = hold_known(shown->remembered);
    if (within != NULL)
        held_details_append_fact(out, "Within", within);
    if (known != NULL)
        held_details_append_fact(out, "Known", known);
}

static void append_why(GString *out, const struct held_details *shown)
{
    const struct ledger_message *message = &shown->item->row->message;
    bool colours = (shown->parts & SHOWN_STYLED) != 0 && terminal_colours(stdout);
    g_string_append(out, terminal_begin(colours, STYLE_STRONG));
    held_details_append_fact(out, "Held because", message->text != NULL ? message->text : message->rule);
    g_string_append(out, terminal_end(colours));
    g_autofree char *rule = g_strdup_printf("%s, line %u of policy %.*s", message->rule, message->line,
                                            POLICY_DIGEST_SHOWN, message->policy);
    held_details_append_fact(out, "Rule", rule);
    append_conditions(out, shown->why);
    append_state(out, shown);
    append_before(out, shown);
    g_string_append_c(out, '\n');
}

static const char *header_value(const struct message_reading *reading, const char *name)
{
    for (guint i = 0; reading != NULL && i < reading->headers->len; i++) {
        const struct reading_field *field = g_ptr_array_index(reading->headers, i);
        if (strcmp(field->name, name) == 0)
            return field->value;
    }
    return NULL;
}

static void append_sender(GString *out, const struct held_details *shown)
{
    const struct ledger_row *row = shown->item->row;
    g_autoptr(GString) text = g_string_new(facts_sender(shown->item));
    if (row != NULL && row->message.user != NULL)
        g_string_append_printf(text, ", login %s", row->message.user);
    if (row != NULL && row->message.client != NULL)
        g_string_append_printf(text, ", client %s", row->message.client);
    held_details_append_fact(out, "Sender", text->str);
}

/* The message's own words; what the ledger kept where it cannot be read. */
static void append_headers(GString *out, const struct held_details *shown)
{
    static const char *const more[] = {"Sender", "Reply-To", "Date", "List-Id", "User-Agent", "X-Mailer"};
    const struct ledger_row *row = shown->item->row;
    append_sender(out, shown);
    const char *from = header_value(shown->reading, "From");
    const char *subject = header_value(shown->reading, "Subject");
    if (from != NULL)
        held_details_append_fact(out, "From", from);
    if (subject == NULL && row != NULL)
        subject = row->message.subject;
    held_details_append_fact(out, "Subject", subject == NULL ? "-" : subject);
    for (size_t i = 0; (shown->parts & SHOWN_BRIEF) == 0 && i < G_N_ELEMENTS(more); i++) {
        const char *value = header_value(shown->reading, more[i]);
        if (value != NULL)
            held_details_append_fact(out, i == 0 ? "Sender field" : more[i], value);
    }
    if ((shown->parts & SHOWN_BRIEF) != 0)
        return;
    const char *id = header_value(shown->reading, "Message-ID");
    if (id != NULL || (row != NULL && row->message.message_id != NULL))
        held_details_append_fact(out, "Message-ID", id != NULL ? id : row->message.message_id);
}

void held_details_append_heading(GString *out, const struct held_details *shown)
{
    static const char *const fields[] = {"From", "Sender", "Reply-To", "Date", "Subject"};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *value = header_value(shown->reading, fields[i]);
        if (value != NULL)
            held_details_append_fact(out, strcmp(fields[i], "Sender") == 0 ? "Sender field" : fields[i], value);
    }
}

/* What it shows beside its recipient headers, each kind of part on a line. */
static void append_inside(GString *out, const struct inside_counts *counts)
{
    g_autofree char *inside = hold_inside(counts, "\n"), *opaque = hold_opaque(counts);
    g_auto(GStrv) lines = inside == NULL ? NULL : g_strsplit(inside, "\n", -1);
    for (unsigned i = 0; lines != NULL && lines[i] != NULL; i++)
        held_details_append_fact(out, i == 0 ? "Inside" : "", lines[i]);
    if (opaque != NULL)
        held_details_append_fact(out, "Opaque", opaque);
}

static void append_counts(GString *out, const struct held_details *shown)
{
    const struct ledger_row *row = shown->item->row;
    g_autoptr(GString) text = g_string_new(NULL);
    if (row != NULL) {
        const struct ledger_message *message = &row->message;
        g_autofree char *parties = facts_count(message->counts.parties, "party", "parties");
        g_autofree char *domains = facts_count(message->counts.domains, "domain", "domains");
        g_string_printf(text, "%u outside of %s in %s, %u inside; Bcc: %u", message->counts.visible, parties, domains,
                        message->counts.internal, message->counts.hidden);
        held_details_append_fact(out, "Recipients", text->str);
    } else if (shown->item->entry != NULL) {
        g_string_printf(text, "%u in the envelope", shown->item->entry->recipients);
        held_details_append_fact(out, "Recipients", text->str);
    }
    if (row != NULL && row->message.counts.defects != 0) {
        g_string_truncate(text, 0);
        for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1) {
            if ((row->message.counts.defects & bit) != 0)
                g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", defect_name((enum defect)bit));
        }
        held_details_append_fact(out, "Defects", text->str);
    }
    g_string_truncate(text, 0);
    for (guint i = 0; shown->reading != NULL && i < shown->reading->addressed->len; i++) {
        const struct reading_field *field = g_ptr_array_index(shown->reading->addressed, i);
        g_string_append_printf(text, "%s%s: %s", i > 0 ? ", " : "", field->name, field->value);
    }
    if (text->len > 0)
        held_details_append_fact(out, "  stand in", text->str);
}

static char *party_text(const struct ledger_party *party)
{
    if (party->name == NULL) {
        g_autofree char *count = facts_count(party->parties, "party", "parties");
        return g_strdup_printf("%s more of %s", count, party->class_name);
    }
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
static void append_largest(GString *out, const struct held_details *shown, guint most)
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

static void append_parties(GString *out, const struct held_details *shown)
{
    guint count = shown->parties == NULL ? 0 : shown->parties->len;
    guint most = MIN(count, PARTIES_SHOWN);
    bool all = (shown->parts & SHOWN_PARTIES) != 0;
    for (guint i = 0; all && i < count; i++)
        append_party_line(out, g_ptr_array_index(shown->parties, i), i == 0 ? "Parties" : "");
    if (all)
        return;
    append_largest(out, shown, most);
    if (most < count) {
        begin_label(out, "");
        g_string_append_printf(out, "... and %u more%s\n", count - most,
                               (shown->parts & SHOWN_BRIEF) != 0 ? "" : ": show --parties");
    }
}

void held_details_append_recipients(GString *out, const struct held_details *shown)
{
    const struct message_reading *reading = shown->reading;
    if (reading == NULL)
        return;
    for (guint i = 0; i < reading->visible->len; i++) {
        const struct reading_field *field = g_ptr_array_index(reading->visible, i);
        begin_label(out, field->name);
        terminal_append_plain(out, field->value);
        if (field->display != NULL) {
            g_string_append(out, "  \"");
            terminal_append_plain(out, field->display);
            g_string_append_c(out, '"');
        }
        g_string_append_c(out, '\n');
    }
    for (guint i = 0; i < reading->hidden->len; i++) {
        begin_label(out, "hidden (Bcc)");
        terminal_append_plain(out, g_ptr_array_index(reading->hidden, i));
        g_string_append_c(out, '\n');
    }
    if (reading->cut)
        held_details_append_fact(out, "", "there are more than are read");
}

/* Of a fleet: where it is, and what that node still has to do. */
static void append_node(GString *out, const struct held_details *shown)
{
    const struct fleet_peer *peer = shown->tool->peer;
    const struct ledger_row *row = shown->item->row;
    const struct fleet_pending *pending = peer == NULL || row == NULL ? NULL : fleet_peer_pending(peer, row->id);
    if (peer == NULL)
        return;
    g_autofree char *age = selection_age(peer->age);
    g_autoptr(GString) text = g_string_new(peer->name);
    if (peer->away)
        g_string_append_printf(text, ", away: last seen %s ago, and what is shown is from then", age);
    held_details_append_fact(out, "Node", text->str);
    if (pending == NULL)
        return;
    g_autofree char *time = tool_time_text(pending->at);
    g_string_printf(text, "%s by %s%s%s, %s: waits for the node", ledger_action_name(pending->action), pending->who,
                    pending->vouched_by == NULL ? "" : " by node ",
                    pending->vouched_by == NULL ? "" : pending->vouched_by, time);
    held_details_append_fact(out, "Waits", text->str);
}

/* What the time decides. */
static void append_times(GString *out, const struct held_details *shown)
{
    const struct ledger_row *row = shown->item->row;
    const struct held_times times = facts_times(shown->tool, row);
    g_autoptr(GString) text = g_string_new(NULL);
    if (times.due != 0) {
        g_autofree char *time = tool_time_text(times.due);
        g_string_printf(text, "released by itself on %s, unless somebody returns or deletes it", time);
        held_details_append_fact(out, "Delay", text->str);
    } else if (row->stopped != NULL) {
        g_string_printf(text, "ended by the rule %s: a reviewer has to decide", row->stopped);
        held_details_append_fact(out, "Delay", text->str);
    }
    if (times.expires == 0)
        return;
    g_autofree char *time = tool_time_text(times.expires);
    g_string_printf(text, "%s if nobody decides, on %s or later",
                    times.expiry == LEDGER_DELETE ? "deleted" : "returned to its sender", time);
    held_details_append_fact(out, "Expires", text->str);
}

static void append_decision(GString *out, const struct held_details *shown)
{
    const struct ledger_row *row = shown->item->row;
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned needed = tool_approvals_needed(shown->tool, row);
    if (needed > 1 || shown->approvals->len > 0) {
        g_string_printf(text, "%u of %u", row->granted, needed);
        for (guint i = 0; i < shown->approvals->len; i++)
            g_string_append_printf(text, "%s%s", i == 0 ? ": " : ", ",
                                   (const char *)g_ptr_array_index(shown->approvals, i));
        held_details_append_fact(out, "Approvals", text->str);
    }
    if (row->way != LEDGER_BY_NOBODY || row->who != NULL) {
        g_autofree char *time = tool_time_text(row->changed);
        g_string_printf(text, "%s by %s, %s", ledger_state_name(row->state), decision_who(row), time);
        held_details_append_fact(out, "Decision", text->str);
        held_details_append_fact(out, "Reason", row->reason == NULL ? "-" : row->reason);
    }
    if (row->requeued != NULL)
        held_details_append_fact(out, "New queue id", row->requeued);
    if (row->former != NULL)
        held_details_append_fact(out, "Old queue id", row->former);
}

void held_details_append(GString *out, const struct held_details *shown)
{
    held_details_append_title(out, shown);
    if (shown->item->row != NULL)
        append_why(out, shown);
    append_headers(out, shown);
    append_counts(out, shown);
    if (shown->item->row != NULL)
        append_inside(out, &shown->item->row->message.inside);
    append_parties(out, shown);
    append_node(out, shown);
    if (shown->item->row != NULL) {
        append_times(out, shown);
        append_decision(out, shown);
    }
    if (shown->unread != NULL)
        held_details_append_fact(out, "Not read", shown->unread);
    if ((shown->parts & SHOWN_RECIPIENTS) == 0)
        return;
    g_string_append_c(out, '\n');
    held_details_append_recipients(out, shown);
}

/* ---- the message itself */

/* A NUL would hide what is after it. */
static void take_text(void *data, const char *piece, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (piece[i] == '\0')
            g_string_append(data, "\357\277\275"); /* U+FFFD */
        else
            g_string_append_c((GString *)data, piece[i]);
    }
}

enum queue_answer held_details_message(const struct held_details *shown, GString *message, char **error)
{
    if (shown->item->entry == NULL)
        return QUEUE_ABSENT;
    *error = tool_elsewhere(shown->tool, shown->item->entry->id, "--message");
    if (*error != NULL)
        return QUEUE_FAILED;
    return queue_raw(shown->tool->queue, shown->item->entry, true, take_text, message, error);
}

/* A line at a time, so that it keeps its lines and nothing else that a terminal would act on. */
void held_details_append_message(GString *out, const GString *message)
{
    g_auto(GStrv) lines = g_strsplit(message->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_strdelimit(g_strchomp(*line), "\t", ' ');
        terminal_append_plain(out, *line);
        g_string_append_c(out, '\n');
    }
}

/* ---- who looks */

static void log_look(const struct tool *tool, const struct queue_entry *entry, unsigned look)
{
    const struct report_decision report = {
        .queue_id = entry->id,
        .action = "look",
        .login = tool->reviewer->login,
        .uid = tool->reviewer->uid,
        .sender = entry->sender,
        .reason = ledger_look_name(look),
    };
    struct entry line;
    report_decision_entry(&line, &report);
    log_entry(&line);
}

/* The history has no place for what the ledger does not know. */
static void log_looks(const struct tool *tool, const struct queue_entry *entry, unsigned looks)
{
    if ((looks & LEDGER_LOOK_RECIPIENTS) != 0)
        log_look(tool, entry, LEDGER_LOOK_RECIPIENTS);
    if ((looks & LEDGER_LOOK_MESSAGE) != 0)
        log_look(tool, entry, LEDGER_LOOK_MESSAGE);
}

int held_details_look(const struct held_details *shown, unsigned looks, struct database_error *error)
{
    const struct tool *tool = shown->tool;
    const struct view_item *item = shown->item;
    const struct ledger_person person = {tool->reviewer->login, tool->reviewer->uid};
    if (looks == 0)
        return 0;
    if (item->row == NULL) {
        log_looks(tool, item->entry, looks);
        return 0;
    }
    const struct ledger_act act = {.id = item->row->id, .now = tool_now(), .person = &person, .way = LEDGER_BY_COMMAND};
    return ledger_look(tool->ledger, &act, looks, error);
}
