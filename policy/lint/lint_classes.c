/*
 * lint_classes - what the classes of a policy name: what is another class's
 * already, what is no domain of anybody, what changes nothing.
 *
 * Tables are read once more for this, one by one, since a policy keeps their
 * items and not where they are.
 */

#include "policy/lint/lint.h"

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/conditions/condition_header.h"
#include "policy/conditions/condition_subject.h"
#include "policy/logic/regex_tree.h"
#include "policy/syntax/template.h"

#include <string.h>

/* At most this many items of one table are told for one reason; of the rest, how many there are. */
#define ITEMS_TOLD_LIMIT 5u

/* At most this many names of a class are looked at to find out whether it takes any from another. */
#define NAMES_LIMIT 1000u

/* What is known of the class at hand. */
struct table_search {
    const struct lint *lint;
    const struct class_statement *class;
    unsigned index;
    GPtrArray *patterns; /* struct known_pattern *: of all classes */
    bool is_used;        /* something in the policy depends on it */
    unsigned names;      /* domains that it names */
    unsigned taken;      /* of them, those that another class has */
    unsigned matching;   /* its regular expressions that may match what no class names */
};

struct known_pattern {
    unsigned index;
    const struct item *item;
    struct pattern *pattern;
};

/* One of its domains. */
struct name {
    const struct source *source;
    size_t offset;
    const char *domain; /* normalised, without its leading dot */
    bool below;         /* that it has */
};

/* A table, while it is read. */
struct reading {
    struct table_search *looking;
    const struct source *source;
    const struct item *file;
    unsigned names, taken;
    unsigned told[LINT_NAMES]; /* by lint */
    GArray *overlaps;          /* struct overlap: the first few */
};

struct overlap {
    size_t offset;
    char *domain;
    bool below;
    unsigned owner;
};

static const char *class_name(const struct table_search *looking, int index)
{
    return classes_name(looking->lint->policy->classes, (unsigned)index);
}

static const struct table *domains_of(const struct table_search *looking)
{
    return classes_domains(looking->lint->policy->classes);
}

static bool is_internal(const struct table_search *looking)
{
    return looking->index == CLASS_INTERNAL;
}

/* ---- one domain */

/* Registries that look at whom they give a domain: a class of these is no mistake. */
static bool is_vetted(const char *suffix)
{
    static const char *const labels[] = {"ac",  "edu", "gob", "gouv", "gov",        "govt",  "go",
                                         "int", "mil", "mod", "nhs",  "parliament", "police"};

    for (unsigned i = 0; i < G_N_ELEMENTS(labels); i++) {
        size_t length = strlen(labels[i]);
        if (strncmp(suffix, labels[i], length) == 0 && (suffix[length] == '.' || suffix[length] == '\0'))
            return true;
    }
    return false;
}

/* Whether there is room for one more of a table; of what is in the policy there always is. */
static bool may_tell(struct reading *reading, enum lint_name name)
{
    return reading == NULL || ++reading->told[name] <= ITEMS_TOLD_LIMIT;
}

static void lint_suffix(struct table_search *looking, struct reading *reading, const struct name *name)
{
    const struct suffixes *suffixes = classes_suffixes(looking->lint->policy->classes);
    const char *provider = NULL;

    if (suffixes_is_registry(suffixes, name->domain)) {
        if ((is_internal(looking) || !is_vetted(name->domain)) && may_tell(reading, LINT_PUBLIC_SUFFIX))
            lint_warn_in(looking->lint, LINT_PUBLIC_SUFFIX, name->source, name->offset,
                         "`%s` is a public suffix, below which anyone can register a domain", name->domain);
        return;
    }
    if (is_internal(looking))
        provider = lint_freemail(name->domain, name->below);
    if (provider != NULL && may_tell(reading, LINT_FREEMAIL_INTERNAL))
        lint_warn_in(looking->lint, LINT_FREEMAIL_INTERNAL, name->source, name->offset,
                     "`%s` is a provider at which anyone can have a mailbox; they would all be internal", provider);
}

/* The class that would have the domain if this one did not name it, by a table's or a policy's names; -1 if none. */
static int had_by(const struct table_search *looking, const struct name *name)
{
    int owner = name->below ? -1 : table_find_item(domains_of(looking), name->domain, true);

    return owner >= 0 ? owner : table_find_around(domains_of(looking), name->domain);
}

