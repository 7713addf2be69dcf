/*
 * queue_holds - which rows of the ledger are on hold in the MTA's queue, for whoever
 * only wants to know: nothing is recorded, no message is read, and no root is
 * needed.  rcptguardq(8)'s reviewers use reconcile.h.
 *
 * Ownership: onhold_free frees it; entries belong to it.
 */
#ifndef RCPTGUARD_QUEUE_HOLDS_H
#define RCPTGUARD_QUEUE_HOLDS_H

#include "milter/ledger/ledger.h"
#include "milter/queue/queue.h"
#include "policy/base/cleanup.h"

struct onhold;

/* Looks at the queue, which has to be there as long.  NULL with `error`, for g_free. */
struct onhold *onhold_look(struct queue *queue, char **error);
void onhold_free(struct onhold *onhold);
AUTO_FREE_DEFINE(onhold, onhold_free)

/* How many messages are on hold, whoever's they are. */
unsigned onhold_count(const struct onhold *onhold);

/* Whether the message of an open row is among them. */
bool onhold_has(const struct onhold *onhold, const struct ledger_row *row);

/* Gives it the instance in whose queue it is, if that is known. */
void onhold_name(const struct onhold *onhold, struct ledger_row *row);

/* Whether it may be in the queue of an instance that could not be read. */
bool onhold_may_have(const struct onhold *onhold, const struct ledger_row *row);

/* Which instances' queues could not be read, and why; or NULL. */
const char *onhold_trouble(const struct onhold *onhold);

#endif
