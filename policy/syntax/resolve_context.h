/*
 * resolve_context - what is at hand while names, tables and patterns of a policy are resolved.  Private to the library.
 */
#ifndef RCPTGUARD_RESOLVE_CONTEXT_H
#define RCPTGUARD_RESOLVE_CONTEXT_H

#include "policy/base/phrases.h"
#include "policy/syntax/ast.h"
#include "policy/syntax/class_names.h"

struct resolver {
    struct policy *policy;
    struct diags *diags;
    GHashTable *names;         /* char * -> struct item *: classes and rules share one name space */
    GHashTable *class_indexes; /* char * -> index */
    GPtrArray *candidates;     /* char *: the names of classes; ends with NULL */
    struct class_names class_names;
    struct table *domains;
};

/* Adds an error at a byte offset of the policy. */
void resolver_fail(struct resolver *resolver, size_t offset, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Adds the items of a file that the policy names, each with that value. */
void resolver_read_table(struct resolver *resolver, struct table *table, const struct item *file, unsigned value);

/* The words and phrases of the file `file`, or of strings (struct item *) if that is NULL. */
struct phrases *resolver_phrases(struct resolver *resolver, const struct item *file, const GPtrArray *strings);

/* NULL after an error. */
struct pattern *resolver_compile(struct resolver *resolver, const struct item *item);

/* The classes that a name means; 0 after an error.  `counted`: as class_names_find_counted. */
class_mask resolver_class(struct resolver *resolver, const struct item *name, bool counted);

#endif
