/*
 * body_facts - what one message shows beside its recipient headers, read once when a test asks for it.  Private to the
 * library.
 */
#ifndef RCPTGUARD_BODY_FACTS_H
#define RCPTGUARD_BODY_FACTS_H

#include "policy/conditions/condition.h"
#include "policy/exposure/parts_exposure.h"

/* NULL: the body was not read, so that nothing is known of it; a test gives TEST_ERROR then. */
const struct parts_exposure *body_facts(struct evaluation *evaluation);

/* The bit of a header field that a test names, by its place among those of the policy. */
unsigned body_facts_field_bit(unsigned place);

#endif
