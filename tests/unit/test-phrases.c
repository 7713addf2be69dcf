/* test-phrases - words and phrases in a text: borders, forms of characters, many phrases, cost */

#include "policy/base/phrases.h"
#include "unit.h"

static bool found(const char *phrase, const char *text)
{
    auto_free(phrases) phrases = phrases_new();
    g_autofree char *wrong = phrases_add(phrases, phrase);

    g_assert_cmpstr(wrong, ==, NULL);
    phrases_finish(phrases);
    return phrases_found(phrases, text);
}

static void test_found(void)
{
    static const struct {
        const char *phrase, *text;
        bool want;
    } cases[] = {
        {"confidential", "Confidential", true},
        {"Confidential", "Re: CONFIDENTIAL, please", true},
        {"confidential", "unconfidential", false},
        {"confidential", "confidentiality", false},
        {"confidential", "confidential2", false},
        /* These five are borders, and so are other signs. */
        {"clinic", "x_clinic_y", true},
        {"clinic", "the-clinic-x", true},
        {"clinic", "a.clinic.b", true},
        {"clinic", "clinic@corp.example", true},
        {"clinic", "ann+clinic@corp.example", true},
        {"clinic", "[clinic]", true},
        {"clinic", "clinics@corp.example", false},
        {"corp.example", "ann@corp.example", true},
        {"corp.example", "ann@notcorp.example", false},
        {"@corp.example", "ann@corp.example", true},
        {"c++", "about C++ and C", true},
        {"c++", "about C+", false},
        /* Blanks of any width and number. */
        {"for internal use", "For\t internal\xc2\xa0\xe3\x80\x80use only", true},
        {"  for  internal ", "for internal", true},
        {"for internal use", "for internaluse", false},
        {"for internal", "forinternal", false},
        /* Forms of characters. */
        {"confidential",
         "\xef\xbc\xa3\xef\xbd\x8f\xef\xbd\x8e\xef\xac\x81"
         "dential",
         true}, /* full-width letters, a ligature */
        {"confidential",
         "con\xc2\xad"
         "fi\xe2\x80\x8b"
         "dential",
         true}, /* what is not seen */
        {"stra\xc3\x9f"
         "e",
         "STRASSE", true},
        {"caf\xc3\xa9", "CAFE\xcc\x81", true},
        {"cafe", "CAFE\xcc\x81", false},                    /* a mark belongs to its letter */
        {"\xe3\x82\xac", "\xef\xbd\xb6\xef\xbe\x9e", true}, /* half-width Kana with its sound mark */
        /* Scripts without blanks. */
        {"\xe6\xa9\x9f\xe5\xaf\x86",
         "\xe3\x81\x93\xe3\x82\x8c\xe3\x81\xaf\xe6\xa9\x9f\xe5\xaf\x86\xe3\x81\xa7\xe3\x81\x99", true},
        {"\xe6\xa9\x9f\xe5\xaf\x86", "\xe6\xa9\x9f\xe3\x80\x81\xe5\xaf\x86", false},
        {"abc",
         "\xe6\xa9\x9f\xe5\xaf\x86"
         "ABC\xe3\x81\xa7",
         true}, /* Latin letters next to them */
        {"\xea\xb8\xb0\xeb\xb0\x80", "\xea\xb8\xb0\xeb\xb0\x80\xeb\xac\xb8\xec\x84\x9c", true},
        {"\xe0\xb8\xa5\xe0\xb8\xb1\xe0\xb8\x9a",
         "\xe0\xb9\x80\xe0\xb8\xad\xe0\xb8\x81\xe0\xb8\xaa\xe0\xb8\xb2\xe0\xb8\xa3\xe0\xb8\xa5\xe0\xb8\xb1\xe0\xb8\x9a"
         "\xe0\xb8\xa1\xe0\xb8\xb2\xe0\xb8\x81",
         true},
        {"\xe0\xb8\xa5", "\xe0\xb8\xa5\xe0\xb8\xb1\xe0\xb8\x9a", false}, /* with a vowel upon it */
        {"\xe3\x82\xb5\xe3\x83\xbc\xe3\x83\x90\xe3\x83\xbc",
         "web\xe3\x82\xb5\xe3\x83\xbc\xe3\x83\x90\xe3\x83\xbc"
         "abc",
         true}, /* with a mark for long vowels */
        {"x", "", false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        if (found(cases[i].phrase, cases[i].text) != cases[i].want)
            UNIT_FAIL("`%s` in `%s`: got %d", cases[i].phrase, cases[i].text, !cases[i].want);
}

/* Phrases that are parts, beginnings and ends of each other. */
static void test_several(void)
{
    static const char *const several[] = {"a b c d", "b c x", "c", "q r s", "r t", "s s s u", "a b c d"};
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"a b c", true},     {"a b d", false},    {"q r t", true},        {"q r q r s", true},
        {"q r x t", false},  {"s s s s u", true}, {"s s s v s u", false}, {"z a b b d d", false},
        {"q qr s r", false}, {"r q r t", true},   {"a b a b b", false},
    };
    auto_free(phrases) phrases = phrases_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(several); i++)
        g_assert_null(phrases_add(phrases, several[i]));
    phrases_finish(phrases);
    g_assert_cmpuint(phrases_count(phrases), ==, G_N_ELEMENTS(several) - 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        if (phrases_found(phrases, cases[i].text) != cases[i].want)
            UNIT_FAIL("`%s`: got %d", cases[i].text, !cases[i].want);
}

