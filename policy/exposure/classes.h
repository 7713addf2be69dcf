/*
 * classes - to which class a domain belongs, and to which party a recipient.
 *
 * An exact name beats the longest suffix, which beats a regex; then the order
 * of declaration.  What none names is `other`.  What was found is remembered, so
 * that a domain is classed once, not once a message.
 *
 * Ownership: classes_free frees all.  After it is built any thread may use it.
 */
#ifndef RCPTGUARD_CLASSES_H
#define RCPTGUARD_CLASSES_H

#include "policy/base/pattern.h"
#include "policy/exposure/class_mask.h"
#include "policy/exposure/public_suffix.h"
#include "policy/exposure/table.h"

struct classes;

/* Takes both tables' owners over: `suffixes` and `domains` (values are class indexes). */
struct classes *classes_new(struct suffixes *suffixes, struct table *domains);
void classes_free(struct classes *classes);

/* The index of the next class is one more than the last; 0 is `internal`, 1 is `other`. */
unsigned classes_add(struct classes *classes, const char *name, bool individuals, bool separate);

/* Takes the pattern; patterns are tried in the order in which they were added. */
void classes_add_pattern(struct classes *classes, unsigned index, struct pattern *pattern);

const struct suffixes *classes_suffixes(const struct classes *classes);

/* The domains that classes name, with the indexes of the classes that have them. */
const struct table *classes_domains(const struct classes *classes);
unsigned classes_count(const struct classes *classes);
const char *classes_name(const struct classes *classes, unsigned index);

/* The index of a class that is there. */
unsigned classes_index(const struct classes *classes, const char *name);

bool classes_individuals(const struct classes *classes, unsigned index);
bool classes_separate(const struct classes *classes, unsigned index);

/* All that are `separate`, or all that are not: as these recipients are counted. */
class_mask classes_which(const struct classes *classes, bool separate);

/* What is known of a domain; counted by reference. */
struct domain_facts {
    int references;
    int class_index; /* the class that names it, `separate` or not; CLASS_OTHER if none does */
    bool fault;      /* a pattern hit its limit: the class is not known */
    char *domain;
    const char *organisation; /* points into `domain` */
};

/* A new reference to what is known of a normalised domain. */
struct domain_facts *classes_find(struct classes *classes, const char *domain, struct pattern_budget *budget);

/*
 * The class of a recipient in a message whose sender is of an organisation (NULL: of none): tenants of a `separate`
 * class are not each other's colleagues.
 */
unsigned classes_seen_from(const struct classes *classes, const struct domain_facts *facts,
                           const char *sender_organisation);

/* The facts of a domain that is not looked up: CLASS_OTHER, and a separate organisation. */
struct domain_facts *classes_unknown(const char *domain);
void domain_facts_unref(struct domain_facts *facts);
AUTO_FREE_DEFINE(domain_facts, domain_facts_unref)

#endif
