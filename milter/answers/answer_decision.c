/* answer_decision - see answer_decision.h */

#include "milter/answers/answer_decision.h"

#include "milter/database/secret_file.h"

#include <string.h>

G_STATIC_ASSERT(SECRET_SIZE == ANSWER_KEY_SIZE);

int answer_key_read(const struct config *config, uid_t owner, unsigned char key[ANSWER_KEY_SIZE],
                    struct database_error *error)
{
    g_autofree char *path = config_answers_key(config);
    return secret_file_read(path, owner, DATABASE_CREATE, key, error);
}

/* ---- what is asked for */

static bool is_senders(enum answer_kind kind)
{
    return kind == ANSWER_GO || kind == ANSWER_CANCEL;
}

static enum ledger_action action_of(enum answer_kind kind)
{
    if (kind == ANSWER_DELETE)
        return LEDGER_DELETE;
    return kind == ANSWER_GO || kind == ANSWER_RELEASE ? LEDGER_RELEASE : LEDGER_RETURN;
}

static enum answer_kind kind_of(const struct ledger_decision *decision)
{
    bool sender = decision->way == LEDGER_BY_AUTHOR;
    switch (decision->action) {
    case LEDGER_RELEASE:
        return sender ? ANSWER_GO : ANSWER_RELEASE;
    case LEDGER_RETURN:
        return sender ? ANSWER_CANCEL : ANSWER_RETURN;
    case LEDGER_DELETE:
        break;
    }
    return sender ? ANSWER_NONE : ANSWER_DELETE;
}

/* ---- codes */

static guint64 code_for(const struct answer_site *site, const struct ledger_row *row, const char *login,
                        enum answer_kind kind)
{
    return answer_code(site->key, &(struct answer_subject){row->id, row->message.judged, login, kind});
}

char *answer_address_for(const struct answer_site *site, const struct ledger_row *row, const char *login,
                         enum answer_kind kind)
{
    const struct answer_address address = {kind, code_for(site, row, login, kind), row->id};
    return answer_address_make(site->review, &address);
}

/* ---- does it count? */

static int refuse(char **why, const char *text)
{
    *why = g_strdup(text);
    return 0;
}

static const struct action_terms *terms_of(const struct policy *policy, const char *name, struct rule_facts *rule)
{
    *rule = policy_default(policy);
    for (unsigned i = 0; strcmp(rule->name, name) != 0; i++) {
        if (i == policy_rule_count(policy))
            return NULL;
        *rule = policy_rule(policy, i);
    }
    return &rule->terms;
}

bool answer_sender_may(const struct answer_site *site, const struct ledger_row *row, bool *with_reason)
{
    struct rule_facts rule;
    const struct action_terms *terms = terms_of(site->policy, row->message.rule, &rule);
    if (terms == NULL || MAX(site->review->approvals, row->message.approvals) > 1 || row->message.user == NULL)
        return false;
    *with_reason = terms->release == RELEASE_BY_SENDER_WITH_REASON;
    return *with_reason || terms->release == RELEASE_BY_SENDER;
}

bool answer_sender_may_stop(const struct answer_site *site, const struct ledger_row *row)
{
    struct rule_facts rule;
    const struct action_terms *terms = terms_of(site->policy, row->message.rule, &rule);
    return terms != NULL && terms->release == RELEASE_AFTER && row->message.user != NULL;
}

/* When the time of the sender is over, which begins with the notice; 0: there was none. */
static int end_of_time(struct ledger *ledger, const struct answer_site *site, const struct ledger_row *row, gint64 now,
                       gint64 *until, struct database_error *error)
{
    gint64 told = 0;
    if (ledger_notice_time(ledger, row->id, now, &told, error) == -1)
        return -1;
    *until = told == 0 ? 0 : told + site->review->sender_release * G_TIME_SPAN_SECOND;
    return 0;
}

/* Of the one who sent the message, in time: what leaves by itself he may stop as long as it is there. */
static int check_sender(struct ledger *ledger, const struct answer_site *site, const struct ledger_row *row,
                        const struct mail_answer *answer, char **why, struct database_error *error)
{
    bool with_reason = false;
    gint64 until = 0;
    if (g_strcmp0(row->message.user, answer->login) != 0)
        return refuse(why, "only the login that sent the held message can answer for it");
    bool stops = answer->address.kind == ANSWER_CANCEL && answer_sender_may_stop(site, row);
    if (!stops && !answer_sender_may(site, row, &with_reason))
        return refuse(why, "its sender cannot decide about the held message: a reviewer has to");
    if (end_of_time(ledger, site, row, answer->at, &until, error) == -1)
        return -1;
    if (until == 0 || (!stops && answer->at > until))
        return refuse(why, "the time in which the held message could be answered is over: ask a reviewer");
    if (with_reason && answer->address.kind == ANSWER_GO && answer->reason == NULL)
        return refuse(why, "say why in the subject, after `Reason:`, and send the answer again");
    return 1;
}

