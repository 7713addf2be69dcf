/*
 * address_greedy - the third reading of an address list: the longest address around an `@`.
 *
 * The first two readings stop at comments, blanks, quotes and brackets that an MTA or
 * a person reads over.  This one leaves them out, and joins what remains on both sides
 * of the `@`, as far as a separator, an angle bracket or another `@`.
 * Near words (joined by a dot, or without a blank between) make the address; all words
 * together make the whole of the item, `wide`, of which an MTA may make one address:
 * `Ann ann@x.example` is Ann.ann@x.example to Sendmail.
 *
 * Linear: it never reads beyond the `@` on either side, and no more than
 * GREEDY_STEPS characters.
 */
#ifndef RCPTGUARD_ADDRESS_GREEDY_H
#define RCPTGUARD_ADDRESS_GREEDY_H

#include "policy/address/address_scan.h"

#include <stdint.h>

/* Characters and comments that are looked at on each side of one `@`. */
#define GREEDY_STEPS 256u

/* The `@` of one text that can be read. */
#define GREEDY_PLACES 20000u

enum greedy_kind {
    GREEDY_SAME,   /* the scanner's address is all that there is */
    GREEDY_SHOWN,  /* it is all that a person reads there */
    GREEDY_LONGER, /* there is a longer address, or the only one */
    GREEDY_NOBODY, /* proved to be nobody: a route, or the `@` of "Lunch @ noon" in a name */
    GREEDY_UNREAD, /* neither */
};

/* One clean text (address_scan.h) while its `@` are read; filled when the first one needs it. */
struct greedy {
    const char *text;
    size_t length;
    bool prose;      /* no MTA reads an address in it: a display name */
    bool quotes;     /* it has quotation marks, */
    bool angles;     /* and angle brackets */
    bool unclosed;   /* no quotation mark is left that closes one */
    GArray *places;  /* of each `@`, where it is; NULL until then */
    uint32_t *pairs; /* of each parenthesis of a comment, the place of the other one + 1; NULL without comments */
};

/* What was read.  The strings are the caller's, and are written anew. */
struct greedy_address {
    GString *local; /* as in a header, in quotes */
    GString *domain;
    size_t end; /* of the domain in the text, whatever was read */
    bool same;  /* it is what the scanner found */
    bool wider; /* more words are in the item, and these are the whole: */
    bool cut;   /* or too many */
    GString *wide_local;
    GString *wide_domain;
};

/* One `@` of the text. */
struct greedy_at {
    size_t place;
    unsigned number; /* from 0 */
    size_t floor;    /* nothing before belongs to its local part */
};

void greedy_address_init(struct greedy_address *address);
void greedy_address_clear(struct greedy_address *address);

void greedy_start(struct greedy *greedy, const char *text, size_t length, bool prose);
void greedy_end(struct greedy *greedy);

/*
 * Reads an `@`; `hit` is what the scanner made of it, or NULL.  With GREEDY_LONGER
 * `address` is filled; its `end` always.
 */
enum greedy_kind greedy_read(struct greedy *greedy, const struct greedy_at *at, const struct scan_hit *hit,
                             struct greedy_address *address);

#endif
