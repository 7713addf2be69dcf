/*
 * conditions - the kinds of tests that a rule can have.  Private to the library.
 */
#ifndef RCPTGUARD_CONDITIONS_H
#define RCPTGUARD_CONDITIONS_H

#include "policy/conditions/condition.h"

/* Each kind; ends with NULL. */
extern const struct condition_kind *const condition_kinds[];

/* The kind that has a word, as its `words[*index]`; NULL if none has. */
const struct condition_kind *condition_find(const char *word, unsigned *index);

#endif
