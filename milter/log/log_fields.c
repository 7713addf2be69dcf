/* log_fields - see log_fields.h */

#include "milter/log/log_fields.h"

#include "policy/engine/policy.h"
#include "policy/exposure/exposure.h"
#include "policy/message/message_id.h"

#include <string.h>
#include <syslog.h>

/*
 * The longest each value may be.  With the longest numbers and the names of all
 * fields this leaves the text some 50 bytes at the least.
 */
enum {
    REQUEUED_LIMIT = 32,
    RULE_LIMIT = 48,
    WOULD_LIMIT = 160,
    CLIENT_LIMIT = 46,
    USER_LIMIT = 64,
    SENDER_LIMIT = 180,
    MSGID_LIMIT = 110,
    DEFECTS_LIMIT = 80,
    WITHIN_LIMIT = 80,
    INSIDE_LIMIT = 120,
    OPAQUE_LIMIT = 40,
};

/* What the state said: of a policy that asks nothing of it there is nothing to say. */
static void fill_state(struct report *report, const struct verdict_state *state)
{
    guint count = state->windows == NULL ? 0 : state->windows->len;
    report->known = state->known == KNOWN_NOT_ASKED ? NULL : state->known == KNOWN_YES ? "yes" : "no";
    report->window_count = MIN(count, REPORT_WINDOWS);
    for (unsigned i = 0; i < report->window_count; i++) {
        const struct verdict_window *window = &g_array_index(state->windows, struct verdict_window, i);
        char *text = report->windows[i];
        if (!window->known)
            g_snprintf(text, REPORT_WINDOW_SIZE, "%.*s:away", RULE_LIMIT, window->rule);
        else if (window->value == STATE_WINDOW_MANY)
            g_snprintf(text, REPORT_WINDOW_SIZE, "%.*s:many", RULE_LIMIT, window->rule);
        else
            g_snprintf(text, REPORT_WINDOW_SIZE, "%.*s:%u", RULE_LIMIT, window->rule, window->value);
        report->window_names[i] = text;
    }
}

/* What the message shows beside its recipient headers, if a rule asked. */
static void fill_inside(struct report *report, const struct inside_counts *counts)
{
    report->shows = counts->asked != INSIDE_NOT_ASKED;
    if (counts->asked == INSIDE_AWAY)
        report->inside_names[report->inside_count++] = "away";
    for (unsigned i = 0; i < INSIDE_PLACES; i++) {
        if (counts->places[i].people == 0)
            continue;
        char *item = report->inside_items[report->inside_count];
        inside_item(counts, i, item);
        report->inside_names[report->inside_count++] = item;
    }
    for (unsigned bit = 1; bit <= OPAQUE_KIND_LAST; bit <<= 1) {
        if ((counts->opaque & bit) != 0)
            report->opaque_names[report->opaque_count++] = opaque_kind_name((enum opaque_kind)bit);
    }
}

void report_fill(struct report *report, const struct message *message, const struct verdict *verdict,
                 const char *digest)
{
    const struct header *msgid = message_find_header(message, "Message-ID");
    *report = (struct report){
        .queue_id = message->queue_id,
        .disposition = verdict->disposition,
        .rule = verdict->rule,
        .would = verdict->would,
        .policy = digest,
        .client = message->client,
        .user = message->user,
        .sender = message->sender,
        .msgid = msgid == NULL ? NULL : msgid->value,
        .text = verdict->text,
        .counts = exposure_counts(verdict->exposure),
    };
    report->overridden = verdict->override.skipped;
    fill_state(report, &verdict->state);
    fill_inside(report, &verdict->body.counts);
}

static void add_word(struct entry *entry, const char *name, const char *value, size_t limit)
{
    entry_value(entry, name, value, value == NULL ? 0 : strlen(value), limit);
}

static void add_msgid(struct entry *entry, const char *name, const char *value)
{
    size_t length;
    const char *id = message_id_find(value, &length);
    entry_value(entry, name, id, length, MSGID_LIMIT);
}

