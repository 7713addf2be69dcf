/* condition_header - see condition_header.h */

#include "policy/conditions/condition_header.h"

#include "policy/base/suggest.h"
#include "policy/message/header_text.h"

#include <string.h>

static const char *const header_words[] = {"header", NULL};

const struct header_test *header_test_of(const struct test *test)
{
    return test != NULL && test->kind == &condition_header ? (const struct header_test *)test : NULL;
}

/* A test of what is there, and no other: but a name is of no use there. */
static bool refuse_name(struct parser *parser)
{
    const char *const words[] = {"contains", NULL};

    if (!parser_is(parser, TOKEN_NAME) || diag_nearest(parser->token.value, words) == NULL)
        return false;
    parser_fail_expected(parser, "`=`, `=~` or `contains`", words);
    return true;
}

static bool parse(struct parser *parser, struct test *test, unsigned word)
{
    struct header_test *header = (struct header_test *)test;

    (void)word;
    if (!parser_take(parser, TOKEN_LEFT, "`(` and the name of a header field"))
        return false;
    return parser_take_string(parser, "the name of a header field in double quotes", &header->name) &&
           parser_take(parser, TOKEN_RIGHT, "`)`") && text_comparison_parse(parser, &header->comparison) &&
           !(header->comparison.relation == RELATION_PRESENT && refuse_name(parser));
}

/* RFC 5322 section 3.6.8: printable ASCII but the colon. */
static bool is_field_name(const char *name)
{
    if (name[0] == '\0')
        return false;
    for (; *name != '\0'; name++)
        if (*name <= 0x20 || *name >= 0x7f || *name == ':')
            return false;
    return true;
}

void header_name_check(struct resolver *resolver, const struct item *name)
{
    if (!is_field_name(name->text))
        resolver_fail(resolver, name->offset,
                      "expected the name of a header field, such as \"List-Id\", without a colon");
}

static void resolve(struct resolver *resolver, struct test *test)
{
    struct header_test *header = (struct header_test *)test;

    header_name_check(resolver, header->name);
    text_comparison_resolve(resolver, &header->comparison);
    if (header->comparison.relation == RELATION_EQUALS)
        header->value = g_utf8_casefold(header->comparison.operand->text, -1);
}

static void print(GString *out, const struct test *test)
{
    const struct header_test *header = header_test_of(test);

    g_string_append(out, "header(");
    lexer_append_string(out, header->name->text);
    g_string_append_c(out, ')');
    text_comparison_print(out, &header->comparison);
}

/* Once, however many tests ask for it. */
static const char *decoded(struct evaluation *evaluation, const struct header *header)
{
    gpointer value;

    if (evaluation->decoded == NULL)
        evaluation->decoded = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    if (!g_hash_table_lookup_extended(evaluation->decoded, header, NULL, &value)) {
        value = decode_header(header->value, &evaluation->words);
        g_hash_table_insert(evaluation->decoded, (gpointer)header, value);
    }
    return value;
}

static int evaluate_one(struct evaluation *evaluation, const struct header_test *test, const struct header *header)
{
    if (test->comparison.relation == RELATION_PRESENT)
        return TEST_YES;
    const char *value = decoded(evaluation, header);
    if (value == NULL)
        return TEST_FAULT;
    if (test->comparison.relation == RELATION_MATCHES)
        return pattern_match(test->comparison.pattern, value, evaluation->budget);
    if (test->comparison.relation == RELATION_CONTAINS)
        return text_comparison_search(evaluation, &test->comparison, value);
    g_autofree char *folded = g_utf8_casefold(value, -1);
    return strcmp(folded, test->value) == 0;
}

static int evaluate(struct evaluation *evaluation, const struct test *test)
{
    const struct header_test *wanted = (const struct header_test *)test;
    const GPtrArray *headers = evaluation->message->headers;

    for (unsigned i = 0; i < headers->len; i++) {
        const struct header *header = g_ptr_array_index(headers, i);
        if (g_ascii_strcasecmp(header->name, wanted->name->text) != 0)
            continue;
        int result = evaluate_one(evaluation, wanted, header);
        if (result != TEST_NO)
            return result;
    }
    return TEST_NO;
}

/* Each occurrence in quotes; without them: none. */
static char *value(struct evaluation *evaluation, const struct test *test)
{
    const GPtrArray *headers = evaluation->message->headers;
    GString *values = g_string_new(NULL);

    for (unsigned i = 0; i < headers->len; i++) {
        const struct header *header = g_ptr_array_index(headers, i);
        if (g_ascii_strcasecmp(header->name, header_test_of(test)->name->text) != 0)
            continue;
        g_autofree char *text = decode_header(header->value, NULL);
        g_string_append(values, values->len > 0 ? ", " : "");
        lexer_append_string(values, text);
    }
    return g_string_free(values->len > 0 ? values : g_string_append(values, "none"), FALSE);
}

static bool implies(struct classes *classes, const struct test *one, const struct test *other)
{
    const struct header_test *present = header_test_of(other);

    (void)classes;
    return present != NULL && present->comparison.relation == RELATION_PRESENT &&
           g_ascii_strcasecmp(header_test_of(one)->name->text, present->name->text) == 0;
}

static void clear(struct test *test)
{
    struct header_test *header = (struct header_test *)test;

    item_free(header->name);
    text_comparison_clear(&header->comparison);
    g_free(header->value);
}

const struct condition_kind condition_header = {
    .words = header_words,
    .size = sizeof(struct header_test),
    .parse = parse,
    .resolve = resolve,
    .print = print,
    .evaluate = evaluate,
    .value = value,
    .implies = implies,
    .clear = clear,
};
