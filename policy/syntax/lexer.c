/* lexer - see lexer.h */

#include "policy/syntax/lexer.h"

#include "policy/base/source.h"
#include "policy/syntax/vocabulary.h"

#include <stdio.h>
#include <string.h>

/* What is after a mistake on its line is part of it more often than not. */
static void G_GNUC_PRINTF(3, 4) lexer_fail(struct lexer *lexer, size_t offset, const char *format, ...)
{
    va_list arguments;

    if (offset < lexer->quiet_until)
        return;
    va_start(arguments, format);
    source_diag_list(lexer->source, offset, lexer->diags, DIAG_ERROR, NULL, format, arguments);
    va_end(arguments);
}

static char at(const struct lexer *lexer, size_t ahead)
{
    /* A NUL ends the text of a source. */
    size_t position = lexer->position + ahead;

    return position < lexer->source->length ? lexer->source->text[position] : '\0';
}

static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        if (at(lexer, 0) == '#' && lexer->comments != NULL)
            g_array_append_val(lexer->comments, lexer->position);
        if (at(lexer, 0) == '#')
            while (at(lexer, 0) != '\0' && at(lexer, 0) != '\n')
                lexer->position++;
        else if (at(lexer, 0) != '\0' && strchr(" \t\r\n", at(lexer, 0)) != NULL)
            lexer->position++;
        else
            return;
    }
}

static bool in_name(char c)
{
    return g_ascii_islower(c) || g_ascii_isdigit(c) || c == '-';
}

static void take_value(struct lexer *lexer, struct token *token)
{
    token->length = lexer->position - token->offset;
    token->value = g_strndup(lexer->source->text + token->offset, token->length);
}

static void lex_name(struct lexer *lexer, struct token *token)
{
    while (in_name(at(lexer, 0)))
        lexer->position++;
    take_value(lexer, token);
    token->kind = TOKEN_NAME;
    if (token->length > 32) {
        lexer_fail(lexer, token->offset, "a name has at most 32 characters");
        token->kind = TOKEN_ERROR;
    }
}

/* A letter after digits: a unit of time, or a mistake. */
static void lex_after_number(struct lexer *lexer, struct token *token)
{
    bool unit = strchr("smhd", at(lexer, 0)) != NULL && !in_name(at(lexer, 1)) && token->length <= 9;

    while (in_name(at(lexer, 0)))
        lexer->position++;
    if (unit) {
        token_clear(token);
        take_value(lexer, token);
        token->kind = TOKEN_DURATION;
        return;
    }
    lexer_fail(lexer, token->offset, "expected a number; a name starts with a letter from a to z");
    token->kind = TOKEN_ERROR;
}

/* Digits, a date or a duration; dates are checked here so that everybody can rely on them. */
static void lex_number(struct lexer *lexer, struct token *token)
{
    bool date = false;

    while (g_ascii_isdigit(at(lexer, 0)) || (at(lexer, 0) == '-' && g_ascii_isdigit(at(lexer, 1)))) {
        date = date || at(lexer, 0) == '-';
        lexer->position++;
    }
    take_value(lexer, token);
    token->kind = TOKEN_NUMBER;
    if (date) {
        unsigned year, month, day;
        int used = 0;
        token->kind = TOKEN_DATE;
        if (token->length != 10 || sscanf(token->value, "%4u-%2u-%2u%n", &year, &month, &day, &used) != 3 ||
            used != 10 || !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year)) {
            lexer_fail(lexer, token->offset, "`%s` is no date; expected one such as 2027-06-30", token->value);
            token->kind = TOKEN_ERROR;
        }
    } else if (in_name(at(lexer, 0))) {
        lex_after_number(lexer, token);
    } else if (token->length > 9) {
        lexer_fail(lexer, token->offset, "a number has at most nine digits");
        token->kind = TOKEN_ERROR;
    }
}

/* Whether a control character is here: C0, DEL or, in UTF-8, C1. */
static bool is_control(const struct lexer *lexer)
{
    guchar c = (guchar)at(lexer, 0);

    return c < 0x20 || c == 0x7f || (c == 0xc2 && (guchar)at(lexer, 1) < 0xa0);
}

