/* kept_policy - see kept_policy.h */

#include "policy/engine/kept_policy.h"

#include "policy/conditions/condition.h"
#include "policy/language/print_policy.h"

#include <string.h>

static void kept_line_free(gpointer data)
{
    struct kept_line *line = data;

    g_free(line->condition);
    g_free(line->has);
    g_free(line);
}

/* What the message has for each test of an expression that shows anything, in order. */
static void append_values(GString *has, const struct expression *expression, const struct kept_facts *facts)
{
    const struct test *test = expression->test;

    for (unsigned i = 0; test == NULL && i < expression->parts->len; i++)
        append_values(has, g_ptr_array_index(expression->parts, i), facts);
    if (test == NULL || test->kind->kept_value == NULL)
        return;
    g_autofree char *value = test->kind->kept_value(facts, test);
    if (value != NULL)
        g_string_append_printf(has, "%s%s", has->len > 0 ? ", " : "", value);
}

static const struct expression *find_condition(const struct policy *policy, const char *name)
{
    for (unsigned i = 0; i < policy->rules->len; i++) {
        const struct rule *rule = g_ptr_array_index(policy->rules, i);
        if (strcmp(rule->name->text, name) == 0)
            return rule->when;
    }
    return NULL;
}

GPtrArray *kept_policy_condition(const struct policy *policy, const char *rule, const struct kept_facts *facts)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(kept_line_free);
    const struct expression *when = find_condition(policy, rule);
    g_auto(GStrv) texts = when != NULL ? expression_print_lines(when) : NULL;
    bool is_list = when != NULL && (when->kind == EXPRESSION_AND || when->kind == EXPRESSION_OR);

    for (unsigned i = 0; texts != NULL && texts[i] != NULL; i++) {
        struct kept_line *line = g_new(struct kept_line, 1);
        GString *has = g_string_new(NULL);
        append_values(has, is_list ? g_ptr_array_index(when->parts, i) : when, facts);
        line->condition = g_strdup(texts[i]);
        line->has = g_string_free(has, has->len == 0);
        g_ptr_array_add(lines, line);
    }
    return lines;
}
