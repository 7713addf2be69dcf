/* test-policy - a policy is loaded whole or not at all; what changes its digest, and what does not */

#include "unit.h"

#define SMALL UNIT_HEAD "rule a { when parties(external) >= 5 reject \"x\" }\ndefault accept\n"

static void test_load(void)
{
    struct policy *policy = policy_of(SMALL);

    g_assert_cmpuint(policy_rule_count(policy), ==, 1);
    g_assert_cmpuint(policy_assertions(policy), ==, 0);
    g_assert_cmpuint(policy_class_count(policy), ==, 2);
    g_assert_cmpstr(policy_class_name(policy, 0), ==, "internal");
    g_assert_cmpstr(policy_class_name(policy, 1), ==, "other");
    g_assert_true(g_str_has_suffix(policy_path(policy), "/policy"));
    g_assert_cmpuint(strlen(policy_digest(policy)), ==, 64);
    g_assert_true(g_str_has_prefix(policy_text(policy), "version 1\n"));
    policy_unref(policy);
}

static void test_references(void)
{
    struct policy *policy = policy_of(SMALL);

    g_assert_true(policy_ref(policy) == policy);
    policy_unref(policy);
    g_assert_cmpuint(policy_rule_count(policy), ==, 1);
    policy_unref(policy);
}

/* What is wrong is told, and there is no policy; all of it in one pass, where it stands. */
static void test_refused(void)
{
    auto_free(diags) diags = diags_new();
    g_autofree char *said = policy_errors("version 1\nclass internal { domain \"a..b\" }\n"
                                          "rule a { when sender =~ /(/ reject \"{x}\" }\ndefault acept\n");

    g_assert_cmpstr(
        said, ==,
        "2:25: expected a domain, such as \"corp.example\" or \".corp.example\", not `a..b`\n"
        "3:27: in this regular expression: missing closing parenthesis\n"
        "3:37: there is no variable `{x}`; a brace is written `{{`\n"
        "4:9: expected `accept`, `tag`, `quarantine`, `reject` or `tempfail`, not `acept`; did you mean `accept`?");
    g_assert_null(policy_load("/nonexistent/policy", diags));
    g_assert_cmpuint(diags_errors(diags), ==, 1);
    /* Errors that were there before are none of this policy. */
    {
        g_autofree char *folder = folder_new();
        g_autofree char *path = folder_write(folder, "policy", SMALL, -1);
        struct policy *policy = policy_load(path, diags);
        g_assert_nonnull(policy);
        policy_unref(policy);
        folder_remove(folder);
    }
}

static char *digest_of(const char *folder, const char *text)
{
    g_autofree char *wrong = NULL;
    struct policy *policy = policy_in(folder, text, &wrong);
    char *digest;

    g_assert_cmpstr(wrong, ==, "");
    digest = g_strdup(policy_digest(policy));
    policy_unref(policy);
    return digest;
}

static void test_digest(void)
{
    static const char base[] = UNIT_HEAD "class x { domains from \"t\" }\n"
                                         "rule a { when sender in from \"s\" reject \"x\" }\ndefault accept\n";
    static const char *const same[] = {
        "# a comment\n" UNIT_HEAD "class x { domains from \"t\" }\n"
        "rule a { when sender in from \"s\" reject \"x\" } # why\ndefault accept\n",
        UNIT_HEAD "class x{domains from \"t\"}rule a{when((sender in from \"s\"))reject \"x\"}default accept",
    };
    static const char *const different[] = {
        UNIT_HEAD "class x { domains from \"t\" }\nrule a { when sender in from \"s\" reject \"y\" }\ndefault accept\n",
        UNIT_HEAD "class x { domains from \"t\" }\nrule b { when sender in from \"s\" reject \"x\" }\ndefault accept\n",
        UNIT_HEAD "class x { domains from \"t\" individuals }\nrule a { when sender in from \"s\" reject \"x\" "
                  "}\ndefault accept\n",
        UNIT_HEAD
        "class x { domains from \"t\" }\nrule a { when sender in from \"s\" reject \"x\" }\ndefault tag \"x\"\n",
        UNIT_HEAD
        "class x { domains from \"t2\" }\nrule a { when sender in from \"s\" reject \"x\" }\ndefault accept\n",
    };
    char *folder = folder_new();
    g_autofree char *digest = NULL;
    g_autofree char *again = NULL;
    g_autofree char *other = NULL;

    folder_put(folder, "t", "x.example\n");
    folder_put(folder, "t2", "x.example\n");
    folder_put(folder, "s", "a@me.example\n");
    digest = digest_of(folder, base);
    for (unsigned i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autofree char *got = digest_of(folder, same[i]);
        g_assert_cmpstr(got, ==, digest);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(different); i++) {
        g_autofree char *got = digest_of(folder, different[i]);
        g_test_message("%u", i);
        g_assert_cmpstr(got, !=, digest);
    }
    /* A table's content, of a class and of a rule. */
    folder_put(folder, "t", "x.example\ny.example\n");
    again = digest_of(folder, base);
    g_assert_cmpstr(again, !=, digest);
    folder_put(folder, "t", "x.example\n");
    folder_put(folder, "s", "b@me.example\n");
    other = digest_of(folder, base);
    g_assert_cmpstr(other, !=, digest);
    g_assert_cmpstr(other, !=, again);
    folder_free(folder);
}

