/* mechanisms - see mechanisms.h */

#include "milter/daemon/mechanisms.h"

#include "milter/ledger/ledger_time.h"

#include <unistd.h>

static bool asks_sender(const struct action_terms *terms)
{
    return terms->release == RELEASE_BY_SENDER || terms->release == RELEASE_BY_SENDER_WITH_REASON;
}

static bool check(const struct policy *policy, const struct config *config, const struct rule_facts *rule,
                  struct diags *diags)
{
    bool sender = asks_sender(&rule->terms);
    bool good = (rule->terms.override == 0 && !sender) || config->review.answers != NULL;
    if (!good)
        diags_line_error(diags, policy_path(policy), rule->line,
                         "`%s` of `%s` needs an address that senders can use: [review] answers in %s",
                         sender ? "release by sender" : "override", rule->name, config->path);
    if (sender && config->review.notice == NULL) {
        good = false;
        diags_line_error(diags, policy_path(policy), rule->line,
                         "`release by sender` of `%s` needs a notice, which has the addresses that are answered to: "
                         "[review] notice in %s",
                         rule->name, config->path);
    }
    return good;
}

bool mechanisms_check(const struct policy *policy, const struct config *config, struct diags *diags)
{
    const struct rule_facts fallback = policy_default(policy);
    bool good = true;

    good = check(policy, config, &fallback, diags) && good;
    for (unsigned i = 0; i < policy_rule_count(policy); i++) {
        const struct rule_facts rule = policy_rule(policy, i);
        good = check(policy, config, &rule, diags) && good;
    }
    return good;
}

/* ---- who carries it out */

/* A ledger that cannot be read now is another matter. */
static bool agent_runs(const struct config *config)
{
    struct database_error error;
    struct ledger_agent agent = {0};
    auto_free(ledger) ledger = ledger_open(config->ledger, geteuid(), DATABASE_EXISTING, &error);
    if (ledger == NULL)
        return error.failure != DATABASE_MISSING;
    if (ledger_agent_read(ledger, &agent, &error) == -1)
        return true;
    return ABS(g_get_real_time() - agent.last) <= LEDGER_STEADY_GAP;
}

static void warn(const struct policy *policy, const struct config *config, const struct rule_facts *rule,
                 struct diags *diags)
{
    g_autofree char *timer = config_unit(config, "rcptguard-agent", ".timer");
    auto_free(diags) found = diags_new();
    diags_line_error(found, policy_path(policy), rule->line,
                     "`release after` of `%s`: `rcptguardq agent` has not run for a day, so what this rule holds stays "
                     "on hold; systemctl enable --now %s",
                     rule->name, timer);
    diags_demote(found);
    diags_move(diags, found);
}

void mechanisms_watch(const struct policy *policy, const struct config *config, struct diags *diags)
{
    for (unsigned i = 0; i <= policy_rule_count(policy); i++) {
        const struct rule_facts rule = i < policy_rule_count(policy) ? policy_rule(policy, i) : policy_default(policy);
        if (rule.terms.release != RELEASE_AFTER)
            continue;
        if (!agent_runs(config))
            warn(policy, config, &rule, diags);
        return;
    }
}
