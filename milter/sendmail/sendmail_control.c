/* sendmail_control - see sendmail_control.h */

#include "milter/sendmail/sendmail_control.h"

#include "policy/mailbox/mailbox_split.h"

#include <string.h>
#include <strings.h>

/* Sendmail's own marks: a macro by its name after it; a byte of the message that would be such a mark. */
#define MACRO 0x81
#define QUOTE 0xFF

/* One line, without its newline. */
struct control_line {
    const char *text;
    size_t length;
    size_t next; /* where the next one begins */
};

static bool next_line(const char *text, size_t length, size_t at, struct control_line *line)
{
    if (at >= length)
        return false;
    const char *end = memchr(text + at, '\n', length - at);
    line->text = text + at;
    line->length = end == NULL ? length - at : (size_t)(end - text) - at;
    line->next = at + line->length + (end != NULL);
    return true;
}

static void append_unquoted(GString *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] == QUOTE && i + 1 < length)
            i++;
        g_string_append_c(out, text[i]);
    }
}

/* `<a@x>` without its brackets. */
static char *bare_address(const char *text, size_t length)
{
    if (length >= 2 && text[0] == '<' && text[length - 1] == '>') {
        text++;
        length -= 2;
    }
    GString *address = g_string_new(NULL);
    append_unquoted(address, text, length);
    return g_string_free(address, FALSE);
}

static gint64 read_time(const char *text, size_t length)
{
    guint64 seconds;
    g_autofree char *digits = g_strndup(text, length);
    return g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT32 * 4ll, &seconds, NULL) ? (gint64)seconds : 0;
}

static bool is_header(const struct control_line *line)
{
    return line->length > 0 && (line->text[0] == 'H' || line->text[0] == ' ' || line->text[0] == '\t');
}

/* `RPFD:<a@x>`: flags up to the colon. */
static const char *recipient_of(const struct control_line *line, size_t *length)
{
    const char *colon = memchr(line->text, ':', line->length);
    const char *address = colon == NULL ? line->text + 1 : colon + 1;
    *length = (size_t)(line->text + line->length - address);
    return address;
}

void control_read(const char *text, size_t length, struct control *control)
{
    struct control_line line;
    *control = (struct control){.header = length};
    size_t at = 0;
    for (; next_line(text, length, at, &line) && !is_header(&line); at = line.next) {
        char kind = line.length == 0 ? '\0' : line.text[0];
        if (kind == 'T' && control->arrival == 0) {
            control->arrival = read_time(line.text + 1, line.length - 1);
            control->arrival_at = at + 1;
        } else if (kind == 'S' && control->sender == NULL) {
            control->sender = bare_address(line.text + 1, line.length - 1);
        } else if (kind == 'R') {
            control->recipients++;
        }
    }
    control->header = at;
    while (next_line(text, length, at, &line) && is_header(&line))
        at = line.next;
    control->header_length = at - control->header;
    if (control->sender == NULL)
        control->sender = g_strdup("");
}

void control_clear(struct control *control)
{
    g_clear_pointer(&control->sender, g_free);
}

/* ---- the header */

/* The first line of a field, `H?flags?Name: value`: its flags, and where its name begins. */
static const char *field_of(const struct control_line *line, const char **flags, size_t *flags_length)
{
    const char *end = line->text + line->length, *at = line->text + 1;
    *flags = at;
    *flags_length = 0;
    if (at == end || *at != '?')
        return at;
    const char *close = memchr(at + 1, '?', (size_t)(end - at) - 1);
    if (close == NULL)
        return at;
    *flags = at + 1;
    *flags_length = (size_t)(close - at) - 1;
    return close + 1;
}

static bool has_name(const char *field, const char *end, const char *name)
{
    size_t length = strlen(name);
    if ((size_t)(end - field) <= length || strncasecmp(field, name, length) != 0)
        return false;
    field += length;
    while (field < end && (*field == ' ' || *field == '\t'))
        field++;
    return field < end && *field == ':';
}

/* Return-Path has a macro for its value, and is written where mail ends. */
static bool is_for_mailboxes(const struct control_line *line, const char *flags, size_t flags_length)
{
    return memchr(flags, 'P', flags_length) != NULL && memchr(line->text, MACRO, line->length) != NULL;
}

static void append_fields(GString *out, const char *text, const struct control *control, bool delivered)
{
    struct control_line line;
    bool left_out = false;
    const size_t end = control->header + control->header_length;
    for (size_t at = control->header; next_line(text, end, at, &line); at = line.next) {
        const char *field = line.text, *flags = "";
        size_t flags_length = 0, begin = out->len;
        if (line.text[0] == 'H')
            field = field_of(&line, &flags, &flags_length);
        if (field == line.text + line.length) /* an empty line would end the header */
            continue;
        append_unquoted(out, field, line.length - (size_t)(field - line.text));
        const char *written = out->str + begin, *end_written = out->str + out->len;
        if (*written != ' ' && *written != '\t') /* else it is the field before, going on */
            left_out =
                is_for_mailboxes(&line, flags, flags_length) ||
                (delivered && (has_name(written, end_written, "Bcc") || has_name(written, end_written, "Resent-Bcc")));
        if (left_out)
            g_string_truncate(out, begin);
        else
            g_string_append_c(out, '\n');
    }
}

void control_append_header(GString *out, const char *text, const struct control *control)
{
    append_fields(out, text, control, true);
}

static void add_recipients(struct message *message, const char *text, size_t header)
{
    struct control_line line;
    for (size_t at = 0; next_line(text, header, at, &line); at = line.next) {
        if (line.length == 0 || line.text[0] != 'R')
            continue;
        size_t length;
        const char *recipient = recipient_of(&line, &length);
        g_autofree char *address = bare_address(recipient, length);
        message_add_recipient(message, address);
    }
}

struct message *control_message(const char *text, size_t length)
{
    struct control control;
    control_read(text, length, &control);
    g_autoptr(GString) header = g_string_new(NULL);
    append_fields(header, text, &control, false);
    struct message *message = mailcut_message(header->str, header->len);
    message->mta = MTA_SENDMAIL;
    message->bcc_visible = false; /* it takes Bcc out at delivery */
    message_set_sender(message, control.sender);
    add_recipients(message, text, control.header);
    control_clear(&control);
    return message;
}
