/*
 * agent_take - takes decisions of other nodes out of the fleet's database: each becomes a row of the ledger, is carried
 * out like any other, and its outcome goes back.
 *
 * The database says who decided: the person whom it knows, or another node that vouches for him.  That he is a user of
 * this system who may do it is checked here when it is carried out, like all that counts for a command: agent.h.  What
 * the database says is sealed only after the message was seen on hold.  A decision that was taken before, as its id
 * tells, is not taken again.
 */
#ifndef RCPTGUARD_AGENT_TAKE_H
#define RCPTGUARD_AGENT_TAKE_H

#include "milter/agent/agent_exchange.h"

/* So many are taken at once; who decided them waits for the answers. */
#define TAKE_LIMIT 25u

/*
 * The decisions that are not answered: struct fleet_decision *.  Takes those that are new, and has them carried out.
 * If there are more than TAKE_LIMIT of them, `more` of the exchange is set.
 * `decisions` gets them, for agent_answer; it stays NULL if the database failed.
 */
enum exchange_end agent_take(struct exchange *exchange, GPtrArray **decisions);

/* Answers those that are done.  Their rows should be published before. */
enum exchange_end agent_answer(struct exchange *exchange, const GPtrArray *decisions);

#endif
