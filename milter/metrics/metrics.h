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
#include "milter/ledger/ledger_figures.h"
#include "milter/state/state_operation.h"
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
enum metrics_ledger { METRICS_HOLD, METRICS_TIDY, METRICS_COUNT, METRICS_DELAY };
#define METRICS_LEDGER_KINDS (METRICS_DELAY + 1)
void metrics_count_ledger_error(struct metrics *metrics, enum metrics_ledger kind);

/* A message was deferred for want of memory: the limit of all messages, or that of one login or client, was reached. */
enum metrics_memory { METRICS_ALL, METRICS_SENDER };
#define METRICS_MEMORY_KINDS (METRICS_SENDER + 1)
void metrics_count_no_memory(struct metrics *metrics, enum metrics_memory kind);

/* What comes of refusals that can be overridden: an address was given, a refusal was overridden, or was not. */
enum metrics_override { METRICS_OVERRIDE_GIVEN, METRICS_OVERRIDE_TAKEN, METRICS_OVERRIDE_REFUSED };
#define METRICS_OVERRIDE_KINDS (METRICS_OVERRIDE_REFUSED + 1)

/* For what no verdict was given; metrics_count_message counts the others. */
void metrics_count_override(struct metrics *metrics, enum metrics_override kind);

/* What comes of answers about held mail: taken, refused, or the ledger did not take them. */
#define METRICS_ANSWER_KINDS 3u
void metrics_count_answer(struct metrics *metrics, unsigned kind);

void metrics_count_state_error(struct metrics *metrics, enum state_operation operation);

/*
 * A reload has read this configuration and policy, which are about to come in force; or it failed:
 * a policy of NULL.  The counts of rules that stay go on; those of rules that the new policy
 * does not have are dropped, and messages in progress that are decided by them
 * still are counted as of the rule `-`.
 */
void metrics_count_reload(struct metrics *metrics, const struct config *config, struct policy *policy, gint64 now);

/* What the ledger and the log say at the time of writing. */
struct metrics_held {
    bool known; /* it could be asked: what `figures` has of decisions was true before, too */
    struct ledger_figures figures;
    guint64 lost_lines; /* of the log */
};

/* Appends all of it, for `now`. */
void metrics_append(struct metrics *metrics, GString *text, const struct metrics_held *held, gint64 now);

#endif
