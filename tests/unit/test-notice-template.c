/* test-notice-template - templates, and mail that no program answers and no stranger can add to */

#include "milter/notify/mail_compose.h"
#include "milter/notify/notice_template.h"
#include "policy/message/header_text.h"
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
                                   .counts.visible = 62,
                                   .counts.parties = 41,
                                   .counts.domains = 17};
}

/* Each error with its place. */
static void test_check(void)
{
    static const struct {
        const char *template, *wrong;
    } cases[] = {
        {"Subject: x\n\nText {sender} {{ }\n", NULL},
        {"Subject: {subject}\n\n", NULL},
        {"Text\n", "t:1:1: error: expected `Subject: ...` as the first line"},
        {"Subject: x\nText\n", "t:2:1: error: expected an empty line between the subject and the text"},
        {"Subject: x", "t:1:11: error: expected an empty line between the subject and the text"},
        {"Subject: x\n\na {sender\n}", "t:3:3: error: this `{` is not closed; a brace itself is `{{`"},
        {"Subject: x\n\n\303\274 {subjcet}", "t:3:3: error: there is no {subjcet}; did you mean {subject}?"},
        {"Subject: {reason}\n\n",
         "t:1:10: error: there is no {reason}; expected one of {sender}, {subject}, {date}, {rule}, {text}, {shown}, "
         "{visible}, {parties}, {domains}, {queue-id}, {contact}, {messages}, {list}"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(diags) diags = diags_new();
        g_autofree char *template = notice_parse("t", cases[i].template, strlen(cases[i].template), diags);
        g_autofree char *line = diags_count(diags) == 0 ? NULL : diag_format_line(diags_get(diags, 0));
        g_assert_cmpstr(line, ==, cases[i].wrong);
        g_assert_cmpint(template != NULL, ==, cases[i].wrong == NULL);
    }
    /* All in one pass. */
    auto_free(diags) diags = diags_new();
    g_assert_null(notice_parse("t", "x\n{a}{\n{b}", 10, diags));
    g_assert_cmpuint(diags_errors(diags), ==, 4);
}

static void test_values(void)
{
    const struct ledger_message message = example();
    const struct notice_facts facts = {.message = &message, .reason = "use Bcc", .contact = "desk@me.example"};
    const char *template = "Subject: Held: {subject}\n\n{sender}|{subject}|{date}|{rule}|{text}|{visible}|{parties}|"
                           "{domains}|{queue-id}|{contact}|{messages}|{list}|{{x}\n";
    g_autofree char *text = notice_compose(template, &facts, "ann@me.example");
    g_assert_cmpstr(text, ==,
                    "From: Mail review <postmaster>\n"
                    "To: <ann@me.example>\n"
                    "Subject: Held: Spring\n"
                    "In-Reply-To: <17@me.example>\n"
                    "References: <17@me.example>\n"
                    "Auto-Submitted: auto-replied\n"
                    "X-Auto-Response-Suppress: All\n"
                    "Precedence: bulk\n"
                    "MIME-Version: 1.0\n"
                    "Content-Type: text/plain; charset=utf-8\n"
                    "Content-Transfer-Encoding: 8bit\n"
                    "\n"
                    "ann@me.example|Spring|2026-09-21 14:13 UTC|wide|62 people|62|41|17|4XyZ1|desk@me.example|1|"
                    "2026-09-21 14:13 UTC  4XyZ1  Spring|{x}\n");
    g_autofree char *returned = notice_compose(notice_returned, &facts, "ann@me.example");
    g_assert_nonnull(strstr(returned, "Reviewer:  use Bcc\n"));
    g_assert_null(strchr(returned, '{'));
}

/* Whom its readers see: in the headers, in parts of it, or both. */
static void test_shown(void)
{
    static const char header[] = "Everybody who gets it would see the others: 62 addresses outside, of 41\n"
                                 "different organisations or people.";
    struct ledger_message message = example();
    const struct notice_facts facts = {.message = &message};
    g_autofree char *plain = letter_shown(&message.counts, &message.inside);
    g_assert_cmpstr(plain, ==, header);

    message.inside.asked = INSIDE_READ;
    message.inside.places[0] = (struct inside_place){45, 43};
    message.inside.places[INSIDE_HEADER] = (struct inside_place){1, 1};
    g_autofree char *both = letter_shown(&message.counts, &message.inside);
    g_assert_true(g_str_has_prefix(both, "Everybody who gets it would see the others: 62 addresses outside, of 41\n"));

    message.counts = (struct exposure_counts){.hidden = 45};
    g_autofree char *inside = letter_shown(&message.counts, &message.inside);
    g_assert_cmpstr(inside, ==,
                    "An invitation in it shows 45 addresses outside, of 43 different organisations\n"
                    "or people. Other fields of its header show 1 address outside, of 1 different\n"
                    "organisation or people. Bcc does not hide these.");
    const char *const templates[] = {notice_returned, notice_expired, notice_deleted, notice_delayed, notice_cancelled};
    for (size_t i = 0; i < G_N_ELEMENTS(templates); i++) {
        g_autofree char *text = notice_compose(templates[i], &facts, "ann@me.example");
        g_assert_nonnull(strstr(text, "\n\nAn invitation in it shows 45 addresses outside, of 43 different"));
        g_assert_null(strstr(text, "Everybody"));
    }
    for (char *line = inside; line != NULL; line = strchr(line + 1, '\n'))
        g_assert_cmpuint(strcspn(line + 1, "\n"), <, 79);
}

/* A mail about several: the list stands where the template has it, or at the end; it is bounded. */
static void test_several(void)
{
    struct ledger_row rows[NOTICE_LIST_LIMIT + 2] = {{.id = 0}};
    g_autoptr(GPtrArray) array = g_ptr_array_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        rows[i].message = example();
        g_ptr_array_add(array, &rows[i]);
    }
    const struct notice_facts facts = {.message = &rows[0].message, .rows = array};
    const char *line = "2026-09-21 14:13 UTC  4XyZ1  Spring\n";
    g_autofree char *first = notice_compose("Subject: x\n\n{messages}:\n{list}\nEnd\n", &facts, "ann@me.example");
    g_assert_nonnull(strstr(first, "\n\n52:\n2026-09-21"));
    g_assert_true(g_str_has_suffix(first, "Spring\n... (52)\nEnd\n"));
    g_ptr_array_set_size(array, 2);
    g_autofree char *second = notice_compose("Subject: x\n\nText, {contact}\n", &facts, "ann@me.example");
    g_autofree char *wanted = g_strdup_printf("\n\nText, postmaster\n\n%s%s", line, line);
    g_assert_true(g_str_has_suffix(second, wanted));
}

