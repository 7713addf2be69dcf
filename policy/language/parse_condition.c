/* parse_condition - see parse_condition.h */

#include "policy/language/parse_condition.h"

#include "policy/conditions/conditions.h"

#include <string.h>

/* Parentheses and `not` within each other. */
#define DEPTH_LIMIT 50

/* The words that a test may begin with. */
static const char **list_words(void)
{
    GPtrArray *words = g_ptr_array_new();

    for (const struct condition_kind *const *kind = condition_kinds; *kind != NULL; kind++)
        for (const char *const *word = (*kind)->words; *word != NULL; word++)
            g_ptr_array_add(words, (gpointer)*word);
    g_ptr_array_add(words, (gpointer) "not");
    g_ptr_array_add(words, NULL);
    return (const char **)g_ptr_array_free(words, FALSE);
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

static struct expression *parse_test(struct parser *parser)
{
    size_t offset = parser->token.offset;
    unsigned word = 0;
    const struct condition_kind *kind =
        parser_is(parser, TOKEN_NAME) ? condition_find(parser->token.value, &word) : NULL;

    if (kind == NULL) {
        g_autofree const char **words = list_words();
        if (is_of_header(parser))
            return NULL;
        parser_fail_expected(parser, "a test such as `parties(external) >= 10`, `sender in ...` or `authenticated`",
                             words);
        return NULL;
    }
    struct expression *expression = expression_new(EXPRESSION_TEST, offset);
    expression->test = test_new(kind, offset);
    parser_advance(parser);
    if (kind->parse(parser, expression->test, word))
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
            parser_fail_at(parser, parser->token.offset, "expected a test or `(` after `not`");
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
        struct expression *next = parse_term(parser);
        if (next == NULL) {
            expression_free(joined);
            return NULL;
        }
        g_ptr_array_add(joined->parts, next);
    }
    return joined != NULL ? joined : first;
}
