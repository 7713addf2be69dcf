/*
 * gmime_address - addresses that GMime reads otherwise than a person; the scanner reads these.
 */
#ifndef RCPTGUARD_GMIME_ADDRESS_H
#define RCPTGUARD_GMIME_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the grammar took for one address what a person reads otherwise: other scripts'
 * separators and at signs are letters to it.
 */
bool gmime_runs_together(const char *address, size_t length);

/*
 * Whether a domain ends later to the grammar than to a person: it allows signs in it that no
 * name in the DNS has ("x.example/home", "x.example|bob").
 */
bool gmime_ends_later(const char *domain, size_t length);

#endif
