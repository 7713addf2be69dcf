/*
 * lint_tests - tests of a policy that say nothing: they are true of every
 * message, or of none, or say what another says; and what ordinary mail shows
 * inside its parts.
 */

#include "policy/lint/lint.h"

#include "policy/conditions/condition_count.h"
#include "policy/conditions/condition_inside.h"
#include "policy/language/print_policy.h"
#include "policy/message/recipients.h"
#include "policy/parts/part_kind.h"

#include <string.h>

/*
 * Postfix cuts a header to 10,240 tokens (header_address_token_limit), and
 * `a@b,` has four of them: that many recipients one header brings at most.
 */
#define POSTFIX_HEADER_RECIPIENTS (10240u / 4)

/* At most this many parts of an `and` or `or` are compared with each other. */
#define PARTS_LIMIT 64u

/* What a message shows of an expression, however long that is. */
#define SHOWN_EXPRESSION_LIMIT 80

static bool can_be(const struct lint *lint, const struct expression *one, bool is, const struct expression *other,
                   bool other_is)
{
    const struct claim claims[] = {{one, is}, {other, other_is}};

    return logic_possible(lint->logic, claims, other == NULL ? 1 : 2);
}

/* The least count for which the test is true by being large; 0 if it is none of "at least". */
static unsigned needed(const struct number_comparison *comparison)
{
    switch (comparison->comparison) {
    case AT_LEAST:
    case EXACTLY:
        return comparison->number;
    case MORE:
        return comparison->number + 1;
    case AT_MOST:
    case LESS:
        break;
    }
    return 0;
}

static bool is_of_headers(const struct count_test *count)
{
    return count->count != COUNT_RECIPIENTS && count->count != COUNT_HIDDEN;
}

/* Each of these says whether it has warned. */

static bool lint_threshold(const struct lint *lint, const struct count_test *count)
{
    const struct test *test = &count->test;
    unsigned least = needed(&count->comparison);

    if (!is_of_headers(count))
        return false;
    if (least > RECIPIENTS_LIMIT) {
        lint_warn(lint, LINT_THRESHOLD_BEYOND_LIMIT, test->offset,
                  "`%s` is never true: no more than %u recipients are read of one message; test `malformed` instead",
                  test->text, RECIPIENTS_LIMIT);
        return true;
    }
    if (least > POSTFIX_HEADER_RECIPIENTS) {
        lint_warn(
            lint, LINT_THRESHOLD_BEYOND_HEADER, test->offset,
            "`%s` is never true for one header: Postfix cuts it to %u recipients at most; test `truncated` as well",
            test->text, POSTFIX_HEADER_RECIPIENTS);
        return true;
    }
    return false;
}

static bool lint_count(const struct lint *lint, const struct expression *expression)
{
    const struct test *test = expression->test;
    const struct count_test *count = count_test_of(test);

    if (count == NULL)
        return false;
    if (lint_threshold(lint, count))
        return true;
    unsigned most = is_of_headers(count) ? RECIPIENTS_LIMIT : MESSAGE_RECIPIENT_LIMIT;
    bool never = !can_be(lint, expression, true, NULL, false);
    if (!never && can_be(lint, expression, false, NULL, false))
        return false;
    lint_warn(lint, never ? LINT_NEVER_TRUE : LINT_ALWAYS_TRUE, test->offset,
              "`%s` is %s true: this count goes from 0 to %u", test->text, never ? "never" : "always", most);
    return true;
}

static char *shown(const struct expression *expression)
{
    char *text = expression_print(expression);

    if (g_utf8_strlen(text, -1) > SHOWN_EXPRESSION_LIMIT) {
        g_autofree char *whole = text;
        g_autofree char *piece = g_utf8_substring(whole, 0, SHOWN_EXPRESSION_LIMIT - 3);
        text = g_strconcat(piece, "...", NULL);
    }
    return text;
}

/* Counts, and the same test twice: `authenticated and user = "x"` says more than it must, and is no mistake. */
static bool are_alike(const struct expression *one, const struct expression *other)
{
    const struct test *a = one->test, *b = other->test;

    return a != NULL && b != NULL &&
           ((count_test_of(a) != NULL && count_test_of(b) != NULL) || strcmp(a->text, b->text) == 0);
}

static void warn_two(const struct lint *lint, enum lint_name name, const struct expression *at,
                     const struct expression *one, const struct expression *other, const char *format)
{
    g_autofree char *first = shown(one);
    g_autofree char *second = shown(other);
    g_autofree char *said = g_strdup_printf("`%s` and `%s` %s", first, second, format);

    lint_warn(lint, name, at->offset, "%s", said);
}

