/*
 * print_policy - the canonical text of a policy: one fact a line.  Private to the library.
 *
 * Ownership: free strings with g_free.
 */
#ifndef RCPTGUARD_PRINT_POLICY_H
#define RCPTGUARD_PRINT_POLICY_H

#include "policy/syntax/ast.h"

/* `with_allows`: with the comments that allow warnings, which are no part of the digest. */
char *policy_print(const struct policy *policy, bool with_allows);
char *expression_print(const struct expression *expression);

/* Each part of the outermost `and` or `or` as a line; to be freed with g_strfreev. */
char **expression_print_lines(const struct expression *expression);

#endif
