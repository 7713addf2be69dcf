/*
 * address - one person is one address: the normalised form of an addr-spec.
 *
 * Normalised (RFC 5321 section 2.4, RFC 6531, RFC 5890): the domain in lower
 * case, without a trailing dot, in A-labels (what IDNA refuses stays as NFC in
 * lower case); the local part in NFC and lower case, without quotes that it does
 * not need and without apostrophes that wrap the whole address.  Characters that
 * cannot be seen (unicode.h) are dropped, full-width letters are those of ASCII.
 *
 * Ownership: every function gives a new string, to be freed with g_free.
 */
#ifndef RCPTGUARD_ADDRESS_H
#define RCPTGUARD_ADDRESS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Conversions by IDNA cost some microseconds each.  Who normalises what strangers
 * wrote remembers them, and makes no more than this many.
 */
#define IDNA_LIMIT 1000u

/*
 * Bytes that are converted so, or brought into NFC and lower case: what lies beyond ASCII
 * and is not of one form anyway.
 */
#define FOLDED_BYTES_LIMIT (32u * 1024)

struct idna {
    GHashTable *known; /* domain as written -> normalised; NULL until there is one */
    size_t folded;     /* bytes */
    bool exhausted;    /* something was left as it is: two spellings of it may count as two */
};
void idna_clear(struct idna *idna);

/*
 * Normalises a local part (quoted or not) and a domain.  NULL if either is
 * empty then: `user@` and `@host` are no addresses.  Without `idna` (NULL) there
 * is no limit.
 */
char *address_normalise(const char *local, size_t local_length, const char *domain, size_t domain_length,
                        struct idna *idna);

/*
 * Normalises an address that is written in a policy or by an administrator.  The last `@` parts
 * it.  One without a domain stays a bare local part; "" stays "".
 */
char *address_normalise_text(const char *address);

/* The same of what stood in MAIL or RCPT, as an MTA reads it: see source_route.h.  Without its angle brackets. */
char *address_normalise_envelope(const char *address);

/* Normalises a domain; "" if nothing is left of it. */
char *domain_normalise(const char *domain, size_t length);

/* The domain of a normalised address (it points into it), or NULL for a bare local part. */
const char *address_domain(const char *address);

/* For text and JSON: the domain in U-labels, valid UTF-8.  Without an `@` it is read as a domain, like a party. */
char *address_display(const char *address);
char *domain_display(const char *domain);

/* Bytes of the longest name that the DNS knows, in its text form (RFC 1035 section 2.3.4). */
#define DOMAIN_LENGTH_LIMIT 253

/*
 * Whether a normalised name can be a domain in a policy: labels of
 * letters, digits, hyphens and underscores, none of them empty or longer than 63.
 */
bool domain_is_name(const char *domain);

/* The part of a name after all but its last `labels` (from 1) dots; points into the name. */
const char *domain_tail(const char *domain, unsigned labels);

/* Whether it is a domain literal: [192.0.2.1]. */
bool domain_is_literal(const char *domain);

/* libidn2's version, such as "2.3.3". */
const char *address_library_version(void);

#endif