static int check_reviewer(const struct answer_site *site, const struct mail_answer *answer, char **why)
{
    if (!site->review->by_mail)
        return refuse(why, "reviewers do not decide by mail here: use rcptguardq");
    if (answer->reviewer == NULL)
        return refuse(why, "your login is not that of a reviewer");
    return 1;
}

int answer_check(struct ledger *ledger, const struct answer_site *site, const struct ledger_row *row,
                 const struct mail_answer *answer, char **why, struct database_error *error)
{
    enum answer_kind kind = answer->address.kind;
    bool sender = is_senders(kind);
    const char *login = sender ? row->message.user : answer->reviewer;
    if (!sender) {
        int may = check_reviewer(site, answer, why);
        if (may != 1)
            return may;
    }
    if (answer->address.code == 0 || login == NULL || code_for(site, row, login, kind) != answer->address.code)
        return refuse(why, "there is no such code: nothing is decided");
    return sender ? check_sender(ledger, site, row, answer, why, error) : 1;
}

/* ---- the row */

struct mail_answer answer_of_decision(const struct ledger_decision *decision, const char *login)
{
    guint64 code;
    memcpy(&code, decision->seal, sizeof code);
    return (struct mail_answer){
        .address = {kind_of(decision), decision->sealed ? GUINT64_FROM_BE(code) : 0, decision->row},
        .login = login,
        .reviewer = decision->way == LEDGER_BY_REVIEWER ? decision->who : NULL,
        .uid = decision->uid,
        .reason = decision->reason,
        .at = decision->at,
    };
}

/* Its code is where a command has its seal. */
static struct ledger_decision decision_of(const struct mail_answer *answer)
{
    const guint64 code = GUINT64_TO_BE(answer->address.code);
    bool sender = is_senders(answer->address.kind);
    struct ledger_decision decision = {
        .row = answer->address.row,
        .action = action_of(answer->address.kind),
        .way = sender ? LEDGER_BY_AUTHOR : LEDGER_BY_REVIEWER,
        .who = (char *)(sender ? answer->login : answer->reviewer),
        .uid = sender ? ANSWER_NO_USER : answer->uid,
        .reason = (char *)answer->reason,
        .at = answer->at,
        .sealed = true,
    };
    memcpy(decision.seal, &code, sizeof code);
    return decision;
}

/* 1, 0 or -1: whether the same person answered before. */
static int is_answered(struct ledger *ledger, const struct ledger_decision *decision, struct database_error *error)
{
    g_autoptr(GPtrArray) decisions = ledger_decisions(ledger, decision->row, error);
    for (guint i = 0; decisions != NULL && i < decisions->len; i++) {
        const struct ledger_decision *before = g_ptr_array_index(decisions, i);
        if (before->way == decision->way && g_strcmp0(before->who, decision->who) == 0)
            return 1;
    }
    return decisions == NULL ? -1 : 0;
}

int answer_sender_until(struct ledger *ledger, const struct answer_site *site, const struct ledger_row *row, gint64 now,
                        gint64 *until, struct database_error *error)
{
    bool with_reason;
    const struct ledger_decision answer = {.row = row->id, .way = LEDGER_BY_AUTHOR, .who = row->message.user};
    *until = 0;
    if (site->review->answers == NULL || site->policy == NULL || (LEDGER_BIT(row->state) & LEDGER_WAITING) == 0 ||
        !answer_sender_may(site, row, &with_reason))
        return 0;
    int answered = is_answered(ledger, &answer, error);
    if (answered != 0)
        return answered == -1 ? -1 : 0;
    if (end_of_time(ledger, site, row, now, until, error) == -1)
        return -1;
    *until = *until > now ? *until : 0;
    return 0;
}

/* Only this thread writes such rows, so that nothing comes between these steps; the last one is the transaction. */
int answer_decide(struct ledger *ledger, const struct answer_site *site, const struct mail_answer *answer, gint64 *id,
                  char **why, struct database_error *error)
{
    struct ledger_decision decision = decision_of(answer);
    auto_free(ledger_row) row = ledger_get(ledger, answer->address.row, error);
    if (row == NULL)
        return error->failure == DATABASE_NONE ? refuse(why, "there is no such code: nothing is decided") : -1;
    int counts = answer_check(ledger, site, row, answer, why, error);
    if (counts != 1)
        return counts;
    if ((LEDGER_BIT(row->state) & LEDGER_OPEN) == 0)
        return refuse(why, "the held message is decided already");
    int answered = is_answered(ledger, &decision, error);
    if (answered != 0)
        return answered == 1 ? refuse(why, "the held message is answered already: nothing more is decided") : -1;
    return ledger_decide(ledger, &decision, id, error) == -1 ? -1 : 1;
}
