/*
 * kept_facts - what has been kept of a message that was evaluated earlier, for kept_policy.h.
 */
#ifndef RCPTGUARD_KEPT_FACTS_H
#define RCPTGUARD_KEPT_FACTS_H

#include "policy/exposure/exposure.h"
#include "policy/exposure/inside_counts.h"

/* Visible recipients of one class, or some of them. */
struct kept_party {
    const char *class_name;
    unsigned people;
    unsigned parties; /* that they belong to, and nobody else of them */
};

/* What a message had for a count inside its parts. */
struct kept_inside {
    const char *test; /* "visible(external) inside calendar" */
    unsigned value;
};

struct kept_facts {
    const struct exposure_counts *counts;
    bool authenticated;
    const struct kept_party *parties; /* all that is visible */
    unsigned party_count;
    const char *known;  /* "yes", "no"; NULL is not kept */
    const char *within; /* the value of the rule's window; NULL is not kept, or of which of several is not */
    const struct kept_inside *inside; /* of the rule; those that are not kept are missing */
    unsigned inside_count;
    const struct inside_counts *shown; /* beside the recipient headers; or NULL */
};

#endif
