/* test-replay-result - the small facts of one message: verdicts, dates, what is cut, what is never kept */

#include "policy/replay/replay_result.h"
#include "unit.h"

#define RULES                                                                                                          \
    UNIT_HEAD "rule wide { when parties(external) >= 3 quarantine \"x\" }\n"                                           \
              "rule trial { monitor when parties(external) >= 2 reject \"x\" }\n"                                      \
              "default accept\n"
#define OTHER                                                                                                          \
    UNIT_HEAD "outbound when authenticated\n"                                                                          \
              "rule wider { when parties(external) >= 2 quarantine \"x\" }\n"                                          \
              "default accept\n"

static struct replayed *replayed_by(struct replayed_options *options, const struct message *message)
{
    return replayed_new(message, "box", 7, options);
}

static void test_facts(void)
{
    struct replayed_options options = {.policy = policy_of(RULES), .always_outbound = true};
    auto_free(message) message = message_of("Care@me.example", "a@x.example, b@y.example, c@me.example");
    struct replayed *replayed = replayed_by(&options, message);

    g_assert_cmpstr(replayed->file, ==, "box");
    g_assert_cmpuint(replayed->index, ==, 7);
    g_assert_cmpstr(replayed->sender, ==, "care@me.example");
    g_assert_cmpstr(replayed->date, ==, "");
    g_assert_cmpint(replayed->ruling.disposition, ==, DISPOSITION_ACCEPT);
    g_assert_cmpstr(replayed->ruling.rule, ==, "default");
    g_assert_cmpstr(replayed->ruling.would[0], ==, "reject:trial");
    g_assert_null(replayed->ruling.would[1]);
    g_assert_cmpuint(replayed->counts[COUNT_VISIBLE], ==, 2);
    g_assert_cmpuint(replayed->counts[COUNT_PARTIES], ==, 2);
    g_assert_cmpuint(replayed->visible, ==, 3);
    g_assert_cmpuint(replayed->hanging->len, ==, 2);
    g_assert_cmpuint(replayed->parties->len, ==, 2);
    g_assert_null(replayed->recipients); /* unless they are asked for */
    replayed_unref(replayed);
    policy_unref(options.policy);
}

static void test_references(void)
{
    struct replayed_options options = {.policy = policy_of(RULES), .always_outbound = true};
    auto_free(message) message = message_of("care@me.example", "a@x.example");
    struct replayed *replayed = replayed_by(&options, message);

    g_assert_true(replayed_ref(replayed) == replayed);
    replayed_unref(replayed);
    g_assert_cmpstr(replayed->sender, ==, "care@me.example");
    replayed_unref(replayed);
    policy_unref(options.policy);
}

static void test_dates(void)
{
    static const struct {
        const char *date, *want;
    } cases[] = {
        {"Mon, 23 Nov 2026 18:34:00 +0100", "2026-11-23 18:34"},
        {"1 jan 2026 00:00 GMT", "2026-01-01 00:00"},
        {" Thu,\r\n\t 31 DEC 1999 23:59:59 -0000 (UTC)", "1999-12-31 23:59"},
        {"", ""},
        {"yesterday", ""},
        {"Mon, 32 Nov 2026 18:34:00", ""},
        {"Mon, 23 Nox 2026 18:34:00", ""},
        {"Mon, 23 Nov 26 18:34:00", ""},
        {"Mon, 23 Nov 2026 24:34:00", ""},
        {"Mon, 23 Nov 99999999999 18:34:00", ""},
        {"2026-11-23 18:34", ""},
    };
    struct replayed_options options = {.policy = policy_of(RULES), .always_outbound = true};

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_of("care@me.example", "a@x.example");
        struct replayed *replayed;
        message_add_header(message, "Date", cases[i].date);
        replayed = replayed_by(&options, message);
        if (strcmp(replayed->date, cases[i].want) != 0)
            UNIT_FAIL("%s: %s", cases[i].date, replayed->date);
        replayed_unref(replayed);
    }
    policy_unref(options.policy);
}

