/*
 * kept_policy - what a rule of a policy that was kept asked for, and what a message of that time had.
 *
 * Ownership: lines are freed with their array.
 */
#ifndef RCPTGUARD_KEPT_POLICY_H
#define RCPTGUARD_KEPT_POLICY_H

#include "policy/conditions/kept_facts.h"
#include "policy/engine/policy.h"
#include "policy/engine/verdict.h"

/* A line of a rule's condition, as the canonical text has it: each part of the outermost `and` or `or` is one. */
struct kept_line {
    char *condition; /* "parties(external) >= 10" */
    char *has;       /* what the message has: "41"; "41, ?" for two tests, one of which is not kept; NULL: not shown */
};

/* An array of struct kept_inside, which it frees. */
GArray *kept_inside_new(void);

/* Such an array: what the message of a verdict had for each such count of the rule. */
GArray *kept_policy_inside(const struct policy *policy, const struct verdict *verdict);

/* struct kept_line *: empty if policy_read_kept found no such rule. */
GPtrArray *kept_policy_condition(const struct policy *policy, const char *rule, const struct kept_facts *facts);

#endif
