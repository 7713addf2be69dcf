/* test-answer-text - the addresses to answer to, as they are in a mail of ours */

#include "milter/notify/answer_text.h"
#include "unit.h"

#define RULE(name, terms) "rule " name " { when parties(external) >= 5 quarantine \"x\"" terms " }\n"
#define POLICY                                                                                                         \
    UNIT_HEAD RULE("plain", "") RULE("go", " release by sender") RULE("why", " release by sender with reason")         \
        RULE("late", " release after 10m") "default accept\n"

/* A site with its policy. */
struct site {
    struct review review;
    struct policy *policy;
    struct answer_site site;
};

static void site_begin(struct site *site)
{
    *site = (struct site){.review = {.answers = (char *)"guard@corp.example",
                                     .answers_delimiter = (char *)"+",
                                     .sender_release = 2 * 60 * 60,
                                     .by_mail = true,
                                     .approvals = 1},
                          .policy = policy_of(POLICY)};
    site->site = (struct answer_site){.review = &site->review, .policy = site->policy, .key = {1, 2, 3}};
}

static struct ledger_row row_of(const char *rule)
{
    return (struct ledger_row){.id = 17,
                               .message = {.queue_id = (char *)"4Xy",
                                           .user = (char *)"ann",
                                           .rule = (char *)rule,
                                           .approvals = 1,
                                           .judged = G_GINT64_CONSTANT(1795508921000000),
                                           .counts = {.visible = 27, .parties = 25}}};
}

static char *sender_text(const struct site *site, struct ledger_row *row)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    g_ptr_array_add(rows, row);
    return answer_text_sender(&site->site, rows);
}

/* How often something is in a text. */
static unsigned count_of(const char *text, const char *what)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

/* The address of this kind is in the text, once; it is read as what it is for, and its code is this login's. */
static void check_address(const struct site *site, const char *text, const struct ledger_row *row, const char *login,
                          enum answer_kind kind)
{
    g_autofree char *address = answer_address_for(&site->site, row, login, kind);
    g_autofree char *line = g_strdup_printf("\n    mailto:%s?subject=Reason:%%20\n", address);
    const struct answer_address read = answer_address_read(&site->review, address);
    g_assert_cmpuint(count_of(text, line), ==, 1);
    g_assert_cmpint(read.kind, ==, kind);
    g_assert_cmpint(read.row, ==, row->id);
}

static void test_sender(void)
{
    struct site site;
    site_begin(&site);
    struct ledger_row row = row_of("why");
    g_autofree char *text = sender_text(&site, &row);
    g_assert_nonnull(strstr(text, "27 addresses outside, of 25\n"));
    g_assert_nonnull(strstr(text, "within 2h, with the login"));
    g_assert_nonnull(strstr(text, "To send it as it is, with your reason in the subject:\n"));
    g_assert_cmpuint(count_of(text, "mailto:"), ==, 2);
    check_address(&site, text, &row, "ann", ANSWER_GO);
    check_address(&site, text, &row, "ann", ANSWER_CANCEL);

    row.message.rule = (char *)"go";
    g_autofree char *without = sender_text(&site, &row);
    g_assert_nonnull(strstr(without, "To send it as it is:\n"));
    g_assert_cmpuint(count_of(without, "mailto:"), ==, 2);
    policy_unref(site.policy);
}

/* Of what the sender cannot decide there is nothing in the notice. */
static void test_not_the_senders(void)
{
    static const char *const rules[] = {"plain", "gone", "default", "fault:go"};
    struct site site;
    site_begin(&site);
    for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
        struct ledger_row row = row_of(rules[i]);
        g_autofree char *text = sender_text(&site, &row);
        if (text[0] != '\0')
            UNIT_FAIL("%s: %s", rules[i], text);
    }
    struct ledger_row two = row_of("go"), nobody = row_of("go"), good = row_of("go");
    two.message.approvals = 2;
    g_autofree char *approved = sender_text(&site, &two);
    g_assert_cmpstr(approved, ==, "");
    nobody.message.user = NULL;
    g_autofree char *unknown = sender_text(&site, &nobody);
    g_assert_cmpstr(unknown, ==, "");
    site.review.approvals = 2;
    g_autofree char *everywhere = sender_text(&site, &good);
    g_assert_cmpstr(everywhere, ==, "");
    site.review.approvals = 1;
    site.review.answers = NULL;
    g_autofree char *nowhere = sender_text(&site, &good);
    g_assert_cmpstr(nowhere, ==, "");
    policy_unref(site.policy);
}

