/* test-evaluate - each kind of test, each comparison, faults, monitor, until, outbound */

#include "policy/exposure/exposure.h"
#include "policy/message/encoded_words.h"
#include "policy/message/recipients.h"
#include "unit.h"

static const char bad_subject[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
#define BAD "/(a+)+[bc]!?(@.*)?/"

#define CLASSES                                                                                                        \
    UNIT_HEAD "class partner { domain \"partner.example\" }\n"                                                         \
              "class tenants { domain \".t1.example\", \".t2.example\" separate }\n"

/* The message that most expressions here are tried on. */
static struct message *subject(void)
{
    struct message *message = message_new();

    message_set_sender(message, "Care@Me.example");
    message_set_user(message, "Newsletter");
    message_set_client(message, "10.1.2.3");
    message_set_listener(message, "ORIGINATING");
    message_add_header(message, "From", "Care <care@me.example>");
    message_add_header(message, "To", "a@x.example, b@x.example, c@partner.example, d@me.example");
    message_add_header(message, "Bcc", "h@y.example");
    message_add_header(message, "List-Id", "\r\n =?utf-8?q?N=C3=BCws?= <news.me.example>");
    message_add_header(message, "X-Two", "one");
    message_add_header(message, "X-Two", "two");
    message_add_recipient(message, "a@x.example");
    message_add_recipient(message, "h@y.example");
    return message;
}

/* 1: the rule with this expression matched, 0: not, -1: fault. */
static int run(const char *expression, const struct message *message)
{
    g_autofree char *text = g_strdup_printf(CLASSES "rule r { when %s reject \"x\" }\ndefault accept\n", expression);
    struct policy *policy = policy_of(text);
    struct verdict *verdict = evaluate_at(policy, message, 0);
    int result = verdict->fault ? -1 : verdict->disposition == DISPOSITION_REJECT;

    g_assert_cmpstr(verdict->rule, ==, result == -1 ? "fault:r" : result == 1 ? "r" : "default");
    g_assert_true((verdict->text == NULL) == (result == 0));
    g_assert_cmpuint(verdict->line, ==, result == 0 ? 7 : 6);
    verdict_free(verdict);
    policy_unref(policy);
    return result;
}

static void test_tests(void)
{
    static const struct {
        const char *expression;
        int want;
    } cases[] = {
        {"authenticated", 1},
        {"local", 0},
        {"syntax", 0},
        {"malformed", 0},
        {"truncated", 0},
        /* Each comparison on both of its sides. */
        {"visible(external) >= 3", 1},
        {"visible(external) >= 4", 0},
        {"visible(external) > 2", 1},
        {"visible(external) > 3", 0},
        {"visible(external) <= 3", 1},
        {"visible(external) <= 2", 0},
        {"visible(external) < 4", 1},
        {"visible(external) < 3", 0},
        {"visible(external) = 3", 1},
        {"visible(external) = 2", 0},
        {"hidden(internal) = 0", 1},
        /* Each count, and sets of classes. */
        {"visible(internal) = 1", 1},
        {"visible(all) = 4", 1},
        {"visible(partner) = 1", 1},
        {"visible(other) = 2", 1},
        {"visible(partner, internal) = 2", 1},
        {"visible(external, partner) = 3", 1},
        {"parties(external) = 2", 1},
        {"parties(external, not partner) = 1", 1},
        {"visible(all, not partner, not internal) = 2", 1},
        {"visible(external, not partner, partner) = 2", 1},
        {"recipients(all, not external) = 0", 1},
        {"hidden(external, not other) = 0", 1},
        {"domains(all) = 3", 1},
        {"recipients(external) = 2", 1},
        {"hidden(all) = 1", 1},
        /* The sender is the envelope's, normalised. */
        {"sender = \"CARE@me.example\"", 1},
        {"sender = \"ann@me.example\"", 0},
        {"sender in \"me.example\"", 1},
        {"sender in \".example\"", 1},
        {"sender in \"x.example\", \"care@me.example\"", 1},
        {"sender in \"\"", 0},
        {"sender in internal", 1},
        {"sender in external", 0},
        {"sender in all", 1},
        {"sender =~ /care@me\\.example/", 1},
        {"sender =~ /care/", 0},
        {"sender =~ /CARE@.*/", 1},
        {"from = \"care@me.example\"", 1},
        {"from in internal", 1},
        {"from =~ /.*@x\\.example/", 0},
        {"user = \"newsletter\"", 1},
        {"user in \"a\", \"NEWSLETTER\"", 1},
        {"user =~ /news.*/", 1},
        {"user =~ /news/", 0},
        {"user in internal", 0},
        {"client in \"10.0.0.0/8\"", 1},
        {"client in \"11.0.0.0/8\", \"::/0\"", 0},
        {"client = \"10.1.2.3\"", 1},
        {"client = \"10.1.2.4\"", 0},
        {"client =~ /10\\..*/", 1},
        {"listener = \"originating\"", 1},
        {"listener in \"smtp\"", 0},
        {"listener =~ /orig.*/", 1},
        /* Headers: unfolded, decoded, each occurrence. */
        {"header(\"list-id\")", 1},
        {"header(\"List\")", 0},
        {"header(\"List-Id\") = \"N\xc3\xbcWS <news.me.example>\"", 1},
        {"header(\"List-Id\") =~ /n\xc3\xbcws .*/", 1},
        {"header(\"List-Id\") =~ /news/", 0},
        {"header(\"X-Two\") = \"two\"", 1},
        {"header(\"X-Two\") = \"three\"", 0},
        {"header(\"X-Two\") =~ /t.o/", 1},
        /* Words and phrases, decoded, of each occurrence; of an address, a login. */
        {"header(\"List-Id\") contains \"N\xc3\x9cWS\"", 1},
        {"header(\"List-Id\") contains \"ew\", \"example\"", 1},
        {"header(\"List-Id\") contains \"ew\", \"me exam\"", 0},
        {"header(\"X-Two\") contains \"two\"", 1},
        {"header(\"X-Two\") contains \"one two\"", 0},
        {"header(\"X-Three\") contains \"two\"", 0},
        {"sender contains \"care\"", 1},
        {"sender contains \"car\"", 0},
        {"from contains \"@me.example\"", 1},
        {"from contains \"x.example\"", 0},
        {"user contains \"NEWSLETTER\"", 1},
        {"user contains \"news\"", 0},
        /* Junctions. */
        {"not local", 1},
        {"not authenticated", 0},
        {"authenticated and not local", 1},
        {"local or syntax or authenticated", 1},
        {"local or syntax", 0},
        {"authenticated and local", 0},
        {"not (authenticated and local)", 1},
        {"(local or authenticated) and (syntax or not malformed)", 1},
        /* A fault is no "no": not by `not`, not behind what does not decide; what decides first does. */
        {"user =~ " BAD, 0},
        {"authenticated or sender =~ /x/", 1},
    };
    auto_free(message) message = subject();

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int got = run(cases[i].expression, message);
        if (got != cases[i].want)
            UNIT_FAIL("%s: got %d", cases[i].expression, got);
    }
}

