/*
 * remote_decision - a decision for a message that another node holds: that node's agent carries it out.
 */
#ifndef RCPTGUARD_REMOTE_DECISION_H
#define RCPTGUARD_REMOTE_DECISION_H

#include "milter/review/rcptguardq_tool.h"

/* How long its answer is waited for, in microseconds. */
#define REMOTE_PATIENCE (10 * G_USEC_PER_SEC)

/*
 * Adds it to the fleet's database as the one who asks, or as what the node vouches for, and waits for the answer. Gives
 * the exit code and the words of the node that holds the row, or EXITS_PASSING if it waits; `tool` is that node's.
 */
int remote_decide(struct tool *tool, const struct ledger_row *row, enum ledger_action action, const char *reason,
                  char **said);

#endif
