/*
 * lint - what is no error in a policy and yet surely not meant; see policy.h.
 */

#include "language.h"
#include "recipients.h"

/*
 * Postfix cuts a header to 10,240 tokens (header_address_token_limit), and
 * `a@b,` has four of them: so many recipients one header brings at most.
 */
#define POSTFIX_HEADER_RECIPIENTS (10240u / 4)

/* The least count for which the test is true by being large; 0 if it is none of "at least". */
static unsigned needed(const struct test *test)
{
    switch (test->comparison) {
    case AT_LEAST:
    case EXACTLY:
        return test->number;
    case MORE:
        return test->number + 1;
    case AT_MOST:
    case LESS:
        break;
    }
    return 0;
}

static void lint_count(const struct policy *policy, const struct test *test, struct diags *diags)
{
    unsigned least = needed(test);

    if (test->count == COUNT_RECIPIENTS || test->count == COUNT_HIDDEN)
        return;
    if (least > RECIPIENTS_LIMIT)
        source_diag(policy->source, test->offset, diags, DIAG_WARNING,
                    "`%s` is never true: no more than %u recipients are read of one message; test `malformed` instead",
                    test->text, RECIPIENTS_LIMIT);
    else if (least > POSTFIX_HEADER_RECIPIENTS)
        source_diag(
            policy->source, test->offset, diags, DIAG_WARNING,
            "`%s` is never true for one header: Postfix cuts it to %u recipients at most; test `truncated` as well",
            test->text, POSTFIX_HEADER_RECIPIENTS);
}

static void lint_expression(const struct policy *policy, const struct expression *expression, struct diags *diags)
{
    if (expression->kind != EXPRESSION_TEST) {
        for (unsigned i = 0; i < expression->parts->len; i++)
            lint_expression(policy, g_ptr_array_index(expression->parts, i), diags);
        return;
    }
    if (expression->test->kind == TEST_COUNT)
        lint_count(policy, expression->test, diags);
}

void policy_lint(const struct policy *policy, struct diags *diags)
{
    for (unsigned i = 0; i < policy->rules->len; i++) {
        const struct rule *rule = g_ptr_array_index(policy->rules, i);
        lint_expression(policy, rule->when, diags);
    }
}
