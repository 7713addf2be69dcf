/*
 * condition_opaque - whether something in a message was not read that may hold addresses, and why.  Private to the
 * library.
 */
#ifndef RCPTGUARD_CONDITION_OPAQUE_H
#define RCPTGUARD_CONDITION_OPAQUE_H

#include "policy/conditions/condition.h"

extern const struct condition_kind condition_opaque;

#endif
