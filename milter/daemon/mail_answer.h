/*
 * mail_answer - mail that is an answer about held mail: what the daemon collects of it, and what is said of it.
 *
 * Ownership: an answer owns its strings.
 */
#ifndef RCPTGUARD_MAIL_ANSWER_H
#define RCPTGUARD_MAIL_ANSWER_H

#include "milter/answers/answer_decision.h"
#include "policy/message/message.h"

/* An answer as it came, for the thread that writes the ledger. */
struct received_answer {
    struct mail_answer answer; /* its strings are owned */
    struct policy *policy;     /* in force */
};

/* For g_free and the like. */
void received_answer_free(gpointer data);

/* What came of it. */
enum answered_result {
    ANSWERED_TAKEN,   /* the decision is on the disk */
    ANSWERED_REFUSED, /* `text` says why, to who sent it */
    ANSWERED_NOT,     /* the ledger did not take it: `text` is for the log */
};

struct answered {
    enum answered_result result;
    char *text;
};

/*
 * Why a mail with an answer's address among its recipients is no answer, whatever the ledger says; NULL: it may be one.
 * `recipients` is how many it has.  The text is not for g_free.
 */
const char *mail_answer_fault(const struct message *message, unsigned recipients);

/* The answer that a mail is; the identities of reviewers are read if it is one of theirs.  NULL with `error`, for
 * g_free. */
struct received_answer *mail_answer_new(const struct config *config, struct policy *policy,
                                        const struct message *message, const struct answer_address *address,
                                        char **error);

#endif
