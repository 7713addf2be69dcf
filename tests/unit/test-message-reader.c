/* test-message-reader - what the process that reads messages answers, without its confinement */

#include "milter/postfix/postfix.h"
#include "milter/queue/message_reader.h"
#include "unit.h"

#define ENVELOPE "sender: ann@x.example\nrecipient: hidden@y.example\n*** MESSAGE CONTENTS hold/1 ***\n"

static const struct queue_driver *const drivers[] = {&postfix_queue_driver, NULL};

static void test_answers(void)
{
    static const struct {
        bool text;
        const char *message, *answer;
    } cases[] = {
        {false, ENVELOPE "Subject: x\nTo: c@z.example\n", "hSubject\tx\naTo\t1\nvTo\tc@z.example\nbhidden@y.example\n"},
        {false, ENVELOPE "To: \"C\" <c@z.example>\nCc: c@z.example, hidden@y.example\n",
         "aTo\t1\naCc\t2\nvTo, Cc\tc@z.example\ndC\nvCc\thidden@y.example\n"},
        {false, ENVELOPE "From: =?utf-8?q?=1B=5B2J?=\n", "hFrom\t\\u001b[2J\nbhidden@y.example\n"},
        {true, "Subject: x\n\none\ntwo\n", "lone\nltwo\n"},
        {true, "Content-Type: text/html\n\n<p>one<p>two", "lone\nl\nltwo\n"},
        {true, "Content-Type: application/pdf; name=a.pdf\n\nx\n", "na.pdf\n"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) raw = g_string_new(cases[i].message);
        g_autoptr(GString) answer = reader_answer(raw, cases[i].text, drivers, MTA_POSTFIX);
        bool same =
            cases[i].text ? strstr(answer->str, cases[i].answer) != NULL : strcmp(answer->str, cases[i].answer) == 0;
        if (!same)
            UNIT_FAIL("case %u: %s", i, answer->str);
    }
}

/* More lines than are shown: it says that it is cut, and no more of them come. */
static void test_cut(void)
{
    g_autoptr(GString) raw = g_string_new("Subject: x\n\n");
    for (unsigned i = 0; i < 300000; i++)
        g_string_append(raw, "a line of text\n");
    g_autoptr(GString) answer = reader_answer(raw, true, drivers, MTA_POSTFIX);
    g_assert_true(g_str_has_suffix(answer->str, "\nc\n"));
    g_assert_cmpuint(answer->len, <, raw->len);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message-reader/answers", test_answers);
    g_test_add_func("/message-reader/cut", test_cut);
    return g_test_run();
}
