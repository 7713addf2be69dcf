/* test-unicode - characters beyond ASCII as a reader sees them */

#include "policy/base/unicode.h"

#include <string.h>

static void test_kinds(void)
{
    static const struct {
        gunichar c;
        bool invisible;
        char equal;
        bool parts;
        bool symbol;
    } cases[] = {
        {0x200B, true, 0, false, false},                                      /* zero-width space */
        {0x202E, true, 0, false, false},                                      /* right-to-left override */
        {0x00AD, true, 0, false, false},                                      /* soft hyphen */
        {0x034F, true, 0, false, false},                                      /* combining grapheme joiner */
        {0xFE0F, true, 0, false, false},                                      /* variation selectors */
        {0xE0101, true, 0, false, false},  {0xFF20, false, '@', true, false}, /* full-width at sign */
        {0xFE6B, false, '@', true, false}, {0xFF41, false, 'a', false, false},
        {0x3001, false, ',', true, false}, {0x2024, false, '.', true, false}, /* one dot leader */
        {0x3002, false, '.', true, false}, {0x00A0, false, 0, true, false},
        {0x3164, false, 0, true, false},  /* Hangul filler, a letter to Unicode */
        {0x2800, false, 0, true, true},   /* empty Braille pattern, a symbol to Unicode */
        {0x2022, false, 0, true, false},  /* bullet */
        {0x2014, false, 0, true, false},  /* em dash */
        {0x2010, false, 0, false, false}, /* hyphen */
        {0x00B7, false, 0, false, true},  /* middle dot, which a name may hold */
        {0x2605, false, 0, false, true},  /* star */
        {0x2502, false, 0, false, true},  /* box drawing */
        {0xFFFD, false, 0, false, true},   {0x00E9, false, 0, false, false},
        {0x7530, false, 0, false, false},  {0x0301, false, 0, false, false}, /* combining acute accent */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("U+%04X", cases[i].c);
        g_assert_cmpint(letter_is_invisible(cases[i].c), ==, cases[i].invisible);
        g_assert_cmpint(letter_ascii_equal(cases[i].c), ==, cases[i].equal);
        g_assert_cmpint(letter_parts_words(cases[i].c), ==, cases[i].parts);
        g_assert_cmpint(letter_is_symbol(cases[i].c), ==, cases[i].symbol);
    }
    g_assert_true(letter_looks_latin(0x00E9));
    g_assert_true(letter_looks_latin(0x0301));
    g_assert_false(letter_looks_latin(0x7530));
    g_assert_true(letter_looks_latin(0x0430));
    g_assert_false(letter_looks_latin(0x2605));
}

/* What is called settled stays as it is, whatever of Unicode stands before it. */
static void test_settled(void)
{
    static const gunichar settled[] = {0x00E9, 0x00DF, 0x03C2, 0x0431, 0x05D0, 0x30AB,
                                       0x7530, 0xAC00, 0xFFFD, 0x2605, 0x1F600};
    static const gunichar not_settled[] = {
        0x00C9, 0x0130, /* have a small letter */
        0x0301,         /* a mark */
        0x1161, 0x11A8, /* compose with what stands before them */
        0x212B, 0x0958, /* are written otherwise in NFC */
        0xF900, 0xFF41, /* likewise; full-width */
        0x200B, 0x3002, /* not seen; a dot */
    };
    unsigned found = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(settled); i++)
        g_assert_true(letter_is_settled(settled[i]));
    for (unsigned i = 0; i < G_N_ELEMENTS(not_settled); i++)
        g_assert_false(letter_is_settled(not_settled[i]));
    for (gunichar c = 0x80; c <= 0x10FFFF; c++) {
        gunichar first, second;
        char text[8] = {0};
        if (!g_unichar_validate(c))
            continue;
        /* The second half of a letter is a mark to it. */
        if (g_unichar_decompose(c, &first, &second) && second != 0)
            g_assert_false(letter_is_settled(second));
        g_unichar_to_utf8(c, text);
        if (letter_is_settled(c)) {
            g_autofree char *composed = g_utf8_normalize(text, -1, G_NORMALIZE_NFC);
            g_autofree char *lower = g_utf8_strdown(text, -1);
            g_assert_cmpstr(composed, ==, text);
            g_assert_cmpstr(lower, ==, text);
            g_assert_cmpint(g_unichar_combining_class(c), ==, 0);
            g_assert_false(letter_is_invisible(c));
            g_assert_cmpint(letter_ascii_equal(c), ==, 0);
            found++;
        }
    }
    /* Most of what people are called by. */
    g_assert_cmpuint(found, >, 40000);
}

