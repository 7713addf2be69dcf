/*
 * fuzz-mailfile - messages from files.
 *
 * The first byte says what the rest is: `f` one file (a message or an mbox, packed
 * or not), `M` a Maildir whose files are parted by 0x1e; a digit from 1 to 9 is a
 * file of which so many messages are taken and no more.  `g`, `x` and `z` are
 * files that are packed here, by gzip, xz or zstd, and then cut where the next
 * byte says.  `R` is a folder of files, parted likewise, which two threads run
 * through; the next byte says after how many messages they are stopped (0: not).
 */

#include "fuzz.h"

#include "policy/mailbox/mailbox_parallel.h"
#include "policy/mailbox/mailbox_read.h"
#include "tests/unit/pack.h"

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
    bool packed;      /* so that much may come of little */
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
    fuzz_check(!message->overflow || taken->packed, "a limit is hit");
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
    size_t length = 0;
    fuzz_check(message->body != NULL && message_body_text(message->body, &length) != NULL, "there is no body");
    fuzz_check(length <= MESSAGE_BODY_LIMIT, "a body of %zu bytes", length);
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
    struct taken taken = {.limit = limit, .packed = size == G_MAXSIZE};
    bool whole = mailfile_read_extent(path, MAILFILE_BODIES, take, NULL, &taken, diags);

    fuzz_check(whole == (taken.count < limit), "%u of %u messages, and %s", taken.count, limit,
               whole ? "it goes on" : "it stops");
    fuzz_check(taken.bytes <= size, "%zu bytes of header fields from %zu", taken.bytes, size);
    fuzz_check(diags_errors(diags) > 0 || taken.count > 0, "no message, and no error");
    fuzz_check_diags(diags);
    return taken;
}

/* Whether it begins like what is packed, by a program that is known or not. */
static bool begins_packed(const uint8_t *data, size_t size)
{
    static const char *const beginnings[] = {"\x1f\x8b\x08",
                                             "\xfd\x37zXZ",
                                             "\x28\xb5\x2f\xfd",
                                             "BZh",
                                             "\x04\x22\x4d\x18",
                                             "7z\xbc\xaf\x27\x1c",
                                             "PK\x03\x04",
                                             "Rar!",
                                             "LZIP",
                                             "\x1f\x9d"};

    for (unsigned i = 0; i < G_N_ELEMENTS(beginnings); i++)
        if (size >= strlen(beginnings[i]) && memcmp(data, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return size >= 4 && (data[0] & 0xf0) == 0x50 && memcmp(data + 1, "\x2a\x4d\x18", 3) == 0;
}

static bool begins_mbox(const uint8_t *data, size_t size)
{
    return size >= 5 && memcmp(data, "From ", 5) == 0;
}

static void check_file(const uint8_t *data, size_t size)
{
    g_autofree char *path = fuzz_file("mail", data, size);
    auto_free(diags) diags = diags_new();
    bool packed = begins_packed(data, size);
    struct taken taken = read_all(path, G_MAXUINT, packed ? G_MAXSIZE : size, diags);

    if (packed) {
        taken_clear(&taken);
        return;
    }
    /* Whatever lines stand in an mbox, the next message is one more. */
    if (begins_mbox(data, size) && data[size - 1] == '\n') {
        g_autoptr(GByteArray) more = g_byte_array_new();
        auto_free(diags) none = diags_new();
        struct taken longer;
        g_byte_array_append(more, data, (guint)size);
        g_byte_array_append(more, (const guint8 *)MORE, sizeof MORE - 1);
        g_free(fuzz_file("mail", more->data, more->len));
        longer = read_all(path, G_MAXUINT, more->len, none);
        /* A sentence may begin so: then it is no mailbox, however much there is. */
        if (longer.count > 0 || taken.count > 0)
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
    struct taken taken = read_all(path, limit, begins_packed(data, size) ? G_MAXSIZE : size, diags);

    taken_clear(&taken);
}

/* Writes the parts of the input, as files of a folder or of several; their paths. */
static GPtrArray *write_parts(const uint8_t *data, size_t size, const char *const *folders, unsigned *part_count,
                              unsigned *empty, bool *packed)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

    for (unsigned part = 0; part < 12; part++) {
        const uint8_t *end = size > 0 ? memchr(data, 0x1e, size) : NULL;
        size_t length = end != NULL ? (size_t)(end - data) : size;
        g_autofree char *name = g_strdup_printf("%s/%02u", folders[part % 3], part);
        g_ptr_array_add(files, fuzz_file(name, data, length));
        *part_count += part % 3 != 2;
        *empty += part % 3 != 2 && length == 0;
        *packed = *packed || begins_packed(data, length);
        if (end == NULL)
            break;
        data += length + 1;
        size -= length + 1;
    }
    return files;
}

static char *make_folder(const char *name)
{
    char *path = g_build_filename(fuzz_folder(), name, NULL);

    mkdir(path, 0700);
    return path;
}

static void remove_files(const GPtrArray *files)
{
    for (unsigned i = 0; i < files->len; i++)
        unlink(g_ptr_array_index(files, i));
}

/* A file in `cur`, one in `new`, one in `tmp` that is none yet, and so on. */
static void check_maildir(const uint8_t *data, size_t size)
{
    static const char *const folders[] = {"maildir/cur", "maildir/new", "maildir/tmp"};
    g_autofree char *maildir = make_folder("maildir");
    g_autoptr(GPtrArray) files = NULL;
    auto_free(diags) diags = diags_new();
    struct taken taken;
    unsigned count = 0, empty = 0;
    bool packed = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++)
        g_free(make_folder(folders[i]));
    files = write_parts(data, size, folders, &count, &empty, &packed);
    taken = read_all(maildir, G_MAXUINT, G_MAXSIZE, diags);
    if (!packed)
        fuzz_check(taken.files <= count - empty && diags_errors(diags) >= empty &&
                       taken.files + diags_errors(diags) >= count,
                   "%u files with %u empty: %u read, %u errors", count, empty, taken.files, diags_errors(diags));
    remove_files(files);
    taken_clear(&taken);
}

/* ---- the same messages by another way */

/* A message as a line: its place, and a sum of its headers. */
static char *line_of(const struct message *message, const char *file, unsigned index)
{
    unsigned sum = message->overflow;

    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        sum = sum * 31 + g_str_hash(header->name) * 7 + g_str_hash(header->value);
    }
    return g_strdup_printf("%s[%u] %u", file, index, sum);
}

