/*
 * agent - carries out the decisions that are in the ledger and not done: what a command was killed over, and what the
 * daemon wrote down.  It acts for the person in the row, so that the history and the rules for reviewers see him.
 *
 * No row is believed, because the daemon's user can write any.  The message must be on hold; a decision by a command
 * must have its seal (decision_record.h), and its person must be a user of this system who may do it now; his own mail
 * and approvals are looked at again, as for every decision (decision.h).
 *
 * It can be killed at any moment, and two can run at once: each message is delivered once, or is still on hold.
 */
#ifndef RCPTGUARD_AGENT_H
#define RCPTGUARD_AGENT_H

#include "milter/agent/agent_time.h"

/* After this long, in microseconds, a decision that was not carried out has to be made again. */
#define AGENT_DECISION_LIMIT G_TIME_SPAN_DAY

/*
 * Carries out all that can be, once.  An exit code: EXITS_PASSING if something is left that another run can do.  The
 * queue is only looked at if there is something.
 */
int agent_run(const struct agent *agent);

#endif
