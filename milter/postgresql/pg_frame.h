/*
 * pg_frame - the form of what pg_session and its child send each other.
 *
 * A frame is its length in four bytes and then that many: a kind, numbers and texts.
 * Both ends are on one machine, so numbers are as the machine has them.
 */
#ifndef RCPTGUARD_PG_FRAME_H
#define RCPTGUARD_PG_FRAME_H

#include "milter/postgresql/pg_connection.h"

/* More is not read: the other end is not believed. */
#define PG_FRAME_LIMIT (512u * 1024 * 1024)

enum pg_frame_kind {
    PG_FRAME_OPEN,   /* deadline, connection string */
    PG_FRAME_QUERY,  /* deadline, SQL, number of values, values */
    PG_FRAME_ANSWER, /* rows, columns, changed, values */
    PG_FRAME_ERROR,  /* whether the connection is dead, kind, SQLSTATE, text */
    PG_FRAME_NOTICE, /* a notification has come */
};

/* ---- to be sent */

GByteArray *pg_frame_new(enum pg_frame_kind kind);
void pg_frame_put_number(GByteArray *frame, gint64 number);
void pg_frame_put_text(GByteArray *frame, const char *text); /* or NULL */
void pg_frame_put_answer(GByteArray *frame, const struct pg_answer *answer);
void pg_frame_put_error(GByteArray *frame, const struct pg_error *error, bool dead);

/* Writes it to a socket, and frees it.  Waits until the deadline of the monotonic clock: 0 or -1. */
int pg_frame_send(int fd, GByteArray *frame, gint64 deadline);

/* ---- received */

/* What is left to be taken; after something that was not there it is bad. */
struct pg_frame_reader {
    guint8 *data; /* for g_free */
    size_t size, at;
    bool bad;
};

/*
 * Reads one: 1; 0: none has begun to come until the deadline; -1: the other end is gone, has sent something
 * else, or the deadline came in the middle.
 */
int pg_frame_receive(int fd, struct pg_frame_reader *reader, gint64 deadline);

enum pg_frame_kind pg_frame_kind(struct pg_frame_reader *reader);
gint64 pg_frame_number(struct pg_frame_reader *reader);
const char *pg_frame_text(struct pg_frame_reader *reader);         /* it lives as long as the data */
struct pg_answer *pg_frame_answer(struct pg_frame_reader *reader); /* NULL: it is bad */
int pg_frame_error(struct pg_frame_reader *reader, struct pg_error *error, bool *dead);

#endif
