/*
 * message_body - the body of a message while it arrives: in memory as long as it is small, then in a file that its
 * owner opens, and readable as one text at its end.
 *
 * Ownership: message_body_free frees all and closes the file.
 */
#ifndef RCPTGUARD_MESSAGE_BODY_H
#define RCPTGUARD_MESSAGE_BODY_H

#include "policy/base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of one body that are read. */
#define MESSAGE_BODY_LIMIT (10u * 1024 * 1024)

/* Bytes of one body that are kept in memory. */
#define MESSAGE_BODY_MEMORY (256u * 1024)

/*
 * A descriptor of an empty file without a name, such as open(2) gives with O_TMPFILE, for reading and writing; -1 with
 * errno: there is none.  Nobody else may shorten it: it is mapped.
 */
typedef int (*message_body_open)(void *data);

struct message_body;

/* `limit` bytes are kept at most.  Without `open` (NULL) none of them is in a file. */
struct message_body *message_body_new(size_t limit, message_body_open open, void *data);

/* A body that is there, as a copy of its bytes; `cut`: there was more. */
struct message_body *message_body_of(const char *bytes, size_t length, bool cut);
void message_body_free(struct message_body *body);
AUTO_FREE_DEFINE(message_body, message_body_free)

/*
 * Takes the next bytes.  False: no more are kept, since they are beyond the limit, or the file cannot be opened or
 * written; nothing more need be given then.
 */
bool message_body_append(struct message_body *body, const char *bytes, size_t length);

/* What it takes to keep the next `length` bytes, too: in memory or, if not 0, in the file, and what moves there. */
struct message_body_need {
    size_t memory, file;
};
struct message_body_need message_body_need(const struct message_body *body, size_t length);

/* The body as far as it was kept, until it is freed.  NULL: the file cannot be read. */
const char *message_body_text(struct message_body *body, size_t *length);

/* Whether more was given than is kept, by the limit or by an error. */
bool message_body_is_cut(const struct message_body *body);

/* The errno by which the file could not be opened or written, or 0. */
int message_body_error(const struct message_body *body);

/* Bytes that are kept. */
size_t message_body_length(const struct message_body *body);

/* Bytes that it has in memory. */
size_t message_body_memory(const struct message_body *body);

#endif
