/* condition_inside - see condition_inside.h */

#include "policy/conditions/condition_inside.h"

#include "policy/conditions/body_facts.h"
#include "policy/conditions/condition_header.h"
#include "policy/message/recipients.h"

#include <string.h>

/* Header fields that the rules of one policy may name: each has a bit beside the kinds of parts. */
#define FIELDS_LIMIT 24u

static const char *const part_words[] = {"calendar", "forwarded", "contacts", "table", "text", "header", NULL};

const struct inside_test *inside_test_of(const struct test *test)
{
    return test != NULL && test->kind == &condition_inside ? (const struct inside_test *)test : NULL;
}

const struct inside_test *expression_first_inside(const struct expression *expression)
{
    return inside_test_of(expression_first(expression, &condition_inside));
}

/* ---- parsing */

static bool take_field(struct parser *parser, struct item **field)
{
    return parser_take(parser, TOKEN_LEFT, "`(` and the name of a header field") &&
           parser_take_string(parser, "the name of a header field in double quotes", field) &&
           parser_take(parser, TOKEN_RIGHT, "`)`");
}

static bool take_part(struct parser *parser, struct inside_test *inside)
{
    struct inside_part part = {0};
    bool good = true;

    if (!parser_is_one_of(parser, part_words))
        return parser_fail_expected(
            parser, "`calendar`, `forwarded`, `contacts`, `table`, `text` or `header(\"...\")` after `inside`",
            part_words);
    for (unsigned i = 0; part_words[i] != NULL; i++)
        if (parser_is_word(parser, part_words[i]))
            part.word = part_words[i];
    unsigned kind = part_kind_find(part.word);
    if ((inside->kinds & kind) != 0)
        parser_fail_at(parser, parser->token.offset, "`%s` is there already", part.word);
    inside->kinds |= kind;
    parser_advance(parser);
    if (kind == 0)
        good = take_field(parser, &part.field);
    g_array_append_val(inside->parts, part);
    return good;
}

static void part_clear(gpointer part)
{
    item_free(((struct inside_part *)part)->field);
}

/* What comes after `inside`, whose count is parsed. */
static bool parse(struct parser *parser, struct test *test, unsigned word)
{
    struct inside_test *inside = (struct inside_test *)test;
    const enum count count = inside->count.count;

    (void)word;
    inside->parts = g_array_new(FALSE, FALSE, sizeof(struct inside_part));
    g_array_set_clear_func(inside->parts, part_clear);
    if (count != COUNT_VISIBLE && count != COUNT_PARTIES && count != COUNT_DOMAINS)
        parser_fail_at(parser, test->offset, "`inside` counts `visible`, `parties` or `domains`, not `%s`",
                       count_name(count));
    do {
        if (!take_part(parser, inside))
            return false;
    } while (parser_skip(parser, TOKEN_COMMA));
    if (parser_is_word(parser, "within"))
        return parser_fail_at(parser, parser->token.offset,
                              "`inside` and `within` do not go together: what is counted within a time is who the "
                              "headers show");
    return number_comparison_parse(parser, &inside->count.comparison);
}

/* ---- names */

/* Who is in these is visible, and never counts inside. */
static bool is_counted_anyway(const char *name)
{
    const unsigned visible = FIELD_TO | FIELD_CC | FIELD_RESENT_TO | FIELD_RESENT_CC | FIELD_APPARENTLY_TO;

    for (unsigned bit = FIELD_TO; bit <= FIELD_LAST; bit <<= 1)
        if ((visible & bit) != 0 && g_ascii_strcasecmp(recipient_field_name((enum recipient_field)bit), name) == 0)
            return true;
    return false;
}

/* The bit of a field, which is that of every test that names it. */
static unsigned field_bit(struct resolver *resolver, const struct item *field)
{
    GPtrArray *names = resolver->policy->part_fields;
    unsigned place;

    for (place = 0; place < names->len; place++)
        if (g_ascii_strcasecmp(g_ptr_array_index(names, place), field->text) == 0)
            return body_facts_field_bit(place);
    if (place >= FIELDS_LIMIT) {
        resolver_fail(resolver, field->offset, "a policy counts inside at most %u header fields", FIELDS_LIMIT);
        return 0;
    }
    g_ptr_array_add(names, g_strdup(field->text));
    return body_facts_field_bit(place);
}

static void resolve(struct resolver *resolver, struct test *test)
{
    struct inside_test *inside = (struct inside_test *)test;

    condition_count.resolve(resolver, test);
    for (unsigned i = 0; i < inside->parts->len; i++) {
        const struct inside_part *part = &g_array_index(inside->parts, struct inside_part, i);
        if (part->field == NULL) {
            resolver->policy->asks_body = true;
            continue;
        }
        header_name_check(resolver, part->field);
        if (is_counted_anyway(part->field->text))
            resolver_fail(resolver, part->field->offset,
                          "who is in `%s` is visible, and counted without `inside`; expected another header field",
                          part->field->text);
        unsigned bit = field_bit(resolver, part->field);
        if ((inside->kinds & bit) != 0)
            resolver_fail(resolver, part->field->offset, "`%s` is there already", part->field->text);
        inside->kinds |= bit;
    }
}

