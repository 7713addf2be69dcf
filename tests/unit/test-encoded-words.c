/* test-encoded-words - encoded-words, mended, parted, decoded and raw */

#include "policy/message/encoded_words.h"

#include <gmime/gmime.h>
#include <string.h>

/* A `=?` that begins no word. */
#define PARTED "=\xe2\x81\xa0?"

static char *decoder(const char *word)
{
    return g_mime_utils_header_decode_text(NULL, word);
}

static void test_mend(void)
{
    static const char *const cases[][2] = {
        {"", NULL},
        {"Ann <ann@x.example>", NULL},
        {"=?utf-8?q?ann=40x?=", "=?utf-8?q?ann=40x?="},
        {"=?utf-8?Q?Ann Lee_<(\"?=", "=?utf-8?q?Ann=20Lee=20=3C=28=22?="},
        {"=?utf-8?b?YW5uQHg=?= <b>", "=?utf-8?q?ann=40x?= <b>"},
        /* Padding that is missing, in excess or in the middle; what is not of the alphabet. */
        {"=?utf-8?b?YW5uQHg?=", "=?utf-8?q?ann=40x?="},
        {"=?utf-8?b?YW5uQHg===?=", "=?utf-8?q?ann=40x?="},
        {"=?utf-8?b?YQ==Yg==?=", "=?utf-8?q?ab?="},
        {"=?utf-8?b? Y!W\n5uQHg=?=", "=?utf-8?q?ann=40x?="},
        /* Neighbours of one character set are one word, whatever its name's spelling. */
        {"=?utf-8?b?YQ==?=\r\n =?utf-8?b?Yg==?= c", "=?utf-8?q?ab?= c"},
        {"=?utf-8?b?YQ==?==?UTF8?q?b?= =?Utf_8*en?b?Yw==?=", "=?utf-8?q?abc?="},
        {"=?utf-8*de-CH?b?YQ==?=", "=?utf-8?q?a?="},
        /* A part of an address keeps its spelling where a decoder reads it right. */
        {"=?utf-8?b?YQ==?=@x.example", "=?utf-8?b?YQ==?=@x.example"},
        {"=?utf-8?b?YQ==?=.b@x.example", "=?utf-8?b?YQ==?=.b@x.example"},
        {"=?utf-8?b?YQ?=@x.example", "=?utf-8?q?a?=@x.example"},
        {"=?utf-8?b?YQ==?= =?utf-8?b?Yg==?=@x.example", "=?utf-8?q?ab?=@x.example"},
        {"=?koi8-r?b?YQ==?= =?utf-8?b?Yg==?=@x.example", "=?koi8-r?q?a?= =?utf-8?b?Yg==?=@x.example"},
        {"=?utf-8?b?YQ==?= =?koi8-r?b?Yg==?=", "=?utf-8?q?a?= =?koi8-r?q?b?="},
        {"=?utf-8?b?YQ==?= =?utf-16?b?AGI=?=", "=?utf-8?q?a?= =?utf-16?q?=00b?="},
        {"=?utf-8?b?YQ==?= , =?utf-8?b?Yg==?=", "=?utf-8?q?a?= , =?utf-8?q?b?="},
        /* A NUL would end the text; kanji end with their word. */
        {"=?koi8-r?q?a=00b?=", "=?koi8-r?q?a=20b?="},
        {"=?iso-2022-jp?b?GyRC?= =?iso-2022-jp?q?a?=", "=?iso-2022-jp?q?=1B=24B=1B=28Ba=1B=28B?="},
        /* Those that are none. */
        {"=? a", PARTED " a"},
        {"a=?", "a" PARTED},
        {"=?utf-8?q?a", PARTED "utf-8?q?a"},
        {"=?utf-8?x?a?=", PARTED "utf-8?x?a?="},
        {"=??q?a?=", PARTED "?q?a?="},
        {"=?utf-8?q?=?utf-8?q?a=40?=?=", PARTED "utf-8?q?=?utf-8?q?a=40?=?="},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned count = 0;
        struct words words = {0};
        g_test_message("%s", cases[i][0]);
        g_assert_true(words_read(cases[i][0], &count, decoder, &words) == (cases[i][1] != NULL));
        g_assert_cmpstr(words.mended, ==, cases[i][1]);
        words_clear(&words);
    }
}

