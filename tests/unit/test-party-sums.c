/* test-party-sums - recipients summed by party, people by their domain */

#include "policy/exposure/party_sums.h"
#include "unit.h"

#include "policy/exposure/exposure.h"

#define CLASSES                                                                                                        \
    UNIT_HEAD "class free { domain \"free1.example\", \"free2.example\" individuals }\n"                               \
              "default accept\n"

/* "customer.example: 3, free1.example: 2 individuals" of a To header. */
static char *sums_of(const char *to, class_mask classes, unsigned limit, unsigned *parties, unsigned *people)
{
    struct policy *policy = policy_of(CLASSES);
    auto_free(message) message = message_of("care@me.example", to);
    struct verdict *verdict = evaluate_at(policy, message, 0);
    GArray *sums = parties_sum(verdict->exposure, classes);
    GString *out = g_string_new(NULL);

    parties_cut(sums, limit, parties, people);
    for (unsigned i = 0; i < sums->len; i++) {
        g_string_append(out, i > 0 ? ", " : "");
        parties_append(out, &g_array_index(sums, struct party_sum, i));
    }
    g_array_unref(sums);
    verdict_free(verdict);
    policy_unref(policy);
    return g_string_free(out, FALSE);
}

static void test_sum(void)
{
    static const struct {
        const char *to, *want;
    } cases[] = {
        {"a@me.example", ""},
        {"a@x.example", "x.example: 1"},
        {"a@free1.example", "free1.example: 1 individual"},
        /* Most people first, then by name; subdomains are of their organisation. */
        {"a@x.example, b@mail.y.example, c@y.example, d@z.example", "y.example: 2, x.example: 1, z.example: 1"},
        {"a@free1.example, b@free2.example, c@free1.example, A@FREE1.example",
         "free1.example: 2 individuals, free2.example: 1 individual"},
        /* A domain of individuals may be the organisation of others. */
        {"a@free1.example, b@mail.free1.example", "free1.example: 1, free1.example: 1 individual"},
        {"a@b\xc3\xbc"
         "cher.example, b@xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example: 2"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned parties, people;
        g_autofree char *found = sums_of(cases[i].to, CLASS_EXTERNAL, 100, &parties, &people);
        if (strcmp(found, cases[i].want) != 0)
            UNIT_FAIL("%s: %s", cases[i].to, found);
        g_assert_cmpuint(parties + people, ==, 0);
    }
}

static void test_classes(void)
{
    unsigned parties, people;
    g_autofree char *all = sums_of("a@me.example, b@x.example", CLASS_ALL, 100, &parties, &people);

    g_assert_cmpstr(all, ==, "me.example: 1, x.example: 1");
}

static void test_cut(void)
{
    unsigned parties, people;
    g_autofree char *found = sums_of("a@x.example, b@x.example, c@y.example, d@z.example, e@z.example, f@w.example",
                                     CLASS_EXTERNAL, 1, &parties, &people);

    g_assert_cmpstr(found, ==, "x.example: 2");
    g_assert_cmpuint(parties, ==, 3);
    g_assert_cmpuint(people, ==, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parties/sum", test_sum);
    g_test_add_func("/parties/classes", test_classes);
    g_test_add_func("/parties/cut", test_cut);
    return g_test_run();
}
