/*
 * expiry - when a held message that nobody decides is returned or deleted, as [review] or its rule says; or released,
 * as its rule says.
 */
#ifndef RCPTGUARD_EXPIRY_H
#define RCPTGUARD_EXPIRY_H

#include "milter/common/conf.h"
#include "milter/ledger/ledger.h"
#include "policy/engine/policy.h"

/* Nothing expires unless a digest said so this long before, in microseconds. */
#define EXPIRY_NOTICE (20 * G_TIME_SPAN_HOUR)

/* A digest says so when it expires within this time, in microseconds. */
#define EXPIRY_HORIZON (2 * G_TIME_SPAN_DAY)

/* How many messages expire in an hour at most. */
#define EXPIRY_LIMIT 50u

struct held_expiry {
    gint64 when; /* 0: it does not */
    enum ledger_action action;
    unsigned seconds;
};

/*
 * Of a row.  The rule's own time counts if the policy, which is the file and not what the ledger says, has such a rule
 * still; then the longer of the two, and what the policy does.  `policy` may be NULL: then such a row does not expire.
 * Mail of the null sender never does, nor is a message deleted whose author nobody can write to.
 */
struct held_expiry expiry_find(const struct config *config, const struct policy *policy, const struct ledger_row *row);

/*
 * Before that it does not expire: a digest has to have said so, or still has to.  What was announced before `steady`
 * (see ledger_time.h) does not count.
 */
gint64 expiry_earliest(const struct held_expiry *expiry, const struct ledger_row *row, gint64 steady, gint64 now);

/*
 * When a message on hold leaves by itself, as its rule says in the policy's file: 0 if it does not, or not any more.
 * Where several reviewers are needed nothing leaves by itself.
 */
gint64 delay_find(const struct config *config, const struct policy *policy, const struct ledger_row *row);

/* The policy of the configuration if any of the rows (struct ledger_row *) needs it; NULL: none does, or it is not
 * sound. */
struct policy *expiry_policy(const struct config *config, const GPtrArray *rows);

#endif
