/*
 * evaluate - what the policy says of a message; see policy.h.
 *
 * A test gives yes, no, or a fault: a pattern hit its limit, a count rests on one
 * that did, or a header holds more than is read.  A fault is never "no": it ends
 * the evaluation of its rule.
 */

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/conditions/condition_count.h"
#include "policy/engine/policy.h"
#include "policy/syntax/template.h"

static int run_test(struct evaluation *evaluation, const struct test *test)
{
    int result = test->kind->evaluate(evaluation, test);

    if (evaluation->trace != NULL) {
        g_autofree char *value = test->kind->value(evaluation, test);
        evaluation->trace->test(evaluation->trace->data, test->text, value, result);
    }
    return result;
}

static void group_begin(const struct evaluation *evaluation, const struct expression *expression)
{
    if (evaluation->trace != NULL && evaluation->trace->group != NULL)
        evaluation->trace->group(evaluation->trace->data, expression->kind == EXPRESSION_NOT   ? "not"
                                                          : expression->kind == EXPRESSION_AND ? "and"
                                                                                               : "or");
}

static void group_end(const struct evaluation *evaluation)
{
    if (evaluation->trace != NULL && evaluation->trace->group_end != NULL)
        evaluation->trace->group_end(evaluation->trace->data);
}

/* Tells of tests that were not needed to decide. */
static void skip(const struct evaluation *evaluation, const struct expression *expression)
{
    if (evaluation->trace == NULL)
        return;
    if (expression->test != NULL) {
        evaluation->trace->test(evaluation->trace->data, expression->test->text, NULL, TEST_NO);
        return;
    }
    group_begin(evaluation, expression);
    for (unsigned i = 0; i < expression->parts->len; i++)
        skip(evaluation, g_ptr_array_index(expression->parts, i));
    group_end(evaluation);
}

/* From left to right, as far as is needed. */
static int run(struct evaluation *evaluation, const struct expression *expression)
{
    int deciding = expression->kind == EXPRESSION_OR ? TEST_YES : TEST_NO;
    int result = !deciding;
    bool decided = false;
    const struct count_test *counted = evaluation->counted;

    if (expression->kind == EXPRESSION_TEST) {
        result = run_test(evaluation, expression->test);
        if (result == TEST_YES && counted == NULL)
            evaluation->counted = count_test_of(expression->test);
        return result;
    }
    group_begin(evaluation, expression);
    if (expression->kind == EXPRESSION_NOT) {
        result = run(evaluation, g_ptr_array_index(expression->parts, 0));
        evaluation->counted = counted;
        group_end(evaluation);
        return result == TEST_FAULT ? TEST_FAULT : !result;
    }
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(expression->parts, i);
        if (decided) {
            skip(evaluation, part);
            continue;
        }
        result = run(evaluation, part);
        decided = result == TEST_FAULT || result == deciding;
    }
    if (result != TEST_YES)
        evaluation->counted = counted;
    group_end(evaluation);
    return result;
}

/* ---- outbound */

/* What `outbound` means where the policy does not say: rcptguard-policy(5). */
static int outbound_by_default(struct evaluation *evaluation)
{
    const struct message *message = evaluation->message;

    if (message->authenticated)
        return TEST_YES;
    if (evaluation->sender[0] == '\0' || !(message->local || client_is_loopback(message->client)))
        return TEST_NO;
    return evaluation_in_classes(evaluation, evaluation->sender, (class_mask)1 << CLASS_INTERNAL);
}

static int outbound_as_written(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct trace *trace = evaluation->trace;

    if (trace != NULL)
        trace->rule(trace->data, "outbound", source_line(policy->source, policy->outbound_offset), false, false);
    int result = run(evaluation, policy->outbound);
    if (trace != NULL)
        trace->rule_end(trace->data, result);
    return result;
}

enum outbound policy_outbound_traced(struct policy *policy, const struct message *message, const struct trace *trace)
{
    struct evaluation evaluation;

    evaluation_start(&evaluation, policy, message);
    evaluation.trace = trace;
    int result = policy->outbound != NULL ? outbound_as_written(&evaluation) : outbound_by_default(&evaluation);
    evaluation_end(&evaluation);
    return result == TEST_FAULT ? OUTBOUND_FAULT : result == TEST_YES ? OUTBOUND_YES : OUTBOUND_NO;
}

enum outbound policy_outbound(struct policy *policy, const struct message *message)
{
    return policy_outbound_traced(policy, message, NULL);
}

/* ---- the verdict */

static void set_fault(struct verdict *verdict, const char *name, unsigned line, enum disposition on_fault,
                      unsigned approvals)
{
    verdict->disposition = on_fault;
    verdict->fault = true;
    verdict->rule = g_strconcat("fault:", name, NULL);
    verdict->line = line;
    verdict->text =
        g_strdup_printf("the policy could not be evaluated: a test needed by %s went beyond its limit", name);
    /* What a rule asks for is not lost with it. */
    verdict->approvals = on_fault != DISPOSITION_QUARANTINE ? 0 : MAX(approvals, 1);
}

