/* test-letters - characters beyond ASCII as a reader sees them */

#include "letters.h"

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/letters/kinds", test_kinds);
    g_test_add_func("/letters/settled", test_settled);
    g_test_add_func("/letters/read", test_read);
    return g_test_run();
}
