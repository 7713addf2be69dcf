/*
 * address_set - a set of normalised addresses, or of their domains, that remembers their order.
 *
 * A table of places, open to the next free one, beside the addresses with their hashes:
 * an address is hashed once when it is looked for, and never again when the table grows.
 * Most messages have a handful of recipients: up to a few, a set is a list without a table.
 *
 * Ownership: a set keeps copies of its addresses, many in one block of memory, and they stay where they
 * are until it is emptied.  One that borrows keeps what it is given, which must live as long.
 */
#ifndef RCPTGUARD_ADDRESS_SET_H
#define RCPTGUARD_ADDRESS_SET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct address_entry {
    const char *address;
    guint length;
    guint hash; /* once there is a table */
};

struct address_block;

struct addresses {
    struct address_entry *entries; /* in their order */
    struct address_block *blocks;  /* where the copies are */
    unsigned count, size;
    guint *slots; /* of the table: a place + 1, or 0; NULL while there are few */
    guint mask;   /* the slots - 1, a power of two */
    bool borrows; /* the addresses belong to somebody else */
};

void addresses_init(struct addresses *addresses);
void addresses_clear(struct addresses *addresses);

unsigned addresses_count(const struct addresses *addresses);
const char *addresses_get(const struct addresses *addresses, unsigned place);

/* The place of an address, or -1. */
int addresses_find(const struct addresses *addresses, const char *address);

/* Takes an address, which is freed (for a set that borrows: addresses_put), and gives its place.  NULL is none: -1. */
int addresses_add(struct addresses *addresses, char *address);

/* The place of an address of `length` bytes.  One that is not there (`*added`) joins; -1 if there are `limit` already.
 */
int addresses_put(struct addresses *addresses, const char *address, size_t length, unsigned limit, bool *added);

/* Empties a set into another one. */
void addresses_join(struct addresses *addresses, struct addresses *others);
void addresses_empty(struct addresses *addresses);

#endif
