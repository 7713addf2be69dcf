/*
 * places_bell - says when something may have changed on another node of the fleet.
 *
 * Ownership: places_bell_free frees it.
 */
#ifndef RCPTGUARD_PLACES_BELL_H
#define RCPTGUARD_PLACES_BELL_H

#include "milter/places/places.h"

struct places_bell;

/* NULL: no other node is looked at. */
struct places_bell *places_bell_new(const struct tool *tool);
void places_bell_free(struct places_bell *bell); /* also of NULL */

/* Whether it rang since the last call; it never waits.  Without a connection it tries to get one once a minute. */
bool places_bell_rang(struct places_bell *bell);

#endif
