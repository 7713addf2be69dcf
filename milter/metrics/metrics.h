/*
 * metrics - what the daemon counts for a monitoring system: messages by verdict
 * and rule, parties, times, faults, reloads.  See METRICS in rcptguardd(8).
 *
 * No label holds what a message brought: their values are words of ours and the
 * rules of the policy in force, so messages cannot add any.
 *
 * Any thread may use it, and none waits for longer than it takes to add or to
 * copy the numbers.  Every function takes NULL for "nothing is counted" and then
 * does nothing.  Times are microseconds.  It is never freed: see service.h.
 */
#ifndef RCPTGUARD_METRICS_H
#define RCPTGUARD_METRICS_H

#include "milter/common/conf.h"
#include "policy/engine/policy.h"
#include "policy/engine/verdict.h"

#include <glib.h>
#include <stdbool.h>

struct metrics;

/* Begins to count, with the policy in force; `now` is since 1970. */
struct metrics *metrics_new(const struct config *config, struct policy *policy, gint64 now);

/* The result of one message that was evaluated. */
struct metrics_message {
    const struct verdict *verdict;
    enum disposition disposition; /* the reply to the MTA */
    bool failed;                  /* it is not that of the verdict, which could not be carried out */
    gint64 judging;               /* how long the policy took */
};
void metrics_count_message(struct metrics *metrics, const struct metrics_message *message);
void metrics_count_not_outbound(struct metrics *metrics);

/* How long it took to write a row of the ledger, including the wait for others. */
void metrics_time_ledger(struct metrics *metrics, gint64 duration);

/* What was done to the ledger when it failed. */
enum metrics_ledger { METRICS_HOLD, METRICS_TIDY, METRICS_COUNT };
#define METRICS_LEDGER_KINDS (METRICS_COUNT + 1)
void metrics_count_ledger_error(struct metrics *metrics, enum metrics_ledger kind);

/*
 * A reload has read this configuration and policy, which are about to come in force; or it failed:
 * a policy of NULL.  The counts of rules that stay go on; those of rules that the new policy
 * does not have are dropped, and messages in progress that are decided by them
 * still are counted as of the rule `-`.
 */
void metrics_count_reload(struct metrics *metrics, const struct config *config, struct policy *policy, gint64 now);

/* What the ledger and the log say at the time of writing. */
struct metrics_held {
    bool known; /* it could be asked */
    unsigned count;
    guint64 lost_lines; /* of the log */
    gint64 oldest;      /* since when the oldest is held, since 1970; 0 if there is none */
};

/* Appends all of it, for `now`. */
void metrics_append(struct metrics *metrics, GString *text, const struct metrics_held *held, gint64 now);

#endif
