/* test-lint - what a lint may cost: an end, however large a policy is, and nothing that is not so */

#include "unit.h"

#include <time.h>

/* Seconds that the lints of one policy may take here. */
#define PATIENCE (UNIT_SANITIZED ? 60.0 : 8.0)

static unsigned lint_in_time(const char *what, const GString *text)
{
    auto_free(diags) diags = diags_new();
    struct policy *policy = policy_of(text->str);
    clock_t begin = clock();
    double seconds;
    unsigned count;

    policy_lint(policy, 1795000000, diags);
    seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    g_test_message("%s: %.2f s, %u warnings", what, seconds, diags_count(diags));
    if (seconds > PATIENCE)
        UNIT_FAIL("%s takes %.1f s", what, seconds);
    count = diags_count(diags);
    policy_unref(policy);
    return count;
}

static void repeat(GString *text, const char *pattern, size_t size)
{
    g_auto(GStrv) pieces = g_strsplit(pattern, "{n}", -1);

    for (unsigned n = 1; text->len < size; n++) {
        g_autofree char *number = g_strdup_printf("%u", n);
        g_autofree char *piece = g_strjoinv(number, pieces);
        g_string_append(text, piece);
    }
}

/* Policies of the greatest size, each of one thing. */
static void test_cost(void)
{
    static const char *const things[] = {
        "rule r{n} { when parties(external) >= {n} reject \"x\" }\n",
        "rule r{n} { when user = \"u{n}\" and parties(external) >= 10 reject \"x\" }\n",
        "rule r{n} { when (user = \"u{n}\" or local) and (sender in \"a{n}@me.example\" or header(\"X{n}\")) accept "
        "}\n",
        "rule r{n} { when sender in \"a{n}@me.example\", \"b{n}@x.example\", \".c{n}.example\" and visible(all) > 3 "
        "accept }\n",
        "rule r{n} { when header(\"X\") =~ /(a+)+{n}/ reject \"x\" }\n",
        "rule r{n} { when header(\"X\") =~ /[a-z][b-z][c-z][d-z][e-z][f-z][g-z][h-z][i-z][j-z]{n}/ reject \"x\" }\n",
        "rule r{n} { when visible(external) >= 1 or visible(external) >= 2 or visible(all) < 3 reject \"x\" }\n",
    };
    static const char *const classes[] = {"domain \"d{n}.example\", \".e{n}.example\" ",
                                          "match /(.+\\.)?d{n}\\.example/ ", "match /.*d{n}.example/ ",
                                          "match /(x+x+)+y{n}/ "};
    static const char *const joined[] = {" or visible(external) >= {n}", " and not user = \"u{n}\"",
                                         " or (local and header(\"X{n}\"))"};

    for (unsigned i = 0; i < G_N_ELEMENTS(things); i++) {
        GString *text = g_string_new(UNIT_HEAD "outbound when authenticated or local or client in \"10.0.0.0/8\"\n");
        repeat(text, things[i], POLICY_SIZE_LIMIT - 200);
        lint_in_time(things[i], g_string_append(text, "default accept\n"));
        g_string_free(text, TRUE);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(classes); i++) {
        GString *text = g_string_new(UNIT_HEAD "class big { ");
        repeat(text, classes[i], POLICY_SIZE_LIMIT - 200);
        lint_in_time(
            classes[i],
            g_string_append(text, "}\nrule r { when parties(external) >= 10 reject \"x\" }\ndefault accept\n"));
        g_string_free(text, TRUE);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(joined); i++) {
        GString *text = g_string_new(UNIT_HEAD "rule r { when syntax");
        repeat(text, joined[i], POLICY_SIZE_LIMIT - 200);
        lint_in_time(joined[i], g_string_append(text, " reject \"x\" }\ndefault accept\n"));
        g_string_free(text, TRUE);
    }
}

/* The same policy is warned of in the same way each time, in the order of the lines. */
static void test_order(void)
{
    static const char text[] =
        UNIT_HEAD "class empty { }\nrule old until 2020-01-01 { when local accept }\n"
                  "rule a { when visible(all) >= 0 reject \"x\" }\nrule b { when local reject \"x\" }\n"
                  "class bad { match /a.b/ }\ndefault accept\n";
    struct policy *policy = policy_of(text);

    for (unsigned i = 0; i < 2; i++) {
        auto_free(diags) diags = diags_new();
        GString *said = g_string_new(NULL);
        policy_lint(policy, 1795000000, diags);
        for (unsigned j = 0; j < diags_count(diags); j++)
            g_string_append_printf(said, "%u:%s ", diags_get(diags, j)->line, diags_get(diags, j)->lint);
        g_assert_cmpstr(said->str, ==,
                        "1:no-expectation 4:class-empty 5:until-past 6:always-true 7:rule-unreachable 8:class-unused "
                        "8:unescaped-dot ");
        g_assert_cmpuint(diags_errors(diags), ==, 0);
        g_string_free(said, TRUE);
    }
    policy_unref(policy);
}

/* Any time will do. */
static void test_times(void)
{
    static const gint64 times[] = {G_MININT64, -1, 0, 1, 1795000000, 253402300799, G_MAXINT64};
    struct policy *policy =
        policy_of(UNIT_HEAD "rule a until 1970-01-01 { when local reject \"x\" }\n"
                            "rule b until 9999-12-31 { when local reject \"x\" }\ndefault accept\n");

    for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
        auto_free(diags) diags = diags_new();
        policy_lint(policy, times[i], diags);
        g_assert_cmpuint(diags_count(diags), <=, 4);
    }
    policy_unref(policy);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lint/order", test_order);
    g_test_add_func("/lint/times", test_times);
    g_test_add_func("/lint/cost", test_cost);
    return g_test_run();
}
