/* mailbox_split - see mailbox_split.h */

#include "policy/mailbox/mailbox_split.h"

#include "policy/mailbox/decompress.h"
#include "policy/mailbox/file_kind.h"
#include "policy/mailbox/mailbox_lines.h"
#include "policy/mailbox/postcat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that are read first, most messages' headers; and at once when the file goes on. */
#define FIRST_SIZE  (32u * 1024)
#define BUFFER_SIZE (256u * 1024)

/* What is looked at before a decision fits, with room to read on. */
G_STATIC_ASSERT(SEPARATOR_LOOK < BUFFER_SIZE && WRAPPING_LOOK <= FIRST_SIZE && MAILLINE_LOOK < FIRST_SIZE);

/* Bytes of a file that are read over in one turn, so that others have theirs. */
#define TURN_SIZE (4u * 1024 * 1024)

enum state {
    STATE_START,   /* it is not known yet what the file is */
    STATE_BETWEEN, /* messages */
    STATE_HEADERS,
    STATE_BODY,
    STATE_REFUSED, /* it is no mail; what follows is read over */
};

struct mailcut {
    char *path;    /* NULL: a text in memory */
    bool found;    /* it may be no mail, and is passed over then */
    bool passed;   /* it was */
    bool standard; /* it is standard input, which stays open */
    int fd;
    struct stat before;
    const atomic_bool *stop;
    struct unpack *unpack;
    char *buffer; /* bytes from `at` to `filled` are not cut yet */
    size_t size, at, filled;
    guint64 base;  /* where the buffer begins in the file, unpacked */
    unsigned line; /* the number of the line at `at`, from 1 */
    bool ended;    /* no more bytes will come */
    size_t turn;   /* bytes of the present turn */
    enum wrapping kind;
    struct postcat *postcat;
    enum state state;
    bool bodies;     /* they are kept */
    bool open;       /* a message has begun and not ended */
    size_t blank;    /* the length of the last line, if it was empty; else 0 */
    bool line_start; /* the next byte begins a line */
    bool keep_line;  /* the line that goes on belongs to a field */
    unsigned index;
    struct diags *diags; /* while it cuts; NULL: a text in memory */

    /* of the message that is being cut */
    struct mailhead head;
    unsigned fields;
    bool mail;          /* one of its fields has a name that mail has */
    guint64 begins;     /* where its header begins in the file */
    unsigned begins_in; /* that line */

    /* what is said once for each, and then summed */
    unsigned uncounted; /* lines that look like separators */
    unsigned broken;    /* headers that end at a line that is no field */
};

/* ---- messages */

static guint64 position(const struct mailcut *cut)
{
    return cut->base + cut->at;
}

static void begin_message(struct mailcut *cut, const struct mailbatch *batch, size_t behind)
{
    cut->state = STATE_HEADERS;
    cut->open = true;
    cut->head = (struct mailhead){.begin = batch->bytes->len, .index = cut->index++};
    cut->fields = 0;
    cut->mail = false;
    cut->keep_line = false;
    cut->begins = position(cut) + behind;
    cut->begins_in = cut->line + (behind > 0);
}

/* What was taken for a message is none. */
static void drop_message(struct mailcut *cut, struct mailbatch *batch)
{
    g_byte_array_set_size(batch->bytes, (guint)cut->head.begin);
    cut->open = false;
    cut->index--;
}

/* A file that is no mail is an error if it was given as mail, or may hold some. */
static void refuse(struct mailcut *cut, unsigned line, bool mail, const char *problem)
{
    cut->state = STATE_REFUSED;
    if (cut->found && !mail)
        cut->passed = true;
    else
        diags_line_error(cut->diags, cut->path, line, "%s", problem);
}

/* A header without any field that mail has. */
static void refuse_message(struct mailcut *cut, struct mailbatch *batch)
{
    const char *rest = cut->buffer + cut->at;
    size_t length = cut->filled - cut->at;
    bool text = length > 0 && !mailline_is_blank(rest, length);
    unsigned line = text && cut->fields == 0 ? cut->line : cut->begins_in;
    bool mail = text && mailline_find_mail_field(rest, length, SEPARATOR_LINES) > 0;
    const char *problem = cut->fields > 0
                              ? "has header fields, and none that mail has; expected From, To, Date or the like"
                              : "is where a header was to begin; expected a field such as From, To or Date";

    drop_message(cut, batch);
    if (cut->kind == WRAPPING_MESSAGE)
        refuse(cut, line, mail, problem);
    else
        diags_line_error(cut->diags, cut->path, line, "%s", problem);
}

