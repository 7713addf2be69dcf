/* test-history - windows and known sets as a policy uses them, and what becomes of mail without the state */

#include "policy/engine/policy.h"
#include "policy/state/state_keys.h"
#include "policy/state/state_memory.h"
#include "unit.h"

#define NOW    1800000000
#define DAY    (24 * 60 * 60)
#define SPLIT  "rule split { when parties(external) within 10m >= 20 quarantine \"{within} outside\" }\n"
#define LAST   "default accept\n"
#define PEOPLE "c{n}@mail{n}.example"

/* ---- a state that counts what it is asked, and may be away */

struct counting {
    struct state_memory *memory;
    struct state_key *key;
    struct state state;
    unsigned windows, knowns, learned;
    bool away;
};

static enum state_outcome count_window(void *data, const struct state_record *record, bool keep,
                                       struct state_window *windows, unsigned count)
{
    struct counting *counting = data;

    counting->windows++;
    return counting->away ? STATE_AWAY : state_memory_functions.window(counting->memory, record, keep, windows, count);
}

static enum state_outcome count_withdraw(void *data, state_hash id)
{
    return state_memory_functions.withdraw(((struct counting *)data)->memory, id);
}

static enum state_outcome count_known(void *data, const struct state_set *set, gint64 since, gint64 *when)
{
    struct counting *counting = data;

    counting->knowns++;
    *when = 0;
    return counting->away ? STATE_AWAY : state_memory_functions.known(counting->memory, set, since, when);
}

static enum state_outcome count_learn(void *data, const struct state_set *set, gint64 time)
{
    struct counting *counting = data;

    counting->learned++;
    return state_memory_functions.learn(counting->memory, set, time);
}

static const struct state_functions counting_functions = {
    .window = count_window, .withdraw = count_withdraw, .known = count_known, .learn = count_learn};

static void counting_open(struct counting *counting)
{
    *counting = (struct counting){.memory = state_memory_new(), .key = state_key_new("k", 1)};
    counting->state = (struct state){&counting_functions, counting, counting->key};
}

static void counting_close(struct counting *counting)
{
    state_memory_free(counting->memory);
    state_key_free(counting->key);
}

/* ---- messages */

/* To so many people, numbered from `first`. */
static struct message *wide(const char *user, unsigned first, unsigned count)
{
    g_autoptr(GString) to = g_string_new(NULL);

    for (unsigned n = first; n < first + count; n++)
        g_string_append_printf(to, "%sc%u@mail%u.example", n > first ? ", " : "", n, n);
    struct message *message = message_of("care@me.example", to->str);
    message_set_user(message, user);
    for (unsigned n = first; n < first + count; n++) {
        g_autofree char *address = g_strdup_printf("c%u@mail%u.example", n, n);
        message_add_recipient(message, address);
    }
    return message;
}

static struct verdict *evaluate_with(struct policy *policy, const struct message *message, struct counting *counting,
                                     gint64 now)
{
    const struct evaluate_options options = {.now = now,
                                             .on_fault = DISPOSITION_QUARANTINE,
                                             .outbound = OUTBOUND_YES,
                                             .state = counting != NULL ? &counting->state : NULL};

    return policy_evaluate(policy, message, &options);
}

/* Evaluates one and settles it; "quarantine:split: 20 outside", for g_free. */
static char *pass(struct policy *policy, struct message *message, struct counting *counting, gint64 now)
{
    auto_free(verdict) verdict = evaluate_with(policy, message, counting, now);
    char *text = g_strdup_printf("%s:%s%s%s", disposition_name(verdict->disposition), verdict->rule,
                                 verdict->text != NULL ? ": " : "", verdict->text != NULL ? verdict->text : "");

    verdict_settle(verdict, &counting->state, verdict_end_of(verdict->disposition), now);
    message_free(message);
    return text;
}

#define EXPECT_PASS(policy, message, counting, now, want)                                                              \
    do {                                                                                                               \
        g_autofree char *got = pass(policy, message, counting, now);                                                   \
        g_assert_cmpstr(got, ==, want);                                                                                \
    } while (0)

/* ---- windows */

