/*
 * agent_fleet - the exchange of this node with the fleet's database: publishes what its ledger holds, and takes the
 * decisions of other nodes.
 *
 * The ledger is the truth and what is here is done from it, so that all of it can be done again: whoever is killed, or
 * loses the database, goes on where both differ.  Notifications only wake it: everything is read again with each
 * connection, and at least once a minute.
 */
#ifndef RCPTGUARD_AGENT_FLEET_H
#define RCPTGUARD_AGENT_FLEET_H

#include "milter/review/rcptguardq_tool.h"

/* One exchange: an exit code, EXITS_PASSING if another one has to do something; what failed is on standard error.
 * `carry_out` carries out what is in the ledger, as agent_run. */
int agent_fleet_once(struct tool *tool, int (*carry_out)(void));

/* For ever, as there is something to do; EXITS_WRONG if it cannot begin.  A database that is away is tried again after
 * a pause that grows to a minute, which the log says once, and once when it is back. */
int agent_fleet_always(struct tool *tool, int (*carry_out)(void));

#endif
