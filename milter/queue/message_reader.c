/* message_reader - see message_reader.h */

#include <config.h>

#include "milter/queue/message_reader.h"

#include "milter/common/privileges.h"
#include "policy/address/address.h"
#include "policy/cli/exit_codes.h"
#include "policy/cli/terminal.h"
#include "policy/message/header_text.h"
#include "policy/message/message_id.h"
#include "policy/message/recipients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

/* The fields that tell a reviewer what a message is, without its recipients. */
static const char *const fields_shown[] = {"From",       "Sender",  "Reply-To", "Subject",   "Date",
                                           "Message-ID", "List-Id", "X-Mailer", "User-Agent"};

/* The first character of a line says what it is. */
enum kind { KIND_HEADER = 'h', KIND_ADDRESSED = 'a', KIND_VISIBLE = 'v', KIND_HIDDEN = 'b', KIND_CUT = 'c' };

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

static void append_visible(GString *out, const struct recipients *recipients, unsigned delivered)
{
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
        g_autofree char *names = recipient_field_names(recipient->fields & delivered);
        g_autofree char *address = address_display(recipient->address);
        append_record(out, KIND_VISIBLE, names, address);
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

/* What goes wrong in here must not get far. */
static void confine(void)
{
    static const struct {
        int resource;
        rlim_t limit;
    } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_FSIZE, 0}, {RLIMIT_CPU, PROGRAM_LIMIT}};
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        const struct rlimit limit = {limits[i].limit, limits[i].limit};
        setrlimit(limits[i].resource, &limit);
    }
#ifdef PR_SET_NO_NEW_PRIVS
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
}

static void read_input(GString *raw)
{
    char piece[65536];
    size_t length;
    while (raw->len < READER_INPUT_LIMIT && (length = fread(piece, 1, sizeof piece, stdin)) > 0)
        g_string_append_len(raw, piece, (gssize)length);
}

void reader_serve(char **words, const struct queue_driver *const *drivers)
{
    g_autofree char *error = NULL;
    if (g_strv_length(words) != 3)
        _exit(EXITS_USAGE);
    enum mta mta = (enum mta)atol(words[0]);
    confine();
    if (privileges_drop(words[2], words[1][0] == '1', &error) == -1) {
        fprintf(stderr, "%s\n", error);
        _exit(EXITS_WRONG);
    }
    GString *raw = g_string_new(NULL), *out = g_string_new(NULL);
    read_input(raw);
    struct message *message = queue_parse(drivers, mta, raw->str, raw->len);
    struct recipients *recipients = recipients_read(message);
    unsigned delivered = fields_delivered(message);
    append_headers(out, message);
    append_visible(out, recipients, delivered);
    append_hidden(out, message, recipients, delivered);
    if (message->overflow)
        append_record(out, KIND_CUT, NULL, "");
    bool written = fwrite(out->str, 1, out->len, stdout) == out->len && fflush(stdout) == 0;
    _exit(written ? EXITS_DONE : EXITS_PASSING);
}

/* ---- the process that asks */

static void reading_field_free(gpointer data)
{
    struct reading_field *field = data;
    g_free(field->name);
    g_free(field->value);
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
    struct reading_field *field = g_new(struct reading_field, 1);
    field->name = plain(name);
    field->value = plain(value);
    g_ptr_array_add(fields, field);
}

static bool add_record(struct message_reading *reading, char *line)
{
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

static struct message_reading *read_records(const struct bounded *records, char **error)
{
    auto_free(message_reading) reading = reading_new();
    char *line = records->text->str;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (!add_record(reading, line)) {
            *error = g_strdup("the process that reads messages wrote what it should not");
            return NULL;
        }
    }
    reading->cut = reading->cut || records->cut;
    return g_steal_pointer(&reading);
}

/* Hands the message to the other process and takes what it says. */
static struct message_reading *ask(const struct message_reader *reader, enum mta mta, const GString *raw, char **error)
{
    g_autofree char *number = g_strdup_printf("%d", (int)mta);
    const char *const arguments[] = {"/proc/self/exe",          READER_WORD,  number,
                                     reader->given ? "1" : "0", reader->user, NULL};
    struct bounded records = {.text = g_string_new(NULL), .limit = READER_OUTPUT_LIMIT};
    const struct program program = {.arguments = arguments,
                                    .name = "the process that reads messages",
                                    .input = raw->str,
                                    .input_length = raw->len,
                                    .take = collect_bounded,
                                    .data = &records};
    struct message_reading *reading = program_run(&program, error) == 0 ? read_records(&records, error) : NULL;
    g_string_free(records.text, TRUE);
    return reading;
}

enum queue_answer reader_read(const struct message_reader *reader, struct queue *queue, const char *id,
                              struct message_reading **reading, char **error)
{
    struct bounded raw = {.text = g_string_new(NULL), .limit = READER_INPUT_LIMIT};
    enum queue_answer answer = queue_raw(queue, id, false, collect_bounded, &raw, error);
    if (answer == QUEUE_DONE) {
        *reading = ask(reader, queue_mta(queue), raw.text, error);
        if (*reading == NULL)
            answer = QUEUE_FAILED;
        else
            (*reading)->cut = (*reading)->cut || raw.cut;
    }
    g_string_free(raw.text, TRUE);
    return answer;
}

char *reader_message_id(const struct message_reader *reader, struct queue *queue, const char *id)
{
    auto_free(message_reading) reading = NULL;
    g_autofree char *error = NULL;
    if (reader_read(reader, queue, id, &reading, &error) != QUEUE_DONE)
        return NULL;
    for (guint i = 0; i < reading->headers->len; i++) {
        const struct reading_field *field = g_ptr_array_index(reading->headers, i);
        if (strcmp(field->name, "Message-ID") == 0)
            return message_id_copy(field->value);
    }
    return NULL;
}