static void test_adds_up(void)
{
    struct policy *policy = policy_of(UNIT_HEAD SPLIT LAST);
    struct counting counting;
    counting_open(&counting);

    EXPECT_PASS(policy, wide("care", 1, 9), &counting, NOW, "accept:default");
    EXPECT_PASS(policy, wide("care", 10, 9), &counting, NOW + 60, "accept:default");
    EXPECT_PASS(policy, wide("care", 10, 9), &counting, NOW + 61, "accept:default"); /* again */
    EXPECT_PASS(policy, wide("other", 19, 9), &counting, NOW + 62, "accept:default");
    EXPECT_PASS(policy, wide("care", 19, 9), &counting, NOW + 63, "quarantine:split: 27 outside");
    EXPECT_PASS(policy, wide("care", 28, 2), &counting, NOW + 64, "quarantine:split: 29 outside"); /* held counts */
    EXPECT_PASS(policy, wide("care", 40, 9), &counting, NOW + 665, "accept:default");
    counting_close(&counting);
    policy_unref(policy);
}

/* A mail merge is nobody's exposure, and asks nothing. */
static void test_mail_merge(void)
{
    struct policy *policy = policy_of("version 1\nremember 90d\nclass internal { domain \"me.example\" }\n" SPLIT LAST);
    struct counting counting;
    counting_open(&counting);

    for (unsigned n = 1; n <= 450; n++)
        EXPECT_PASS(policy, wide("care", n, 1), &counting, NOW, "accept:default");
    g_assert_cmpuint(counting.windows + counting.knowns + counting.learned, ==, 0);
    counting_close(&counting);
    policy_unref(policy);
}

static void test_refused(void)
{
    struct policy *policy =
        policy_of(UNIT_HEAD SPLIT "rule wide { when parties(external) >= 15 reject \"no\" }\n" LAST);
    struct counting counting;
    counting_open(&counting);

    EXPECT_PASS(policy, wide("care", 1, 19), &counting, NOW, "reject:wide: no");
    EXPECT_PASS(policy, wide("care", 100, 2), &counting, NOW, "accept:default");
    auto_free(message) message = wide("care", 1, 19);
    auto_free(verdict) verdict = evaluate_with(policy, message, &counting, NOW);
    g_assert_cmphex(verdict->state.record, !=, 0);
    g_assert_cmpuint(verdict->state.windows->len, ==, 1);
    const struct verdict_window *window = &g_array_index(verdict->state.windows, struct verdict_window, 0);
    g_assert_cmpstr(window->rule, ==, "split");
    g_assert_cmpuint(window->value, ==, 21);
    counting_close(&counting);
    policy_unref(policy);
}

/* Recorded also when a rule before it holds the message, or its own test is not needed. */
static void test_recorded_elsewhere(void)
{
    struct policy *policy = policy_of(
        UNIT_HEAD
        "rule wide { when parties(external) >= 12 quarantine \"wide\" }\n"
        "rule some { when parties(external) >= 8 and parties(external) within 10m >= 20 tag \"{within}\" }\n" LAST);
    struct counting counting;
    counting_open(&counting);

    EXPECT_PASS(policy, wide("care", 1, 12), &counting, NOW, "quarantine:wide: wide");
    EXPECT_PASS(policy, wide("care", 13, 4), &counting, NOW, "accept:default");
    EXPECT_PASS(policy, wide("care", 17, 8), &counting, NOW, "tag:some: 24");
    counting_close(&counting);
    policy_unref(policy);
}

/* What could not be classified to its end is held, and counts with what was found. */
static void test_recorded_with_a_fault(void)
{
    struct policy *policy =
        policy_of(UNIT_HEAD "class slow { match /(a+)+[bc]!?(@.*)?/ }\n"
                            "rule split { when parties(external) within 10m >= 20 quarantine \"{within}\" }\n" LAST);
    struct counting counting;
    counting_open(&counting);

    struct message *message = wide("care", 1, 12);
    message_add_header(message, "Cc", "x@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    EXPECT_PASS(policy, message, &counting, NOW,
                "quarantine:fault:split: the policy could not be evaluated: a test needed by split went beyond its "
                "limit");
    EXPECT_PASS(policy, wide("care", 13, 8), &counting, NOW, "quarantine:split: 21");
    counting_close(&counting);
    policy_unref(policy);
}

