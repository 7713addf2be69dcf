/* test-public-suffix - what an organisation registered, by the Public Suffix List */

#include "policy/exposure/public_suffix.h"

#include "unit.h"

#include <libpsl.h>

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
        /* However many labels stand before it. */
        {"a.b.c.d.e.f.g.h.i.acme.co.uk", "acme.co.uk"},
        {"a.b.c.d.e.f.g.h.acme.s3.dualstack.us-east-1.amazonaws.com", "acme.s3.dualstack.us-east-1.amazonaws.com"},
        {"a.b.c.d.e.f.g.h.i.j.cust1.example", "cust1.example"},
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

/* A line of the list: "co.uk", "*.ck", "!www.ck", in U-labels. */
static void check_rule(const struct suffixes *suffixes, const psl_ctx_t *list, const char *rule)
{
    g_autofree char *suffix = g_str_has_prefix(rule, "*.") ? g_strconcat("wild", rule + 1, NULL)
                              : rule[0] == '!'             ? g_strdup(rule + 1)
                                                           : g_strdup(rule);
    g_autofree char *name = g_strconcat("a.b.c.d.e.f.g.h.acme.", suffix, NULL);
    char *ascii = NULL;
    const char *want, *got;

    g_assert_cmpint(psl_str_to_utf8lower(name, "utf-8", NULL, &ascii), ==, PSL_SUCCESS);
    want = psl_registrable_domain(list, ascii);
    got = suffixes_organisation(suffixes, ascii);
    if (g_strcmp0(got, want != NULL && g_str_is_ascii(ascii) ? want : ascii) != 0)
        UNIT_FAIL("%s: %s", ascii, got);
    psl_free_string(ascii);
}

/* No rule of the list has more labels than are looked at. */
static void test_whole_list(void)
{
    struct suffixes *suffixes = suffixes_open();
    g_autofree char *folder = g_path_get_dirname(psl_dist_filename());
    g_autofree char *path = g_build_filename(folder, "public_suffix_list.dat", NULL);
    g_autofree char *text = NULL;
    psl_ctx_t *list;
    unsigned rules = 0;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    list = psl_load_file(path);
    g_assert_nonnull(list);
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] == '\0' || g_str_has_prefix(line, "//"))
            continue;
        check_rule(suffixes, list, line);
        rules++;
    }
    g_assert_cmpuint(rules, >, 5000);
    psl_free(list);
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
    g_test_add_func("/suffixes/whole-list", test_whole_list);
    g_test_add_func("/suffixes/version", test_version);
    return g_test_run();
}
