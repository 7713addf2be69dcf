/* test-classes - the class of a domain: precedence, and the memory of it */

#include "policy/exposure/classes.h"
#include "unit.h"

struct fixture {
    struct classes *classes;
    struct pattern_budget *budget;
};

static void add(struct table *table, const char *item, unsigned value)
{
    g_autofree char *wrong = table_add(table, item, value);

    g_assert_cmpstr(wrong, ==, NULL);
}

static void add_pattern(struct classes *classes, unsigned index, const char *text)
{
    size_t offset;
    char *message = NULL;
    struct pattern *pattern = pattern_compile(text, &offset, &message);

    g_assert_nonnull(pattern);
    classes_add_pattern(classes, index, pattern);
}

enum { PARTNER = 2, FREEMAIL = 3, HOSTING = 4 };

static void set_up(struct fixture *fixture, gconstpointer data)
{
    struct table *domains = table_new(TABLE_DOMAINS);

    (void)data;
    add(domains, ".corp.example", CLASS_INTERNAL);
    add(domains, "shop.corp.example", PARTNER);
    add(domains, ".lab.corp.example", FREEMAIL);
    add(domains, "twice.example", PARTNER);
    add(domains, "twice.example", FREEMAIL);
    fixture->classes = classes_new(suffixes_open(), domains);
    fixture->budget = pattern_budget_new();
    g_assert_cmpuint(classes_add(fixture->classes, "internal", false, false), ==, CLASS_INTERNAL);
    g_assert_cmpuint(classes_add(fixture->classes, "other", false, false), ==, CLASS_OTHER);
    g_assert_cmpuint(classes_add(fixture->classes, "partner", false, false), ==, PARTNER);
    g_assert_cmpuint(classes_add(fixture->classes, "freemail", true, false), ==, FREEMAIL);
    g_assert_cmpuint(classes_add(fixture->classes, "hosting", false, true), ==, HOSTING);
    add_pattern(fixture->classes, HOSTING, ".*\\.corp\\.example");
    add_pattern(fixture->classes, FREEMAIL, "free[0-9]+\\.test");
    add_pattern(fixture->classes, PARTNER, "free1.*");
    add_pattern(fixture->classes, PARTNER, "(a+)+[bc]");
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    classes_free(fixture->classes);
    pattern_budget_free(fixture->budget);
}

static int class_of(struct fixture *fixture, const char *domain)
{
    struct domain_facts *facts = classes_find(fixture->classes, domain, fixture->budget);
    int index = facts->fault ? -1 : facts->class_index;

    g_assert_cmpstr(facts->domain, ==, domain);
    domain_facts_unref(facts);
    return index;
}

static void test_precedence(struct fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *domain;
        int want;
    } cases[] = {
        {"corp.example", CLASS_INTERNAL},
        {"mail.corp.example", CLASS_INTERNAL}, /* a suffix beats a regex, whatever was declared first */
        {"shop.corp.example", PARTNER},        /* an exact name beats a suffix */
        {"a.shop.corp.example", CLASS_INTERNAL},
        {"lab.corp.example", FREEMAIL}, /* the longest suffix */
        {"a.lab.corp.example", FREEMAIL},
        {"twice.example", PARTNER}, /* the first that names it */
        {"free1.test", FREEMAIL},
        {"free1x.test", PARTNER},
        {"FREE2.test", FREEMAIL},
        {"stranger.example", CLASS_OTHER},
        {"notcorp.example", CLASS_OTHER},
        {"[192.0.2.1]", CLASS_OTHER},
        {"", CLASS_OTHER},
    };

    (void)data;
    /* Twice: the second time from memory. */
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i / 2].domain);
        g_assert_cmpint(class_of(fixture, cases[i / 2].domain), ==, cases[i / 2].want);
    }
    g_assert_cmpuint(classes_count(fixture->classes), ==, 5);
    g_assert_cmpstr(classes_name(fixture->classes, FREEMAIL), ==, "freemail");
    g_assert_true(classes_individuals(fixture->classes, FREEMAIL));
    g_assert_false(classes_individuals(fixture->classes, PARTNER));
    g_assert_true(classes_separate(fixture->classes, HOSTING));
}

static void test_organisation(struct fixture *fixture, gconstpointer data)
{
    struct domain_facts *facts = classes_find(fixture->classes, "mail.acme.co.uk", fixture->budget);

    (void)data;
    g_assert_cmpstr(facts->organisation, ==, "acme.co.uk");
    domain_facts_unref(facts);
}

/* A fault is told each time and remembered never: it is that of one message. */
static void test_fault(struct fixture *fixture, gconstpointer data)
{
    static const char bad[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    (void)data;
    g_assert_cmpint(class_of(fixture, bad), ==, -1);
    g_assert_cmpint(class_of(fixture, bad), ==, -1);
    /* A budget that is spent makes every pattern a fault, and what it left unclassed is asked again. */
    for (unsigned n = 0; n < 2 * PATTERN_MESSAGE_LIMIT / PATTERN_MATCH_LIMIT; n++) {
        g_autofree char *domain = g_strdup_printf("%s%u", bad, n);
        class_of(fixture, domain);
    }
    g_assert_cmpint(class_of(fixture, "free2.test"), ==, -1);
    g_assert_cmpint(class_of(fixture, "corp.example"), ==, CLASS_INTERNAL); /* needs no pattern */
    pattern_budget_free(fixture->budget);
    fixture->budget = pattern_budget_new();
    g_assert_cmpint(class_of(fixture, "free2.test"), ==, FREEMAIL);
}

/* The memory is bounded; what one generation forgets is found again, and who holds facts keeps them. */
static void test_generations(struct fixture *fixture, gconstpointer data)
{
    struct domain_facts *held = classes_find(fixture->classes, "held.corp.example", fixture->budget);
    struct domain_facts *again;

    (void)data;
    again = classes_find(fixture->classes, "held.corp.example", fixture->budget);
    g_assert_true(again == held); /* remembered */
    domain_facts_unref(again);
    for (unsigned n = 0; n < 3 * 32768 + 10; n++) {
        g_autofree char *domain = g_strdup_printf("c%u.corp.example", n);
        struct domain_facts *facts = classes_find(fixture->classes, domain, fixture->budget);
        g_assert_cmpint(facts->class_index, ==, CLASS_INTERNAL);
        domain_facts_unref(facts);
        /* What is asked for all the time is never forgotten. */
        if (n % 1000 == 0)
            g_assert_cmpint(class_of(fixture, "busy.corp.example"), ==, CLASS_INTERNAL);
    }
    g_assert_cmpstr(held->domain, ==, "held.corp.example");
    again = classes_find(fixture->classes, "held.corp.example", fixture->budget);
    g_assert_true(again != held); /* forgotten, and found again */
    g_assert_cmpint(again->class_index, ==, held->class_index);
    domain_facts_unref(again);
    domain_facts_unref(held);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/classes/precedence", struct fixture, NULL, set_up, test_precedence, tear_down);
    g_test_add("/classes/organisation", struct fixture, NULL, set_up, test_organisation, tear_down);
    g_test_add("/classes/fault", struct fixture, NULL, set_up, test_fault, tear_down);
    g_test_add("/classes/generations", struct fixture, NULL, set_up, test_generations, tear_down);
    return g_test_run();
}
