/* test-template - templates, and values made fit to stand in one line */

#include "policy/base/escape.h"
#include "policy/syntax/template.h"
#include "unit.h"

static void test_escaped(void)
{
    static const struct {
        const char *value;
        size_t limit;
        const char *want;
    } cases[] = {
        {"", 64, "-"},
        {"-", 64, "\\x2D"},
        {"--", 64, "--"},
        {"ann@x.example", 64, "ann@x.example"},
        {"a b", 64, "a\\x20b"},
        {"\"<>,=\\", 64, "\\x22\\x3C\\x3E\\x2C\\x3D\\x5C"},
        {"a\r\n\033\177", 64, "a\\x0D\\x0A\\x1B\\x7F"},
        {"\xc3\xbc\xff", 64, "\\xC3\\xBC\\xFF"},
        {"!~", 64, "!~"},
        /* Cut at the limit, never in the middle of an escape. */
        {"12345678", 8, "12345678"},
        {"123456789", 8, "12345..."},
        {"1234 6789", 8, "1234..."},
        {"1 3 5 7", 12, "1\\x203..."},
        {"12345678 ", 12, "12345678\\x20"},
        {"123456789 ", 12, "123456789..."},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *line = g_string_new("x=");
        text_append_value(line, cases[i].value, strlen(cases[i].value), cases[i].limit, false);
        g_test_message("%s", cases[i].value);
        g_assert_cmpstr(line->str + 2, ==, cases[i].want);
        g_assert_cmpuint(line->len - 2, <=, cases[i].limit);
        g_string_free(line, TRUE);
    }
    {
        /* Blanks where they are welcome; and what stands behind a NUL. */
        GString *line = g_string_new(NULL);
        text_append_escaped(line, "a b\0c", 5, 64, true);
        g_assert_cmpstr(line->str, ==, "a b\\x00c");
        g_string_free(line, TRUE);
    }
}

/* The text of the verdict on a message to three parties outside and one inside, one of them hidden. */
static char *expand(const char *template, const char *sender, const char *user)
{
    g_autofree char *policy_text = g_strdup_printf(
        UNIT_HEAD "class free { domain \"free1.test\" individuals }\ndefault quarantine \"%s\"\n", template);
    struct policy *policy = policy_of(policy_text);
    auto_free(message) message = message_of(sender, "a@x.example, b@x.example, c@me.example, d@free1.test");
    struct verdict *verdict;
    char *text;

    message_set_user(message, user);
    message_set_queue_id(message, "4XyZ1234");
    message_add_recipient(message, "a@x.example");
    message_add_recipient(message, "z@hidden.example");
    verdict = evaluate_at(policy, message, 0);
    text = g_strdup(verdict->text);
    verdict_free(verdict);
    policy_unref(policy);
    return text;
}

static void test_expand(void)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"{visible} {parties} {domains} {recipients} {hidden}", "3 2 2 2 1"},
        {"{visible all} {visible internal} {visible free} {visible other} {visible external}", "4 1 1 2 3"},
        {"{parties all} {domains free} {recipients external} {hidden internal} {hidden external}", "3 1 2 0 1"},
        {"{rule}", "default"},
        {"{sender}", "care@me.example"},
        {"{user}", "news"},
        {"{queue-id}", "4XyZ1234"},
        {"{contact}", "postmaster@me.example"},
        {"{{visible} }{{{rule}}", "{visible} }{default}"},
        {"\xc3\xbc \\\"q\\\" \\\\ 100 %d %s", "\xc3\xbc \"q\" \\ 100 %d %s"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = expand(cases[i][0], "care@me.example", "news");
        g_test_message("%s", cases[i][0]);
        g_assert_cmpstr(got, ==, cases[i][1]);
    }
}

