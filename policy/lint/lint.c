/*
 * lint - what is no error in a policy and yet surely not meant; see policy.h.
 */

#include "policy/lint/lint.h"

#include "policy/base/source.h"

/* A rule that ends within so many days is worth a word. */
#define UNTIL_SOON_DAYS 14

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
    source_lint_list(lint->policy->source, offset, lint->diags, lint_names[name], format, arguments);
    va_end(arguments);
}

void lint_warn_in(const struct lint *lint, enum lint_name name, const struct source *source, size_t offset,
                  const char *format, ...)
{
    va_list arguments;

    if (source == lint->policy->source && lint_is_allowed(lint, name, offset))
        return;
    va_start(arguments, format);
    source_lint_list(source, offset, lint->diags, lint_names[name], format, arguments);
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

bool lint_stops(const struct action *action)
{
    switch (action->disposition) {
    case DISPOSITION_QUARANTINE:
    case DISPOSITION_REJECT:
    case DISPOSITION_TEMPFAIL:
        return true;
    case DISPOSITION_ACCEPT:
    case DISPOSITION_TAG:
        break;
    }
    return false;
}

static void lint_until(const struct lint *lint, const struct rule *rule)
{
    const gint64 day = 24 * 60 * 60;

    if (rule->until_text == NULL)
        return;
    if (lint_rule_is_over(lint, rule)) {
        lint_warn(lint, LINT_UNTIL_PAST, rule->until_offset,
                  "rule `%s` is over: its last day was %s; take it out, or give it a later day", rule->name->text,
                  rule->until_text);
        return;
    }
    /* How many days are left behind this one. */
    gint64 days = (rule->until - 1) / day - lint->now / day;
    if (days == 0)
        lint_warn(lint, LINT_UNTIL_SOON, rule->until_offset, "today is the last day of rule `%s`", rule->name->text);
    else if (days <= UNTIL_SOON_DAYS)
        lint_warn(lint, LINT_UNTIL_SOON, rule->until_offset, "rule `%s` ends in %d %s, with %s", rule->name->text,
                  (int)days, days == 1 ? "day" : "days", rule->until_text);
}

void policy_lint(const struct policy *policy, gint64 now, struct diags *diags)
{
    auto_free(logic) logic = logic_new(policy);
    g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
    const struct lint lint = {.policy = policy, .now = now, .diags = diags, .logic = logic, .used = used};
    unsigned first = diags_count(diags);

    lint_regexes(&lint);
    lint_classes(&lint);
    lint_spelling(&lint);
    lint_tests(&lint);
    for (unsigned i = 0; i < policy->rules->len; i++)
        lint_until(&lint, lint_rule(&lint, i));
    lint_rules(&lint);
    lint_actions(&lint);
    lint_texts(&lint);
    lint_exemptions(&lint);
    lint_outbound(&lint);
    if (policy->expects->len == 0)
        lint_warn(&lint, LINT_NO_EXPECTATION, policy->version_offset,
                  "this policy has no `expect`, so nobody sees when a change of it breaks what it is for");
    lint_allows(&lint);
    diags_sort(diags, first, policy->source->name);
}
