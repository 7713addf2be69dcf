/* condition - see condition.h */

#include "policy/conditions/condition.h"

#include "policy/address/address.h"
#include "policy/exposure/parts_exposure.h"
#include "policy/syntax/lexer.h"

#include <string.h>

const struct test *expression_first(const struct expression *expression, const struct condition_kind *kind)
{
    const struct test *first = NULL;

    if (expression->test != NULL)
        return expression->test->kind == kind ? expression->test : NULL;
    for (unsigned i = 0; first == NULL && expression->kind != EXPRESSION_NOT && i < expression->parts->len; i++)
        first = expression_first(g_ptr_array_index(expression->parts, i), kind);
    return first;
}

struct test *test_new(const struct condition_kind *kind, size_t offset)
{
    struct test *test = g_malloc0(kind->size);

    test->kind = kind;
    test->clear = kind->clear;
    test->offset = offset;
    return test;
}

bool test_implies(struct classes *classes, const struct test *one, const struct test *other)
{
    return one->kind->implies != NULL && one->kind->implies(classes, one, other);
}

bool test_excludes(struct classes *classes, const struct test *one, const struct test *other)
{
    return one->kind->excludes != NULL && one->kind->excludes(classes, one, other);
}

char *test_print(const struct test *test)
{
    GString *out = g_string_new(NULL);

    test->kind->print(out, test);
    return g_string_free(out, FALSE);
}

/* ---- the message */

void evaluation_start(struct evaluation *evaluation, struct policy *policy, const struct message *message)
{
    *evaluation = (struct evaluation){.policy = policy, .message = message};
    evaluation->budget = pattern_budget_new();
}

const char *evaluation_sender(struct evaluation *evaluation)
{
    if (evaluation->sender == NULL)
        evaluation->sender = address_normalise_envelope(evaluation->message->sender);
    return evaluation->sender;
}

void evaluation_end(struct evaluation *evaluation)
{
    pattern_budget_free(evaluation->budget);
    g_free(evaluation->sender);
    if (evaluation->authors != NULL)
        g_ptr_array_unref(evaluation->authors);
    if (evaluation->decoded != NULL)
        g_hash_table_unref(evaluation->decoded);
    parts_exposure_free(evaluation->body.exposure);
    body_parts_free(evaluation->body.own);
    g_free(evaluation->history.values);
    g_free(evaluation->history.parties);
}

int evaluation_in_classes(struct evaluation *evaluation, const char *address, class_mask mask)
{
    struct classes *classes = evaluation->policy->classes;
    const char *domain = address_domain(address);
    const char *sender_domain = address_domain(evaluation_sender(evaluation));

    if (address[0] == '\0')
        return TEST_NO;
    if (domain == NULL)
        return (mask & ((class_mask)1 << CLASS_INTERNAL)) != 0;
    auto_free(domain_facts) facts = classes_find(classes, domain, evaluation->budget);
    class_mask belongs = (class_mask)1 << facts->class_index;
    if (classes_separate(classes, (unsigned)facts->class_index)) {
        /* Named by its own name, and besides that internal or other as the sender is. */
        bool same = sender_domain != NULL &&
                    strcmp(suffixes_organisation(classes_suffixes(classes), sender_domain), facts->organisation) == 0;
        belongs |= (class_mask)1 << (same ? CLASS_INTERNAL : CLASS_OTHER);
    }
    return facts->fault ? TEST_FAULT : (belongs & mask) != 0;
}

/* ---- sets of classes, and other lists */

/* Items with commas between them, each as `take` has it. */
static GPtrArray *parse_list(struct parser *parser, bool (*take)(struct parser *, const char *, struct item **),
                             const char *expected)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
    struct item *item;

    do {
        if (!take(parser, expected, &item))
            return NULL;
        g_ptr_array_add(items, item);
    } while (parser_skip(parser, TOKEN_COMMA));
    return g_steal_pointer(&items);
}

GPtrArray *condition_parse_classes(struct parser *parser)
{
    return parse_list(parser, parser_take_name, "the name of a class");
}

GPtrArray *condition_parse_strings(struct parser *parser, const char *expected)
{
    return parse_list(parser, parser_take_string, expected);
}

void condition_print_items(GString *out, const GPtrArray *items, bool quoted)
{
    for (unsigned i = 0; i < items->len; i++) {
        const struct item *item = g_ptr_array_index(items, i);
        if (i > 0)
            g_string_append(out, ", ");
        if (quoted)
            lexer_append_string(out, item->text);
        else
            g_string_append(out, item->text);
    }
}

