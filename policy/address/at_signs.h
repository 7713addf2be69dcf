/*
 * at_signs - no `@` passes as nobody: each one is a counted address, proved to be nobody, or unread.
 *
 * After the first two readings every `@` of a text goes to the third one (address_greedy.h).
 * An `@` is nobody only where that is proved: in an obsolete route, in the quoted local
 * part of an address that counts, in a name (or a comment) around which no reading makes
 * an address with a dot in its domain.  Of any other an address is counted, or `unread` is set.
 *
 * Such a proof may be wrong, and so may an address that is read a second time: brackets
 * and quotes that do not match hide where an item begins.  In a list these mistakes add up.
 * So an `@` adds nobody only beside a plain address, of which it is the name; more than
 * ACCOUNT_LOST_ALLOWED others in one text are unread.
 *
 * Ownership: an account owns its sets; what it is given lives longer.
 */
#ifndef RCPTGUARD_AT_SIGNS_H
#define RCPTGUARD_AT_SIGNS_H

#include "policy/address/address.h"
#include "policy/address/address_set.h"

/* The `@` of one message that the third reading has to look around; more are the defect `limit`. */
#define ACCOUNT_LIMIT 5000u

/* `@` that add nobody, and are beside no plain address; more in one text are unread. */
#define ACCOUNT_LOST_ALLOWED 1u

struct account {
    const struct addresses *parsed; /* what the grammar found */
    struct idna *idna;
    struct addresses longer; /* what only the third reading found */
    struct addresses parts;  /* what the second one found, and is a part of these */
    GHashTable *wholes;      /* address -> the whole item of which it is a part, or NULL; NULL until there is one */
    const char *text;        /* which is read now, */
    GHashTable *known;       /* and the hashes of what was found in it; NULL until there is one */
    unsigned walks;          /* `@` that the third reading looked around */
    unsigned idle;           /* `@` that add nobody, since the last plain address, */
    size_t idle_end;         /* and where the last of them ends */
    bool plain;              /* beside a plain address there may be one that adds nobody */
    unsigned lost;           /* those before that were beside no plain address */
    bool unread;             /* an `@` is left of which no reading makes an address */
};

void account_start(struct account *account, const struct addresses *parsed, struct idna *idna);
void account_end(struct account *account);

/*
 * Accounts for each `@` of a clean text (address_scan.h).  `found` is what the second reading made
 * of its hits; what is a part of another address becomes NULL.  `prose`: no MTA reads
 * an address in it.  False if some are left because there are too many.
 */
bool account_text(struct account *account, const char *text, size_t length, bool prose, const GArray *hits,
                  char **found);

#endif