/* Whatever the size of the message, little is kept of it. */
static void test_bounds(void)
{
    g_autofree char *to = people_of(5000, "c{n}@x{n}.example");
    g_autofree char *local = g_strnfill(1000, 'l');
    g_autofree char *sender = g_strconcat(local, "\xc3\xbc@me.example", NULL);
    struct replayed_options options = {.policy = policy_of(RULES), .always_outbound = true, .recipients = true};
    auto_free(message) message = message_of(sender, to);
    struct replayed *replayed = replayed_by(&options, message);

    g_assert_cmpuint(replayed->counts[COUNT_PARTIES], ==, 5000);
    g_assert_cmpuint(replayed->parties->len, ==, REPLAYED_PARTIES);
    g_assert_cmpuint(replayed->more_parties, ==, 5000 - REPLAYED_PARTIES);
    g_assert_cmpuint(g_strv_length(replayed->recipients), ==, REPLAYED_RECIPIENTS);
    g_assert_cmpstr(replayed->recipients[0], ==, "c1@x1.example");
    g_assert_cmpuint(strlen(replayed->sender), ==, REPLAYED_SENDER + strlen("..."));
    replayed_unref(replayed);
    policy_unref(options.policy);
}

/* A sender is cut between characters. */
static void test_cut_sender(void)
{
    struct replayed_options options = {.policy = policy_of(RULES), .always_outbound = true};

    for (unsigned length = REPLAYED_SENDER - 4; length < REPLAYED_SENDER; length++) {
        g_autofree char *local = g_strnfill(length, 'l');
        g_autofree char *sender = g_strconcat(local, "\xf0\x9f\x93\xa7\xf0\x9f\x93\xa7@me.example", NULL);
        auto_free(message) message = message_of(sender, "a@x.example");
        struct replayed *replayed = replayed_by(&options, message);
        g_assert_true(g_utf8_validate(replayed->sender, -1, NULL));
        g_assert_cmpuint(strlen(replayed->sender), <=, REPLAYED_SENDER + strlen("..."));
        replayed_unref(replayed);
    }
    policy_unref(options.policy);
}

static void test_against(void)
{
    static const struct {
        const char *to;
        bool changed;
        enum disposition old, now;
    } cases[] = {
        {"a@x.example", false, DISPOSITION_ACCEPT, DISPOSITION_ACCEPT},
        {"a@x.example, b@y.example", true, DISPOSITION_QUARANTINE, DISPOSITION_ACCEPT},
        {"a@x.example, b@y.example, c@z.example", true, DISPOSITION_QUARANTINE, DISPOSITION_QUARANTINE},
    };
    struct replayed_options options = {
        .policy = policy_of(RULES), .against = policy_of(OTHER), .always_outbound = true};

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_of("care@me.example", cases[i].to);
        struct replayed *replayed = replayed_by(&options, message);
        g_assert_cmpint(replayed->ruling.disposition, ==, cases[i].now);
        g_assert_cmpint(replayed->old.disposition, ==, cases[i].old);
        g_assert_true(replayed_changed(replayed) == cases[i].changed);
        replayed_unref(replayed);
    }
    policy_unref(options.policy);
    policy_unref(options.against);
}

/* Each policy says by itself what is outbound. */
static void test_outbound(void)
{
    struct replayed_options options = {.policy = policy_of(OTHER), .against = policy_of(RULES)};
    auto_free(message) message = message_of("care@me.example", "a@x.example, b@y.example, c@z.example");
    struct replayed *replayed;

    message->local = true;
    replayed = replayed_by(&options, message);
    g_assert_null(replayed->ruling.rule);
    g_assert_cmpint(replayed->ruling.disposition, ==, DISPOSITION_ACCEPT);
    g_assert_cmpstr(replayed->old.rule, ==, "wide");
    g_assert_true(replayed_changed(replayed));
    g_assert_cmpuint(replayed->counts[COUNT_PARTIES], ==, 3);
    g_assert_cmpuint(replayed->hanging->len, ==, 0);
    replayed_unref(replayed);
    policy_unref(options.policy);
    policy_unref(options.against);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/judged/facts", test_facts);
    g_test_add_func("/judged/references", test_references);
    g_test_add_func("/judged/dates", test_dates);
    g_test_add_func("/judged/bounds", test_bounds);
    g_test_add_func("/judged/cut-sender", test_cut_sender);
    g_test_add_func("/judged/against", test_against);
    g_test_add_func("/judged/outbound", test_outbound);
    return g_test_run();
}
