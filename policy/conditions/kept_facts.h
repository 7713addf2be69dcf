/*
 * kept_facts - what has been kept of a message that was evaluated earlier, for kept_policy.h.
 */
#ifndef RCPTGUARD_KEPT_FACTS_H
#define RCPTGUARD_KEPT_FACTS_H

#include "policy/exposure/exposure.h"

/* Visible recipients of one class, or some of them. */
struct kept_party {
    const char *class_name;
    unsigned people;
    unsigned parties; /* that they belong to, and nobody else of them */
};

struct kept_facts {
    const struct exposure_counts *counts;
    bool authenticated;
    const struct kept_party *parties; /* all that is visible */
    unsigned party_count;
};

#endif
