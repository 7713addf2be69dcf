/*
 * hold_reasons - why a message is held, in words: the rule as it was then, with what the
 * message had for each count that the rule asks for.
 *
 * Ownership: a why owns its lines.
 */
#ifndef RCPTGUARD_HOLD_REASONS_H
#define RCPTGUARD_HOLD_REASONS_H

#include "milter/ledger/ledger.h"
#include "policy/base/cleanup.h"

#include <glib.h>

/* One line of the rule's condition, as the canonical policy has it. */
struct why_line {
    char *condition; /* "parties(external) >= 10" */
    char *has;       /* "41", or "41, 62" for several counts; NULL if none of them is known */
};

struct why {
    GPtrArray *lines; /* struct why_line *; empty for `default`, for a fault, and for a policy that is not kept */
};

/*
 * `policy` is the canonical text, or NULL; `parties` are the row's (struct
 * ledger_party *), which the counts of classes come from.
 */
struct why *why_new(const struct ledger_message *message, const GPtrArray *parties, const char *policy);
void why_free(struct why *why);
AUTO_FREE_DEFINE(why, why_free)

#endif
