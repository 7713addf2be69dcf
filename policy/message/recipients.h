/*
 * recipients - the only reader of address syntax: every address that can be read as a
 * recipient in the headers of a message, and in From whoever is not its author.
 *
 * An ordinary list is read in one pass (simple_list.h); on what that accepts, all others agree.
 * Otherwise two readers look at a header: GMime, within bounds, and a linear, tolerant
 * scanner, over the raw value and its decoded form.  A third one, address_greedy.h, looks around each `@`
 * that these two leave over, or of which they may have read a part.  The union counts.
 *
 * Invariant: every `@` in address position, of the raw and of the decoded value, belongs
 * to a recipient that is counted, or is proved to be nobody (at_signs.h), or the message
 * has the defect `unparsed` or `limit`, and so a malformed header.
 *
 * Ownership: a set owns its addresses.
 */
#ifndef RCPTGUARD_RECIPIENTS_H
#define RCPTGUARD_RECIPIENTS_H

#include "policy/base/cleanup.h"
#include "policy/message/message.h"

#include <glib.h>

enum recipient_field {
    FIELD_TO = 1,
    FIELD_CC = 2,
    FIELD_BCC = 4,
    FIELD_RESENT_TO = 8,
    FIELD_RESENT_CC = 16,
    FIELD_RESENT_BCC = 32,
    FIELD_APPARENTLY_TO = 64,
    FIELD_FROM = 128, /* beyond the author */
};
#define FIELD_LAST FIELD_FROM /* the highest bit */
#define FIELDS_BCC (FIELD_BCC | FIELD_RESENT_BCC)

/* "To", "Cc", ... of one bit. */
const char *recipient_field_name(enum recipient_field field);

/* "To, Cc" of several bits; free with g_free. */
char *recipient_field_names(unsigned bits);

struct recipient {
    const char *address; /* normalised: see address.h */
    unsigned fields;
    unsigned domain; /* the number of its domain, from 0 */
};

/* Distinct addresses that are read of one message; more are the defect `limit`. */
#define RECIPIENTS_LIMIT 20000u

/* Places that look like an address and are read of one message; more are the defect `limit`. */
#define READINGS_LIMIT 20000u

struct recipients;

/*
 * Reads every recipient header of the message, Bcc too, and From if more than its author
 * (from_authors.h) can be in it.  The MTA takes no recipient out of From, and an odd From stops no
 * mail: it adds the defects `limit` and `cut`, `unparsed` only with more than FROM_UNREAD_ALLOWED
 * places that cannot be read, and never `syntax`.  Never NULL.
 */
struct recipients *recipients_read(const struct message *message);
void recipients_free(struct recipients *recipients);
AUTO_FREE_DEFINE(recipients, recipients_free)

/* The same without the one pass over ordinary lists: tests compare the two. */
struct recipients *recipients_read_long(const struct message *message);

/* Distinct addresses, in order of their first appearance. */
unsigned recipients_count(const struct recipients *recipients);
const struct recipient *recipients_get(const struct recipients *recipients, unsigned index);

/* The fields that contain a normalised address, or 0. */
unsigned recipients_find(const struct recipients *recipients, const char *address);

/* How many domains they have. */
unsigned recipients_domains(const struct recipients *recipients);

/* How many headers were read in one pass: for tests. */
unsigned recipients_at_once(const struct recipients *recipients);

/* How many of them the third reading alone found: for tests. */
unsigned recipients_longer(const struct recipients *recipients);

/* Bits of enum defect (defects.h). */
unsigned recipients_defects(const struct recipients *recipients);

/* Authors that are read of one message. */
#define AUTHORS_LIMIT 1000u

/*
 * The distinct authors: the addresses of every From header, normalised.  A GPtrArray
 * of char *, freed with it.  `*whole` (NULL: does not matter): whether those are all.
 */
GPtrArray *recipients_authors(const struct message *message, bool *whole);

/* The same without the one pass, as recipients_read_long. */
GPtrArray *recipients_authors_long(const struct message *message, bool *whole);

/* GMime's version, such as "3.2.13"; to be freed with g_free. */
char *recipients_library_version(void);

#endif
