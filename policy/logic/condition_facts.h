/*
 * condition_facts - what the tests of a policy ask for, each once, and what is known of
 * one from another.  Private to the library; condition_solver.h is what uses it.
 *
 * A fact is a test that is true or not; a variable is a count, which a test
 * compares.  Tests of a policy that ask for the same share one.
 *
 * Ownership: facts_free; the policy has to outlive it.
 */
#ifndef RCPTGUARD_CONDITION_FACTS_H
#define RCPTGUARD_CONDITION_FACTS_H

#include "policy/exposure/exposure.h"
#include "policy/syntax/ast.h"

/* If a fact has the value, the fact `other` has the value `then`. */
struct consequence {
    unsigned other;
    bool then;
};

struct variable {
    enum count count;
    class_mask mask; /* without classes that nothing is counted as */
    unsigned most;   /* no message has more */
};

/* `low` is at most `high`, or only: where `low` is not zero, neither is `high`. */
struct order {
    unsigned low, high;
    bool presence;
};

/* `total` is at most `one` and `other` together. */
struct sum {
    unsigned total, one, other;
};

struct facts {
    GHashTable *places;         /* const struct test * -> index of its fact or variable */
    GPtrArray *tests;           /* const struct test *: one for each fact */
    GPtrArray *consequences[2]; /* by value: for each fact, a GArray of struct consequence */
    GArray *variables;          /* struct variable */
    GArray *orders;             /* struct order */
    GArray *sums;               /* struct sum */
};

struct facts *facts_new(const struct policy *policy);
void facts_free(struct facts *facts);

unsigned facts_place(const struct facts *facts, const struct test *test);

#endif
