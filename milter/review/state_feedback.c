/* state_feedback - see state_feedback.h */

#include "milter/review/state_feedback.h"

#include "milter/state/site_state.h"

/* Rows of one call at most: the next one sends the others. */
#define ROWS_LIMIT 200u

static enum feedback_answer failed(enum feedback_answer answer, const struct database_error *error, char **problem)
{
    *problem = g_strdup(error->text);
    return answer;
}

static enum state_outcome send_one(struct site_state *state, const struct ledger_untold *untold)
{
    const struct ledger_remembered *remembered = &untold->remembered;
    if (!untold->learn)
        return site_state_withdraw(state, remembered->record);
    const struct state_set set = {remembered->scope, (const state_hash *)(gpointer)remembered->parties->data,
                                  remembered->parties->len};
    return site_state_learn(state, &set, state_time(untold->since / G_USEC_PER_SEC));
}

/* Without a `state` nothing is sent, and nothing is due any more. */
static enum feedback_answer send_all(struct ledger *ledger, struct site_state *state, const GPtrArray *rows,
                                     char **problem)
{
    struct database_error error;
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_untold *untold = g_ptr_array_index((GPtrArray *)rows, i);
        if (state != NULL && send_one(state, untold) != STATE_OK)
            return failed(FEEDBACK_LATER, site_state_error(state), problem);
        if (ledger_told(ledger, untold, &error) == -1)
            return failed(FEEDBACK_LATER, &error, problem);
    }
    return FEEDBACK_SENT;
}

enum feedback_answer state_feedback_send(struct ledger *ledger, const struct config *config, uid_t owner, gint64 id,
                                         char **problem)
{
    struct database_error error, missing;
    g_autoptr(GPtrArray) rows = ledger_untold(ledger, id, ROWS_LIMIT, &error);
    if (rows == NULL)
        return failed(FEEDBACK_LATER, &error, problem);
    if (rows->len == 0)
        return FEEDBACK_SENT;
    auto_free(site_state) state = site_state_open(config, owner, DATABASE_EXISTING, &missing);
    if (state == NULL && missing.failure != DATABASE_MISSING)
        return failed(FEEDBACK_LATER, &missing, problem);
    enum feedback_answer answer = send_all(ledger, state, rows, problem);
    return answer == FEEDBACK_SENT && state == NULL ? failed(FEEDBACK_NO_STATE, &missing, problem) : answer;
}
