/* test-threshold - the numbers of a policy, and which messages hang on them */

#include "unit.h"

#define RULES                                                                                                          \
    "rule clinic { when sender in \"clinic@me.example\" and parties(external) >= 2 quarantine \"x\" }\n"               \
    "rule over until 2020-01-01 { when visible(all) > 3 accept }\n"                                                    \
    "rule wide { when parties(external) >= 10 or visible(external) > 39 quarantine \"x\" }\n"                          \
    "rule few { monitor when not (visible(external) <= 4) and not local reject \"x\" }\n"                              \
    "rule none { when visible(external) = 7 or hidden(all) < 1 tag \"x\" }\n"
#define LAST "default accept\n"

/* Within a `not`, one part of an `and` is enough, and each part of an `or` is needed. */
#define NEGATED                                                                                                        \
    "rule far { when not (local and domains(all) < 3) accept }\n"                                                      \
    "rule near { when not (local or not (parties(all) < 4)) accept }\n"

static void test_found(void)
{
    static const struct {
        const char *test;
        unsigned rule, number;
        enum count count;
        bool alone;
    } want[] = {
        {"parties(external) >= 2", 0, 2, COUNT_PARTIES, false},  {"visible(all) > 3", 1, 4, COUNT_VISIBLE, true},
        {"parties(external) >= 10", 2, 10, COUNT_PARTIES, true}, {"visible(external) > 39", 2, 40, COUNT_VISIBLE, true},
        {"visible(external) <= 4", 3, 5, COUNT_VISIBLE, false},  {"hidden(all) < 1", 4, 1, COUNT_HIDDEN, true},
        {"domains(all) < 3", 5, 3, COUNT_DOMAINS, true},         {"parties(all) < 4", 6, 4, COUNT_PARTIES, false},
    };
    struct policy *policy = policy_of(UNIT_HEAD RULES NEGATED LAST);

    g_assert_cmpuint(policy_threshold_count(policy), ==, G_N_ELEMENTS(want));
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        const struct threshold *found = policy_threshold(policy, i);
        g_assert_cmpstr(found->text, ==, want[i].test);
        g_assert_cmpuint(found->rule, ==, want[i].rule);
        g_assert_cmpuint(found->number, ==, want[i].number);
        g_assert_cmpuint(found->count, ==, want[i].count);
        g_assert_true(found->alone == want[i].alone);
    }
    g_assert_true(policy_threshold(policy, 1)->classes == CLASS_ALL);
    policy_unref(policy);
}

static void test_rules(void)
{
    struct policy *policy = policy_of(UNIT_HEAD RULES LAST);
    struct rule_facts few = policy_rule(policy, 3);

    g_assert_cmpuint(policy_rule_count(policy), ==, 5);
    g_assert_cmpstr(few.name, ==, "few");
    g_assert_cmpuint(few.line, ==, 7);
    g_assert_true(few.monitor);
    g_assert_cmpint(few.disposition, ==, DISPOSITION_REJECT);
    g_assert_false(policy_rule(policy, 2).monitor);
    g_assert_cmpstr(policy_default(policy).name, ==, "default");
    g_assert_cmpuint(policy_default(policy).line, ==, 9);
    g_assert_cmpint(policy_default(policy).disposition, ==, DISPOSITION_ACCEPT);
    policy_unref(policy);
}

static void test_rule_tests(void)
{
    struct policy *policy = policy_of(UNIT_HEAD RULES LAST);

    g_assert_true(policy_rule_tests(policy, 0, "sender"));
    g_assert_true(policy_rule_tests(policy, 0, "parties"));
    g_assert_false(policy_rule_tests(policy, 0, "send"));
    g_assert_false(policy_rule_tests(policy, 0, "local"));
    g_assert_true(policy_rule_tests(policy, 3, "local"));
    policy_unref(policy);
}

/* `=` parts nothing: both sides of it are alike. */
static void test_no_threshold(void)
{
    struct policy *policy = policy_of(UNIT_HEAD "rule a { when local or visible(all) = 3 accept }\ndefault accept\n");

    g_assert_cmpuint(policy_threshold_count(policy), ==, 0);
    policy_unref(policy);
}

static void note(void *data, unsigned threshold, unsigned count)
{
    g_string_append_printf(data, "%u:%u ", threshold, count);
}

