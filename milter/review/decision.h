/*
 * decision - a reviewer releases, returns or deletes one held message: who may, what
 * is still missing, the claim in the ledger, the MTA's queue, the record.
 */
#ifndef RCPTGUARD_DECISION_H
#define RCPTGUARD_DECISION_H

#include "milter/review/rcptguardq_tool.h"

struct decision {
    enum ledger_action action;
    const char *reason;
    bool dry; /* only says what would be done */
};

/*
 * Decides one item of a view.  Gives an exit code, and in `said`, for g_free, one
 * sentence with the queue id at its beginning, for the person.
 */
int decision_make(struct tool *tool, const struct view_item *item, const struct decision *decision, char **said);

/* The queue id that such a sentence is about. */
const char *decision_id(const struct view_item *item);

/* Why a closed or claimed row cannot be decided any more, as such a sentence. */
char *decision_over(const struct queue *queue, const struct ledger_row *row);

#endif