static void test_alike(void)
{
    struct policy *policy = policy_of(
        UNIT_HEAD "rule split { when parties(external) within 10m alike >= 20 quarantine \"{within}\" }\n" LAST);
    struct counting counting;
    counting_open(&counting);

    for (unsigned i = 0; i < 3; i++) {
        static const char *const subjects[] = {"Part 1/20", "Lunch", "Re: part 2/20"};
        struct message *message = wide("care", 1 + 12 * i, 12);
        message_add_header(message, "Subject", subjects[i]);
        EXPECT_PASS(policy, message, &counting, NOW, i < 2 ? "accept:default" : "quarantine:split: 24");
    }
    EXPECT_PASS(policy, wide("care", 37, 3), &counting, NOW, "quarantine:split: 39"); /* no subject: alike to all */
    counting_close(&counting);
    policy_unref(policy);
}

static void test_bound(void)
{
    struct policy *policy = policy_of(UNIT_HEAD SPLIT LAST);
    struct counting counting;
    counting_open(&counting);

    for (unsigned i = 0; i <= 10; i++) {
        auto_free(message) message = wide("care", 1 + 1000 * i, 1000);
        auto_free(verdict) verdict = evaluate_with(policy, message, &counting, NOW);
        g_autofree char *want = i < 10 ? g_strdup_printf("%u outside", 1000 * (i + 1)) : NULL;
        g_assert_true(verdict->state.bound == (i == 10));
        g_assert_cmpstr(verdict->text, ==, want != NULL ? want : "more than 10000 outside");
    }
    counting_close(&counting);
    policy_unref(policy);
}

/* Another class before it changes the numbers of classes, and nothing of what is kept. */
static void test_reload(void)
{
    struct policy *before =
        policy_of(UNIT_HEAD "class b { domain \"mail1.example\" }\n"
                            "rule split { when parties(other, b) within 10m >= 20 tag \"{within}\" }\n" LAST);
    struct policy *after =
        policy_of(UNIT_HEAD "class a { domain \"a.example\" }\nclass b { domain \"mail1.example\" }\n"
                            "rule split { when parties(b, other) within 10m >= 20 tag \"{within}\" }\n" LAST);
    struct counting counting;
    counting_open(&counting);

    EXPECT_PASS(before, wide("care", 1, 12), &counting, NOW, "accept:default");
    EXPECT_PASS(after, wide("care", 13, 12), &counting, NOW, "tag:split: 24");
    counting_close(&counting);
    policy_unref(before);
    policy_unref(after);
}

/* ---- without the state */

static void test_away(void)
{
    struct policy *policy =
        policy_of(UNIT_HEAD "rule trial { monitor when parties(external) within 1h >= 5 reject \"x\" }\n"
                            "rule wide { when parties(external) >= 12 quarantine \"wide\" }\n"
                            "rule some { when parties(external) >= 8 and parties(external) within 10m >= 20 "
                            "quarantine \"{within}\" }\n" LAST);
    static const struct {
        unsigned people;
        const char *rule, *would;
        enum disposition disposition;
    } cases[] = {
        {1, "default", NULL, DISPOSITION_ACCEPT},               /* asks nothing */
        {4, "error:some", "error:trial", DISPOSITION_TEMPFAIL}, /* would pass, and is not in the window */
        {9, "error:some", "error:trial", DISPOSITION_TEMPFAIL},
        {12, "wide", "error:trial", DISPOSITION_QUARANTINE},
    };
    struct counting counting;
    counting_open(&counting);

    counting.away = true;
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        unsigned j = i / 2;
        auto_free(message) message = wide("care", 1, cases[j].people);
        auto_free(verdict) verdict = evaluate_with(policy, message, i % 2 ? &counting : NULL, NOW);
        g_assert_cmpstr(verdict->rule, ==, cases[j].rule);
        g_assert_cmpint(verdict->disposition, ==, cases[j].disposition);
        g_assert_true(verdict->error == g_str_has_prefix(cases[j].rule, "error:"));
        g_assert_true(verdict->state.away == (cases[j].people > 1));
        g_assert_true((verdict->state.record != 0) == (i % 2 == 1 && cases[j].people > 1)); /* it may be kept */
        g_assert_cmpuint(verdict->would->len, ==, cases[j].would != NULL);
        if (cases[j].would != NULL)
            g_assert_cmpstr(g_ptr_array_index(verdict->would, 0), ==, cases[j].would);
    }
    g_assert_cmpuint(counting.windows, ==, 3); /* once a message, however many tests */
    counting_close(&counting);
    policy_unref(policy);
}

