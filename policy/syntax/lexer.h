/*
 * lexer - the words of the policy language.
 *
 * A token keeps its byte offset; line and column are worked out when something
 * is printed.  Free the value of a token with token_clear.
 */
#ifndef RCPTGUARD_LEXER_H
#define RCPTGUARD_LEXER_H

#include "policy/base/source.h"

enum token_kind {
    TOKEN_END,
    TOKEN_ERROR, /* has been reported already */
    TOKEN_NAME,  /* a keyword or a name */
    TOKEN_NUMBER,
    TOKEN_DATE,     /* 2027-06-30 */
    TOKEN_DURATION, /* 30s, 10m, 2h, 90d */
    TOKEN_STRING,   /* value without quotes and escapes */
    TOKEN_REGEX,    /* value without slashes; `\/` is a slash */
    TOKEN_OPEN,     /* { */
    TOKEN_CLOSE,    /* } */
    TOKEN_LEFT,     /* ( */
    TOKEN_RIGHT,    /* ) */
    TOKEN_COMMA,
    TOKEN_EQUAL,
    TOKEN_MATCHES, /* =~ */
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
};

struct token {
    enum token_kind kind;
    size_t offset;
    size_t length;
    char *value; /* of names, numbers, dates, durations, strings and regexes */
};

struct lexer {
    const struct source *source;
    size_t position;
    size_t quiet_until; /* mistakes before this offset are not reported: they follow from another */
    struct diags *diags;
    GArray *comments; /* size_t, where each begins; or NULL */
};

/* The next token.  What is wrong with it is in `diags`. */
struct token lexer_next(struct lexer *lexer);
void token_clear(struct token *token);

/* For a message: "`rule`", "a string", "the end of the file"; to be freed with g_free. */
char *token_describe(const struct token *token);

/* A string as it is written: quoted, with its escapes. */
void lexer_append_string(GString *text, const char *value);
void lexer_append_regex(GString *text, const char *value);

#endif
