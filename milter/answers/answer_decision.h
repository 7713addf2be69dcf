/*
 * answer_decision - what an answer by mail decides about a held message: whether it counts, and the row that it
 * becomes.
 *
 * The daemon asks before it writes the row, and the agent asks again before it carries the decision out.
 *
 * Ownership: texts are for g_free.
 */
#ifndef RCPTGUARD_ANSWER_DECISION_H
#define RCPTGUARD_ANSWER_DECISION_H

#include "milter/answers/answer_code.h"
#include "milter/ledger/ledger_decisions.h"
#include "policy/engine/policy.h"

/* In the place of the user id of a sender: his login is one of SASL, which need not be a user. */
#define ANSWER_NO_USER ((uid_t)-1)

/* An answer. */
struct mail_answer {
    struct answer_address address;
    const char *login;    /* of who sent it; never NULL */
    const char *reviewer; /* who that is on this system; NULL: nobody of [review] identities */
    uid_t uid;            /* of the reviewer */
    const char *reason;   /* or NULL */
    gint64 at;            /* when it came */
};

/* What is in force. */
struct answer_site {
    const struct review *review;
    const struct policy *policy;
    unsigned char key[ANSWER_KEY_SIZE];
};

/* The key, which belongs to the daemon's user `owner`: 0, or -1 with `error`. */
int answer_key_read(const struct config *config, uid_t owner, unsigned char key[ANSWER_KEY_SIZE],
                    struct database_error *error);

/* Whether the rule that holds a message lets its sender release it, by the policy in force, and whether with a reason.
 */
bool answer_sender_may(const struct answer_site *site, const struct ledger_row *row, bool *with_reason);

/* Until when its sender can release it so: he got the address, and has not answered yet.  0: he cannot, or no longer.
 * 0, or -1 with `error`. */
int answer_sender_until(struct ledger *ledger, const struct answer_site *site, const struct ledger_row *row, gint64 now,
                        gint64 *until, struct database_error *error);

/* Whether that rule releases it after a time, until when its sender may have it back, by the policy in force. */
bool answer_sender_may_stop(const struct answer_site *site, const struct ledger_row *row);

/* The address by which this login asks for this. */
char *answer_address_for(const struct answer_site *site, const struct ledger_row *row, const char *login,
                         enum answer_kind kind);

/* Whether an answer counts: 1; 0 with `why`, a sentence for the SMTP dialogue; or -1 with `error`. */
int answer_check(struct ledger *ledger, const struct answer_site *site, const struct ledger_row *row,
                 const struct mail_answer *answer, char **why, struct database_error *error);

/* The same, and that the message still waits and was not answered before; if so, the decision `id` is on the disk. */
int answer_decide(struct ledger *ledger, const struct answer_site *site, const struct mail_answer *answer, gint64 *id,
                  char **why, struct database_error *error);

/* The answer that a row of the ledger says there was. */
struct mail_answer answer_of_decision(const struct ledger_decision *decision, const char *login);

#endif
