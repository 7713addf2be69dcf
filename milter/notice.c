/* notice - see notice.h */

#include "notice.h"

#include <gmime/gmime.h>
#include <string.h>

#define SUBJECT "Subject: "

const char notice_returned[] = "Subject: Not sent: {subject}\n"
                               "\n"
                               "Your message was held before it was sent, and a reviewer has returned it to\n"
                               "you. Nobody has received it.\n"
                               "\n"
                               "    Subject:   {subject}\n"
                               "    Sent:      {date}\n"
                               "    Held as:   {text}\n"
                               "    Reviewer:  {reason}\n"
                               "\n"
                               "Everybody who got it would have seen the others: {visible} addresses outside,\n"
                               "of {parties} different organisations or people.\n"
                               "\n"
                               "To send it so that nobody sees the others, put your own address in To, all the\n"
                               "recipients in Bcc (blind copy), and nobody in Cc.\n"
                               "\n"
                               "The message itself comes back to you in a mail of its own, which says that it\n"
                               "has expired. It has not been delivered to anybody.\n";

/* ---- the template */

static const char *const variables[] = {"sender",  "subject", "date",     "rule",   "text",
                                        "visible", "parties", "queue-id", "reason", NULL};

/* A value on one line: what a stranger wrote makes no new lines and no headers. */
static char *one_line(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(out, g_unichar_isprint(c) && g_unichar_type(c) != G_UNICODE_FORMAT ? c : ' ');
    }
    return g_string_free(out, FALSE);
}

static char *date_of(gint64 microseconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(microseconds / G_USEC_PER_SEC);
    return time == NULL ? g_strdup("") : g_date_time_format(time, "%Y-%m-%d %H:%M UTC");
}

/* NULL: there is no such variable. */
static char *value_of(const struct notice_facts *facts, const char *name)
{
    const struct ledger_message *message = facts->message;
    if (strcmp(name, "sender") == 0)
        return one_line(message->sender);
    if (strcmp(name, "subject") == 0)
        return one_line(message->subject != NULL ? message->subject : "(not kept)");
    if (strcmp(name, "date") == 0)
        return date_of(message->judged);
    if (strcmp(name, "rule") == 0)
        return one_line(message->rule);
    if (strcmp(name, "text") == 0)
        return one_line(message->text != NULL ? message->text : message->rule);
    if (strcmp(name, "visible") == 0)
        return g_strdup_printf("%u", message->visible);
    if (strcmp(name, "parties") == 0)
        return g_strdup_printf("%u", message->parties);
    if (strcmp(name, "queue-id") == 0)
        return one_line(message->queue_id);
    if (strcmp(name, "reason") == 0)
        return one_line(facts->reason != NULL ? facts->reason : "");
    return NULL;
}

/* The name between braces at `text`, or NULL if they do not close on this line. */
static char *variable_at(const char *text)
{
    size_t length = strcspn(text + 1, "}\n");
    return text[length + 1] == '}' ? g_strndup(text + 1, length) : NULL;
}

char *notice_check(const char *template)
{
    const char *end = strchr(template, '\n');
    if (!g_str_has_prefix(template, SUBJECT) || end == NULL || end[1] != '\n')
        return g_strdup("expected `Subject: ...` as the first line and an empty second one");
    for (const char *p = strchr(template, '{'); p != NULL; p = strchr(p, '{')) {
        if (p[1] == '{') {
            p += 2;
            continue;
        }
        g_autofree char *name = variable_at(p);
        if (name == NULL)
            return g_strdup("a `{` is not closed; a brace itself is `{{`");
        if (!g_strv_contains(variables, name)) {
            g_autofree char *known = g_strjoinv("}, {", (char **)variables);
            return g_strdup_printf("there is no {%s}; there are {%s}", name, known);
        }
        p++;
    }
    return NULL;
}

static char *fill(const char *template, size_t length, const struct notice_facts *facts)
{
    GString *out = g_string_new(NULL);
    for (const char *p = template; p < template + length; p++) {
        g_autofree char *name = *p == '{' ? variable_at(p) : NULL;
        g_autofree char *value = name == NULL ? NULL : value_of(facts, name);
        if (value != NULL) {
            g_string_append(out, value);
            p += strlen(name) + 1;
        } else {
            g_string_append_c(out, *p);
            p += p[0] == '{' && p[1] == '{';
        }
    }
    return g_string_free(out, FALSE);
}

/* ---- the message */

char *notice_compose(const char *template, const struct notice_facts *facts, const char *recipient)
{
    const char *end = strchr(template, '\n');
    g_autofree char *title =
        fill(template + sizeof SUBJECT - 1, (size_t)(end - template) - (sizeof SUBJECT - 1), facts);
    g_autofree char *encoded = g_mime_utils_header_encode_text(NULL, title, "UTF-8");
    g_autofree char *to = one_line(recipient);
    g_autofree char *body = fill(end + 2, strlen(end + 2), facts);
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "From: Mail review <postmaster>\nTo: <%s>\n" SUBJECT "%s\n", to, encoded);
    if (facts->message->message_id != NULL && facts->message->message_id[0] != '\0') {
        g_autofree char *id = one_line(facts->message->message_id);
        g_string_append_printf(out, "In-Reply-To: <%s>\n", id);
    }
    g_string_append(out, "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\nMIME-Version: 1.0\n"
                         "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n");
    g_string_append(out, body);
    return g_string_free(out, FALSE);
}
