/*
 * regex_values - whether a regular expression can match any value of its subject
 * at all.  Private to the library.
 *
 * An expression covers the whole value, so /clinic@/ matches no address.  What
 * a value looks like is a small automaton for each subject; the expression's
 * parts are walked through it.  What is not known is taken to match anything, so
 * "matches none" is always true of values of that form.
 */
#ifndef RCPTGUARD_REGEX_VALUES_H
#define RCPTGUARD_REGEX_VALUES_H

#include "policy/logic/regex_tree.h"

/* The forms that values have. */
enum regex_values {
    VALUES_ANY,
    VALUES_DOMAIN,    /* names with a dot, and domain literals */
    VALUES_ADDRESS,   /* something, an @, and such a domain */
    VALUES_SENDER,    /* the same, or nothing: the null sender */
    VALUES_LOGIN,     /* a name, or something like an address */
    VALUES_NETWORK,   /* an IP address */
    VALUES_ADDRESSES, /* a header field that contains an address */
    VALUES_ANGLES,    /* a header field with angle brackets, and something between them: List-Id, Message-ID */
};

/* `pattern` is what `regex` was made of. */
bool regex_can_match(const struct regex *regex, const char *pattern, enum regex_values values);

/* Whether the expression begins, or ends, with what may be anything: `.*`, `.+`. */
bool regex_begins_open(const struct regex *regex);
bool regex_ends_open(const struct regex *regex);

#endif
