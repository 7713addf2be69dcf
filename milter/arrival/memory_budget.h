/*
 * memory_budget - what all messages together may keep in memory, and what one login or client may of it.
 *
 * The first MEMORY_FREE bytes of a message are not counted, so that an ordinary message costs nothing here.  Beyond
 * them a message takes more and more at once, and gives all of it back at its end.
 *
 * Any thread may use it; a share belongs to one message, and so to one thread at a time.
 */
#ifndef RCPTGUARD_MEMORY_BUDGET_H
#define RCPTGUARD_MEMORY_BUDGET_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of each message that are not counted. */
#define MEMORY_FREE 4096u

/* The limit is never lower, in bytes. */
#define MEMORY_LEAST (4u * 1024 * 1024)

/* One login or client may have that part of the whole. */
#define MEMORY_PARTS 4u

/* A part of a text that is kept needs some more: the block's own, and a place in a list. */
#define MEMORY_ITEM 48u

struct memory_budget;

/* What one message has taken; all zero is nothing. */
struct memory_share {
    size_t used;  /* of what is taken, and of what is free */
    size_t taken; /* beyond what is free */
    struct memory_owner *owner;
};

/* Whose message it is: the login if there is one, else the client's address; both may be NULL. */
struct memory_sender {
    const char *login;
    const char *client;
};

enum memory_answer {
    MEMORY_GIVEN,
    MEMORY_FULL,      /* all messages together would have too much */
    MEMORY_ONE_OWNER, /* those of this login or client would */
};

struct memory_budget *memory_budget_new(guint64 limit);

/* Of one that nobody uses any more: the daemon's lives as long as its process. */
void memory_budget_free(struct memory_budget *budget);
AUTO_FREE_DEFINE(memory_budget, memory_budget_free)

/* Another limit, in bytes, from now on; what was taken stays. */
void memory_budget_limit(struct memory_budget *budget, guint64 limit);

/* Takes memory for one more text of that length.  Nothing is taken unless it is given. */
enum memory_answer memory_take(struct memory_budget *budget, struct memory_share *share,
                               const struct memory_sender *sender, size_t length);

/* The text that memory was taken for last is not kept: the next one may have it. */
void memory_return(struct memory_share *share, size_t length);

/* Gives all of it back. */
void memory_give_back(struct memory_budget *budget, struct memory_share *share);

/*
 * Around an evaluation, which needs up to MEMORY_EVALUATION times the longest text of the message: those that need much
 * wait until there is room for them, in the order in which they came; all of them together have half of the limit.
 * Returns what memory_evaluation_end takes.
 */
#define MEMORY_EVALUATION 8u
size_t memory_evaluation_begin(struct memory_budget *budget, size_t longest);
void memory_evaluation_end(struct memory_budget *budget, size_t weight);

/* What is taken now, and the limit. */
guint64 memory_taken(struct memory_budget *budget);
guint64 memory_limit(struct memory_budget *budget);

/* At the start: large blocks go back to the system as soon as they are freed. */
void memory_prepare(void);

/* That much was freed beside the budget. */
void memory_count_returned(struct memory_budget *budget, guint64 bytes);

/* Gives the system what was freed, if that was much since the last call; takes some milliseconds. */
void memory_trim(struct memory_budget *budget);

#endif
