/* mailfile - see mailfile.h */

#include "mailfile.h"

#include "recipients.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines are read in pieces of this size, so that a line may have any length. */
#define PIECE_SIZE 16384

/* Folders within folders. */
#define DEPTH_LIMIT 32

enum state { STATE_HEADERS, STATE_BODY };

struct reader {
    FILE *stream;
    const char *file;
    mailfile_take take;
    void *data;
    char *piece;
    bool mbox;
    bool after_blank; /* the last line was empty: a "From " line may follow */
    bool line_start;  /* the next piece begins a line */
    bool stopped;
    unsigned index;
    enum state state;
    struct message *message;
    GString *field; /* the header field that is being read, unended */
    bool skip_line; /* the rest of this line belongs to nothing */
};

static void finish_field(struct reader *reader)
{
    const char *colon;

    if (reader->field->len == 0)
        return;
    colon = memchr(reader->field->str, ':', reader->field->len);
    if (colon != NULL) {
        size_t name = (size_t)(colon - reader->field->str);
        const char *value = colon + 1;
        size_t length = reader->field->len - name - 1;
        while (length > 0 && (value[length - 1] == '\n' || value[length - 1] == '\r'))
            length--;
        if (length > 0 && *value == ' ') {
            value++;
            length--;
        }
        /* A NUL would end the value early, and hide what stands behind it. */
        for (char *p = (char *)value; (p = memchr(p, '\0', length - (size_t)(p - value))) != NULL;)
            *p = ' ';
        message_add_header_length(reader->message, reader->field->str, name, value, length);
    }
    g_string_truncate(reader->field, 0);
}

static void begin_message(struct reader *reader)
{
    reader->message = message_new();
    reader->state = STATE_HEADERS;
}

static void end_message(struct reader *reader)
{
    struct message *message = reader->message;

    if (message == NULL)
        return;
    finish_field(reader);
    reader->message = NULL;
    if (!reader->take(reader->data, message, reader->file, reader->index++))
        reader->stopped = true;
}

/* "From ann@x.example Mon Nov 23 18:34:00 2026": with a time of day, so that a sentence is none. */
static bool is_from_line(const char *line, size_t length)
{
    if (length < 5 || memcmp(line, "From ", 5) != 0)
        return false;
    for (size_t i = 6; i + 2 < length; i++)
        if (line[i] == ':' && g_ascii_isdigit(line[i - 1]) && g_ascii_isdigit(line[i + 1]))
            return true;
    return false;
}

/* RFC 5322 section 2.2, with the blanks before the colon that MTAs allow. */
static bool is_field(const char *line, size_t length)
{
    size_t i = 0;

    while (i < length && line[i] > 0x20 && line[i] < 0x7f && line[i] != ':')
        i++;
    if (i == 0)
        return false;
    while (i < length && (line[i] == ' ' || line[i] == '\t'))
        i++;
    return i < length && line[i] == ':';
}

static void append_field(struct reader *reader, const char *piece, size_t length)
{
    if (reader->field->len + length > MESSAGE_HEADER_LIMIT) {
        reader->message->overflow = true;
        return;
    }
    g_string_append_len(reader->field, piece, (gssize)length);
}

/* A piece that begins a line of a header. */
static void header_line(struct reader *reader, const char *piece, size_t length)
{
    if (*piece == ' ' || *piece == '\t') {
        if (reader->field->len > 0)
            append_field(reader, piece, length);
        return;
    }
    finish_field(reader);
    /* A file saved from a mailbox may keep the line that began it there. */
    if (reader->message->headers->len == 0 && (g_str_has_prefix(piece, "From ") || g_str_has_prefix(piece, ">From ")))
        reader->skip_line = true;
    else if (is_field(piece, length))
        append_field(reader, piece, length);
    else
        reader->state = STATE_BODY;
}

static void take_piece(struct reader *reader, const char *piece, size_t length)
{
    bool begins = reader->line_start;
    bool blank = begins && (*piece == '\n' || (length >= 2 && piece[0] == '\r' && piece[1] == '\n'));

    reader->line_start = piece[length - 1] == '\n';
    if (begins && reader->mbox && (reader->after_blank || reader->message == NULL) && is_from_line(piece, length)) {
        end_message(reader);
        if (reader->stopped)
            return;
        begin_message(reader);
        reader->skip_line = !reader->line_start;
        reader->after_blank = false;
        return;
    }
    if (begins) {
        reader->after_blank = blank;
        reader->skip_line = false;
    }
    if (reader->message == NULL || reader->state == STATE_BODY)
        return;
    if (blank) {
        finish_field(reader);
        reader->state = STATE_BODY;
    } else if (begins) {
        header_line(reader, piece, length);
    } else if (!reader->skip_line && reader->field->len > 0) {
        append_field(reader, piece, length);
    }
}

