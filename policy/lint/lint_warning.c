/* lint_warning - see lint_warning.h */

#include "policy/lint/lint_warning.h"

#include "policy/base/source.h"
#include "policy/engine/policy.h"

/* rcptguard-policy(5) tells what each means. */
static const char *const lint_names[] = {
    [LINT_WHOLE_VALUE] = "whole-value",
    [LINT_UNESCAPED_DOT] = "unescaped-dot",
    [LINT_MISSING_BOUNDARY] = "missing-boundary",
    [LINT_LEADING_WILDCARD] = "leading-wildcard",
    [LINT_OPEN_DOMAIN] = "open-domain",
    [LINT_SLOW_REGEX] = "slow-regex",
    [LINT_CLASS_OVERLAP] = "class-overlap",
    [LINT_CLASS_UNUSED] = "class-unused",
    [LINT_CLASS_EMPTY] = "class-empty",
    [LINT_TABLE_UNUSED] = "table-unused",
    [LINT_TABLE_EMPTY] = "table-empty",
    [LINT_PUBLIC_SUFFIX] = "public-suffix",
    [LINT_FREEMAIL_INTERNAL] = "freemail-internal",
    [LINT_THRESHOLD_BEYOND_LIMIT] = "threshold-beyond-limit",
    [LINT_THRESHOLD_BEYOND_HEADER] = "threshold-beyond-header",
    [LINT_HEADER_MISSPELT] = "header-misspelt",
    [LINT_CLASS_IN_QUOTES] = "class-in-quotes",
    [LINT_NEVER_TRUE] = "never-true",
    [LINT_ALWAYS_TRUE] = "always-true",
    [LINT_REDUNDANT_TEST] = "redundant-test",
    [LINT_RULE_UNREACHABLE] = "rule-unreachable",
    [LINT_UNTIL_PAST] = "until-past",
    [LINT_UNTIL_SOON] = "until-soon",
    [LINT_STOPS_FEW] = "stops-few",
    [LINT_MILDER_FIRST] = "milder-first",
    [LINT_EXEMPTION_LAST] = "exemption-last",
    [LINT_TEXT_COUNT] = "text-count",
    [LINT_FORGEABLE_EXEMPTION] = "forgeable-exemption",
    [LINT_WINDOW_THRESHOLD] = "window-threshold",
    [LINT_ALIKE_ALONE] = "alike-alone",
    [LINT_KNOWN_WITHOUT_REMEMBER] = "known-without-remember",
    [LINT_KNOWN_SENSITIVE] = "known-sensitive",
    [LINT_REMEMBER_UNUSED] = "remember-unused",
    [LINT_INSIDE_THRESHOLD] = "inside-threshold",
    [LINT_INSIDE_TEXT] = "inside-text",
    [LINT_RELEASE_APPROVALS] = "release-approvals",
    [LINT_OVERRIDE_SENSITIVE] = "override-sensitive",
    [LINT_OVERRIDE_CONTACT] = "override-contact",
    [LINT_OVERRIDE_STOPPED] = "override-stopped",
    [LINT_NOTHING_HELD] = "nothing-held",
    [LINT_REINJECTED_MAIL] = "reinjected-mail",
    [LINT_NO_EXPECTATION] = "no-expectation",
    [LINT_ALLOW_UNKNOWN] = "allow-unknown",
    [LINT_ALLOW_UNUSED] = "allow-unused",
    [LINT_NAMES] = NULL,
};

G_STATIC_ASSERT(G_N_ELEMENTS(lint_names) == LINT_NAMES + 1);

const char *const *policy_lint_names(void)
{
    return lint_names;
}

void lint_warn(const struct lint *lint, enum lint_name name, size_t offset, const char *format, ...)
{
    va_list arguments;

    if (lint_is_allowed(lint, name, offset))
        return;
    va_start(arguments, format);
    source_diag_list(lint->policy->source, offset, lint->diags, DIAG_WARNING, lint_names[name], format, arguments);
    va_end(arguments);
}

void lint_warn_in(const struct lint *lint, enum lint_name name, const struct source *source, size_t offset,
                  const char *format, ...)
{
    va_list arguments;

    if (source == lint->policy->source && lint_is_allowed(lint, name, offset))
        return;
    va_start(arguments, format);
    source_diag_list(source, offset, lint->diags, DIAG_WARNING, lint_names[name], format, arguments);
    va_end(arguments);
}

const struct rule *lint_rule(const struct lint *lint, unsigned index)
{
    return g_ptr_array_index(lint->policy->rules, index);
}

bool lint_rule_is_over(const struct lint *lint, const struct rule *rule)
{
    return lint->now >= rule->until;
}
