/*
 * decision_record - decisions as rows of the ledger, and which of these rows count.
 *
 * The ledger is the daemon's: whoever took it over writes what he likes there.  So a decision that a command wrote has
 * a seal, HMAC-SHA256 over the message and everything that was decided, under a key that root alone reads.  The message
 * is named by its queue id, when it arrived as the queue says, and its row: a copied row decides nothing else.
 */
#ifndef RCPTGUARD_DECISION_RECORD_H
#define RCPTGUARD_DECISION_RECORD_H

#include "milter/ledger/ledger_decisions.h"
#include "milter/review/rcptguardq_tool.h"

/* Seals a decision of this process of an item that is on hold, and adds it.  0, or -1 with `error`. */
int decision_record_add(struct tool *tool, const struct view_item *item, struct ledger_decision *decision,
                        struct database_error *error);

/*
 * The same of a decision that came from the fleet's database, unless it is there: as ledger_decide_once.  Without an
 * item, which is not on hold any more, it gets no seal: nothing can come of it but an answer.
 */
int decision_record_add_once(struct tool *tool, const struct view_item *item, struct ledger_decision *decision,
                             struct database_error *error);

/* Whether the seal of a decision is that of this item, which is on hold: 1, 0, or -1 with `error`. */
int decision_record_is_sealed(struct tool *tool, const struct view_item *item, const struct ledger_decision *decision,
                              struct database_error *error);

/*
 * The logins of those who approved a release of the item, each with a sealed decision; char *.  Whether they may is
 * for the caller to ask.
 */
GPtrArray *decision_record_approvals(struct tool *tool, const struct view_item *item, struct database_error *error);

#endif
