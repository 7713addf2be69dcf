/*
 * plain - that a list is plain means that both readings agree: with an empty
 * comment behind it, which makes it no longer plain, it reads the same.
 */

#include "policy/address/simple_list.h"

#include "policy/exposure/exposure.h"
#include "policy/message/recipients.h"

#include <string.h>

static const struct {
    const char *value;
    bool plain;
} lists[] = {
    {"ann@x.example", true},
    {" ann@x.example ", true},
    {"ann@x.example, ben@y.example", true},
    {"ann@x.example,ben@y.example", true},
    {"Ann Lee <ann@x.example>", true},
    {"Ann <ann@x.example>,\n\tBen Bo <ben.bo+tag@mail.y.example>,\r\n cee_dee@z.example", true},
    {"\"Lee, Ann (Sales)\" <ann@x.example>, \"B. Bo\" <ben@y.example>", true},
    {"<ann@x.example>", true},
    {"\n\tann@x.example", true},
    {"Ann-Lee_2 <ann@x.example>", true},
    /* in each of these something may be read otherwise */
    {"", false},
    {"ann", false},
    {"ann@localhost", false},
    {"ann@x.example,", false},
    {",ann@x.example", false},
    {"ann@x.example; ben@y.example", false},
    {"ann@x.example ben@y.example", false},
    {"Ann ann@x.example", false},
    {"ann@x.example (Ann)", false},
    {"Ann <ann@x.example", false},
    {"Ann <ann@x.example> Lee", false},
    {"Ann <ann @x.example>", false},
    {"ann@x.\n example", false},
    {"ann@x.example\nben@y.example", false},
    {"\"ann@x.example\" <ann@x.example>", false},
    {"\"Ann\\\" <ann@x.example>", false},
    {"\"Ann <ann@x.example>", false},
    {"\"=?utf-8?q?a=40b?=\" <ann@x.example>", false},
    {"=?utf-8?q?Ann?= <ann@x.example>", false},
    {"team: ann@x.example;", false},
    {"<@r.example:ann@x.example>", false},
    {"a..b@x.example", false},
    {".ann@x.example", false},
    {"ann.@x.example", false},
    {"o'brien@x.example", false},
    {"ann@x.example.", false},
    {"ann@xn--bcher-kva.example", false},
    {"ann@[192.0.2.1]", false},
    {"ann@b\xc3\xbc"
     "cher.example",
     false},
    {"J\xc3\xbcrgen <j@x.example>", false},
    {"ann@x@y.example", false},
    {"ann%y.example@x.example", false},
    {"ann@-x.example", false},
};

static struct recipients *read_one(const char *value)
{
    auto_free(message) message = message_new();

    message_add_header(message, "To", value);
    return recipients_read(message);
}

static void test_plain(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_test_message("%s", lists[i].value);
        g_assert_cmpint(plain_list(lists[i].value), ==, lists[i].plain);
    }
}

static void assert_same_readings(const char *value)
{
    g_autofree char *commented = g_strconcat(value, " ()", NULL);
    auto_free(recipients) plain = read_one(value);
    auto_free(recipients) both = read_one(commented);

    g_test_message("%s", value);
    g_assert_false(plain_list(commented));
    g_assert_cmpuint(recipients_count(plain), ==, recipients_count(both));
    g_assert_cmpuint(recipients_defects(plain), ==, 0);
    g_assert_cmpuint(recipients_defects(both), ==, 0);
    for (unsigned i = 0; i < recipients_count(plain); i++)
        g_assert_cmpuint(recipients_find(both, recipients_get(plain, i)->address), ==, FIELD_TO);
}

static void test_same_as_both_readings(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++)
        if (lists[i].plain)
            assert_same_readings(lists[i].value);
}

/* Words put together at random: whatever is plain among them reads the same. */
static void test_random(void)
{
    static const char *const words[] = {
        "ann", "@", "x.example", ",",      " ", "<", ">",          "\"", ".",  "-",    "_",
        "+",   "B", "\n ",       "\r\n\t", "7", "a", "@y.example", ", ", " <", "\" <", "cee@z.example"};
    GRand *random = g_rand_new_with_seed(20);
    unsigned plain = 0;

    for (unsigned i = 0; i < 200000; i++) {
        GString *value = g_string_new(i % 3 == 0 ? "ann@x.example, " : i % 3 == 1 ? "Ann <ann@x.example>, \"" : NULL);
        for (int left = g_rand_int_range(random, 1, 8); left > 0; left--)
            g_string_append(value, words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))]);
        if (plain_list(value->str)) {
            plain++;
            assert_same_readings(value->str);
        }
        g_string_free(value, TRUE);
    }
    g_rand_free(random);
    g_assert_cmpuint(plain, >, 500);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plain/lists", test_plain);
    g_test_add_func("/plain/same-as-both-readings", test_same_as_both_readings);
    g_test_add_func("/plain/random", test_random);
    return g_test_run();
}