/* Two parts of an `and` or an `or`, in the order in which they are. */
static bool lint_two(const struct lint *lint, const struct expression *whole, const struct expression *one,
                     const struct expression *other)
{
    bool conjunction = whole->kind == EXPRESSION_AND;
    const struct expression *idle;

    if (conjunction && !can_be(lint, one, true, other, true)) {
        warn_two(lint, LINT_NEVER_TRUE, other, one, other, "are never true at once");
        return true;
    }
    if (!conjunction && !can_be(lint, one, false, other, false)) {
        warn_two(lint, LINT_ALWAYS_TRUE, other, one, other, "are never both false, so this is always true");
        return true;
    }
    if (!are_alike(one, other))
        return false;
    if (strcmp(one->test->text, other->test->text) == 0) {
        lint_warn(lint, LINT_REDUNDANT_TEST, other->offset, "`%s` is said twice", other->test->text);
        return true;
    }
    /* Where one follows from the other: of an `and` the weaker is idle, of an `or` the stronger. */
    if (!can_be(lint, one, true, other, false))
        idle = conjunction ? other : one;
    else if (!can_be(lint, one, false, other, true))
        idle = conjunction ? one : other;
    else
        return false;
    lint_warn(lint, LINT_REDUNDANT_TEST, idle->offset, "`%s` adds nothing to `%s`: %s", idle->test->text,
              (idle == one ? other : one)->test->text,
              conjunction ? "where that is true, it is true as well" : "where it is true, that is true as well");
    return true;
}

static bool lint_parts(const struct lint *lint, const struct expression *whole)
{
    unsigned count = MIN(whole->parts->len, PARTS_LIMIT);
    bool conjunction = whole->kind == EXPRESSION_AND;
    bool said = false;

    for (unsigned i = 0; i < count; i++)
        for (unsigned j = i + 1; j < count; j++)
            said =
                lint_two(lint, whole, g_ptr_array_index(whole->parts, i), g_ptr_array_index(whole->parts, j)) || said;
    if (said || can_be(lint, whole, conjunction, NULL, false))
        return said;
    if (conjunction)
        lint_warn(lint, LINT_NEVER_TRUE, whole->offset, "these %u are never all true at once", whole->parts->len);
    else
        lint_warn(lint, LINT_ALWAYS_TRUE, whole->offset, "these %u are never all false, so this is always true",
                  whole->parts->len);
    return true;
}

/* The smallest part that says nothing is told, and what holds it is not. */
static bool lint_expression(const struct lint *lint, const struct expression *expression)
{
    bool said = false;

    if (expression->test != NULL)
        return lint_count(lint, expression);
    for (unsigned i = 0; i < expression->parts->len; i++)
        said = lint_expression(lint, g_ptr_array_index(expression->parts, i)) || said;
    return said || (expression->kind != EXPRESSION_NOT && lint_parts(lint, expression));
}

/* ---- inside parts */

/* What one rule is looked at for. */
struct looking {
    const struct lint *lint;
    const struct rule *rule;
};

static void lint_inside_number(const struct lint *lint, const struct inside_test *inside)
{
    const char *text = inside->count.test.text;
    const size_t offset = inside->count.test.offset;
    const unsigned least = needed(&inside->count.comparison);

    if (number_comparison_holds(&inside->count.comparison, 0))
        lint_warn(lint, LINT_INSIDE_THRESHOLD, offset,
                  "`%s` is true of nearly all mail, which shows nobody there; at least is written `>=`", text);
    else if (least < 2)
        lint_warn(lint, LINT_INSIDE_THRESHOLD, offset,
                  "`%s` is true of mail that shows one person there, such as the sender of a quoted letter; to show "
                  "people to each other takes two",
                  text);
}

static void lint_inside_test(void *data, const struct test *test)
{
    const struct looking *looking = data;
    const struct inside_test *inside = inside_test_of(test);

    if (inside == NULL)
        return;
    lint_inside_number(looking->lint, inside);
    if (looking->rule->action.disposition == DISPOSITION_REJECT && (inside->kinds & PART_TEXT) != 0)
        lint_warn(looking->lint, LINT_INSIDE_TEXT, test->offset,
                  "rule `%s` refuses mail for addresses in its text, and ordinary letters have such: signatures, "
                  "quoted mail, lists of contacts; hold it with `quarantine`",
                  looking->rule->name->text);
}

static void lint_inside(const struct lint *lint)
{
    for (unsigned i = 0; i < lint->policy->rules->len; i++) {
        const struct looking looking = {lint, lint_rule(lint, i)};
        if (!lint_rule_is_over(lint, looking.rule))
            expression_each_test(looking.rule->when, lint_inside_test, (void *)&looking);
    }
}

/* ---- */

void lint_tests(const struct lint *lint)
{
    if (lint->policy->outbound != NULL)
        lint_expression(lint, lint->policy->outbound);
    for (unsigned i = 0; i < lint->policy->rules->len; i++)
        lint_expression(lint, lint_rule(lint, i)->when);
    lint_inside(lint);
}
