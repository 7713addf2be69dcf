/* pg_frame - see pg_frame.h */

#include "milter/postgresql/pg_frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* In place of the length of a text that is NULL. */
#define NO_TEXT G_MAXUINT32

/* ---- to be sent */

GByteArray *pg_frame_new(enum pg_frame_kind kind)
{
    GByteArray *frame = g_byte_array_new();
    guint32 length = 0;
    guint8 byte = (guint8)kind;
    g_byte_array_append(frame, (const guint8 *)&length, sizeof length);
    g_byte_array_append(frame, &byte, 1);
    return frame;
}

void pg_frame_put_number(GByteArray *frame, gint64 number)
{
    g_byte_array_append(frame, (const guint8 *)&number, sizeof number);
}

void pg_frame_put_text(GByteArray *frame, const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text) + 1;
    guint32 length = text == NULL ? NO_TEXT : (guint32)size;
    g_byte_array_append(frame, (const guint8 *)&length, sizeof length);
    if (text != NULL)
        g_byte_array_append(frame, (const guint8 *)text, (guint)size);
}

void pg_frame_put_answer(GByteArray *frame, const struct pg_answer *answer)
{
    pg_frame_put_number(frame, pg_rows(answer));
    pg_frame_put_number(frame, pg_columns(answer));
    pg_frame_put_number(frame, pg_changed(answer));
    for (unsigned row = 0; row < pg_rows(answer); row++) {
        for (unsigned column = 0; column < pg_columns(answer); column++)
            pg_frame_put_text(frame, pg_value(answer, row, column));
    }
}

void pg_frame_put_error(GByteArray *frame, const struct pg_error *error, bool dead)
{
    pg_frame_put_number(frame, dead);
    pg_frame_put_number(frame, error->kind);
    pg_frame_put_text(frame, error->sqlstate);
    pg_frame_put_text(frame, error->text);
}

/* ---- a socket */

/* 1: it is ready; 0: not until the deadline; -1. */
static int await(int fd, short events, gint64 deadline)
{
    for (;;) {
        struct pollfd polled = {.fd = fd, .events = events};
        gint64 left = MAX(deadline - g_get_monotonic_time(), 0);
        int found = poll(&polled, 1, (int)MIN((left + 999) / 1000, G_MAXINT));
        if (found > 0)
            return 1;
        if (found == 0 && left == 0)
            return 0;
        if (found == -1 && errno != EINTR)
            return -1;
    }
}

/* More waits for later, or a signal came. */
static bool again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int pg_frame_send(int fd, GByteArray *frame, gint64 deadline)
{
    guint32 length = frame->len - (guint32)sizeof length;
    int result = frame->len <= PG_FRAME_LIMIT ? 0 : -1;
    memcpy(frame->data, &length, sizeof length);
    for (guint sent = 0; result == 0 && sent < frame->len;) {
        ssize_t wrote = send(fd, frame->data + sent, frame->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (wrote >= 0)
            sent += (guint)wrote;
        else if (!again() || await(fd, POLLOUT, deadline) <= 0)
            result = -1;
    }
    g_byte_array_unref(frame);
    return result;
}

/* 1: all of it; 0: nothing until the deadline; -1. */
static int receive(int fd, void *data, size_t size, gint64 deadline)
{
    for (size_t had = 0; had < size;) {
        ssize_t got = recv(fd, (char *)data + had, size - had, MSG_DONTWAIT);
        if (got > 0) {
            had += (size_t)got;
            continue;
        }
        int ready = got == -1 && again() ? await(fd, POLLIN, deadline) : -1;
        if (ready <= 0)
            return had == 0 ? ready : -1;
    }
    return 1;
}

int pg_frame_receive(int fd, struct pg_frame_reader *reader, gint64 deadline)
{
    guint32 length;
    *reader = (struct pg_frame_reader){0};
    int result = receive(fd, &length, sizeof length, deadline);
    if (result <= 0)
        return result;
    if (length == 0 || length > PG_FRAME_LIMIT)
        return -1;
    reader->data = g_malloc(length);
    reader->size = length;
    /* It is on its way: the rest of one that came in time may take a moment. */
    if (receive(fd, reader->data, length, MAX(deadline, g_get_monotonic_time() + G_USEC_PER_SEC)) == 1)
        return 1;
    g_clear_pointer(&reader->data, g_free);
    return -1;
}

/* ---- received */

static const void *take(struct pg_frame_reader *reader, size_t size)
{
    if (reader->bad || size > reader->size - reader->at) {
        reader->bad = true;
        return NULL;
    }
    reader->at += size;
    return reader->data + reader->at - size;
}

enum pg_frame_kind pg_frame_kind(struct pg_frame_reader *reader)
{
    const guint8 *byte = take(reader, 1);
    return byte == NULL ? PG_FRAME_ERROR : (enum pg_frame_kind) * byte;
}

gint64 pg_frame_number(struct pg_frame_reader *reader)
{
    gint64 number = 0;
    const void *bytes = take(reader, sizeof number);
    if (bytes != NULL)
        memcpy(&number, bytes, sizeof number);
    return number;
}

const char *pg_frame_text(struct pg_frame_reader *reader)
{
    guint32 length = NO_TEXT;
    const void *bytes = take(reader, sizeof length);
    if (bytes != NULL)
        memcpy(&length, bytes, sizeof length);
    if (length == NO_TEXT)
        return NULL;
    const char *text = take(reader, length);
    if (text != NULL && (length == 0 || memchr(text, '\0', length) != text + length - 1))
        reader->bad = true;
    return reader->bad ? NULL : text;
}

struct pg_answer *pg_frame_answer(struct pg_frame_reader *reader)
{
    gint64 rows = pg_frame_number(reader), columns = pg_frame_number(reader), changed = pg_frame_number(reader);
    /* Each value has a length at least, so an answer is never much larger than its frame. */
    gint64 most = (gint64)((reader->size - reader->at) / sizeof(guint32));
    if (reader->bad || rows < 0 || columns < 0 || rows > G_MAXINT32 || changed < 0 ||
        (columns > 0 && rows > most / columns))
        return NULL;
    struct pg_answer *answer = pg_answer_new((unsigned)rows, (unsigned)columns, (unsigned)changed);
    for (unsigned row = 0; row < pg_rows(answer) && columns > 0; row++) {
        for (unsigned column = 0; column < pg_columns(answer); column++)
            pg_answer_set(answer, row, column, pg_frame_text(reader));
    }
    if (!reader->bad)
        return answer;
    pg_answer_free(answer);
    return NULL;
}

int pg_frame_error(struct pg_frame_reader *reader, struct pg_error *error, bool *dead)
{
    *dead = pg_frame_number(reader) != 0;
    gint64 kind = pg_frame_number(reader);
    const char *sqlstate = pg_frame_text(reader), *text = pg_frame_text(reader);
    if (reader->bad || kind < PG_AWAY || kind > PG_WRONG || sqlstate == NULL || text == NULL)
        return -1;
    pg_error_set(error, (enum pg_failure)kind, "%s", text);
    g_strlcpy(error->sqlstate, sqlstate, sizeof error->sqlstate);
    return 0;
}
