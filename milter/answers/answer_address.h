/*
 * answer_address - the addresses to which people answer us: that of [review] answers with a word and a code after its
 * recipient delimiter.  Mail to them is sent by submission as any other, and the daemon recognises the address.
 *
 * A code is 64 bits, written as 13 letters and digits of RFC 4648's base32 in lower case; it is read in either case,
 * since programs and people change it.  An answer about a held message names its row as well, in decimal digits.
 */
#ifndef RCPTGUARD_ANSWER_ADDRESS_H
#define RCPTGUARD_ANSWER_ADDRESS_H

#include "milter/common/conf.h"

/* What an address asks for. */
enum answer_kind {
    ANSWER_NONE,
    ANSWER_OVERRIDE, /* that this message passes the rule that refused it */
    ANSWER_GO,       /* of the sender: that the held message is released */
    ANSWER_CANCEL,   /* of the sender: that it is returned to him */
    ANSWER_RELEASE,  /* of a reviewer: ... */
    ANSWER_RETURN,
    ANSWER_DELETE,
};

/* Whether it is about a held message. */
static inline bool answer_is_decision(enum answer_kind kind)
{
    return kind >= ANSWER_GO && kind <= ANSWER_DELETE;
}

struct answer_address {
    enum answer_kind kind;
    guint64 code; /* 0: what is there cannot be one */
    gint64 row;   /* of the held message, if it is about one; 0: what is there cannot be one */
};

/* The address that asks for this, by this code; to be freed with g_free.  [review] answers has to be set. */
char *answer_address_make(const struct review *review, const struct answer_address *answer);

/* A text with the address at each such place, for g_free. */
char *answer_address_insert(const struct review *review, const struct answer_address *answer, const char *text,
                            char place);

/*
 * Reads an address of the envelope, with or without angle brackets.  ANSWER_NONE of every other address, and of all of
 * them if [review] answers is not set.  That address itself, alone or with anything else after the delimiter, is none.
 * An MTA adds its own domain to one without, which may be that of the answers, so such an address is read as if it
 * were. One with a source route overrides nothing: Postfix does not find it when it is to be removed from the envelope.
 */
struct answer_address answer_address_read(const struct review *review, const char *recipient);

#endif