/* The first message of an mbox may be where a server of IMAP keeps its numbers. */
static bool is_internal(const struct mailcut *cut, const struct mailbatch *batch)
{
    static const char mark[] = "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA";
    const char *head = (const char *)batch->bytes->data + cut->head.begin;

    return cut->kind == WRAPPING_MBOX && cut->index == 1 &&
           g_strstr_len(head, (gssize)(batch->bytes->len - cut->head.begin), mark) != NULL;
}

/* Where its header ends.  What was read of the buffer ends there too. */
static void end_head(struct mailcut *cut, struct mailbatch *batch)
{
    cut->head.end = batch->bytes->len;
    if (cut->diags != NULL && !cut->mail)
        refuse_message(cut, batch);
    else if (cut->diags != NULL && is_internal(cut, batch))
        drop_message(cut, batch);
    if (cut->state == STATE_HEADERS)
        cut->state = STATE_BODY;
}

/* The message ends before what is not cut yet. */
static void end_message(struct mailcut *cut, struct mailbatch *batch)
{
    if (cut->state == STATE_HEADERS)
        end_head(cut, batch);
    if (cut->open) {
        /* The empty line before a separator is the mbox's. */
        cut->head.size = position(cut) - cut->begins - (cut->kind == WRAPPING_MBOX ? cut->blank : 0);
        if (cut->postcat != NULL) {
            postcat_append(cut->postcat, batch->bytes);
            cut->head.envelope = batch->bytes->len - cut->head.end - cut->head.body;
        }
        g_array_append_val(batch->heads, cut->head);
    }
    cut->open = false;
    if (cut->state != STATE_REFUSED)
        cut->state = STATE_BETWEEN;
}

static void append(struct mailcut *cut, struct mailbatch *batch, const char *bytes, size_t length)
{
    if (batch->bytes->len - cut->head.begin + length > MESSAGE_HEADER_LIMIT)
        cut->head.overflow = true;
    if (!cut->head.overflow)
        g_byte_array_append(batch->bytes, (const guint8 *)bytes, (guint)length);
}

/* Bytes of the body, if it is kept. */
static void append_body(struct mailcut *cut, struct mailbatch *batch, const char *bytes, size_t length)
{
    size_t kept = MIN(length, MESSAGE_BODY_LIMIT - cut->head.body);

    if (!cut->bodies || !cut->open || cut->state != STATE_BODY)
        return;
    g_byte_array_append(batch->bytes, (const guint8 *)bytes, (guint)kept);
    cut->head.body += kept;
    cut->head.body_cut = cut->head.body_cut || kept < length;
}

/* A header that ends at a line: for an MTA what follows is the body, whatever it looks like. */
static void break_head(struct mailcut *cut, struct mailbatch *batch)
{
    unsigned index = cut->head.index;

    end_head(cut, batch);
    if (cut->diags == NULL || !cut->open || cut->head.index != index || cut->broken++ > 0)
        return;
    diags_line_error(cut->diags, cut->path, cut->line,
                     "is no header field and no empty line; an MTA ends the header here, and what follows is body");
}

/* A line of a header, or its beginning. */
static void take_header_line(struct mailcut *cut, struct mailbatch *batch, const char *line, size_t length)
{
    if (*line == ' ' || *line == '\t') {
        cut->keep_line = cut->fields > 0;
    } else if (cut->fields == 0 && (mailline_is_from(line, length) || mailline_begins(line, length, ">From "))) {
        /* A file saved from a mailbox may keep the line that began it there. */
        cut->keep_line = false;
    } else if (mailline_is_field(line, length)) {
        cut->keep_line = true;
        cut->fields++;
        cut->mail = cut->mail || mailline_is_mail_field(line, length);
    } else {
        break_head(cut, batch);
        return;
    }
    if (cut->keep_line)
        append(cut, batch, line, length);
}

/* A line of a message, or a piece of one that is longer than MAILLINE_LOOK. */
static void take_piece(struct mailcut *cut, struct mailbatch *batch, const char *piece, size_t length)
{
    bool begins = cut->line_start;

    if (begins)
        cut->blank = mailline_is_blank(piece, length) ? length : 0;
    if (cut->state == STATE_HEADERS && begins && cut->blank > 0) {
        end_head(cut, batch);
        return;
    }
    if (cut->state == STATE_HEADERS) {
        if (begins)
            take_header_line(cut, batch, piece, length);
        else if (cut->keep_line)
            append(cut, batch, piece, length);
    }
    append_body(cut, batch, piece, length);
}

