/* ast - see ast.h */

#include "policy/syntax/ast.h"

#include "policy/syntax/template.h"

#include <string.h>

struct item *item_new(const char *text, size_t offset)
{
    struct item *item = g_new(struct item, 1);

    item->text = g_strdup(text);
    item->offset = offset;
    return item;
}

void item_free(struct item *item)
{
    if (item == NULL)
        return;
    g_free(item->text);
    g_free(item);
}

static void array_free(GPtrArray *array)
{
    if (array != NULL)
        g_ptr_array_unref(array);
}

static void test_free(struct test *test)
{
    if (test == NULL)
        return;
    if (test->clear != NULL)
        test->clear(test);
    g_free(test->text);
    g_free(test);
}

struct expression *expression_new(enum expression_kind kind, size_t offset)
{
    struct expression *expression = g_new0(struct expression, 1);

    expression->kind = kind;
    expression->offset = offset;
    if (kind != EXPRESSION_TEST)
        expression->parts = g_ptr_array_new_with_free_func((GDestroyNotify)expression_free);
    return expression;
}

void expression_free(struct expression *expression)
{
    if (expression == NULL)
        return;
    test_free(expression->test);
    array_free(expression->parts);
    g_free(expression);
}

void expression_each_test(const struct expression *expression, test_visit visit, void *data)
{
    if (expression->test != NULL)
        visit(data, expression->test);
    for (unsigned i = 0; expression->test == NULL && i < expression->parts->len; i++)
        expression_each_test(g_ptr_array_index(expression->parts, i), visit, data);
}

void policy_each_test(const struct policy *policy, test_visit visit, void *data)
{
    if (policy->outbound != NULL)
        expression_each_test(policy->outbound, visit, data);
    for (unsigned i = 0; i < policy->rules->len; i++)
        expression_each_test(((const struct rule *)g_ptr_array_index(policy->rules, i))->when, visit, data);
}

void action_clear(struct action *action)
{
    g_clear_pointer(&action->text, item_free);
    g_clear_pointer(&action->template, text_free);
    g_clear_pointer(&action->release_after.text, g_free);
    g_clear_pointer(&action->expire_after.text, g_free);
    g_clear_pointer(&action->override.text, g_free);
    action->release = RELEASE_BY_REVIEWER;
    action->expire = EXPIRE_AS_CONFIGURED;
}

struct action_terms action_terms(const struct action *action)
{
    return (struct action_terms){
        .release = action->release,
        .release_after = action->release == RELEASE_AFTER ? action->release_after.seconds : 0,
        .expire = action->expire,
        .expire_after = action->expire != EXPIRE_AS_CONFIGURED ? action->expire_after.seconds : 0,
        .override = action->override.text != NULL ? action->override.seconds : 0,
    };
}

void signature_clear(gpointer signature)
{
    g_free(((struct signature *)signature)->text);
}

static void class_item_free(struct class_item *item)
{
    item_free(item->item);
    g_free(item);
}

struct class_statement *class_statement_new(struct item *name)
{
    struct class_statement *class = g_new0(struct class_statement, 1);

    class->name = name;
    class->items = g_ptr_array_new_with_free_func((GDestroyNotify)class_item_free);
    return class;
}

void class_statement_free(struct class_statement *class)
{
    item_free(class->name);
    g_ptr_array_unref(class->items);
    g_free(class);
}

struct rule *rule_new(struct item *name, unsigned line)
{
    struct rule *rule = g_new0(struct rule, 1);

    rule->name = name;
    rule->line = line;
    rule->until = G_MAXINT64;
    return rule;
}

void rule_free(struct rule *rule)
{
    item_free(rule->name);
    g_free(rule->until_text);
    expression_free(rule->when);
    action_clear(&rule->action);
    g_free(rule);
}

struct expect *expect_new(size_t offset)
{
    struct expect *expect = g_new0(struct expect, 1);

    expect->offset = offset;
    return expect;
}

void expect_field_free(struct expect_field *field)
{
    item_free(field->name);
    item_free(field->value);
    g_free(field);
}

void allow_free(struct allow *allow)
{
    g_free(allow->name);
    g_free(allow);
}

void people_free(struct people *people)
{
    item_free(people->address);
    g_free(people);
}

void expect_free(struct expect *expect)
{
    item_free(expect->domain);
    item_free(expect->class_name);
    item_free(expect->client);
    item_free(expect->listener);
    item_free(expect->user);
    item_free(expect->sender);
    item_free(expect->file);
    item_free(expect->rule);
    array_free(expect->to);
    array_free(expect->bcc);
    array_free(expect->fields);
    g_free(expect->at);
    g_free(expect->time.text);
    action_clear(&expect->terms);
    g_free(expect);
}

size_t policy_pattern_offset(const struct policy *policy, const struct item *item, size_t index)
{
    const char *raw = policy->source->text + item->offset + 1;
    const char *p = raw;

    for (size_t i = 0; i < index; i++)
        p += p[0] == '\\' && p[1] == '/' ? 2 : 1;
    return item->offset + 1 + (size_t)(p - raw);
}

/* ---- files beside the policy */

char *policy_beside(const struct policy *policy, const char *file)
{
    if (g_path_is_absolute(file))
        return g_strdup(file);
    g_autofree char *folder = g_path_get_dirname(policy->path);
    return strcmp(folder, ".") == 0 && strncmp(policy->path, "./", 2) != 0 ? g_strdup(file)
                                                                           : g_build_filename(folder, file, NULL);
}
