/*
 * hold_reasons - why a message is held, in words: the rule as it was then, with what the
 * message had for each test of it of which the ledger knows that.
 */
#ifndef RCPTGUARD_HOLD_REASONS_H
#define RCPTGUARD_HOLD_REASONS_H

#include "milter/ledger/ledger.h"
#include "policy/engine/kept_policy.h"

/*
 * `policy` is the canonical text, or NULL; `parties` are the row's (struct
 * ledger_party *), which the counts of classes come from.  Gives struct kept_line *,
 * freed with the array: none for `default`, for a fault, and for a policy that is
 * not kept.
 */
GPtrArray *hold_reasons(const struct ledger_message *message, const GPtrArray *parties, const char *policy);

#endif