/* What sendmail(1) could take for more than one address, or for an option. */
static void test_addresses(void)
{
    static const char *const good[] = {"ann@me.example", "o'brien+x@me.example", "gr\303\274n@me.example", "a=b/c@x"};
    static const char *const bad[] = {
        "",        "ann",   "@me.example",   "ann@",  "-oQ@me.example", "a@b@c",  "a b@c",      "a,b@c", "a@b,c@d",
        "\"a\"@b", "a;b@c", "a@[127.0.0.1]", "<a@b>", "a@b (comment)",  "a\nb@c", "undis:a@b;", "\303@b"};
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(letter_takes(good[i]));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(letter_takes(bad[i]));
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
    g_assert_null(strstr(text, "In-Reply-To"));
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

/* What a reader makes of a field: unfolded, its encoded-words decoded by RFC 2047 (policy/decode.c). */
static char *read_back(const char *text, const char *field)
{
    g_autofree char *begin = g_strdup_printf("\n%s: ", field);
    const char *found = strstr(text, begin);
    g_assert_nonnull(found);
    GString *value = g_string_new(NULL);
    for (found += strlen(begin); *found != '\n' || found[1] == ' '; found++) {
        if (*found != '\n')
            g_string_append_c(value, *found);
    }
    char *decoded = decode_header(value->str, NULL);
    g_string_free(value, TRUE);
    return decoded;
}

/* No line above its limit, no encoded-word above 75 characters, each of whole characters. */
static void assert_lawful(const char *text)
{
    const char *body = strstr(text, "\n\n");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t at = 0;
    for (char **line = lines; *line != NULL; at += strlen(*line) + 1, line++) {
        bool header = text + at < body;
        g_assert_cmpuint(strlen(*line), <=, header ? 78 : 998);
        g_assert_true(g_utf8_validate(*line, -1, NULL));
        g_assert_true(!header || (*line)[strspn(*line, " ")] != '\0');
    }
    g_autoptr(GRegex) regex = g_regex_new("=\\?UTF-8\\?([bq])\\?([^?]*)\\?=", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match_full(regex, text, body - text, 0, 0, &match, NULL); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        g_autofree char *word = g_match_info_fetch(match, 0), *decoded = decode_header(word, NULL);
        g_assert_cmpuint(strlen(word), <=, 75);
        g_assert_true(g_utf8_validate(decoded, -1, NULL));
        g_assert_null(strstr(decoded, "\357\277\275"));
    }
}

/* Words that have no blank to fold at, in the subject and in the text; and what looks like an encoded-word. */
static void test_long_words(void)
{
    g_autofree char *ascii = g_strnfill(300, 'x');
    g_autofree char *japanese = g_strdup("");
    for (unsigned i = 0; i < 40; i++) {
        char *longer = g_strconcat(japanese, "\346\251\237", NULL); /* a letter of 3 bytes */
        g_free(japanese);
        japanese = longer;
    }
    g_autofree char *blanks = g_strnfill(200, ' ');
    g_autofree char *eighty_blanks = g_strdup_printf("a%.80s\303\274", blanks);
    g_autofree char *two_hundred_blanks = g_strdup_printf("\303\274%s\303\274 x", blanks);
    const char *const subjects[] = {
        "https://tickets.corp.example/browse/OPS-12345?focusedCommentId=1234567&page=com.example",
        "Re: https://tickets.corp.example/browse/OPS-12345?focusedCommentId=1234567&page=com.example again, please",
        "many ordinary words that fill more than one line of a header and so have to be folded at one of their blanks",
        "\303\234berraschung: the first word alone is not ASCII, and many others that are come after it to fold",
        "the last word alone is not ASCII, and many others that are come before it to be folded \303\274",
        "a =?UTF-8?q?fake?= word",
        eighty_blanks,
        two_hundred_blanks,
        "two  blanks   and\303\274  more",
        "\360\237\230\200\360\237\230\200",
        ascii,
        japanese,
        "x",
        ""};
    for (unsigned i = 0; i < G_N_ELEMENTS(subjects); i++) {
        struct ledger_message message = example();
        message.subject = (char *)subjects[i];
        message.text = ascii;
        g_autofree char *reason = g_strdup_printf("%s %s%s%s%s%s", japanese, ascii, ascii, ascii, ascii, japanese);
        const struct notice_facts facts = {.message = &message, .reason = reason};
        g_autofree char *text = notice_compose(notice_returned, &facts, "ann@me.example");
        g_autofree char *subject = read_back(text, "Subject");
        g_autofree char *wanted = g_strchomp(g_strdup_printf("Not sent: %s", subjects[i]));
        g_assert_cmpstr(subject, ==, wanted);
        assert_lawful(text);
    }
}

/* Many addresses, and ids that no header can have. */
static void test_long_fields(void)
{
    g_autoptr(GString) to = g_string_new("first@me.example");
    for (unsigned i = 0; i < 100; i++)
        g_string_append_printf(to, ", reviewer%u@me.example", i);
    g_autofree char *id = g_strnfill(2000, 'i');
    const char *const ids[] = {id, "a b", "a>b", "\303\274@x", ""};
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        const struct letter letter = {.to = to->str, .subject = "x", .answers = ids[i], .body = "x\n"};
        g_autofree char *text = letter_compose(&letter), *read = read_back(text, "To");
        g_assert_cmpstr(read, ==, to->str);
        g_assert_null(strstr(text, "In-Reply-To"));
        assert_lawful(text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notice/check", test_check);
    g_test_add_func("/notice/values", test_values);
    g_test_add_func("/notice/several", test_several);
    g_test_add_func("/notice/shown", test_shown);
    g_test_add_func("/notice/addresses", test_addresses);
    g_test_add_func("/notice/strangers", test_strangers);
    g_test_add_func("/notice/encoded", test_encoded);
    g_test_add_func("/notice/long-words", test_long_words);
    g_test_add_func("/notice/long-fields", test_long_fields);
    return g_test_run();
}
