/* test-expect - the assertions of a policy: which hold, which fail, and why */

#include "unit.h"

#define RULES                                                                                                          \
    UNIT_HEAD "class partner { domain \"partner.example\" }\n"                                                         \
              "class tenants { domain \"t1.example\" separate }\n"                                                     \
              "class odd { match /(a+)+[bc]/ }\n"                                                                      \
              "class listed { domains from \"listed.domains\" }\n"                                                     \
              "rule late until 2027-06-30 { when user = \"news\" accept }\n"                                           \
              "rule mass { when parties(external) >= 5 reject \"{visible} people, {parties} parties\" }\n"             \
              "rule bccs { when hidden(external) >= 3 quarantine \"x\" }\n"                                            \
              "rule marked { when sender = \"mark@me.example\" tag \"x\" }\n"                                          \
              "rule later { when sender = \"later@me.example\" tempfail \"x\" }\n"                                     \
              "rule nested { when header(\"To\") =~ /.*b@.*/ and (local or not syntax) tag \"x\" }\n"

/* What is said of one `expect`; "" if it holds. */
static char *assertion(const char *expect)
{
    g_autofree char *text = g_strdup_printf(RULES "expect %s\ndefault accept\n", expect);
    auto_free(diags) diags = diags_new();
    char *folder = folder_new();
    g_autofree char *path = folder_write(folder, "policy", text, -1);
    struct policy *policy;
    GString *said = g_string_new(NULL);
    unsigned failed;

    folder_put(folder, "listed.domains", "listed.example\n");
    folder_put(folder, "many.eml",
               "From: care@me.example\nTo: a@a.example, b@b.example, c@c.example,\n d@d.example, e@e.example\n\nx\n");
    folder_put(folder, "two.mbox",
               "From care@me.example Mon Nov 23 18:34:00 2026\nFrom: care@me.example\nTo: a@a.example\n\nx\n\n"
               "From care@me.example Mon Nov 23 18:34:00 2026\nFrom: care@me.example\nTo: nobody\n\nx\n");
    folder_put(folder, "bcc.eml",
               "From: care@me.example\nTo: care@me.example\nBcc: a@a.example, b@b.example, c@c.example\n\nx\n");
    policy = policy_load(path, diags);
    g_assert_nonnull(policy);
    g_assert_cmpuint(policy_assertions(policy), ==, 1);
    failed = policy_assert(policy, diags);
    g_assert_cmpuint(failed, ==, diags_errors(diags) > 0);
    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        if (diag->line > 0)
            g_assert_cmpuint(diag->line, ==, 14);
        g_string_append_printf(said, "%s%s", said->len > 0 ? "\n" : "", diag->message);
        for (unsigned j = 0; diag->notes != NULL && j < diag->notes->len; j++)
            g_string_append_printf(said, "\n%s", (const char *)g_ptr_array_index(diag->notes, j));
    }
    policy_unref(policy);
    folder_free(folder);
    return g_string_free(said, FALSE);
}

static void test_holds(void)
{
    static const char *const holding[] = {
        "\"me.example\" is internal",
        "\"ME.example.\" is internal",
        "\"x.example\" is other",
        "\"x.example\" is external",
        "\"partner.example\" is partner",
        "\"partner.example\" is external",
        "\"t1.example\" is tenants",
        "\"t1.example\" is other",
        "\"t1.example\" is external",
        "\"x.example\" is all",
        "outbound user \"x\"",
        "outbound local sender \"care@me.example\"",
        "not outbound client \"192.0.2.1\"",
        "not outbound client \"192.0.2.1\" sender \"care@me.example\"",
        "outbound client \"127.0.0.1\" sender \"care@me.example\"",
        "not outbound local",
        "not outbound listener \"smtp\"",
        "message from \"care@me.example\" to 5 of \"c{n}@cust{n}.example\" gives reject by mass",
        "message from \"care@me.example\" to 4 of \"c{n}@cust{n}.example\" gives accept by default",
        "message from \"care@me.example\" to 50 of \"c{n}@cust.example\" gives accept",
        "message from \"care@me.example\" to 2 of \"c{n}@cust{n}.example\", 3 of \"d{n}@dust{n}.example\" gives reject",
        "message from \"care@me.example\" to \"care@me.example\" bcc 450 of \"c{n}@cust{n}.example\" gives quarantine "
        "by bccs",
        "message from \"care@me.example\" user \"news\" to 5 of \"c{n}@cust{n}.example\" gives accept by late",
        "message from \"care@me.example\" user \"news\" to 5 of \"c{n}@cust{n}.example\" at 2027-06-30 gives accept by "
        "late",
        "message from \"care@me.example\" user \"news\" to 5 of \"c{n}@cust{n}.example\" at 2027-07-01 gives reject by "
        "mass",
        "message from \"mark@me.example\" to \"a@x.example\" gives tag by marked",
        "message from \"later@me.example\" to \"a@x.example\" gives tempfail",
        "message from \"\" to 5 of \"c{n}@cust{n}.example\" gives reject",
        "file \"many.eml\" gives reject by mass",
        "file \"two.mbox\" gives accept",
        "file \"bcc.eml\" gives quarantine by bccs",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(holding); i++) {
        g_autofree char *said = assertion(holding[i]);
        if (said[0] != '\0')
            UNIT_FAIL("%s: %s", holding[i], said);
    }
}

