/*
 * arrival - a message while it arrives: all that is kept of it is counted, in memory and in the file of its body, and
 * given back at its end.
 *
 * If there is no room for something of it, all that was kept is freed at once and nothing more is taken: such a message
 * must not be evaluated.
 */
#ifndef RCPTGUARD_ARRIVAL_H
#define RCPTGUARD_ARRIVAL_H

#include "milter/arrival/memory_budget.h"
#include "policy/message/message.h"

#include <stdbool.h>
#include <stddef.h>

/* What all messages share. */
struct arrival_room {
    struct memory_budget *memory;
    struct memory_budget *files; /* bytes of bodies that are in files */
    char *directory;             /* of these */
};

struct arrival {
    struct message *message;            /* or NULL */
    struct memory_share kept;           /* what recipients and header have of the memory, */
    struct memory_share body;           /* what the body has of it, */
    struct memory_share file;           /* and of what may be in files */
    enum memory_answer no_memory;       /* unless MEMORY_GIVEN: there was no room for it */
    const struct memory_budget *lacked; /* where; NULL: in the memory */
    size_t longest;                     /* of its header fields */
};

/* Frees the message, and gives all back. */
void arrival_end(const struct arrival_room *room, struct arrival *arrival);

/* Something of it came that there is no room for. */
void arrival_refuse(const struct arrival_room *room, struct arrival *arrival, enum memory_answer answer);

/* What there was no room for, and how much there is: for the log, and for g_free. */
char *arrival_refusal(const struct arrival_room *room, const struct arrival *arrival);

/* Counts a text that is kept beside the message.  False: there is no room. */
bool arrival_take(const struct arrival_room *room, struct arrival *arrival, size_t length);

/* Each takes something in; what has no room, or is beyond a limit of struct message, is not kept. */
void arrival_recipient(const struct arrival_room *room, struct arrival *arrival, const char *recipient);
void arrival_header(const struct arrival_room *room, struct arrival *arrival, const char *name, const char *value);

/* The body will come, of which at most `limit` bytes are read; until then the message has none. */
void arrival_expect_body(const struct arrival_room *room, struct arrival *arrival, size_t limit);

/* The next bytes of it.  False: none of what comes after them is wanted. */
bool arrival_body(const struct arrival_room *room, struct arrival *arrival, const void *bytes, size_t length);

/*
 * At the end of the message.  If the disk did not take the body, that is logged, and the message is without one, which
 * is not the same to a policy as an empty one: on-error decides if a rule needs it.
 */
void arrival_complete(const struct arrival_room *room, struct arrival *arrival);

/* The length of what an evaluation has to read, for memory_evaluation_begin. */
size_t arrival_longest(const struct arrival *arrival);

#endif
