/*
 * class_names - what the names of classes in a policy mean, and what is wrong with one.  Private to the library.
 *
 * Ownership: `wrong` is the caller's, to be freed with g_free.
 */
#ifndef RCPTGUARD_CLASS_NAMES_H
#define RCPTGUARD_CLASS_NAMES_H

#include "policy/exposure/class_mask.h"

#include <stdbool.h>

struct classes;

/* What a name is looked up in. */
struct class_names {
    const struct classes *classes;
    const char *const *candidates; /* for "did you mean"; ends with NULL */
    bool names_lost;               /* a mistake may have hidden a class: a missing one is not reported */
};

/* The classes that a name means: one, `external` or `all`; false if there is no such class. */
bool class_names_mask(const struct classes *classes, const char *name, class_mask *mask);

/* The same; if there is none, `wrong` says so, or is NULL where it is not to be said. */
bool class_names_find(const struct class_names *names, const char *name, class_mask *mask, char **wrong);

/* The same in a count, where a class that is `separate` cannot be named. */
bool class_names_find_counted(const struct class_names *names, const char *name, class_mask *mask, char **wrong);

#endif
