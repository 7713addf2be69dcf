/* message_reader - see message_reader.h */

#include <config.h>

#include "milter/queue/message_reader.h"

#include "milter/common/privileges.h"
#include "milter/content/display_names.h"
#include "milter/queue/confinement.h"
#include "policy/address/address.h"
#include "policy/cli/exit_codes.h"
#include "policy/cli/terminal.h"
#include "policy/message/header_text.h"
#include "policy/message/message_id.h"
#include "policy/message/recipients.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The fields that tell a reviewer what a message is, without its recipients. */
static const char *const fields_shown[] = {"From",       "Sender",  "Reply-To", "Subject",   "Date",
                                           "Message-ID", "List-Id", "X-Mailer", "User-Agent"};

/* The first character of a line says what it is. */
enum kind {
    KIND_HEADER = 'h',
    KIND_ADDRESSED = 'a',
    KIND_VISIBLE = 'v',
    KIND_DISPLAY = 'd', /* of the recipient before */
    KIND_HIDDEN = 'b',
    KIND_CUT = 'c',
    KIND_LINE = 'l', /* of the message */
    KIND_OURS = 'o', /* a line of ours between them */
    KIND_PART = 'p', /* its use and size, and its type */
    KIND_NAME = 'n', /* of the part before */
    KIND_MORE = 'm', /* parts that are not listed */
};

/* ---- the process that reads */

static void append_record(GString *out, enum kind kind, const char *name, const char *value)
{
    g_string_append_c(out, (char)kind);
    if (name != NULL) {
        g_string_append(out, name);
        g_string_append_c(out, '\t');
    }
    terminal_append_plain(out, value);
    g_string_append_c(out, '\n');
}

static void append_headers(GString *out, const struct message *message)
{
    for (guint i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        for (size_t j = 0; j < G_N_ELEMENTS(fields_shown); j++) {
            if (g_ascii_strcasecmp(header->name, fields_shown[j]) != 0)
                continue;
            g_autofree char *value = decode_header(header->value, NULL);
            append_record(out, KIND_HEADER, fields_shown[j], value);
        }
    }
}

/* Bcc is read only where the MTA delivers it; a header that it strips shows nobody. */
static unsigned fields_delivered(const struct message *message)
{
    return message->bcc_visible ? ~0u : ~(unsigned)FIELDS_BCC;
}

static void append_visible(GString *out, const struct message *message, const struct recipients *recipients,
                           unsigned delivered)
{
    g_autoptr(GHashTable) names = display_names_read(message);
    for (unsigned bit = FIELD_TO; bit <= FIELD_LAST; bit <<= 1) {
        unsigned people = 0;
        for (unsigned i = 0; i < recipients_count(recipients); i++)
            people += (recipients_get(recipients, i)->fields & delivered & bit) != 0;
        g_autofree char *number = g_strdup_printf("%u", people);
        if (people > 0)
            append_record(out, KIND_ADDRESSED, recipient_field_name((enum recipient_field)bit), number);
    }
    for (unsigned i = 0; i < recipients_count(recipients); i++) {
        const struct recipient *recipient = recipients_get(recipients, i);
        if ((recipient->fields & delivered) == 0)
            continue;
        g_autofree char *fields = recipient_field_names(recipient->fields & delivered);
        g_autofree char *address = address_display(recipient->address);
        const char *display = g_hash_table_lookup(names, recipient->address);
        append_record(out, KIND_VISIBLE, fields, address);
        if (display != NULL)
            append_record(out, KIND_DISPLAY, NULL, display);
    }
}

static void append_hidden(GString *out, const struct message *message, const struct recipients *recipients,
                          unsigned delivered)
{
    for (guint i = 0; i < message->recipients->len; i++) {
        const char *address = g_ptr_array_index(message->recipients, i);
        g_autofree char *normal = address_normalise_envelope(address);
        if ((recipients_find(recipients, normal) & delivered) == 0)
            append_record(out, KIND_HIDDEN, NULL, address);
    }
}