/* A table that takes hosts out of one's own domain does so where nobody sees it. */
static void lint_own(struct table_search *looking, struct reading *reading, const struct name *name)
{
    if (reading == NULL || is_internal(looking) || looking->class->separate ||
        had_by(looking, name) != CLASS_INTERNAL || !may_tell(reading, LINT_CLASS_OVERLAP))
        return;
    lint_warn_in(looking->lint, LINT_CLASS_OVERLAP, name->source, name->offset,
                 "`%s` lies below a domain of class `internal`; class `%s` takes it out of that", name->domain,
                 looking->class->name->text);
}

static bool is_matched_elsewhere(const struct table_search *looking, const struct name *name)
{
    g_autofree char *host = g_strconcat("x.", name->domain, NULL);
    auto_free(pattern_budget) budget = pattern_budget_new();
    bool matched = false;

    for (unsigned i = 0; !matched && i < looking->patterns->len; i++) {
        const struct known_pattern *entry = g_ptr_array_index(looking->patterns, i);
        /* A fault is no "no". */
        matched =
            entry->index != looking->index && (pattern_match(entry->pattern, name->domain, budget) != PATTERN_NO ||
                                               pattern_match(entry->pattern, host, budget) != PATTERN_NO);
    }
    return matched;
}

/* A class that is not named may still take domains from those that are. */
static void learn_use(struct table_search *looking, const struct name *name)
{
    if (looking->is_used)
        return;
    int owner = had_by(looking, name);
    looking->is_used = (owner >= 0 && owner != (int)looking->index) || looking->names > NAMES_LIMIT ||
                       is_matched_elsewhere(looking, name);
}

/* Whether another class has just this name, which is told unless it is in a table. */
static int lint_name(struct table_search *looking, struct reading *reading, const struct name *name)
{
    int owner = table_find_item(domains_of(looking), name->domain, name->below);

    looking->names++;
    lint_suffix(looking, reading, name);
    if (owner >= 0 && owner != (int)looking->index) {
        looking->taken++;
        return owner;
    }
    lint_own(looking, reading, name);
    learn_use(looking, name);
    return -1;
}

static void warn_overlap(const struct table_search *looking, const struct source *source, size_t offset,
                         const char *domain, bool below, int owner)
{
    lint_warn_in(looking->lint, LINT_CLASS_OVERLAP, source, offset,
                 "`%s%s` is of class `%s`, which names it first; here it does nothing", below ? "." : "", domain,
                 class_name(looking, owner));
}

static void lint_domain(struct table_search *looking, const struct item *item)
{
    bool below = item->text[0] == '.';
    g_autofree char *domain = domain_normalise(item->text + below, strlen(item->text + below));
    const struct name name = {looking->lint->policy->source, item->offset, domain, below};
    int owner = lint_name(looking, NULL, &name);

    if (owner >= 0)
        warn_overlap(looking, name.source, name.offset, domain, below, owner);
}

/* ---- tables */

static void overlap_clear(struct overlap *overlap)
{
    g_free(overlap->domain);
}

static void read_item(void *data, const char *item, size_t offset)
{
    struct reading *reading = data;
    bool below = item[0] == '.';
    g_autofree char *domain = domain_normalise(item + below, strlen(item + below));
    const struct name name = {reading->source, offset, domain, below};
    int owner = lint_name(reading->looking, reading, &name);
    struct overlap overlap = {.offset = offset, .below = below, .owner = (unsigned)owner};

    reading->names++;
    if (owner < 0)
        return;
    reading->taken++;
    if (reading->overlaps->len >= ITEMS_TOLD_LIMIT)
        return;
    overlap.domain = g_steal_pointer(&domain);
    g_array_append_val(reading->overlaps, overlap);
}

