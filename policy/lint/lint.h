/*
 * lint - the lints, each of which looks at one part of a policy; lint.c calls them.  Private to the library.
 */
#ifndef RCPTGUARD_LINT_H
#define RCPTGUARD_LINT_H

#include "policy/lint/lint_warning.h"

/* What the policy says, part by part. */
void lint_regexes(const struct lint *lint);
void lint_classes(const struct lint *lint);
void lint_tests(const struct lint *lint);
void lint_spelling(const struct lint *lint);
void lint_rules(const struct lint *lint);
void lint_actions(const struct lint *lint);
void lint_exemptions(const struct lint *lint);
void lint_allows(const struct lint *lint);
void lint_outbound(const struct lint *lint);
void lint_state(const struct lint *lint);

/*
 * A provider at which anyone can have a mailbox: if the domain (normalised) is
 * one, or has one below it if `below`; that a pattern matches.  NULL if there is
 * none.
 */
const char *lint_freemail(const char *domain, bool below);
const char *lint_freemail_matched(const struct pattern *pattern);

#endif
