/* notice_template - see notice_template.h */

#include "milter/notify/notice_template.h"

#include "milter/notify/mail_compose.h"
#include "policy/base/braces.h"
#include "policy/base/source.h"
#include "policy/base/suggest.h"
#include "policy/base/time_text.h"

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
                               "{shown}\n"
                               "\n"
                               "To send it so that nobody sees the others, put your own address in To, all the\n"
                               "recipients in Bcc (blind copy), and nobody in Cc.\n"
                               "\n"
                               "The message itself comes back to you in a mail of its own, which says that it\n"
                               "has expired. It has not been delivered to anybody.\n";

#define EXPIRED                                                                                                        \
    "    Subject:   {subject}\n"                                                                                       \
    "    Sent:      {date}\n"                                                                                          \
    "    Held as:   {text}\n"                                                                                          \
    "\n"                                                                                                               \
    "{shown}\n"                                                                                                        \
    "\n"                                                                                                               \
    "To send it so that nobody sees the others, put your own address in To, all the\n"                                 \
    "recipients in Bcc (blind copy), and nobody in Cc.\n"

const char notice_expired[] = "Subject: Not sent: {subject}\n"
                              "\n"
                              "Your message was held before it was sent, and nobody released it in time.\n"
                              "Nobody has received it.\n"
                              "\n" EXPIRED "\n"
                              "The message itself comes back to you in a mail of its own, which says that it\n"
                              "has expired. It has not been delivered to anybody.\n";

const char notice_deleted[] = "Subject: Not sent: {subject}\n"
                              "\n"
                              "Your message was held before it was sent, and nobody released it in time. It\n"
                              "has been deleted. Nobody has received it.\n"
                              "\n" EXPIRED;

const char notice_delayed[] = "Subject: Not sent yet: {subject}\n"
                              "\n"
                              "Your mail is held, and is sent by itself after this time, unless somebody stops\n"
                              "it before:\n"
                              "\n"
                              "    {leaves}\n"
                              "\n"
                              "{list}\n"
                              "\n"
                              "    Held as:   {text}\n"
                              "\n"
                              "{shown}\n"
                              "\n"
                              "If you did not mean that, write to {contact} at once, and say that the mail is\n"
                              "to be returned. Do not send it again: it is not lost.\n"
                              "\n"
                              "This mail was written by a program. Its reference is {queue-id}.\n";

const char notice_stopped[] = "Subject: Not sent by itself: {subject}\n"
                              "\n"
                              "Your mail was to be sent by itself after some time. It is not: together with what\n"
                              "you sent shortly before or after it, it would show too many people outside to each\n"
                              "other. It stays on hold until a reviewer decides:\n"
                              "\n"
                              "{list}\n"
                              "\n"
                              "    Held as:   {text}\n"
                              "\n"
                              "If it is urgent, or you did not mean to send it, write to {contact}.\n"
                              "Do not send it again: it is not lost.\n"
                              "\n"
                              "This mail was written by a program. Its reference is {queue-id}.\n";

const char notice_cancelled[] = "Subject: Not sent: {subject}\n"
                                "\n"
                                "Your message was held before it was sent, and you had it returned. Nobody has\n"
                                "received it.\n"
                                "\n" EXPIRED "\n"
                                "The message itself comes back to you in a mail of its own, which says that it\n"
                                "has expired. It has not been delivered to anybody.\n";

const char notice_released[] = "Subject: Sent now: {subject}\n"
                               "\n"
                               "Your mail that was held has been released, and is on its way to\n"
                               "all its recipients. Do not send it again.\n"
                               "\n"
                               "{list}\n"
                               "\n"
                               "This mail was written by a program. Its reference is {queue-id}.\n";

/* ---- the values */

/* Those of a template in a file. */
static const char *const variables[] = {"sender",  "subject", "date",     "rule",    "text",     "shown", "visible",
                                        "parties", "domains", "queue-id", "contact", "messages", "list",  NULL};

static unsigned count_messages(const struct notice_facts *facts)
{
    return facts->rows == NULL ? 1 : facts->rows->len;
}

static char *subject_of(const struct ledger_message *message)
{
    return letter_line(message->subject != NULL ? message->subject : "(not kept)");
}

static void append_listed(GString *out, const struct ledger_message *message)
{
    g_autofree char *date = time_text_mail(message->judged);
    g_autofree char *id = letter_line(message->queue_id);
    g_autofree char *subject = subject_of(message);
    g_string_append_printf(out, "%s%s  %s  %s", out->len > 0 ? "\n" : "", date, id, subject);
}

/* A line for each message, without the last newline. */
static char *list_of(const struct notice_facts *facts)
{
    GString *out = g_string_new(NULL);
    unsigned count = count_messages(facts);
    for (unsigned i = 0; i < count && i < NOTICE_LIST_LIMIT; i++) {
        const struct ledger_row *row = facts->rows == NULL ? NULL : g_ptr_array_index((GPtrArray *)facts->rows, i);
        append_listed(out, row == NULL ? facts->message : &row->message);
    }
    if (count > NOTICE_LIST_LIMIT)
        g_string_append_printf(out, "\n... (%u)", count);
    return g_string_free(out, FALSE);
}

