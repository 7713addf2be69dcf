/*
 * allow_comments - comments that allow a warning: `# allow: until-soon`, after
 * the statement.  Private to the library.
 *
 * Such a comment applies to the warnings of its line; on the first line of a statement,
 * to those of the whole statement.  A comment on a separate line, or with anything other
 * than names, is an ordinary comment.
 */
#ifndef RCPTGUARD_ALLOW_COMMENTS_H
#define RCPTGUARD_ALLOW_COMMENTS_H

#include "policy/syntax/ast.h"

/* From the first byte of a statement to that of the next one. */
struct span {
    size_t begin, end;
};

/* Fills `policy->allows` from the comments (size_t, where each begins) and the statements (struct span). */
void allow_comments_gather(struct policy *policy, const GArray *comments, const GArray *statements);

/* Whether a comment applies to that place of the policy. */
bool allow_comment_covers(const struct policy *policy, const struct allow *allow, size_t offset);

/* Appends the names that are allowed anywhere in the statement around that place, as a comment; or nothing. */
void allow_comments_print(GString *out, const struct policy *policy, size_t offset);

#endif
