/*
 * resolve - gives the parsed tree its meaning: names become classes, files
 * become tables, patterns and texts are compiled.  Private to the library.
 */
#ifndef RCPTGUARD_RESOLVE_H
#define RCPTGUARD_RESOLVE_H

#include "policy/syntax/ast.h"

/* Errors go to `diags`. */
void policy_resolve(struct policy *policy, struct diags *diags);

#endif