/* ---- lines between messages */

static bool is_full(const struct mailcut *cut, const struct mailbatch *batch)
{
    return mailbatch_is_full(batch) || cut->turn >= TURN_SIZE;
}

/* What is to be done with a line. */
enum step {
    STEP_TAKE, /* it is one of the message */
    STEP_SKIP, /* it is none of any message */
    STEP_WAIT, /* it is the first of the next batch, or cannot be told yet */
};

/* The line before a message; the one before that ends here. */
static enum step step_to_next(struct mailcut *cut, struct mailbatch *batch, size_t length)
{
    end_message(cut, batch);
    if (is_full(cut, batch))
        return STEP_WAIT;
    begin_message(cut, batch, length);
    cut->blank = 0;
    return STEP_SKIP;
}

static enum step step_mbox(struct mailcut *cut, struct mailbatch *batch, const char *line, size_t length)
{
    /* The first one is the file's, and a second one after it is no other. */
    if (cut->state == STATE_BETWEEN && cut->index == 0 && mailline_is_from(line, length))
        return step_to_next(cut, batch, length);
    if ((cut->state == STATE_HEADERS && cut->fields == 0) || !mailline_is_from(line, length))
        return STEP_TAKE;
    switch (
        mailline_separator(line, cut->filled - cut->at, cut->ended, cut->blank > 0 || cut->state == STATE_BETWEEN)) {
    case SEPARATOR_YES:
        return step_to_next(cut, batch, length);
    case SEPARATOR_MORE:
        return STEP_WAIT;
    case SEPARATOR_LIKE:
        if (cut->uncounted++ == 0)
            diags_line_error(cut->diags, cut->path, cut->line,
                             "looks like the beginning of a message and is not counted; expected From, Date, Received, "
                             "Message-ID or Return-Path in the %u lines that follow",
                             SEPARATOR_LINES);
        return STEP_TAKE;
    case SEPARATOR_NO:
        break;
    }
    return STEP_TAKE;
}

/* The same line is before and after each message. */
static enum step step_mmdf(struct mailcut *cut, struct mailbatch *batch, const char *line, size_t length)
{
    if (mailline_begins(line, length, "\1\1\1\1\n") || mailline_begins(line, length, "\1\1\1\1\r\n")) {
        if (cut->open)
            end_message(cut, batch);
        cut->state = STATE_BETWEEN;
        return STEP_SKIP;
    }
    if (cut->state != STATE_BETWEEN)
        return STEP_TAKE;
    if (is_full(cut, batch))
        return STEP_WAIT;
    if (!mailline_is_blank(line, length))
        begin_message(cut, batch, 0);
    return cut->open ? STEP_TAKE : STEP_SKIP;
}

static enum step step_postcat(struct mailcut *cut, struct mailbatch *batch, const char *line, size_t length)
{
    bool contents = cut->state == STATE_HEADERS || cut->state == STATE_BODY;

    if (!contents && !cut->open && is_full(cut, batch))
        return STEP_WAIT;
    switch (postcat_take(cut->postcat, line, length, contents)) {
    case POSTCAT_ENVELOPE:
        if (cut->open)
            end_message(cut, batch);
        return STEP_SKIP;
    case POSTCAT_CONTENTS:
        if (!cut->open)
            begin_message(cut, batch, length);
        return STEP_SKIP;
    case POSTCAT_MORE:
        if (cut->state == STATE_HEADERS)
            end_head(cut, batch);
        if (cut->state == STATE_BODY)
            cut->state = STATE_BETWEEN;
        return STEP_SKIP;
    case POSTCAT_END:
        if (cut->open)
            end_message(cut, batch);
        return STEP_SKIP;
    case POSTCAT_RECORD:
        break;
    }
    return contents ? STEP_TAKE : STEP_SKIP;
}

static enum step step(struct mailcut *cut, struct mailbatch *batch, const char *line, size_t length)
{
    switch (cut->kind) {
    case WRAPPING_MBOX:
        return step_mbox(cut, batch, line, length);
    case WRAPPING_MMDF:
        return step_mmdf(cut, batch, line, length);
    case WRAPPING_POSTCAT:
        return step_postcat(cut, batch, line, length);
    case WRAPPING_MESSAGE:
    case WRAPPING_MORE:
    case WRAPPING_NONE:
        break;
    }
    return STEP_TAKE;
}

/* ---- cutting */