/* "0:1 3:12": the thresholds that the message hangs on, each with its count. */
static char *hanging(struct policy *policy, const char *sender, unsigned people, const char *pattern, char **rule)
{
    GString *out = g_string_new(NULL);
    struct watch watch = {note, out};
    g_autofree char *to = people_of(people, pattern);
    auto_free(message) message = message_of(sender, to);
    struct evaluate_options options = {.now = G_GINT64_CONSTANT(1780000000),
                                       .on_fault = DISPOSITION_QUARANTINE,
                                       .outbound = OUTBOUND_YES,
                                       .watch = &watch};
    struct verdict *verdict = policy_evaluate(policy, message, &options);

    *rule = g_strdup(verdict->rule);
    verdict_free(verdict);
    return g_string_free(out, FALSE);
}

static void test_hangs(void)
{
    static const struct {
        const char *sender;
        unsigned people;
        const char *pattern, *rule, *want;
    } cases[] = {
        /* Of another sender the clinic's threshold decides nothing; the rule that is over never does. */
        {"care@me.example", 1, "c{n}@x{n}.example", "none", "2:1 3:1 4:1 5:0 "},
        {"clinic@me.example", 1, "c{n}@x{n}.example", "none", "0:1 2:1 3:1 4:1 5:0 "},
        {"clinic@me.example", 2, "c{n}@x{n}.example", "clinic", "0:2 "},
        {"care@me.example", 9, "c{n}@x{n}.example", "none", "2:9 3:9 4:9 5:0 "},
        /* What both parts of an `or` catch hangs on neither; what is decided reaches no further rule. */
        {"care@me.example", 10, "c{n}@x{n}.example", "wide", "2:10 "},
        {"care@me.example", 39, "c{n}@x{n}.example", "wide", "2:39 "},
        {"care@me.example", 40, "c{n}@x{n}.example", "wide", ""},
        {"care@me.example", 40, "c{n}@x.example", "wide", "3:40 "},
        {"care@me.example", 7, "c{n}@x.example", "none", "2:1 3:7 4:7 "},
    };
    struct policy *policy = policy_of(UNIT_HEAD RULES LAST);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *rule = NULL;
        g_autofree char *found = hanging(policy, cases[i].sender, cases[i].people, cases[i].pattern, &rule);
        if (strcmp(found, cases[i].want) != 0 || strcmp(rule, cases[i].rule) != 0)
            UNIT_FAIL("%s to %u of %s: by %s: %s", cases[i].sender, cases[i].people, cases[i].pattern, rule, found);
    }
    policy_unref(policy);
}

/* Watching takes nothing from the budget of patterns: the verdict stays what it is without it. */
static void test_budget(void)
{
    GString *text = g_string_new(UNIT_HEAD);
    GString *out = g_string_new(NULL);
    struct watch watch = {note, out};
    auto_free(message) message = message_of("care@me.example", "c@x.example");
    struct evaluate_options options = {.on_fault = DISPOSITION_TEMPFAIL, .outbound = OUTBOUND_YES, .watch = &watch};
    struct policy *policy;
    struct verdict *verdict;

    /* To know what hangs on these, each pattern has to be tried to its limit: more than the budget has. */
    for (unsigned i = 0; i < 120; i++)
        g_string_append_printf(
            text, "rule r%u { when visible(external) >= 9 and header(\"X\") =~ /(a|a)+!%u/ reject \"x\" }\n", i, i);
    g_string_append(text, "rule last { when header(\"X\") =~ /a+/ quarantine \"x\" }\ndefault accept\n");
    policy = policy_of(text->str);
    message_add_header(message, "X", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    verdict = policy_evaluate(policy, message, &options);
    g_assert_cmpstr(verdict->rule, ==, "last");
    g_assert_cmpstr(out->str, ==, "");
    verdict_free(verdict);
    g_string_free(out, TRUE);
    g_string_free(text, TRUE);
    policy_unref(policy);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/threshold/found", test_found);
    g_test_add_func("/threshold/rules", test_rules);
    g_test_add_func("/threshold/rule-tests", test_rule_tests);
    g_test_add_func("/threshold/none", test_no_threshold);
    g_test_add_func("/threshold/hangs", test_hangs);
    g_test_add_func("/threshold/budget", test_budget);
    return g_test_run();
}
