/*
 * public_suffix - which part of a domain an organisation registered, by the Public
 * Suffix List (publicsuffix.org; libpsl), its private section included.
 *
 * Ownership: free with suffixes_free.  Any thread may use it.
 */
#ifndef RCPTGUARD_PUBLIC_SUFFIX_H
#define RCPTGUARD_PUBLIC_SUFFIX_H

#include <stdbool.h>

struct suffixes;

/* The list that the system installed, or the one that libpsl was built with. */
struct suffixes *suffixes_open(void);
void suffixes_free(struct suffixes *suffixes);

/* Identifies the version of the list. */
const char *suffixes_version(const struct suffixes *suffixes);

/*
 * Labels of a name that the list is asked about.  Its longest rules have six; below one of
 * more than seven, what two organisations registered would be taken for one.
 */
#define SUFFIX_LABELS_LIMIT 8

/*
 * The registrable part of a normalised domain; it points into `domain`.  The
 * domain itself for a domain literal, a bare suffix, a name that is none.
 */
const char *suffixes_organisation(const struct suffixes *suffixes, const char *domain);

/* Whether a normalised domain is a suffix of a registry, such as com and co.uk; of the list's private section none is.
 */
bool suffixes_is_registry(const struct suffixes *suffixes, const char *domain);

/* libpsl's version and what it was built with, such as "0.21.2 (+libidn2/2.3.3)". */
const char *suffixes_library_version(void);

#endif
