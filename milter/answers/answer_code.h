/*
 * answer_code - the codes of answers about held mail: HMAC-SHA256 under a key of the site, 64 bits of it.
 *
 * A code is bound to the row of the message, to when it was held (a ledger that begins anew has the same rows again),
 * to a login, and to what is asked for.  So it says nothing to anybody else, and nothing about another message.
 */
#ifndef RCPTGUARD_ANSWER_CODE_H
#define RCPTGUARD_ANSWER_CODE_H

#include "milter/answers/answer_address.h"

/* Bytes of the key. */
#define ANSWER_KEY_SIZE 32u

struct answer_subject {
    gint64 row;
    gint64 judged;     /* of the row */
    const char *login; /* whose answer it is */
    enum answer_kind kind;
};

/* Never 0. */
guint64 answer_code(const unsigned char key[ANSWER_KEY_SIZE], const struct answer_subject *subject);

#endif