static void test_accept_on_error(void)
{
    struct policy *policy = policy_of(
        UNIT_HEAD "rule not-asked { when local and parties(external) within 10m >= 5 reject \"x\" }\n" SPLIT LAST);
    auto_free(message) message = wide("care", 1, 2);
    const struct evaluate_options options = {.now = NOW, .outbound = OUTBOUND_YES, .accept_on_error = true};
    auto_free(verdict) verdict = policy_evaluate(policy, message, &options);

    g_assert_cmpint(verdict->disposition, ==, DISPOSITION_ACCEPT);
    g_assert_cmpstr(verdict->rule, ==, "error:split");
    g_assert_true(verdict->error);
    policy_unref(policy);
}

/* ---- known */

#define REMEMBER                                                                                                       \
    "version 1\nremember 90d\nclass internal { domain \"me.example\" }\n"                                              \
    "class tenants { domain \"t1.example\", \"t2.example\" separate }\n"                                               \
    "rule exempt { when user = \"exempt\" accept }\n"                                                                  \
    "rule trial { monitor when user = \"trial\" and parties(external) >= 4 reject \"x\" }\n"                           \
    "rule wide { when parties(external) >= 6 and not known quarantine \"x\" }\n"

static enum verdict_known known_of(struct policy *policy, struct message *message, struct counting *counting,
                                   gint64 now)
{
    auto_free(verdict) verdict = evaluate_with(policy, message, counting, now);

    g_assert_true((verdict->state.known_when != 0) == (verdict->state.known == KNOWN_YES));
    message_free(message);
    return verdict->state.known;
}

static void learn_released(struct policy *policy, struct message *message, struct counting *counting, gint64 now)
{
    auto_free(verdict) verdict = evaluate_with(policy, message, counting, now);

    g_assert_false(verdict->state.teaches);
    g_assert_nonnull(verdict->state.parties);
    verdict->state.teaches = true; /* a reviewer has released it */
    verdict_settle(verdict, &counting->state, VERDICT_PASSED, now);
    message_free(message);
}

static void test_known(void)
{
    struct policy *policy = policy_of(REMEMBER LAST);
    struct counting counting;
    counting_open(&counting);

    EXPECT_PASS(policy, wide("care", 1, 9), &counting, NOW, "quarantine:wide: x");
    EXPECT_PASS(policy, wide("care", 1, 9), &counting, NOW, "quarantine:wide: x"); /* what is held teaches nothing */
    learn_released(policy, wide("care", 1, 9), &counting, NOW);
    learn_released(policy, wide("care", 10, 9), &counting, NOW);
    EXPECT_PASS(policy, wide("other", 2, 8), &counting, NOW + 1, "accept:default");
    EXPECT_PASS(policy, wide("care", 2, 9), &counting, NOW + 1, "quarantine:wide: x");  /* a newcomer */
    EXPECT_PASS(policy, wide("care", 1, 18), &counting, NOW + 1, "quarantine:wide: x"); /* two circles */
    g_assert_cmpint(known_of(policy, wide("care", 1, 9), &counting, NOW + 90 * DAY), ==, KNOWN_YES);
    g_assert_cmpint(known_of(policy, wide("care", 1, 9), &counting, NOW + 90 * DAY + 1), ==, KNOWN_NO);
    g_assert_cmpint(known_of(policy, wide("care", 1, 1), &counting, NOW), ==, KNOWN_NOT_ASKED);
    g_assert_cmpint(known_of(policy, wide("care", 1, 5), &counting, NOW), ==, KNOWN_NOT_ASKED); /* no rule needed it */
    g_assert_cmpint(known_of(policy, wide("care", 1, 41), &counting, NOW), ==, KNOWN_NOT_ASKED);
    struct message *cut = wide("care", 1, 9);
    message_add_header(cut, "Cc", "\"broken <@@ x@");
    g_assert_cmpint(known_of(policy, cut, &counting, NOW), ==, KNOWN_NOT_ASKED);
    counting_close(&counting);
    policy_unref(policy);
}

