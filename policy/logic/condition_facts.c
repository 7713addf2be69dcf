/* condition_facts - see condition_facts.h */

#include "policy/logic/condition_facts.h"

#include "policy/conditions/condition_count.h"
#include "policy/message/recipients.h"

/* At most this many facts are compared with each other, and that many variables; what comes after means itself alone.
 */
#define FACTS_LIMIT     200u
#define VARIABLES_LIMIT 48u

/* What is needed while they are gathered. */
struct gathering {
    const struct policy *policy;
    struct facts *facts;
    GHashTable *by_text; /* char * -> index of a fact; the strings are the tests' own */
    class_mask counted;  /* classes that recipients are counted as */
    class_mask individuals;
    bool separate_individuals;
};

/* ---- facts, each once */

static unsigned add_fact(struct gathering *gathering, const struct test *test)
{
    struct facts *facts = gathering->facts;
    gpointer place;

    if (g_hash_table_lookup_extended(gathering->by_text, test->text, NULL, &place))
        return GPOINTER_TO_UINT(place);
    g_hash_table_insert(gathering->by_text, test->text, GUINT_TO_POINTER(facts->tests->len));
    g_ptr_array_add(facts->tests, (gpointer)test);
    for (unsigned value = 0; value < 2; value++)
        g_ptr_array_add(facts->consequences[value], g_array_new(FALSE, FALSE, sizeof(struct consequence)));
    return facts->tests->len - 1;
}

static unsigned add_variable(struct gathering *gathering, const struct count_test *test)
{
    bool of_envelope = test->count == COUNT_RECIPIENTS || test->count == COUNT_HIDDEN;
    struct variable variable = {
        .count = test->count,
        .mask = test->mask & gathering->counted,
        .most = of_envelope ? MESSAGE_RECIPIENT_LIMIT : RECIPIENTS_LIMIT,
    };
    GArray *variables = gathering->facts->variables;

    for (unsigned i = 0; i < variables->len; i++) {
        const struct variable *known = &g_array_index(variables, struct variable, i);
        if (known->count == variable.count && known->mask == variable.mask)
            return i;
    }
    g_array_append_val(variables, variable);
    return variables->len - 1;
}

static void gather(void *data, const struct test *test)
{
    struct gathering *gathering = data;
    const struct count_test *count = count_test_of(test);
    unsigned place = count != NULL ? add_variable(gathering, count) : add_fact(gathering, test);

    g_hash_table_insert(gathering->facts->places, (gpointer)test, GUINT_TO_POINTER(place));
}

/* ---- what follows from a fact */

static void add_consequence(struct facts *facts, unsigned fact, bool value, unsigned other, bool then)
{
    struct consequence consequence = {.other = other, .then = then};

    g_array_append_val((GArray *)g_ptr_array_index(facts->consequences[value], fact), consequence);
}

static void relate_facts(struct gathering *gathering)
{
    struct facts *facts = gathering->facts;
    unsigned count = MIN(facts->tests->len, FACTS_LIMIT);
    struct classes *classes = gathering->policy->classes;

    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < count; j++) {
            const struct test *one = g_ptr_array_index(facts->tests, i), *other = g_ptr_array_index(facts->tests, j);
            if (i != j && test_implies(classes, one, other)) {
                add_consequence(facts, i, true, j, true);
                add_consequence(facts, j, false, i, false);
            }
            if (i < j && test_excludes(classes, one, other)) {
                add_consequence(facts, i, true, j, false);
                add_consequence(facts, j, true, i, false);
            }
        }
    }
}

/* ---- what follows from a count */

static bool of_visible(enum count count)
{
    return count == COUNT_VISIBLE || count == COUNT_PARTIES || count == COUNT_DOMAINS;
}