static void read_input(GString *raw)
{
    char piece[65536];
    size_t length;
    while (raw->len < READER_INPUT_LIMIT && (length = fread(piece, 1, sizeof piece, stdin)) > 0)
        g_string_append_len(raw, piece, (gssize)length);
}

static void append_envelope(GString *out, const GString *raw, const struct queue_driver *const *drivers, enum mta mta)
{
    auto_free(message) message = queue_parse(drivers, mta, raw->str, raw->len);
    auto_free(recipients) recipients = recipients_read(message);
    unsigned delivered = fields_delivered(message);
    append_headers(out, message);
    append_visible(out, message, recipients, delivered);
    append_hidden(out, message, recipients, delivered);
    if (message->overflow)
        append_record(out, KIND_CUT, NULL, "");
}

static void append_content(GString *out, const GString *raw)
{
    auto_free(content) content = content_read(raw->str, raw->len);
    for (guint i = 0; i < content->parts->len; i++) {
        const struct content_part *part = g_ptr_array_index(content->parts, i);
        g_autofree char *number = g_strdup_printf("%u %" G_GINT64_FORMAT, part->use, part->size);
        append_record(out, KIND_PART, number, part->type);
        if (part->name != NULL)
            append_record(out, KIND_NAME, NULL, part->name);
    }
    for (guint i = 0; i < content->lines->len; i++) {
        const struct content_line *line = g_ptr_array_index(content->lines, i);
        append_record(out, line->ours ? KIND_OURS : KIND_LINE, NULL, line->text);
    }
    g_autofree char *more = g_strdup_printf("%u", content->more);
    append_record(out, KIND_MORE, NULL, more);
    if (content->cut)
        append_record(out, KIND_CUT, NULL, "");
}

GString *reader_answer(const GString *raw, bool text, const struct queue_driver *const *drivers, enum mta mta)
{
    GString *out = g_string_new(NULL);
    if (text)
        append_content(out, raw);
    else
        append_envelope(out, raw, drivers, mta);
    return out;
}

void reader_serve(char **words, const struct queue_driver *const *drivers)
{
    g_autofree char *error = NULL;
    unsigned count = g_strv_length(words);
    bool text = count == 4 && strcmp(words[3], READER_TEXT) == 0;
    if (count != 3 && !text)
        _exit(EXITS_USAGE);
    if (privileges_drop(words[2], words[1][0] == '1', &error) == -1 ||
        confine(READER_MEMORY_LIMIT, PROGRAM_LIMIT, &error) == -1) {
        fprintf(stderr, "%s\n", error);
        _exit(EXITS_WRONG);
    }
    GString *raw = g_string_new(NULL);
    read_input(raw);
    GString *out = reader_answer(raw, text, drivers, (enum mta)g_ascii_strtoull(words[0], NULL, 10));
    bool written = fwrite(out->str, 1, out->len, stdout) == out->len && fflush(stdout) == 0;
    _exit(written ? EXITS_DONE : EXITS_PASSING);
}

/* ---- the process that asks */

static void reading_field_free(gpointer data)
{
    struct reading_field *field = data;
    g_free(field->name);
    g_free(field->value);
    g_free(field->display);
    g_free(field);
}

static struct message_reading *reading_new(void)
{
    struct message_reading *reading = g_new0(struct message_reading, 1);
    reading->headers = g_ptr_array_new_with_free_func(reading_field_free);
    reading->addressed = g_ptr_array_new_with_free_func(reading_field_free);
    reading->visible = g_ptr_array_new_with_free_func(reading_field_free);
    reading->hidden = g_ptr_array_new_with_free_func(g_free);
    return reading;
}