/* A string or a regex: up to `end` on the same line. */
static void lex_quoted(struct lexer *lexer, struct token *token, char end)
{
    GString *value = g_string_new(NULL);
    bool string = end == '"';

    token->kind = string ? TOKEN_STRING : TOKEN_REGEX;
    for (lexer->position++; at(lexer, 0) != end; lexer->position++) {
        char c = at(lexer, 0);
        if (c == '\0' || c == '\n' || c == '\r') {
            lexer_fail(lexer, token->offset,
                       string ? "this string has no closing `\"` on its line"
                              : "this regular expression has no closing `/` on its line");
            token->kind = TOKEN_ERROR;
            token->length = lexer->position - token->offset;
            g_string_free(value, TRUE);
            return;
        }
        if (string && is_control(lexer) && token->kind != TOKEN_ERROR) {
            lexer_fail(lexer, lexer->position, "a control character in a string; expected text");
            token->kind = TOKEN_ERROR;
        }
        if (c != '\\') {
            g_string_append_c(value, c);
            continue;
        }
        c = at(lexer, 1);
        if (c == '\0' || c == '\n' || c == '\r')
            continue; /* reported as unclosed in the next round */
        lexer->position++;
        if (string && c != '"' && c != '\\') {
            if (token->kind != TOKEN_ERROR)
                lexer_fail(lexer, lexer->position - 1,
                           "a string knows the escapes `\\\"` and `\\\\`; a backslash is written `\\\\`");
            token->kind = TOKEN_ERROR;
        }
        if (!string && c != '/')
            g_string_append_c(value, '\\');
        g_string_append_c(value, c);
    }
    lexer->position++;
    token->length = lexer->position - token->offset;
    token->value = g_string_free(value, FALSE);
}

/* What is right after the slash that ends a regular expression: options, or more of it. */
static void lex_behind_regex(struct lexer *lexer, struct token *token)
{
    const char *text = lexer->source->text + lexer->position;
    size_t rest = strcspn(text, " \t\r\n(){},#\""), length = 0;

    while (in_name(text[length]))
        length++;
    g_autofree char *word = g_strndup(text, length);
    if (rest == 0 || language_word(language_keywords, word) >= 0)
        return;
    if (length == rest && strspn(word, "gimsux") == length)
        lexer_fail(lexer, lexer->position,
                   "an expression has no options after it, such as `%s`: all comparisons ignore case", word);
    else
        lexer_fail(lexer, lexer->position - 1,
                   "this `/` ends the regular expression; a slash within it is written `\\/`");
    /* The rest of the line is part of the same mistake more often than not. */
    lexer->position += rest;
    lexer->quiet_until = lexer->position + strcspn(text + rest, "\n");
    token->kind = TOKEN_ERROR;
    token->length = lexer->position - token->offset;
}

/* What other languages write, and what is written here. */
static bool lex_foreign_sign(struct lexer *lexer, struct token *token)
{
    static const char *const signs[][2] = {
        {"==", "`=`"},   {"=>", "`>=`"}, {"=<", "`<=`"}, {"!=", "`not` before the test, and `=`"},
        {"&&", "`and`"}, {"||", "`or`"}, {"!", "`not`"}, {"<>", "`not` before the test, and `=`"},
        {"&", "`and`"},  {"|", "`or`"},  {"~", "`=~`"},
    };
    const char *text = lexer->source->text + lexer->position;

    for (unsigned i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (!g_str_has_prefix(text, signs[i][0]))
            continue;
        lexer_fail(lexer, token->offset, "`%s` means nothing here; did you mean %s?", signs[i][0], signs[i][1]);
        token->kind = TOKEN_ERROR;
        token->length = strlen(signs[i][0]);
        lexer->position += token->length;
        return true;
    }
    return false;
}

/* What begins with a capital letter: often a word that has none. */
static void lex_capital(struct lexer *lexer, struct token *token)
{
    const char *text = lexer->source->text + lexer->position;
    size_t length = 0;

    while (in_name(text[length]) || g_ascii_isupper(text[length]))
        length++;
    g_autofree char *lower = g_ascii_strdown(text, (gssize)length);
    if (language_word(language_keywords, lower) >= 0)
        lexer_fail(lexer, token->offset, "the words of the language have small letters: did you mean `%s`?", lower);
    else if (length <= 32)
        lexer_fail(lexer, token->offset,
                   "a name has small letters, digits and hyphens, such as `%s`; write other text in double quotes",
                   lower);
    else
        lexer_fail(lexer, token->offset,
                   "a name has small letters, digits and hyphens; write other text in double quotes");
}

