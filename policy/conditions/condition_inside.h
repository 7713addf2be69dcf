/*
 * condition_inside - how many people, parties or domains of some classes a message shows beside its recipient headers:
 * in parts of its body, and in other header fields.  Private to the library.
 */
#ifndef RCPTGUARD_CONDITION_INSIDE_H
#define RCPTGUARD_CONDITION_INSIDE_H

#include "policy/conditions/condition_count.h"

/* Where: a kind of part, or a header field. */
struct inside_part {
    const char *word;
    struct item *field; /* of `header`, or NULL */
};

/* A count with places: it begins as one, so that whatever parses or prints a count does so for it. */
struct inside_test {
    struct count_test count;
    GArray *parts;  /* struct inside_part, as written */
    unsigned kinds; /* bits of enum part_kind, and those of body_facts_field_bit */
};

/* NULL if a test is of another kind, or no test. */
const struct inside_test *inside_test_of(const struct test *test);

/* The first in the order of writing that is not within `not`; NULL if there is none. */
const struct inside_test *expression_first_inside(const struct expression *expression);

/* What it counts, without the comparison: "visible(external) inside calendar". */
void inside_print_count(GString *out, const struct inside_test *inside);

/* TEST_YES and what a message has there; TEST_FAULT, or TEST_ERROR if its body was not read. */
int inside_value(struct evaluation *evaluation, const struct inside_test *inside, unsigned *value);

#endif
