/*
 * parser_tokens - what the parts of the parser share: the current token, what may be
 * there, and how an error is reported.  Private to the library.
 */
#ifndef RCPTGUARD_PARSER_TOKENS_H
#define RCPTGUARD_PARSER_TOKENS_H

#include "policy/syntax/ast.h"
#include "policy/syntax/lexer.h"

struct parser {
    struct policy *policy;
    struct lexer lexer;
    struct token token;
    struct diags *diags;
    unsigned depth;
    bool default_seen; /* the policy has had its last statement */
};

void parser_advance(struct parser *parser);

/* What the token at hand is. */
bool parser_is(const struct parser *parser, enum token_kind kind);
bool parser_is_word(const struct parser *parser, const char *word);
bool parser_is_one_of(const struct parser *parser, const char *const *words);

/* Adds an error at a byte offset of the source; gives false, as whoever meets it does. */
bool parser_fail_at(struct parser *parser, size_t offset, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* "expected X, not Y", with the nearest of the words that are allowed here (ended by NULL; or NULL); false. */
bool parser_fail_expected(struct parser *parser, const char *expected, const char *const *candidates);

/* Skips a token of that kind, or that word; otherwise reports what was expected. */
bool parser_take(struct parser *parser, enum token_kind kind, const char *expected);
bool parser_take_word(struct parser *parser, const char *word);

/* The same without a complaint. */
bool parser_skip(struct parser *parser, enum token_kind kind);
bool parser_skip_word(struct parser *parser, const char *word);

/* The value of a token of that kind with its place; else tells what was expected, and `item` stays as it was. */
bool parser_take_item(struct parser *parser, enum token_kind kind, const char *expected, struct item **item);
bool parser_take_string(struct parser *parser, const char *expected, struct item **item);

/* A duration from `least` to `most` seconds: `example` shows one. */
bool parser_take_duration(struct parser *parser, unsigned least, unsigned most, const char *example,
                          struct duration *duration);

/* A name that the policy defines: not a keyword. */
bool parser_take_name(struct parser *parser, const char *expected, struct item **item);

#endif
