/* expiry - see expiry.h */

#include "milter/review/expiry.h"

#include "milter/notify/mail_compose.h"

#include <string.h>

/* The rule that held it, as the policy has it now. */
static bool find_terms(const struct policy *policy, const char *name, struct action_terms *terms)
{
    for (unsigned i = 0; policy != NULL && i <= policy_rule_count(policy); i++) {
        const struct rule_facts rule = i < policy_rule_count(policy) ? policy_rule(policy, i) : policy_default(policy);
        if (strcmp(rule.name, name) != 0 || rule.disposition != DISPOSITION_QUARANTINE || rule.monitor)
            continue;
        *terms = rule.terms;
        return true;
    }
    return false;
}

struct held_expiry expiry_find(const struct config *config, const struct policy *policy, const struct ledger_row *row)
{
    struct conf_expiry expire = config->review.expire;
    struct action_terms terms;
    const struct held_expiry never = {0};
    if (row->expiry != EXPIRE_AS_CONFIGURED) {
        if (!find_terms(policy, row->message.rule, &terms) || terms.expire == EXPIRE_AS_CONFIGURED)
            return never;
        expire = (struct conf_expiry){MAX(row->expire, terms.expire_after), terms.expire};
    }
    if (expire.seconds == 0 || row->message.sender[0] == '\0')
        return never;
    const char *author = row->message.author;
    if (expire.way == EXPIRE_DELETE && (author == NULL || !letter_takes(author)))
        return never;
    return (struct held_expiry){.when = MAX(row->message.judged, row->arrival) + expire.seconds * G_TIME_SPAN_SECOND,
                                .action = expire.way == EXPIRE_DELETE ? LEDGER_DELETE : LEDGER_RETURN,
                                .seconds = expire.seconds};
}

gint64 expiry_earliest(const struct held_expiry *expiry, const struct ledger_row *row, gint64 steady, gint64 now)
{
    bool counts = row->announced > 0 && row->announced >= steady && row->announced <= now;
    gint64 announced = counts ? row->announced : now;
    return MAX(expiry->when, announced + EXPIRY_NOTICE);
}

gint64 delay_find(const struct config *config, const struct policy *policy, const struct ledger_row *row)
{
    struct action_terms terms;
    if (row->leaves == 0 || MAX(config->review.approvals, row->message.approvals) > 1 ||
        !find_terms(policy, row->message.rule, &terms) || terms.release != RELEASE_AFTER)
        return 0;
    /* The MTA counts seconds, and began to take the message before it was evaluated. */
    return MAX(row->leaves, row->arrival + terms.release_after * G_TIME_SPAN_SECOND);
}

struct policy *expiry_policy(const struct config *config, const GPtrArray *rows)
{
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index((GPtrArray *)rows, i);
        if (row->expiry == EXPIRE_AS_CONFIGURED && row->leaves == 0)
            continue;
        auto_free(diags) diags = diags_new();
        return policy_load(config->policy, diags);
    }
    return NULL;
}
