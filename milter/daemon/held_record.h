/*
 * held_record - what the ledger is to keep of a message that is to be held: made of the
 * message and its verdict.  Recipients' addresses stay out of it.
 *
 * Ownership: a hold owns all that it points at, and has a reference to its policy.
 */
#ifndef RCPTGUARD_HELD_RECORD_H
#define RCPTGUARD_HELD_RECORD_H

#include "milter/ledger/ledger_time.h"
#include "policy/base/cleanup.h"
#include "policy/engine/policy.h"
#include "policy/engine/verdict.h"
#include "policy/message/message.h"

#include <glib.h>

/* Bytes kept of a text that a stranger wrote. */
#define HOLD_TEXT_LIMIT 1000

struct hold {
    struct ledger_message message;
    GPtrArray *parties; /* struct ledger_party * */
    struct policy *policy;
    const char *policy_text; /* the policy's */
    const char *untold;      /* why its author gets no mail about it, or NULL */
    unsigned window;         /* seconds of the window of many messages that holds it, or 0 */
    bool remembers;          /* it has something to do with the state: */
    struct ledger_remembered remembered;
    GArray *inside; /* struct kept_inside */
};

/* `policy` is the one that gave the verdict; times are microseconds since 1970. */
struct hold *hold_new(struct policy *policy, const struct message *message, const struct verdict *verdict,
                      bool with_subject, gint64 began, gint64 judged);
void hold_free(struct hold *hold);
AUTO_FREE_DEFINE(hold, hold_free)

/*
 * What the refusal of a message means for what its author has on delay, for ledger_trip_free: NULL, unless a window of
 * many messages refuses it and the policy has a rule that delays.
 */
struct ledger_trip *hold_trip(const struct policy *policy, const struct message *message, const struct verdict *verdict,
                              gint64 judged);

/* The row is written: whoever tells its author of what he can decide himself, or no longer can, is woken. */
void hold_wake(const char *ledger, const struct policy *policy, const struct verdict *verdict);

#endif
