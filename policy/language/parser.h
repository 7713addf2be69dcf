/*
 * parser - from words to the tree of ast.h.  Private to the library.
 *
 * A mistake is reported once: after it the parser goes on at the next word that
 * can begin something, so that all mistakes of a file are found in one pass.
 */
#ifndef RCPTGUARD_PARSER_H
#define RCPTGUARD_PARSER_H

#include "policy/syntax/ast.h"

/* Fills the tree; errors go to `diags`. */
void policy_parse(struct policy *policy, struct diags *diags);

#endif
