/*
 * arrival_answers - the recipients of a message that are addresses of ours, by which people answer; see
 * answer_address.h.
 */
#ifndef RCPTGUARD_ARRIVAL_ANSWERS_H
#define RCPTGUARD_ARRIVAL_ANSWERS_H

#include "milter/answers/answer_address.h"
#include "milter/arrival/arrival.h"
#include "policy/engine/policy.h"

/* All zero: none. */
struct arrival_answers {
    GPtrArray *overrides;           /* char *: those that override a refusal, as the MTA wrote them; or NULL */
    struct override_code code;      /* of these */
    struct answer_address decision; /* one that is about held mail */
    unsigned recipients;            /* all of them, where people answer by mail */
};

/* Whether a recipient is an address of ours, which is no recipient then. */
bool arrival_answers_take(struct arrival_answers *answers, const struct review *review, const struct arrival_room *room,
                          struct arrival *arrival, const char *recipient);

void arrival_answers_clear(struct arrival_answers *answers);

#endif
