/*
 * condition_flag - facts of a message that are true or not: who sent it, what is wrong with it.  Private to the
 * library.
 */
#ifndef RCPTGUARD_CONDITION_FLAG_H
#define RCPTGUARD_CONDITION_FLAG_H

#include "policy/conditions/condition.h"

extern const struct condition_kind condition_flag;

/* Whether a test is `authenticated`, or `known`. */
bool condition_is_authenticated(const struct test *test);
bool condition_is_known(const struct test *test);

#endif
