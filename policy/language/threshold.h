/*
 * threshold - the count tests of a policy that part messages by how many there are.
 */
#ifndef RCPTGUARD_THRESHOLD_H
#define RCPTGUARD_THRESHOLD_H

#include "policy/exposure/class_mask.h"
#include "policy/exposure/exposure.h"

struct policy;
struct test;

/*
 * A count test that parts messages by how many there are: on one side of it a
 * rule says yes, on the other no.  `=` is none, nor is what every count passes.
 */
struct threshold {
    const struct test *test;
    const char *text; /* as `print` writes the test */
    unsigned rule;    /* index of the rule that it belongs to */
    enum count count;
    class_mask classes;
    bool alone;      /* it decides its rule whatever other tests say, on its upper or its lower side */
    unsigned number; /* the least count on its upper side: 10 of `>= 10` and `< 10`, 11 of `> 10` and `<= 10` */
};

/* Once there are no errors: finds those of the rules. */
void policy_find_thresholds(struct policy *policy);

#endif
