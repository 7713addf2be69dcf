/* condition_count - see condition_count.h */

#include "policy/conditions/condition_count.h"

#include <string.h>

const struct count_test *count_test_of(const struct test *test)
{
    return test != NULL && test->kind == &condition_count ? (const struct count_test *)test : NULL;
}

const struct count_test *expression_first_count(const struct expression *expression)
{
    const struct count_test *first = NULL;

    if (expression->test != NULL)
        return count_test_of(expression->test);
    for (unsigned i = 0; first == NULL && expression->kind != EXPRESSION_NOT && i < expression->parts->len; i++)
        first = expression_first_count(g_ptr_array_index(expression->parts, i));
    return first;
}

static bool parse(struct parser *parser, struct test *test, unsigned word)
{
    struct count_test *count = (struct count_test *)test;

    count->count = (enum count)word;
    if (!parser_take(parser, TOKEN_LEFT, "`(` and the name of a class"))
        return false;
    count->classes = condition_parse_classes(parser);
    return count->classes != NULL && parser_take(parser, TOKEN_RIGHT, "`)` or `,`") &&
           number_comparison_parse(parser, &count->comparison);
}

static void resolve(struct resolver *resolver, struct test *test)
{
    struct count_test *count = (struct count_test *)test;

    count->mask = condition_resolve_classes(resolver, count->classes, true);
}

static void print(GString *out, const struct test *test)
{
    const struct count_test *count = count_test_of(test);

    g_string_append_printf(out, "%s(", count_name(count->count));
    condition_print_items(out, count->classes, false);
    g_string_append_c(out, ')');
    number_comparison_print(out, &count->comparison);
}

static int evaluate(struct evaluation *evaluation, const struct test *test)
{
    const struct count_test *count = (const struct count_test *)test;

    if (exposure_fault(evaluation->exposure))
        return TEST_FAULT;
    return number_comparison_holds(&count->comparison, exposure_count(evaluation->exposure, count->count, count->mask));
}

static char *value(struct evaluation *evaluation, const struct test *test)
{
    const struct count_test *count = count_test_of(test);

    return g_strdup_printf("%u", exposure_count(evaluation->exposure, count->count, count->mask));
}

static bool has_word(const GPtrArray *names, const char *word)
{
    for (unsigned i = 0; i < names->len; i++)
        if (strcmp(((const struct item *)g_ptr_array_index(names, i))->text, word) == 0)
            return true;
    return false;
}

/* People or parties of the classes. */
static unsigned sum_kept(const struct kept_facts *facts, const GPtrArray *names, bool people)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < facts->party_count; i++) {
        const struct kept_party *party = &facts->parties[i];
        if (has_word(names, party->class_name) || has_word(names, "all") ||
            (has_word(names, "external") && strcmp(party->class_name, "internal") != 0))
            sum += people ? party->people : party->parties;
    }
    return sum;
}

static char *kept_value(const struct kept_facts *facts, const struct test *test)
{
    const struct count_test *count = count_test_of(test);
    const struct {
        enum count count;
        const char *class_name;
        unsigned value;
    } known[] = {
        {COUNT_VISIBLE, "external", facts->counts->visible}, {COUNT_PARTIES, "external", facts->counts->parties},
        {COUNT_DOMAINS, "external", facts->counts->domains}, {COUNT_VISIBLE, "internal", facts->counts->internal},
        {COUNT_HIDDEN, "all", facts->counts->hidden},        {COUNT_RECIPIENTS, "all", facts->counts->recipients},
    };
    const struct item *only = count->classes->len == 1 ? g_ptr_array_index(count->classes, 0) : NULL;

    for (unsigned i = 0; only != NULL && i < G_N_ELEMENTS(known); i++)
        if (count->count == known[i].count && strcmp(only->text, known[i].class_name) == 0)
            return g_strdup_printf("%u", known[i].value);
    if (count->count != COUNT_VISIBLE && count->count != COUNT_PARTIES)
        return g_strdup("?");
    return g_strdup_printf("%u", sum_kept(facts, count->classes, count->count == COUNT_VISIBLE));
}

static const GPtrArray *classes(const struct test *test)
{
    return count_test_of(test)->classes;
}

static void clear(struct test *test)
{
    g_clear_pointer(&((struct count_test *)test)->classes, g_ptr_array_unref);
}

const struct condition_kind condition_count = {
    .words = count_words,
    .size = sizeof(struct count_test),
    .parse = parse,
    .resolve = resolve,
    .print = print,
    .evaluate = evaluate,
    .value = value,
    .kept_value = kept_value,
    .classes = classes,
    .clear = clear,
};
