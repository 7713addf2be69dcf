/*
 * held_record - what the ledger is to keep of a message that is to be held: made of the
 * message and its verdict.  Recipients' addresses stay out of it.
 *
 * Ownership: a hold owns all that it points at, but for the policy's text.
 */
#ifndef RCPTGUARD_HELD_RECORD_H
#define RCPTGUARD_HELD_RECORD_H

#include "milter/ledger/ledger.h"
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
    const char *policy_text;
    const char *untold; /* why its author gets no mail about it, or NULL */
};

/* `policy`, which outlives the hold, is the one that gave the verdict; times are microseconds since 1970. */
struct hold *hold_new(struct policy *policy, const struct message *message, const struct verdict *verdict,
                      bool with_subject, gint64 began, gint64 judged);
void hold_free(struct hold *hold);
AUTO_FREE_DEFINE(hold, hold_free)

#endif
