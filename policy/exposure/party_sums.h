/*
 * party_sums - who the visible recipients of a message are, summed by party.  The
 * single mailboxes of a class marked `individuals` are summed by their domain: a
 * list of people is unreadable, and must not be in a report.
 *
 * Ownership: an array owns its sums; g_array_unref frees all of it.
 */
#ifndef RCPTGUARD_PARTY_SUMS_H
#define RCPTGUARD_PARTY_SUMS_H

#include "policy/exposure/exposure.h"

#include <glib.h>
#include <stdbool.h>

struct party_sum {
    char *name; /* a domain, normalised: see address_display */
    bool individuals;
    unsigned people;
};

/* The parties of the visible recipients of these classes (struct party_sum): most people first, then by name. */
GArray *parties_sum(const struct exposure *exposure, class_mask classes);

/* Takes away all but the first `limit` sums; `*parties` and `*people` are how many are gone. */
void parties_cut(GArray *sums, unsigned limit, unsigned *parties, unsigned *people);

/* Appends "customer.example: 3", "free1.example: 5 individuals"; not yet fit for a terminal. */
void parties_append(GString *out, const struct party_sum *sum);

#endif