class_mask condition_resolve_classes(struct resolver *resolver, const GPtrArray *names)
{
    class_mask mask = 0;

    for (unsigned i = 0; i < names->len; i++)
        mask |= resolver_class(resolver, g_ptr_array_index(names, i), false);
    return mask;
}

/* ---- comparison with a number */

/* In the order of enum comparison. */
static const char *const comparison_signs[] = {">=", ">", "<=", "<", "="};

bool number_comparison_parse(struct parser *parser, struct number_comparison *comparison)
{
    static const enum token_kind signs[] = {TOKEN_GREATER_EQUAL, TOKEN_GREATER, TOKEN_LESS_EQUAL, TOKEN_LESS,
                                            TOKEN_EQUAL};
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(signs) && !parser_is(parser, signs[i]); i++)
        ;
    if (i == G_N_ELEMENTS(signs))
        return parser_fail_expected(parser, "`>=`, `>`, `<=`, `<` or `=` and a number", NULL);
    comparison->comparison = (enum comparison)i;
    parser_advance(parser);
    if (!parser_is(parser, TOKEN_NUMBER))
        return parser_fail_expected(parser, "a number", NULL);
    comparison->number = (unsigned)g_ascii_strtoull(parser->token.value, NULL, 10);
    parser_advance(parser);
    return true;
}

void number_comparison_print(GString *out, const struct number_comparison *comparison)
{
    g_string_append_printf(out, " %s %u", comparison_signs[comparison->comparison], comparison->number);
}

/* ---- comparison with a text */

/* What follows `contains`, which is a name everywhere else. */
static bool parse_contains(struct parser *parser, struct text_comparison *comparison)
{
    comparison->relation = RELATION_CONTAINS;
    if (parser_skip_word(parser, "from")) {
        return parser_take_string(parser, "the name of a file of words", &comparison->operand);
    }
    comparison->words = condition_parse_strings(parser, "a word or phrase in double quotes, or `from` and a file");
    return comparison->words != NULL;
}

bool text_comparison_parse(struct parser *parser, struct text_comparison *comparison)
{
    if (parser_skip(parser, TOKEN_EQUAL)) {
        comparison->relation = RELATION_EQUALS;
        return parser_take_string(parser, "a string", &comparison->operand);
    }
    if (parser_skip(parser, TOKEN_MATCHES)) {
        comparison->relation = RELATION_MATCHES;
        return parser_take_item(parser, TOKEN_REGEX, "a regular expression such as /.*@corp\\.example/",
                                &comparison->operand);
    }
    return !parser_skip_word(parser, "contains") || parse_contains(parser, comparison);
}

void text_comparison_print(GString *out, const struct text_comparison *comparison)
{
    if (comparison->relation == RELATION_EQUALS) {
        g_string_append(out, " = ");
        lexer_append_string(out, comparison->operand->text);
    } else if (comparison->relation == RELATION_MATCHES) {
        g_string_append(out, " =~ ");
        lexer_append_regex(out, comparison->operand->text);
    } else if (comparison->words != NULL) {
        g_string_append(out, " contains ");
        condition_print_items(out, comparison->words, true);
    } else if (comparison->relation == RELATION_CONTAINS) {
        g_string_append(out, " contains from ");
        lexer_append_string(out, comparison->operand->text);
    }
}

void text_comparison_resolve(struct resolver *resolver, struct text_comparison *comparison)
{
    if (comparison->relation == RELATION_MATCHES)
        comparison->pattern = resolver_compile(resolver, comparison->operand);
    else if (comparison->relation == RELATION_CONTAINS)
        comparison->phrases = resolver_phrases(resolver, comparison->operand, comparison->words);
}

int text_comparison_search(struct evaluation *evaluation, const struct text_comparison *comparison, const char *text)
{
    size_t length = strlen(text);

    if (length > SEARCHED_BYTES_LIMIT - evaluation->searched)
        return TEST_FAULT;
    evaluation->searched += length;
    return phrases_found(comparison->phrases, text) ? TEST_YES : TEST_NO;
}

void text_comparison_clear(struct text_comparison *comparison)
{
    item_free(comparison->operand);
    pattern_free(comparison->pattern);
    g_clear_pointer(&comparison->words, g_ptr_array_unref);
    phrases_free(comparison->phrases);
}
