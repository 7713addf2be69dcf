/*
 * decision - a reviewer releases, returns or deletes one held message: who may, what
 * is still missing, the claim in the ledger, the MTA's queue, the record.
 */
#ifndef RCPTGUARD_DECISION_H
#define RCPTGUARD_DECISION_H

#include "milter/ledger/ledger_decisions.h"
#include "milter/review/rcptguardq_tool.h"

struct decision {
    enum ledger_action action;
    const char *reason;
    bool dry;   /* only says what would be done */
    bool learn; /* a release by a reviewer, who vouches for it: its parties are known from then on */

    /* The row of it that is carried out, with who decided and how.  NULL: the one who runs this decides now, which is
     * written down before anything is done. */
    const struct ledger_decision *record;
};

/*
 * Decides one item of a view.  Gives an exit code, and in `said`, for g_free, one
 * sentence with the queue id at its beginning, for the person.
 */
int decision_make(struct tool *tool, const struct view_item *item, const struct decision *decision, char **said);

/*
 * Whether the one who asks can do that to an item now: has the right, and what a decision would say before it does
 * anything.  As decision_make gives it; the sentence is that of the command of this action.
 */
int decision_can(struct tool *tool, const struct view_item *item, enum ledger_action action, char **said);

/* The queue id that such a sentence is about. */
const char *decision_id(const struct view_item *item);

/* By whom a closed or claimed row is, or was, decided: "ann", "its expiry", "its delay". */
const char *decision_who(const struct ledger_row *row);

/* Why such a row cannot be decided any more, as such a sentence.  Without a queue it is of another node. */
char *decision_over(const struct queue *queue, const struct ledger_row *row);

/* Whether a message is a person's own, by the identities: he cannot release it. */
bool decision_is_own(const struct tool *tool, const struct ledger_row *row, const char *login);

#endif