/* Each byte that is no UTF-8 is read as one letter, as GLib makes such texts valid. */
static void test_read(void)
{
    static const char *const texts[] = {
        "a\xc3\xa9\xe7\x94\xb0\xf0\x9f\x98\x80",
        "\xff\xfe\x80",
        "\xc0\xaf\xe0\x80\x80",         /* longer than need be */
        "\xed\xa0\x80\xf4\x90\x80\x80", /* a surrogate; beyond Unicode */
        "\xc3",
        "\xe7\x94",
        "\xf0\x9f\x98",
        "\xe7\x94z\xc3\xc3\xa9",
        "",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *end = texts[i] + strlen(texts[i]);
        g_autofree char *valid = g_utf8_make_valid(texts[i], -1);
        g_autoptr(GString) read = g_string_new(NULL);
        unsigned size;
        for (const char *p = texts[i]; p < end; p += size)
            g_string_append_unichar(read, letter_read(p, end, &size));
        g_assert_cmpstr(read->str, ==, valid);
    }
}

/* As GLib does it at once, whatever stands next to each other; and without its n * n steps. */
static void test_compose(void)
{
    static const char *const letters[] = {
        "a",          "e",          "i",          "\u0301", "\u0323", "\u0327", "\u0344", "\u00fc",
        "\u1e9e",     "\u1100",     "\u1161",     "\u11a8", "\uac00", "\u09c7", "\u09be", "\u09d7",
        "\u0dd9",     "\u0dcf",     "\u0dca",     "\u1025", "\u102e", "\u0915", "\u093c", "\u0958",
        "\u3046",     "\u3099",     "\u212b",     "\u03b1", "\u0345", "\u2126", "\ufb1d", "\u05d9",
        "\u05b4",     "\u1b05",     "\u1b35",     "\u0b47", "\u0b57", "\u0bc6", "\u0bd7", "\U00011131",
        "\U00011127", "\U000114b9", "\U000114ba", "\uf900", "\u0f71", "\u0f72", "\ufffd",
    };
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (unsigned round = 0; round < 3000; round++) {
        GString *text = g_string_new(NULL);
        unsigned length = (unsigned)g_rand_int_range(rand, 0, 400);
        g_autofree char *want = NULL;
        g_autofree char *got = NULL;
        for (unsigned n = 0; n < length; n++)
            g_string_append(text, letters[g_rand_int_range(rand, 0, G_N_ELEMENTS(letters))]);
        want = g_utf8_normalize(text->str, -1, G_NORMALIZE_NFC);
        got = letters_compose(text->str);
        g_assert_cmpstr(got, ==, want);
        g_string_free(text, TRUE);
    }
    {
        g_autofree char *text = g_strnfill(200000, 'e');
        GString *marked = g_string_new(NULL);
        g_autofree char *got = NULL;
        for (const char *p = text; *p != '\0'; p++)
            g_string_append(marked, "e\u0301");
        got = letters_compose(marked->str);
        g_assert_cmpuint(strlen(got), ==, 400000);
        g_string_free(marked, TRUE);
    }
}

/* No second half of a letter begins anew: text may be cut before what does. */
static void test_cuts(void)
{
    for (gunichar c = 0x80; c <= 0x10FFFF; c++) {
        gunichar first, second;
        if (g_unichar_validate(c) && g_unichar_decompose(c, &first, &second) && second != 0) {
            /* The pair's second half is the 65th: there a text may be cut. */
            GString *text = g_string_new(NULL);
            g_autofree char *want = NULL;
            g_autofree char *got = NULL;
            for (unsigned n = 0; n < 63; n++)
                g_string_append_c(text, 'x');
            g_string_append_unichar(text, first);
            g_string_append_unichar(text, second);
            want = g_utf8_normalize(text->str, -1, G_NORMALIZE_NFC);
            got = letters_compose(text->str);
            g_assert_cmpstr(got, ==, want);
            g_string_free(text, TRUE);
        }
    }
}

static void test_fold(void)
{
    static const char *const cases[][2] = {
        {"ABC", "abc"},
        {"\xc3\x89", "\xc3\xa9"},                     /* E with acute accent */
        {"\xef\xbd\xb6\xef\xbe\x9e", "\xe3\x82\xac"}, /* half-width ka and its sound mark */
        {"a\xe2\x80\x8b\xcc\x81", "\xc3\xa1"},        /* a zero-width space before a mark */
        {"\xef\xac\x81\xc2\xa0X", "fi x"},            /* a ligature, a blank that does not break */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = letters_fold(cases[i][0]);
        g_autofree char *again = letters_fold(got);
        g_assert_cmpstr(got, ==, cases[i][1]);
        g_assert_cmpstr(again, ==, got);
    }
    g_assert_true(letter_is_unspaced(0x6A5F) && letter_is_unspaced(0x304B) && letter_is_unspaced(0xAC00));
    g_assert_true(letter_is_unspaced(0x0E01) && letter_is_unspaced(0x30FC) && letter_is_unspaced(0x3005));
    g_assert_false(letter_is_unspaced('a') || letter_is_unspaced(0x0E31) || letter_is_unspaced(0x0431));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/letters/kinds", test_kinds);
    g_test_add_func("/letters/settled", test_settled);
    g_test_add_func("/letters/read", test_read);
    g_test_add_func("/letters/compose", test_compose);
    g_test_add_func("/letters/cuts", test_cuts);
    g_test_add_func("/letters/fold", test_fold);
    return g_test_run();
}
