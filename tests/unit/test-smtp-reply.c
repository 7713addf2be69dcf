/* test-smtp-reply - the reply and the reason of a quarantine: exact form, bounds, and what strangers write */

#include "milter/daemon/smtp_reply.h"

#include <string.h>

static char *reply_of(const char *text)
{
    GString *reply = g_string_new(NULL);
    smtp_reply_append(reply, text);
    return g_string_free(reply, FALSE);
}

static void test_reply(void)
{
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        {"", ""},
        {"450 people could read it.", "450 people could read it."},
        {"100% sure %", "100%% sure %%"},
        {" !\"#$&~{|}", " !\"#$&~{|}"},
        {"a\tb\r\nc\033", "a?b??c?"},
        {"Gr\303\274\303\237e \342\200\223 caf\303\251", "Grusse - cafe"},
        {"\346\227\245", "?"},
        {"bad \377 byte", "bad ? byte"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reply = reply_of(cases[i].text);
        g_assert_cmpstr(reply, ==, cases[i].want);
    }
}

/* On the wire, where `%%` is one byte again, the whole line has at most 512 bytes with its CRLF. */
static void test_reply_bounds(void)
{
    for (unsigned shift = 0; shift < 3; shift++) {
        g_autofree char *letters = g_strnfill(3000, 'a');
        g_autofree char *percents = g_strnfill(3000, '%');
        memset(percents, 'a', shift);

        g_autofree char *plain = reply_of(letters);
        g_assert_cmpuint(strlen("550 5.7.1 ") + strlen(plain) + 2, ==, 512);

        g_autofree char *doubled = reply_of(percents);
        g_assert_cmpuint(strlen(doubled), <=, SMTP_REPLY_LIMIT);
        g_assert_cmpuint(strlen(doubled), >, SMTP_REPLY_LIMIT - 2);
        g_assert_cmpuint(strspn(doubled + shift, "%") % 2, ==, 0);
        g_assert_cmpuint(strspn(doubled + shift, "%"), ==, strlen(doubled) - shift);
    }
}

static void test_reason(void)
{
    g_autoptr(GString) reason = g_string_new(NULL);
    smtp_reason_append(reason, "wide-cc", "62 addresses, 100 %\n\303\274");
    g_assert_cmpstr(reason->str, ==, "wide-cc: 62 addresses, 100 %?u");
    g_string_truncate(reason, 0);
    smtp_reason_append(reason, "wide-cc", NULL);
    g_assert_cmpstr(reason->str, ==, "wide-cc");
    g_string_truncate(reason, 0);
    g_autofree char *filler = g_strnfill(3000, 'a');
    smtp_reason_append(reason, "wide-cc", filler);
    g_assert_cmpuint(reason->len, ==, SMTP_REASON_LIMIT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp-reply/reply", test_reply);
    g_test_add_func("/smtp-reply/reply-bounds", test_reply_bounds);
    g_test_add_func("/smtp-reply/reason", test_reason);
    return g_test_run();
}
