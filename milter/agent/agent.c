/* agent - see agent.h */

#include "milter/agent/agent.h"

#include "milter/answers/answer_decision.h"
#include "milter/log/log.h"
#include "milter/log/log_fields.h"
#include "milter/review/decision.h"
#include "milter/review/decision_record.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* One pass. */
struct pass {
    const struct agent *agent;
    struct tool *tool;
    struct view *view;
    gint64 now;
    bool left; /* something can be done later */
};

/* ---- may it be done? */

static const unsigned rights[] = {
    [LEDGER_RELEASE] = REVIEW_RELEASE, [LEDGER_RETURN] = REVIEW_RETURN, [LEDGER_DELETE] = REVIEW_DELETE};

static int refuse(char **words, const char *format, ...) G_GNUC_PRINTF(2, 3);

static int refuse(char **words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return EXITS_FORBIDDEN;
}

/* Whether the person is a user of this system who may do that. */
static int check_person(const struct pass *pass, const struct ledger_decision *decision, char **words)
{
    auto_free(reviewer) reviewer = decision->who == NULL ? NULL : reviewer_named(decision->who);
    if (reviewer == NULL || reviewer->uid != decision->uid)
        return reviewer == NULL && decision->origin != NULL
                   ? refuse(words, "is not decided: there is no user `%s` on this node", decision->who)
                   : refuse(words, "is not decided: there is no user `%s` with the id %lu",
                            decision->who == NULL ? "" : decision->who, (unsigned long)decision->uid);
    const struct config *config = pass->tool->config;
    if (!reviewer_may(reviewer, (const char *const *)config->review.groups[rights[decision->action]]))
        return refuse(words, "is not decided: `%s` is in no group that [review] lets %s", decision->who,
                      ledger_action_name(decision->action));
    return EXITS_DONE;
}

/* Of a command: it has been written by root, for a person who may do it. */
static int check_command(const struct pass *pass, const struct view_item *item, const struct ledger_decision *decision,
                         char **words)
{
    struct database_error error;
    int sealed = decision_record_is_sealed(pass->tool, item, decision, &error);
    if (sealed == -1) {
        *words = g_strdup(error.text);
        return EXITS_PASSING;
    }
    if (sealed == 0)
        return refuse(words, "is not decided: the seal of that decision is missing or wrong");
    return check_person(pass, decision, words);
}

/* What was in force when the answer came may be gone: what holds is the policy and the configuration of now. */
static int check_answer(const struct pass *pass, const struct view_item *item, const struct ledger_decision *decision,
                        char **words)
{
    const struct config *config = pass->tool->config;
    struct database_error error;
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = policy_load(config->policy, diags);
    struct answer_site site = {.review = &config->review, .policy = policy};
    const struct mail_answer answer = answer_of_decision(decision, decision->who == NULL ? "" : decision->who);
    g_autofree char *why = NULL;
    if (policy == NULL) {
        *words = g_strdup("cannot be decided: the policy cannot be loaded");
        return EXITS_PASSING;
    }
    int counts = answer_key_read(config, tool_daemon_user(pass->tool), site.key, &error);
    if (counts == 0)
        counts = answer_check(pass->tool->ledger, &site, item->row, &answer, &why, &error);
    if (counts == -1) {
        *words = g_strdup(error.text);
        return EXITS_PASSING;
    }
    return counts == 1 ? EXITS_DONE : refuse(words, "is not decided: %s", why);
}

/* Of a reviewer: his code, and what he may do by command. */
static int check_reviewer(const struct pass *pass, const struct view_item *item, const struct ledger_decision *decision,
                          char **words)
{
    int code = check_answer(pass, item, decision, words);
    if (code == EXITS_DONE && decision_is_own(pass->tool, item->row, decision->who))
        return refuse(words, "is not decided: it is the mail of `%s` himself", decision->who);
    return code == EXITS_DONE ? check_person(pass, decision, words) : code;
}

/* Of what the time decided there is only a row while it is done. */
static bool is_timed(const struct ledger_decision *decision)
{
    return decision->way == LEDGER_BY_EXPIRY || decision->way == LEDGER_BY_DELAY;
}

static int check(const struct pass *pass, const struct view_item *item, const struct ledger_decision *decision,
                 char **words)
{
    if (is_timed(decision)) {
        *words = g_strdup("is not decided: that was interrupted, and is looked at anew");
        return EXITS_GONE;
    }
    if (pass->now - decision->at > AGENT_DECISION_LIMIT)
        return refuse(words, "is not decided: that decision is older than a day, and has to be made again");
    switch (decision->way) {
    case LEDGER_BY_COMMAND:
        return check_command(pass, item, decision, words);
    case LEDGER_BY_AUTHOR:
        return check_answer(pass, item, decision, words);
    case LEDGER_BY_REVIEWER:
        return check_reviewer(pass, item, decision, words);
    case LEDGER_BY_EXPIRY:
    case LEDGER_BY_DELAY:
    case LEDGER_BY_NOBODY:
        break;
    }
    return refuse(words, "is not decided: nobody can decide it by way of `%s`", ledger_way_name(decision->way));
}

/* ---- one decision */

/* The history has it too; but whoever watches the log learns of a forged row at once. */
static void log_refusal(const struct ledger_row *row, const struct ledger_decision *decision)
{
    const struct report_decision report = {
        .queue_id = row->message.queue_id,
        .action = "refuse",
        .login = decision->who,
        .uid = decision->uid,
        .rule = row->message.rule,
        .sender = row->message.sender,
        .msgid = row->message.message_id,
        .reason = decision->reason,
        .way = decision->way == LEDGER_BY_COMMAND ? NULL : ledger_way_name(decision->way),
        .node = decision->node,
    };
    struct entry entry;
    report_decision_entry(&entry, &report);
    log_entry(&entry);
}

