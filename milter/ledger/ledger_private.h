/*
 * ledger_private - the ledger from the inside: what ledger.c, ledger_read.c, ledger_transitions.c and ledger_notices.c
 * share.
 * Everybody else uses ledger.h.
 */
#ifndef RCPTGUARD_LEDGER_PRIVATE_H
#define RCPTGUARD_LEDGER_PRIVATE_H

#include "milter/ledger/ledger.h"

struct ledger {
    struct database *database;
};

/* What row_collect takes, in its order. */
#define ROW_COLUMNS                                                                                                    \
    "id, queue_id, mta, began, judged, message_id, sender, user, client, subject, rule, line, text, policy, visible,"  \
    " parties, domains, internal, hidden, recipients, defects, approvals, author, state, changed, arrival, who, uid,"  \
    " since, process, reason, requeued, size, former, (SELECT count(*) FROM approval WHERE approval.held = held.id)"

/* The rows of a statement that selects ROW_COLUMNS: struct ledger_row *.  NULL with `error`. */
GPtrArray *row_collect(struct statement *statement, struct database_error *error);

/* The state of that name, or -1. */
int row_state(const char *name);

/* Appends the names of a set of states as SQL writes a list: ('pending', 'held'). */
void row_append_states(GString *sql, unsigned states);

#endif