/* The same content split otherwise between two tables is another policy. */
static void test_digest_of_tables(void)
{
    static const char text[] =
        UNIT_HEAD "class x { domains from \"a\" }\nclass y { domains from \"b\" }\ndefault accept\n";
    char *folder = folder_new();
    g_autofree char *one = NULL;
    g_autofree char *two = NULL;

    folder_put(folder, "a", "x.example\ny.example\n");
    folder_put(folder, "b", "");
    one = digest_of(folder, text);
    folder_put(folder, "a", "x.example\n");
    folder_put(folder, "b", "y.example\n");
    two = digest_of(folder, text);
    g_assert_cmpstr(one, !=, two);
    folder_free(folder);
}

/* Canonical text is a fixed point. */
static void test_canonical(void)
{
    struct policy *policy = policy_of(SMALL);
    struct policy *again = policy_of(policy_text(policy));

    g_assert_cmpstr(policy_text(again), ==, policy_text(policy));
    g_assert_cmpstr(policy_digest(again), ==, policy_digest(policy));
    policy_unref(policy);
    policy_unref(again);
}

/* The first bytes of a good policy are either a good policy or told to be none; never a crash, never silence. */
static void test_prefixes(void)
{
    static const char text[] = UNIT_HEAD
        "class free { domain \"free1.test\" match /a\\/b.*/ individuals }\n"
        "outbound when authenticated or client in \"10.0.0.0/8\"\n"
        "expect \"x.example\" is other\nexpect not outbound client \"192.0.2.1\"\n"
        "expect message from \"a@me.example\" to 5 of \"c{n}@x.example\" at 2027-06-30 gives accept by default\n"
        "rule a until 2027-06-30 { monitor when not (local and header(\"X\") =~ /a/) or visible(free, other) >= 5 "
        "reject \"{visible free} \\\"x\\\"\" }\n"
        "default accept\n";
    g_autofree char *folder = folder_new();

    for (size_t length = 0; length < strlen(text) - 1; length++) {
        g_autofree char *cut = g_strndup(text, length);
        g_autofree char *wrong = NULL;
        struct policy *policy = policy_in(folder, cut, &wrong);
        g_assert_null(policy);
        g_assert_cmpstr(wrong, !=, "");
    }
    /* Without one byte. */
    for (size_t at = 0; at < strlen(text); at++) {
        g_autofree char *cut = g_strdup_printf("%.*s%s", (int)at, text, text + at + 1);
        g_autofree char *wrong = NULL;
        struct policy *policy = policy_in(folder, cut, &wrong);
        if (policy != NULL) {
            struct policy *again = policy_of(policy_text(policy));
            g_assert_cmpstr(policy_text(again), ==, policy_text(policy));
            policy_unref(again);
            policy_unref(policy);
        }
    }
    folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/load", test_load);
    g_test_add_func("/policy/references", test_references);
    g_test_add_func("/policy/refused", test_refused);
    g_test_add_func("/policy/digest", test_digest);
    g_test_add_func("/policy/digest-of-tables", test_digest_of_tables);
    g_test_add_func("/policy/canonical", test_canonical);
    g_test_add_func("/policy/prefixes", test_prefixes);
    return g_test_run();
}
