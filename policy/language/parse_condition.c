/* parse_condition - see parse_condition.h */

#include "policy/language/parse_condition.h"

#include "policy/base/suggest.h"
#include "policy/syntax/vocabulary.h"

#include <string.h>

/* Parentheses and `not` within each other. */
#define DEPTH_LIMIT 50

static GPtrArray *parse_class_names(struct parser *parser)
{
    GPtrArray *names = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);

    do {
        struct item *name = parser_take_name(parser, "the name of a class");
        if (name == NULL) {
            g_ptr_array_unref(names);
            return NULL;
        }
        g_ptr_array_add(names, name);
        if (!parser_is(parser, TOKEN_COMMA))
            return names;
        parser_advance(parser);
    } while (true);
}

static GPtrArray *parse_strings(struct parser *parser, const char *expected)
{
    GPtrArray *strings = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);

    do {
        struct item *string = parser_take_string(parser, expected);
        if (string == NULL) {
            g_ptr_array_unref(strings);
            return NULL;
        }
        g_ptr_array_add(strings, string);
        if (!parser_is(parser, TOKEN_COMMA))
            return strings;
        parser_advance(parser);
    } while (true);
}

static bool parse_count(struct parser *parser, struct test *test)
{
    static const enum token_kind comparisons[] = {TOKEN_GREATER_EQUAL, TOKEN_GREATER, TOKEN_LESS_EQUAL, TOKEN_LESS,
                                                  TOKEN_EQUAL};
    unsigned i;

    test->kind = TEST_COUNT;
    test->count = (enum count)language_word(language_counts, parser->token.value);
    parser_advance(parser);
    if (!parser_take(parser, TOKEN_LEFT, "`(` and the name of a class"))
        return false;
    test->classes = parse_class_names(parser);
    if (test->classes == NULL || !parser_take(parser, TOKEN_RIGHT, "`)` or `,`"))
        return false;
    for (i = 0; i < G_N_ELEMENTS(comparisons) && !parser_is(parser, comparisons[i]); i++)
        ;
    if (i == G_N_ELEMENTS(comparisons)) {
        parser_fail_expected(parser, "`>=`, `>`, `<=`, `<` or `=` and a number", NULL);
        return false;
    }
    test->comparison = (enum comparison)i;
    parser_advance(parser);
    if (!parser_is(parser, TOKEN_NUMBER)) {
        parser_fail_expected(parser, "a number", NULL);
        return false;
    }
    test->number = (unsigned)g_ascii_strtoull(parser->token.value, NULL, 10);
    parser_advance(parser);
    return true;
}

/* Names of classes; but `in form "x"` is a table whose `from` is misspelt. */
static bool parse_class_set(struct parser *parser, struct test *test)
{
    const char *const words[] = {"from", NULL};
    size_t offset = parser->token.offset;

    test->relation = RELATION_IN_CLASSES;
    test->classes = parse_class_names(parser);
    if (test->classes == NULL)
        return false;
    if (parser_is(parser, TOKEN_STRING) && test->classes->len == 1) {
        const struct item *name = g_ptr_array_index(test->classes, 0);
        bool near = diag_nearest(name->text, words) != NULL;
        parser_fail_at(parser, offset, "expected the names of classes, or `from` and a file, not `%s` and a string%s",
                       name->text, near ? "; did you mean `from`?" : "");
        return false;
    }
    return true;
}

/* What follows `in`. */
static bool parse_set(struct parser *parser, struct test *test)
{
    if (parser_is_word(parser, "from")) {
        parser_advance(parser);
        test->relation = RELATION_IN_TABLE;
        test->operand = parser_take_string(parser, "the name of a table's file");
        return test->operand != NULL;
    }
    if (parser_is(parser, TOKEN_STRING)) {
        test->relation = RELATION_IN_TABLE;
        test->items = parse_strings(parser, "a string");
        return test->items != NULL;
    }
    if (parser_is(parser, TOKEN_NAME) && language_word(language_keywords, parser->token.value) < 0) {
        return parse_class_set(parser, test);
    }
    parser_fail_expected(parser, "the name of a class, a string, or `from` and a file", NULL);
    return false;
}

/* `= S`, `=~ RE`, and for a subject `in SET`. */
static bool parse_comparison(struct parser *parser, struct test *test, bool with_in)
{
    if (parser_is(parser, TOKEN_EQUAL)) {
        parser_advance(parser);
        test->relation = RELATION_EQUALS;
        test->operand = parser_take_string(parser, "a string");
        return test->operand != NULL;
    }
    if (parser_is(parser, TOKEN_MATCHES)) {
        parser_advance(parser);
        test->relation = RELATION_MATCHES;
        test->operand = parser_take_item(parser, TOKEN_REGEX, "a regular expression such as /.*@corp\\.example/");
        return test->operand != NULL;
    }
    if (with_in && parser_skip_word(parser, "in"))
        return parse_set(parser, test);
    if (!with_in)
        return true; /* header("X") alone: present */
    parser_fail_expected(parser, "`=`, `=~` or `in`", (const char *const[]){"in", NULL});
    return false;
}

static bool parse_header(struct parser *parser, struct test *test)
{
    test->kind = TEST_HEADER;
    test->relation = RELATION_PRESENT;
    parser_advance(parser);
    if (!parser_take(parser, TOKEN_LEFT, "`(` and the name of a header field"))
        return false;
    test->header = parser_take_string(parser, "the name of a header field in double quotes");
    if (test->header == NULL || !parser_take(parser, TOKEN_RIGHT, "`)`"))
        return false;
    return parse_comparison(parser, test, false);
}

