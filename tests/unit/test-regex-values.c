/* test-regex-values - what is said to match no value matches none that PCRE2 is given; and what is plain is said */

#include "policy/base/pattern.h"
#include "policy/logic/regex_values.h"
#include "unit.h"

static bool can(const char *pattern, enum regex_values values)
{
    auto_free(regex) regex = regex_parse(pattern);

    return regex_can_match(regex, pattern, values);
}

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

static const struct {
    enum regex_values values;
    const char *value;
} values[] = {
    {VALUES_DOMAIN, "corp.example"},
    {VALUES_DOMAIN, "a.b-c.xn--mnchen-3ya.example"},
    {VALUES_DOMAIN, "_x.1.example"},
    {VALUES_DOMAIN, "[192.0.2.1]"},
    {VALUES_DOMAIN, "[ipv6:2001:db8::1]"},
    {VALUES_ADDRESS, "ann@corp.example"},
    {VALUES_ADDRESS, "ann+x=y@mail.corp.example"},
    {VALUES_ADDRESS, "\"a b@c\"@corp.example"},
    {VALUES_ADDRESS, "ann@[192.0.2.1]"},
    {VALUES_SENDER, ""},
    {VALUES_SENDER, "ann@corp.example"},
    {VALUES_LOGIN, "ann"},
    {VALUES_LOGIN, "ann@corp.example"},
    {VALUES_LOGIN, "CORP\\ann"},
    {VALUES_NETWORK, "192.0.2.1"},
    {VALUES_NETWORK, "255.255.255.255"},
    {VALUES_NETWORK, "::1"},
    {VALUES_NETWORK, "2001:db8::ffff"},
    {VALUES_NETWORK, "::ffff:192.0.2.1"},
    {VALUES_ADDRESSES, "ann@corp.example"},
    {VALUES_ADDRESSES, "Ann <ann@corp.example>, b@[192.0.2.1]"},
    {VALUES_ADDRESSES, "\"Ann @ home\" <ann@mail.corp.example>"},
    {VALUES_ANGLES, "<board.corp.example>"},
    {VALUES_ANGLES, "The board <board.corp.example>"},
    {VALUES_ANGLES, "<1@corp.example> <2@corp.example>"},
};

static const char *const patterns[] = {
    ".*",
    ".+",
    "",
    "[^@]+@[^@]+",
    "[a-z+=]+@([a-z]+\\.)+example",
    "(?:ann|bob)@(?>.+\\.)?corp\\.example",
    ".*corp\\.example>?",
    "\\Qann@corp.example\\E",
    "^ann@.*$",
    "(?i)ANN@CORP\\.EXAMPLE",
    "(?x) ann @ corp \\. example",
    "(?=.*@)[\\x20-\\x7e]+",
    "(a)\\1?nn@corp.example",
    "(?<x>ann)@corp\\.(?#comment)example",
    "\\p{Ll}+@\\S+",
    "[[:alnum:].]+",
    "[^.]+\\.[^.]+",
    "(\\d{1,3}\\.){3}\\d{1,3}",
    "\\d+\\.\\d+\\.\\d+\\.\\d+",
    "[0-9a-f:]+",
    "[0-9a-f]*:.*",
    "\\[.*\\]",
    "\\[[^\\]]+\\]",
    "<.*>",
    ".*<board\\.corp\\.example>",
    "[^<]*<[^>]+>.*",
    "(\\X)+",
    "a(?(?=n)nn|b)@corp\\.example",
    "([a-z]|(@|\\.))+",
    "((([a-z]*)*@?)*\\.?)*",
    "[a-z]{3}@[a-z]{4}\\.[a-z]{7}",
    "[a-z]{3}",
    "corp\\\\ann",
    "\\w+",
};

static void test_true(void)
{
    unsigned found = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(patterns); i++)
        for (unsigned j = 0; j < G_N_ELEMENTS(values); j++) {
            if (!matches(patterns[i], values[j].value))
                continue;
            found++;
            if (!can(patterns[i], values[j].values))
                UNIT_FAIL("/%s/ matches \"%s\"", patterns[i], values[j].value);
        }
    g_assert_cmpuint(found, >, 100);
}

static void test_none(void)
{
    static const struct {
        enum regex_values values;
        const char *pattern;
    } none[] = {
        {VALUES_DOMAIN, "corp"},
        {VALUES_DOMAIN, ".*@corp\\.example"},
        {VALUES_DOMAIN, "\\.corp\\.example"},
        {VALUES_DOMAIN, "corp\\."},
        {VALUES_DOMAIN, "[a-z]+"},
        {VALUES_DOMAIN, "corp\\.\\.example"},
        {VALUES_DOMAIN, ""},
        {VALUES_ADDRESS, "clinic@"},
        {VALUES_ADDRESS, "@corp\\.example"},
        {VALUES_ADDRESS, "noreply"},
        {VALUES_ADDRESS, "[^@]*"},
        {VALUES_ADDRESS, "[a-z.]+"},
        {VALUES_ADDRESS, "(clinic|hr)@"},
        {VALUES_ADDRESS, "a@b"},
        {VALUES_ADDRESS, ""},
        {VALUES_SENDER, "clinic@"},
        {VALUES_LOGIN, "@corp\\.example"},
        {VALUES_LOGIN, "ann@"},
        {VALUES_NETWORK, "10\\."},
        {VALUES_NETWORK, "192\\.168\\.1"},
        {VALUES_NETWORK, ".*\\.example"},
        {VALUES_NETWORK, "1234\\..*"},
        {VALUES_ADDRESSES, "clinic@"},
        {VALUES_ADDRESSES, "clinic"},
        {VALUES_ADDRESSES, "@corp\\.a"},
        {VALUES_ANGLES, "board\\.example"},
        {VALUES_ANGLES, ".*@corp\\.example"},
        {VALUES_ADDRESS, "(?i)(?:clinic)@"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(none); i++)
        if (can(none[i].pattern, none[i].values))
            UNIT_FAIL("/%s/ is said to match something (%d)", none[i].pattern, none[i].values);
}

static void test_ends(void)
{
    static const struct {
        const char *pattern;
        bool begins, ends;
    } cases[] = {
        {"", false, false},       {"a", false, false},      {".*a", true, false},         {"a.+", false, true},
        {"a.", false, false},     {"(.*a|b)", true, false}, {"[^@]*a[a-z]+", true, true}, {"[0-9]+", false, false},
        {"(a|b.*)", false, true}, {"^.*a", false, false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(regex) regex = regex_parse(cases[i].pattern);
        if (regex_begins_open(regex) != cases[i].begins || regex_ends_open(regex) != cases[i].ends)
            UNIT_FAIL("/%s/: %d %d", cases[i].pattern, regex_begins_open(regex), regex_ends_open(regex));
    }
}

/* However deep and often things are repeated, an end comes. */
static void test_cost(void)
{
    GString *deep = g_string_new("a");
    GString *often = g_string_new("a");

    for (unsigned i = 0; i < 60; i++) {
        g_string_append(g_string_prepend(deep, "("), ")*");
        g_string_append(g_string_prepend(often, "(?:"), "){0,60}");
    }
    can(deep->str, VALUES_ADDRESSES);
    can(often->str, VALUES_ADDRESSES);
    g_string_free(deep, TRUE);
    g_string_free(often, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/regex-values/true", test_true);
    g_test_add_func("/regex-values/none", test_none);
    g_test_add_func("/regex-values/ends", test_ends);
    g_test_add_func("/regex-values/cost", test_cost);
    return g_test_run();
}
