/* mailcut - see mailcut.h */

#include "policy/mailcut.h"

#include "policy/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that are read first, most messages' headers; and at once when the file goes on. */
#define FIRST_SIZE  (32u * 1024)
#define BUFFER_SIZE (256u * 1024)

/* A line may have any length; what it is, its first bytes say.  Less than FIRST_SIZE, so that there is always room. */
#define LINE_LOOK (16u * 1024)

/* Bytes of a file that are read over in one turn, so that others have theirs. */
#define TURN_SIZE (4u * 1024 * 1024)

/* Header bytes from which on a batch is full. */
#define BATCH_SIZE (1024u * 1024)

enum state {
    STATE_BEFORE, /* of the first message */
    STATE_HEADERS,
    STATE_BODY,
};

struct mailcut {
    char *path;
    bool standard; /* it is standard input, which stays open */
    int fd;
    struct stat before;
    const atomic_bool *stop;
    struct unpack *unpack;
    char *buffer; /* bytes from `at` to `filled` are not cut yet */
    size_t size, at, filled;
    bool ended; /* no more bytes will come */
    bool mbox;
    enum state state;
    bool after_blank; /* the last line was empty: a "From " line may follow */
    bool line_start;  /* the next byte begins a line */
    bool keep_line;   /* the line that goes on belongs to a field */
    unsigned index;
    unsigned fields;      /* of the message that is being cut */
    struct mailhead head; /* likewise */
};

/* ---- batches */

struct mailbatch *mailbatch_new(void)
{
    struct mailbatch *batch = g_new0(struct mailbatch, 1);

    batch->bytes = g_byte_array_sized_new(16u * 1024); /* and never NULL, though a message may have no header */
    batch->heads = g_array_new(FALSE, FALSE, sizeof(struct mailhead));
    return batch;
}

void mailbatch_free(struct mailbatch *batch)
{
    if (batch == NULL)
        return;
    g_byte_array_unref(batch->bytes);
    g_array_unref(batch->heads);
    g_free(batch);
}

bool mailbatch_is_full(const struct mailbatch *batch)
{
    return batch->heads->len >= MAILBATCH_MESSAGES || batch->bytes->len >= BATCH_SIZE;
}

/* One field with all of its lines. */
static void add_field(struct message *message, char *field, size_t length)
{
    char *colon = memchr(field, ':', length);
    char *value;

    if (colon == NULL)
        return;
    value = colon + 1;
    while (length > 0 && (field[length - 1] == '\n' || field[length - 1] == '\r'))
        length--;
    length -= (size_t)(value - field);
    if (length > 0 && *value == ' ') {
        value++;
        length--;
    }
    /* A NUL would end the value early, and hide what stands behind it. */
    for (char *p = value; (p = memchr(p, '\0', length - (size_t)(p - value))) != NULL;)
        *p = ' ';
    message_add_header_length(message, field, (size_t)(colon - field), value, length);
}

struct message *mailbatch_message(const struct mailbatch *batch, unsigned index)
{
    const struct mailhead *head = &g_array_index(batch->heads, struct mailhead, index);
    char *field = (char *)batch->bytes->data + head->begin;
    char *end = (char *)batch->bytes->data + head->end;
    struct message *message = message_new();

    while (field < end) {
        char *next = field;
        do {
            char *newline = memchr(next, '\n', (size_t)(end - next));
            next = newline == NULL ? end : newline + 1;
        } while (next < end && (*next == ' ' || *next == '\t'));
        add_field(message, field, (size_t)(next - field));
        field = next;
    }
    message->overflow = message->overflow || head->overflow;
    return message;
}

/* ---- what a line is */

static bool begins_with(const char *line, size_t length, const char *text)
{
    return length >= strlen(text) && memcmp(line, text, strlen(text)) == 0;
}

static bool is_blank(const char *line, size_t length)
{
    return line[0] == '\n' || (length >= 2 && line[0] == '\r' && line[1] == '\n');
}

/* "From ann@x.example Mon Nov 23 18:34:00 2026": with a time of day, so that a sentence is none. */
static bool is_from_line(const char *line, size_t length)
{
    length = MIN(length, LINE_LOOK);
    if (!begins_with(line, length, "From "))
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

    length = MIN(length, LINE_LOOK);
    while (i < length && line[i] > 0x20 && line[i] < 0x7f && line[i] != ':')
        i++;
    if (i == 0)
        return false;
    while (i < length && (line[i] == ' ' || line[i] == '\t'))
        i++;
    return i < length && line[i] == ':';
}

/* ---- cutting */

static void begin_head(struct mailcut *cut, const struct mailbatch *batch)
{
    cut->state = STATE_HEADERS;
    cut->head = (struct mailhead){.begin = batch->bytes->len, .index = cut->index++};
    cut->fields = 0;
    cut->keep_line = false;
}

static void end_head(struct mailcut *cut, struct mailbatch *batch)
{
    cut->state = STATE_BODY;
    cut->head.end = batch->bytes->len;
    g_array_append_val(batch->heads, cut->head);
}

