/* test-header-text - header values as text */

#include "policy/message/header_text.h"

#include <glib.h>
#include <string.h>

static void test_header(void)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"  plain\r\n\ttext ", "plain text"},
        {"=?utf-8?q?J=C3=B6rg?=", "J\xc3\xb6rg"},
        {"=?iso-8859-1?q?J=F6rg?= =?utf-8?b?IExlZQ==?=", "J\xc3\xb6rg Lee"},
        {"", ""},
        /* Items of one character set each, which is guessed. */
        {"caf\xe9 caf\xc3\xa9", "caf\xc3\xa9 caf\xc3\xa9"},
        {"=?utf-8?q?J=C3=B6rg?= \xe9", "J\xc3\xb6rg \xc3\xa9"},
        {"a =? b", "a =? b"},
    };
    g_autofree char *bad = decode_header("\xff\xfe", NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = decode_header(cases[i][0], NULL);
        g_assert_cmpstr(got, ==, cases[i][1]);
    }
    g_assert_true(g_utf8_validate(bad, -1, NULL));
}

/* Encoded-words that are too many for one message, in one header or in several, are not taken for what they are not. */
static void test_limit(void)
{
    GString *value = g_string_new(NULL);
    unsigned words = 0;

    for (unsigned n = 0; n < WORDS_LIMIT; n++)
        g_string_append_printf(value, "=?%s?q?a?= ", n % 2 ? "utf-8" : "us-ascii");
    {
        g_autofree char *whole = decode_header(value->str, &words);
        g_autofree char *beyond = decode_header("=?utf-8?q?a?=", &words);
        g_autofree char *plain = decode_header("a", &words);
        g_autofree char *eight_bit = decode_header("\xe9", &words);
        g_autofree char *shown = decode_header("=?utf-8?q?a?=", NULL);
        g_assert_cmpuint(strlen(whole), ==, WORDS_LIMIT);
        g_assert_null(beyond);
        g_assert_cmpstr(plain, ==, "a");
        g_assert_null(eight_bit);
        g_assert_cmpstr(shown, ==, "a");
    }
    words = 1;
    {
        g_autofree char *beyond = decode_header(value->str, &words);
        g_assert_null(beyond);
    }
    g_string_free(value, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decode/header", test_header);
    g_test_add_func("/decode/limit", test_limit);
    return g_test_run();
}