static void test_faults(void)
{
    static const struct {
        const char *expression;
        int want;
    } cases[] = {
        {"user =~ " BAD, -1},
        {"not user =~ " BAD, -1},
        {"not (user =~ " BAD ")", -1},
        {"local or user =~ " BAD, -1},
        {"authenticated or user =~ " BAD, 1},
        {"local and user =~ " BAD, 0},
        {"authenticated and user =~ " BAD, -1},
        {"user =~ " BAD " or authenticated", -1},
        {"sender =~ " BAD, -1},
        {"from =~ " BAD, -1},
        {"listener =~ " BAD, -1},
        {"header(\"X\") =~ " BAD, -1},
        {"client =~ " BAD, 0},
    };
    auto_free(message) message = message_new();
    g_autofree char *sender = g_strconcat(bad_subject, "!!", "@me.example", NULL);

    message_set_sender(message, sender);
    message_add_header(message, "From", sender);
    message_add_header(message, "X", bad_subject);
    message_set_user(message, bad_subject);
    message_set_listener(message, bad_subject);
    message_set_client(message, "192.0.2.1");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int got = run(cases[i].expression, message);
        if (got != cases[i].want)
            UNIT_FAIL("%s: got %d", cases[i].expression, got);
    }
}

/* A fault becomes what the caller says; in a monitor rule it is told and the next rule decides. */
static void test_fault_outcome(void)
{
    static const enum disposition outcomes[] = {DISPOSITION_QUARANTINE, DISPOSITION_TEMPFAIL, DISPOSITION_REJECT};
    struct policy *policy = policy_of(UNIT_HEAD "rule m { monitor when user =~ " BAD " reject \"x\" }\n"
                                                "rule r { when user =~ " BAD " accept }\ndefault accept\n");
    auto_free(message) message = message_of("care@me.example", "a@x.example");

    message_set_user(message, bad_subject);
    for (unsigned i = 0; i < G_N_ELEMENTS(outcomes); i++) {
        struct evaluate_options options = {.on_fault = outcomes[i], .outbound = OUTBOUND_YES};
        struct verdict *verdict = policy_evaluate(policy, message, &options);
        g_assert_true(verdict->fault);
        g_assert_cmpint(verdict->disposition, ==, outcomes[i]);
        g_assert_cmpstr(verdict->rule, ==, "fault:r");
        g_assert_cmpuint(verdict->would->len, ==, 1);
        g_assert_cmpstr(g_ptr_array_index(verdict->would, 0), ==, "fault:m");
        g_assert_cmpstr(verdict->text, !=, NULL);
        verdict_free(verdict);
    }
    policy_unref(policy);
}