static void append(struct mailcut *cut, struct mailbatch *batch, const char *bytes, size_t length)
{
    if (batch->bytes->len - cut->head.begin + length > MESSAGE_HEADER_LIMIT)
        cut->head.overflow = true;
    if (!cut->head.overflow)
        g_byte_array_append(batch->bytes, (const guint8 *)bytes, (guint)length);
}

/* A line of a header, or its beginning. */
static void take_header_line(struct mailcut *cut, struct mailbatch *batch, const char *line, size_t length)
{
    if (*line == ' ' || *line == '\t') {
        cut->keep_line = cut->fields > 0;
    } else if (cut->fields == 0 && (begins_with(line, length, "From ") || begins_with(line, length, ">From "))) {
        /* A file saved from a mailbox may keep the line that began it there. */
        cut->keep_line = false;
    } else if (is_field(line, length)) {
        cut->keep_line = true;
        cut->fields++;
    } else {
        end_head(cut, batch);
        return;
    }
    if (cut->keep_line)
        append(cut, batch, line, length);
}

/* A line, or a piece of one that is longer than LINE_LOOK. */
static void take_piece(struct mailcut *cut, struct mailbatch *batch, const char *piece, size_t length)
{
    bool begins = cut->line_start;

    cut->line_start = piece[length - 1] == '\n';
    if (begins && cut->mbox && (cut->after_blank || cut->state == STATE_BEFORE) && is_from_line(piece, length)) {
        if (cut->state == STATE_HEADERS)
            end_head(cut, batch);
        begin_head(cut, batch);
        cut->after_blank = false;
        return;
    }
    if (begins)
        cut->after_blank = is_blank(piece, length);
    if (cut->state != STATE_HEADERS)
        return;
    if (begins && cut->after_blank)
        end_head(cut, batch);
    else if (begins)
        take_header_line(cut, batch, piece, length);
    else if (cut->keep_line)
        append(cut, batch, piece, length);
}

/* Reads over whole lines of a body of an mbox.  This is where most of the time goes, so it does nothing else. */
static void skip_body(struct mailcut *cut)
{
    const char *line = cut->buffer + cut->at;
    const char *end = cut->buffer + cut->filled;
    const char *newline;
    bool after_blank = cut->after_blank;

    while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (after_blank && *line == 'F' && is_from_line(line, (size_t)(newline + 1 - line)))
            break;
        after_blank = newline == line || (newline == line + 1 && *line == '\r');
        line = newline + 1;
        if (line == end)
            break;
    }
    cut->after_blank = after_blank;
    cut->at = (size_t)(line - cut->buffer);
}

/* The first line says whether this is an mbox. */
static void begin_file(struct mailcut *cut, struct mailbatch *batch)
{
    const char *line = cut->buffer + cut->at;
    const char *newline = memchr(line, '\n', cut->filled - cut->at);

    cut->mbox = is_from_line(line, newline != NULL ? (size_t)(newline + 1 - line) : cut->filled - cut->at);
    if (!cut->mbox)
        begin_head(cut, batch);
}

/*
 * Whether nothing more is wanted: of a file with one message, not packed, the headers have been read.  A pipe is read
 * to its end for the sake of whoever writes to it, and what is packed to see that it is whole.
 */
static bool is_done(const struct mailcut *cut)
{
    return cut->state == STATE_BODY && !cut->mbox && S_ISREG(cut->before.st_mode) && !unpack_is_packed(cut->unpack);
}

/* A batch ends between two messages. */
static bool has_enough(const struct mailcut *cut, const struct mailbatch *batch)
{
    return cut->state != STATE_HEADERS && mailbatch_is_full(batch);
}

/* Cuts what is in the buffer, but for a line whose end is still to come. */
static void cut_buffer(struct mailcut *cut, struct mailbatch *batch)
{
    while (cut->at < cut->filled && !has_enough(cut, batch)) {
        const char *piece = cut->buffer + cut->at;
        size_t length = cut->filled - cut->at;
        const char *newline = memchr(piece, '\n', length);
        if (newline == NULL && cut->line_start && length < LINE_LOOK && !cut->ended)
            break;
        if (cut->state == STATE_BEFORE && cut->index == 0 && !cut->mbox)
            begin_file(cut, batch);
        if (cut->state == STATE_BODY && !cut->mbox) {
            cut->at = cut->filled;
            break;
        }
        if (newline != NULL)
            length = (size_t)(newline + 1 - piece);
        take_piece(cut, batch, piece, length);
        cut->at += length;
        if (cut->state == STATE_BODY && cut->line_start)
            skip_body(cut);
    }
}

struct message *mailcut_message(const char *text, size_t length)
{
    struct mailcut cut = {.buffer = (char *)text, .filled = length, .ended = true, .line_start = true};
    auto_free(mailbatch) batch = mailbatch_new();

    begin_head(&cut, batch);
    cut_buffer(&cut, batch);
    if (cut.state == STATE_HEADERS)
        end_head(&cut, batch);
    return mailbatch_message(batch, 0);
}

