/* test-notice - templates, and mail that no program answers and no stranger can add to */

#include "milter/notice.h"
#include "unit.h"

static struct ledger_message example(void)
{
    return (struct ledger_message){.queue_id = (char *)"4XyZ1",
                                   .judged = G_GINT64_CONSTANT(1790000000000000),
                                   .message_id = (char *)"17@me.example",
                                   .sender = (char *)"ann@me.example",
                                   .subject = (char *)"Spring",
                                   .rule = (char *)"wide",
                                   .text = (char *)"62 people",
                                   .visible = 62,
                                   .parties = 41};
}

static void test_check(void)
{
    static const struct {
        const char *template, *wrong;
    } cases[] = {
        {"Subject: x\n\nText {sender} {{ } {reason}\n", NULL},
        {"Subject: {subject}\n\n", NULL},
        {"Text\n", "expected `Subject: ...` as the first line and an empty second one"},
        {"Subject: x\nText\n", "expected `Subject: ...` as the first line and an empty second one"},
        {"Subject: x", "expected `Subject: ...` as the first line and an empty second one"},
        {"Subject: x\n\n{sender\n}", "a `{` is not closed; a brace itself is `{{`"},
        {"Subject: x\n\n{nothing}",
         "there is no {nothing}; there are {sender}, {subject}, {date}, {rule}, {text}, {visible}, "
         "{parties}, {queue-id}, {reason}"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *wrong = notice_check(cases[i].template);
        g_assert_cmpstr(wrong, ==, cases[i].wrong);
    }
    g_assert_null(notice_check(notice_returned));
}

static void test_values(void)
{
    const struct ledger_message message = example();
    const struct notice_facts facts = {.message = &message, .reason = "use Bcc"};
    const char *template = "Subject: Held: {subject}\n\n{sender}|{subject}|{date}|{rule}|{text}|{visible}|{parties}|"
                           "{queue-id}|{reason}|{{x}\n";
    g_assert_null(notice_check(template));
    g_autofree char *text = notice_compose(template, &facts, "ann@me.example");
    g_assert_cmpstr(text, ==,
                    "From: Mail review <postmaster>\n"
                    "To: <ann@me.example>\n"
                    "Subject: Held: Spring\n"
                    "In-Reply-To: <17@me.example>\n"
                    "Auto-Submitted: auto-replied\n"
                    "X-Auto-Response-Suppress: All\n"
                    "MIME-Version: 1.0\n"
                    "Content-Type: text/plain; charset=utf-8\n"
                    "Content-Transfer-Encoding: 8bit\n"
                    "\n"
                    "ann@me.example|Spring|2026-09-21 14:13 UTC|wide|62 people|62|41|4XyZ1|use Bcc|{x}\n");
}

/* Neither a header nor a line of the text can be added, and no value is a template. */
static void test_strangers(void)
{
    struct ledger_message message = example();
    message.subject = (char *)"a\r\nBcc: eve@evil.example\n\n{reason}\033[2J";
    message.message_id = (char *)"1\n2";
    message.text = NULL;
    const struct notice_facts facts = {.message = &message, .reason = NULL};
    g_autofree char *text =
        notice_compose("Subject: {subject}\n\n[{subject}] {text} {reason}.\n", &facts, "ann\nX: y@me.example");
    g_assert_nonnull(strstr(text, "\nTo: <ann X: y@me.example>\n"));
    g_assert_nonnull(strstr(text, "\nSubject: a  Bcc: eve@evil.example  {reason} [2J\n"));
    g_assert_nonnull(strstr(text, "\nIn-Reply-To: <1 2>\n"));
    g_assert_nonnull(strstr(text, "\n\n[a  Bcc: eve@evil.example  {reason} [2J] wide .\n"));
}

static void test_encoded(void)
{
    struct ledger_message message = example();
    message.subject = (char *)"Gr\303\274\303\237e";
    message.message_id = NULL;
    const struct notice_facts facts = {.message = &message};
    g_autofree char *text = notice_compose("Subject: {subject}\n\n{subject}\n", &facts, "ann@me.example");
    char *body = strstr(text, "\n\n");
    g_assert_cmpstr(body, ==, "\n\nGr\303\274\303\237e\n");
    *body = '\0';
    g_assert_true(g_str_is_ascii(text));
    g_assert_null(strstr(text, "In-Reply-To"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notice/check", test_check);
    g_test_add_func("/notice/values", test_values);
    g_test_add_func("/notice/strangers", test_strangers);
    g_test_add_func("/notice/encoded", test_encoded);
    return g_test_run();
}
