/* classes - see classes.h */

#include "policy/exposure/classes.h"

#include "policy/base/keyed_hash.h"

#include <pthread.h>
#include <string.h>

/* Domains remembered: two generations of this many. */
#define REMEMBERED_LIMIT 32768u

struct class
{
    char *name;
    bool individuals;
    bool separate;
};

struct class_pattern {
    unsigned index;
    struct pattern *pattern;
};

struct classes {
    struct suffixes *suffixes;
    struct table *domains;
    GArray *classes;      /* struct class */
    GArray *patterns;     /* struct class_pattern */
    pthread_mutex_t lock; /* of the two below; not GLib's, which a thread sanitizer does not see through */
    GHashTable *young;    /* domain -> struct domain_facts *, which it holds a reference to */
    GHashTable *old;
};

static GHashTable *generation_new(void)
{
    return g_hash_table_new_full(hash_string, g_str_equal, NULL, (GDestroyNotify)domain_facts_unref);
}

struct classes *classes_new(struct suffixes *suffixes, struct table *domains)
{
    struct classes *classes = g_new0(struct classes, 1);

    classes->suffixes = suffixes;
    classes->domains = domains;
    classes->classes = g_array_new(FALSE, FALSE, sizeof(struct class));
    classes->patterns = g_array_new(FALSE, FALSE, sizeof(struct class_pattern));
    classes->young = generation_new();
    classes->old = generation_new();
    pthread_mutex_init(&classes->lock, NULL);
    return classes;
}

void classes_free(struct classes *classes)
{
    if (classes == NULL)
        return;
    for (unsigned i = 0; i < classes->classes->len; i++)
        g_free(g_array_index(classes->classes, struct class, i).name);
    for (unsigned i = 0; i < classes->patterns->len; i++)
        pattern_free(g_array_index(classes->patterns, struct class_pattern, i).pattern);
    g_array_unref(classes->classes);
    g_array_unref(classes->patterns);
    g_hash_table_unref(classes->young);
    g_hash_table_unref(classes->old);
    pthread_mutex_destroy(&classes->lock);
    suffixes_free(classes->suffixes);
    table_free(classes->domains);
    g_free(classes);
}

unsigned classes_add(struct classes *classes, const char *name, bool individuals, bool separate)
{
    struct class class = {.name = g_strdup(name), .individuals = individuals, .separate = separate};

    g_array_append_val(classes->classes, class);
    return classes->classes->len - 1;
}

void classes_add_pattern(struct classes *classes, unsigned index, struct pattern *pattern)
{
    struct class_pattern entry = {.index = index, .pattern = pattern};

    g_array_append_val(classes->patterns, entry);
}

const struct suffixes *classes_suffixes(const struct classes *classes)
{
    return classes->suffixes;
}

const struct table *classes_domains(const struct classes *classes)
{
    return classes->domains;
}

unsigned classes_count(const struct classes *classes)
{
    return classes->classes->len;
}

const char *classes_name(const struct classes *classes, unsigned index)
{
    return g_array_index(classes->classes, struct class, index).name;
}

unsigned classes_index(const struct classes *classes, const char *name)
{
    unsigned index = 0;

    while (index + 1 < classes->classes->len && strcmp(classes_name(classes, index), name) != 0)
        index++;
    return index;
}

bool classes_individuals(const struct classes *classes, unsigned index)
{
    return g_array_index(classes->classes, struct class, index).individuals;
}

bool classes_separate(const struct classes *classes, unsigned index)
{
    return g_array_index(classes->classes, struct class, index).separate;
}

static struct domain_facts *facts_ref(struct domain_facts *facts)
{
    g_atomic_int_inc(&facts->references);
    return facts;
}

void domain_facts_unref(struct domain_facts *facts)
{
    if (!g_atomic_int_dec_and_test(&facts->references))
        return;
    g_free(facts->domain);
    g_free(facts);
}

static void classify(const struct classes *classes, struct domain_facts *facts, struct pattern_budget *budget)
{
    facts->class_index = table_find_domain(classes->domains, facts->domain);
    for (unsigned i = 0; facts->class_index < 0 && i < classes->patterns->len; i++) {
        const struct class_pattern *entry = &g_array_index(classes->patterns, struct class_pattern, i);
        switch (pattern_match(entry->pattern, facts->domain, budget)) {
        case PATTERN_YES:
            facts->class_index = (int)entry->index;
            break;
        case PATTERN_NO:
            break;
        case PATTERN_LIMIT:
            facts->fault = true;
            facts->class_index = CLASS_OTHER;
            break;
        }
    }
    if (facts->class_index < 0)
        facts->class_index = CLASS_OTHER;
}

static struct domain_facts *remembered(struct classes *classes, const char *domain)
{
    struct domain_facts *facts = g_hash_table_lookup(classes->young, domain);

    if (facts == NULL) {
        facts = g_hash_table_lookup(classes->old, domain);
        if (facts != NULL)
            g_hash_table_insert(classes->young, facts->domain, facts_ref(facts));
    }
    return facts == NULL ? NULL : facts_ref(facts);
}

static void remember(struct classes *classes, struct domain_facts *facts)
{
    if (g_hash_table_size(classes->young) >= REMEMBERED_LIMIT) {
        g_hash_table_unref(classes->old);
        classes->old = classes->young;
        classes->young = generation_new();
    }
    g_hash_table_replace(classes->young, facts->domain, facts_ref(facts));
}

unsigned classes_seen_from(const struct classes *classes, const struct domain_facts *facts,
                           const char *sender_organisation)
{
    if (!classes_separate(classes, (unsigned)facts->class_index))
        return (unsigned)facts->class_index;
    if (sender_organisation != NULL && strcmp(sender_organisation, facts->organisation) == 0)
        return CLASS_INTERNAL;
    return CLASS_OTHER;
}

struct domain_facts *classes_unknown(const char *domain)
{
    struct domain_facts *facts = g_new0(struct domain_facts, 1);

    facts->references = 1;
    facts->domain = g_strdup(domain);
    facts->organisation = facts->domain;
    facts->class_index = CLASS_OTHER;
    return facts;
}

struct domain_facts *classes_find(struct classes *classes, const char *domain, struct pattern_budget *budget)
{
    pthread_mutex_lock(&classes->lock);
    struct domain_facts *facts = remembered(classes, domain);
    pthread_mutex_unlock(&classes->lock);
    if (facts != NULL)
        return facts;
    facts = classes_unknown(domain);
    facts->organisation = suffixes_organisation(classes->suffixes, facts->domain);
    classify(classes, facts, budget);
    /* A fault is that of a message, which may have spent its budget elsewhere. */
    if (!facts->fault) {
        pthread_mutex_lock(&classes->lock);
        remember(classes, facts);
        pthread_mutex_unlock(&classes->lock);
    }
    return facts;
}

class_mask classes_which(const struct classes *classes, bool separate)
{
    class_mask mask = 0;

    for (unsigned i = 0; i < classes_count(classes); i++)
        if (classes_separate(classes, i) == separate)
            mask |= (class_mask)1 << i;
    return mask;
}
