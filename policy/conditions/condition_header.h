/*
 * condition_header - whether a message has a header field, and what its value is.  Private to the library.
 */
#ifndef RCPTGUARD_CONDITION_HEADER_H
#define RCPTGUARD_CONDITION_HEADER_H

#include "policy/conditions/condition.h"

struct header_test {
    struct test test;
    struct item *name;
    struct text_comparison comparison;
    char *value; /* what `=` compares with, its case folded */
};

extern const struct condition_kind condition_header;

/* NULL if a test is of another kind, or no test. */
const struct header_test *header_test_of(const struct test *test);

/* Says what is wrong with the name of a header field, if anything is. */
void header_name_check(struct resolver *resolver, const struct item *name);

#endif
