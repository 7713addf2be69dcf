/* test-pattern - regular expressions: whole values, any case, within limits */

#include "policy/base/pattern.h"

#include <glib.h>
#include <string.h>

static enum pattern_result match(const char *text, const char *subject)
{
    size_t offset = 0;
    g_autofree char *message = NULL;
    struct pattern *pattern = pattern_compile(text, &offset, &message);
    struct pattern_budget *budget = pattern_budget_new();
    enum pattern_result result;

    g_assert_cmpstr(message, ==, NULL);
    g_assert_nonnull(pattern);
    result = pattern_match(pattern, subject, budget);
    pattern_budget_free(budget);
    pattern_free(pattern);
    return result;
}

static void test_match(void)
{
    static const struct {
        const char *pattern, *subject;
        enum pattern_result want;
    } cases[] = {
        {"corp\\.example", "corp.example", PATTERN_YES},
        {"corp\\.example", "corp.example.evil.test", PATTERN_NO},
        {"corp\\.example", "notcorp.example", PATTERN_NO},
        /* Both ends hold for each branch. */
        {"a|b", "a", PATTERN_YES},
        {"a|b", "b", PATTERN_YES},
        {"a|b", "ax", PATTERN_NO},
        {"a|b", "xb", PATTERN_NO},
        {"a|ab", "ab", PATTERN_YES},
        {"a?", "aa", PATTERN_NO},
        /* What makes others forget their anchors. */
        {"a(*ACCEPT)b", "abc", PATTERN_NO},
        {"(?m)^a$", "a\nb", PATTERN_NO},
        {"a$", "a\n", PATTERN_NO},
        {"x\\Ka", "xa", PATTERN_YES},
        {"x\\Ka", "xab", PATTERN_NO},
        {"(?=a)", "a", PATTERN_NO},
        {".*", "a\nb", PATTERN_YES}, /* a newline hides nothing */
        /* Any case, Unicode too. */
        {"CORP", "corp", PATTERN_YES},
        {"corp", "CORP", PATTERN_YES},
        {"\xc3\x9c", "\xc3\xbc", PATTERN_YES},
        {".", "\xc3\xbc", PATTERN_YES},
        {"", "", PATTERN_YES},
        {"", "a", PATTERN_NO},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("/%s/ over `%s`", cases[i].pattern, cases[i].subject);
        g_assert_cmpint(match(cases[i].pattern, cases[i].subject), ==, cases[i].want);
    }
}

static void test_wrong(void)
{
    static const struct {
        const char *pattern;
        size_t offset;
        const char *said;
    } cases[] = {
        {"a(b", 3, "parenthesis"},
        {"ab)", 2, "parenthesis"},
        {"*", 0, "quantifier"},
        {"[a", 2, "]"},
        {"\\C", 2, "\\C"},
        {"a\\Cb", 3, "\\C"},
        {"(*LIMIT_MATCH=9999999)a", 0, "verb"},
        {"(*UTF)a", 0, "verb"},
        {"(*NO_JIT)a", 0, "verb"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = NULL;
        size_t offset = 99;
        g_test_message("/%s/", cases[i].pattern);
        g_assert_null(pattern_compile(cases[i].pattern, &offset, &message));
        g_assert_nonnull(message);
        g_test_message("%zu: %s", offset, message);
        g_assert_cmpuint(offset, ==, cases[i].offset);
        g_assert_nonnull(strstr(message, cases[i].said));
    }
    {
        g_autofree char *message = NULL;
        g_autofree char *text = g_strnfill(8193, 'a');
        size_t offset = 0;
        g_assert_null(pattern_compile(text, &offset, &message));
        g_assert_cmpuint(offset, <=, 8193);
        g_assert_nonnull(message);
    }
}

/* A pattern that needs too much is no "no", be it of one match, of memory, or of depth. */
static void test_limit(void)
{
    g_autofree char *subject = g_strconcat("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "!", NULL);
    g_autofree char *deep = g_strnfill(500000, 'a');

    g_assert_cmpint(match("(a+)+", subject), ==, PATTERN_LIMIT);
    g_assert_cmpint(match("(a|a)*[bc]!", subject), ==, PATTERN_LIMIT);
    g_assert_cmpint(match("(a|b)*+", "aaaa"), ==, PATTERN_YES);
    g_assert_cmpint(match("(?:(a)|b)*[cd]", deep), ==, PATTERN_LIMIT);
    g_assert_cmpint(match("(?R)?a", "a"), !=, PATTERN_NO);
}

/* What one message may spend is bounded, and what is spent is gone for its other patterns. */
static void test_budget(void)
{
    size_t offset;
    char *message = NULL;
    struct pattern *bad = pattern_compile("(a+)+", &offset, &message);
    struct pattern *good = pattern_compile("b", &offset, &message);
    struct pattern_budget *budget = pattern_budget_new();
    unsigned rounds = 0;
    g_autofree char *subject = g_strconcat("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "!", NULL);

    g_assert_cmpint(pattern_match(good, "b", budget), ==, PATTERN_YES);
    for (unsigned i = 0; i < PATTERN_MESSAGE_LIMIT / PATTERN_MATCH_LIMIT + 1; i++)
        g_assert_cmpint(pattern_match(bad, subject, budget), ==, PATTERN_LIMIT);
    g_assert_cmpint(pattern_match(good, "b", budget), ==, PATTERN_LIMIT);
    pattern_budget_free(budget);
    /* A fresh budget is enough for the patterns of a large message. */
    budget = pattern_budget_new();
    while (rounds < 50000 && pattern_match(good, "c", budget) == PATTERN_NO)
        rounds++;
    g_assert_cmpuint(rounds, ==, 50000);
    pattern_budget_free(budget);
    budget = pattern_budget_new(); /* never used */
    pattern_budget_free(budget);
    pattern_free(bad);
    pattern_free(good);
    pattern_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pattern/match", test_match);
    g_test_add_func("/pattern/wrong", test_wrong);
    g_test_add_func("/pattern/limit", test_limit);
    g_test_add_func("/pattern/budget", test_budget);
    return g_test_run();
}