/* Reads over whole lines of a body of an mbox.  This is where most of the time goes, so it does nothing else. */
static void skip_body(struct mailcut *cut, struct mailbatch *batch)
{
    const char *begin = cut->buffer + cut->at, *line = begin;
    const char *end = cut->buffer + cut->filled;
    const char *newline, *last = NULL;
    unsigned lines = 0;

    while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (mailline_is_from(line, (size_t)(newline + 1 - line)))
            break;
        last = line;
        line = newline + 1;
        lines++;
        if (line == end)
            break;
    }
    if (last != NULL)
        cut->blank = mailline_is_blank(last, (size_t)(line - last)) ? (size_t)(line - last) : 0;
    append_body(cut, batch, begin, (size_t)(line - begin));
    cut->line += lines;
    cut->at = (size_t)(line - cut->buffer);
}

/* What the file is; false if there is too little of it. */
static bool begin_file(struct mailcut *cut, struct mailbatch *batch)
{
    struct wrapped found = wrapping_look(cut->buffer + cut->at, cut->filled - cut->at, cut->ended, cut->path);

    if (found.kind == WRAPPING_MORE)
        return false;
    cut->kind = found.kind;
    cut->at += found.skip;
    cut->line += found.lines;
    cut->state = STATE_BETWEEN;
    if (found.kind == WRAPPING_NONE)
        refuse(cut, found.place, found.mail, found.problem);
    else if (found.kind == WRAPPING_MESSAGE)
        begin_message(cut, batch, 0);
    else if (found.kind == WRAPPING_POSTCAT)
        cut->postcat = postcat_new();
    g_free(found.problem);
    return true;
}

/*
 * Whether nothing more is wanted: of a file with one message, not packed, what is kept has been read.  A pipe is read
 * to its end for the sake of whoever writes to it, and what is packed to see that it is whole.
 */
static bool is_done(const struct mailcut *cut)
{
    return S_ISREG(cut->before.st_mode) &&
           (cut->state == STATE_REFUSED || (cut->state == STATE_BODY && cut->kind == WRAPPING_MESSAGE &&
                                            !unpack_is_packed(cut->unpack) && !(cut->bodies && cut->open)));
}

/* Cuts what is in the buffer, but for a line whose end, or what follows, is still to come. */
static void cut_buffer(struct mailcut *cut, struct mailbatch *batch)
{
    if (cut->state == STATE_START && cut->at < cut->filled && !begin_file(cut, batch))
        return;
    while (cut->at < cut->filled) {
        const char *piece = cut->buffer + cut->at;
        size_t length = cut->filled - cut->at;
        if (cut->state == STATE_REFUSED || (cut->state == STATE_BODY && cut->kind == WRAPPING_MESSAGE)) {
            append_body(cut, batch, piece, length);
            cut->at = cut->filled;
            break;
        }
        const char *newline = memchr(piece, '\n', length);
        if (newline == NULL && cut->line_start && length < MAILLINE_LOOK && !cut->ended)
            break;
        if (newline != NULL)
            length = (size_t)(newline + 1 - piece);
        if (cut->line_start) {
            enum step what = step(cut, batch, piece, length);
            if (what == STEP_WAIT)
                break;
            if (what == STEP_TAKE)
                take_piece(cut, batch, piece, length);
        } else {
            take_piece(cut, batch, piece, length);
        }
        cut->line_start = newline != NULL;
        cut->line += newline != NULL;
        cut->at += length;
        if (cut->state == STATE_BODY && cut->kind == WRAPPING_MBOX && cut->line_start)
            skip_body(cut, batch);
    }
}

struct message *mailcut_message(const char *text, size_t length)
{
    struct mailcut cut = {
        .buffer = (char *)text, .filled = length, .ended = true, .line_start = true, .kind = WRAPPING_MESSAGE};
    auto_free(mailbatch) batch = mailbatch_new();

    begin_message(&cut, batch, 0);
    cut_buffer(&cut, batch);
    end_message(&cut, batch);
    return mailbatch_message(batch, 0);
}

