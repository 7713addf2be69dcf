/* mail_answer - see mail_answer.h */

#include "milter/daemon/mail_answer.h"

#include "milter/review/identities.h"
#include "milter/review/reviewer.h"
#include "policy/message/header_text.h"

#include <string.h>

/* Characters of a reason. */
#define REASON_LIMIT 200

#define REASON_WORD "reason:"

/* U+FF1A, which is after such a word in Chinese. */
#define WIDE_COLON "\xef\xbc\x9a"

void received_answer_free(gpointer data)
{
    struct received_answer *received = data;
    if (received == NULL)
        return;
    g_free((char *)received->answer.login);
    g_free((char *)received->answer.reviewer);
    g_free((char *)received->answer.reason);
    policy_unref(received->policy);
    g_free(received);
}

/* ---- is it an answer of a person? */

/* RFC 3834: `no` is mail of a person; parameters and comments may follow. */
static bool is_automatic(const struct message *message)
{
    const char *const name = "Auto-Submitted";
    for (guint i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (g_ascii_strcasecmp(header->name, name) != 0)
            continue;
        g_autofree char *value = decode_header(header->value, NULL);
        size_t length = value == NULL ? 0 : strcspn(value, " \t;(");
        if (length != strlen("no") || g_ascii_strncasecmp(value, "no", length) != 0)
            return true;
    }
    return false;
}

const char *mail_answer_fault(const struct message *message, unsigned recipients)
{
    if (recipients != 1)
        return "answer to this address alone";
    if (message->user == NULL)
        return "an answer needs the login of who sends it: send it as you send your mail";
    if (message->sender[0] == '\0' || is_automatic(message))
        return "an automatic answer decides nothing";
    return message->overflow ? "the answer is too large" : NULL;
}

/* ---- what it says */

static const char *find_word(const char *text)
{
    for (; *text != '\0'; text++) {
        if (g_ascii_strncasecmp(text, REASON_WORD, strlen(REASON_WORD)) == 0)
            return text + strlen(REASON_WORD);
    }
    return NULL;
}

/*
 * What is in the subject after the word that the address puts there; without it all of the subject, unless that is one
 * of a reply or of what is passed on ("Re: ", "AW: "): it quotes the held message's, which is to be in no log.
 */
static char *reason_of(const struct message *message)
{
    const struct header *header = message_find_header(message, "Subject");
    g_autofree char *subject = header == NULL ? NULL : decode_header(header->value, NULL);
    if (subject == NULL)
        return NULL;
    const char *from = find_word(subject);
    if (from == NULL && strchr(subject, ':') == NULL && strstr(subject, WIDE_COLON) == NULL)
        from = subject;
    if (from == NULL)
        return NULL;
    g_autofree char *reason = g_strstrip(g_strdup(from));
    if (reason[0] == '\0')
        return NULL;
    return g_utf8_strlen(reason, -1) > REASON_LIMIT ? g_utf8_substring(reason, 0, REASON_LIMIT)
                                                    : g_steal_pointer(&reason);
}

/* Who on this system has that login of SASL. */
static int find_reviewer(const struct config *config, struct mail_answer *answer, char **error)
{
    auto_free(diags) diags = diags_new();
    const char *path = config->review.identities;
    if (path == NULL)
        return 0;
    auto_free(identities) identities = identities_load(path, diags);
    if (identities == NULL) {
        *error = g_strdup_printf("%s: the identities cannot be read", path);
        return -1;
    }
    auto_free(reviewer) reviewer = NULL;
    const char *login = identities_login_of(identities, answer->login);
    if (login != NULL)
        reviewer = reviewer_named(login);
    if (reviewer != NULL) {
        answer->reviewer = g_strdup(reviewer->login);
        answer->uid = reviewer->uid;
    }
    return 0;
}

struct received_answer *mail_answer_new(const struct config *config, struct policy *policy,
                                        const struct message *message, const struct answer_address *address,
                                        char **error)
{
    struct received_answer *received = g_new0(struct received_answer, 1);
    bool reviewers = address->kind != ANSWER_GO && address->kind != ANSWER_CANCEL;
    received->policy = policy_ref(policy);
    received->answer = (struct mail_answer){
        .address = *address, .login = g_strdup(message->user), .reason = reason_of(message), .at = g_get_real_time()};
    if (reviewers && config->review.by_mail && find_reviewer(config, &received->answer, error) == -1) {
        received_answer_free(received);
        return NULL;
    }
    return received;
}
