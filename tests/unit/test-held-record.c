/* test-held-record - what of a message is kept, and that recipients' addresses are not */

#include "milter/daemon/held_record.h"
#include "policy/state/state_keys.h"
#include "policy/state/state_memory.h"
#include "unit.h"

#define BEGAN  G_GINT64_CONSTANT(1790000000000000)
#define JUDGED (BEGAN + 1500000)

static const char text[] = UNIT_HEAD "class freemail { domain \"free1.example\", \"free2.example\" individuals }\n"
                                     "rule two { when user = \"two@me.example\" quarantine \"two\" approvals 2 }\n"
                                     "default quarantine \"{visible} people\"\n";

struct kept {
    struct policy *policy;
    struct message *message;
    struct verdict *verdict;
    struct hold *hold;
};

static struct kept keep_of(struct message *message, bool with_subject)
{
    struct kept kept = {.policy = policy_of(text), .message = message};
    kept.verdict = evaluate_at(kept.policy, message, BEGAN / G_USEC_PER_SEC);
    kept.hold = hold_new(kept.policy, message, kept.verdict, with_subject, BEGAN, JUDGED);
    return kept;
}

static void kept_clear(struct kept *kept)
{
    hold_free(kept->hold);
    verdict_free(kept->verdict);
    message_free(kept->message);
    policy_unref(kept->policy);
}

/* "class name individuals people parties", one a line. */
static char *parties_of(const struct hold *hold)
{
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < hold->parties->len; i++) {
        const struct ledger_party *party = g_ptr_array_index(hold->parties, i);
        g_string_append_printf(lines, "%s%s %s %d %u %u", i == 0 ? "" : "\n", party->class_name,
                               party->name == NULL ? "-" : party->name, party->individuals, party->people,
                               party->parties);
    }
    return g_string_free(lines, FALSE);
}

static void test_facts(void)
{
    struct message *message = message_of("care@me.example", "ann@x.example, bob@x.example, ann@me.example");
    message->mta = MTA_POSTFIX;
    message_set_queue_id(message, "4XyZ1");
    message_set_user(message, "care");
    message_set_client(message, "10.1.2.3");
    message_add_recipient(message, "blind@y.example");
    message_add_recipient(message, "ann@x.example");
    message_add_header(message, "Message-ID", "\n <17@me.example>");
    message_add_header(message, "Subject", "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= an alle");
    struct kept kept = keep_of(message, true);
    const struct ledger_message *got = &kept.hold->message;
    g_assert_cmpstr(got->queue_id, ==, "4XyZ1");
    g_assert_cmpint(got->mta, ==, MTA_POSTFIX);
    g_assert_cmpint(got->began, ==, BEGAN);
    g_assert_cmpint(got->judged, ==, JUDGED);
    g_assert_cmpstr(got->message_id, ==, "17@me.example");
    g_assert_cmpstr(got->sender, ==, "care@me.example");
    g_assert_cmpstr(got->user, ==, "care");
    g_assert_cmpstr(got->client, ==, "10.1.2.3");
    g_assert_cmpstr(got->subject, ==, "Gr\303\274\303\237e an alle");
    g_assert_cmpstr(got->rule, ==, "default");
    g_assert_cmpstr(got->text, ==, "2 people");
    g_assert_cmpuint(got->line, ==, kept.verdict->line);
    g_assert_cmpuint(got->line, >, 0);
    g_assert_cmpstr(got->policy, ==, policy_digest(kept.policy));
    g_assert_cmpstr(kept.hold->policy_text, ==, policy_text(kept.policy));
    const unsigned counts[][2] = {{got->counts.visible, 2},  {got->counts.parties, 1}, {got->counts.domains, 1},
                                  {got->counts.internal, 1}, {got->counts.hidden, 1},  {got->counts.recipients, 2},
                                  {got->counts.defects, 0},  {got->approvals, 1}};
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++)
        g_assert_cmpuint(counts[i][0], ==, counts[i][1]);
    kept_clear(&kept);
}