static void tell_table(struct reading *reading)
{
    const struct lint *lint = reading->looking->lint;
    unsigned more = reading->taken - reading->overlaps->len;

    if (reading->names == 0)
        lint_warn(lint, LINT_TABLE_EMPTY, reading->file->offset, "the table \"%s\" has no items", reading->file->text);
    else if (reading->taken == reading->names)
        lint_warn(lint, LINT_TABLE_UNUSED, reading->file->offset,
                  "all items of the table \"%s\" belong to other classes, which name it first, such as `%s`",
                  reading->file->text,
                  class_name(reading->looking, (int)g_array_index(reading->overlaps, struct overlap, 0).owner));
    for (unsigned i = 0; reading->taken < reading->names && i < reading->overlaps->len; i++) {
        const struct overlap *overlap = &g_array_index(reading->overlaps, struct overlap, i);
        warn_overlap(reading->looking, reading->source, overlap->offset, overlap->domain, overlap->below,
                     (int)overlap->owner);
    }
    if (reading->taken < reading->names && more > 0)
        lint_warn(lint, LINT_CLASS_OVERLAP, reading->file->offset,
                  "%u more items of the table \"%s\" are of classes that name them first", more, reading->file->text);
    for (unsigned name = 0; name < LINT_NAMES; name++)
        if (reading->told[name] > ITEMS_TOLD_LIMIT)
            lint_warn(lint, (enum lint_name)name, reading->file->offset,
                      "the same of %u more items of the table \"%s\"", reading->told[name] - ITEMS_TOLD_LIMIT,
                      reading->file->text);
}

/* What has become of the file since the policy was loaded is not asked. */
static void lint_table(struct table_search *looking, const struct item *file)
{
    g_autofree char *path = policy_beside(looking->lint->policy, file->text);
    auto_free(diags) troubles = diags_new();
    auto_free(source) source = source_read(path, "a table", TABLE_SIZE_LIMIT, troubles);
    struct reading reading = {.looking = looking, .source = source, .file = file};

    if (source == NULL)
        return;
    reading.overlaps = g_array_new(FALSE, FALSE, sizeof(struct overlap));
    g_array_set_clear_func(reading.overlaps, (GDestroyNotify)overlap_clear);
    table_each_item(source, read_item, &reading);
    tell_table(&reading);
    g_array_unref(reading.overlaps);
}

/* ---- regular expressions */

static bool is_dot(const struct regex_node *node)
{
    return node->kind == REGEX_CHARACTER && node->least == 1 && node->most == 1 && node->character == '.';
}

/* `(...\.)?`, whose branches all end in a dot. */
static bool ends_in_dot(const struct regex_node *group)
{
    if (group->kind != REGEX_GROUP || group->most != 1)
        return false;
    for (unsigned i = 0; i < group->branches->len; i++) {
        const GPtrArray *branch = g_ptr_array_index(group->branches, i);
        if (branch->len == 0 || !is_dot(g_ptr_array_index(branch, branch->len - 1)))
            return false;
    }
    return true;
}

/* The domain that is all that an expression can match, with what is below it; NULL if that cannot be told. */
static char *domain_matched(const char *pattern)
{
    auto_free(regex) regex = regex_parse(pattern);
    const GPtrArray *branch = g_ptr_array_index(regex->branches, 0);
    GString *tail = g_string_new(NULL);
    unsigned start = branch->len;

    while (start > 0) {
        const struct regex_node *node = g_ptr_array_index(branch, start - 1);
        if (node->kind != REGEX_CHARACTER || node->least != 1 || node->most != 1)
            break;
        start--;
    }
    for (unsigned i = start; i < branch->len; i++)
        g_string_append_unichar(tail, ((const struct regex_node *)g_ptr_array_index(branch, i))->character);
    bool known = regex->branches->len == 1 &&
                 (start == 0 || tail->str[0] == '.' || (start == 1 && ends_in_dot(g_ptr_array_index(branch, 0))));
    g_autofree char *domain = g_string_free(tail, FALSE);
    if (!known)
        return NULL;
    return domain_normalise(domain + (domain[0] == '.'), strlen(domain + (domain[0] == '.')));
}

/* The class that has all that an expression matches by name; -1 if there is none. */
static int hidden_by(const struct table_search *looking, const struct item *item)
{
    g_autofree char *domain = domain_matched(item->text);

    if (domain == NULL || !domain_is_name(domain))
        return -1;
    int owner = table_find_item(domains_of(looking), domain, true);
    return owner >= 0 ? owner : table_find_around(domains_of(looking), domain);
}

/* The class that has the same expression earlier, or -1. */
static int repeats(const struct table_search *looking, const struct item *item)
{
    for (unsigned i = 0; i < looking->patterns->len; i++) {
        const struct known_pattern *entry = g_ptr_array_index(looking->patterns, i);
        if (entry->item == item)
            return -1;
        if (strcmp(entry->item->text, item->text) == 0)
            return (int)entry->index;
    }
    return -1;
}