static void lex_sign(struct lexer *lexer, struct token *token)
{
    static const struct {
        const char *text;
        enum token_kind kind;
    } signs[] = {
        {"=~", TOKEN_MATCHES}, {">=", TOKEN_GREATER_EQUAL}, {"<=", TOKEN_LESS_EQUAL}, {"{", TOKEN_OPEN},
        {"}", TOKEN_CLOSE},    {"(", TOKEN_LEFT},           {")", TOKEN_RIGHT},       {",", TOKEN_COMMA},
        {"=", TOKEN_EQUAL},    {">", TOKEN_GREATER},        {"<", TOKEN_LESS},
    };
    const char *text = lexer->source->text + lexer->position;

    if (lex_foreign_sign(lexer, token))
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (g_str_has_prefix(text, signs[i].text)) {
            token->kind = signs[i].kind;
            token->length = strlen(signs[i].text);
            lexer->position += token->length;
            return;
        }
    }
    token->kind = TOKEN_ERROR;
    if (g_ascii_isupper(*text))
        lex_capital(lexer, token);
    else if (g_unichar_isgraph(g_utf8_get_char(text)))
        lexer_fail(lexer, token->offset, "`%.*s` means nothing here", (int)(g_utf8_next_char(text) - text), text);
    else
        lexer_fail(lexer, token->offset, "the character U+%04X means nothing here", g_utf8_get_char(text));
    /* The rest of what was meant as a word is part of the same mistake. */
    do
        lexer->position++;
    while (at(lexer, 0) != '\0' && strchr(" \t\r\n#\"/{}(),=<>", at(lexer, 0)) == NULL);
    token->length = lexer->position - token->offset;
}

struct token lexer_next(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_END};

    skip_blanks(lexer);
    token.offset = lexer->position;
    char c = at(lexer, 0);
    if (c == '\0')
        return token;
    if (g_ascii_islower(c))
        lex_name(lexer, &token);
    else if (g_ascii_isdigit(c))
        lex_number(lexer, &token);
    else if (c == '"' || c == '/')
        lex_quoted(lexer, &token, c);
    else
        lex_sign(lexer, &token);
    if (token.kind == TOKEN_REGEX)
        lex_behind_regex(lexer, &token);
    return token;
}

void token_clear(struct token *token)
{
    g_free(token->value);
    token->value = NULL;
}

char *token_describe(const struct token *token)
{
    /* Of the others it is their value. */
    static const char *const names[] = {[TOKEN_END] = "the end of the file",
                                        [TOKEN_ERROR] = "an error",
                                        [TOKEN_STRING] = "a string",
                                        [TOKEN_REGEX] = "a regular expression",
                                        [TOKEN_OPEN] = "`{`",
                                        [TOKEN_CLOSE] = "`}`",
                                        [TOKEN_LEFT] = "`(`",
                                        [TOKEN_RIGHT] = "`)`",
                                        [TOKEN_COMMA] = "`,`",
                                        [TOKEN_EQUAL] = "`=`",
                                        [TOKEN_MATCHES] = "`=~`",
                                        [TOKEN_GREATER] = "`>`",
                                        [TOKEN_GREATER_EQUAL] = "`>=`",
                                        [TOKEN_LESS] = "`<`",
                                        [TOKEN_LESS_EQUAL] = "`<=`"};
    const char *name = names[token->kind];

    return name != NULL ? g_strdup(name) : g_strdup_printf("`%s`", token->value);
}

void lexer_append_string(GString *text, const char *value)
{
    g_string_append_c(text, '"');
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *value);
    }
    g_string_append_c(text, '"');
}

void lexer_append_regex(GString *text, const char *value)
{
    g_string_append_c(text, '/');
    for (; *value != '\0'; value++) {
        /* A backslash and what it escapes stay together: `\\` is no escape of what follows it. */
        if (*value == '\\' && value[1] != '\0')
            g_string_append_c(text, *value++);
        else if (*value == '/')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *value);
    }
    g_string_append_c(text, '/');
}
