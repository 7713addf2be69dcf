/*
 * lint_warning - what the lints share: their names, and how one warns.  Private to the
 * library.
 *
 * Whatever a lint claims is so; where it cannot know, it is silent.  What it
 * costs is bounded, however large the policy is.
 */
#ifndef RCPTGUARD_LINT_WARNING_H
#define RCPTGUARD_LINT_WARNING_H

#include "policy/logic/condition_solver.h"
#include "policy/syntax/ast.h"

enum lint_name {
    LINT_WHOLE_VALUE,
    LINT_UNESCAPED_DOT,
    LINT_MISSING_BOUNDARY,
    LINT_LEADING_WILDCARD,
    LINT_OPEN_DOMAIN,
    LINT_SLOW_REGEX,
    LINT_CLASS_OVERLAP,
    LINT_CLASS_UNUSED,
    LINT_CLASS_EMPTY,
    LINT_TABLE_UNUSED,
    LINT_TABLE_EMPTY,
    LINT_PUBLIC_SUFFIX,
    LINT_FREEMAIL_INTERNAL,
    LINT_THRESHOLD_BEYOND_LIMIT,
    LINT_THRESHOLD_BEYOND_HEADER,
    LINT_HEADER_MISSPELT,
    LINT_CLASS_IN_QUOTES,
    LINT_NEVER_TRUE,
    LINT_ALWAYS_TRUE,
    LINT_REDUNDANT_TEST,
    LINT_RULE_UNREACHABLE,
    LINT_UNTIL_PAST,
    LINT_UNTIL_SOON,
    LINT_STOPS_FEW,
    LINT_MILDER_FIRST,
    LINT_EXEMPTION_LAST,
    LINT_TEXT_COUNT,
    LINT_FORGEABLE_EXEMPTION,
    LINT_WINDOW_THRESHOLD,
    LINT_ALIKE_ALONE,
    LINT_KNOWN_WITHOUT_REMEMBER,
    LINT_KNOWN_SENSITIVE,
    LINT_REMEMBER_UNUSED,
    LINT_INSIDE_THRESHOLD,
    LINT_INSIDE_TEXT,
    LINT_RELEASE_APPROVALS,
    LINT_OVERRIDE_SENSITIVE,
    LINT_OVERRIDE_CONTACT,
    LINT_OVERRIDE_STOPPED,
    LINT_NOTHING_HELD,
    LINT_REINJECTED_MAIL,
    LINT_NO_EXPECTATION,
    LINT_ALLOW_UNKNOWN,
    LINT_ALLOW_UNUSED,
    LINT_NAMES, /* how many there are */
};

struct lint {
    const struct policy *policy;
    gint64 now; /* seconds since 1970 */
    struct diags *diags;
    struct logic *logic;
    GHashTable *used; /* struct allow * that have allowed something */
};

/* A warning at a place of the policy, or of another source. */
void lint_warn(const struct lint *lint, enum lint_name name, size_t offset, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
void lint_warn_in(const struct lint *lint, enum lint_name name, const struct source *source, size_t offset,
                  const char *format, ...) G_GNUC_PRINTF(5, 6);

/* Whether a comment of the policy allows the warning at that place. */
bool lint_is_allowed(const struct lint *lint, enum lint_name name, size_t offset);

/* A rule of the policy, by its index. */
const struct rule *lint_rule(const struct lint *lint, unsigned index);

/* Whether its last day has passed. */
bool lint_rule_is_over(const struct lint *lint, const struct rule *rule);

#endif
