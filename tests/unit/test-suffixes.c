/* test-suffixes - what an organisation registered, by the Public Suffix List */

#include "suffixes.h"

#include <glib.h>

static void test_organisation(void)
{
    static const char *const cases[][2] = {
        {"acme.co.uk", "acme.co.uk"},
        {"mail.acme.co.uk", "acme.co.uk"},
        {"a.b.c.acme.co.uk", "acme.co.uk"},
        {"a.co.uk", "a.co.uk"},
        {"corp.com", "corp.com"},
        {"mail.corp.com", "corp.com"},
        /* The private section: customers of one provider are strangers. */
        {"ann.github.io", "ann.github.io"},
        {"www.ann.github.io", "ann.github.io"},
        /* A wildcard of the list, and an exception to it. */
        {"a.b.ck", "a.b.ck"},
        {"x.a.b.ck", "a.b.ck"},
        {"a.www.ck", "www.ck"},
        /* Names that the list does not know: the last label is the suffix. */
        {"cust1.example", "cust1.example"},
        {"mail.cust1.example", "cust1.example"},
        /* IDNs, as A-labels. */
        {"mail.xn--bcher-kva.de", "xn--bcher-kva.de"},
        {"a.b.xn--p1ai", "b.xn--p1ai"},
        /* A bare suffix, a literal, what is no name: a party of its own. */
        {"co.uk", "co.uk"},
        {"com", "com"},
        {"github.io", "github.io"},
        {"[192.0.2.1]", "[192.0.2.1]"},
        {"a..com", "a..com"},
        {"b\xc3\xbc"
         "cher.b\xc3\xbc"
         "cher.com",
         "b\xc3\xbc"
         "cher.b\xc3\xbc"
         "cher.com"},
        {"", ""},
    };
    struct suffixes *suffixes = suffixes_open();

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *got = suffixes_organisation(suffixes, cases[i][0]);
        g_test_message("%s", cases[i][0]);
        g_assert_cmpstr(got, ==, cases[i][1]);
        /* It points into what was given. */
        g_assert_true(got >= cases[i][0] && got <= cases[i][0] + strlen(cases[i][0]));
    }
    suffixes_free(suffixes);
}

static void test_version(void)
{
    struct suffixes *one = suffixes_open();
    struct suffixes *two = suffixes_open();

    g_assert_cmpuint(strlen(suffixes_version(one)), >=, 40);
    g_assert_cmpstr(suffixes_version(one), ==, suffixes_version(two));
    suffixes_free(one);
    suffixes_free(two);
    suffixes_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/suffixes/organisation", test_organisation);
    g_test_add_func("/suffixes/version", test_version);
    return g_test_run();
}
