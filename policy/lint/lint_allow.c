/*
 * lint_allow - warnings that a comment of the policy allows, and such comments
 * that allow nothing.
 */

#include "policy/lint/lint.h"

#include "policy/base/suggest.h"
#include "policy/engine/policy.h"
#include "policy/language/allow_comments.h"

#include <string.h>

bool lint_is_allowed(const struct lint *lint, enum lint_name name, size_t offset)
{
    const GPtrArray *allows = lint->policy->allows;
    const char *word = policy_lint_names()[name];
    bool allowed = false;

    for (unsigned i = 0; i < allows->len; i++) {
        const struct allow *allow = g_ptr_array_index(allows, i);
        if (strcmp(allow->name, word) != 0 || !allow_comment_covers(lint->policy, allow, offset))
            continue;
        g_hash_table_add(lint->used, (gpointer)allow);
        allowed = true;
    }
    return allowed;
}

/* What is said of `until` comes and goes with the day. */
static bool is_of_time(const struct lint *lint, const struct allow *allow)
{
    if (strcmp(allow->name, "until-soon") != 0 && strcmp(allow->name, "until-past") != 0)
        return false;
    for (unsigned i = 0; i < lint->policy->rules->len; i++) {
        const struct rule *rule = lint_rule(lint, i);
        if (rule->until_text != NULL && allow_comment_covers(lint->policy, allow, rule->until_offset))
            return true;
    }
    return false;
}

void lint_allows(const struct lint *lint)
{
    const GPtrArray *allows = lint->policy->allows;

    for (unsigned i = 0; i < allows->len; i++) {
        const struct allow *allow = g_ptr_array_index(allows, i);
        const char *nearest = diag_nearest(allow->name, policy_lint_names());
        if (g_strv_contains(policy_lint_names(), allow->name)) {
            if (!g_hash_table_contains(lint->used, allow) && !is_of_time(lint, allow))
                lint_warn(lint, LINT_ALLOW_UNUSED, allow->offset, "nothing here is warned of as `%s`", allow->name);
        } else if (nearest != NULL) {
            lint_warn(lint, LINT_ALLOW_UNKNOWN, allow->offset, "there is no warning `%s`; did you mean `%s`?",
                      allow->name, nearest);
        } else {
            lint_warn(lint, LINT_ALLOW_UNKNOWN, allow->offset, "there is no warning `%s`", allow->name);
        }
    }
}