static void test_fails(void)
{
    static const char *const failing[][2] = {
        {"\"me.example\" is external", "this expectation fails: \"me.example\" is internal, not external\n"
                                       "class internal has it by `domain \"me.example\"` in line 3"},
        {"\"a.b.me.example\" is external",
         "is internal, not external\nclass internal has it by `domain \".me.example\"` in line 3"},
        {"\"x.example\" is partner", "this expectation fails: \"x.example\" is other, not partner\nno class names it"},
        {"\"t1.example\" is internal", "this expectation fails: \"t1.example\" is tenants, not internal\n"
                                       "class tenants has it by `domain \"t1.example\"` in line 5"},
        {"\"ab\" is other", "\"ab\" is odd, not other\nclass odd has it by `match /(a+)+[bc]/` in line 6"},
        {"\"listed.example\" is other",
         "\"listed.example\" is listed, not other\nclass listed has it by one of its tables"},
        {"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is other",
         "this expectation fails: a regular expression went beyond its limit"},
        {"outbound client \"192.0.2.1\"",
         "this expectation fails: such mail is not outbound\n"
         "the policy has no `outbound`: mail is then outbound if its sender logged in"},
        {"not outbound user \"x\"", "this expectation fails: such mail is outbound\nthe policy has no `outbound`"},
        {"message from \"care@me.example\" to 4 of \"c{n}@cust{n}.example\" gives reject",
         "this expectation fails: it gives accept by default, not reject\n"
         "outside: visible 4, parties 4, domains 4, recipients 4, hidden 0\n"
         "rule mass, line 9, does not match\n"
         "  no    parties(external) >= 5, which is 4"},
        {"message from \"care@me.example\" to 4 of \"c{n}@cust{n}.example\" gives reject by mass",
         "this expectation fails: it gives accept by default, not reject by mass\n"
         "outside: visible 4, parties 4, domains 4, recipients 4, hidden 0\n"
         "rule mass, line 9, does not match\n"
         "  no    parties(external) >= 5, which is 4"},
        {"message from \"care@me.example\" to 5 of \"c{n}@cust{n}.example\" gives accept",
         "this expectation fails: it gives reject by mass, not accept\n"
         "text: 5 people, 5 parties\n"
         "outside: visible 5, parties 5, domains 5, recipients 5, hidden 0\n"
         "rule late, line 8, does not match\n"
         "  no    user = \"news\", which is none\n"
         "rule mass, line 9, matches\n"
         "  yes   parties(external) >= 5, which is 5"},
        {"message from \"care@me.example\" to 5 of \"c{n}@cust{n}.example\" gives reject by bccs",
         "this expectation fails: it gives reject by mass, not reject by bccs\n"
         "text: 5 people, 5 parties\n"
         "outside: visible 5, parties 5, domains 5, recipients 5, hidden 0\n"
         "rule mass, line 9, matches\n"
         "  yes   parties(external) >= 5, which is 5\n"
         "rule bccs, line 10, is not asked: mass decides before it"},
        {"message from \"care@me.example\" user \"news\" to 5 of \"c{n}@cust{n}.example\" at 2027-07-01 gives accept "
         "by late",
         "rule late, line 8, is over: its last day has passed\nrule mass"},
        {"message from \"care@me.example\" to \"a@x.example\" gives tag by nested",
         "not tag by nested\n"
         "outside: visible 1, parties 1, domains 1, recipients 1, hidden 0\n"
         "rule nested, line 13, does not match\n"
         "  when  header(\"To\") =~ /.*b@.*/ and (local or not syntax)\n"
         "  no    header(\"To\") =~ /.*b@.*/\n"
         "  -     local, not needed\n"
         "  -     syntax, not needed"},
        {"message from \"care@me.example\" to \"a@x.example\" gives accept by default", ""},
        {"file \"missing.eml\" gives accept", "this expectation fails: the message \"missing.eml\" could not be read"},
        {"file \"mony.eml\" gives accept",
         "this expectation fails: the message \"mony.eml\" is not there; did you mean \"many.eml\"?"},
        {"file \"many.eml\" gives accept", "this expectation fails: it gives reject by mass, not accept"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(failing); i++) {
        g_autofree char *said = assertion(failing[i][0]);
        if (strstr(said, failing[i][1]) == NULL)
            UNIT_FAIL("%s:\n%s, want\n%s", failing[i][0], said, failing[i][1]);
    }
}

/* Each that fails is told, at its place; the policy is none the worse. */
static void test_several(void)
{
    auto_free(diags) diags = diags_new();
    struct policy *policy = policy_of(UNIT_HEAD "expect \"me.example\" is other\nexpect \"me.example\" is internal\n"
                                                "expect \"x.example\" is internal\ndefault accept\n");

    g_assert_cmpuint(policy_assertions(policy), ==, 3);
    g_assert_cmpuint(policy_assert(policy, diags), ==, 2);
    g_assert_cmpuint(diags_get(diags, 0)->line, ==, 4);
    g_assert_cmpuint(diags_get(diags, 1)->line, ==, 6);
    policy_unref(policy);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/expect/holds", test_holds);
    g_test_add_func("/expect/fails", test_fails);
    g_test_add_func("/expect/several", test_several);
    return g_test_run();
}