void message_reading_free(struct message_reading *reading)
{
    if (reading == NULL)
        return;
    g_ptr_array_unref(reading->headers);
    g_ptr_array_unref(reading->addressed);
    g_ptr_array_unref(reading->visible);
    g_ptr_array_unref(reading->hidden);
    g_free(reading);
}

/* What comes back is not believed to be printable: the other process may have been taken over. */
static char *plain(const char *text)
{
    GString *out = g_string_new(NULL);
    terminal_append_plain(out, text);
    return g_string_free(out, FALSE);
}

static void add_field(GPtrArray *fields, const char *name, const char *value)
{
    struct reading_field *field = g_new0(struct reading_field, 1);
    field->name = plain(name);
    field->value = plain(value);
    g_ptr_array_add(fields, field);
}

static bool add_display(GPtrArray *fields, const char *display)
{
    struct reading_field *field = fields->len == 0 ? NULL : g_ptr_array_index(fields, fields->len - 1);
    if (field == NULL || field->display != NULL)
        return false;
    field->display = plain(display);
    return true;
}

static bool add_record(void *data, char *line)
{
    struct message_reading *reading = data;
    char *tab = strchr(line, '\t');
    const char *value = tab == NULL ? "" : tab + 1;
    if (tab != NULL)
        *tab = '\0';
    switch (line[0]) {
    case KIND_HEADER:
        add_field(reading->headers, line + 1, value);
        return true;
    case KIND_ADDRESSED:
        add_field(reading->addressed, line + 1, value);
        return true;
    case KIND_VISIBLE:
        add_field(reading->visible, line + 1, value);
        return true;
    case KIND_DISPLAY:
        return add_display(reading->visible, line + 1);
    case KIND_HIDDEN:
        g_ptr_array_add(reading->hidden, plain(line + 1));
        return true;
    case KIND_CUT:
        reading->cut = true;
        return true;
    default:
        return false;
    }
}

/* A GString that takes no more than its limit. */
struct bounded {
    GString *text;
    size_t limit;
    bool cut;
};

static void collect_bounded(void *data, const char *piece, size_t length)
{
    struct bounded *bounded = data;
    size_t room = bounded->limit - bounded->text->len;
    bounded->cut = bounded->cut || length > room;
    g_string_append_len(bounded->text, piece, (gssize)MIN(length, room));
}

/* Hands each line to `add`, which says whether it may be there. */
static int read_records(const struct bounded *records, bool (*add)(void *data, char *line), void *data, char **error)
{
    char *line = records->text->str;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (!add(data, line)) {
            *error = g_strdup("the process that reads messages wrote what it should not");
            return -1;
        }
    }
    return 0;
}

/* What is wanted of a message: of which form in the queue, and where what the other process says of it goes. */
struct question {
    bool text;
    bool (*add)(void *data, char *line);
    void *data;
    bool cut; /* the message, or what was said of it, is longer than what is taken */
};

/* Hands the message to the other process and takes what it says. */
static int ask(const struct message_reader *reader, enum mta mta, const GString *raw, struct question *question,
               char **error)
{
    g_autofree char *number = g_strdup_printf("%d", (int)mta);
    const char *const arguments[] = {"/proc/self/exe",
                                     READER_WORD,
                                     number,
                                     reader->given ? "1" : "0",
                                     reader->user,
                                     question->text ? READER_TEXT : NULL,
                                     NULL};
    struct bounded records = {.text = g_string_new(NULL), .limit = READER_OUTPUT_LIMIT};
    const struct program program = {.arguments = arguments,
                                    .name = "the process that reads messages",
                                    .input = raw->str,
                                    .input_length = raw->len,
                                    .take = collect_bounded,
                                    .data = &records};
    int result = program_run(&program, error);
    if (result == 0)
        result = read_records(&records, question->add, question->data, error);
    question->cut = question->cut || records.cut;
    g_string_free(records.text, TRUE);
    return result;
}