/* What a message does not have. */
static void test_bare(void)
{
    struct kept kept = keep_of(message_of("", NULL), true);
    const struct ledger_message *got = &kept.hold->message;
    g_assert_cmpstr(got->sender, ==, "");
    g_assert_null(got->queue_id);
    g_assert_null(got->message_id);
    g_assert_null(got->subject);
    g_assert_null(got->user);
    g_assert_null(got->author);
    g_assert_cmpuint(kept.hold->parties->len, ==, 0);
    kept_clear(&kept);
}

static void test_subjects(void)
{
    g_autofree char *long_one = g_strnfill(5000, 'x');
    g_autofree char *wide = g_strdup("");
    for (unsigned i = 0; i < 90; i++) {
        char *more = g_strconcat(wide, "\346\227\245", NULL);
        g_free(wide);
        wide = more;
    }
    g_autofree char *wide_cut = g_utf8_substring(wide, 0, 80);
    g_autofree char *long_cut = g_strnfill(80, 'x');
    const char *const cases[][2] = {
        {"plain", "plain"},
        {"  \n\tfolded\n and\n on ", "folded and on"},
        {"=?iso-8859-1?Q?caf=E9?=", "caf\303\251"},
        {"raw \377 byte", "raw \303\277 byte"},
        {long_one, long_cut},
        {wide, wide_cut},
        {"=?utf-8?B?GyBbMko=?= cursor", "\033 [2J cursor"}, /* kept as it is: who shows it escapes it */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct message *message = message_of("care@me.example", "ann@x.example");
        message_add_header(message, "Subject", cases[i][0]);
        message_add_header(message, "Subject", "another");
        struct kept kept = keep_of(message, true);
        g_assert_cmpstr(kept.hold->message.subject, ==, cases[i][1]);
        kept_clear(&kept);
    }
    struct message *message = message_of("care@me.example", "ann@x.example");
    message_add_header(message, "Subject", "secret");
    struct kept kept = keep_of(message, false);
    g_assert_null(kept.hold->message.subject);
    kept_clear(&kept);
}

/* A text that somebody made long, or not UTF-8, is bounded and valid. */
static void test_bounds(void)
{
    g_autofree char *long_one = g_strnfill(70000, 'u');
    g_autofree char *wide = g_strdup("x");
    for (unsigned i = 0; i < 800; i++) {
        char *more = g_strconcat(wide, "\303\251", NULL);
        g_free(wide);
        wide = more;
    }
    struct message *message = message_of("care@me.example", "ann@x.example");
    g_free(message->sender);
    message->sender = g_strdup("\377\376@me.example");
    message_set_user(message, wide);
    message_set_client(message, long_one);
    message_add_header(message, "Message-ID", long_one);
    struct kept kept = keep_of(message, true);
    const struct ledger_message *got = &kept.hold->message;
    const char *const texts[] = {got->sender, got->user, got->client, got->message_id};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_true(g_utf8_validate(texts[i], -1, NULL));
        g_assert_cmpuint(strlen(texts[i]), <=, HOLD_TEXT_LIMIT);
    }
    g_assert_cmpuint(strlen(got->client), ==, HOLD_TEXT_LIMIT);
    g_assert_cmpuint(strlen(got->user), >=, HOLD_TEXT_LIMIT - 3);
    kept_clear(&kept);
}

/* Parties by size; private mailboxes only by their domain, and no address anywhere. */
static void test_parties(void)
{
    struct message *message = message_of(
        "care@me.example", "a@x.example, b@sub.x.example, c@y.example, p1@free1.example, p2@free1.example,"
                           " p3@free1.example, q@free2.example, r@me.example, \"said s@z.example\" <r@me.example>,"
                           " t@[192.0.2.1], a@x.example");
    struct kept kept = keep_of(message, true);
    g_autofree char *got = parties_of(kept.hold);
    g_assert_cmpstr(got, ==,
                    "freemail free1.example 1 3 3\n"
                    "other x.example 0 2 1\n"
                    "other [192.0.2.1] 0 1 1\n"
                    "freemail free2.example 1 1 1\n"
                    "internal me.example 0 1 1\n"
                    "other y.example 0 1 1\n"
                    "other z.example 0 1 1");
    g_assert_null(strchr(got, '@'));
    kept_clear(&kept);
}

