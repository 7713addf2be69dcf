/* test-identities - whose mail is whose, and what is wrong in such a file */

#include "milter/review/identities.h"
#include "unit.h"

#include <sys/stat.h>

static struct identities *parse(const char *text, char **wrong)
{
    auto_free(diags) diags = diags_new();
    struct identities *identities = identities_parse("identities", text, strlen(text), diags);
    *wrong = diags_lines(diags);
    g_assert_true((identities == NULL) == (diags_errors(diags) > 0));
    return identities;
}

static void test_own(void)
{
    g_autofree char *wrong = NULL;
    auto_free(identities) identities = parse("# reviewers\n"
                                             "ann: ann@corp.example  a.lee@B\303\274cher.example\tuser:Ann.Lee\n"
                                             "\n"
                                             "  bob: bob@corp.example # at work\n",
                                             &wrong);
    g_assert_cmpstr(wrong, ==, "");
    g_assert_true(identities_known(identities, "ann"));
    g_assert_true(identities_known(identities, "bob"));
    g_assert_false(identities_known(identities, "eve"));
    g_assert_false(identities_known(NULL, "ann"));

    static const struct {
        const char *login, *address;
        bool own;
    } addresses[] = {
        {"ann", "ann@corp.example", true},
        {"ann", "ANN@Corp.Example.", true},
        {"ann", "A.Lee@xn--bcher-kva.example", true},
        {"ann", "bob@corp.example", false},
        {"bob", "bob@corp.example", true},
        {"ann", "ann+x@corp.example", false},
        {"ann", "", false},
        {"ann", NULL, false},
        {"eve", "ann@corp.example", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        if (identities_own_address(identities, addresses[i].login, addresses[i].address) != addresses[i].own)
            UNIT_FAIL("%s and %s", addresses[i].login, addresses[i].address);
    }
    static const struct {
        const char *login, *user;
        bool own;
    } users[] = {
        {"ann", "ann.lee", true}, {"ann", "ANN.LEE", true}, {"ann", "ann", true}, /* the login itself */
        {"ann", "bob", false},    {"eve", "Eve", true},     {"ann", "", false},   {"ann", NULL, false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(users); i++) {
        if (identities_own_user(identities, users[i].login, users[i].user) != users[i].own)
            UNIT_FAIL("%s and the user %s", users[i].login, users[i].user);
    }
    g_assert_true(identities_own_user(NULL, "ann", "ann"));
}

static void test_wrong(void)
{
    static const struct {
        const char *text, *wrong;
    } cases[] = {
        {"ann\n", "1:1: expected `LOGIN: ADDRESS...`, such as `ann: ann@corp.example`"},
        {": ann@corp.example\n", "1:1: expected `LOGIN: ADDRESS...`, such as `ann: ann@corp.example`"},
        {"ann lee: ann@corp.example", "1:1: expected `LOGIN: ADDRESS...`, such as `ann: ann@corp.example`"},
        {"ann: # none yet\n", "1:1: expected addresses or `user:NAME` after the colon"},
        {"ann:\n", "1:1: expected addresses or `user:NAME` after the colon"},
        {"ann: ann\n", "1:6: expected an address or `user:NAME`, not `ann`"},
        {"ann: user:\n", "1:6: expected an address or `user:NAME`, not `user:`"},
        {"ann: a@x.example @x.example\n", "1:18: expected an address or `user:NAME`, not `@x.example`"},
        {"ann: a@x.example\nbob: b@x.example\nann: c@x.example\n", "3:1: the login `ann` is in line 1 already"},
        {"one\ntwo\n", "1:1: expected `LOGIN: ADDRESS...`, such as `ann: ann@corp.example`\n"
                       "2:1: expected `LOGIN: ADDRESS...`, such as `ann: ann@corp.example`"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *wrong = NULL;
        auto_free(identities) identities = parse(cases[i].text, &wrong);
        g_assert_null(identities);
        g_assert_cmpstr(wrong, ==, cases[i].wrong);
    }
}

/* Whose login of SASL it is, and whose address: one person's, or nobody's. */
static void test_login_of(void)
{
    static const struct {
        const char *what, *login, *login_of_address;
    } cases[] = {
        {"ann.lee", "ann", NULL},
        {"ANN.Lee", "ann", NULL},
        {"ann", NULL, NULL}, /* without a line that says so, a login of this system is none of SASL */
        {"bob", "bob", NULL},
        {"desk", NULL, NULL}, /* of two */
        {"ann.le", NULL, NULL},
        {"ann.lee ", NULL, NULL},
        {"", NULL, NULL},
        {"\377", NULL, NULL},
        {"J\303\226rg", "bob", NULL},
        {"j\303\266rg", "bob", NULL},
        {"ann@corp.example", NULL, "ann"},
        {"<ann@corp.example>", NULL, NULL},
        {"Ann@CORP.example.", NULL, "ann"},
        {"a.lee@xn--bcher-kva.example", NULL, "ann"},
        {"bob@corp.example", NULL, "bob"},
        {"desk@corp.example", NULL, NULL}, /* of two */
        {"ann@other.example", NULL, NULL},
        {"ann+x@corp.example", NULL, NULL},
        {"corp.example", NULL, NULL},
    };
    g_autofree char *wrong = NULL;
    auto_free(identities) identities =
        parse("ann: ann@corp.example a.lee@B\303\274cher.example user:Ann.Lee user:desk desk@corp.example\n"
              "bob: bob@corp.example user:bob user:j\303\226rg user:DESK Desk@corp.example\n",
              &wrong);
    g_assert_cmpstr(wrong, ==, "");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *login = identities_login_of(identities, cases[i].what);
        const char *owner = identities_login_of_address(identities, cases[i].what);
        if (g_strcmp0(login, cases[i].login) != 0 || g_strcmp0(owner, cases[i].login_of_address) != 0)
            UNIT_FAIL("%s: login of %s, address of %s", cases[i].what, login == NULL ? "nobody" : login,
                      owner == NULL ? "nobody" : owner);
    }
}

/* Who may write the file decides who may approve what. */
static void test_safe(void)
{
    char *folder = folder_new();
    g_autofree char *path = folder_write(folder, "identities", "ann: ann@corp.example\n", -1);
    static const struct {
        mode_t mode;
        bool good;
    } cases[] = {{0644, true}, {0600, true}, {0664, false}, {0646, false}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(diags) diags = diags_new();
        g_assert_cmpint(chmod(path, cases[i].mode), ==, 0);
        auto_free(identities) identities = identities_load(path, diags);
        if ((identities != NULL) != cases[i].good)
            UNIT_FAIL("mode %o", (unsigned)cases[i].mode);
    }
    auto_free(diags) diags = diags_new();
    g_autofree char *missing = g_build_filename(folder, "nothing", NULL);
    g_assert_null(identities_load(missing, diags));
    g_assert_cmpuint(diags_errors(diags), ==, 1);
    folder_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/identities/own", test_own);
    g_test_add_func("/identities/login-of", test_login_of);
    g_test_add_func("/identities/wrong", test_wrong);
    g_test_add_func("/identities/safe", test_safe);
    return g_test_run();
}