/* The variables that are text of the message; NULL: it is none of these. */
static char *text_of(const struct notice_facts *facts, const char *name)
{
    const struct ledger_message *message = facts->message;
    if (strcmp(name, "sender") == 0)
        return letter_line(message->sender);
    if (strcmp(name, "subject") == 0)
        return subject_of(message);
    if (strcmp(name, "date") == 0)
        return time_text_mail(message->judged);
    if (strcmp(name, "rule") == 0)
        return letter_line(message->rule);
    if (strcmp(name, "text") == 0)
        return letter_line(message->text != NULL ? message->text : message->rule);
    if (strcmp(name, "queue-id") == 0)
        return letter_line(message->queue_id);
    if (strcmp(name, "leaves") == 0)
        return time_text_mail(facts->leaves);
    if (strcmp(name, "shown") == 0)
        return letter_shown(&message->counts, &message->inside);
    if (strcmp(name, "reason") == 0)
        return letter_line(facts->reason != NULL ? facts->reason : "");
    if (strcmp(name, "contact") == 0)
        return letter_line(facts->contact != NULL ? facts->contact : "postmaster");
    return strcmp(name, "list") == 0 ? list_of(facts) : NULL;
}

/* NULL: there is no such variable. */
static char *value_of(const struct notice_facts *facts, const char *name)
{
    const struct {
        const char *name;
        unsigned number;
    } numbers[] = {{"visible", facts->message->counts.visible},
                   {"parties", facts->message->counts.parties},
                   {"domains", facts->message->counts.domains},
                   {"messages", count_messages(facts)}};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (strcmp(name, numbers[i].name) == 0)
            return g_strdup_printf("%u", numbers[i].number);
    }
    return text_of(facts, name);
}

/* ---- the template */

static void check_head(const struct source *source, struct diags *diags)
{
    const char *end = strchr(source->text, '\n');
    if (!g_str_has_prefix(source->text, SUBJECT))
        source_diag(source, 0, diags, DIAG_ERROR, "expected `Subject: ...` as the first line");
    else if (end == NULL || end[1] != '\n')
        source_diag(source, end == NULL ? source->length : (size_t)(end - source->text) + 1, diags, DIAG_ERROR,
                    "expected an empty line between the subject and the text");
}

static void check_variable(const struct source *source, const struct brace_piece *piece, struct diags *diags)
{
    size_t offset = (size_t)(piece->from - source->text) - 1;
    g_autofree char *name = g_strndup(piece->from, piece->length);
    if (g_strv_contains(variables, name))
        return;
    const char *near = diag_nearest(name, variables);
    g_autofree char *known = g_strjoinv("}, {", (char **)variables);
    if (near != NULL)
        source_diag(source, offset, diags, DIAG_ERROR, "there is no {%s}; did you mean {%s}?", name, near);
    else
        source_diag(source, offset, diags, DIAG_ERROR, "there is no {%s}; expected one of {%s}", name, known);
}

static char *read_template(const struct source *source, struct diags *diags)
{
    unsigned before = diags_errors(diags);
    struct brace_piece piece;
    check_head(source, diags);
    for (const char *rest = source->text; (piece = braces_next(&rest)).kind != BRACE_END;) {
        if (piece.kind == BRACE_VARIABLE)
            check_variable(source, &piece, diags);
        else if (piece.kind == BRACE_OPEN)
            source_diag(source, (size_t)(piece.from - source->text), diags, DIAG_ERROR,
                        "this `{` is not closed; a brace itself is `{{`");
    }
    return diags_errors(diags) == before ? g_strdup(source->text) : NULL;
}

char *notice_load(const char *path, struct diags *diags)
{
    auto_free(source) source = source_read(path, "the template of a notice", NOTICE_SIZE_LIMIT, diags);
    return source == NULL ? NULL : read_template(source, diags);
}

char *notice_parse(const char *path, const char *text, size_t length, struct diags *diags)
{
    auto_free(source) source = source_from_memory(path, text, length, diags);
    return source == NULL ? NULL : read_template(source, diags);
}

static char *fill(const char *template, const struct notice_facts *facts, bool *listed)
{
    GString *out = g_string_new(NULL);
    struct brace_piece piece;
    for (const char *rest = template; (piece = braces_next(&rest)).kind != BRACE_END;) {
        g_autofree char *name = piece.kind == BRACE_VARIABLE ? g_strndup(piece.from, piece.length) : NULL;
        g_autofree char *value = name == NULL ? NULL : value_of(facts, name);
        if (value != NULL)
            g_string_append(out, value);
        else
            g_string_append_len(out, piece.from, (gssize)piece.length);
        *listed = *listed || g_strcmp0(name, "list") == 0;
    }
    return g_string_free(out, FALSE);
}

/* ---- the message */

char *notice_compose(const char *template, const struct notice_facts *facts, const char *recipient)
{
    const size_t skip = sizeof SUBJECT - 1;
    const char *end = strchr(template, '\n');
    bool listed = false;
    g_autofree char *head = g_strndup(template + skip, (size_t)(end - template) - skip);
    g_autofree char *title = fill(head, facts, &listed);
    g_autofree char *text = fill(end + 2, facts, &listed);
    g_autofree char *list = list_of(facts);
    bool whole = listed || count_messages(facts) == 1;
    const char *answers = facts->answers == NULL ? "" : facts->answers;
    g_autofree char *body =
        whole ? g_strconcat(text, answers, NULL) : g_strdup_printf("%s\n%s\n%s", text, list, answers);
    g_autofree char *to = g_strdup_printf("<%s>", recipient);
    const struct letter letter = {
        .to = to, .subject = title, .answers = facts->message->message_id, .reply = true, .body = body};
    return letter_compose(&letter);
}