/* A thousand parties: the largest are kept, the others counted, and the sums are those of the message. */
static void test_many_parties(void)
{
    g_autofree char *strangers = people_of(1000, "a{n}@org{n}.example");
    g_autofree char *to = g_strdup_printf("x1@big.example, x2@big.example, %s", strangers);
    struct kept kept = keep_of(message_of("care@me.example", to), true);
    unsigned people = 0, parties = 0;
    for (guint i = 0; i < kept.hold->parties->len; i++) {
        const struct ledger_party *party = g_ptr_array_index(kept.hold->parties, i);
        people += party->people;
        parties += party->parties;
        g_assert_true((party->name == NULL) == (i == LEDGER_PARTIES_LIMIT));
    }
    g_assert_cmpuint(kept.hold->parties->len, ==, LEDGER_PARTIES_LIMIT + 1);
    g_assert_cmpstr(((struct ledger_party *)g_ptr_array_index(kept.hold->parties, 0))->name, ==, "big.example");
    g_assert_cmpuint(people, ==, 1002);
    g_assert_cmpuint(parties, ==, 1001);
    g_assert_cmpuint(kept.hold->message.counts.parties, ==, 1001);
    kept_clear(&kept);
}

/* Who can be told: the login if it is an internal address, else an internal sender, else nobody. */
static void test_author(void)
{
    static const struct {
        const char *user, *sender, *want;
    } cases[] = {
        {"ann@me.example", "care@me.example", "ann@me.example"},
        {"ann", "care@me.example", "care@me.example"},
        {"ann@x.example", "care@me.example", "care@me.example"},
        {"ann@me.example", "", "ann@me.example"},
        {NULL, "care@me.example", "care@me.example"},
        {NULL, "care@x.example", NULL},
        {"ann@x.example", "care@y.example", NULL},
        {"ann", "", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct message *message = message_of(cases[i].sender, "ann@x.example");
        if (cases[i].user != NULL)
            message_set_user(message, cases[i].user);
        struct kept kept = keep_of(message, true);
        g_assert_cmpstr(kept.hold->message.author, ==, cases[i].want);
        kept_clear(&kept);
    }
}

/* Mail that nobody is told of, since an answer could be answered (RFC 3834). */
static void test_untold(void)
{
    static const struct {
        const char *sender, *name, *value;
        bool told;
    } cases[] = {
        {"care@me.example", "X-Nothing", "auto-replied", true},
        {"", "X-Nothing", "x", false},
        {"care@me.example", "Auto-Submitted", "auto-replied", false},
        {"care@me.example", "AUTO-SUBMITTED", "auto-generated; x=y", false},
        {"care@me.example", "Auto-Submitted", " No", true},
        {"care@me.example", "Auto-Submitted", "no; x=y", true},
        {"care@me.example", "Auto-Submitted", "nobody", false},
        {"care@me.example", "Auto-Submitted", "", false},
        {"care@me.example", "List-Id", "<x>", false},
        {"care@me.example", "list-unsubscribe", "<mailto:x>", false},
        {"care@me.example", "List-Something", "x", true},
        {"care@me.example", "Precedence", "bulk", false},
        {"care@me.example", "Precedence", "JUNK", false},
        {"care@me.example", "Precedence", "list", false},
        {"care@me.example", "Precedence", "listless", true},
        {"care@me.example", "Precedence", "first-class", true},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct message *message = message_of(cases[i].sender, "ann@x.example");
        message_add_header(message, cases[i].name, cases[i].value);
        struct kept kept = keep_of(message, true);
        if ((kept.hold->untold == NULL) != cases[i].told)
            UNIT_FAIL("%s: %s", cases[i].name, cases[i].value);
        kept_clear(&kept);
    }
}

/* What the rule counted inside parts, each count once, and what all rules together found; nobody's address. */
static void test_inside(void)
{
    static const char rules[] = UNIT_HEAD
        "rule texts { when visible(external) inside text >= 100 quarantine \"text\" }\n"
        "rule field { when (visible(external) inside header(\"X-To\"), forwarded >= 2 or parties(external) inside "
        "header(\"X-To\") > 7) and not visible(external) inside header(\"X-To\"), forwarded > 9 quarantine "
        "\"{inside}\" }\n"
        "default accept\n";
    static const char body[] = "See c@three.example\n";
    struct kept kept = {.policy = policy_of(rules), .message = message_of("care@me.example", "ann@x.example")};
    message_add_header(kept.message, "X-To", "a@one.example, b@one.example");
    message_set_body(kept.message, message_body_of(body, strlen(body), false));
    kept.verdict = evaluate_at(kept.policy, kept.message, BEGAN / G_USEC_PER_SEC);
    kept.hold = hold_new(kept.policy, kept.message, kept.verdict, true, BEGAN, JUDGED);
    char shown[INSIDE_TEXT_SIZE];
    g_autoptr(GString) tests = g_string_new(NULL);
    inside_counts_text(&kept.hold->message.inside, shown);
    g_assert_cmpstr(kept.hold->message.rule, ==, "field");
    g_assert_cmpstr(shown, ==, "text:1/1,header:2/1");
    for (unsigned i = 0; i < kept.hold->inside->len; i++) {
        const struct kept_inside *one = &g_array_index(kept.hold->inside, struct kept_inside, i);
        g_string_append_printf(tests, "%s = %u\n", one->test, one->value);
    }
    g_assert_cmpstr(tests->str, ==,
                    "visible(external) inside header(\"X-To\"), forwarded = 2\n"
                    "parties(external) inside header(\"X-To\") = 1\n");
    kept_clear(&kept);
}

static void test_approvals(void)
{
    struct message *message = message_of("care@me.example", "ann@x.example");
    message_set_user(message, "two@me.example");
    struct kept kept = keep_of(message, true);
    g_assert_cmpuint(kept.hold->message.approvals, ==, 2);
    kept_clear(&kept);
}

/* ---- the state */

static const char with_state[] =
    UNIT_HEAD "remember 90d\n"
              "rule fast { when parties(external) within 10m >= 3 and not known quarantine \"{within}\" }\n"
              "rule odd { when header(\"X-Odd\") quarantine \"odd\" }\n"
              "rule trial { monitor when visible(external) within 1h >= 2 quarantine \"trial\" }\n"
              "default accept\n";

struct remembering {
    struct state_memory *memory;
    struct state_key *key;
    struct state state;
    struct policy *policy;
};

static struct remembering remembering_new(const char *policy)
{
    struct remembering with = {.memory = state_memory_new(), .key = state_key_new("k", 1), .policy = policy_of(policy)};
    with.state = (struct state){&state_memory_functions, with.memory, with.key};
    return with;
}

static void remembering_clear(struct remembering *with)
{
    state_memory_free(with->memory);
    state_key_free(with->key);
    policy_unref(with->policy);
}

/* What is kept of a message to those in `to`, of whom the envelope has those in `envelope`. */
static struct kept keep_with(const struct remembering *with, const char *to, const char *envelope, const char *odd,
                             const struct state *state)
{
    struct kept kept = {.policy = policy_ref(with->policy), .message = message_of("care@me.example", to)};
    g_auto(GStrv) recipients = g_strsplit(envelope, ", ", -1);
    const struct evaluate_options options = {
        .now = BEGAN / G_USEC_PER_SEC, .on_fault = DISPOSITION_QUARANTINE, .outbound = OUTBOUND_YES, .state = state};
    message_add_header(kept.message, "Message-ID", to);
    if (odd != NULL)
        message_add_header(kept.message, "X-Odd", odd);
    for (char **recipient = recipients; *recipient != NULL; recipient++)
        message_add_recipient(kept.message, *recipient);
    kept.verdict = policy_evaluate(kept.policy, kept.message, &options);
    kept.hold = hold_new(kept.policy, kept.message, kept.verdict, true, BEGAN, JUDGED);
    return kept;
}

static void check_state(struct kept *kept, const char *rule, unsigned parties, const char *counted, guint32 within,
                        enum verdict_known known)
{
    const struct ledger_remembered *remembered = &kept->hold->remembered;
    g_assert_cmpstr(kept->hold->message.rule, ==, rule);
    g_assert_true(kept->hold->remembers);
    g_assert_cmpuint(remembered->parties == NULL ? 0 : remembered->parties->len, ==, parties);
    g_assert_cmpstr(remembered->counted, ==, counted);
    g_assert_cmpuint(remembered->within, ==, within);
    g_assert_cmpint(remembered->known, ==, known);
    g_assert_cmpuint(remembered->record, ==, kept->verdict->state.record);
}

#define THREE "ann@a.example, bob@b.example, cat@c.example"
#define TWO   "ann@a.example, bob@b.example"

static void test_state(void)
{
    struct remembering with = remembering_new(with_state);
    struct kept kept = keep_with(&with, THREE, THREE, NULL, &with.state);
    check_state(&kept, "fast", 3, "parties", 3, KNOWN_NO);
    g_assert_true(kept.hold->remembered.answered);
    g_assert_cmpuint(kept.hold->remembered.record, !=, 0);
    g_assert_false(kept.verdict->state.teaches); /* a reviewer's release does */
    kept_clear(&kept);

    /* Held by another rule: it is in the window all the same, and only who got it can be taught. */
    struct remembering other = remembering_new(with_state);
    kept = keep_with(&other, TWO, TWO, "yes", &other.state);
    check_state(&kept, "odd", 2, NULL, 0, KNOWN_NO);
    g_assert_cmpuint(kept.hold->remembered.record, !=, 0);
    kept_clear(&kept);
    kept = keep_with(&other, THREE, TWO, NULL, &other.state);
    check_state(&kept, "fast", 2, "parties", 3, KNOWN_NO);
    kept_clear(&kept);
    kept = keep_with(&other, THREE, "ann@a.example", NULL, &other.state);
    check_state(&kept, "fast", 0, "parties", 3, KNOWN_NO);
    kept_clear(&kept);

    /* Nothing can be learned of a header that could not be read whole. */
    kept = keep_with(&other, THREE ", @@@@@@", THREE, "yes", &other.state);
    g_assert_cmpuint(exposure_defects(kept.verdict->exposure) & DEFECT_UNPARSED, !=, 0);
    g_assert_null(kept.hold->remembered.parties);
    kept_clear(&kept);

    /* Nobody can be told apart without the state: no number, and the rule is `error:`. */
    kept = keep_with(&other, THREE, THREE, NULL, NULL);
    check_state(&kept, "error:fast", 0, "parties", 0, KNOWN_NO);
    g_assert_false(kept.hold->remembered.answered);
    kept_clear(&kept);

    /* It shows one party, and has nothing to do with it. */
    kept = keep_with(&other, "ann@a.example", "ann@a.example", "yes", &other.state);
    g_assert_false(kept.hold->remembers);
    kept_clear(&kept);
    remembering_clear(&other);
    remembering_clear(&with);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hold/facts", test_facts);
    g_test_add_func("/hold/bare", test_bare);
    g_test_add_func("/hold/subjects", test_subjects);
    g_test_add_func("/hold/bounds", test_bounds);
    g_test_add_func("/hold/parties", test_parties);
    g_test_add_func("/hold/many-parties", test_many_parties);
    g_test_add_func("/hold/author", test_author);
    g_test_add_func("/hold/untold", test_untold);
    g_test_add_func("/hold/approvals", test_approvals);
    g_test_add_func("/hold/inside", test_inside);
    g_test_add_func("/hold/state", test_state);
    return g_test_run();
}
