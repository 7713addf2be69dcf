/*
 * address_set - a set of normalised addresses that remembers their order.
 *
 * Most messages have a handful of recipients: up to a few, a set is a list.
 *
 * Ownership: a set owns its addresses.
 */
#ifndef RCPTGUARD_ADDRESS_SET_H
#define RCPTGUARD_ADDRESS_SET_H

#include <glib.h>
#include <stdbool.h>

struct addresses {
    GPtrArray *order;  /* char * */
    GHashTable *index; /* address -> its place in `order`; NULL while there are few */
};

void addresses_init(struct addresses *addresses);
void addresses_clear(struct addresses *addresses);

unsigned addresses_count(const struct addresses *addresses);
const char *addresses_get(const struct addresses *addresses, unsigned place);

/* The place of an address, or -1. */
int addresses_find(const struct addresses *addresses, const char *address);

/* Takes an address and gives its place; one that is there already is freed.  NULL is none: -1. */
int addresses_add(struct addresses *addresses, char *address);

/* Takes the address at a place out of a set that is emptied next. */
char *addresses_steal(struct addresses *addresses, unsigned place);
void addresses_empty(struct addresses *addresses);

#endif