static void test_teaches(void)
{
    static const struct {
        const char *user;
        unsigned people;
        bool teaches;
    } cases[] = {
        {"care", 2, true},  {"care", 1, false},  {"care", 5, true},    {"care", 6, false},
        {"trial", 3, true}, {"trial", 4, false}, {"exempt", 4, false},
    };
    struct policy *policy = policy_of(REMEMBER LAST);
    struct policy *forgetful = policy_of(UNIT_HEAD LAST);
    struct counting counting;
    counting_open(&counting);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = wide(cases[i].user, 1, cases[i].people);
        auto_free(verdict) verdict = evaluate_with(policy, message, &counting, NOW);
        auto_free(verdict) other = evaluate_with(forgetful, message, &counting, NOW);
        if (verdict->state.teaches != cases[i].teaches)
            UNIT_FAIL("%s to %u teaches: %d", cases[i].user, cases[i].people, verdict->state.teaches);
        g_assert_null(other->state.parties);
    }
    counting_close(&counting);
    policy_unref(policy);
    policy_unref(forgetful);
}

/* What was learned a moment ago is not learned again, what was learned days ago is. */
static void test_fresh(void)
{
    struct policy *policy = policy_of(REMEMBER LAST);
    auto_free(message) message = wide("care", 1, 9);
    struct counting counting;
    counting_open(&counting);

    auto_free(verdict) first = evaluate_with(policy, message, &counting, NOW);
    first->state.teaches = true; /* a reviewer has released it */
    g_assert_cmpint(verdict_settle(first, &counting.state, VERDICT_PASSED, NOW), ==, STATE_OK);
    auto_free(verdict) soon = evaluate_with(policy, message, &counting, NOW + 3600);
    g_assert_cmpint(soon->state.known, ==, KNOWN_YES);
    g_assert_false(soon->state.teaches);
    auto_free(verdict) later = evaluate_with(policy, message, &counting, NOW + 86400);
    g_assert_cmpint(later->state.known, ==, KNOWN_YES);
    g_assert_true(later->state.teaches);
    counting_close(&counting);
    policy_unref(policy);
}

/* Who is in the header and not in the envelope is not learned. */
static void test_not_delivered(void)
{
    struct policy *policy = policy_of(REMEMBER LAST);
    auto_free(message) message = message_of("care@me.example", "a@x.example, b@y.example, c@z.example");
    struct counting counting;
    counting_open(&counting);

    message_add_recipient(message, "A@x.example");
    message_add_recipient(message, "c@z.example");
    message_add_recipient(message, "hidden@w.example");
    auto_free(verdict) verdict = evaluate_with(policy, message, &counting, NOW);
    g_assert_cmpuint(verdict->state.parties->len, ==, 2);
    g_assert_cmphex(g_array_index(verdict->state.parties, state_hash, 0), ==,
                    state_hash_text(counting.key, STATE_PARTY, "x.example"));
    g_assert_cmphex(g_array_index(verdict->state.parties, state_hash, 1), ==,
                    state_hash_text(counting.key, STATE_PARTY, "z.example"));
    counting_close(&counting);
    policy_unref(policy);
}

static void test_tenants(void)
{
    struct policy *policy = policy_of(REMEMBER LAST);
    struct counting counting;
    counting_open(&counting);

    for (unsigned i = 0; i < 3; i++) {
        static const char *const senders[] = {"a@t1.example", "a@t2.example", "b@t1.example"};
        struct message *message = wide("care", 1, 6);
        message_set_sender(message, senders[i]);
        if (i == 0)
            learn_released(policy, message, &counting, NOW);
        else
            g_assert_cmpint(known_of(policy, message, &counting, NOW), ==, i == 1 ? KNOWN_NO : KNOWN_YES);
    }
    counting_close(&counting);
    policy_unref(policy);
}

