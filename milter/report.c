/* report - see report.h */

#include "report.h"

#include "exposure.h"
#include "policy.h"
#include "text.h"

#include <string.h>

/*
 * The longest each value may be.  With the longest numbers and the names of all
 * fields this leaves the text some 50 bytes at the least.
 */
enum {
    QUEUE_ID_LIMIT = 32,
    RULE_LIMIT = 48,
    WOULD_LIMIT = 160,
    CLIENT_LIMIT = 46,
    USER_LIMIT = 64,
    SENDER_LIMIT = 180,
    MSGID_LIMIT = 110,
};

/* What stands for the rest of a list that was cut. */
#define CUT        "..."
#define CUT_LENGTH (sizeof CUT - 1)

static void append_field(GString *line, const char *name, const char *value, size_t limit)
{
    g_string_append(line, name);
    text_append_value(line, value, value == NULL ? 0 : strlen(value), limit, false);
}

static void append_number(GString *line, const char *name, unsigned value)
{
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    g_string_append(line, name);
    g_string_append_len(line, digits + at, (gssize)(sizeof digits - at));
}

/* A list with commas; an item that does not fit is left out, with all behind it. */
static void append_would(GString *line, const GPtrArray *would)
{
    g_string_append(line, " would=");
    if (would == NULL || would->len == 0) {
        g_string_append_c(line, '-');
        return;
    }
    size_t start = line->len;
    for (guint i = 0; i < would->len; i++) {
        size_t before = line->len;
        const char *item = g_ptr_array_index((GPtrArray *)would, i);
        if (i > 0)
            g_string_append_c(line, ',');
        text_append_escaped(line, item, strlen(item), WOULD_LIMIT, false);
        size_t room = WOULD_LIMIT - (i + 1 < would->len ? CUT_LENGTH + 1 : 0);
        if (line->len - start > room) {
            g_string_truncate(line, before);
            g_string_append(line, before > start ? "," CUT : CUT);
            return;
        }
    }
}

static void append_defects(GString *line, unsigned defects)
{
    static const enum defect all[] = {DEFECT_SYNTAX, DEFECT_LIMIT, DEFECT_UNPARSED, DEFECT_CUT};
    g_string_append(line, " defects=");
    bool first = true;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        if ((defects & (unsigned)all[i]) == 0)
            continue;
        if (!first)
            g_string_append_c(line, ',');
        g_string_append(line, defect_name(all[i]));
        first = false;
    }
    if (first)
        g_string_append(line, "none");
}

const char *report_message_id(const char *value, size_t *length_found)
{
    const char *start = value == NULL ? "" : value;
    start += strspn(start, " \t\r\n");
    size_t length = strlen(start);
    const char *open = strchr(start, '<');
    const char *close = open == NULL ? NULL : strchr(open, '>');
    if (close != NULL) {
        start = open + 1;
        length = (size_t)(close - start);
    }
    while (length > 0 && g_ascii_isspace(start[length - 1]))
        length--;
    *length_found = length;
    return start;
}

static void append_msgid(GString *line, const char *value)
{
    size_t length;
    const char *id = report_message_id(value, &length);
    g_string_append(line, " msgid=");
    text_append_value(line, id, length, MSGID_LIMIT, false);
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
    };
    const struct exposure *exposure = verdict->exposure;
    if (exposure == NULL) /* a fault before anything was counted */
        return;
    report->visible = exposure_count(exposure, COUNT_VISIBLE, CLASS_EXTERNAL);
    report->parties = exposure_count(exposure, COUNT_PARTIES, CLASS_EXTERNAL);
    report->domains = exposure_count(exposure, COUNT_DOMAINS, CLASS_EXTERNAL);
    report->internal = exposure_count(exposure, COUNT_VISIBLE, (class_mask)1 << CLASS_INTERNAL);
    report->hidden = exposure_count(exposure, COUNT_HIDDEN, CLASS_ALL);
    report->defects = exposure_defects(exposure);
}

static void append_queue_id(GString *line, const char *value)
{
    const char *queue_id = value == NULL || value[0] == '\0' ? "NOQUEUE" : value;
    text_append_escaped(line, queue_id, strlen(queue_id), QUEUE_ID_LIMIT, false);
    g_string_append_c(line, ':');
}

/* The last field, in quotes, within what is left of the line. */
static void append_text(GString *line, const char *name, const char *value, size_t room)
{
    const char *text = value == NULL ? "" : value;
    g_string_append(line, name);
    text_append_value(line, text, strlen(text), room - strlen(name) - 1, true);
    g_string_append_c(line, '"');
}

void report_line(GString *line, const struct report *report)
{
    size_t start = line->len;
    append_queue_id(line, report->queue_id);
    g_string_append(line, " verdict=");
    g_string_append(line, disposition_name(report->disposition));
    append_field(line, " rule=", report->rule, RULE_LIMIT);
    append_would(line, report->would);
    append_number(line, " visible=", report->visible);
    append_number(line, " parties=", report->parties);
    append_number(line, " domains=", report->domains);
    append_number(line, " internal=", report->internal);
    append_number(line, " hidden=", report->hidden);
    append_defects(line, report->defects);
    g_string_append(line, " policy=");
    g_string_append_len(line, report->policy, (gssize)strnlen(report->policy, POLICY_DIGEST_SHOWN));
    append_field(line, " client=", report->client, CLIENT_LIMIT);
    append_field(line, " user=", report->user, USER_LIMIT);
    append_field(line, " sender=", report->sender, SENDER_LIMIT);
    append_msgid(line, report->msgid);
    append_text(line, " text=\"", report->text, REPORT_LINE_LIMIT - (line->len - start));
}

void report_decision_line(GString *line, const struct report_decision *decision)
{
    size_t start = line->len;
    append_queue_id(line, decision->queue_id);
    append_field(line, " decision=", decision->action, RULE_LIMIT);
    append_field(line, " by=", decision->login, USER_LIMIT);
    append_number(line, " uid=", decision->uid);
    append_field(line, " requeued=", decision->requeued, QUEUE_ID_LIMIT);
    append_field(line, " rule=", decision->rule, RULE_LIMIT);
    append_field(line, " sender=", decision->sender, SENDER_LIMIT);
    append_msgid(line, decision->msgid);
    append_text(line, " reason=\"", decision->reason, REPORT_LINE_LIMIT - (line->len - start));
}

void report_reply(GString *reply, const char *text)
{
    g_autofree char *wire = text_reply(text);
    size_t start = reply->len;
    for (const char *byte = wire; *byte != '\0'; byte++) {
        size_t length = *byte == '%' ? 2 : 1;
        if (reply->len - start + length > REPORT_REPLY_LIMIT)
            return;
        g_string_append_len(reply, *byte == '%' ? "%%" : byte, (gssize)length);
    }
}

void report_reason(GString *reason, const char *rule, const char *text)
{
    size_t start = reason->len;
    g_string_append(reason, rule);
    if (text != NULL && text[0] != '\0') {
        g_autofree char *plainer = g_utf8_make_valid(text, -1);
        g_autofree char *ascii = g_str_to_ascii(plainer, "C");
        g_string_append_printf(reason, ": %s", ascii);
    }
    if (reason->len - start > REPORT_REASON_LIMIT)
        g_string_truncate(reason, start + REPORT_REASON_LIMIT);
    for (char *byte = reason->str + start; *byte != '\0'; byte++) {
        if (*byte < ' ' || *byte > '~')
            *byte = '?';
    }
}
