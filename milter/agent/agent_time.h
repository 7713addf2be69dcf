/*
 * agent_time - what the time decides of held messages, for agent.c.
 *
 * Nothing is believed that is in the ledger alone: when a message arrived is what the queue says, and what its rule
 * lets happen is what the policy's file says.
 *
 * Ownership: timed_free frees what timed_find gives.
 */
#ifndef RCPTGUARD_AGENT_TIME_H
#define RCPTGUARD_AGENT_TIME_H

#include "milter/ledger/ledger_time.h"
#include "milter/review/rcptguardq_tool.h"
#include "policy/engine/policy.h"

struct agent {
    struct tool *tool;
    void (*say)(int code, const char *id, const char *words); /* what came of one decision */
};

/* After a stop of the agent, in microseconds, nothing is released for so long: its author may want to stop it. */
#define TIMED_PATIENCE (2 * G_TIME_SPAN_MINUTE)

/* What may be due; queue and policy have the last word. */
struct timed {
    GPtrArray *leaving;    /* struct ledger_row *: their delay is over */
    GPtrArray *expiring;   /* the same: they have expired */
    struct policy *policy; /* or NULL */
};

/* NULL with `error`. */
struct timed *timed_find(struct tool *tool, const struct ledger_agent *agent, gint64 now, struct database_error *error);
void timed_free(struct timed *timed);
AUTO_FREE_DEFINE(timed, timed_free)

/* Whether there is nothing. */
bool timed_is_empty(const struct timed *timed);

/* Decides what is due of the messages of a view, and carries it out.  An exit code, as agent_run. */
int timed_decide(const struct agent *agent, const struct timed *timed, const struct view *view, gint64 now);

#endif
