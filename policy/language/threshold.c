/* threshold - see threshold.h */

#include "policy/language/threshold.h"

#include "policy/conditions/condition_count.h"

/* The least count on the upper side; 0 if there is no such side, or no lower one. */
static unsigned upper_side(const struct number_comparison *comparison)
{
    switch (comparison->comparison) {
    case AT_LEAST:
    case LESS:
        return comparison->number;
    case MORE:
    case AT_MOST:
        return comparison->number + 1;
    case EXACTLY:
        break;
    }
    return 0;
}

/* `negated`: within an odd number of `not`; `alone`: no other test has to hold for the rule to match. */
static void find_in(struct policy *policy, unsigned rule, const struct expression *expression, bool negated, bool alone)
{
    const struct count_test *count = count_test_of(expression->test);

    if (expression->kind == EXPRESSION_NOT)
        negated = !negated;
    else if (expression->kind != EXPRESSION_TEST)
        alone = alone && expression->kind == (negated ? EXPRESSION_AND : EXPRESSION_OR);
    if (expression->kind != EXPRESSION_TEST) {
        for (unsigned i = 0; i < expression->parts->len; i++)
            find_in(policy, rule, g_ptr_array_index(expression->parts, i), negated, alone);
        return;
    }
    if (count == NULL || upper_side(&count->comparison) == 0)
        return;
    struct threshold found = (struct threshold){
        .test = &count->test,
        .text = count->test.text,
        .rule = rule,
        .count = count->count,
        .classes = count->mask,
        .alone = alone,
        .number = upper_side(&count->comparison),
    };
    g_array_append_val(policy->thresholds, found);
}

void policy_find_thresholds(struct policy *policy)
{
    for (unsigned i = 0; i < policy->rules->len; i++) {
        const struct rule *rule = g_ptr_array_index(policy->rules, i);
        find_in(policy, i, rule->when, false, true);
    }
}