static void test_known_is_not_in_the_window(void)
{
    struct policy *policy = policy_of("version 1\nremember 90d\nclass internal { domain \"me.example\" }\n" SPLIT LAST);
    struct counting counting;
    counting_open(&counting);

    EXPECT_PASS(policy, wide("care", 1, 12), &counting, NOW, "accept:default"); /* which teaches */
    EXPECT_PASS(policy, wide("care", 20, 12), &counting, NOW, "quarantine:split: 24 outside");
    EXPECT_PASS(policy, wide("care", 1, 12), &counting, NOW, "accept:default");
    for (unsigned i = 0; i < 5; i++)
        EXPECT_PASS(policy, wide("late", 1, 12), &counting, NOW + DAY, "accept:default");
    EXPECT_PASS(policy, wide("late", 40, 12), &counting, NOW + DAY, "accept:default");
    counting_close(&counting);
    policy_unref(policy);
}

static void test_known_away(void)
{
    struct policy *policy = policy_of(REMEMBER LAST);
    struct counting counting;
    counting_open(&counting);

    learn_released(policy, wide("care", 1, 9), &counting, NOW);
    counting.away = true;
    auto_free(message) message = wide("care", 1, 9);
    auto_free(verdict) verdict = evaluate_with(policy, message, &counting, NOW);
    auto_free(verdict) none = evaluate_with(policy, message, NULL, NOW);
    g_assert_cmpstr(verdict->rule, ==, "wide");
    g_assert_true(verdict->state.away);
    g_assert_cmpstr(none->rule, ==, "wide");
    counting_close(&counting);
    policy_unref(policy);
}

/* ---- what a policy needs */

static void test_needs(void)
{
    static const struct {
        const char *text;
        unsigned windows, remember;
    } cases[] = {
        {UNIT_HEAD LAST, 0, 0},
        {"remember 90d\n" LAST, 0, 0},
        {"remember 90d\nrule a { when known accept }\n" LAST, 0, 90 * DAY},
        {"rule a { when known accept }\n" LAST, 0, 0},
        {SPLIT LAST, 600, 0},
        {"remember 30d\n" SPLIT "rule b { when visible(all) within 2h >= 9 tag \"x\" }\n" LAST, 7200, 30 * DAY},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = i == 0 ? g_strdup(cases[i].text) : g_strconcat(UNIT_HEAD, cases[i].text, NULL);
        struct policy *policy = policy_of(text);
        struct policy_state needs = policy_state(policy);
        g_assert_cmpuint(needs.windows, ==, cases[i].windows);
        g_assert_cmpuint(needs.remember, ==, cases[i].remember);
        policy_unref(policy);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/window/adds-up", test_adds_up);
    g_test_add_func("/history/window/mail-merge", test_mail_merge);
    g_test_add_func("/history/window/refused", test_refused);
    g_test_add_func("/history/window/recorded-elsewhere", test_recorded_elsewhere);
    g_test_add_func("/history/window/recorded-with-a-fault", test_recorded_with_a_fault);
    g_test_add_func("/history/window/alike", test_alike);
    g_test_add_func("/history/window/bound", test_bound);
    g_test_add_func("/history/window/reload", test_reload);
    g_test_add_func("/history/away/window", test_away);
    g_test_add_func("/history/away/accept", test_accept_on_error);
    g_test_add_func("/history/away/known", test_known_away);
    g_test_add_func("/history/known/sets", test_known);
    g_test_add_func("/history/known/teaches", test_teaches);
    g_test_add_func("/history/known/fresh", test_fresh);
    g_test_add_func("/history/known/not-delivered", test_not_delivered);
    g_test_add_func("/history/known/tenants", test_tenants);
    g_test_add_func("/history/known/window", test_known_is_not_in_the_window);
    g_test_add_func("/history/needs", test_needs);
    return g_test_run();
}