static void test_wrong(void)
{
    static const char *const nothing[] = {"", "  ", "\xe2\x80\x8b", "\xc2\xa0"};
    auto_free(phrases) phrases = phrases_new();
    g_autofree char *longest = g_strnfill(PHRASE_LENGTH_LIMIT, 'a');
    g_autofree char *longer = g_strnfill(PHRASE_LENGTH_LIMIT + 1, 'a');
    g_autofree char *wrong = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(nothing); i++) {
        g_autofree char *said = phrases_add(phrases, nothing[i]);
        g_assert_cmpstr(said, ==, "expected a word or a phrase");
    }
    g_assert_null(phrases_add(phrases, longest));
    wrong = phrases_add(phrases, longer);
    g_assert_cmpstr(wrong, ==, "a word or phrase has at most 200 characters");
    phrases_finish(phrases);
    g_assert_true(phrases_found(phrases, longest));
    g_assert_false(phrases_found(phrases, longer));
}

static void test_most(void)
{
    auto_free(phrases) phrases = phrases_new();
    g_autofree char *wrong = NULL;

    /* "a 1": a word, blanks, a word. */
    for (unsigned n = 0; n < PHRASES_WORDS_LIMIT / 3; n++) {
        g_autofree char *phrase = g_strdup_printf("a %u", n);
        g_assert_null(phrases_add(phrases, phrase));
    }
    wrong = phrases_add(phrases, "a b c");
    g_assert_cmpstr(wrong, ==, "a list has at most 1000000 words and signs in all");
    phrases_finish(phrases);
    g_assert_true(phrases_found(phrases, "x a 333332 y"));
    g_assert_false(phrases_found(phrases, "x a 333333 y"));
}

/* Every phrase against a plain search: all texts of a few letters. */
static void test_all_short(void)
{
    static const char *const several[] = {"a a b", "a b", "b b a a", "b a b a"};
    auto_free(phrases) phrases = phrases_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(several); i++)
        g_assert_null(phrases_add(phrases, several[i]));
    phrases_finish(phrases);
    for (unsigned bits = 0; bits < 1u << 10; bits++) {
        GString *text = g_string_new("");
        bool want = false;
        for (unsigned i = 0; i < 10; i++)
            g_string_append(text, (bits >> i & 1) != 0 ? "a " : "b ");
        for (unsigned i = 0; i < G_N_ELEMENTS(several); i++)
            want = want || strstr(text->str, several[i]) != NULL;
        if (phrases_found(phrases, text->str) != want)
            UNIT_FAIL("`%s`: got %d", text->str, !want);
        g_string_free(text, TRUE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/phrases/found", test_found);
    g_test_add_func("/phrases/several", test_several);
    g_test_add_func("/phrases/wrong", test_wrong);
    g_test_add_func("/phrases/most", test_most);
    g_test_add_func("/phrases/all-short", test_all_short);
    return g_test_run();
}
