/*
 * agent_publish - brings the fleet's database up to what the ledger of this node says.
 */
#ifndef RCPTGUARD_AGENT_PUBLISH_H
#define RCPTGUARD_AGENT_PUBLISH_H

#include "milter/agent/agent_exchange.h"

/* Rows that one statement publishes. */
#define PUBLISH_ROWS 100u

/* What the ledger has and the database lacks; at most some thousands of rows, so that others have their turn. */
enum exchange_end agent_publish(struct exchange *exchange);

/*
 * Compares which rows and policies both have: what the ledger lacks, because its time is over, is removed, and what the
 * database lacks is published next.  Unless `whole`, only if the number of rows differs.
 */
enum exchange_end agent_publish_compare(struct exchange *exchange, bool whole);

#endif