static bool take_line(void *data, struct message *message, const char *file, unsigned index)
{
    g_ptr_array_add(data, line_of(message, file, index));
    message_free(message);
    return true;
}

static GPtrArray *lines_of(const char *path, struct diags *diags)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    mailfile_read(path, take_line, lines, diags);
    return lines;
}

/* `some` are the first of `all`, but for the last `but` of them. */
static void check_begins(const GPtrArray *all, const GPtrArray *some, unsigned but)
{
    fuzz_check(some->len <= all->len, "%u messages of %u", some->len, all->len);
    for (unsigned i = 0; i + but < some->len; i++)
        fuzz_check(strcmp(g_ptr_array_index(some, i), g_ptr_array_index(all, i)) == 0, "message %u is `%s`, not `%s`",
                   i, (const char *)g_ptr_array_index(some, i), (const char *)g_ptr_array_index(all, i));
}

/* What is packed gives what is not, and what is cut the beginning of that. */
static void check_packing(pack_function pack, const uint8_t *data, size_t size, unsigned cut)
{
    g_autoptr(GByteArray) packed = pack(data, size);
    g_autofree char *path = fuzz_file("mail", data, size);
    auto_free(diags) plain_diags = diags_new();
    auto_free(diags) packed_diags = diags_new();
    auto_free(diags) cut_diags = diags_new();
    g_autoptr(GPtrArray) plain = NULL;
    g_autoptr(GPtrArray) whole = NULL;
    g_autoptr(GPtrArray) some = NULL;

    if (begins_packed(data, size))
        return;
    plain = lines_of(path, plain_diags);
    g_free(fuzz_file("mail", packed->data, packed->len));
    whole = lines_of(path, packed_diags);
    fuzz_check(whole->len == plain->len && diags_count(packed_diags) == diags_count(plain_diags),
               "%u messages when packed, %u when not", whole->len, plain->len);
    check_begins(plain, whole, 0);
    g_free(fuzz_file("mail", packed->data, 6 + (packed->len - 7) * cut / 256));
    some = lines_of(path, cut_diags);
    check_begins(plain, some, 1);
    fuzz_check(diags_errors(cut_diags) > 0, "a cut is not seen");
}

struct running {
    GPtrArray *lines;
    unsigned limit;
    atomic_bool stop;
};

static void *work(void *data, struct message *message, const char *file, unsigned index, guint64 size)
{
    (void)size;
    (void)data;
    return line_of(message, file, index);
}

static void deliver(void *data, void *result)
{
    struct running *running = data;

    g_ptr_array_add(running->lines, result);
    if (running->lines->len == running->limit)
        atomic_store(&running->stop, true);
}

/* Two threads give what one gives. */
static void check_run(const uint8_t *data, size_t size, unsigned limit)
{
    static const char *const folders[] = {"run/a", "run/b", "run/a"};
    g_autofree char *path = make_folder("run");
    const char *const paths[] = {path, NULL};
    struct running running = {.lines = g_ptr_array_new_with_free_func(g_free), .limit = limit};
    struct mailrun run = {2, &running.stop, work, deliver, NULL, NULL, &running, true};
    auto_free(diags) alone_diags = diags_new();
    auto_free(diags) diags = diags_new();
    g_autoptr(GPtrArray) files = NULL;
    g_autoptr(GPtrArray) alone = NULL;
    unsigned count = 0, empty = 0;
    bool packed = false, whole;

    g_free(make_folder(folders[0]));
    g_free(make_folder(folders[1]));
    files = write_parts(data, size, folders, &count, &empty, &packed);
    alone = lines_of(path, alone_diags);
    whole = mailrun_run(&run, paths, diags);
    check_begins(alone, running.lines, 0);
    fuzz_check(whole == (diags_count(diags) == 0) && diags_errors(diags) == 0, "%u warnings", diags_count(diags));
    if (!atomic_load(&running.stop))
        fuzz_check(running.lines->len == alone->len && diags_count(diags) == diags_count(alone_diags),
                   "%u messages by two threads, %u by one", running.lines->len, alone->len);
    fuzz_check_diags(diags);
    remove_files(files);
    g_ptr_array_unref(running.lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'M')
        check_maildir(data + 1, size - 1);
    else if (data[0] == 'R' && size > 1)
        check_run(data + 2, size - 2, data[1]);
    else if (data[0] == 'g' && size > 1)
        check_packing(pack_gzip, data + 2, size - 2, data[1]);
    else if (data[0] == 'x' && size > 1)
        check_packing(pack_xz, data + 2, size - 2, data[1]);
    else if (data[0] == 'z' && size > 1)
        check_packing(pack_zstd, data + 2, size - 2, data[1]);
    else if (data[0] >= '1' && data[0] <= '9')
        check_some(data + 1, size - 1, (unsigned)(data[0] - '0'));
    else
        check_file(data + 1, size - 1);
    return 0;
}
