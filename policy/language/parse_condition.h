/*
 * parse_condition - tests joined by `and`, `or`, `not` and parentheses.  Private to the library.
 */
#ifndef RCPTGUARD_PARSE_CONDITION_H
#define RCPTGUARD_PARSE_CONDITION_H

#include "policy/syntax/parser_tokens.h"

/* NULL after an error. */
struct expression *parser_expression(struct parser *parser);

#endif
