/*
 * override - refusals that their sender may override: a permit for each, kept in the state, and the message that is
 * sent again with its code.  Private to the library.
 */
#ifndef RCPTGUARD_OVERRIDE_H
#define RCPTGUARD_OVERRIDE_H

#include "policy/conditions/condition.h"
#include "policy/engine/policy.h"

/*
 * Keeps a permit for a message that a rule refuses, for that many seconds.  STATE_OK and its code; STATE_BOUND where
 * there can be none: the header could not be read whole, or there are too many recipients.
 */
enum state_outcome override_permit(struct evaluation *evaluation, const char *rule, unsigned seconds, state_hash *code);

/*
 * What becomes of a message that came with a code, before any rule is tried.  True, if the rules are to be tried:
 * `override` then holds which one is skipped.  Else the verdict is given.
 */
bool override_claim(struct evaluation *evaluation, struct verdict *verdict, const struct evaluate_options *options);

/* Whether the code is for this rule, which is skipped then. */
bool override_skips(const struct evaluation *evaluation, const struct verdict *verdict, const char *rule);

/* The verdict where the state gave no answer: a refusal for now, whatever becomes of other messages then. */
void override_set_away(struct verdict *verdict, const char *rule, unsigned line);

#endif
