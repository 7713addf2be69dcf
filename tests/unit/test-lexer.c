/* test-lexer - the words of the policy language, where they stand, and what is no word */

#include "policy/base/source.h"
#include "policy/syntax/lexer.h"
#include "unit.h"

/* The tokens of a text, parted by blanks: kind and value; then what was said of it. */
static char *lex(const char *text)
{
    static const char *const kinds[] = {"END",   "ERROR", "name", "number", "date", "duration", "string",
                                        "regex", "{",     "}",    "(",      ")",    ",",        "=",
                                        "=~",    ">",     ">=",   "<",      "<="};
    auto_free(diags) diags = diags_new();
    auto_free(source) source = source_from_memory("t", text, strlen(text), diags);
    struct lexer lexer = {.source = source, .diags = diags};
    GString *found = g_string_new(NULL);
    struct token token;
    size_t end = 0;

    g_assert_nonnull(source);
    for (;;) {
        token = lexer_next(&lexer);
        g_assert_cmpuint(token.offset, >=, end); /* always forward */
        end = token.offset + token.length;
        if (token.kind == TOKEN_END)
            break;
        g_assert_cmpuint(token.length, >, 0);
        g_string_append_printf(found, "%s%s", found->len > 0 ? " " : "", kinds[token.kind]);
        if (token.value != NULL && token.kind != TOKEN_ERROR)
            g_string_append_printf(found, ":%s", token.value);
        token_clear(&token);
    }
    if (diags_count(diags) > 0) {
        g_autofree char *lines = diags_lines(diags);
        g_string_append_printf(found, "\n%s", lines);
    }
    return g_string_free(found, FALSE);
}

static void test_tokens(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" \t\r\n# all comment", ""},
        {"rule a-1 { }", "name:rule name:a-1 { }"},
        {"a{b}c", "name:a { name:b } name:c"},
        {"( ) , = =~ > >= < <=", "( ) , = =~ > >= < <="},
        {"=~ = >=<= < >", "=~ = >= <= < >"},
        {"= ~", "= ERROR\n1:3: `~` means nothing here; did you mean `=~`?"},
        {"10", "number:10"},
        {"10 of", "number:10 name:of"},
        {"2027-06-30", "date:2027-06-30"},
        {"2028-02-29 0001-01-01", "date:2028-02-29 date:0001-01-01"},
        {"\"a\" \"\" \"#\"", "string:a string: string:#"},
        {"\"\\\"\\\\\"", "string:\"\\"},
        {"\"a/b\" /a\"b/", "string:a/b regex:a\"b"},
        {"/a\\/b/ /\\\\/ /\\./ /#/", "regex:a/b regex:\\\\ regex:\\. regex:#"},
        {"//", "regex:"},
        {"\"\xc3\xbc\"", "string:\xc3\xbc"},
        {"a#b\nc", "name:a name:c"},
        {"abcdefghijklmnopqrstuvwxyz012345", "name:abcdefghijklmnopqrstuvwxyz012345"},
        {"123456789", "number:123456789"},
        {"30s 10m 2h 90d", "duration:30s duration:10m duration:2h duration:90d"},
        {"010m", "duration:010m"},
        {"10m)", "duration:10m )"},
        {"10 m", "number:10 name:m"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = lex(cases[i][0]);
        g_test_message("%s", cases[i][0]);
        g_assert_cmpstr(got, ==, cases[i][1]);
    }
}

