/*
 * lint_exemptions - rules that let mail pass for what its writer says of
 * himself.  Whoever can log in can write any sender, author and header; who
 * they are is told by `user`, `client` and `listener`.
 */

#include "policy/conditions/condition_header.h"
#include "policy/conditions/condition_subject.h"
#include "policy/lint/lint.h"
#include "policy/logic/expression_ways.h"

/*
 * Ways in which an expression comes out true: see expression_ways.h.  A way rests on what can
 * be forged, or does not; and it has a test of who sends, or has none.
 */
#define WAY_FORGEABLE WAY_ONE
#define WAY_KNOWN     WAY_OTHER

static enum way way_of(const struct test *test, bool holds)
{
    const struct subject_test *subject = subject_test_of(test);

    if (header_test_of(test) != NULL || (subject != NULL && subject_is_address(subject->subject)))
        return WAY_FORGEABLE;
    if (subject == NULL)
        return WAY_NEITHER;
    /* "Not this user" is nearly everybody. */
    return holds ? WAY_KNOWN : WAY_NEITHER;
}

/* The first test of a way that rests on what can be forged alone. */
static const struct test *forgeable_test(const struct expression *expression, bool holds)
{
    bool negated = expression->kind == EXPRESSION_NOT;

    if (expression->test != NULL)
        return expression_ways(expression, holds, way_of) == WAY_FORGEABLE ? expression->test : NULL;
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(expression->parts, i);
        if ((expression_ways(part, holds != negated, way_of) & WAY_FORGEABLE) != 0)
            return forgeable_test(part, holds != negated);
    }
    return NULL;
}

/* That no test of who sends is true. */
static void claim_unknown(GArray *claims, const struct expression *expression)
{
    const struct claim claim = {expression, false};

    if (expression->test != NULL && way_of(expression->test, true) == WAY_KNOWN)
        g_array_append_val(claims, claim);
    for (unsigned i = 0; expression->test == NULL && i < expression->parts->len; i++)
        claim_unknown(claims, g_ptr_array_index(expression->parts, i));
}

/* Whether the rule lets something pass that a later one, up to `last`, would stop, and that comes from anybody. */
static bool matters(const struct lint *lint, unsigned index, unsigned last)
{
    const struct rule *rule = lint_rule(lint, index);
    const struct claim passes = {rule->when, true};
    g_autoptr(GArray) claims = g_array_new(FALSE, FALSE, sizeof(struct claim));

    if (disposition_stops(lint->policy->fallback.disposition))
        return true;
    g_array_append_val(claims, passes);
    claim_unknown(claims, rule->when);
    unsigned known = claims->len;
    for (unsigned i = index + 1; i <= last; i++) {
        const struct rule *later = lint_rule(lint, i);
        const struct claim stops = {later->when, true};
        if (!disposition_stops(later->action.disposition) || lint_rule_is_over(lint, later))
            continue;
        g_array_set_size(claims, known);
        g_array_append_val(claims, stops);
        if (logic_possible(lint->logic, (const struct claim *)(void *)claims->data, claims->len))
            return true;
    }
    return false;
}

void lint_exemptions(const struct lint *lint)
{
    unsigned last = 0; /* rule that stops anything */

    for (unsigned i = 0; i < lint->policy->rules->len; i++)
        if (disposition_stops(lint_rule(lint, i)->action.disposition))
            last = i;
    for (unsigned i = 0; i < lint->policy->rules->len; i++) {
        const struct rule *rule = lint_rule(lint, i);
        if (rule->monitor || disposition_stops(rule->action.disposition) || lint_rule_is_over(lint, rule) ||
            (expression_ways(rule->when, true, way_of) & WAY_FORGEABLE) == 0 || !matters(lint, i, last))
            continue;
        const struct test *test = forgeable_test(rule->when, true);
        lint_warn(lint, LINT_FORGEABLE_EXEMPTION, test != NULL ? test->offset : rule->name->offset,
                  "rule `%s` lets mail pass by `%s`, which anyone with a login can write; test `user` (a name alone is "
                  "also that login at an internal domain), `client` or `listener` as well",
                  rule->name->text, test != NULL ? test->text : "");
    }
}
