/*
 * lint - what is no error in a policy and yet surely not meant; see policy.h.
 */

#include "policy/lint/lint.h"

#include "policy/engine/policy.h"

/* A rule that ends within that many days is worth a word. */
#define UNTIL_SOON_DAYS 14

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
    /* How many days are left after this one. */
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
    lint_exemptions(&lint);
    lint_outbound(&lint);
    lint_state(&lint);
    if (policy->expects->len == 0)
        lint_warn(&lint, LINT_NO_EXPECTATION, policy->version_offset,
                  "this policy has no `expect`, so a change that breaks it is not noticed");
    lint_allows(&lint);
    diags_sort(diags, first, policy->source->name);
}
