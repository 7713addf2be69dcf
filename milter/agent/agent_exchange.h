/*
 * agent_exchange - what the two halves of an exchange with the fleet's database share: agent_publish.h and
 * agent_take.h; agent_fleet.h does them both.
 */
#ifndef RCPTGUARD_AGENT_EXCHANGE_H
#define RCPTGUARD_AGENT_EXCHANGE_H

#include "milter/fleet/fleet.h"
#include "milter/review/rcptguardq_tool.h"

/* How a part of it ended. */
enum exchange_end {
    EXCHANGE_DONE,   /* there is nothing more to do */
    EXCHANGE_LEFT,   /* something can be done later; why was said */
    EXCHANGE_BROKEN, /* the database failed: `error` says how */
};

struct exchange {
    struct tool *tool;
    char *node; /* of this one */
    struct fleet *fleet;
    GPtrArray *policies;    /* char *: digests that the database has; none are known after a connection is made */
    GArray *waiting;        /* gint64: ids of decisions that were seen, and not taken by then; empty as `policies` is */
    gint64 retry;           /* when what was left is tried again, by the monotonic clock */
    gint64 pause;           /* before that */
    bool more;              /* decisions are there that were not taken, so that these have their answers first */
    int (*carry_out)(void); /* carries out what is in the ledger, as agent_run, in another process */
    struct pg_error error;
};

/* The worse of two. */
static inline enum exchange_end exchange_worse(enum exchange_end a, enum exchange_end b)
{
    return a > b ? a : b;
}

#endif