/* Whether the count of `low` is at most that of `high` over the same classes. */
static bool is_lower(const struct gathering *gathering, const struct variable *low, const struct variable *high)
{
    if (low->count == high->count || (of_visible(low->count) && high->count == COUNT_VISIBLE) ||
        (low->count == COUNT_HIDDEN && high->count == COUNT_RECIPIENTS))
        return true;
    /* A domain has one organisation, but many individuals. */
    return low->count == COUNT_PARTIES && high->count == COUNT_DOMAINS && !gathering->separate_individuals &&
           (low->mask & gathering->individuals) == 0;
}

static void relate_two(struct gathering *gathering, unsigned i, unsigned j)
{
    const struct variable *low = &g_array_index(gathering->facts->variables, struct variable, i);
    const struct variable *high = &g_array_index(gathering->facts->variables, struct variable, j);
    struct order order = {.low = i, .high = j};

    if (i == j || (low->mask & ~high->mask) != 0)
        return;
    order.presence = !is_lower(gathering, low, high);
    /* A visible recipient has a party and a domain. */
    if (!order.presence || (of_visible(low->count) && of_visible(high->count)))
        g_array_append_val(gathering->facts->orders, order);
}

/* Who is no visible recipient of those in the envelope is a hidden one. */
static void relate_three(struct gathering *gathering, unsigned i, unsigned j, unsigned k)
{
    const GArray *variables = gathering->facts->variables;
    const struct variable *total = &g_array_index(variables, struct variable, i);
    const struct variable *one = &g_array_index(variables, struct variable, j);
    const struct variable *other = &g_array_index(variables, struct variable, k);
    struct sum sum = {.total = i, .one = j, .other = k};

    if (total->count == COUNT_RECIPIENTS && one->count == COUNT_VISIBLE && other->count == COUNT_HIDDEN &&
        (total->mask & ~one->mask) == 0 && (total->mask & ~other->mask) == 0)
        g_array_append_val(gathering->facts->sums, sum);
}

static void relate_variables(struct gathering *gathering)
{
    unsigned count = MIN(gathering->facts->variables->len, VARIABLES_LIMIT);

    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < count; j++) {
            relate_two(gathering, i, j);
            for (unsigned k = 0; k < count; k++)
                relate_three(gathering, i, j, k);
        }
}

/* ---- */

static void learn_classes(struct gathering *gathering)
{
    const struct classes *classes = gathering->policy->classes;

    gathering->counted = classes_which(classes, false);
    for (unsigned i = 0; i < classes_count(classes); i++)
        if (classes_individuals(classes, i))
            gathering->individuals |= (class_mask)1 << i;
    gathering->separate_individuals = (gathering->individuals & ~gathering->counted) != 0;
}

struct facts *facts_new(const struct policy *policy)
{
    struct facts *facts = g_new0(struct facts, 1);
    struct gathering gathering = {
        .policy = policy,
        .facts = facts,
        .by_text = g_hash_table_new(g_str_hash, g_str_equal),
    };

    facts->places = g_hash_table_new(NULL, NULL);
    facts->tests = g_ptr_array_new();
    for (unsigned value = 0; value < 2; value++)
        facts->consequences[value] = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    facts->variables = g_array_new(FALSE, FALSE, sizeof(struct variable));
    facts->orders = g_array_new(FALSE, FALSE, sizeof(struct order));
    facts->sums = g_array_new(FALSE, FALSE, sizeof(struct sum));
    learn_classes(&gathering);
    policy_each_test(policy, gather, &gathering);
    relate_facts(&gathering);
    relate_variables(&gathering);
    g_hash_table_unref(gathering.by_text);
    return facts;
}

void facts_free(struct facts *facts)
{
    g_hash_table_unref(facts->places);
    g_ptr_array_unref(facts->tests);
    for (unsigned value = 0; value < 2; value++)
        g_ptr_array_unref(facts->consequences[value]);
    g_array_unref(facts->variables);
    g_array_unref(facts->orders);
    g_array_unref(facts->sums);
    g_free(facts);
}

unsigned facts_place(const struct facts *facts, const struct test *test)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(facts->places, test));
}
