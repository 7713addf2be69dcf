/*
 * fleet_take - the decisions in the fleet's database that a node has to carry out, and its answers to them.
 *
 * Errors: as in fleet.h.  Ownership: a decision owns its strings.
 */
#ifndef RCPTGUARD_FLEET_TAKE_H
#define RCPTGUARD_FLEET_TAKE_H

#include "milter/fleet/fleet.h"

struct fleet_decision {
    gint64 id;
    gint64 row; /* of the node's ledger */
    char *queue_id;
    char *action; /* "release", "return", "delete" */
    char *reason; /* or NULL */
    char *who;    /* the login of the person */
    char *node;   /* that vouches for him, or NULL: the database knows him */
    gint64 at;    /* microseconds since 1970, by the database's clock */
    gint64 age;   /* microseconds since then, by the same */
    bool taken;
};
void fleet_decision_free(gpointer decision);

/* More are not read at once. */
#define FLEET_DECISIONS 500u

/* struct fleet_decision *, the oldest first: those of this node that it has not answered. */
GPtrArray *fleet_decisions(struct fleet *fleet, const char *node, gint64 deadline, struct pg_error *error);

/* The node has written it down. */
int fleet_taken(struct fleet *fleet, const struct fleet_decision *decision, const char *node, gint64 deadline,
                struct pg_error *error);

/* What came of it: an exit code of rcptguardq(8) and its words. */
int fleet_answer(struct fleet *fleet, const struct fleet_decision *decision, const char *node, int code,
                 const char *words, gint64 deadline, struct pg_error *error);

#endif
