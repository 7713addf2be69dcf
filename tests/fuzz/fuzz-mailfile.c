/*
 * fuzz-mailfile - messages from files.
 *
 * The first byte says what the rest is: `f` one file (a message or an mbox), `M`
 * a Maildir whose files are parted by 0x1e; a digit from 1 to 9 is a file of
 * which so many messages are taken and no more.
 */

#include "fuzz.h"

#include "mailfile.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char fuzz_target[] = "mailfile";

#define ENVELOPE_LIMIT 500u

#define MORE "\n\nFrom zz@added.example Mon Nov 23 18:34:00 2026\nTo: zz@added.example\n\nbody\n"

struct taken {
    unsigned count, limit;
    unsigned files;   /* how often the file changed */
    size_t bytes;     /* of header fields */
    unsigned headers; /* how many */
    char *file;
    unsigned next; /* index of the next message of that file */
    char *last;    /* the value of the last header field */
};

static bool take(void *data, struct message *message, const char *file, unsigned index)
{
    struct taken *taken = data;

    if (taken->file == NULL || strcmp(taken->file, file) != 0) {
        g_free(taken->file);
        taken->file = g_strdup(file);
        taken->next = 0;
        taken->files++;
    }
    fuzz_check(index == taken->next, "message %u after %u of them", index, taken->next);
    fuzz_check(!message->overflow, "a limit is hit");
    fuzz_check(taken->count < taken->limit, "a message after `no more`");
    taken->next++;
    taken->count++;
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        size_t length = strlen(header->value);
        fuzz_check(header->name[0] != '\0' && strpbrk(header->name, ": \t\r\n") == NULL, "a field named `%s`",
                   header->name);
        fuzz_check(length == 0 || header->value[length - 1] != '\n', "a value that ends in a newline: `%s`",
                   header->value);
        for (const char *end = header->value; (end = strchr(end, '\n')) != NULL;) {
            end++;
            fuzz_check(*end == ' ' || *end == '\t', "two fields in one value: `%s`", header->value);
        }
        taken->bytes += strlen(header->name) + length;
        taken->headers++;
        g_free(taken->last);
        taken->last = g_strdup(header->value);
    }
    /* What makes recipients of many bytes is another target's. */
    if (message->header_bytes < ENVELOPE_LIMIT)
        mailfile_envelope(message, NULL, NULL);
    fuzz_check(message->sender != NULL, "there is no sender");
    for (unsigned i = 0; i < message->recipients->len; i++)
        fuzz_check(strchr(g_ptr_array_index(message->recipients, i), '@') != NULL, "a recipient `%s`",
                   (const char *)g_ptr_array_index(message->recipients, i));
    message_free(message);
    return taken->count < taken->limit;
}

static void taken_clear(struct taken *taken)
{
    g_free(taken->file);
    g_free(taken->last);
}

/* Reads a path; what must hold whatever is there. */
static struct taken read_all(const char *path, unsigned limit, size_t size, struct diags *diags)
{
    struct taken taken = {.limit = limit};
    bool whole = mailfile_read(path, take, &taken, diags);

    fuzz_check(whole == (taken.count < limit), "%u of %u messages, and %s", taken.count, limit,
               whole ? "it goes on" : "it stops");
    fuzz_check(taken.bytes <= size, "%zu bytes of header fields from %zu", taken.bytes, size);
    fuzz_check(diags_errors(diags) > 0 || taken.count > 0, "no message, and no error");
    fuzz_check_diags(diags);
    return taken;
}

static bool begins_mbox(const uint8_t *data, size_t size)
{
    return size >= 5 && memcmp(data, "From ", 5) == 0;
}

static void check_file(const uint8_t *data, size_t size)
{
    g_autofree char *path = fuzz_file("mail", data, size);
    auto_free(diags) diags = diags_new();
    struct taken taken = read_all(path, G_MAXUINT, size, diags);

    fuzz_check(taken.count == (size > 0) || begins_mbox(data, size), "%u messages in what is no mbox", taken.count);
    /* Whatever lines stand in an mbox, the next message is one more. */
    if (begins_mbox(data, size) && data[size - 1] == '\n') {
        g_autoptr(GByteArray) more = g_byte_array_new();
        auto_free(diags) none = diags_new();
        struct taken longer;
        g_byte_array_append(more, data, (guint)size);
        g_byte_array_append(more, (const guint8 *)MORE, sizeof MORE - 1);
        g_free(fuzz_file("mail", more->data, more->len));
        longer = read_all(path, G_MAXUINT, more->len, none);
        /* "From " alone begins no mbox: then it is one message, however much there is. */
        if (longer.count > 1 || taken.count > 1)
            fuzz_check(longer.count == taken.count + 1 && strcmp(longer.last, "zz@added.example") == 0,
                       "one message more: %u, before %u", longer.count, taken.count);
        taken_clear(&longer);
    }
    taken_clear(&taken);
}

static void check_some(const uint8_t *data, size_t size, unsigned limit)
{
    g_autofree char *path = fuzz_file("mail", data, size);
    auto_free(diags) diags = diags_new();
    struct taken taken = read_all(path, limit, size, diags);

    taken_clear(&taken);
}

/* A file in `cur`, one in `new`, one in `tmp` that is none yet, and so on. */
static void check_maildir(const uint8_t *data, size_t size)
{
    static const char *const folders[] = {"cur", "new", "tmp"};
    g_autofree char *maildir = g_build_filename(fuzz_folder(), "maildir", NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    auto_free(diags) diags = diags_new();
    struct taken taken;
    unsigned count = 0, empty = 0;

    mkdir(maildir, 0700);
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(maildir, folders[i], NULL);
        mkdir(path, 0700);
    }
    for (unsigned part = 0; part < 12; part++) {
        const uint8_t *end = size > 0 ? memchr(data, 0x1e, size) : NULL;
        size_t length = end != NULL ? (size_t)(end - data) : size;
        g_autofree char *name = g_strdup_printf("maildir/%s/%u", folders[part % 3], part);
        g_ptr_array_add(files, fuzz_file(name, data, length));
        count += part % 3 != 2;
        empty += part % 3 != 2 && length == 0;
        if (end == NULL)
            break;
        data += length + 1;
        size -= length + 1;
    }
    taken = read_all(maildir, G_MAXUINT, G_MAXSIZE, diags);
    fuzz_check(taken.files == count - empty && diags_errors(diags) == empty,
               "%u files with %u empty: %u read, %u errors", count, empty, taken.files, diags_errors(diags));
    for (unsigned i = 0; i < files->len; i++)
        unlink(g_ptr_array_index(files, i));
    taken_clear(&taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'M')
        check_maildir(data + 1, size - 1);
    else if (data[0] >= '1' && data[0] <= '9')
        check_some(data + 1, size - 1, (unsigned)(data[0] - '0'));
    else
        check_file(data + 1, size - 1);
    return 0;
}
