/* parser_tokens - see parser_tokens.h */

#include "policy/syntax/parser_tokens.h"

#include "policy/base/source.h"
#include "policy/base/suggest.h"
#include "policy/syntax/vocabulary.h"

#include <stdarg.h>
#include <string.h>

void parser_advance(struct parser *parser)
{
    token_clear(&parser->token);
    parser->token = lexer_next(&parser->lexer);
}

bool parser_is(const struct parser *parser, enum token_kind kind)
{
    return parser->token.kind == kind;
}

bool parser_is_word(const struct parser *parser, const char *word)
{
    return parser_is(parser, TOKEN_NAME) && strcmp(parser->token.value, word) == 0;
}

bool parser_is_one_of(const struct parser *parser, const char *const *words)
{
    return parser_is(parser, TOKEN_NAME) && language_word(words, parser->token.value) >= 0;
}

bool parser_fail_at(struct parser *parser, size_t offset, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    source_diag_list(parser->policy->source, offset, parser->diags, DIAG_ERROR, NULL, format, arguments);
    va_end(arguments);
    return false;
}

/* What other programs call it. */
static const char *called_here(const char *word, const char *const *candidates)
{
    static const char *const words[][2] = {
        {"hold", "quarantine"},   {"held", "quarantine"}, {"review", "quarantine"}, {"deny", "reject"},
        {"block", "reject"},      {"refuse", "reject"},   {"bounce", "reject"},     {"defer", "tempfail"},
        {"greylist", "tempfail"}, {"pass", "accept"},     {"allow", "accept"},      {"permit", "accept"},
        {"ok", "accept"},         {"mark", "tag"},        {"if", "when"},           {"login", "user"},
        {"username", "user"},     {"ip", "client"},       {"network", "client"},    {"author", "from"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i][0], word) == 0 && language_word(candidates, words[i][1]) >= 0)
            return words[i][1];
    return NULL;
}

/* "expected X, not Y", with the nearest of the words that could be here. */
bool parser_fail_expected(struct parser *parser, const char *expected, const char *const *candidates)
{
    g_autofree char *found = token_describe(&parser->token);
    const char *nearest = NULL;

    if (parser_is(parser, TOKEN_ERROR))
        return false;
    parser->lexer.quiet_until =
        parser->lexer.position + strcspn(parser->policy->source->text + parser->lexer.position, "\n");
    if (parser_is(parser, TOKEN_NAME) && candidates != NULL)
        nearest = called_here(parser->token.value, candidates);
    if (parser_is(parser, TOKEN_NAME) && candidates != NULL && nearest == NULL)
        nearest = diag_nearest(parser->token.value, candidates);
    if (nearest != NULL && strcmp(nearest, parser->token.value) != 0)
        return parser_fail_at(parser, parser->token.offset, "expected %s, not %s; did you mean `%s`?", expected, found,
                              nearest);
    return parser_fail_at(parser, parser->token.offset, "expected %s, not %s", expected, found);
}

bool parser_take(struct parser *parser, enum token_kind kind, const char *expected)
{
    if (parser_skip(parser, kind))
        return true;
    return parser_fail_expected(parser, expected, NULL);
}

bool parser_take_word(struct parser *parser, const char *word)
{
    const char *const candidates[] = {word, NULL};
    g_autofree char *expected = g_strdup_printf("`%s`", word);

    if (parser_skip_word(parser, word))
        return true;
    return parser_fail_expected(parser, expected, candidates);
}

bool parser_skip(struct parser *parser, enum token_kind kind)
{
    if (!parser_is(parser, kind))
        return false;
    parser_advance(parser);
    return true;
}

bool parser_skip_word(struct parser *parser, const char *word)
{
    if (!parser_is_word(parser, word))
        return false;
    parser_advance(parser);
    return true;
}

bool parser_take_item(struct parser *parser, enum token_kind kind, const char *expected, struct item **item)
{
    if (!parser_is(parser, kind))
        return parser_fail_expected(parser, expected, NULL);
    *item = item_new(parser->token.value, parser->token.offset);
    parser_advance(parser);
    return true;
}

bool parser_take_string(struct parser *parser, const char *expected, struct item **item)
{
    return parser_take_item(parser, TOKEN_STRING, expected, item);
}

/* What the lexer took for a duration, in seconds. */
static guint64 duration_seconds(const char *text)
{
    char *unit = NULL;
    guint64 number = g_ascii_strtoull(text, &unit, 10);

    switch (*unit) {
    case 'd':
        return number * 24 * 60 * 60;
    case 'h':
        return number * 60 * 60;
    case 'm':
        return number * 60;
    }
    return number;
}

bool parser_take_duration(struct parser *parser, unsigned least, unsigned most, const char *example,
                          struct duration *duration)
{
    g_autofree char *expected = g_strdup_printf("a time such as `%s`, a number and `s`, `m`, `h` or `d`", example);

    if (!parser_is(parser, TOKEN_DURATION))
        return parser_fail_expected(parser, expected, NULL);
    guint64 seconds = duration_seconds(parser->token.value);
    if (seconds < least || seconds > most) {
        const unsigned day = 24 * 60 * 60;
        bool days = most > day;
        parser_fail_at(parser, parser->token.offset, "expected a time from %u%s to %u%s", days ? least / day : least,
                       days ? "d" : "s", most / (days ? day : 60 * 60), days ? "d" : "h");
        seconds = least; /* what follows may hold other mistakes */
    }
    g_free(duration->text);
    *duration = (struct duration){g_strdup(parser->token.value), parser->token.offset, (unsigned)seconds};
    parser_advance(parser);
    return true;
}

bool parser_take_name(struct parser *parser, const char *expected, struct item **item)
{
    if (parser_is(parser, TOKEN_NAME) && language_word(language_keywords, parser->token.value) >= 0)
        return parser_fail_at(parser, parser->token.offset, "expected %s, not the keyword `%s`", expected,
                              parser->token.value);
    return parser_take_item(parser, TOKEN_NAME, expected, item);
}
