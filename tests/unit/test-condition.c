/* test-condition - what several kinds of tests share: words, sets of mailboxes and logins, lists of classes */

#include "policy/conditions/condition.h"
#include "unit.h"

#define CLASSES                                                                                                        \
    UNIT_HEAD "class partner { domain \"partner.example\" }\n"                                                         \
              "class tenants { domain \".t1.example\", \".t2.example\" separate }\n"

/* 1: the rule with this expression matched, 0: not, -1: fault. */
static int run(const char *expression, const struct message *message)
{
    g_autofree char *text = g_strdup_printf(CLASSES "rule r { when %s reject \"x\" }\ndefault accept\n", expression);
    struct policy *policy = policy_of(text);
    struct verdict *verdict = evaluate_at(policy, message, 0);
    int result = verdict->fault ? -1 : verdict->disposition == DISPOSITION_REJECT;

    verdict_free(verdict);
    policy_unref(policy);
    return result;
}

/* All of what is searched for words, in one test and in several. */
static void test_search_limit(void)
{
    auto_free(message) message = message_of("ann@me.example", "a@x.example");

    g_autofree char *half = g_strnfill(SEARCHED_BYTES_LIMIT / 2, 'a');
    g_autofree char *more = g_strnfill(SEARCHED_BYTES_LIMIT + 1, 'a');

    message_set_user(message, "ann");
    message_add_header(message, "X-Half", half);
    message_add_header(message, "X-More", more);
    g_assert_cmpint(run("header(\"X-Half\") contains \"b\" or header(\"X-Half\") contains \"c\"", message), ==, 0);
    g_assert_cmpint(run("header(\"X-Half\") contains \"b\" or header(\"X-Half\") contains \"c\" or "
                        "user contains \"x\"",
                        message),
                    ==, -1);
    g_assert_cmpint(run("not header(\"X-More\") contains \"b\"", message), ==, -1);
    g_assert_cmpint(run("header(\"X-More\") =~ /b/", message), ==, 0);
}

/* One author of several is enough, as with a regular expression; a domain is found as it is written. */
static void test_search_authors(void)
{
    auto_free(message) message = message_of("ann@xn--mnchen-3ya.example", "a@x.example");

    message_add_header(message, "From", "Clinic <ann@x.example>, hr+de@xn--mnchen-3ya.example");
    g_assert_cmpint(run("from contains \"hr\"", message), ==, 1);
    g_assert_cmpint(run("from contains \"M\xc3\x9cNCHEN\"", message), ==, 1);
    g_assert_cmpint(run("from contains \"xn--mnchen-3ya\"", message), ==, 1);
    g_assert_cmpint(run("from contains \"clinic\"", message), ==, 0);
    g_assert_cmpint(run("sender contains \"m\xc3\xbcnchen.example\"", message), ==, 1);
    g_assert_cmpint(run("user contains \"ann\"", message), ==, 0);
}

/* `in` means an address with an extension as well, as access(5) does; `=` does not. */
static void test_extensions(void)
{
    static const struct {
        const char *expression;
        int want;
    } cases[] = {
        {"sender in \"clinic@me.example\"", 1},
        {"sender in \"hr@me.example\", \"clinic@me.example\"", 1},
        {"sender = \"clinic@me.example\"", 0},
        {"sender = \"clinic+news@me.example\"", 1},
        {"sender in \"clinic+news@me.example\"", 1},
        {"sender in \"clinic+new@me.example\"", 0},
        {"sender in \"clin@me.example\"", 0},
        {"from in \"clinic@me.example\"", 0},
        {"from in \"clinic@me.example\", \"ann@me.example\"", 1},
        {"from = \"ann@me.example\"", 0},
    };
    auto_free(message) message = message_of("Clinic+News@me.example", "a@x.example");

    message_add_header(message, "From", "ann+x@me.example");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int got = run(cases[i].expression, message);
        if (got != cases[i].want)
            UNIT_FAIL("%s: got %d", cases[i].expression, got);
    }
}

/* A login with a realm of one's own is that of the name alone; one of a tenant is not. */
static void test_realms(void)
{
    static const struct {
        const char *login, *expression;
        int want;
    } cases[] = {
        {"news", "user = \"news\"", 1},
        {"news@me.example", "user = \"news\"", 1},
        {"News@Sub.Me.Example", "user in \"care\", \"NEWS\"", 1},
        {"news@me.example", "user = \"news@me.example\"", 1},
        {"news@me.example", "user = \"news@sub.me.example\"", 0},
        {"news", "user = \"news@me.example\"", 0},
        {"news@x.example", "user = \"news\"", 0},
        {"news@partner.example", "user = \"news\"", 0},
        {"news@a.t1.example", "user = \"news\"", 0}, /* of a separate class, even when the sender is of it */
        {"news@a.t1.example", "user in \"news@a.t1.example\"", 1},
        {"newsletter@me.example", "user = \"news\"", 0},
        {"a@b@me.example", "user in \"a\", \"b\", \"a@b\"", 0},
        {"@me.example", "user in \"\", \"me.example\"", 0},
        {"news@", "user = \"news\"", 0},
        {"news@me.example", "listener = \"news\"", 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_of("care@a.t1.example", "a@x.example");
        int got;
        message_set_user(message, cases[i].login);
        message_set_listener(message, cases[i].login);
        got = run(cases[i].expression, message);
        if (got != cases[i].want)
            UNIT_FAIL("%s: %s: got %d", cases[i].login, cases[i].expression, got);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/condition/search-limit", test_search_limit);
    g_test_add_func("/condition/search-authors", test_search_authors);
    g_test_add_func("/condition/extensions", test_extensions);
    g_test_add_func("/condition/realms", test_realms);
    return g_test_run();
}