/* A line, or as much of it as fits; NULs included. */
static size_t read_piece(FILE *stream, char *piece)
{
    size_t length = 0;
    int c;

    while (length < PIECE_SIZE - 1 && (c = getc_unlocked(stream)) != EOF) {
        piece[length++] = (char)c;
        if (c == '\n')
            break;
    }
    piece[length] = '\0';
    return length;
}

static bool read_stream(FILE *stream, const char *file, mailfile_take take, void *data, struct diags *diags)
{
    struct reader reader = {
        .stream = stream,
        .file = file,
        .take = take,
        .data = data,
        .piece = g_malloc(PIECE_SIZE),
        .line_start = true,
        .field = g_string_new(NULL),
    };
    size_t length = read_piece(stream, reader.piece);

    reader.mbox = is_from_line(reader.piece, length);
    if (!reader.mbox && length > 0)
        begin_message(&reader);
    while (length > 0 && !reader.stopped) {
        take_piece(&reader, reader.piece, length);
        length = reader.stopped ? 0 : read_piece(stream, reader.piece);
    }
    if (ferror(stream))
        diags_file_error(diags, file, "cannot be read to its end: %s", g_strerror(errno));
    if (reader.stopped)
        message_free(reader.message);
    else
        end_message(&reader);
    if (reader.index == 0 && !reader.stopped && !ferror(stream))
        diags_file_error(diags, file, "is empty; expected a message or a mailbox");
    g_free(reader.piece);
    g_string_free(reader.field, TRUE);
    return !reader.stopped;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_path(const char *path, unsigned depth, mailfile_take take, void *data, struct diags *diags);

static bool read_folder(const char *path, unsigned depth, mailfile_take take, void *data, struct diags *diags)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GError *error = NULL;
    GDir *folder = g_dir_open(path, 0, &error);
    const char *name;
    bool go_on = true;

    if (folder == NULL) {
        diags_file_error(diags, path, "cannot be read: %s", error->message);
        g_error_free(error);
        return true;
    }
    /* Dot files are none of a mailbox, but dot folders may be (Maildir++); `tmp` holds what is not delivered yet. */
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        if (strcmp(name, "tmp") != 0 && (name[0] != '.' || g_file_test(below, G_FILE_TEST_IS_DIR)))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_dir_close(folder);
    g_ptr_array_sort(names, compare_names);
    for (unsigned i = 0; go_on && i < names->len; i++) {
        g_autofree char *below = g_build_filename(path, g_ptr_array_index(names, i), NULL);
        go_on = read_path(below, depth + 1, take, data, diags);
    }
    return go_on;
}

static bool read_path(const char *path, unsigned depth, mailfile_take take, void *data, struct diags *diags)
{
    struct stat status;
    FILE *stream;
    bool go_on;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) < 0) {
        diags_file_error(diags, path,
                         errno == ENOENT ? "does not exist; expected a message or a mailbox" : "cannot be read: %s",
                         g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return true;
    }
    if (S_ISDIR(status.st_mode)) {
        close(fd);
        if (depth < DEPTH_LIMIT)
            return read_folder(path, depth, take, data, diags);
        diags_file_error(diags, path, "is nested deeper than %d folders", DEPTH_LIMIT);
        return true;
    }
    if (!S_ISREG(status.st_mode)) {
        close(fd);
        diags_file_error(diags, path, "is not a regular file; use `-` for standard input");
        return true;
    }
    stream = fdopen(fd, "r");
    go_on = read_stream(stream, path, take, data, diags);
    fclose(stream);
    return go_on;
}

bool mailfile_read(const char *path, mailfile_take take, void *data, struct diags *diags)
{
    if (strcmp(path, "-") == 0)
        return read_stream(stdin, "-", take, data, diags);
    return read_path(path, 0, take, data, diags);
}

void mailfile_envelope(struct message *message, const char *sender, const char *const *recipients)
{
    if (sender != NULL) {
        message_set_sender(message, sender);
    } else {
        g_autoptr(GPtrArray) authors = recipients_authors(message);
        message_set_sender(message, authors->len > 0 ? g_ptr_array_index(authors, 0) : "");
    }
    if (recipients != NULL && recipients[0] != NULL) {
        for (; *recipients != NULL; recipients++)
            message_add_recipient(message, *recipients);
    } else {
        auto_free(recipients) all = recipients_read(message);
        for (unsigned i = 0; i < recipients_count(all); i++)
            message_add_recipient(message, recipients_get(all, i)->address);
    }
}
