/*
 * state_feedback - what decisions about held messages mean for the state (policy/state/state.h): what a reviewer
 * released teaches its parties, and the record of what was returned or deleted leaves the windows.  The ledger knows
 * what is due (ledger_untold), so what an interrupted process owed is sent by the next one.  A failure changes no
 * decision.
 */
#ifndef RCPTGUARD_STATE_FEEDBACK_H
#define RCPTGUARD_STATE_FEEDBACK_H

#include "milter/common/conf.h"
#include "milter/ledger/ledger.h"

enum feedback_answer {
    FEEDBACK_SENT,     /* or nothing was due; then the state was not opened */
    FEEDBACK_NO_STATE, /* the state or its key is missing: nothing is due any more */
    FEEDBACK_LATER,    /* it stays due */
};

/*
 * Sends what is due of one row, or of all with id 0.  `owner` is the daemon's user.  With any other answer than
 * FEEDBACK_SENT there is a `problem`, for g_free.
 */
enum feedback_answer state_feedback_send(struct ledger *ledger, const struct config *config, uid_t owner, gint64 id,
                                         char **problem);

#endif