/* Reads on behind what is not cut yet. */
static size_t fill_buffer(struct mailcut *cut)
{
    gssize length;

    if (cut->at > 0) {
        memmove(cut->buffer, cut->buffer + cut->at, cut->filled - cut->at);
        cut->filled -= cut->at;
        cut->at = 0;
    }
    if (cut->size < BUFFER_SIZE) {
        cut->size = cut->size == 0 ? FIRST_SIZE : BUFFER_SIZE;
        cut->buffer = g_realloc(cut->buffer, cut->size);
    }
    length = unpack_read(cut->unpack, cut->buffer + cut->filled, cut->size - cut->filled);
    if (length <= 0) {
        cut->ended = true;
        return 0;
    }
    cut->filled += (size_t)length;
    return (size_t)length;
}

/* ---- files */

/* Another process may have written to it, or put another in its place: then it was read in two states. */
static void tell_changes(const struct mailcut *cut, struct diags *diags)
{
    struct stat after, there;

    if (!S_ISREG(cut->before.st_mode) || fstat(cut->fd, &after) < 0)
        return;
    if (after.st_size != cut->before.st_size || after.st_mtim.tv_sec != cut->before.st_mtim.tv_sec ||
        after.st_mtim.tv_nsec != cut->before.st_mtim.tv_nsec)
        diags_file_error(diags, cut->path, "changed while it was read; what was read of it counts");
    else if (!cut->standard && stat(cut->path, &there) == 0 &&
             (there.st_dev != after.st_dev || there.st_ino != after.st_ino))
        diags_file_error(diags, cut->path, "was replaced while it was read; the one before counts");
}

static void finish_file(struct mailcut *cut, struct mailbatch *batch, struct diags *diags)
{
    const char *problem = unpack_problem(cut->unpack);

    if (cut->state == STATE_HEADERS)
        end_head(cut, batch);
    if (problem != NULL)
        diags_file_error(diags, cut->path, "%s", problem);
    else if (cut->index == 0)
        diags_file_error(diags, cut->path, "is empty; expected a message or a mailbox");
    tell_changes(cut, diags);
}

static bool is_stopped(const struct mailcut *cut)
{
    return cut->stop != NULL && atomic_load(cut->stop);
}

/* A message of which only a part is there is none. */
static void drop_head(struct mailcut *cut, struct mailbatch *batch)
{
    if (cut->state == STATE_HEADERS)
        g_byte_array_set_size(batch->bytes, (guint)cut->head.begin);
}

bool mailcut_next(struct mailcut *cut, struct mailbatch *batch, struct diags *diags)
{
    size_t turn = 0;

    while (!is_stopped(cut)) {
        cut_buffer(cut, batch);
        if (cut->at == cut->filled && (cut->ended || is_done(cut))) {
            finish_file(cut, batch, diags);
            return false;
        }
        if (cut->state != STATE_HEADERS && (mailbatch_is_full(batch) || turn >= TURN_SIZE))
            return true;
        turn += fill_buffer(cut);
    }
    drop_head(cut, batch);
    return false;
}

guint64 mailcut_position(const struct mailcut *cut)
{
    /* Of a message the body is not read, and yet done with. */
    if (is_done(cut))
        return (guint64)cut->before.st_size;
    return unpack_position(cut->unpack);
}

/* Opens what can be read; false with a diagnostic. */
static bool open_path(struct mailcut *cut, struct diags *diags)
{
    cut->standard = strcmp(cut->path, "-") == 0;
    cut->fd = cut->standard ? STDIN_FILENO : open(cut->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (cut->fd < 0 || fstat(cut->fd, &cut->before) < 0) {
        diags_file_error(diags, cut->path,
                         errno == ENOENT ? "does not exist; expected a message or a mailbox" : "cannot be read: %s",
                         g_strerror(errno));
        return false;
    }
    if (!cut->standard && !S_ISREG(cut->before.st_mode)) {
        diags_file_error(diags, cut->path, "is not a regular file; use `-` for standard input");
        return false;
    }
    return true;
}

struct mailcut *mailcut_open(const char *path, const atomic_bool *stop, struct diags *diags)
{
    struct mailcut *cut = g_new0(struct mailcut, 1);

    cut->path = g_strdup(path);
    cut->stop = stop;
    cut->line_start = true;
    if (!open_path(cut, diags)) {
        mailcut_free(cut);
        return NULL;
    }
    /* No more than there was, so that a mailbox that grows comes to an end. */
    cut->unpack = unpack_new(cut->fd, S_ISREG(cut->before.st_mode) ? (guint64)cut->before.st_size : G_MAXUINT64, stop);
    if (cut->before.st_size > (off_t)BUFFER_SIZE)
        (void)posix_fadvise(cut->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return cut;
}

void mailcut_free(struct mailcut *cut)
{
    if (cut == NULL)
        return;
    unpack_free(cut->unpack);
    if (!cut->standard && cut->fd >= 0)
        close(cut->fd);
    g_free(cut->buffer);
    g_free(cut->path);
    g_free(cut);
}
