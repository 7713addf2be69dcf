/*
 * part_scan - the addresses that are found in the parts of one message, and what they may cost.
 *
 * A text is looked at around each `@` only, with the tolerant reading of policy/address/address_scan.h. The addresses
 * are in the normal form of policy/address/address.h, as those of the header are.
 *
 * Ownership: part_scan_clear frees all.
 */
#ifndef RCPTGUARD_PART_SCAN_H
#define RCPTGUARD_PART_SCAN_H

#include "policy/address/address.h"
#include "policy/address/address_set.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Distinct addresses that are kept of one message; more are `limits`. */
#define PART_ADDRESSES_LIMIT 20000u

/* Places that look like an address and are read of one message, and those of them that are not plain ASCII. */
#define PART_READINGS_LIMIT 100000u
#define PART_ODD_LIMIT      20000u

/* Bytes around `@` that are read of one message. */
#define PART_SCANNED_LIMIT (5u * 1024 * 1024)

/* Bytes beside an `@` that are brought into another form first: other scripts, control characters. */
#define PART_CLEANED_LIMIT (2u * 1024 * 1024)

struct part_address {
    const char *address; /* normalised */
    unsigned kinds;      /* bits of enum part_kind: where it is */
    unsigned domain;     /* the number of its domain, from 0 */
    unsigned seen;       /* the last part, from 1, that it was found in */
};

struct part_scan {
    struct addresses addresses;
    struct addresses domains; /* of these, which they are a part of */
    GArray *list;             /* struct part_address, in the order of the addresses */
    GArray *hits;
    struct idna idna;
    unsigned readings, odd;
    size_t scanned, cleaned;
    unsigned part;    /* that is read now, from 1 */
    unsigned in_part; /* distinct addresses of it */
    bool exhausted;   /* one of the limits was passed: an address may be missing */
};

void part_scan_init(struct part_scan *scan);
void part_scan_clear(struct part_scan *scan);

/* The next part begins. */
void part_scan_begin(struct part_scan *scan, unsigned part);

/* Whether nothing more is read, and that is known. */
bool part_scan_is_over(const struct part_scan *scan);

/* A normalised address of the part that is read now. */
void part_scan_put(struct part_scan *scan, const char *address, size_t length, unsigned kinds);

/*
 * Puts in each address of a text.  `prose`: a person wrote it for persons, so that what has no dot in its domain, or
 * the name of a picture, is no address.
 */
void part_scan_text(struct part_scan *scan, const char *text, size_t length, unsigned kinds, bool prose);

#endif
