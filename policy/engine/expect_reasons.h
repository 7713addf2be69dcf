/*
 * expect_reasons - why an assertion of a policy fails, in a few lines: notes to the
 * error that was added last.  Private to the library.
 *
 * The reasons come from the evaluation itself, by a trace.
 */
#ifndef RCPTGUARD_EXPECT_REASONS_H
#define RCPTGUARD_EXPECT_REASONS_H

#include "policy/engine/policy.h"
#include "policy/syntax/ast.h"

/* What in a policy gives a domain (normalised) its class. */
void reasons_of_class(const struct policy *policy, const char *domain, unsigned class_index, struct diags *diags);

/* Which tests say whether the message is outbound. */
void reasons_of_outbound(struct policy *policy, const struct message *message, struct diags *diags);

/* What was wanted of a message: a disposition, a rule or NULL, and those of the terms that are not 0. */
struct wanted {
    enum disposition disposition;
    const char *rule;
    struct action_terms terms;
    bool overridable;
};

/* What the message came to instead: the counts, the text, the rule that decided, and those that were to decide. */
void reasons_of_verdict(struct policy *policy, const struct message *message, const struct evaluate_options *options,
                        const struct verdict *verdict, const struct wanted *wanted, struct diags *diags);

#endif