static int end(struct pass *pass, const struct ledger_row *row, const struct ledger_decision *decision, int code,
               const char *words)
{
    struct ledger *ledger = pass->tool->ledger;
    struct database_error error;
    int result;
    if (code == EXITS_PASSING && pass->now - decision->at <= AGENT_DECISION_LIMIT) {
        pass->left = true;
        result = ledger_decision_leave(ledger, decision->id, &error);
    } else if (code == EXITS_FORBIDDEN) {
        log_refusal(row, decision);
        result = ledger_decision_refuse(ledger, decision, code, words, tool_now(), &error);
    } else {
        result = ledger_decision_end(ledger, decision->id, code, words, tool_now(), &error);
    }
    pass->agent->say(code, row->message.queue_id, words);
    return result == -1 ? tool_ledger_error(&error) : EXITS_DONE;
}

/* Its message waits no longer: perhaps because of this very decision, whose process died before it wrote that down. */
static int end_over(struct pass *pass, const struct ledger_row *row, const struct ledger_decision *decision)
{
    bool its_own = row->state == ledger_action_ends(decision->action) && row->way == decision->way &&
                   g_strcmp0(row->who, decision->who) == 0 && row->since >= decision->at;
    g_autofree char *words = decision_over(pass->tool->queue, row);
    return end(pass, row, decision, its_own ? EXITS_DONE : EXITS_GONE, words);
}

static int carry_out(struct pass *pass, const struct view_item *item, const struct ledger_decision *record)
{
    bool vouched = record->way == LEDGER_BY_COMMAND || record->way == LEDGER_BY_REVIEWER;
    const struct decision decision = {
        .action = record->action, .reason = record->reason, .learn = vouched, .record = record};
    g_autofree char *words = NULL;
    int code = check(pass, item, record, &words);
    if (code == EXITS_DONE)
        code = decision_make(pass->tool, item, &decision, &words);
    return end(pass, item->row, record, code, words);
}

/* Somebody else is at it: a command, or another agent. */
static bool in_progress(const struct pass *pass, const struct ledger_decision *decision)
{
    gint64 since = pass->now - decision->since;
    if (decision->process == 0 || decision->process == getpid() || since < 0 || since > RECONCILE_CLAIM)
        return false;
    return kill(decision->process, 0) == 0 || errno != ESRCH;
}

static const struct view_item *find_item(const struct view *view, gint64 row)
{
    for (guint i = 0; i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        if (item->row != NULL && item->row->id == row)
            return item;
    }
    return NULL;
}

/* Takes it unless somebody is at it, or at its message. */
static int take(struct pass *pass, const struct ledger_decision *decision)
{
    struct database_error error;
    const struct view_item *item = find_item(pass->view, decision->row);
    bool claimed = item != NULL && (LEDGER_BIT(item->row->state) & LEDGER_CLAIMED) != 0;
    bool coming = item != NULL && item->entry == NULL;
    if (in_progress(pass, decision) || claimed || (coming && pass->now - decision->at <= AGENT_DECISION_LIMIT)) {
        pass->left = true;
        return EXITS_DONE;
    }
    int taken = ledger_decision_take(pass->tool->ledger, decision, pass->now, &error);
    if (taken != 1)
        return taken == 0 ? EXITS_DONE : tool_ledger_error(&error);
    if (item != NULL && !coming)
        return carry_out(pass, item, decision);
    auto_free(ledger_row) row = ledger_get(pass->tool->ledger, decision->row, &error);
    return row == NULL ? tool_ledger_error(&error) : end_over(pass, row, decision);
}

/* ---- all */

static int take_all(struct pass *pass, const GPtrArray *decisions)
{
    int result = EXITS_DONE;
    for (guint i = 0; i < decisions->len && result == EXITS_DONE; i++)
        result = take(pass, g_ptr_array_index((GPtrArray *)decisions, i));
    return result;
}

/* The decisions, and then what the time decides. */
static int decide_all(struct pass *pass, const GPtrArray *decisions, const struct timed *timed)
{
    int status = EXITS_DONE;
    auto_free(view) view = tool_view(pass->tool, &status);
    if (view == NULL)
        return status;
    pass->view = view;
    status = take_all(pass, decisions);
    if (status == EXITS_DONE)
        status = timed_decide(pass->agent, timed, view, pass->now);
    return status == EXITS_DONE && pass->left ? EXITS_PASSING : status;
}

int agent_run(const struct agent *agent)
{
    struct pass pass = {.agent = agent, .tool = agent->tool, .now = tool_now()};
    struct database_error error;
    struct ledger_agent times;
    struct ledger *ledger = pass.tool->ledger;
    if (ledger_agent_run(ledger, pass.now, &times, &error) == -1)
        return tool_ledger_error(&error);
    g_autoptr(GPtrArray) decisions = ledger_decisions_open(ledger, &error);
    auto_free(timed) timed = decisions == NULL ? NULL : timed_find(pass.tool, &times, pass.now, &error);
    if (timed == NULL)
        return tool_ledger_error(&error);
    return decisions->len == 0 && timed_is_empty(timed) ? EXITS_DONE : decide_all(&pass, decisions, timed);
}
