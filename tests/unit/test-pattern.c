/* test-pattern - regular expressions: whole values, any case, within limits */

#include "policy/base/pattern.h"

#include <glib.h>
#include <string.h>
#include <time.h>

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
    /* Some leave enough for others. */
    for (unsigned i = 0; i < 10; i++)
        g_assert_cmpint(pattern_match(bad, subject, budget), ==, PATTERN_LIMIT);
    g_assert_cmpint(pattern_match(good, "b", budget), ==, PATTERN_YES);
    for (unsigned i = 0; i < PATTERN_MESSAGE_LIMIT / PATTERN_MATCH_LIMIT; i++)
        g_assert_cmpint(pattern_match(bad, subject, budget), ==, PATTERN_LIMIT);
    g_assert_cmpint(pattern_match(good, "b", budget), ==, PATTERN_LIMIT);
    pattern_budget_free(budget);
    /* However cheap the matches, their number is bounded: that many bytes, with those for each match. */
    budget = pattern_budget_new();
    while (rounds < PATTERN_BYTES_LIMIT && pattern_match(good, "c", budget) == PATTERN_NO)
        rounds++;
    g_assert_cmpuint(rounds, ==, PATTERN_BYTES_LIMIT / (PATTERN_BYTES_MATCH + 1));
    pattern_budget_free(budget);
    budget = pattern_budget_new(); /* never used */
    pattern_budget_free(budget);
    pattern_free(bad);
    pattern_free(good);
    pattern_free(NULL);
}

struct counted {
    unsigned limits; /* matches without an answer */
    double seconds;  /* of this thread, with what makes the values */
};

static double processor_time(void)
{
    struct timespec time;

    g_assert_cmpint(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), ==, 0);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* All patterns over all values of one message: in both, a `#` is their number. */
static struct counted match_all(const char *text, unsigned patterns, const char *value, unsigned values)
{
    auto_free(pattern_budget) budget = pattern_budget_new();
    g_autoptr(GPtrArray) compiled = g_ptr_array_new_with_free_func((GDestroyNotify)pattern_free);
    g_auto(GStrv) text_pieces = g_strsplit(text, "#", -1);
    g_auto(GStrv) value_pieces = g_strsplit(value, "#", -1);
    struct counted counted = {0};

    for (unsigned i = 0; i < patterns; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);
        g_autofree char *one = g_strjoinv(number, text_pieces);
        g_autofree char *message = NULL;
        size_t offset;
        g_ptr_array_add(compiled, pattern_compile(one, &offset, &message));
        g_assert_cmpstr(message, ==, NULL);
    }
    double start = processor_time();
    for (unsigned i = 0; i < values; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);
        g_autofree char *one = g_strjoinv(number, value_pieces);
        for (unsigned n = 0; n < patterns; n++)
            counted.limits += pattern_match(g_ptr_array_index(compiled, n), one, budget) == PATTERN_LIMIT;
    }
    counted.seconds = processor_time() - start;
    g_test_message("/%.50s/ x %u over %u of `%.50s`: %u without an answer, %.1f ms", text, patterns, values, value,
                   counted.limits, counted.seconds * 1e3);
    return counted;
}

/* Sixty classes and ten thousand domains of customers are ordinary, however many matches that is. */
static void test_harmless(void)
{
    static const char *const patterns[] = {
        "(.+\\.)?corp#\\.(example|net)",
        ".*\\.?(gmx|web|freenet#)\\.(de|at|ch)",
        "([a-z0-9-]+\\.)*corp#\\.example",
        ".*corp#.*",
    };
    static const char *const domains[] = {"customer#.de", "mx.some-longer-domain-name-of-a-customer.number#.de"};

    for (unsigned i = 0; i < G_N_ELEMENTS(patterns); i++)
        for (unsigned j = 0; j < G_N_ELEMENTS(domains); j++)
            g_assert_cmpuint(match_all(patterns[i], 60, domains[j], i + j == 0 ? 10000 : 2000).limits, ==, 0);
    /* Fewer that need more. */
    g_assert_cmpuint(match_all(".*a.*b.*c[0-9]x", 1, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b#.x", 2000).limits, ==, 0);
    g_autofree char *names = g_strdup("name0");
    for (unsigned n = 1; n < 300; n++) {
        g_autofree char *shorter = names;
        names = g_strdup_printf("%s|name%u", shorter, n);
    }
    g_autofree char *many = g_strdup_printf("(.+\\.)?(%s)\\.example", names);
    g_assert_cmpuint(match_all(many, 2, "mx.some-longer-domain-name.number#.example", 2000).limits, ==, 0);
}

/* What explodes ends, whatever the number of values, and so does what is expensive in each of its points. */
static void test_exploding(void)
{
    g_autoptr(GString) expensive = g_string_new("(?:a|a)*?");
    g_autofree char *line = g_strnfill(60000, 'a');

    for (unsigned i = 0; i < 1500; i++)
        g_string_append(expensive, "a?+");
    g_string_append(expensive, "[b-z]");
    const struct {
        const char *pattern;
        unsigned patterns;
        const char *value;
        unsigned values;
    } cases[] = {
        {"([a-z#]+[a-z]+)+[0-9]", 1, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b#.x", 10000},
        {"([a-z#]+[a-z]+)+[0-9]", 60, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b#.x", 10000},
        {expensive->str, 1, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b#.x", 10000},
        {"(a(?=\\w*+)|a)*[b-z]", 20, line, 20},
        {"(?:(a)|b)*[cd]", 20, line, 20},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct counted counted = match_all(cases[i].pattern, cases[i].patterns, cases[i].value, cases[i].values);
        g_assert_cmpuint(counted.limits, >, 0);
        g_assert_cmpfloat(counted.seconds, <, 0.1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pattern/match", test_match);
    g_test_add_func("/pattern/wrong", test_wrong);
    g_test_add_func("/pattern/limit", test_limit);
    g_test_add_func("/pattern/budget", test_budget);
    g_test_add_func("/pattern/harmless", test_harmless);
    g_test_add_func("/pattern/exploding", test_exploding);
    return g_test_run();
}