/* Reads on after what is not cut yet. */
static size_t fill_buffer(struct mailcut *cut)
{
    if (cut->at > 0) {
        memmove(cut->buffer, cut->buffer + cut->at, cut->filled - cut->at);
        cut->filled -= cut->at;
        cut->base += cut->at;
        cut->at = 0;
    }
    if (cut->size < BUFFER_SIZE) {
        cut->size = cut->size == 0 ? FIRST_SIZE : BUFFER_SIZE;
        cut->buffer = g_realloc(cut->buffer, cut->size);
    }
    gssize length = unpack_read(cut->unpack, cut->buffer + cut->filled, cut->size - cut->filled);
    if (length <= 0) {
        cut->ended = true;
        return 0;
    }
    cut->filled += (size_t)length;
    /* So that a small file needs no second look: no more than this is ever read of it. */
    if (S_ISREG(cut->before.st_mode) && !unpack_is_packed(cut->unpack))
        cut->ended = unpack_position(cut->unpack) >= (guint64)cut->before.st_size;
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

/* What was said once of the first is summed for the rest. */
static void tell_rest(const struct mailcut *cut, struct diags *diags)
{
    if (cut->uncounted > 1)
        diags_file_error(diags, cut->path, "has %u more line%s that look%s like the beginning of a message",
                         cut->uncounted - 1, cut->uncounted > 2 ? "s" : "", cut->uncounted > 2 ? "" : "s");
    if (cut->broken > 1)
        diags_file_error(diags, cut->path, "has %u more header%s that end%s at a line that is no field",
                         cut->broken - 1, cut->broken > 2 ? "s" : "", cut->broken > 2 ? "" : "s");
}

static void finish_file(struct mailcut *cut, struct mailbatch *batch, struct diags *diags)
{
    const char *problem = unpack_problem(cut->unpack);
    bool cut_short = cut->open && cut->kind == WRAPPING_POSTCAT;

    if (cut->kind == WRAPPING_MESSAGE && is_done(cut)) {
        cut->base = (guint64)cut->before.st_size;
        cut->at = 0;
    }
    if (cut->open)
        end_message(cut, batch);
    if (problem != NULL && cut->found && cut->state == STATE_START && wrapping_is_document(cut->path))
        cut->passed = true;
    else if (problem != NULL)
        diags_file_error(diags, cut->path, "%s", problem);
    else if (cut->state == STATE_START && !cut->found)
        diags_file_error(diags, cut->path, "is empty; expected a message or a mailbox");
    else if (cut_short)
        diags_file_error(diags, cut->path, "ends early; expected the line `*** MESSAGE FILE END` of postcat");
    else if (cut->kind == WRAPPING_POSTCAT && cut->index == 0 && cut->state != STATE_REFUSED)
        diags_file_error(diags, cut->path, "holds an envelope and no message; expected all that postcat prints");
    else if (cut->kind == WRAPPING_MMDF && cut->index == 0 && cut->state != STATE_REFUSED)
        diags_file_error(diags, cut->path, "holds no message; expected one between its separators");
    tell_rest(cut, diags);
    tell_changes(cut, diags);
}

static bool is_stopped(const struct mailcut *cut)
{
    return cut->stop != NULL && atomic_load(cut->stop);
}

/* A message of whose header only a part was read is none. */
static void break_off(struct mailcut *cut, struct mailbatch *batch)
{
    if (cut->state == STATE_HEADERS)
        drop_message(cut, batch);
    else if (cut->open)
        end_message(cut, batch);
}

bool mailcut_next(struct mailcut *cut, struct mailbatch *batch, struct diags *diags)
{
    cut->turn = 0;
    cut->diags = diags;
    batch->bodies = cut->bodies;
    while (!is_stopped(cut)) {
        cut_buffer(cut, batch);
        if (!cut->open && is_full(cut, batch) && (cut->at < cut->filled || !cut->ended))
            return true;
        if (is_done(cut) || (cut->at == cut->filled && cut->ended)) {
            finish_file(cut, batch, diags);
            return false;
        }
        cut->turn += fill_buffer(cut);
    }
    break_off(cut, batch);
    return false;
}

bool mailcut_passed(const struct mailcut *cut)
{
    return cut->passed;
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

struct mailcut *mailcut_open(const char *path, bool found, const atomic_bool *stop, struct diags *diags)
{
    struct mailcut *cut = g_new0(struct mailcut, 1);

    cut->path = g_strdup(path);
    cut->found = found;
    cut->line = 1;
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

void mailcut_keep_bodies(struct mailcut *cut)
{
    cut->bodies = true;
}

void mailcut_free(struct mailcut *cut)
{
    if (cut == NULL)
        return;
    unpack_free(cut->unpack);
    postcat_free(cut->postcat);
    if (!cut->standard && cut->fd >= 0)
        close(cut->fd);
    g_free(cut->buffer);
    g_free(cut->path);
    g_free(cut);
}
