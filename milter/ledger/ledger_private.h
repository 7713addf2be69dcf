/*
 * ledger_private - the ledger from the inside: what ledger.c, ledger_decisions.c, ledger_hold.c, ledger_read.c,
 * ledger_transitions.c, ledger_notices.c, ledger_record.c, ledger_unpublished.c and ledger_remembered.c share.
 * Everybody else uses ledger.h.
 */
#ifndef RCPTGUARD_LEDGER_PRIVATE_H
#define RCPTGUARD_LEDGER_PRIVATE_H

#include "milter/ledger/ledger.h"

/* What may be due to the state: see ledger_untold. */
#define LEDGER_DUE_LEARN    "learn"
#define LEDGER_DUE_WITHDRAW "withdraw"

/* Texts of statements that add parties. */
#define LEDGER_PARTY_STATEMENTS 5

/* Tables of a record: see ledger_record.h. */
#define LEDGER_RECORD_TABLES 7

struct ledger {
    struct database *database;
    char *party_statements[LEDGER_PARTY_STATEMENTS]; /* made when they are first needed */
    bool damaged;                                    /* its first page is lost */
    char *record_export; /* statements of ledger_record.c, made when they are first needed */
    char *record_import[LEDGER_RECORD_TABLES];
    char *policy_added; /* the digest of the policy that this transaction has looked up or written; or NULL */
};

/* Within a transaction: the text of a policy, unless it was written lately. */
int row_add_policy(struct ledger *ledger, const char *digest, const char *text, gint64 now,
                   struct database_error *error);

/* Within a transaction: what a new row has to do with the state. */
int row_add_remembered(struct ledger *ledger, gint64 id, const struct ledger_remembered *remembered,
                       struct database_error *error);

/* Within a transaction: what its decision will mean for the state; NULL: nothing. */
int row_set_due(struct ledger *ledger, gint64 id, const char *due, struct database_error *error);

/* What row_collect takes, in its order. */
#define ROW_COLUMNS                                                                                                    \
    "id, queue_id, mta, began, judged, message_id, sender, user, client, subject, rule, line, text, policy, visible,"  \
    " parties, domains, internal, hidden, recipients, defects, approvals, author, state, changed, arrival, who, uid,"  \
    " since, process, reason, requeued, size, former, way, leaves, stopped, expire, expire_action, announced,"         \
    " inside, opaque, node, instance,"                                                                                 \
    " (SELECT count(*) FROM approval WHERE approval.held = held.id)"

/* Why a notice that was sent is wanted again: its message does not leave by itself any more. */
#define LEDGER_NOTICE_ANEW "its delay was ended"

/*
 * Within a transaction: the record of a row is not what was published any more: see ledger_unpublished.h.  No trigger
 * does that, as none runs: root does not execute what the daemon's user can write into the file.
 */
int row_changed(struct ledger *ledger, gint64 id, struct database_error *error);

/* The same of the rows that a condition of SQL selects, with its parameters. */
int rows_changed(struct ledger *ledger, const char *condition, const struct parameter *parameters, unsigned count,
                 struct database_error *error);

/* Within a transaction: adds a line to the history; without a person something was noticed, or the time decided. */
int row_note(struct ledger *ledger, const struct ledger_act *act, const char *action, const char *detail,
             struct database_error *error);

/* The rows of a statement that selects ROW_COLUMNS: struct ledger_row *.  NULL with `error`. */
GPtrArray *row_collect(struct statement *statement, struct database_error *error);

/* The state of that name, or -1. */
int row_state(const char *name);

/* Appends the names of a set of states as SQL writes a list: ('pending', 'held'). */
void row_append_states(GString *sql, unsigned states);

#endif