/* What cannot be a word, or may not be known, and has an at sign in it. */
static void test_raw(void)
{
    static const char *const cases[][2] = {
        {"a", NULL},
        {"=?utf-8?q?a@b?=", ""},
        {"=?utf-8?b?YUBi?=", ""},
        {"=?utf-8?b?<a@b>?= =?utf-8?b?YUBi?=", "<a@b>\n"},
        {"=?x-mine?q?a@b?=, =?x-mine?q?a=40b?=, =?x-mine?q?c@d?=", "a@b\nc@d\n"},
        {"=?utf-8?b?a\xef\xbc\xa0"
         "b?=",
         "a\xef\xbc\xa0"
         "b\n"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned count = 0;
        struct words words = {0};
        g_test_message("%s", cases[i][0]);
        words_read(cases[i][0], &count, decoder, &words);
        g_assert_cmpstr(words.raw, ==, cases[i][1]);
        words_clear(&words);
    }
}

/* In the place of words what they stand for; neighbours without the blanks between them (RFC 2047 section 6.2). */
static void test_decoded(void)
{
    static const char *const cases[][2] = {
        {"=?utf-8?q?J=C3=B6rg?= <j@x.example>", "J\xc3\xb6rg <j@x.example>"},
        {"a =?iso-8859-1?q?J=F6rg?= =?utf-8?b?IExlZQ==?= b", "a J\xc3\xb6rg Lee b"},
        {"=?iso-8859-1?q?a?=\r\n =?koi8-r?q?b?=\t=?utf-8?q?c?=", "abc"},
        {"=?utf-8?q?a?==?koi8-r?q?b?=", "ab"},
        {"=?utf-8?q?a?= , =?koi8-r?q?b?=", "a , b"},
        {"  =?utf-8?q?a?=  ", "  a  "},
        /* What is none parts them. */
        {"=?utf-8?q?a?= =? =?koi8-r?q?b?=", "a =? b"},
        {"=? =?utf-8?q?a?=", "=? a"},
        {"a@x=?.example =?", "a@x=?.example =?"},
        {"\xff =?utf-8?q?a?= \xff", "\xff a \xff"},
        /* An unknown character set shows what it can. */
        {"=?x-mine?q?a=40b?=", "a@b"},
        {"=?utf-16be?b?AGEAQABi?=", "a@b"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned count = 0;
        struct words words = {0};
        g_test_message("%s", cases[i][0]);
        g_assert_true(words_read(cases[i][0], &count, decoder, &words));
        g_assert_cmpstr(words.decoded, ==, cases[i][1]);
        words_clear(&words);
    }
}

/* What the message has beyond the limit stays as it is, and the count tells so. */
static void test_limit(void)
{
    unsigned count = WORDS_LIMIT - 3;
    struct words words;

    g_assert_true(words_read("=?u?b?YQ==?= =?u?b?Yg==?=, =?u?b?Yw==?= =?", &count, decoder, &words));
    g_assert_cmpstr(words.mended, ==, "=?u?q?ab?=, =?u?q?c?= " PARTED);
    g_assert_cmpuint(count, ==, WORDS_LIMIT);
    words_clear(&words);
    g_assert_true(words_read("=?u?b?YQ==?=", &count, decoder, &words));
    g_assert_cmpstr(words.mended, ==, PARTED "u?b?YQ=" PARTED "=");
    g_assert_cmpstr(words.decoded, ==, "=?u?b?YQ==?=");
    g_assert_cmpuint(count, >, WORDS_LIMIT);
    words_clear(&words);
    g_assert_false(words_read("=?u?b?YQ==?=", &count, decoder, &words));
    g_assert_cmpuint(count, >, WORDS_LIMIT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_mime_init();
    g_test_add_func("/words/mend", test_mend);
    g_test_add_func("/words/raw", test_raw);
    g_test_add_func("/words/decoded", test_decoded);
    g_test_add_func("/words/limit", test_limit);
    return g_test_run();
}
