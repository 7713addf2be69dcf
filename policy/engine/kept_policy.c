/* kept_policy - see kept_policy.h */

#include "policy/engine/kept_policy.h"

#include "policy/conditions/condition.h"
#include "policy/conditions/condition_inside.h"
#include "policy/conditions/condition_window.h"
#include "policy/exposure/parts_exposure.h"
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

static void count_window(void *data, const struct test *test)
{
    *(unsigned *)data += window_test_of(test) != NULL;
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
    struct kept_facts mine = *facts;
    unsigned windows = 0;
    bool is_list = when != NULL && (when->kind == EXPRESSION_AND || when->kind == EXPRESSION_OR);

    if (when != NULL)
        expression_each_test(when, count_window, &windows);
    if (windows > 1)
        mine.within = NULL;
    for (unsigned i = 0; texts != NULL && texts[i] != NULL; i++) {
        struct kept_line *line = g_new(struct kept_line, 1);
        GString *has = g_string_new(NULL);
        append_values(has, is_list ? g_ptr_array_index(when->parts, i) : when, &mine);
        line->condition = g_strdup(texts[i]);
        line->has = g_string_free(has, has->len == 0);
        g_ptr_array_add(lines, line);
    }
    return lines;
}

/* ---- what is to be kept */

struct inside_values {
    const struct parts_exposure *exposure;
    GArray *values; /* struct kept_inside */
};

static void inside_clear(gpointer data)
{
    g_free((gpointer)((struct kept_inside *)data)->test);
}

GArray *kept_inside_new(void)
{
    GArray *values = g_array_new(FALSE, FALSE, sizeof(struct kept_inside));
    g_array_set_clear_func(values, inside_clear);
    return values;
}

static bool has_inside(const GArray *values, const char *test)
{
    for (unsigned i = 0; i < values->len; i++)
        if (strcmp(g_array_index(values, struct kept_inside, i).test, test) == 0)
            return true;
    return false;
}

static void add_inside(void *data, const struct test *test)
{
    const struct inside_values *found = data;
    const struct inside_test *inside = inside_test_of(test);
    g_autoptr(GString) text = g_string_new(NULL);

    if (inside == NULL)
        return;
    inside_print_count(text, inside);
    if (has_inside(found->values, text->str))
        return;
    const struct kept_inside value = {
        g_string_free(g_steal_pointer(&text), FALSE),
        parts_exposure_count(found->exposure, inside->count.count, inside->count.mask, inside->kinds)};
    g_array_append_val(found->values, value);
}

GArray *kept_policy_inside(const struct policy *policy, const struct verdict *verdict)
{
    const struct inside_values found = {verdict->body.exposure, kept_inside_new()};
    const struct expression *when = find_condition(policy, verdict->rule);

    if (when != NULL && found.exposure != NULL)
        expression_each_test(when, add_inside, (void *)&found);
    return found.values;
}
