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
 * ledger_party *), which the counts of classes come from; `remembered` may be NULL; `inside` (struct kept_inside) too.
 * Gives struct kept_line *, freed with the array: none for `default`, for a fault, and for a policy that is not kept.
 */
GPtrArray *hold_reasons(const struct ledger_message *message, const GPtrArray *parties,
                        const struct ledger_remembered *remembered, const GArray *inside, const char *policy);

/*
 * What it shows beside its recipient headers, a line for each kind of part: "calendar: 45 addresses of 43 parties";
 * `separator` is between them.  For g_free; NULL: no rule asked.
 */
char *hold_inside(const struct inside_counts *counts, const char *separator);

/* Why something of it was not read: "encrypted, types"; for g_free.  NULL: everything was, or no rule asked. */
char *hold_opaque(const struct inside_counts *counts);

/* "split: 27 parties", the value of the window of the rule that holds it; for g_free.  NULL: it has none. */
char *hold_within(const struct ledger_message *message, const struct ledger_remembered *remembered);

/* The same as the log has it: "split:27", "split:many", "split:away". */
char *hold_within_field(const struct ledger_message *message, const struct ledger_remembered *remembered);

/* Whether its parties were known: "yes", "no", or NULL: it was not asked. */
const char *hold_known(const struct ledger_remembered *remembered);

#endif