/* One mistake, one error. */
static void test_errors(void)
{
    static const char *const cases[][2] = {
        {"10min", "ERROR\n1:1: expected a number; a name starts with a letter from a to z"},
        {"10m5s", "ERROR\n1:1: expected a number; a name starts with a letter from a to z"},
        {"10y", "ERROR\n1:1: expected a number; a name starts with a letter from a to z"},
        {"1234567890m", "ERROR\n1:1: expected a number; a name starts with a letter from a to z"},
        {"abcdefghijklmnopqrstuvwxyz0123456", "ERROR\n1:1: a name has at most 32 characters"},
        {"1234567890", "ERROR\n1:1: a number has at most nine digits"},
        {"10x y", "ERROR name:y\n1:1: expected a number; a name starts with a letter from a to z"},
        {"10-x", "ERROR\n1:1: expected a number; a name starts with a letter from a to z"},
        {"2027-02-29", "ERROR\n1:1: `2027-02-29` is no date; expected one such as 2027-06-30"},
        {"2027-6-30", "ERROR\n1:1: `2027-6-30` is no date; expected one such as 2027-06-30"},
        {"2027-06-3", "ERROR\n1:1: `2027-06-3` is no date; expected one such as 2027-06-30"},
        {"20270-6-30", "ERROR\n1:1: `20270-6-30` is no date; expected one such as 2027-06-30"},
        {"2027-006-3", "ERROR\n1:1: `2027-006-3` is no date; expected one such as 2027-06-30"},
        {"0000-01-01", "ERROR\n1:1: `0000-01-01` is no date; expected one such as 2027-06-30"},
        {"2027-06-30-1", "ERROR\n1:1: `2027-06-30-1` is no date; expected one such as 2027-06-30"},
        {"a \"b\nc", "name:a ERROR name:c\n1:3: this string has no closing `\"` on its line"},
        {"a \"b\r\nc", "name:a ERROR name:c\n1:3: this string has no closing `\"` on its line"},
        {"\"b", "ERROR\n1:1: this string has no closing `\"` on its line"},
        {"\"", "ERROR\n1:1: this string has no closing `\"` on its line"},
        {"\"b\\", "ERROR\n1:1: this string has no closing `\"` on its line"},
        {"\"b\\\nc", "ERROR name:c\n1:1: this string has no closing `\"` on its line"},
        {"\"b\\\"", "ERROR\n1:1: this string has no closing `\"` on its line"},
        {"/b\nc", "ERROR name:c\n1:1: this regular expression has no closing `/` on its line"},
        {"/b\\/", "ERROR\n1:1: this regular expression has no closing `/` on its line"},
        {"\"a\tb\tc\" d", "ERROR name:d\n1:3: a control character in a string; expected text"},
        {"\"a\\nb\\tc\" d",
         "ERROR name:d\n1:3: a string knows the escapes `\\\"` and `\\\\`; a backslash is written `\\\\`"},
        {"Rule a", "ERROR name:a\n1:1: the words of the language have small letters: did you mean `rule`?"},
        {"Rules a",
         "ERROR name:a\n1:1: a name has small letters, digits and hyphens, such as `rules`; write other text "
         "in double quotes"},
        {"/a/and", "regex:a name:and"},
        {"/a/ i", "regex:a name:i"},
        {"/a/i and",
         "ERROR name:and\n1:4: an expression has no options after it, such as `i`: all comparisons ignore case"},
        {"/a/b/", "ERROR\n1:3: this `/` ends the regular expression; a slash within it is written `\\/`"},
        {"Abcdefghijklmnopqrstuvwxyz0123456 a",
         "ERROR name:a\n1:1: a name has small letters, digits and hyphens; write other text in double quotes"},
        {"a == b", "name:a ERROR name:b\n1:3: `==` means nothing here; did you mean `=`?"},
        {"a!=b", "name:a ERROR name:b\n1:2: `!=` means nothing here; did you mean `not` before the test, and `=`?"},
        {"&&a", "ERROR name:a\n1:1: `&&` means nothing here; did you mean `and`?"},
        {"; a", "ERROR name:a\n1:1: `;` means nothing here"},
        {"corp.example a", "name:corp ERROR name:a\n1:5: `.` means nothing here"},
        {"\xc3\xbc"
         "ber a",
         "ERROR name:a\n1:1: `\xc3\xbc` means nothing here"},
        /* The rest of a word is part of the same mistake, whatever its script. */
        {"\xc3\x9c"
         "n\xc3\xaf"
         "code a",
         "ERROR name:a\n1:1: `\xc3\x9c` means nothing here"},
        {"\xd0\xb0\xd0\xb1\xd0\xb2 a", "ERROR name:a\n1:1: `\xd0\xb0` means nothing here"},
        {"\001 a", "ERROR name:a\n1:1: the character U+0001 means nothing here"},
        {"\xe2\x80\x8b"
         "a",
         "ERROR\n1:1: the character U+200B means nothing here"},
        {"\xc2\xa0 a", "ERROR name:a\n1:1: the character U+00A0 means nothing here"}, /* it cannot be seen */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = lex(cases[i][0]);
        if (strcmp(got, cases[i][1]) != 0)
            UNIT_FAIL("`%s` gave `%s`, want `%s`", cases[i][0], got, cases[i][1]);
    }
}

static void test_describe(void)
{
    static const char *const cases[][2] = {
        {"", "the end of the file"},
        {"\"a\"", "a string"},
        {"/a/", "a regular expression"},
        {"rule", "`rule`"},
        {"17", "`17`"},
        {"2027-06-30", "`2027-06-30`"},
        {"{", "`{`"},
        {"}", "`}`"},
        {"(", "`(`"},
        {")", "`)`"},
        {",", "`,`"},
        {"=", "`=`"},
        {"=~", "`=~`"},
        {">", "`>`"},
        {">=", "`>=`"},
        {"<", "`<`"},
        {"<=", "`<=`"},
        {";", "an error"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(diags) diags = diags_new();
        auto_free(source) source = source_from_memory("t", cases[i][0], strlen(cases[i][0]), diags);
        struct lexer lexer = {.source = source, .diags = diags};
        struct token token = lexer_next(&lexer);
        g_autofree char *got = token_describe(&token);
        g_assert_cmpstr(got, ==, cases[i][1]);
        token_clear(&token);
    }
}

/* What is written is read as what it was. */
static void test_round_trip(void)
{
    static const char *const values[] = {"", "a", "\"", "\\", "\\\"", "a b", "/", "\xc3\xbc", "#", "{{"};
    static const char *const regexes[] = {"", "a", "/", "a/b", "\\\\", "\\\\/", "\\.", "[/]", "\"", "\\/x"};

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        GString *text = g_string_new(NULL);
        g_autofree char *want = g_strconcat("string:", values[i], NULL);
        g_autofree char *got = NULL;
        lexer_append_string(text, values[i]);
        got = lex(text->str);
        g_assert_cmpstr(got, ==, want);
        g_string_free(text, TRUE);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(regexes); i++) {
        GString *text = g_string_new(NULL);
        GString *again = g_string_new(NULL);
        g_autofree char *got = NULL;
        lexer_append_regex(text, regexes[i]);
        got = lex(text->str);
        g_assert_true(g_str_has_prefix(got, "regex:"));
        lexer_append_regex(again, got + 6);
        g_assert_cmpstr(again->str, ==, text->str);
        g_string_free(text, TRUE);
        g_string_free(again, TRUE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lexer/tokens", test_tokens);
    g_test_add_func("/lexer/errors", test_errors);
    g_test_add_func("/lexer/describe", test_describe);
    g_test_add_func("/lexer/round-trip", test_round_trip);
    return g_test_run();
}
