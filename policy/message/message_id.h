/*
 * message_id - the id in the value of a Message-ID field.
 */
#ifndef RCPTGUARD_MESSAGE_ID_H
#define RCPTGUARD_MESSAGE_ID_H

#include <stddef.h>

/*
 * The id of RFC 5322, 3.6.4, without its brackets; what is none is taken whole.  It
 * points into `value` and has `length` bytes; NULL is as "".
 */
const char *message_id_find(const char *value, size_t *length);

/* The same, for g_free. */
char *message_id_copy(const char *value);

#endif