static void add_defects(struct entry *entry, const char *name, struct report *report)
{
    static const enum defect all[] = {DEFECT_SYNTAX, DEFECT_LIMIT, DEFECT_UNPARSED, DEFECT_CUT};
    G_STATIC_ASSERT(G_N_ELEMENTS(all) == REPORT_DEFECTS);
    unsigned count = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        if ((report->counts.defects & (unsigned)all[i]) != 0)
            report->defect_names[count++] = defect_name(all[i]);
    }
    entry_list(entry, name, report->defect_names, count, DEFECTS_LIMIT, "none");
}

/* A fault and an error have a rule of their own, whatever they do to the message. */
static enum entry_kind kind_of(const char *rule)
{
    if (rule != NULL && g_str_has_prefix(rule, "fault:"))
        return ENTRY_FAULT;
    return rule != NULL && g_str_has_prefix(rule, "error:") ? ENTRY_ERROR : ENTRY_VERDICT;
}

void report_entry(struct entry *entry, struct report *report)
{
    const char *verdict = disposition_name(report->disposition);
    const GPtrArray *would = report->would;
    *entry =
        (struct entry){.kind = kind_of(report->rule), .queue_id = report->queue_id == NULL ? "" : report->queue_id};
    entry->priority = entry->kind == ENTRY_ERROR ? LOG_ERR : LOG_INFO;
    entry_plain(entry, "verdict", verdict, strlen(verdict));
    add_word(entry, "rule", report->rule, RULE_LIMIT);
    entry_list(entry, "would", would == NULL ? NULL : (const char *const *)would->pdata, would == NULL ? 0 : would->len,
               WOULD_LIMIT, "-");
    entry_number(entry, "visible", report->counts.visible);
    entry_number(entry, "parties", report->counts.parties);
    entry_number(entry, "domains", report->counts.domains);
    entry_number(entry, "internal", report->counts.internal);
    entry_number(entry, "hidden", report->counts.hidden);
    add_defects(entry, "defects", report);
    entry_plain(entry, "policy", report->policy, strnlen(report->policy, POLICY_DIGEST_SHOWN));
    add_word(entry, "client", report->client, CLIENT_LIMIT);
    add_word(entry, "user", report->user, USER_LIMIT);
    add_word(entry, "sender", report->sender, SENDER_LIMIT);
    add_msgid(entry, "msgid", report->msgid);
    entry_text(entry, "text", report->text);
    if (report->window_count > 0)
        entry_list(entry, "within", report->window_names, report->window_count, WITHIN_LIMIT, "-");
    if (report->known != NULL)
        add_word(entry, "known", report->known, RULE_LIMIT);
    if (report->overridden)
        add_word(entry, "override", "yes", RULE_LIMIT);
    if (report->shows)
        entry_list(entry, "inside", report->inside_names, report->inside_count, INSIDE_LIMIT, "none");
    if (report->opaque_count > 0)
        entry_list(entry, "opaque", report->opaque_names, report->opaque_count, OPAQUE_LIMIT, "none");
}

void report_decision_entry(struct entry *entry, const struct report_decision *decision)
{
    *entry = (struct entry){.kind = ENTRY_DECISION,
                            .priority = LOG_NOTICE,
                            .queue_id = decision->queue_id == NULL ? "" : decision->queue_id};
    add_word(entry, "decision", decision->action, RULE_LIMIT);
    add_word(entry, "by", decision->login, USER_LIMIT);
    entry_number(entry, "uid", decision->uid);
    add_word(entry, "requeued", decision->requeued, REQUEUED_LIMIT);
    add_word(entry, "rule", decision->rule, RULE_LIMIT);
    add_word(entry, "sender", decision->sender, SENDER_LIMIT);
    add_msgid(entry, "msgid", decision->msgid);
    entry_text(entry, "reason", decision->reason);
    if (decision->way != NULL)
        add_word(entry, "way", decision->way, RULE_LIMIT);
    if (decision->node != NULL)
        add_word(entry, "node", decision->node, RULE_LIMIT);
}