static void set_action(struct evaluation *evaluation, struct verdict *verdict, const struct action *action,
                       const char *name, unsigned line)
{
    struct text_values values = {
        .exposure = verdict->exposure,
        .message = evaluation->message,
        .rule = name,
        .contact = policy_contact(evaluation->policy),
    };

    if (evaluation->counted != NULL) {
        values.counted = evaluation->counted->count;
        values.counted_mask = evaluation->counted->mask;
    }
    verdict->disposition = action->disposition;
    verdict->rule = g_strdup(name);
    verdict->line = line;
    verdict->text = action->template != NULL ? text_expand(action->template, &values) : NULL;
    verdict->approvals = action->approvals;
}

/* Whether this rule decides; the verdict is set then. */
static bool judge_by_rule(struct evaluation *evaluation, struct verdict *verdict, const struct rule *rule,
                          const struct judge_options *options)
{
    const struct trace *trace = options->trace;
    bool expired = options->now >= rule->until;
    int result = TEST_NO;

    if (trace != NULL)
        trace->rule(trace->data, rule->name->text, rule->line, rule->monitor, expired);
    evaluation->counted = NULL;
    if (!expired)
        result = run(evaluation, rule->when);
    if (trace != NULL)
        trace->rule_end(trace->data, result);
    if (result == TEST_NO)
        return false;
    if (rule->monitor) {
        const char *would = result == TEST_FAULT ? "fault" : disposition_name(rule->action.disposition);
        g_ptr_array_add(verdict->would, g_strconcat(would, ":", rule->name->text, NULL));
        return false;
    }
    if (result == TEST_FAULT) {
        set_fault(verdict, rule->name->text, rule->line, options->on_fault, rule->action.approvals);
        return true;
    }
    if (evaluation->counted == NULL)
        evaluation->counted = expression_first_count(rule->when);
    set_action(evaluation, verdict, &rule->action, rule->name->text, rule->line);
    return true;
}

/* Whether an expression comes out as this test of it does: everything beside it leaves that open. */
static bool hangs_on(struct evaluation *evaluation, const struct expression *expression, const struct test *test)
{
    int open = expression->kind == EXPRESSION_OR ? TEST_NO : TEST_YES;
    bool found = false;

    if (expression->kind == EXPRESSION_TEST)
        return expression->test == test;
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(expression->parts, i);
        if (!found && hangs_on(evaluation, part, test))
            found = true;
        else if (run(evaluation, part) != open)
            return false;
    }
    return found;
}

/*
 * Tells of the thresholds of the first `reached` rules.  The verdict is given by
 * then: what is tried here takes nothing from the budget that it was given with.
 */
static void watch_thresholds(struct evaluation *evaluation, const struct judge_options *options, unsigned reached)
{
    const struct policy *policy = evaluation->policy;

    evaluation->trace = NULL;
    for (unsigned i = 0; i < policy->thresholds->len && !exposure_fault(evaluation->exposure); i++) {
        const struct threshold *threshold = &g_array_index(policy->thresholds, struct threshold, i);
        const struct rule *rule = g_ptr_array_index(policy->rules, threshold->rule);
        if (threshold->rule < reached && options->now < rule->until &&
            hangs_on(evaluation, rule->when, threshold->test))
            options->watch->hangs(options->watch->data, i,
                                  exposure_count(evaluation->exposure, threshold->count, threshold->classes));
    }
}

struct verdict *policy_judge(struct policy *policy, const struct message *message, const struct judge_options *options)
{
    struct verdict *verdict = g_new0(struct verdict, 1);
    struct evaluation evaluation;
    unsigned reached = 0;
    bool decided = false;

    evaluation_start(&evaluation, policy, message);
    evaluation.trace = options->trace;
    verdict->would = g_ptr_array_new_with_free_func(g_free);
    verdict->exposure = evaluation.exposure = exposure_read(policy->classes, message, evaluation.budget);
    if (options->outbound == OUTBOUND_FAULT) {
        set_fault(verdict, "outbound",
                  policy->outbound != NULL ? source_line(policy->source, policy->outbound_offset) : 0,
                  options->on_fault, 1);
        decided = true;
    }
    for (; !decided && reached < policy->rules->len; reached++)
        decided = judge_by_rule(&evaluation, verdict, g_ptr_array_index(policy->rules, reached), options);
    if (!decided)
        set_action(&evaluation, verdict, &policy->fallback, "default", policy->fallback_line);
    if (options->watch != NULL)
        watch_thresholds(&evaluation, options, reached);
    evaluation_end(&evaluation);
    return verdict;
}

bool policy_is_internal(struct policy *policy, const struct message *message, const char *address)
{
    struct evaluation evaluation;
    g_autofree char *normal = address_normalise_envelope(address);

    evaluation_start(&evaluation, policy, message);
    int result = evaluation_in_classes(&evaluation, normal, (class_mask)1 << CLASS_INTERNAL);
    evaluation_end(&evaluation);
    return result == TEST_YES;
}