void inside_print_count(GString *out, const struct inside_test *inside)
{
    count_print_classes(out, &inside->count);
    g_string_append(out, " inside ");
    for (unsigned i = 0; i < inside->parts->len; i++) {
        const struct inside_part *part = &g_array_index(inside->parts, struct inside_part, i);
        g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", part->word);
        if (part->field == NULL)
            continue;
        g_string_append_c(out, '(');
        lexer_append_string(out, part->field->text);
        g_string_append_c(out, ')');
    }
}

static void print(GString *out, const struct test *test)
{
    const struct inside_test *inside = inside_test_of(test);

    inside_print_count(out, inside);
    number_comparison_print(out, &inside->count.comparison);
}

/* ---- the message */

int inside_value(struct evaluation *evaluation, const struct inside_test *inside, unsigned *value)
{
    *value = 0;
    if (exposure_fault(evaluation->exposure))
        return TEST_FAULT;
    const struct parts_exposure *exposure = body_facts(evaluation);
    if (exposure == NULL)
        return TEST_ERROR;
    if (parts_exposure_fault(exposure))
        return TEST_FAULT;
    *value = parts_exposure_count(exposure, inside->count.count, inside->count.mask, inside->kinds);
    return TEST_YES;
}

static int evaluate(struct evaluation *evaluation, const struct test *test)
{
    const struct inside_test *inside = (const struct inside_test *)test;
    unsigned found = 0;
    int result = inside_value(evaluation, inside, &found);

    return result != TEST_YES ? result : number_comparison_holds(&inside->count.comparison, found);
}

static char *value(struct evaluation *evaluation, const struct test *test)
{
    unsigned found = 0;
    int result = inside_value(evaluation, inside_test_of(test), &found);

    return result == TEST_YES ? g_strdup_printf("%u", found) : g_strdup("?");
}

/* By what it counts: two rules may compare that with different numbers. */
static char *kept_value(const struct kept_facts *facts, const struct test *test)
{
    g_autoptr(GString) text = g_string_new(NULL);

    inside_print_count(text, inside_test_of(test));
    for (unsigned i = 0; i < facts->inside_count; i++)
        if (strcmp(facts->inside[i].test, text->str) == 0)
            return g_strdup_printf("%u", facts->inside[i].value);
    return g_strdup("?");
}

static const GPtrArray *classes(const struct test *test)
{
    return inside_test_of(test)->count.classes;
}

/* ---- what follows from each other */

/* The least and the greatest number for which a comparison holds. */
static void bounds_of(const struct inside_test *inside, guint64 *least, guint64 *most)
{
    const struct number_comparison *comparison = &inside->count.comparison;
    const guint64 number = comparison->number;

    *least = comparison->comparison == AT_LEAST || comparison->comparison == EXACTLY ? number
             : comparison->comparison == MORE                                        ? number + 1
                                                                                     : 0;
    *most = comparison->comparison == AT_MOST || comparison->comparison == EXACTLY ? number
            : comparison->comparison == LESS                                       ? (number > 0 ? number - 1 : 0)
                                                                                   : G_MAXUINT64;
}

/* Whether one counts all that the other counts: in the same unit, no less of the classes and the places. */
static bool is_wider(const struct inside_test *wide, const struct inside_test *narrow)
{
    return wide->count.count == narrow->count.count && (narrow->count.mask & ~wide->count.mask) == 0 &&
           (narrow->kinds & ~wide->kinds) == 0;
}

static bool implies(struct classes *every, const struct test *one, const struct test *other)
{
    const struct inside_test *a = inside_test_of(one), *b = inside_test_of(other);
    guint64 a_least, a_most, b_least, b_most;

    (void)every;
    if (a == NULL || b == NULL)
        return false;
    bounds_of(a, &a_least, &a_most);
    bounds_of(b, &b_least, &b_most);
    return (b_least == 0 || (is_wider(b, a) && a_least >= b_least)) &&
           (b_most == G_MAXUINT64 || (is_wider(a, b) && a_most <= b_most));
}

static bool excludes(struct classes *every, const struct test *one, const struct test *other)
{
    const struct inside_test *a = inside_test_of(one), *b = inside_test_of(other);
    guint64 a_least, a_most, b_least, b_most;

    (void)every;
    if (a == NULL || b == NULL)
        return false;
    bounds_of(a, &a_least, &a_most);
    bounds_of(b, &b_least, &b_most);
    return (is_wider(b, a) && a_least > b_most) || (is_wider(a, b) && b_least > a_most);
}

static void clear(struct test *test)
{
    struct inside_test *inside = (struct inside_test *)test;

    g_clear_pointer(&inside->parts, g_array_unref);
    condition_count.clear(test);
}

G_STATIC_ASSERT(sizeof(struct inside_test) <= COUNT_TEST_SIZE);

static const char *const no_words[] = {NULL};

const struct condition_kind condition_inside = {
    .words = no_words,
    .size = sizeof(struct inside_test),
    .parse = parse,
    .resolve = resolve,
    .print = print,
    .evaluate = evaluate,
    .value = value,
    .kept_value = kept_value,
    .classes = classes,
    .implies = implies,
    .excludes = excludes,
    .clear = clear,
};
