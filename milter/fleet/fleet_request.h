/*
 * fleet_request - a decision for another node: a row of the fleet's database, and what that node's agent answers.
 *
 * Ownership: fleet_outcome_clear frees the words of an outcome.
 */
#ifndef RCPTGUARD_FLEET_REQUEST_H
#define RCPTGUARD_FLEET_REQUEST_H

#include "milter/fleet/fleet.h"
#include "milter/ledger/ledger.h"

struct fleet_request {
    const char *node;
    gint64 row; /* of that node's ledger */
    const char *queue_id;
    enum ledger_action action;
    const char *reason;
    const char *vouched_for; /* the login of the person, in the node's own session; NULL: the session is his */
};

struct fleet_outcome {
    bool taken;   /* the node has begun */
    bool removed; /* the row is gone, which is an error */
    int code;     /* of enum exit codes */
    char *words;
};
void fleet_outcome_clear(struct fleet_outcome *outcome);

/* Adds the row, of which `id` is the number: 0, or -1 with `error`.  Listens before, so that no answer is missed. */
int fleet_request_send(struct fleet *fleet, const struct fleet_request *request, gint64 *id, gint64 deadline,
                       struct pg_error *error);

/* Waits for the answer: 1: it is there; 0: there was none until the deadline; -1 with `error`. */
int fleet_request_wait(struct fleet *fleet, gint64 id, gint64 deadline, struct fleet_outcome *outcome,
                       struct pg_error *error);

#endif
