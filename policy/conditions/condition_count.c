/* condition_count - see condition_count.h */

#include "policy/conditions/condition_count.h"

#include <string.h>

const struct count_test *count_test_of(const struct test *test)
{
    return test != NULL && test->kind == &condition_count ? (const struct count_test *)test : NULL;
}

const struct count_test *expression_first_count(const struct expression *expression)
{
    return count_test_of(expression_first(expression, &condition_count));
}

static bool take_class(struct parser *parser, struct count_test *count)
{
    bool taken_away = parser_skip_word(parser, "not");
    struct item *name;

    if (!parser_take_name(parser, taken_away ? "the name of a class after `not`" : "the name of a class", &name))
        return false;
    g_ptr_array_add(count->classes, name);
    if (taken_away)
        g_ptr_array_add(count->away, name);
    return true;
}

static bool is_away(const struct count_test *count, const struct item *name)
{
    return g_ptr_array_find(count->away, name, NULL);
}

static bool take_classes(struct parser *parser, struct count_test *count)
{
    count->classes = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
    count->away = g_ptr_array_new();
    if (parser_is_word(parser, "not"))
        return parser_fail_at(
            parser, parser->token.offset,
            "`not` takes a class away from those before it; expected such a class first, as in `%s(external, "
            "not partner)`",
            count_name(count->count));
    do {
        if (!take_class(parser, count))
            return false;
    } while (parser_skip(parser, TOKEN_COMMA));
    return true;
}

static bool parse(struct parser *parser, struct test *test, unsigned word)
{
    struct count_test *count = (struct count_test *)test;

    count->count = (enum count)word;
    if (!parser_take(parser, TOKEN_LEFT, "`(` and the name of a class") || !take_classes(parser, count) ||
        !parser_take(parser, TOKEN_RIGHT, "`)` or `,`"))
        return false;
    const struct condition_kind *kind = parser_skip_word(parser, "within")   ? &condition_window
                                        : parser_skip_word(parser, "inside") ? &condition_inside
                                                                             : NULL;
    if (kind == NULL)
        return number_comparison_parse(parser, &count->comparison);
    test->kind = kind;
    test->clear = kind->clear;
    return kind->parse(parser, test, word);
}

/* What is left of those before `not`; of classes that are wrong nothing is said twice. */
static void resolve(struct resolver *resolver, struct test *test)
{
    struct count_test *count = (struct count_test *)test;
    class_mask away = 0;
    bool known = true;

    for (unsigned i = 0; i < count->classes->len; i++) {
        const struct item *name = g_ptr_array_index(count->classes, i);
        class_mask mask = resolver_class(resolver, name, true);
        known = known && mask != 0;
        *(is_away(count, name) ? &away : &count->mask) |= mask;
    }
    count->mask &= ~away;
    if (known && (count->mask & classes_which(resolver->policy->classes, false)) == 0)
        resolver_fail(resolver, test->offset, "no class is left to count: each is taken away with `not`");
}

void count_print_classes(GString *out, const struct count_test *count)
{
    g_string_append_printf(out, "%s(", count_name(count->count));
    for (unsigned i = 0; i < count->classes->len; i++) {
        const struct item *name = g_ptr_array_index(count->classes, i);
        g_string_append_printf(out, "%s%s%s", i > 0 ? ", " : "", is_away(count, name) ? "not " : "", name->text);
    }
    g_string_append_c(out, ')');
}

static void print(GString *out, const struct test *test)
{
    const struct count_test *count = count_test_of(test);

    count_print_classes(out, count);
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

static bool names_class(const GPtrArray *names, const char *class_name)
{
    return has_word(names, class_name) || has_word(names, "all") ||
           (has_word(names, "external") && strcmp(class_name, "internal") != 0);
}

/* People or parties of the classes. */
static unsigned sum_kept(const struct kept_facts *facts, const struct count_test *count, bool people)
{
    g_autoptr(GPtrArray) counted = g_ptr_array_new();
    unsigned sum = 0;

    for (unsigned i = 0; i < count->classes->len; i++) {
        gpointer name = g_ptr_array_index(count->classes, i);
        if (!is_away(count, name))
            g_ptr_array_add(counted, name);
    }
    for (unsigned i = 0; i < facts->party_count; i++) {
        const struct kept_party *party = &facts->parties[i];
        if (names_class(counted, party->class_name) && !names_class(count->away, party->class_name))
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
    return g_strdup_printf("%u", sum_kept(facts, count, count->count == COUNT_VISIBLE));
}

static const GPtrArray *classes(const struct test *test)
{
    return count_test_of(test)->classes;
}

static void clear(struct test *test)
{
    struct count_test *count = (struct count_test *)test;

    g_clear_pointer(&count->classes, g_ptr_array_unref);
    g_clear_pointer(&count->away, g_ptr_array_unref);
}

const struct condition_kind condition_count = {
    .words = count_words,
    .size = COUNT_TEST_SIZE,
    .parse = parse,
    .resolve = resolve,
    .print = print,
    .evaluate = evaluate,
    .value = value,
    .kept_value = kept_value,
    .classes = classes,
    .clear = clear,
};