static enum queue_answer read_queued(const struct message_reader *reader, struct queue *queue,
                                     const struct queue_entry *entry, struct question *question, char **error)
{
    struct bounded raw = {.text = g_string_new(NULL), .limit = READER_INPUT_LIMIT};
    enum queue_answer answer = queue_raw(queue, entry, question->text, collect_bounded, &raw, error);
    question->cut = raw.cut;
    if (answer == QUEUE_DONE && ask(reader, queue_mta(queue), raw.text, question, error) == -1)
        answer = QUEUE_FAILED;
    g_string_free(raw.text, TRUE);
    return answer;
}

enum queue_answer reader_read(const struct message_reader *reader, struct queue *queue, const struct queue_entry *entry,
                              struct message_reading **reading, char **error)
{
    auto_free(message_reading) read = reading_new();
    struct question question = {.add = add_record, .data = read};
    enum queue_answer answer = read_queued(reader, queue, entry, &question, error);
    read->cut = read->cut || question.cut;
    if (answer == QUEUE_DONE)
        *reading = g_steal_pointer(&read);
    return answer;
}

/* ---- the same for its text */

static bool add_part(struct content *content, const char *numbers, const char *type)
{
    char *end;
    guint64 use = g_ascii_strtoull(numbers, &end, 10);
    g_autofree char *shown = plain(type);
    const struct content_part part = {
        .type = shown, .use = (enum content_use)use, .size = g_ascii_strtoll(end, NULL, 10)};
    if (use >= CONTENT_USES || content->parts->len >= CONTENT_PARTS_LIMIT)
        return false;
    content_add_part(content, &part);
    return true;
}

static bool add_name(struct content *content, const char *name)
{
    struct content_part *part =
        content->parts->len == 0 ? NULL : g_ptr_array_index(content->parts, content->parts->len - 1);
    if (part == NULL || part->name != NULL)
        return false;
    part->name = plain(name);
    return true;
}

static bool add_content(void *data, char *line)
{
    struct content *content = data;
    g_autofree char *shown = plain(line + 1);
    char *tab = strchr(line, '\t');
    switch (line[0]) {
    case KIND_LINE:
    case KIND_OURS:
        if (content->lines->len > 2 * CONTENT_TEXT_LIMIT)
            return false;
        content_add_line(content, line[0] == KIND_OURS, shown);
        return true;
    case KIND_PART:
        if (tab != NULL)
            *tab = '\0';
        return tab != NULL && add_part(content, line + 1, tab + 1);
    case KIND_NAME:
        return add_name(content, line + 1);
    case KIND_MORE:
        content->more = (unsigned)g_ascii_strtoull(line + 1, NULL, 10);
        return true;
    case KIND_CUT:
        content->cut = true;
        return true;
    default:
        return false;
    }
}

enum queue_answer reader_read_content(const struct message_reader *reader, struct queue *queue,
                                      const struct queue_entry *entry, struct content **content, char **error)
{
    auto_free(content) read = content_new();
    struct question question = {.text = true, .add = add_content, .data = read};
    enum queue_answer answer = read_queued(reader, queue, entry, &question, error);
    if (answer != QUEUE_DONE)
        return answer;
    if (question.cut) {
        read->cut = true;
        content_add_line(read, true, "---- cut here: the message is longer than what is read of it");
    }
    *content = g_steal_pointer(&read);
    return QUEUE_DONE;
}

char *reader_message_id(const struct message_reader *reader, struct queue *queue, const struct queue_entry *entry)
{
    auto_free(message_reading) reading = NULL;
    g_autofree char *error = NULL;
    if (reader_read(reader, queue, entry, &reading, &error) != QUEUE_DONE)
        return NULL;
    for (guint i = 0; i < reading->headers->len; i++) {
        const struct reading_field *field = g_ptr_array_index(reading->headers, i);
        if (strcmp(field->name, "Message-ID") == 0)
            return message_id_copy(field->value);
    }
    return NULL;
}