/* What a quarantine asks for before a release; a fault of its rule keeps asking, and nothing else asks. */
static void test_approvals(void)
{
    struct policy *policy = policy_of(UNIT_HEAD "rule two { when user = \"two\" quarantine \"x\" approvals 2 }\n"
                                                "rule one { when user = \"one\" quarantine \"x\" }\n"
                                                "rule bad { when user =~ " BAD " quarantine \"x\" approvals 2 }\n"
                                                "rule no { when user = \"no\" reject \"x\" }\n"
                                                "default quarantine \"x\" approvals 2\n");
    static const struct {
        const char *user; /* NULL: the one that the pattern does not come to an end with */
        const char *rule;
        enum disposition on_fault;
        unsigned want;
    } cases[] = {
        {"two", "two", DISPOSITION_QUARANTINE, 2},      {"one", "one", DISPOSITION_QUARANTINE, 1},
        {"no", "no", DISPOSITION_QUARANTINE, 0},        {"other", "default", DISPOSITION_QUARANTINE, 2},
        {NULL, "fault:bad", DISPOSITION_QUARANTINE, 2}, {NULL, "fault:bad", DISPOSITION_TEMPFAIL, 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct evaluate_options options = {.on_fault = cases[i].on_fault, .outbound = OUTBOUND_YES};
        auto_free(message) message = message_of("care@me.example", "a@x.example");
        message_set_user(message, cases[i].user == NULL ? bad_subject : cases[i].user);
        struct verdict *verdict = policy_evaluate(policy, message, &options);
        g_assert_cmpstr(verdict->rule, ==, cases[i].rule);
        g_assert_cmpuint(verdict->approvals, ==, cases[i].want);
        verdict_free(verdict);
    }
    policy_unref(policy);
}

/* Who may be told of a message: not the null sender, not a stranger, and a tenant in his own mail only. */
static void test_internal(void)
{
    struct policy *policy = policy_of(UNIT_HEAD "class tenants { domain \"one.example\", \"two.example\" separate }\n"
                                                "default accept\n");
    auto_free(message) message = message_of("ann@one.example", "a@x.example");
    static const struct {
        const char *address;
        bool want;
    } cases[] = {
        {"care@me.example", true}, {"CARE@Mail.ME.example.", true}, {"a@x.example", false},      {"", false},
        {"ann@one.example", true}, {"bob@two.example", false},      {"a@evilme.example", false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        if (policy_is_internal(policy, message, cases[i].address) != cases[i].want)
            UNIT_FAIL("`%s`", cases[i].address);
    policy_unref(policy);
}

/* A class that could not be told makes every count a fault, and nothing else. */
static void test_class_fault(void)
{
    struct policy *policy =
        policy_of(UNIT_HEAD "class odd { match /(a+)+[bc]/ }\n"
                            "rule exempt { when user = \"dev\" accept }\n"
                            "rule r { when visible(internal) >= 100 reject \"x\" }\ndefault accept\n");
    auto_free(message) message = message_new();
    g_autofree char *to = g_strconcat("x@", bad_subject, NULL);
    struct verdict *verdict;

    message_set_sender(message, "care@me.example");
    message_add_header(message, "To", to);
    verdict = evaluate_at(policy, message, 0);
    g_assert_true(verdict->fault);
    g_assert_cmpstr(verdict->rule, ==, "fault:r");
    g_assert_true(exposure_fault(verdict->exposure));
    verdict_free(verdict);
    message_set_user(message, "dev");
    verdict = evaluate_at(policy, message, 0);
    g_assert_false(verdict->fault);
    g_assert_cmpstr(verdict->rule, ==, "exempt");
    verdict_free(verdict);
    policy_unref(policy);
}

/* Rules from the top; monitor rules are told in order and decide nothing. */
static void test_order(void)
{
    struct policy *policy = policy_of(UNIT_HEAD "rule one { monitor when parties(external) >= 1 reject \"x\" }\n"
                                                "rule two { monitor when parties(external) >= 9 tag \"x\" }\n"
                                                "rule three { monitor when parties(external) >= 2 tag \"x\" }\n"
                                                "rule four { when parties(external) >= 2 quarantine \"{rule}\" }\n"
                                                "rule five { monitor when local reject \"x\" }\n"
                                                "rule six { when parties(external) >= 1 tempfail \"{rule}\" }\n"
                                                "default tag \"{rule}\"\n");
    static const struct {
        const char *to;
        enum disposition want;
        const char *rule, *would;
    } cases[] = {
        {"a@x.example, b@y.example", DISPOSITION_QUARANTINE, "four", "reject:one tag:three"},
        {"a@x.example", DISPOSITION_TEMPFAIL, "six", "reject:one"},
        {"a@me.example", DISPOSITION_TAG, "default", ""},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_of("care@me.example", cases[i].to);
        struct verdict *verdict = evaluate_at(policy, message, 0);
        g_autofree char *would = NULL;
        g_ptr_array_add(verdict->would, NULL);
        would = g_strjoinv(" ", (char **)verdict->would->pdata);
        g_assert_cmpint(verdict->disposition, ==, cases[i].want);
        g_assert_cmpstr(verdict->rule, ==, cases[i].rule);
        g_assert_cmpstr(verdict->text, ==, cases[i].rule);
        g_assert_cmpstr(would, ==, cases[i].would);
        verdict_free(verdict);
    }
    policy_unref(policy);
}

/* `until` holds to the last second of its day, UTC. */
static void test_until(void)
{
    struct policy *policy =
        policy_of(UNIT_HEAD "rule a until 2027-06-30 { when visible(all) >= 0 accept }\ndefault reject \"x\"\n");
    auto_free(message) message = message_of("care@me.example", "a@x.example");
    static const struct {
        const char *time;
        const char *rule;
    } cases[] = {
        {"1970-01-01T00:00:00Z", "a"},       {"2027-06-30T00:00:00Z", "a"},      {"2027-06-30T23:59:59Z", "a"},
        {"2027-07-01T00:00:00Z", "default"}, {"2027-07-01T01:59:59+02:00", "a"}, {"2099-01-01T00:00:00Z", "default"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(cases[i].time, NULL);
        struct verdict *verdict = evaluate_at(policy, message, g_date_time_to_unix(time));
        g_test_message("%s", cases[i].time);
        g_assert_cmpstr(verdict->rule, ==, cases[i].rule);
        verdict_free(verdict);
    }
    policy_unref(policy);
}

/* `in` and `=` need every author, `=~` one; nobody is nobody. */
static void test_authors(void)
{
    static const struct {
        const char *from, *expression;
        int want;
    } cases[] = {
        {"a@me.example, b@me.example", "from in internal", 1},
        {"a@me.example, b@x.example", "from in internal", 0},
        {"a@me.example, b@x.example", "from in \"me.example\", \"b@x.example\"", 1},
        {"a@me.example, b@x.example", "from = \"a@me.example\"", 0},
        {"a@me.example, b@x.example", "from =~ /b@.*/", 1},
        {"a@me.example, b@x.example", "from =~ /c@.*/", 0},
        {"A@me.example, a@me.example", "from = \"a@me.example\"", 1},
        {"\"a@me.example\" <b@x.example>", "from in internal", 0},
        {"", "from in internal", 0},
        {"", "from =~ /.*/", 0},
        {"", "not from in internal", 1},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_new();
        message_add_header(message, "From", cases[i].from);
        g_test_message("%s: %s", cases[i].from, cases[i].expression);
        g_assert_cmpint(run(cases[i].expression, message), ==, cases[i].want);
    }
}

/* The null sender has no class; a bare name is internal; tenants are what their sender is to them. */
static void test_senders(void)
{
    static const struct {
        const char *sender, *expression;
        int want;
    } cases[] = {
        {"", "sender = \"\"", 1},
        {"", "sender in \"\"", 1},
        {"", "sender in internal", 0},
        {"", "sender in all", 0},
        {"", "sender in external", 0},
        {"<>", "sender = \"\"", 1},
        {"", "sender =~ //", 1},
        {"", "sender in \"me.example\"", 0},
        {"root", "sender in internal", 1},
        {"root", "sender in external", 0},
        {"root", "sender in \"root\"", 0},
        {"a@x.example", "sender in external", 1},
        {"a@x.example", "sender in other", 1},
        {"a@x.example", "sender in partner", 0},
        {"a@me.example.", "sender in internal", 1},
        {"a@t1.example", "sender in tenants", 1},
        {"a@t1.example", "sender in internal", 1},
        {"a@t1.example", "sender in external", 0},
        {"a@t1.example", "sender in other", 0},
        {"\"a@b\"@me.example", "sender = \"\\\"a@b\\\"@me.example\"", 1},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_new();
        int got;
        message_set_sender(message, cases[i].sender);
        got = run(cases[i].expression, message);
        if (got != cases[i].want)
            UNIT_FAIL("`%s`: %s: got %d", cases[i].sender, cases[i].expression, got);
    }
}

/* What is absent is in no set, and `not` of that is true. */
static void test_absent(void)
{
    static const struct {
        const char *expression;
        int want;
    } cases[] = {
        {"user in \"\"", 0},          {"user =~ /.*/", 0},
        {"not user =~ /.*/", 1},      {"client in \"0.0.0.0/0\", \"::/0\"", 0},
        {"listener = \"\"", 0},       {"listener =~ /.*/", 0},
        {"header(\"X\") =~ /.*/", 0}, {"authenticated", 0},
        {"client =~ /.*/", 0},
    };
    auto_free(message) message = message_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        if (run(cases[i].expression, message) != cases[i].want)
            UNIT_FAIL("%s", cases[i].expression);
}

/* The values that a trace is told: with several occurrences of a header the one that decided. */
static void on_rule(void *data, const char *rule, unsigned line, bool monitor, bool expired)
{
    g_string_append_printf(data, "%s%u%s%s:", rule, line, monitor ? "m" : "", expired ? "x" : "");
}

static void on_test(void *data, const char *test, const char *value, int result)
{
    g_string_append_printf(data, " [%s|%s|%d]", test, value != NULL ? value : "-", result);
}

static void on_group(void *data, const char *word)
{
    g_string_append_printf(data, " %s{", word);
}

static void on_group_end(void *data)
{
    g_string_append(data, " }");
}

static void on_end(void *data, int matched)
{
    g_string_append_printf(data, " %d\n", matched);
}

static void test_trace(void)
{
    struct policy *policy =
        policy_of(UNIT_HEAD "rule a until 2020-01-01 { when local accept }\n"
                            "rule b { monitor when local or (authenticated and sender in internal) reject \"x\" }\n"
                            "rule c { when visible(external) >= 1 or not (local and syntax) accept }\n"
                            "rule d { when local accept }\ndefault accept\n");
    auto_free(message) message = subject();
    GString *told = g_string_new(NULL);
    struct trace trace = {on_rule, on_group, on_group_end, on_test, on_end, told};
    struct evaluate_options options = {.now = 1900000000, .outbound = OUTBOUND_YES, .trace = &trace};
    struct verdict *verdict = policy_evaluate(policy, message, &options);
    struct verdict *silent = evaluate_at(policy, message, 1900000000);

    g_assert_cmpstr(told->str, ==,
                    "a4x: 0\n"
                    "b5m: or{ [local|no|0] and{ [authenticated|yes|1] [sender in internal|care@me.example|1] } } 1\n"
                    "c6: or{ [visible(external) >= 1|3|1] not{ and{ [local|-|0] [syntax|-|0] } } } 1\n");
    /* The same verdict with and without. */
    g_assert_cmpstr(silent->rule, ==, verdict->rule);
    g_assert_cmpint(silent->disposition, ==, verdict->disposition);
    verdict_free(verdict);
    verdict_free(silent);
    policy_unref(policy);
    g_string_free(told, TRUE);
}

/* `outbound` is told as a rule of that name; its built-in meaning has no tests to tell of. */
static void test_trace_outbound(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"outbound when not (local or client in \"192.0.2.0/24\") and authenticated\n",
         "outbound4: and{ not{ or{ [local|no|0] [client in \"192.0.2.0/24\"|10.1.2.3|0] } } [authenticated|yes|1] } "
         "1\n"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(UNIT_HEAD, cases[i][0], "default accept\n", NULL);
        struct policy *policy = policy_of(text);
        auto_free(message) message = subject();
        GString *told = g_string_new(NULL);
        struct trace trace = {on_rule, on_group, on_group_end, on_test, on_end, told};
        g_assert_cmpint(policy_outbound_traced(policy, message, &trace), ==, policy_outbound(policy, message));
        g_assert_cmpstr(told->str, ==, cases[i][1]);
        policy_unref(policy);
        g_string_free(told, TRUE);
    }
}

static void test_trace_value(void)
{
    struct policy *policy = policy_of(UNIT_HEAD "rule a { when header(\"X-Two\") = \"two\" accept }\ndefault accept\n");
    auto_free(message) message = subject();
    GString *told = g_string_new(NULL);
    struct trace trace = {.rule = on_rule, .test = on_test, .rule_end = on_end, .data = told};
    struct evaluate_options options = {.outbound = OUTBOUND_YES, .trace = &trace};

    verdict_free(policy_evaluate(policy, message, &options));
    if (strstr(told->str, "\"two\"|1]") == NULL)
        UNIT_FAIL("the value that matched is not told: %s", told->str);
    policy_unref(policy);
    g_string_free(told, TRUE);
}

/* ---- outbound */

struct mail {
    const char *sender, *user, *client, *listener;
    bool local;
    enum outbound want;
};

static void check_outbound(const char *statement, const struct mail *mails, size_t count)
{
    g_autofree char *text = g_strdup_printf(CLASSES "%s\ndefault accept\n", statement);
    struct policy *policy = policy_of(text);

    for (size_t i = 0; i < count; i++) {
        auto_free(message) message = message_new();
        enum outbound got;
        message_set_sender(message, mails[i].sender);
        message_set_user(message, mails[i].user);
        message_set_client(message, mails[i].client);
        message_set_listener(message, mails[i].listener);
        message->local = mails[i].local;
        got = policy_outbound(policy, message);
        if (got != mails[i].want)
            UNIT_FAIL("%s, number %zu: got %d", statement, i, got);
    }
    policy_unref(policy);
}

static void test_outbound_default(void)
{
    static const struct mail mails[] = {
        {"care@me.example", "care", "192.0.2.1", NULL, false, OUTBOUND_YES}, /* a login */
        {"ann@x.example", "care", "192.0.2.1", NULL, false, OUTBOUND_YES},
        {"", "care", "192.0.2.1", NULL, false, OUTBOUND_YES},      /* the null sender only with a login */
        {"care@me.example", NULL, NULL, NULL, true, OUTBOUND_YES}, /* sendmail(1) */
        {"root", NULL, NULL, NULL, true, OUTBOUND_YES},
        {"ann@x.example", NULL, NULL, NULL, true, OUTBOUND_NO},            /* forwarded */
        {"", NULL, NULL, NULL, true, OUTBOUND_NO},                         /* a bounce */
        {"care@me.example", NULL, "127.0.0.1", NULL, false, OUTBOUND_YES}, /* loopback */
        {"care@me.example", NULL, "::1", NULL, false, OUTBOUND_YES},
        {"ann@x.example", NULL, "127.0.0.1", NULL, false, OUTBOUND_NO}, /* re-injected */
        {"", NULL, "127.0.0.1", NULL, false, OUTBOUND_NO},
        {"care@me.example", NULL, "192.0.2.1", NULL, false, OUTBOUND_NO}, /* a stranger who says he is one of us */
        {"care@me.example", NULL, "10.0.0.1", NULL, false, OUTBOUND_NO},
        {"care@me.example", NULL, NULL, NULL, false, OUTBOUND_NO},
        {"a@t1.example", NULL, "127.0.0.1", NULL, false, OUTBOUND_YES}, /* a tenant is internal to himself */
    };

    check_outbound("", mails, G_N_ELEMENTS(mails));
}

static void test_outbound_statement(void)
{
    static const struct mail mails[] = {
        {"", "x", NULL, NULL, false, OUTBOUND_YES},
        {"", NULL, "10.9.9.9", NULL, false, OUTBOUND_YES},
        {"", NULL, "11.9.9.9", NULL, false, OUTBOUND_NO},
        {"", NULL, "192.0.2.1", "ORIGINATING", false, OUTBOUND_YES},
        {"care@me.example", NULL, "127.0.0.1", NULL, true, OUTBOUND_NO}, /* what it does not name is not judged */
    };
    static const struct mail faults[] = {
        {"", bad_subject, NULL, NULL, false, OUTBOUND_FAULT},
        {"", "x", NULL, NULL, false, OUTBOUND_NO},
        {"", NULL, NULL, NULL, false, OUTBOUND_NO},
    };

    check_outbound("outbound when authenticated or client in \"10.0.0.0/8\" or listener in \"ORIGINATING\"", mails,
                   G_N_ELEMENTS(mails));
    check_outbound("outbound when user =~ " BAD, faults, G_N_ELEMENTS(faults));
}

/* Mail of which this could not be told is judged, and its verdict is the fault. */
static void test_outbound_fault(void)
{
    struct policy *policy =
        policy_of(UNIT_HEAD "outbound when user =~ " BAD "\nrule a { when local accept }\ndefault accept\n");
    auto_free(message) message = message_of("care@me.example", "a@x.example");
    struct evaluate_options options = {.on_fault = DISPOSITION_TEMPFAIL, .outbound = OUTBOUND_FAULT};
    struct verdict *verdict = policy_evaluate(policy, message, &options);

    g_assert_true(verdict->fault);
    g_assert_cmpstr(verdict->rule, ==, "fault:outbound");
    g_assert_cmpint(verdict->disposition, ==, DISPOSITION_TEMPFAIL);
    g_assert_cmpuint(verdict->line, ==, 4);
    verdict_free(verdict);
    policy_unref(policy);
}

/* What is beyond a limit of reading is neither yes nor no. */
static void test_read_limits(void)
{
    auto_free(message) message = subject();
    GString *words = g_string_new(NULL);

    for (unsigned n = 0; n <= AUTHORS_LIMIT; n++) {
        g_autofree char *address = g_strdup_printf("c%u@me.example", n);
        message_add_header(message, "From", address);
    }
    for (unsigned n = 0; n <= WORDS_LIMIT; n++)
        g_string_append_printf(words, "=?%s?q?a?= ", n % 2 ? "utf-8" : "us-ascii");
    message_add_header(message, "X-Two", words->str);
    g_assert_cmpint(run("from in internal", message), ==, -1);
    g_assert_cmpint(run("not from in internal", message), ==, -1);
    g_assert_cmpint(run("from =~ /care@.*/", message), ==, -1);
    g_assert_cmpint(run("header(\"X-Two\") = \"three\"", message), ==, -1);
    g_assert_cmpint(run("not header(\"X-Two\") =~ /three/", message), ==, -1);
    /* The first one decides. */
    g_assert_cmpint(run("header(\"X-Two\") = \"two\"", message), ==, 1);
    g_assert_cmpint(run("header(\"X-Two\")", message), ==, 1);
    g_assert_cmpint(run("header(\"List-Id\") =~ /n\xc3\xbcws .*/", message), ==, 1);
    g_assert_cmpint(run("sender in internal", message), ==, 1);
    g_assert_cmpint(run("header(\"X-Two\") contains \"three\"", message), ==, -1);
    g_assert_cmpint(run("not from contains \"c1\"", message), ==, -1);
    g_string_free(words, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/evaluate/tests", test_tests);
    g_test_add_func("/evaluate/faults", test_faults);
    g_test_add_func("/evaluate/fault-outcome", test_fault_outcome);
    g_test_add_func("/evaluate/approvals", test_approvals);
    g_test_add_func("/evaluate/internal", test_internal);
    g_test_add_func("/evaluate/class-fault", test_class_fault);
    g_test_add_func("/evaluate/order", test_order);
    g_test_add_func("/evaluate/until", test_until);
    g_test_add_func("/evaluate/authors", test_authors);
    g_test_add_func("/evaluate/senders", test_senders);
    g_test_add_func("/evaluate/absent", test_absent);
    g_test_add_func("/evaluate/trace", test_trace);
    g_test_add_func("/evaluate/trace-outbound", test_trace_outbound);
    g_test_add_func("/evaluate/trace-value", test_trace_value);
    g_test_add_func("/evaluate/outbound-default", test_outbound_default);
    g_test_add_func("/evaluate/outbound-statement", test_outbound_statement);
    g_test_add_func("/evaluate/outbound-fault", test_outbound_fault);
    g_test_add_func("/evaluate/read-limits", test_read_limits);
    return g_test_run();
}
