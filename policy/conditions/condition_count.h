/*
 * condition_count - how many recipients, parties or domains of some classes.  Private to the library.
 */
#ifndef RCPTGUARD_CONDITION_COUNT_H
#define RCPTGUARD_CONDITION_COUNT_H

#include "policy/conditions/condition.h"

struct count_test {
    struct test test;
    enum count count;
    GPtrArray *classes; /* struct item * */
    GPtrArray *away;    /* those of them that are taken away with `not` */
    class_mask mask;
    struct number_comparison comparison;
};

extern const struct condition_kind condition_count;

/*
 * What such a test becomes if `within` or `inside` comes after its classes: see condition_window.h and
 * condition_inside.h, whose structs begin as this.
 */
extern const struct condition_kind condition_window;
extern const struct condition_kind condition_inside;
#define COUNT_TEST_SIZE 128u /* enough for all */

/* "parties(external, not partner)" */
void count_print_classes(GString *out, const struct count_test *count);

/* NULL if a test is of another kind, or no test. */
const struct count_test *count_test_of(const struct test *test);

/* The first count in the order of writing that is not within `not`; NULL if there is none. */
const struct count_test *expression_first_count(const struct expression *expression);

#endif
