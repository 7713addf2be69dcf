/*
 * replay_state - windows and sets played over a mailbox, in the order of its dates: what a policy says of each message,
 * and what it would have said without `known` and without its windows.
 *
 * What is held is played as if a reviewer released it, since it is in the mailbox: it stays in the windows, and its
 * parties are known from then on.
 *
 * Ownership: a play owns its messages and its states, and holds its policies.  For one thread.
 */
#ifndef RCPTGUARD_REPLAY_STATE_H
#define RCPTGUARD_REPLAY_STATE_H

#include "policy/engine/policy.h"

struct play;

/* NULL if the policy needs no state. */
struct play *play_new(struct policy *policy);
void play_free(struct play *play);
AUTO_FREE_DEFINE(play, play_free)

/* As policy_evaluate at that time of the message, in seconds since 1970; the options have no state yet. */
struct verdict *play_evaluate(struct play *play, const struct message *message, const struct evaluate_options *options,
                              gint64 time);

struct play_figures {
    bool known, windows;   /* whether the policy has them */
    guint64 stopped;       /* messages that are held, refused or deferred, or would be by a monitor rule */
    guint64 without_known; /* the same if no message were known */
    guint64 spared;        /* of these, those that pass since their parties are known */
    guint64 added;         /* that are stopped, and would not be if windows saw one message alone */
};
struct play_figures play_figures(const struct play *play);

#endif
