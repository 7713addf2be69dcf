/*
 * parts_exposure - the counts of the body of one message, and of some of its header fields, by class and by kind of
 * part: who would be seen there and not in the recipient headers.
 *
 * Who is visible in the header does not count again; who is in the envelope alone (Bcc) does: an invitation
 * that lists them is the leak.
 *
 * Ownership: it owns all that it hands out, and holds on to the parts and the classes, which the caller keeps, and to
 * the fields.
 */
#ifndef RCPTGUARD_PARTS_EXPOSURE_H
#define RCPTGUARD_PARTS_EXPOSURE_H

#include "policy/base/cleanup.h"
#include "policy/exposure/exposure.h"
#include "policy/parts/body_parts.h"

/* Domains in one body whose class and party are looked up; each further one is a party of the class `other`. */
#define PARTS_DOMAINS_LIMIT 4000u

struct parts_exposure;

/* What is counted. */
struct parts_source {
    const struct body_parts *parts; /* or NULL */
    GPtrArray *fields; /* struct recipients *, which it frees: the kind of the first is the bit PART_KINDS */
};

/* Counts by the classes of a policy.  `exposure` is that of the message's header.  Never NULL. */
struct parts_exposure *parts_exposure_read(struct classes *classes, const struct message *message,
                                           const struct exposure *exposure, const struct parts_source *source,
                                           struct pattern_budget *budget);
void parts_exposure_free(struct parts_exposure *exposure);
AUTO_FREE_DEFINE(parts_exposure, parts_exposure_free)

/* COUNT_VISIBLE, COUNT_PARTIES or COUNT_DOMAINS over the classes of `mask`, in the parts of some kinds. */
unsigned parts_exposure_count(const struct parts_exposure *exposure, enum count count, class_mask mask, unsigned kinds);

/* Bits of enum opaque_kind: those of the parts, `limits` if there were too many domains, the defects of the fields. */
unsigned parts_exposure_opaque(const struct parts_exposure *exposure);

/* Whether a pattern hit its limit while a domain was classed: the counts cannot be trusted. */
bool parts_exposure_fault(const struct parts_exposure *exposure);

/* Those who count, in the order in which they were found. */
struct part_exposed {
    const char *address; /* normalised */
    const char *class_name;
    const char *party; /* a registrable domain in A-labels, or an address */
    unsigned class_index;
    unsigned kinds; /* bits of enum part_kind, and those of the fields */
};
unsigned parts_exposure_visible(const struct parts_exposure *exposure);
const struct part_exposed *parts_exposure_get(const struct parts_exposure *exposure, unsigned index);

#endif
