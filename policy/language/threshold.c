/* threshold - see threshold.h */

#include "policy/language/threshold.h"

#include "policy/syntax/ast.h"

/* The least count on the upper side; 0 if there is no such side, or no lower one. */
static unsigned upper_side(const struct test *test)
{
    switch (test->comparison) {
    case AT_LEAST:
    case LESS:
        return test->number;
    case MORE:
    case AT_MOST:
        return test->number + 1;
    case EXACTLY:
        break;
    }
    return 0;
}

static void find_in(struct policy *policy, unsigned rule, const struct expression *expression)
{
    const struct test *test = expression->test;
    struct threshold found;

    if (expression->kind != EXPRESSION_TEST) {
        for (unsigned i = 0; i < expression->parts->len; i++)
            find_in(policy, rule, g_ptr_array_index(expression->parts, i));
        return;
    }
    if (test->kind != TEST_COUNT || upper_side(test) == 0)
        return;
    found = (struct threshold){
        .test = test,
        .text = test->text,
        .rule = rule,
        .count = test->count,
        .classes = test->mask,
        .number = upper_side(test),
    };
    g_array_append_val(policy->thresholds, found);
}

void policy_find_thresholds(struct policy *policy)
{
    for (unsigned i = 0; i < policy->rules->len; i++) {
        const struct rule *rule = g_ptr_array_index(policy->rules, i);
        find_in(policy, i, rule->when);
    }
}