/* The name of a header field, or of recipients, where a test should be; says how these are tested. */
static bool is_of_header(struct parser *parser)
{
    static const struct {
        const char *word, *field;
        bool recipients;
    } words[] = {
        {"to", "To", true},
        {"cc", "Cc", true},
        {"bcc", "Bcc", true},
        {"recipient", "To", true},
        {"rcpt", "To", true},
        {"subject", "Subject", false},
        {"list-id", "List-Id", false},
        {"reply-to", "Reply-To", false},
        {"message-id", "Message-ID", false},
        {"date", "Date", false},
        {"received", "Received", false},
        {"precedence", "Precedence", false},
        {"content-type", "Content-Type", false},
        {"auto-submitted", "Auto-Submitted", false},
    };
    static const char expected[] = "a test such as `parties(external) >= 10`";

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!parser_is_word(parser, words[i].word))
            continue;
        if (words[i].recipients)
            parser_fail_at(parser, parser->token.offset,
                           "expected %s, not `%s`: recipients are counted, as in `recipients(external) >= 1`, and a "
                           "header is tested as `header(\"%s\")`",
                           expected, words[i].word, words[i].field);
        else
            parser_fail_at(parser, parser->token.offset,
                           "expected %s, not `%s`: a header is tested as `header(\"%s\")`", expected, words[i].word,
                           words[i].field);
        parser->lexer.quiet_until =
            parser->lexer.position + strcspn(parser->policy->source->text + parser->lexer.position, "\n");
        return true;
    }
    return false;
}

static bool parse_test_into(struct parser *parser, struct test *test)
{
    static const char *const words[] = {"visible", "parties", "domains",   "recipients", "hidden", "sender",
                                        "from",    "user",    "client",    "listener",   "header", "authenticated",
                                        "local",   "syntax",  "malformed", "truncated",  "not",    NULL};
    int word = -1;

    if (parser_is(parser, TOKEN_NAME) && (word = language_word(language_flags, parser->token.value)) >= 0) {
        test->kind = TEST_FLAG;
        test->flag = (enum flag)word;
        parser_advance(parser);
        return true;
    }
    if (parser_is_one_of(parser, language_counts))
        return parse_count(parser, test);
    if (parser_is_word(parser, "header"))
        return parse_header(parser, test);
    if (parser_is(parser, TOKEN_NAME) && (word = language_word(language_subjects, parser->token.value)) >= 0) {
        test->kind = TEST_SUBJECT;
        test->subject = (enum subject)word;
        parser_advance(parser);
        return parse_comparison(parser, test, true);
    }
    if (is_of_header(parser))
        return false;
    parser_fail_expected(parser, "a test such as `parties(external) >= 10`, `sender in ...` or `authenticated`", words);
    return false;
}

static struct expression *parse_test(struct parser *parser)
{
    struct expression *expression = expression_new(EXPRESSION_TEST, parser->token.offset);

    expression->test = g_new0(struct test, 1);
    expression->test->offset = parser->token.offset;
    if (parse_test_into(parser, expression->test))
        return expression;
    expression_free(expression);
    return NULL;
}

static struct expression *parse_term(struct parser *parser)
{
    struct expression *expression = NULL;
    size_t offset = parser->token.offset;

    if (++parser->depth > DEPTH_LIMIT) {
        parser_fail_at(parser, offset, "more than %d parentheses and `not` within each other", DEPTH_LIMIT);
    } else if (parser_skip_word(parser, "not")) {
        /* `not not` has no meaning of its own; parentheses say what is meant. */
        struct expression *part = NULL;
        if (parser_is_word(parser, "not"))
            parser_fail_at(parser, parser->token.offset, "expected a test or `(` behind `not`");
        else
            part = parse_term(parser);
        if (part != NULL) {
            expression = expression_new(EXPRESSION_NOT, offset);
            g_ptr_array_add(expression->parts, part);
        }
    } else if (parser_is(parser, TOKEN_LEFT)) {
        parser_advance(parser);
        expression = parser_expression(parser);
        if (expression != NULL && !parser_is(parser, TOKEN_RIGHT)) {
            parser_fail_expected(parser, "`)`, `and` or `or`", (const char *const[]){"and", "or", NULL});
            expression_free(expression);
            expression = NULL;
        } else if (expression != NULL) {
            parser_advance(parser);
        }
    } else {
        expression = parse_test(parser);
    }
    parser->depth--;
    return expression;
}

struct expression *parser_expression(struct parser *parser)
{
    struct expression *first = parse_term(parser);
    struct expression *joined = NULL;
    const char *word = parser_is_word(parser, "and") ? "and" : "or";
    bool mixed = false;

    while (first != NULL && (parser_is_word(parser, "and") || parser_is_word(parser, "or"))) {
        struct expression *next;
        if (!parser_is_word(parser, word) && !mixed) {
            parser_fail_at(parser, parser->token.offset,
                           "`and` and `or` are mixed; say with parentheses which belongs together");
            mixed = true; /* what follows may hold other mistakes */
        }
        parser_advance(parser);
        if (joined == NULL) {
            joined = expression_new(strcmp(word, "and") == 0 ? EXPRESSION_AND : EXPRESSION_OR, first->offset);
            g_ptr_array_add(joined->parts, first);
        }
        next = parse_term(parser);
        if (next == NULL) {
            expression_free(joined);
            return NULL;
        }
        g_ptr_array_add(joined->parts, next);
    }
    return joined != NULL ? joined : first;
}
