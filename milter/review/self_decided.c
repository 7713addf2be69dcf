/* self_decided - see self_decided.h */

#include "milter/review/self_decided.h"

#include "milter/state/site_state.h"
#include "policy/cli/terminal.h"
#include "policy/engine/policy.h"

#include <string.h>

/* Columns of the mail. */
enum { ID_WIDTH = 18, WHO_WIDTH = 28, REASON_WIDTH = 76 };

static void append_cell(GString *out, const char *text, unsigned width)
{
    unsigned columns = terminal_append_within(out, text, width - 2);
    terminal_append_blanks(out, columns, width);
}

static unsigned append_released(const struct tool *tool, gint64 since, GString *text)
{
    struct database_error error;
    unsigned count = 0;
    g_autoptr(GPtrArray) events = ledger_history(tool->ledger, 0, since, &error);
    for (guint i = 0; events != NULL && i < events->len; i++) {
        const struct ledger_event *event = g_ptr_array_index(events, i);
        if (event->way != LEDGER_BY_AUTHOR || strcmp(event->action, ledger_action_name(LEDGER_RELEASE)) != 0)
            continue;
        g_string_append(text, count++ == 0 ? "\nReleased by their senders within a day:\n  " : "  ");
        append_cell(text, event->queue_id, ID_WIDTH);
        append_cell(text, event->who == NULL ? "" : event->who, WHO_WIDTH);
        terminal_append_within(text, event->reason == NULL ? "" : event->reason, REASON_WIDTH);
        g_string_append_c(text, '\n');
    }
    return count;
}

/* How many of them are of that rule, which is taken out. */
static unsigned take_rule(GArray *rules, state_hash rule)
{
    unsigned count = 0;
    for (guint i = rules->len; i > 0; i--) {
        if (g_array_index(rules, state_hash, i - 1) != rule)
            continue;
        g_array_remove_index_fast(rules, i - 1);
        count++;
    }
    return count;
}

static void append_rule(GString *text, const char *name, unsigned count, bool first)
{
    if (count == 0)
        return;
    if (first)
        g_string_append(text, "\nRefusals that their senders overrode within a day, by rule:\n");
    g_string_append(text, "  ");
    append_cell(text, name, WHO_WIDTH);
    g_string_append_printf(text, "%u\n", count);
}

/* The state has hashes: whose these are, the log says (override=yes). */
static unsigned append_overridden(const struct tool *tool, gint64 since, GString *text)
{
    struct database_error error;
    auto_free(site_state) state = site_state_open(tool->config, tool_daemon_user(tool), DATABASE_EXISTING, &error);
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = state == NULL ? NULL : policy_load(tool->config->policy, diags);
    g_autoptr(GArray) rules = state == NULL ? NULL : site_state_overridden(state, since / G_USEC_PER_SEC);
    unsigned total = rules == NULL ? 0 : rules->len;
    for (unsigned i = 0; total > 0 && policy != NULL && i < policy_rule_count(policy); i++) {
        const char *name = policy_rule(policy, i).name;
        bool first = rules->len == total;
        append_rule(text, name, take_rule(rules, state_hash_text(site_state_key(state), STATE_RULE, name)), first);
    }
    if (total > 0)
        append_rule(text, "(no rule any more)", rules->len, rules->len == total);
    return total;
}

struct self_decided self_decided_find(const struct tool *tool, gint64 since, GString *text)
{
    struct self_decided found;
    found.released = append_released(tool, since, text);
    found.overridden = append_overridden(tool, since, text);
    return found;
}