/* What leaves by itself he can stop, even if two reviewers have to agree to its release. */
static void test_stop(void)
{
    struct site site;
    site_begin(&site);
    struct ledger_row row = row_of("late");
    g_autofree char *text = sender_text(&site, &row);
    g_assert_nonnull(strstr(text, "To stop it and have it back, sent to nobody"));
    g_assert_cmpuint(count_of(text, "mailto:"), ==, 1);
    check_address(&site, text, &row, "ann", ANSWER_CANCEL);
    row.message.approvals = 2;
    g_autofree char *approved = sender_text(&site, &row);
    g_assert_cmpstr(approved, ==, text);
    row.message.user = NULL;
    g_autofree char *unknown = sender_text(&site, &row);
    g_assert_cmpstr(unknown, ==, "");
    policy_unref(site.policy);
}

/* One part for each message; its queue id is a stranger's text no more than a line. */
static void test_several(void)
{
    struct site site;
    site_begin(&site);
    struct ledger_row one = row_of("go"), other = row_of("plain"), third = row_of("why");
    third.id = 18;
    third.message.queue_id = (char *)"4X\nTo: x@x.example";
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    g_ptr_array_add(rows, &one);
    g_ptr_array_add(rows, &other);
    g_ptr_array_add(rows, &third);
    g_autofree char *text = answer_text_sender(&site.site, rows);
    g_assert_cmpuint(count_of(text, "\nYour mail of "), ==, 2);
    g_assert_cmpuint(count_of(text, "mailto:"), ==, 4);
    g_assert_null(strstr(text, "\nTo: x"));
    check_address(&site, text, &one, "ann", ANSWER_GO);
    check_address(&site, text, &third, "ann", ANSWER_CANCEL);
    policy_unref(site.policy);
}

/* A reviewer gets the addresses of what he may do, each with a code of his own. */
static void test_reviewer(void)
{
    static const enum answer_kind kinds[] = {ANSWER_RELEASE, ANSWER_RETURN, ANSWER_DELETE};
    static const char *const words[] = {"  release:\n", "  return:\n", "  delete:\n"};
    struct site site;
    site_begin(&site);
    struct ledger_row row = row_of("plain");
    for (unsigned actions = 0; actions < 1u << G_N_ELEMENTS(kinds); actions++) {
        g_autofree char *text = answer_text_reviewer(&site.site, &row, "bob", actions);
        unsigned wanted = 0;
        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
            bool may = (actions & 1u << i) != 0;
            wanted += may;
            g_assert_cmpuint(count_of(text, words[i]), ==, may);
            if (may)
                check_address(&site, text, &row, "bob", kinds[i]);
        }
        g_assert_cmpuint(count_of(text, "mailto:"), ==, wanted);
    }
    g_autofree char *his = answer_text_reviewer(&site.site, &row, "bob", 1u << LEDGER_RELEASE);
    g_autofree char *hers = answer_text_reviewer(&site.site, &row, "eve", 1u << LEDGER_RELEASE);
    g_assert_cmpstr(his, !=, hers);
    policy_unref(site.policy);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/answer-text/sender", test_sender);
    g_test_add_func("/answer-text/not-the-senders", test_not_the_senders);
    g_test_add_func("/answer-text/stop", test_stop);
    g_test_add_func("/answer-text/several", test_several);
    g_test_add_func("/answer-text/reviewer", test_reviewer);
    return g_test_run();
}
