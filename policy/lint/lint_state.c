/*
 * lint_state - what depends on earlier messages: windows that never decide, or decide too much, and what is
 * remembered or asked in vain.
 */

#include "policy/conditions/condition_flag.h"
#include "policy/conditions/condition_subject.h"
#include "policy/conditions/condition_window.h"
#include "policy/engine/policy.h"
#include "policy/lint/lint.h"

/* ---- thresholds of windows */

static bool is_of_few(enum comparison comparison)
{
    return comparison == AT_MOST || comparison == LESS || comparison == EXACTLY;
}

static void lint_number(const struct lint *lint, const struct window_test *window)
{
    const struct number_comparison *comparison = &window->count.comparison;
    const unsigned least = comparison->number + (comparison->comparison == MORE);
    const char *text = window->count.test.text;
    size_t offset = window->count.test.offset;

    if (is_of_few(comparison->comparison))
        lint_warn(lint, LINT_WINDOW_THRESHOLD, offset,
                  "`%s` is true of nearly all mail: of what shows fewer than two parties a window is 0; at least is "
                  "written `>=`",
                  text);
    else if (least <= (window->count.count == COUNT_DOMAINS ? 1 : 2))
        lint_warn(lint, LINT_WINDOW_THRESHOLD, offset,
                  "`%s` is true of every message that is in the window, whatever came before it", text);
    else if (least > STATE_WINDOW_LIMIT)
        lint_warn(lint, LINT_WINDOW_THRESHOLD, offset,
                  "a window counts up to %u, and `%s` is true beyond that whatever its number", STATE_WINDOW_LIMIT,
                  text);
}

/* A count of the same classes that asks for as many parties in this one message, which is in the window then. */
static bool asks_as_many(const struct test *test, const struct window_test *window)
{
    const struct count_test *count = count_test_of(test);

    return count != NULL && count->count == COUNT_PARTIES && window->count.count == COUNT_PARTIES &&
           (count->mask & ~window->count.mask) == 0 &&
           (count->comparison.comparison == AT_LEAST || count->comparison.comparison == MORE) &&
           !is_of_few(window->count.comparison.comparison) &&
           count->comparison.number >= window->count.comparison.number;
}

/* Tests of one `and`: where the message alone has to show as many, its window decides nothing. */
static void lint_beside(const struct lint *lint, const struct expression *all, const struct window_test *window)
{
    for (unsigned i = 0; i < all->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(all->parts, i);
        if (part->test != NULL && asks_as_many(part->test, window)) {
            lint_warn(lint, LINT_WINDOW_THRESHOLD, window->count.test.offset,
                      "`%s` decides nothing beside `%s`, which asks as much of one message", window->count.test.text,
                      part->test->text);
            return;
        }
    }
}

static void lint_windows_of(const struct lint *lint, const struct expression *expression)
{
    if (expression->test != NULL && window_test_of(expression->test) != NULL)
        lint_number(lint, window_test_of(expression->test));
    for (unsigned i = 0; expression->test == NULL && i < expression->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(expression->parts, i);
        const struct window_test *window = window_test_of(part->test);
        /* What is known is not in the window, and so the window does decide. */
        if (window != NULL && expression->kind == EXPRESSION_AND && lint->policy->remember.text == NULL)
            lint_beside(lint, expression, window);
        lint_windows_of(lint, part);
    }
}

/* ---- what a rule is made of */

struct kinds {
    const struct test *alike, *window, *count, *known, *sender;
};

static bool is_of_sender(const struct test *test)
{
    const struct subject_test *subject = subject_test_of(test);

    return subject != NULL &&
           (subject->subject == SUBJECT_SENDER || subject->subject == SUBJECT_FROM || subject->subject == SUBJECT_USER);
}

/* `negated`: within an odd number of `not`; a sender that is exempt is not what a rule is about. */
static void find_kinds(const struct expression *expression, bool negated, struct kinds *kinds)
{
    const struct test *test = expression->test;
    const struct window_test *window = window_test_of(test);

    for (unsigned i = 0; test == NULL && i < expression->parts->len; i++)
        find_kinds(g_ptr_array_index(expression->parts, i), negated != (expression->kind == EXPRESSION_NOT), kinds);
    if (test == NULL)
        return;
    if (window != NULL)
        *(window->alike ? &kinds->alike : &kinds->window) = test;
    if (count_test_of(test) != NULL && count_test_of(test)->comparison.number > 2)
        kinds->count = test;
    if (condition_is_known(test) && kinds->known == NULL)
        kinds->known = test;
    if (is_of_sender(test) && !negated)
        kinds->sender = test;
}

static void lint_rule_state(const struct lint *lint, const struct rule *rule)
{
    struct kinds kinds = {0};
    bool stops = disposition_stops(rule->action.disposition);

    find_kinds(rule->when, false, &kinds);
    lint_windows_of(lint, rule->when);
    if (kinds.known != NULL && lint->policy->remember.text == NULL)
        lint_warn(lint, LINT_KNOWN_WITHOUT_REMEMBER, kinds.known->offset,
                  "`known` is never true without a statement such as `remember 90d`");
    if (kinds.known != NULL && kinds.sender != NULL && stops)
        lint_warn(
            lint, LINT_KNOWN_SENSITIVE, kinds.known->offset,
            "rule `%s` is about certain senders, and `known` asks what anyone here has sent: people who know each "
            "other from other mail are not stopped",
            rule->name->text);
    if (rule->action.disposition == DISPOSITION_REJECT && kinds.alike != NULL && kinds.window == NULL &&
        kinds.count == NULL)
        lint_warn(lint, LINT_ALIKE_ALONE, kinds.alike->offset,
                  "rule `%s` refuses mail because letters have the same subject, which is a guess; hold it with "
                  "`quarantine`, or refuse by a window without `alike`",
                  rule->name->text);
}

void lint_state(const struct lint *lint)
{
    const struct policy *policy = lint->policy;

    for (unsigned i = 0; i < policy->rules->len; i++)
        if (!lint_rule_is_over(lint, lint_rule(lint, i)))
            lint_rule_state(lint, lint_rule(lint, i));
    if (policy->remember.text != NULL && policy_state(policy).remember == 0)
        lint_warn(lint, LINT_REMEMBER_UNUSED, policy->remember.offset,
                  "what is remembered is not used: no rule has `known` or counts `within` a time");
}
