/*
 * lint_texts - texts that say another count than their rule has tested.
 */

#include "policy/lint/lint.h"

#include "policy/conditions/condition_count.h"
#include "policy/exposure/exposure.h"
#include "policy/syntax/template.h"

/* The first test of that count; NULL if there is none, or if one is of just those classes. */
static const struct count_test *other_test(const struct expression *expression, const struct text_count *shown,
                                           class_mask relevant, bool *same)
{
    const struct count_test *test = count_test_of(expression->test), *first = NULL;

    if (expression->test != NULL) {
        if (test == NULL || test->count != shown->count)
            return NULL;
        *same = *same || (test->mask & relevant) == (shown->mask & relevant);
        return test;
    }
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct count_test *found = other_test(g_ptr_array_index(expression->parts, i), shown, relevant, same);
        first = first != NULL ? first : found;
    }
    return first;
}

static void lint_shown(const struct lint *lint, const struct rule *rule, const struct text_count *shown)
{
    const char *word = count_name(shown->count);
    bool same = false;
    const struct count_test *test = other_test(rule->when, shown, classes_which(lint->policy->classes, false), &same);
    g_autofree char *instead = NULL;

    if (test == NULL || same)
        return;
    if (test->classes->len == 1 || expression_first_count(rule->when) == NULL)
        instead = g_strdup_printf("%s %s", word, ((const struct item *)g_ptr_array_index(test->classes, 0))->text);
    else
        instead = g_strdup("count");
    lint_warn(lint, LINT_TEXT_COUNT, shown->offset,
              "`{%s}` is the count of `%s`, and the rule tests `%s`; did you mean `{%s}`?", word,
              shown->mask == CLASS_ALL ? "all" : "external", test->test.text, instead);
}

void lint_texts(const struct lint *lint)
{
    for (unsigned i = 0; i < lint->policy->rules->len; i++) {
        const struct rule *rule = lint_rule(lint, i);
        struct text_count shown;
        for (unsigned j = 0; rule->action.template != NULL && text_plain_count(rule->action.template, j, &shown); j++)
            lint_shown(lint, rule, &shown);
    }
}