static void lint_match(struct table_search *looking, const struct item *item)
{
    const struct pattern *pattern = NULL;
    int hider = hidden_by(looking, item), first = repeats(looking, item);

    for (unsigned i = 0; i < looking->patterns->len; i++) {
        const struct known_pattern *entry = g_ptr_array_index(looking->patterns, i);
        if (entry->item == item)
            pattern = entry->pattern;
        looking->is_used = looking->is_used || entry->index != looking->index;
    }
    if (pattern == NULL) {
        looking->is_used = true;
        looking->matching++;
        return;
    }
    const char *provider = is_internal(looking) ? lint_freemail_matched(pattern) : NULL;
    if (provider != NULL)
        lint_warn(looking->lint, LINT_FREEMAIL_INTERNAL, item->offset,
                  "this matches `%s`, a provider at which anyone can have a mailbox; they would all be internal",
                  provider);
    if (hider >= 0 && hider != (int)looking->index)
        lint_warn(looking->lint, LINT_CLASS_OVERLAP, item->offset,
                  "all that this matches is of class `%s`, which has it by name; here it does nothing",
                  class_name(looking, hider));
    else if (first >= 0 && first != (int)looking->index)
        lint_warn(looking->lint, LINT_CLASS_OVERLAP, item->offset,
                  "class `%s` has the same regular expression and comes first; here it does nothing",
                  class_name(looking, first));
    else
        looking->matching++;
}

/* ---- whether a class is used */

/* The names of classes that a test names. */
static void gather_names(void *data, const struct test *test)
{
    const GPtrArray *classes = test->kind->classes != NULL ? test->kind->classes(test) : NULL;

    for (unsigned i = 0; classes != NULL && i < classes->len; i++)
        g_hash_table_add(data, ((const struct item *)g_ptr_array_index(classes, i))->text);
}

static void gather_shown(const struct policy *policy, const struct text *text, GHashTable *names)
{
    for (unsigned i = 0; text != NULL && i < classes_count(policy->classes); i++)
        if (text_names_class(text, (class_mask)1 << i))
            g_hash_table_add(names, (gpointer)classes_name(policy->classes, i));
}

static GHashTable *names_in_use(const struct policy *policy)
{
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);

    policy_each_test(policy, gather_names, names);
    for (unsigned i = 0; i < policy->rules->len; i++)
        gather_shown(policy, ((const struct rule *)g_ptr_array_index(policy->rules, i))->action.template, names);
    gather_shown(policy, policy->fallback.template, names);
    return names;
}

static void class_pattern_free(struct known_pattern *entry)
{
    pattern_free(entry->pattern);
    g_free(entry);
}

/* As many as a policy can reasonably have; the rest are taken to match nothing. */
static GPtrArray *gather_patterns(const struct policy *policy)
{
    GPtrArray *patterns = g_ptr_array_new_with_free_func((GDestroyNotify)class_pattern_free);

    for (unsigned i = 0; i < policy->statements->len; i++) {
        const struct class_statement *class = g_ptr_array_index(policy->statements, i);
        for (unsigned j = 0; j < class->items->len && patterns->len < NAMES_LIMIT; j++) {
            const struct class_item *entry = g_ptr_array_index(class->items, j);
            g_autofree char *message = NULL;
            size_t offset;
            if (entry->kind != CLASS_MATCH)
                continue;
            struct known_pattern *pattern = g_new0(struct known_pattern, 1);
            pattern->index = classes_index(policy->classes, class->name->text);
            pattern->item = entry->item;
            pattern->pattern = pattern_compile(entry->item->text, &offset, &message);
            g_ptr_array_add(patterns, pattern);
        }
    }
    return patterns;
}

static void lint_whole(const struct table_search *looking)
{
    const char *name = looking->class->name->text;
    size_t offset = looking->class->name->offset;

    if (looking->class->items->len == 0)
        lint_warn(looking->lint, LINT_CLASS_EMPTY, offset, "class `%s` names no domain%s", name,
                  is_internal(looking) ? ", so everybody is outside" : "");
    else if (looking->matching == 0 && looking->taken == looking->names)
        lint_warn(looking->lint, LINT_CLASS_EMPTY, offset,
                  "class `%s` has no domain: each that it names is another's, or none is there", name);
    else if (!looking->is_used)
        lint_warn(looking->lint, LINT_CLASS_UNUSED, offset,
                  "class `%s` changes nothing: no test and no text names it, and it takes no domain from another",
                  name);
}

