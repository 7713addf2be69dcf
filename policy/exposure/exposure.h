/*
 * exposure - the counts of one message by class: who outside would see whom.
 *
 * Ownership: an exposure owns all that it hands out.  It holds on to the
 * policy's class names, which the caller keeps alive.
 */
#ifndef RCPTGUARD_EXPOSURE_H
#define RCPTGUARD_EXPOSURE_H

#include "policy/exposure/class_mask.h"
#include "policy/message/defects.h"

#include <glib.h>
#include <stdbool.h>

struct exposure;

/* What is counted; `domains` and `parties` are those of visible recipients. */
enum count { COUNT_VISIBLE, COUNT_PARTIES, COUNT_DOMAINS, COUNT_RECIPIENTS, COUNT_HIDDEN, COUNT_KINDS };

const char *count_name(enum count count); /* "visible", "parties", ... */
extern const char *const count_words[];   /* the same in order, ended by NULL */

/*
 * Domains in the headers of one message whose class and party are looked up.  Each further
 * one belongs to the class `other` and is a separate party, with the defect `limit`.
 */
#define DOMAINS_LIMIT 4000u

/* Distinct values over the classes of `mask`. */
unsigned exposure_count(const struct exposure *exposure, enum count count, class_mask mask);

/* The numbers of a message's exposure that are logged and kept. */
struct exposure_counts {
    unsigned visible; /* external, like the next two */
    unsigned parties;
    unsigned domains;
    unsigned internal;   /* visible and internal */
    unsigned hidden;     /* of all classes */
    unsigned recipients; /* of the envelope, of all classes */
    unsigned defects;    /* bits of enum defect */
};
/* All 0 for NULL: a fault before anything was counted. */
struct exposure_counts exposure_counts(const struct exposure *exposure);

/* Bits of enum defect. */
unsigned exposure_defects(const struct exposure *exposure);

/* The visible recipients, in order of their first appearance. */
struct exposed {
    const char *address; /* normalised, the domain in A-labels */
    const char *class_name;
    unsigned class_index;
    const char *party; /* a registrable domain in A-labels, or an address */
    unsigned fields;   /* bits of enum recipient_field */
    bool delivered;    /* is in the envelope too */
};
unsigned exposure_visible(const struct exposure *exposure);
const struct exposed *exposure_get(const struct exposure *exposure, unsigned index);

/* Whether a header that recipients read shows the address that is message's `answer`, which is not counted. */
bool exposure_shows_answer(const struct exposure *exposure);

/* Whether a pattern hit its limit while a domain was classed: the counts cannot be trusted. */
bool exposure_fault(const struct exposure *exposure);

void exposure_free(struct exposure *exposure);

struct classes;
struct message;
struct pattern_budget;

/* Counts one message by the classes of a policy, which must outlive it.  Never NULL. */
struct exposure *exposure_read(struct classes *classes, const struct message *message, struct pattern_budget *budget);

#endif
