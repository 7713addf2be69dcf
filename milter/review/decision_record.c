/* decision_record - see decision_record.h */

#include "milter/review/decision_record.h"

#include "milter/answers/answer_decision.h"

#include <string.h>

/* ---- the key */

/* 1, 0 if there is none yet, which `mode` decides, or -1. */
static int load_key(struct tool *tool, enum database_mode mode, struct database_error *error)
{
    if (tool->has_decision_key)
        return 1;
    g_autofree char *path = config_decision_key(tool->config);
    if (secret_file_read(path, 0, mode, tool->decision_key, error) == -1)
        return mode == DATABASE_EXISTING && error->failure == DATABASE_MISSING ? 0 : -1;
    tool->has_decision_key = true;
    return 1;
}

/* ---- the seal */

/* With what ends it, so that no two lists of texts are the same bytes; NULL and "" differ. */
static void add_text(GHmac *hmac, const char *text)
{
    const char *mark = text == NULL ? "-" : "+";
    g_hmac_update(hmac, (const guchar *)mark, 1);
    g_hmac_update(hmac, (const guchar *)(text == NULL ? "" : text), text == NULL ? 1 : (gssize)strlen(text) + 1);
}

static void add_number(GHmac *hmac, gint64 number)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    add_text(hmac, text);
}

static void make_seal(const struct tool *tool, const struct view_item *item, const struct ledger_decision *decision,
                      unsigned char seal[LEDGER_SEAL_SIZE])
{
    gsize size = LEDGER_SEAL_SIZE;
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, tool->decision_key, SECRET_SIZE);
    add_text(hmac, "rcptguard decision");
    add_text(hmac, mta_word(item->row->message.mta));
    add_text(hmac, item->entry->id);
    add_number(hmac, item->entry->arrival);
    add_number(hmac, decision->row);
    add_text(hmac, ledger_action_name(decision->action));
    add_text(hmac, ledger_way_name(decision->way));
    add_text(hmac, decision->who);
    add_number(hmac, decision->uid);
    add_text(hmac, decision->reason);
    add_number(hmac, decision->at);
    if (decision->origin != NULL) {
        add_text(hmac, decision->origin);
        add_text(hmac, decision->node);
    }
    g_hmac_get_digest(hmac, seal, &size);
    g_hmac_unref(hmac);
}

/* In a time that does not depend on where they differ. */
static bool same(const unsigned char *a, const unsigned char *b)
{
    unsigned differ = 0;
    for (unsigned i = 0; i < LEDGER_SEAL_SIZE; i++)
        differ |= (unsigned)(a[i] ^ b[i]);
    return differ == 0;
}

int decision_record_add(struct tool *tool, const struct view_item *item, struct ledger_decision *decision,
                        struct database_error *error)
{
    if (load_key(tool, DATABASE_CREATE, error) == -1)
        return -1;
    make_seal(tool, item, decision, decision->seal);
    decision->sealed = true;
    return ledger_decide(tool->ledger, decision, &decision->id, error);
}

int decision_record_add_once(struct tool *tool, const struct view_item *item, struct ledger_decision *decision,
                             struct database_error *error)
{
    if (item != NULL && load_key(tool, DATABASE_CREATE, error) == -1)
        return -1;
    if (item != NULL)
        make_seal(tool, item, decision, decision->seal);
    decision->sealed = item != NULL;
    return ledger_decide_once(tool->ledger, decision, error);
}

int decision_record_is_sealed(struct tool *tool, const struct view_item *item, const struct ledger_decision *decision,
                              struct database_error *error)
{
    unsigned char seal[LEDGER_SEAL_SIZE];
    if (!decision->sealed || decision->row != item->row->id)
        return 0;
    int there = load_key(tool, DATABASE_EXISTING, error);
    if (there != 1)
        return there;
    make_seal(tool, item, decision, seal);
    return same(seal, decision->seal);
}

/* ---- approvals */

/* Whether a reviewer's answer by mail has his code for this message: 1, 0 or -1. */
static int is_answer(struct tool *tool, const struct view_item *item, const struct ledger_decision *decision,
                     struct database_error *error)
{
    struct answer_site site = {.review = &tool->config->review};
    const struct mail_answer answer = answer_of_decision(decision, "");
    g_autofree char *why = NULL;
    if (answer_key_read(tool->config, tool_daemon_user(tool), site.key, error) == -1)
        return -1;
    return answer_check(tool->ledger, &site, item->row, &answer, &why, error);
}

/* 1, 0 or -1: whether that person decided to release it. */
static int has_decided(struct tool *tool, const struct view_item *item, const GPtrArray *decisions, const char *login,
                       struct database_error *error)
{
    for (guint i = 0; i < decisions->len; i++) {
        const struct ledger_decision *decision = g_ptr_array_index((GPtrArray *)decisions, i);
        bool by_mail = decision->way == LEDGER_BY_REVIEWER;
        if (decision->action != LEDGER_RELEASE || (decision->way != LEDGER_BY_COMMAND && !by_mail) ||
            g_strcmp0(decision->who, login) != 0)
            continue;
        int sealed =
            by_mail ? is_answer(tool, item, decision, error) : decision_record_is_sealed(tool, item, decision, error);
        if (sealed != 0)
            return sealed;
    }
    return 0;
}

GPtrArray *decision_record_approvals(struct tool *tool, const struct view_item *item, struct database_error *error)
{
    g_autoptr(GPtrArray) logins = ledger_approvals(tool->ledger, item->row->id, error);
    g_autoptr(GPtrArray) decisions = logins == NULL ? NULL : ledger_decisions(tool->ledger, item->row->id, error);
    g_autoptr(GPtrArray) sealed = g_ptr_array_new_with_free_func(g_free);
    if (decisions == NULL)
        return NULL;
    for (guint i = 0; i < logins->len; i++) {
        const char *login = g_ptr_array_index(logins, i);
        int decided = has_decided(tool, item, decisions, login, error);
        if (decided == -1)
            return NULL;
        if (decided == 1)
            g_ptr_array_add(sealed, g_strdup(login));
    }
    return g_steal_pointer(&sealed);
}