/* ---- sets of senders and authors */

struct set_reading {
    const struct lint *lint;
    const struct source *source;
};

static void lint_set_item(void *data, const char *item, size_t offset)
{
    const struct set_reading *reading = data;
    bool below = item[0] == '.';

    if (strchr(item, '@') != NULL || item[below] == '\0')
        return;
    g_autofree char *domain = domain_normalise(item + below, strlen(item + below));
    if (suffixes_is_registry(classes_suffixes(reading->lint->policy->classes), domain) && !is_vetted(domain))
        lint_warn_in(reading->lint, LINT_PUBLIC_SUFFIX, reading->source, offset,
                     "`%s` is a public suffix, below which anyone can register a domain", domain);
}

static void lint_set_file(const struct lint *lint, const struct subject_test *test)
{
    const struct item *file = test->comparison.operand;
    g_autofree char *path = policy_beside(lint->policy, file->text);
    auto_free(diags) troubles = diags_new();
    auto_free(source) source = source_read(path, "a table", TABLE_SIZE_LIMIT, troubles);
    struct set_reading reading = {lint, source};

    if (table_size(test->table) == 0)
        lint_warn(lint, LINT_TABLE_EMPTY, file->offset, "the table \"%s\" has no items", file->text);
    else if (source != NULL && subject_is_address(test->subject))
        table_each_item(source, lint_set_item, &reading);
}

/* A file of words, of a subject or a header. */
static void lint_words(const struct lint *lint, const struct test *test)
{
    const struct subject_test *subject = subject_test_of(test);
    const struct header_test *header = header_test_of(test);
    const struct text_comparison *comparison = subject != NULL  ? &subject->comparison
                                               : header != NULL ? &header->comparison
                                                                : NULL;

    if (comparison != NULL && comparison->phrases != NULL && phrases_count(comparison->phrases) == 0)
        lint_warn(lint, LINT_TABLE_EMPTY, comparison->operand->offset, "the table \"%s\" has no items",
                  comparison->operand->text);
}

static void lint_sets(void *data, const struct test *any)
{
    const struct lint *lint = data;
    const struct subject_test *test = subject_test_of(any);
    struct set_reading reading = {lint, lint->policy->source};

    lint_words(lint, any);
    if (test == NULL || test->comparison.relation != RELATION_IN_TABLE)
        return;
    if (test->items == NULL) {
        lint_set_file(lint, test);
        return;
    }
    for (unsigned i = 0; subject_is_address(test->subject) && i < test->items->len; i++) {
        const struct item *item = g_ptr_array_index(test->items, i);
        lint_set_item(&reading, item->text, item->offset);
    }
}

/* ---- */

static void look_at(struct table_search *looking)
{
    for (unsigned i = 0; i < looking->class->items->len; i++) {
        const struct class_item *entry = g_ptr_array_index(looking->class->items, i);
        switch (entry->kind) {
        case CLASS_DOMAIN:
            lint_domain(looking, entry->item);
            break;
        case CLASS_DOMAINS_FROM:
            lint_table(looking, entry->item);
            break;
        case CLASS_MATCH:
            lint_match(looking, entry->item);
            break;
        }
    }
    lint_whole(looking);
}

void lint_classes(const struct lint *lint)
{
    const struct policy *policy = lint->policy;
    g_autoptr(GHashTable) names = names_in_use(policy);
    g_autoptr(GPtrArray) patterns = gather_patterns(policy);

    for (unsigned i = 0; i < policy->statements->len; i++) {
        struct table_search looking = {
            .lint = lint, .class = g_ptr_array_index(policy->statements, i), .patterns = patterns};
        const char *name = looking.class->name->text;
        looking.index = classes_index(policy->classes, name);
        looking.is_used = is_internal(&looking) || looking.class->individuals || looking.class->separate ||
                          g_hash_table_contains(names, name) || g_hash_table_contains(names, "other");
        look_at(&looking);
    }
    policy_each_test(policy, lint_sets, (void *)lint);
}
