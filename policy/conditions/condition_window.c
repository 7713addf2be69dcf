/* condition_window - see condition_window.h */

#include "policy/conditions/condition_window.h"

#include "policy/conditions/history.h"

#include <string.h>

const struct window_test *window_test_of(const struct test *test)
{
    return test != NULL && test->kind == &condition_window ? (const struct window_test *)test : NULL;
}

const struct window_test *expression_first_window(const struct expression *expression)
{
    return window_test_of(expression_first(expression, &condition_window));
}

static int compare_names(gconstpointer one, gconstpointer other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

char *window_signature(const struct window_test *window)
{
    const struct count_test *count = &window->count;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(count_name(count->count));

    for (unsigned i = 0; i < count->classes->len; i++) {
        const struct item *name = g_ptr_array_index(count->classes, i);
        bool away = g_ptr_array_find(count->away, name, NULL);
        g_ptr_array_add(names, g_strconcat(away ? "not " : "", name->text, NULL));
    }
    g_ptr_array_sort(names, compare_names);
    for (unsigned i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "(" : ",", (const char *)g_ptr_array_index(names, i));
    g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}

/* What comes after `within`, whose count is parsed. */
static bool parse(struct parser *parser, struct test *test, unsigned word)
{
    struct window_test *window = (struct window_test *)test;
    const enum count count = window->count.count;

    (void)word;
    if (count != COUNT_VISIBLE && count != COUNT_PARTIES && count != COUNT_DOMAINS)
        parser_fail_at(parser, test->offset, "`within` counts `visible`, `parties` or `domains`, not `%s`",
                       count_name(count));
    if (!parser_take_duration(parser, WINDOW_LEAST, WINDOW_MOST, "10m", &window->within))
        return false;
    window->alike = parser_skip_word(parser, "alike");
    if (parser_is_word(parser, "inside"))
        return parser_fail_at(parser, parser->token.offset,
                              "`inside` and `within` do not go together: what is counted within a time is who the "
                              "headers show");
    return number_comparison_parse(parser, &window->count.comparison);
}

static void resolve(struct resolver *resolver, struct test *test)
{
    condition_count.resolve(resolver, test);
}

static void print(GString *out, const struct test *test)
{
    const struct window_test *window = window_test_of(test);

    count_print_classes(out, &window->count);
    g_string_append_printf(out, " within %s%s", window->within.text, window->alike ? " alike" : "");
    number_comparison_print(out, &window->count.comparison);
}

static struct history_window of_history(const struct window_test *window)
{
    return (struct history_window){window->window, window->count.mask};
}

int window_value(struct evaluation *evaluation, const struct window_test *window, guint32 *value)
{
    return history_window(evaluation, of_history(window), value);
}

bool window_has_message(struct evaluation *evaluation, const struct window_test *window)
{
    return history_is_in(evaluation, of_history(window));
}

static int evaluate(struct evaluation *evaluation, const struct test *test)
{
    const struct window_test *window = (const struct window_test *)test;
    guint32 found = 0;
    int result = window_value(evaluation, window, &found);

    return result != TEST_YES ? result : number_comparison_holds(&window->count.comparison, found);
}

static char *value(struct evaluation *evaluation, const struct test *test)
{
    guint32 found = 0;
    int result = window_value(evaluation, window_test_of(test), &found);

    return result == TEST_YES ? history_value_text(found) : g_strdup("?");
}

static char *kept_value(const struct kept_facts *facts, const struct test *test)
{
    (void)test;
    return g_strdup(facts->within != NULL ? facts->within : "?");
}

static const GPtrArray *classes(const struct test *test)
{
    return window_test_of(test)->count.classes;
}

static void clear(struct test *test)
{
    struct window_test *window = (struct window_test *)test;

    g_free(window->within.text);
    condition_count.clear(test);
}

G_STATIC_ASSERT(sizeof(struct window_test) <= COUNT_TEST_SIZE);

static const char *const no_words[] = {NULL};

const struct condition_kind condition_window = {
    .words = no_words,
    .size = sizeof(struct window_test),
    .parse = parse,
    .resolve = resolve,
    .print = print,
    .evaluate = evaluate,
    .value = value,
    .kept_value = kept_value,
    .classes = classes,
    .clear = clear,
};
