/*
 * replay_totals - the figures of a replay: what a policy, or two, said of many messages.
 *
 * Memory does not grow with the number of messages.  Every figure is exact, but
 * for senders beyond the first TALLY_SENDERS and kinds of change beyond the first
 * TALLY_CHANGES: these are summed.
 *
 * Ownership: a tally owns all that it points to and holds its policies.  Whoever
 * prints it reads the fields; only tally_add writes them.  For one thread.
 */
#ifndef RCPTGUARD_REPLAY_TOTALS_H
#define RCPTGUARD_REPLAY_TOTALS_H

#include "policy/engine/policy.h"
#include "policy/message/recipients.h"
#include "policy/replay/replay_result.h"

#include <glib.h>

#define TALLY_SENDERS 20000u /* that are counted separately */
#define TALLY_CHANGES 1000u  /* kinds of change that are counted separately */
#define TALLY_CHANGED 200u   /* changed messages that are kept; the first */
#define TALLY_NEAR    5u     /* messages that are kept on each side of a threshold; the nearest, the first of these */

/* One rule and how many messages were its own; `default` and faults too. */
struct rule_tally {
    char *verdict; /* a disposition, or "fault" of a monitor rule */
    char *rule;
    unsigned line;
    bool monitor; /* what it would have done */
    bool present; /* the policy has it; otherwise only the other policy does */
    guint64 messages;
    guint64 old; /* by the policy that it is compared with */
};

struct sender_tally {
    char *sender; /* normalised */
    guint64 messages;
    guint64 by[DISPOSITIONS];
};

/* From one verdict and rule to another; a rule is NULL if the message is not outbound. */
struct change_tally {
    enum disposition old, now;
    char *old_rule, *rule;
    guint64 messages;
};

/* How the messages spread over one count of `external`: by value, and each by verdict. */
struct spread {
    guint64 (*messages)[DISPOSITIONS];
    unsigned most; /* the largest value that there was */
};
#define SPREAD_VALUES (RECIPIENTS_LIMIT + 1)

/* The messages nearest to a threshold, of those that it decides. */
struct near {
    struct replayed *message;
    unsigned count;
};
struct near_tally {
    struct near below[TALLY_NEAR], above[TALLY_NEAR]; /* nearest first */
    unsigned below_count, above_count;                /* how many are kept */
    guint64 below_messages, above_messages;           /* how many hang on it */
};

struct tally {
    struct policy *policy, *against; /* the second may be NULL */
    guint64 messages;
    guint64 evaluated; /* the rest is not outbound */
    guint64 by[DISPOSITIONS];
    char first[17], last[17]; /* the earliest and the latest date; "" if no message has one */

    GPtrArray *rules; /* struct rule_tally *: in the order of the policy, `default`, then what else came up */
    struct spread parties, visible;
    struct near_tally *near; /* one for each threshold up to REPLAYED_THRESHOLDS */
    unsigned near_count;

    struct sender_tally others; /* of the senders that are not counted separately */

    GPtrArray *changes; /* struct change_tally *: as they came up */
    guint64 changed;    /* messages with another verdict */
    guint64 moved;      /* messages with the same verdict by another rule */
    guint64 unlisted;   /* messages whose kind of change is beyond TALLY_CHANGES */
    GPtrArray *kept;    /* struct replayed *: the first that changed */

    /* private */
    GStringChunk *names; /* of rules and senders */
    GHashTable *senders;
    GHashTable *rule_index;
    GHashTable *change_index;
};

struct tally *tally_new(struct policy *policy, struct policy *against);
void tally_free(struct tally *tally);
AUTO_FREE_DEFINE(tally, tally_free)

/* Takes one reference of `replayed`. */
void tally_add(struct tally *tally, struct replayed *replayed);

/*
 * The first `limit` of them (const struct sender_tally *; the array alone is the
 * caller's): those with the most messages stopped, then with the most messages,
 * then by name.  `rest` is the sum of all others.
 */
GPtrArray *tally_senders(const struct tally *tally, unsigned limit, struct sender_tally *rest);

/* Messages of a sender, or of all (`by`), that are stopped. */
guint64 tally_stopped(const guint64 by[DISPOSITIONS]);

/* Judged messages with just this count, and with at least that. */
guint64 spread_at(const struct spread *spread, unsigned value);
guint64 spread_from(const struct spread *spread, unsigned least);

#endif
