/* test-letters - characters beyond ASCII as a reader sees them */

#include "letters.h"

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/letters/kinds", test_kinds);
    return g_test_run();
}
