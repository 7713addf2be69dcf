/* fuzz-control - a control file of Sendmail's queue; the input is the file. */

#include "fuzz.h"

#include "milter/sendmail/sendmail_control.h"

#include "policy/mailbox/mailbox_split.h"

#include <string.h>
#include <strings.h>

const char fuzz_target[] = "control";

static unsigned count_lines(const char *text, size_t length, char first)
{
    unsigned count = 0;

    for (size_t i = 0; i < length; i++)
        count += text[i] == first && (i == 0 || text[i - 1] == '\n');
    return count;
}

static void check_control(const struct control *control, const char *text, size_t length)
{
    fuzz_check(control->header <= length && control->header_length <= length - control->header,
               "a header of %zu bytes at %zu of %zu", control->header_length, control->header, length);
    fuzz_check(control->header == length || strchr("H \t", text[control->header]) != NULL,
               "the header begins with another line");
    fuzz_check(control->header == 0 || text[control->header - 1] == '\n' || control->header == length,
               "the header begins within a line");
    fuzz_check(control->sender != NULL && strlen(control->sender) <= length, "a sender that is not there");
    fuzz_check(control->recipients == count_lines(text, control->header, 'R'), "%u recipients", control->recipients);
    fuzz_check(control->arrival >= 0, "it arrived at %" G_GINT64_FORMAT, control->arrival);
    if (control->arrival > 0) {
        fuzz_check(control->arrival_at < control->header && text[control->arrival_at - 1] == 'T', "no T line");
        fuzz_check(g_ascii_strtoll(text + control->arrival_at, NULL, 10) == control->arrival, "another time");
    }
}

static bool is_bcc(const char *name)
{
    return g_ascii_strcasecmp(name, "Bcc") == 0 || g_ascii_strcasecmp(name, "Resent-Bcc") == 0;
}

/* What is delivered is what is judged, but for Bcc. */
static void check_delivered(const struct message *message, const char *text, const struct control *control)
{
    g_autoptr(GString) header = g_string_new(NULL);
    unsigned at = 0;

    control_append_header(header, text, control);
    fuzz_check(header->len <= control->header_length + 1, "%zu bytes of %zu", header->len, control->header_length);
    fuzz_check(header->len == 0 || header->str[header->len - 1] == '\n', "a line without an end");
    for (const char *from = header->str; (from = memchr(from, 'F', header->len - (size_t)(from - header->str))); from++)
        if (g_str_has_prefix(from, "From ")) /* no field, and to the reader of files a line of an mbox */
            return;
    auto_free(message) delivered = mailcut_message(header->str, header->len);
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *judged = g_ptr_array_index(message->headers, i);
        if (is_bcc(judged->name))
            continue;
        fuzz_check(at < delivered->headers->len, "the field `%s` is not delivered", judged->name);
        const struct header *found = g_ptr_array_index(delivered->headers, at++);
        fuzz_check(strcmp(found->name, judged->name) == 0 && strcmp(found->value, judged->value) == 0,
                   "`%s: %s` is delivered as `%s: %s`", judged->name, judged->value, found->name, found->value);
    }
    fuzz_check(at == delivered->headers->len, "%u fields are delivered, %u judged", delivered->headers->len, at);
}

/* A line of another kind in front moves everything and changes nothing. */
static void check_shifted(const struct control *control, const char *text, size_t length)
{
    g_autoptr(GString) more = g_string_new("V8\n");
    struct control shifted;

    g_string_append_len(more, text, (gssize)length);
    control_read(more->str, more->len, &shifted);
    fuzz_check(shifted.arrival == control->arrival && strcmp(shifted.sender, control->sender) == 0 &&
                   shifted.recipients == control->recipients && shifted.header == control->header + 3 &&
                   shifted.header_length == control->header_length,
               "a line more changes what is read");
    control_clear(&shifted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* As it comes from a file: with a NUL behind it. */
    g_autofree char *text = g_malloc(size + 1);
    struct control control;

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    control_read(text, size, &control);
    check_control(&control, text, size);
    check_shifted(&control, text, size);
    auto_free(message) message = control_message(text, size);
    fuzz_check(message->mta == MTA_SENDMAIL && !message->bcc_visible, "it is another MTA's");
    fuzz_check(message->recipients->len == control.recipients, "%u recipients, not %u", message->recipients->len,
               control.recipients);
    fuzz_check(message->headers->len <=
                   count_lines(text, size, 'H') + count_lines(text, size, ' ') + count_lines(text, size, '\t'),
               "%u header fields", message->headers->len);
    check_delivered(message, text, &control);
    control_clear(&control);
    return 0;
}
