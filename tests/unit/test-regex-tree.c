/* test-regex-tree - the parts of a regular expression, and texts made of them: PCRE2 has to match those */

#include "policy/base/pattern.h"
#include "policy/logic/regex_tree.h"
#include "unit.h"

static bool matches(const char *pattern, const char *text)
{
    g_autofree char *message = NULL;
    size_t offset;
    struct pattern *compiled = pattern_compile(pattern, &offset, &message);
    struct pattern_budget *budget = pattern_budget_new();
    bool yes;

    g_assert_nonnull(compiled);
    yes = pattern_match(compiled, text, budget) == PATTERN_YES;
    pattern_budget_free(budget);
    pattern_free(compiled);
    return yes;
}

static const char *const patterns[] = {
    "corp\\.example",
    "(.+\\.)?corp\\.example",
    ".*corp",
    "a|b",
    "(a|b|)c",
    "(?:ab){2,3}c",
    "x{3}",
    "x{2,}y",
    "a{x}",
    "{",
    "a{",
    "a{1",
    "[a-z]+",
    "[^a-z]",
    "[]a]",
    "[^]x]",
    "[\\]a]",
    "[[:digit:]]x",
    "[a\\-z]",
    "\\d\\D\\w\\W\\s\\S",
    "\\.\\*\\(\\)",
    "\\Qa.b\\E+",
    "\\Qa.b",
    "a\\E",
    "(?<name>a)b",
    "(?P<name>a)b",
    "(?'name'a)b",
    "(?|a|b)c",
    "(?>a+)b",
    "(?i:A)b",
    "(?i)AB",
    "(?#comment)ab",
    "\\x41\\x{42}",
    "\\p{Ll}\\pL",
    "^ab$",
    "\\Aab\\z",
    "\\bab\\b",
    "(?=a)ab",
    "(?!b)ab",
    "(?<=a)?ab",
    "ab*?c+?d??",
    "ab*+c++d?+",
    "((((a))))",
    "()",
    "(|a)",
    "\xc3\xbc+",
    "\\\xc3\xbc",
    "[\xc3\xa0-\xc3\xbc-]",
    "\\/",
    "a\\/b",
    "",
    "|",
    "(a)(b)?",
    "\\N",
    "[.]",
    "\\h",
    "[^@]*@(.+\\.)?corp\\.example",
    "\\Q\\E",
    "[a-c[:alpha:]\\d]",
};

static void test_texts(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(patterns); i++) {
        auto_free(regex) regex = regex_parse(patterns[i]);
        g_autoptr(GString) text = g_string_new(NULL);
        size_t place;
        g_assert_true(regex_text(regex, text, NULL, "", &place));
        if (!matches(patterns[i], text->str))
            UNIT_FAIL("`%s` does not match its text `%s`", patterns[i], text->str);
    }
}

/* A text through each node, in which the node's own text stands at the place that is told. */
static void test_each_node(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(patterns); i++) {
        auto_free(regex) regex = regex_parse(patterns[i]);
        for (unsigned j = 0; j < regex->nodes->len; j++) {
            const struct regex_node *node = g_ptr_array_index(regex->nodes, j);
            g_autoptr(GString) filling = g_string_new(NULL);
            g_autoptr(GString) text = g_string_new(NULL);
            size_t place = 0;
            if (node->kind == REGEX_OTHER || node->least > 1)
                continue;
            regex_node_text(node, 0, filling);
            g_assert_true(regex_text(regex, text, node, filling->str, &place));
            if (!g_str_has_prefix(text->str + place, filling->str))
                UNIT_FAIL("`%s`: byte %zu of `%s` is not `%s`", patterns[i], place, text->str, filling->str);
            if (!matches(patterns[i], text->str))
                UNIT_FAIL("`%s` does not match `%s`, by its byte %zu", patterns[i], text->str, node->offset);
        }
    }
}

/* How many nodes there are, and what the first one is. */
static void test_nodes(void)
{
    static const struct {
        const char *pattern;
        unsigned nodes;
        enum regex_kind kind;
        unsigned least, most;
        size_t length;
    } cases[] = {
        {"a.c", 3, REGEX_CHARACTER, 1, 1, 1},
        {".*", 1, REGEX_ANY, 0, REGEX_NO_BOUND, 1},
        {".+?x", 2, REGEX_ANY, 1, REGEX_NO_BOUND, 1},
        {"[a-z]{2,5}", 1, REGEX_SET, 2, 5, 5},
        {"\\d{3}", 1, REGEX_SET, 3, 3, 2},
        {"\\.?", 1, REGEX_CHARACTER, 0, 1, 2},
        {"(a|bc)+", 4, REGEX_GROUP, 1, REGEX_NO_BOUND, 6},
        {"(?=ab)", 4, REGEX_OTHER, 1, 1, 6},
        {"(?<n>a)", 2, REGEX_GROUP, 1, 1, 7},
        {"^", 1, REGEX_OTHER, 1, 1, 1},
        {"\xc3\xbc*", 1, REGEX_CHARACTER, 0, REGEX_NO_BOUND, 2},
        {"x{4,}", 1, REGEX_CHARACTER, 4, REGEX_NO_BOUND, 1},
        {"x{a}", 4, REGEX_CHARACTER, 1, 1, 1},
        {"x{99999999999999999999}", 1, REGEX_CHARACTER, 65535, 65535, 1},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(regex) regex = regex_parse(cases[i].pattern);
        const struct regex_node *node = g_ptr_array_index(regex->nodes, 0);
        if (regex->nodes->len != cases[i].nodes || node->kind != cases[i].kind || node->least != cases[i].least ||
            node->most != cases[i].most || node->length != cases[i].length)
            UNIT_FAIL("`%s`: %u nodes, the first of kind %d, %u to %u times, %zu bytes", cases[i].pattern,
                      regex->nodes->len, node->kind, node->least, node->most, node->length);
    }
}

/* Whatever stands there, nothing is read beyond the end, and a text has an end. */
static void test_anything(void)
{
    static const char letters[] = "ab.()[]{}|*+?\\^$-,1<>=!:'Q\xc3\xbc";
    GRand *random = g_rand_new_with_seed(4);

    for (unsigned i = 0; i < 20000; i++) {
        g_autoptr(GString) pattern = g_string_new(NULL);
        g_autoptr(GString) text = g_string_new(NULL);
        struct regex *regex;
        size_t place;
        for (int length = g_rand_int_range(random, 0, 24); length > 0; length--) {
            const char *letter = &letters[g_rand_int_range(random, 0, sizeof letters - 3)];
            g_string_append_c(pattern, *letter);
        }
        regex = regex_parse(pattern->str);
        regex_text(regex, text, NULL, "", &place);
        g_assert_cmpuint(text->len, <=, 2 * REGEX_TEXT_LIMIT);
        regex_free(regex);
    }
    g_rand_free(random);
}

static void test_long(void)
{
    static const char *const endless[] = {"((a{60000}){60000}){60000}", "((){60000}){60000}", "((\\b){9999}){9999}",
                                          "a{65535}"};

    for (unsigned i = 0; i < G_N_ELEMENTS(endless); i++) {
        auto_free(regex) regex = regex_parse(endless[i]);
        g_autoptr(GString) text = g_string_new(NULL);
        size_t place;
        g_assert_false(regex_text(regex, text, NULL, "", &place));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/regex/texts", test_texts);
    g_test_add_func("/regex/each-node", test_each_node);
    g_test_add_func("/regex/nodes", test_nodes);
    g_test_add_func("/regex/anything", test_anything);
    g_test_add_func("/regex/long", test_long);
    return g_test_run();
}
