/* agent_time - see agent_time.h */

#include "milter/agent/agent_time.h"

#include "milter/review/decision.h"
#include "milter/review/expiry.h"

#include <unistd.h>

/* ---- what may be due */

static bool hour_is_over(const struct ledger_agent *agent, gint64 now)
{
    return now - agent->expired >= G_TIME_SPAN_HOUR;
}

/* A machine starts in less time than tells a stop of the agent; its own clock begins then. */
static bool is_patient(const struct ledger_agent *agent, gint64 now)
{
    return now - agent->running < TIMED_PATIENCE || g_get_monotonic_time() < TIMED_PATIENCE;
}

struct timed *timed_find(struct tool *tool, const struct ledger_agent *agent, gint64 now, struct database_error *error)
{
    auto_free(timed) timed = g_new0(struct timed, 1);
    timed->leaving = is_patient(agent, now) ? g_ptr_array_new() : ledger_leaving(tool->ledger, now, error);
    if (timed->leaving == NULL)
        return NULL;
    timed->expiring = hour_is_over(agent, now)
                          ? ledger_expiring(tool->ledger, agent->steady, now - EXPIRY_NOTICE, error)
                          : g_ptr_array_new();
    if (timed->expiring == NULL)
        return NULL;
    timed->policy = expiry_policy(tool->config, timed->leaving->len > 0 ? timed->leaving : timed->expiring);
    for (guint i = timed->expiring->len; i > 0; i--) {
        const struct held_expiry expiry =
            expiry_find(tool->config, timed->policy, g_ptr_array_index(timed->expiring, i - 1));
        if (expiry.when == 0 || expiry.when > now)
            g_ptr_array_remove_index(timed->expiring, i - 1);
    }
    return g_steal_pointer(&timed);
}

void timed_free(struct timed *timed)
{
    if (timed == NULL)
        return;
    if (timed->leaving != NULL)
        g_ptr_array_unref(timed->leaving);
    if (timed->expiring != NULL)
        g_ptr_array_unref(timed->expiring);
    if (timed->policy != NULL)
        policy_unref(timed->policy);
    g_free(timed);
}

bool timed_is_empty(const struct timed *timed)
{
    return timed->leaving->len == 0 && timed->expiring->len == 0;
}

/* ---- carrying it out */

/* It needs no seal: what a run was killed over is looked at anew. */
static int decide(const struct agent *agent, const struct view_item *item, enum ledger_action action,
                  enum ledger_way way, const char *reason)
{
    struct database_error error;
    gint64 now = tool_now();
    struct ledger_decision record = {.row = item->row->id,
                                     .action = action,
                                     .way = way,
                                     .reason = (char *)reason,
                                     .at = now,
                                     .since = now,
                                     .process = getpid()};
    const struct decision decision = {.action = action, .reason = reason, .record = &record};
    g_autofree char *words = NULL;
    if (ledger_decide(agent->tool->ledger, &record, &record.id, &error) == -1)
        return tool_ledger_error(&error);
    int code = decision_make(agent->tool, item, &decision, &words);
    agent->say(code, decision_id(item), words);
    bool noticed = code == EXITS_PASSING && ledger_decision_is_noticed(agent->tool->ledger, record.id, &error) == 1;
    if (ledger_decision_end(agent->tool->ledger, record.id, code, noticed ? LEDGER_NOTICE_SENT : words, tool_now(),
                            &error) == -1)
        return tool_ledger_error(&error);
    return code == EXITS_PASSING ? code : EXITS_DONE;
}

static char *expiry_reason(const struct held_expiry *expiry)
{
    unsigned hours = expiry->seconds / (60 * 60);
    return hours % 24 == 0 ? g_strdup_printf("nobody decided within %u days", hours / 24)
                           : g_strdup_printf("nobody decided within %u hours", hours);
}

static const struct view_item *find_held(const struct view *view, gint64 row)
{
    for (guint i = 0; i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        if (item->row != NULL && item->row->id == row)
            return item->entry != NULL && item->row->state == LEDGER_HELD ? item : NULL;
    }
    return NULL;
}

/* The hour begins with the first of them. */
static int expire(const struct agent *agent, const struct timed *timed, const struct view *view, gint64 now)
{
    struct database_error error;
    unsigned count = 0;
    int result = EXITS_DONE;
    for (guint i = 0; i < timed->expiring->len && count < EXPIRY_LIMIT && result != EXITS_WRONG; i++) {
        const struct ledger_row *row = g_ptr_array_index(timed->expiring, i);
        const struct view_item *item = find_held(view, row->id);
        if (item == NULL)
            continue;
        const struct held_expiry expiry = expiry_find(agent->tool->config, timed->policy, item->row);
        if (expiry.when == 0 || expiry.when > now)
            continue;
        if (count++ == 0 && ledger_agent_expires(agent->tool->ledger, now, &error) == -1)
            return tool_ledger_error(&error);
        g_autofree char *reason = expiry_reason(&expiry);
        int code = decide(agent, item, expiry.action, LEDGER_BY_EXPIRY, reason);
        result = result == EXITS_DONE ? code : result;
    }
    return result;
}

/* The claim has the last word: a window that was reached meanwhile keeps it on hold. */
static int release(const struct agent *agent, const struct timed *timed, const struct view *view, gint64 now)
{
    int result = EXITS_DONE;
    for (guint i = 0; i < timed->leaving->len && result != EXITS_WRONG; i++) {
        const struct ledger_row *row = g_ptr_array_index(timed->leaving, i);
        const struct view_item *item = find_held(view, row->id);
        gint64 when = item == NULL ? 0 : delay_find(agent->tool->config, timed->policy, item->row);
        if (when == 0 || when > now)
            continue;
        int code = decide(agent, item, LEDGER_RELEASE, LEDGER_BY_DELAY, "nobody stopped it");
        result = result == EXITS_DONE ? code : result;
    }
    return result;
}

int timed_decide(const struct agent *agent, const struct timed *timed, const struct view *view, gint64 now)
{
    int released = release(agent, timed, view, now);
    int expired = released == EXITS_WRONG ? released : expire(agent, timed, view, now);
    return released == EXITS_DONE ? expired : released;
}