/* {count} is the first count that was true where that mattered; without one, the first of the rule. */
static void test_counted(void)
{
    static const char *const cases[][2] = {
        {"parties(external) >= 2", "2"},
        {"visible(all) >= 2 and parties(external) >= 2", "4"},
        {"visible(external) >= 40 or parties(free, other) >= 2", "2"},
        {"(visible(all) >= 2 and truncated) or recipients(all) >= 1", "1"},
        {"truncated or (not visible(all) >= 40 and visible(free) >= 1)", "1"},
        {"local or visible(external) >= 40", "3"},
        {"not visible(internal) >= 2 and (parties(external) > 5 or visible(external) > 2)", "3"},
        {"not (not visible(all) >= 1) and hidden(all) < 7", "0"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *policy_text =
            g_strdup_printf(UNIT_HEAD "class free { domain \"free1.test\" individuals }\n"
                                      "rule before { when visible(all) >= 1 and truncated accept }\n"
                                      "rule trial { monitor when visible(all) >= 1 reject \"{count}\" }\n"
                                      "rule r { when %s quarantine \"{count}\" }\ndefault accept\n",
                            cases[i][0]);
        struct policy *policy = policy_of(policy_text);
        auto_free(message) message = message_of("a@me.example", "a@x.example, b@x.example, c@me.example, d@free1.test");
        struct verdict *verdict;
        message->local = true;
        message_add_recipient(message, "a@x.example");
        verdict = evaluate_at(policy, message, 0);
        g_test_message("%s", cases[i][0]);
        g_assert_cmpstr(verdict->text, ==, cases[i][1]);
        verdict_free(verdict);
        policy_unref(policy);
    }
}

/* A value cannot forge: it is one line, cut, and no template; each place escapes it for itself. */
static void test_values(void)
{
    g_autofree char *long_name = g_strnfill(300, 'a');
    g_autofree char *long_sender = g_strconcat(long_name, "@me.example", NULL);
    g_autofree char *cut = expand("{sender}|{user}", long_sender, NULL);
    g_autofree char *forged =
        expand("{sender}|{user}", "\"x verdict=accept\"@me.example", "{contact} {{\n\xe2\x80\xae\xff");
    g_autofree char *wide =
        expand("{user}", "ann@me.example",
               "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5"
               "\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac"
               "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5"
               "\xe6\x9c\xac");
    g_autofree char *null = expand("{sender}|{user}", "", "");

    g_assert_cmpuint(strlen(cut), ==, TEXT_VALUE_LIMIT + 2);
    g_assert_true(g_str_has_suffix(cut, "aaa...|-"));
    g_assert_cmpstr(forged, ==, "\"x verdict=accept\"@me.example|{contact} {{\xef\xbf\xbd");
    g_assert_true(g_utf8_validate(wide, -1, NULL));
    g_assert_cmpuint(strlen(wide), ==, 63); /* 20 letters of three bytes, and "..." */
    g_assert_cmpstr(null, ==, "-|-");
}

/* Where in the source each mistake of a template stands, escapes and wide text before it. */
static void test_wrong(void)
{
    static const char *const cases[][2] = {
        {"{visble}", "4:21: there is no variable `{visble}`; did you mean `{visible}`?"},
        {"\\\"\\\\ {x}", "4:26: there is no variable `{x}`; a brace is written `{{`"},
        {"\xe6\x97\xa5\xc3\xbc{x}", "4:23: there is no variable `{x}`; a brace is written `{{`"},
        {"{{ {", "4:24: this `{` has no `}`; a brace is written `{{`"},
        {"{visible intrnal} {hidden nowhere}", "4:21: there is no class `intrnal`; did you mean `internal`?\n"
                                               "4:39: there is no class `nowhere`"},
        {"{ visible}", "4:21: there is no variable `{ visible}`; a brace is written `{{`"},
        {"{Visible}", "4:21: there is no variable `{Visible}`; did you mean `{visible}`?"},
        {"{rule x}", "4:21: there is no variable `{rule x}`; did you mean `{rule}`?"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf(UNIT_HEAD "default quarantine \"%s\"\n", cases[i][0]);
        g_autofree char *got = policy_errors(text);
        if (strcmp(got, cases[i][1]) != 0)
            UNIT_FAIL("`%s` gave\n%s, want\n%s", cases[i][0], got, cases[i][1]);
    }
}

/* What an SMTP reply can carry of it. */
static void test_reply(void)
{
    static const char *const cases[][2] = {
        {"450 people outside", "450 people outside"},
        {"100%", "100%"},
        {"zu viele Empf\xc3\xa4nger \xe2\x80\x93 bitte", "zu viele Empfanger - bitte"},
        {"\xe6\x97\xa5", "?"},
        {"a\xffz\tc", "a?z?c"},
        {"", ""},
    };
    g_autofree char *longest = g_strnfill(TEXT_REPLY_LIMIT + 1, 'x');
    g_autofree char *cut = text_reply(longest);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = text_reply(cases[i][0]);
        g_assert_cmpstr(got, ==, cases[i][1]);
    }
    g_assert_cmpuint(strlen(cut), ==, 500);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/template/counted", test_counted);
    g_test_add_func("/text/escaped", test_escaped);
    g_test_add_func("/text/expand", test_expand);
    g_test_add_func("/text/values", test_values);
    g_test_add_func("/text/wrong", test_wrong);
    g_test_add_func("/text/reply", test_reply);
    return g_test_run();
}
