/* decision - see decision.h */

#include "milter/review/decision.h"

#include "milter/log/log.h"
#include "milter/log/log_fields.h"
#include "milter/notify/notice_template.h"
#include "milter/review/decision_record.h"
#include "milter/review/remote_decision.h"
#include "milter/review/state_feedback.h"

#include <string.h>
#include <unistd.h>

/* Words of each action. */
static const struct {
    const char *done, *doing;
} words[] = {
    [LEDGER_RELEASE] = {"released", "releasing"},
    [LEDGER_RETURN] = {"returned to its sender", "returning"},
    [LEDGER_DELETE] = {"deleted", "deleting"},
};

/* One decision on its way. */
struct act {
    struct tool *tool;
    const struct decision *decision;
    const struct view_item *item;
    const struct ledger_row *row;
    const struct queue_entry *entry;
    const char *id;
    struct ledger_person person;
    enum ledger_way way;
    const char *node; /* the other node that vouches for the person, or NULL */
    gint64 written;   /* the row of the decision */
    char **said;
};

static int say(const struct act *act, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static int say(const struct act *act, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *act->said = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return code;
}

const char *decision_who(const struct ledger_row *row)
{
    if (row->who != NULL)
        return row->who;
    return row->way == LEDGER_BY_EXPIRY ? "its expiry" : row->way == LEDGER_BY_DELAY ? "its delay" : "somebody";
}

char *decision_over(const struct queue *queue, const struct ledger_row *row)
{
    const char *who = decision_who(row);
    g_autofree char *changed = tool_time_text(row->changed);
    switch (row->state) {
    case LEDGER_RELEASING:
    case LEDGER_RETURNING:
    case LEDGER_DELETING:
        return g_strdup_printf("%s is %s it, since %s", who, ledger_state_name(row->state), changed);
    case LEDGER_RELEASED:
        if (row->requeued != NULL)
            return g_strdup_printf("was released by %s on %s, as %s", who, changed, row->requeued);
        G_GNUC_FALLTHROUGH;
    case LEDGER_RETURNED:
    case LEDGER_DELETED:
        return g_strdup_printf("was %s by %s on %s", ledger_state_name(row->state), who, changed);
    case LEDGER_LEFT:
        if (queue != NULL && row->message.mta != queue_mta(queue))
            return g_strdup_printf("is not on hold in the queue of %s, and was not held there: which queue is "
                                   "looked at is `mta` in [review]; noticed on %s",
                                   queue_name(queue), changed);
        if (row->arrival == 0)
            return g_strdup_printf("is not on hold, and was never seen there: it left before anybody looked, "
                                   "or the MTA did not keep it, which cannot be told; noticed on %s",
                                   changed);
        return g_strdup_printf("is on hold no longer: by hand it was released, requeued or deleted, which cannot "
                               "be told; noticed on %s",
                               changed);
    case LEDGER_PENDING:
    case LEDGER_HELD:
        break;
    }
    return g_strdup("waits");
}

static int over(const struct act *act, const struct ledger_row *row)
{
    *act->said = decision_over(act->tool->queue, row);
    return EXITS_GONE;
}

/* ---- the record */

/* One line for the operators; the history has it already. */
static void log_decision(const struct act *act, const char *what, const char *requeued)
{
    const struct report_decision decision = {
        .queue_id = act->id,
        .action = what,
        .login = act->person.login,
        .uid = act->person.uid,
        .requeued = requeued,
        .rule = act->row->message.rule,
        .sender = act->row->message.sender,
        .msgid = act->row->message.message_id,
        .reason = act->decision->reason,
        .way = act->way == LEDGER_BY_COMMAND ? NULL : ledger_way_name(act->way),
        .node = act->node,
    };
    struct entry entry;
    report_decision_entry(&entry, &decision);
    log_entry(&entry);
}

static int ledger_trouble(const struct act *act, const struct database_error *error)
{
    return say(act, EXITS_PASSING, "%s", error->text);
}

/* ---- may he? */

bool decision_is_own(const struct tool *tool, const struct ledger_row *row, const char *login)
{
    const struct ledger_message *message = &row->message;
    const struct identities *identities = tool->identities;
    return identities_own_user(identities, login, message->user) ||
           identities_own_address(identities, login, message->user) ||
           identities_own_address(identities, login, message->sender) ||
           identities_own_address(identities, login, message->author);
}

static bool is_own(const struct act *act, const char *login)
{
    return decision_is_own(act->tool, act->row, login);
}

/* ---- approvals */

struct approvals {
    unsigned needed; /* different people */
    unsigned count;  /* of those that count */
    bool mine;       /* the person is among them */
};

/* Whether what somebody approved counts now: who is known, may release, and did not send it. */
static bool counts(const struct act *act, const char *login)
{
    const struct config *config = act->tool->config;
    auto_free(reviewer) reviewer = reviewer_named(login);
    return reviewer != NULL && reviewer_may(reviewer, (const char *const *)config->review.groups[REVIEW_RELEASE]) &&
           identities_known(act->tool->identities, login) && !is_own(act, login);
}

static int count_approvals(const struct act *act, struct approvals *approvals)
{
    struct database_error error;
    g_autoptr(GPtrArray) logins = act->tool->home == NULL ? decision_record_approvals(act->tool, act->item, &error)
                                                          : ledger_approvals(act->tool->ledger, act->row->id, &error);
    approvals->count = 0;
    approvals->mine = false;
    if (logins == NULL)
        return ledger_trouble(act, &error);
    for (guint i = 0; i < logins->len; i++) {
        const char *login = g_ptr_array_index(logins, i);
        approvals->count += counts(act, login);
        approvals->mine = approvals->mine || g_strcmp0(login, act->person.login) == 0;
    }
    return EXITS_DONE;
}

/* Whether the person can be one of several that approve. */
static int check_approval(const struct act *act, struct approvals *approvals)
{
    const char *login = act->person.login;
    if (!identities_known(act->tool->identities, login))
        return say(act, EXITS_FORBIDDEN, "needs %u reviewers, and an approval of `%s` does not count: %s",
                   approvals->needed, login,
                   act->tool->config->review.identities == NULL ? "[review] names no identities"
                                                                : "the identities have no line of that login");
    int code = count_approvals(act, approvals);
    if (code != EXITS_DONE)
        return code;
    if (approvals->mine && approvals->count < approvals->needed && act->decision->record == NULL)
        return say(act, EXITS_FORBIDDEN,
                   "you have approved it already; it needs %u reviewers, so another has to release it",
                   approvals->needed);
    return EXITS_DONE;
}

/* Where one person is not enough: approves.  An exit code; with `enough` false there is something said. */
static int approve(const struct act *act, struct approvals *approvals, bool *enough)
{
    struct database_error error;
    auto_free(ledger_row) row = NULL;
    *enough = approvals->mine && approvals->count >= approvals->needed;
    if (*enough)
        return EXITS_DONE;
    enum ledger_answer answer = ledger_approve(act->tool->ledger,
                                               &(struct ledger_act){.id = act->row->id,
                                                                    .now = tool_now(),
                                                                    .person = &act->person,
                                                                    .way = act->way,
                                                                    .node = act->node,
                                                                    .reason = act->decision->reason},
                                               &row, &error);
    if (answer == LEDGER_FAILED)
        return ledger_trouble(act, &error);
    if (answer != LEDGER_DONE)
        return row == NULL ? say(act, EXITS_GONE, "is no longer in the ledger") : over(act, row);
    log_decision(act, "approve", NULL);
    int code = count_approvals(act, approvals);
    *enough = code == EXITS_DONE && approvals->count >= approvals->needed;
    if (*enough || code != EXITS_DONE)
        return code;
    return say(act, EXITS_DONE, "approved, %u of %u: it stays on hold until another reviewer releases it too",
               approvals->count, approvals->needed);
}

/* ---- the queue */

/* Tells the sender what to do instead, before the MTA's own words reach him. */
static int send_notice(const struct act *act, char **error)
{
    const struct ledger_message *message = &act->row->message;
    const struct notice_facts facts = {.message = message, .reason = act->decision->reason};
    const char *template = act->way == LEDGER_BY_EXPIRY   ? notice_expired
                           : act->way == LEDGER_BY_AUTHOR ? notice_cancelled
                                                          : notice_returned;
    g_autofree char *text = notice_compose(template, &facts, message->sender);
    struct queue *queue = queue_of(act->tool->queue, act->entry->instance);
    return queue_send(queue, "", message->sender, text, strlen(text), error);
}

static int send_deleted(const struct act *act, char **error)
{
    const struct ledger_message *message = &act->row->message;
    const struct notice_facts facts = {.message = message};
    g_autofree char *text = notice_compose(notice_deleted, &facts, message->author);
    struct queue *queue = queue_of(act->tool->queue, act->entry->instance);
    return queue_send(queue, "", message->author, text, strlen(text), error);
}

/* Once for each decision, however often that is tried; rather twice than never, if it cannot be written down. */
static int notify(const struct act *act, int (*send)(const struct act *, char **), char **error)
{
    struct ledger *ledger = act->tool->ledger;
    struct database_error failure;
    if (ledger_decision_is_noticed(ledger, act->written, &failure) == 1)
        return 0;
    if (send(act, error) == -1)
        return -1;
    if (ledger_decision_noticed(ledger, act->written, &failure) == -1)
        log_line(LOG_WARNING, "%s: that a notice was sent is not in the ledger: %s", act->id, failure.text);
    return 0;
}

static enum queue_answer touch_queue(const struct act *act, struct queue_outcome *outcome, char **error)
{
    struct queue *queue = act->tool->queue;
    switch (act->decision->action) {
    case LEDGER_RELEASE:
        return queue_release(queue, act->entry, tool_now() / G_USEC_PER_SEC, outcome, error);
    case LEDGER_RETURN:
        return notify(act, send_notice, error) == -1 ? QUEUE_FAILED : queue_return(queue, act->entry, outcome, error);
    case LEDGER_DELETE:
        /* Who deletes it has his reasons not to tell its author; but what the time deletes, its author has to know. */
        if (act->way == LEDGER_BY_EXPIRY && notify(act, send_deleted, error) == -1)
            return QUEUE_FAILED;
        return queue_delete(queue, act->entry, error);
    }
    return QUEUE_FAILED;
}

/* Whether the message is on hold still: 1, 0, or -1 if the queue cannot be read. */
static int is_on_hold(const struct act *act)
{
    g_autofree char *error = NULL;
    g_autoptr(GPtrArray) entries = queue_held(act->tool->queue, &error);
    if (!queue_sees(act->tool->queue, act->entry->instance))
        return -1;
    for (guint i = 0; entries != NULL && i < entries->len; i++) {
        const struct queue_entry *entry = g_ptr_array_index(entries, i);
        if (strcmp(entry->id, act->id) == 0 && entry->arrival == act->entry->arrival &&
            g_strcmp0(entry->instance, act->entry->instance) == 0)
            return 1;
    }
    return entries == NULL ? -1 : 0;
}

/* What there is to be said after the state has had its part: "" if all is well; for g_free. */
static char *update_state(const struct act *act)
{
    g_autofree char *problem = NULL;
    enum feedback_answer answer =
        state_feedback_send(act->tool->ledger, act->tool->config, tool_daemon_user(act->tool), act->row->id, &problem);
    if (answer == FEEDBACK_SENT)
        return g_strdup("");
    log_line(LOG_WARNING, "%s: state: %s", act->id, problem);
    if (answer == FEEDBACK_NO_STATE)
        return g_strdup_printf("; [state] has nothing of it: %s", problem);
    return g_strdup_printf("; [state] is not up to date: %s; the next `list` tries again", problem);
}

static int finish(const struct act *act, const struct queue_outcome *outcome)
{
    enum ledger_action action = act->decision->action;
    struct database_error error;
    enum ledger_answer answer =
        ledger_finish(act->tool->ledger, act->row->id, outcome->requeued, outcome->detail, tool_now(), NULL, &error);
    g_autofree char *detail = ledger_detail(outcome->requeued, outcome->detail);
    log_decision(act, ledger_action_name(action), outcome->requeued);
    if (answer == LEDGER_FAILED)
        return say(act, EXITS_PASSING, "%s, but that is not in the ledger yet: %s; the next `list` fixes this",
                   words[action].done, error.text);
    g_autofree char *state = update_state(act);
    if (detail != NULL)
        return say(act, EXITS_DONE, "%s, %s%s", words[action].done, detail, state);
    return say(act, EXITS_DONE, "%s%s", words[action].done, state);
}

/* Nothing came of it, and the message is on hold as before. */
static int abandon(const struct act *act, const char *why)
{
    struct database_error error;
    if (ledger_abandon(act->tool->ledger, act->row->id, why, tool_now(), NULL, &error) == LEDGER_FAILED)
        return ledger_trouble(act, &error);
    return say(act, EXITS_PASSING, "stays on hold: %s", why);
}

/* It went while we were at it. */
static int vanished(const struct act *act)
{
    struct database_error error;
    const struct ledger_sight sight = {.id = act->row->id, .state = LEDGER_LEFT};
    g_autoptr(GArray) sights = g_array_new(FALSE, FALSE, sizeof sight);
    g_array_append_val(sights, sight);
    if (ledger_abandon(act->tool->ledger, act->row->id, "it was no longer on hold", tool_now(), NULL, &error) ==
            LEDGER_FAILED ||
        ledger_sighted(act->tool->ledger, sights, tool_now(), &error) == -1)
        return ledger_trouble(act, &error);
    return say(act, EXITS_GONE, "is no longer on hold: it was released, requeued or deleted by hand");
}

static int act_claimed(const struct act *act)
{
    struct queue_outcome outcome = {NULL, NULL};
    g_autofree char *error = NULL;
    int code = EXITS_PASSING;
    switch (touch_queue(act, &outcome, &error)) {
    case QUEUE_DONE:
        code = finish(act, &outcome);
        break;
    case QUEUE_ABSENT:
        code = vanished(act);
        break;
    case QUEUE_FAILED: {
        /* A command that was cut off may have done its work. */
        int there = is_on_hold(act);
        outcome.detail = there == 0 ? g_strdup(error) : NULL;
        code = there == 1   ? abandon(act, error)
               : there == 0 ? finish(act, &outcome)
                            : say(act, EXITS_PASSING, "%s; the next `list` shows the result", error);
        break;
    }
    }
    queue_outcome_clear(&outcome);
    return code;
}

static int claim_and_act(const struct act *act, unsigned needed)
{
    auto_free(ledger_row) row = NULL;
    struct database_error error;
    enum ledger_answer answer = ledger_claim(act->tool->ledger, act->decision->action,
                                             &(struct ledger_act){.id = act->row->id,
                                                                  .now = tool_now(),
                                                                  .person = &act->person,
                                                                  .way = act->way,
                                                                  .node = act->node,
                                                                  .reason = act->decision->reason,
                                                                  .needed = needed,
                                                                  .learn = act->decision->learn},
                                             &row, &error);
    switch (answer) {
    case LEDGER_DONE:
        return act_claimed(act);
    case LEDGER_FAILED:
        return ledger_trouble(act, &error);
    case LEDGER_UNKNOWN:
        return say(act, EXITS_GONE, "is no longer in the ledger");
    case LEDGER_STOPPED:
        return say(act, EXITS_GONE, "stays on hold: its delay is not over, or was ended by the rule `%s`",
                   row->stopped == NULL ? "-" : row->stopped);
    case LEDGER_NOT_APPROVED:
        return say(act, EXITS_FORBIDDEN, "has %u of %u approvals", row->granted, needed);
    case LEDGER_NOT_WAITING:
    case LEDGER_TAKEN:
        break;
    }
    return over(act, row);
}

/* ---- the row of the decision */

/* Writes down what the person decides now, and that this process carries it out. */
static int record(struct act *act)
{
    struct database_error error;
    gint64 now = tool_now();
    struct ledger_decision decision = {.row = act->row->id,
                                       .action = act->decision->action,
                                       .way = act->way,
                                       .who = (char *)act->person.login,
                                       .uid = act->person.uid,
                                       .reason = (char *)act->decision->reason,
                                       .at = now,
                                       .since = now,
                                       .process = getpid()};
    if (decision_record_add(act->tool, act->item, &decision, &error) == -1)
        return ledger_trouble(act, &error);
    act->written = decision.id;
    return EXITS_DONE;
}

/* If this fails, the agent finds out what came of it. */
static void end_record(const struct act *act, int code)
{
    struct database_error error;
    (void)ledger_decision_end(act->tool->ledger, act->written, code, *act->said, tool_now(), &error);
}

static int check_allowed(const struct act *act, struct approvals *approvals)
{
    enum ledger_action action = act->decision->action;
    bool by_sender = act->way == LEDGER_BY_AUTHOR; /* whom its rule lets do that */
    if (action == LEDGER_RELEASE && act->person.login != NULL && !by_sender && is_own(act, act->person.login))
        return say(act, EXITS_FORBIDDEN, "is your own mail: another reviewer has to release it");
    if (action == LEDGER_RETURN && act->row->message.sender[0] == '\0')
        return say(act, EXITS_WRONG, "has no sender to return it to: release it or delete it");
    if (action == LEDGER_RELEASE && approvals->needed > 1)
        return check_approval(act, approvals);
    return EXITS_DONE;
}

static int say_dry(const struct act *act, const struct approvals *approvals)
{
    unsigned would_be = approvals->count + !approvals->mine;
    if (act->decision->action == LEDGER_RELEASE && approvals->needed > 1 && would_be < approvals->needed)
        return say(act, EXITS_DONE, "would be approved, %u of %u", would_be, approvals->needed);
    return say(act, EXITS_DONE, "would be %s", words[act->decision->action].done);
}

static int carry_out(const struct act *act, struct approvals *approvals)
{
    bool enough = true;
    if (act->decision->action == LEDGER_RELEASE && approvals->needed > 1) {
        int code = approve(act, approvals, &enough);
        if (code != EXITS_DONE || !enough)
            return code;
    }
    return claim_and_act(act, approvals->needed);
}

static int decide_held(struct act *act)
{
    struct approvals approvals = {.needed = tool_approvals_needed(act->tool, act->row)};
    int code = check_allowed(act, &approvals);
    if (code != EXITS_DONE)
        return code;
    if (act->decision->dry)
        return say_dry(act, &approvals);
    if (act->tool->home != NULL)
        return remote_decide(act->tool, act->row, act->decision->action, act->decision->reason, act->said);
    code = act->decision->record == NULL ? record(act) : EXITS_DONE;
    if (code != EXITS_DONE)
        return code;
    code = carry_out(act, &approvals);
    if (act->decision->record == NULL)
        end_record(act, code);
    return code;
}

/* What was released under another id, and which something else holds now, is known to the ledger all the same. */
static int untracked(const struct act *act)
{
    int status = EXITS_DONE;
    auto_free(ledger_row) row = tool_find(act->tool, act->id, &status);
    if (row == NULL || g_strcmp0(row->requeued, act->id) != 0)
        return say(act, EXITS_WRONG, "is on hold, but not by rcptguard: the ledger does not know it");
    g_autofree char *before = decision_over(act->tool->queue, row);
    return say(act, EXITS_WRONG, "is on hold again, but not by rcptguard; %s: %s", row->message.queue_id, before);
}

const char *decision_id(const struct view_item *item)
{
    return item->row != NULL ? item->row->message.queue_id : item->entry->id;
}

int decision_make(struct tool *tool, const struct view_item *item, const struct decision *decision, char **said)
{
    const struct ledger_row *row = item->row;
    const struct ledger_decision *carried = decision->record;
    struct act act = {
        .tool = tool,
        .decision = decision,
        .item = item,
        .row = row,
        .entry = item->entry,
        .id = decision_id(item),
        .person = {.login = carried != NULL ? carried->who : tool->reviewer->login,
                   .uid = carried != NULL ? carried->uid : tool->reviewer->uid},
        .way = carried != NULL ? carried->way : LEDGER_BY_COMMAND,
        .node = carried != NULL ? carried->node : NULL,
        .written = carried != NULL ? carried->id : 0,
        .said = said,
    };
    if (row == NULL)
        return untracked(&act);
    if ((LEDGER_BIT(row->state) & LEDGER_WAITING) == 0)
        return over(&act, row);
    if (item->entry == NULL && item->unread)
        return say(&act, EXITS_PASSING, "stays as it is: the queue that it is in cannot be read; try again");
    if (item->entry == NULL)
        return say(&act, EXITS_PASSING, "is not on hold: it is not there yet, or has left already; try again");
    return decide_held(&act);
}

/* Without the identities nobody knows whose mail it is. */
static int check_person(struct tool *tool, enum ledger_action action, char **said)
{
    static const enum review_action rights[] = {
        [LEDGER_RELEASE] = REVIEW_RELEASE, [LEDGER_RETURN] = REVIEW_RETURN, [LEDGER_DELETE] = REVIEW_DELETE};
    *said = tool_forbidden(tool, rights[action], ledger_action_name(action));
    if (*said != NULL)
        return EXITS_FORBIDDEN;
    auto_free(diags) diags = diags_new();
    if (tool_load_identities(tool, diags) == 0)
        return EXITS_DONE;
    g_autofree char *text = diag_format(diags_get(diags, 0));
    *said = g_strndup(text, strcspn(text, "\n"));
    return EXITS_WRONG;
}

int decision_can(struct tool *tool, const struct view_item *item, enum ledger_action action, char **said)
{
    const struct decision decision = {.action = action, .reason = "", .dry = true};
    int code = check_person(tool, action, said);
    return code == EXITS_DONE ? decision_make(tool, item, &decision, said) : code;
}
