/*
 * ledger_hours - when messages were held and decided: how many in each hour, or any other part of the day.
 *
 * What the ledger no longer keeps is not counted: see ledger_prune.
 *
 * Ownership, times, errors: as in ledger.h.
 */
#ifndef RCPTGUARD_LEDGER_HOURS_H
#define RCPTGUARD_LEDGER_HOURS_H

#include "milter/ledger/ledger.h"

/* What became of held messages: each is counted once, in one of these. */
enum ledger_outcome { LEDGER_HOUR_RELEASED, LEDGER_HOUR_RETURNED, LEDGER_HOUR_DELETED, LEDGER_HOUR_EXPIRED };
#define LEDGER_OUTCOMES (LEDGER_HOUR_EXPIRED + 1)

/* "released", "returned", "deleted", "expired": the last is what was returned or deleted because nobody decided. */
const char *ledger_outcome_name(enum ledger_outcome outcome);

struct ledger_hour {
    gint64 start;
    unsigned held;
    unsigned outcomes[LEDGER_OUTCOMES];
};

/*
 * struct ledger_hour, the oldest first: of each span of `length` microseconds, counted from 1970, in which something
 * happened, from that of `since` on.
 */
GArray *ledger_hours(struct ledger *ledger, gint64 since, gint64 length, struct database_error *error);

#endif
