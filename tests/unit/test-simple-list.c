/*
 * simple_list - which lists are read in one pass, and that this finds just what the long way finds.
 */

#include "policy/address/simple_list.h"

#include "policy/address/at_signs.h"
#include "policy/exposure/exposure.h"
#include "policy/message/encoded_words.h"
#include "policy/message/gmime_bounds.h"
#include "tests/lib/same_readings.h"

#include <string.h>

#define WORD  "=?utf-8?q?J=C3=B6rg?="
#define WORDB "=?UTF-8?B?SsO2cmc=?="

static const struct {
    const char *value;
    bool simple;
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
    {"Ann Q. O'Lee <ann@x.example>", true},
    {"AT&T <ann@x.example>", true},
    {"\"\" <ann@x.example>", true},
    {"\"Ann \\\"The\\\" Lee\" <ann@x.example>", true},
    {"\"[EXT] Ann\" <ann@x.example>", true},
    {"o'brien@x.example, a--b@x.example, bounce+ann=x.example@y.example, r&d@x.example, _a@x.example", true},
    {WORD " <ann@x.example>", true},
    {WORDB " <ann@x.example>", true},
    {WORD "\n " WORD " Lee <ann@x.example>, " WORD "<ben@x.example>", true},
    {WORD " =?iso-8859-1?Q?=2C_J=F6rg?= <ann@x.example>", true},
    {"=?utf-8?b?SsM=?= =?utf-8?b?tnJn?= <ann@x.example>", true},
    {"=?utf-8?q?=28Sales=29?= <ann@x.example>", true},
    {"team: ann@x.example, Ben <ben@y.example>;", true},
    {"team: ann@x.example;, \"b\": ben@y.example;, cee@z.example", true},
    {"undisclosed-recipients:;", true},
    /* in each of these something may be read otherwise */
    {"", false},
    {"ann", false},
    {"ann@localhost", false},
    {"ann@x.example,", false},
    {",ann@x.example", false},
    {"ann@x.example,,ben@y.example", false},
    {"ann@x.example; ben@y.example", false},
    {"ann@x.example ben@y.example", false},
    {"Ann ann@x.example", false},
    {"ann@x.example (Ann)", false},
    {"Ann <ann@x.example", false},
    {"Ann <ann@x.example> Lee", false},
    {"Ann <ann @x.example>", false},
    {"Ann\"Lee\" <ann@x.example>", false},
    {"Ann.. <ann@x.example>", false},
    {"ann@x.\n example", false},
    {"ann@x.example\nben@y.example", false},
    {"ann@x.example,\rben@y.example", false},
    {"\"ann@x.example\" <ann@x.example>", false},
    {"\"ann\\@x.example\" <ann@x.example>", false},
    {"\"<\" <ann@x.example>", false},
    {"\"Ann\\\" <ann@x.example>", false},
    {"\"Ann <ann@x.example>", false},
    {"\"a) [b]\" <ann@x.example>", false},
    {"\"=?utf-8?q?a=40b?=\" <ann@x.example>", false},
    {"\"" WORD "\" <ann@x.example>", false},
    {"\"J\xc3\xb6rg\" <ann@x.example>", false},
    {"=?utf-8?q?a=40b?= <ann@x.example>", false},
    {"=?utf-8?b?YUBi?= <ann@x.example>", false},
    {"=?utf-8?q?a=EF=BC=A0b?= <ann@x.example>", false}, /* U+FF20, which is an `@` to a reader */
    {"=?utf-8?q?=EF=BC=9C?= <ann@x.example>", false},   /* U+FF1C, `<` */
    {"=?utf-8?q?=22?= <ann@x.example>", false},
    {"=?utf-8?q?=5C?= <ann@x.example>", false},
    {"=?utf-8?q?=28?= <ann@x.example>", false},
    {"=?utf-8?q?=EF=BC=88?= <ann@x.example>", false}, /* U+FF08, `(` */
    {"=?utf-8?q?=00?= <ann@x.example>", false},
    {"=?utf-8?q?=C3?= <ann@x.example>", false},
    {"=?utf-8?q?a b?= <ann@x.example>", false},
    {"=?utf-8?q?a,b?= <ann@x.example>", false},
    {"=?utf-8?q?a=?= <ann@x.example>", false},
    {"=?utf-8?q?"
     "?= <ann@x.example>",
     false},
    {"=?utf-8?b?SsO2cmc?= <ann@x.example>", false},
    {"=?utf-8?b?Sg==Sg==?= <ann@x.example>", false},
    {"=?utf-8*en?q?Ann?= <ann@x.example>", false},
    {"=?us-ascii?q?=E4?= <ann@x.example>", false},
    {"=?utf-7?q?Ann?= <ann@x.example>", false},
    {"=?iso-2022-jp?q?Ann?= <ann@x.example>", false},
    {"=?utf-8?q?Ann <ann@x.example>", false},
    {WORD "Lee <ann@x.example>", false},
    {"Lee" WORD " <ann@x.example>", false},
    {WORD "=?iso-8859-1?q?a?= <ann@x.example>", false},
    {WORD " =?utf-8?q?a b?= <ann@x.example>", false},
    {WORD, false},
    {"=?utf-8?q?ann?=@x.example", false},
    {"team: ann@x.example", false},
    {"team: ann@x.example,;", false},
    {"team: a: ann@x.example;;", false},
    {"team: ann@x.example; ben@y.example", false},
    {": ann@x.example;", false},
    {"a: ann@x.example;, b: ann@x.example;, c: ann@x.example;", false},
    {"<@r.example:ann@x.example>", false},
    {"a..b@x.example", false},
    {".ann@x.example", false},
    {"ann.@x.example", false},
    {"'ann@x.example'", false},
    {"ann@x.example.", false},
    {"ann@xn--bcher-kva.example", false},
    {"ann@x.xn--bcher-kva", false},
    {"ann@[192.0.2.1]", false},
    {"ann@b\xc3\xbc"
     "cher.example",
     false},
    {"J\xc3\xbcrgen <j@x.example>", false},
    {"ann@x@y.example", false},
    {"ann%y.example@x.example", false},
    {"y.example!ann@x.example", false},
    {"\"ann\"@x.example", false},
    {"ann@-x.example", false},
    {"ann@x_y.example", false},
};

static struct message *message_with(const char *value)
{
    struct message *message = message_new();

    message_add_header(message, "To", value);
    return message;
}

static void test_lists(void)
{
    struct simple_list list = {0};

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_test_message("%s", lists[i].value);
        g_assert_cmpint(simple_list_read(&list, lists[i].value), ==, lists[i].simple);
    }
    simple_list_clear(&list);
}

static void test_normal(void)
{
    struct simple_list list = {0};
    size_t length;

    g_assert_true(simple_list_read(&list, "Ann <ANN.Zz+09_@MAIL.Y-Z.Example>, b@c.example, A@B.C"));
    g_assert_cmpuint(list.count, ==, 3);
    static const char *const normal[] = {"ann.zz+09_@mail.y-z.example", "b@c.example", "a@b.c"};
    for (unsigned i = 0; i < list.count; i++) {
        const char *address = simple_list_normal(&list, i, &length);
        g_assert_cmpmem(address, length, normal[i], strlen(normal[i]));
    }
    simple_list_clear(&list);
}

static void assert_same(const struct message *message, unsigned headers)
{
    unsigned at_once;
    g_autofree char *difference = recipients_differ(message, &at_once);

    g_assert_cmpstr(difference, ==, NULL);
    g_assert_cmpuint(at_once, ==, headers);
}

static void test_same_as_the_long_way(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        auto_free(message) message = message_with(lists[i].value);
        auto_free(recipients) recipients = NULL;
        g_test_message("%s", lists[i].value);
        assert_same(message, lists[i].simple);
        recipients = recipients_read(message);
        if (lists[i].simple)
            g_assert_cmpuint(recipients_defects(recipients), ==, 0);
    }
}

/* Words put together at random: whatever of them is accepted reads the same. */
static void test_random(void)
{
    static const char *const words[] = {
        "ann",       "@",  "x.example",  ",",      " ",       "<",   ">",      "\"",
        ".",         "-",  "_",          "+",      "B",       "\n ", "\r\n\t", "7",
        "a",         ", ", "@y.example", " <",     "\" <",    ":",   ";",      "(",
        ")",         "\\", WORD,         WORD " ", WORDB " ", "=?",  "?=",     "cee@z.example",
        "x:a@b.cc;", "!",  "%",          "'",      "Q. ",     "[x]"};
    GRand *random = g_rand_new_with_seed(20);
    unsigned accepted = 0;

    for (unsigned i = 0; i < 100000; i++) {
        GString *value = g_string_new(i % 3 == 0 ? "ann@x.example, " : i % 3 == 1 ? "Ann <ann@x.example>, \"" : NULL);
        for (int left = g_rand_int_range(random, 1, 8); left > 0; left--)
            g_string_append(value, words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))]);
        auto_free(message) message = message_with(value->str);
        unsigned at_once;
        g_autofree char *difference = recipients_differ(message, &at_once);
        if (difference != NULL)
            g_error("%s: %s", value->str, difference);
        accepted += at_once;
        g_string_free(value, TRUE);
    }
    g_rand_free(random);
    g_assert_cmpuint(accepted, >, 500);
}

/* ---- bounds of a message, which one header uses up for another */

/* `count` items: what is before a number, the number and what is after it. */
static char *many(const char *before, const char *after, unsigned count)
{
    GString *list = g_string_new(NULL);

    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(list, "%s%s%05u%s", i > 0 ? ", " : "", before, i, after);
    return g_string_free(list, FALSE);
}

static const struct {
    const char *bound;
    const char *before, *after; /* of an ordinary item */
    unsigned count;             /* as many as the bound allows */
    const char *next;           /* a header after it that the bound concerns */
} bounds[] = {
    {"bytes", "Anna-Maria Lee <anna", "@mail.x.example>", GMIME_BYTES_LIMIT / 43, "\"b\" <c@x.example> d"},
    {"marks", "a", "@x.example", GMIME_MARKS_LIMIT, "b@x.example c"},
    {"words", WORD " <a", "@x.example>", WORDS_LIMIT, WORD " " WORD " <b@x.example> c, d@x.example"},
    {"words, some left", WORD " <a", "@x.example>", WORDS_LIMIT + 500, WORD " <b@x.example> c, team: b@x.example;"},
    {"words and bytes", "=?utf-8?b?w7bDtg==?= <a", "@x.example>", GMIME_BYTES_LIMIT / 45, "b@x.example c"},
    {"bare", "\",,,\" <a", "@x.example>", GMIME_BARE_LIMIT / 2, "b,,,, <c@x.example>"},
    {"open", "\"(\" <a", "@x.example>", GMIME_OPEN_LIMIT, "b@x.example c"},
    {"colons", "\":\" <a", "@x.example>", GMIME_COLONS_LIMIT, "b@x.example c"},
    {"readings", "a", "@x.example", READINGS_LIMIT, "b@x.example c"},
    /* Where there is an encoded-word, all are read twice. */
    {"readings twice", "a", "@x.example", READINGS_LIMIT / 2 - 1, "b@x.example c"},
};

/* Just below, at and above each bound, and whatever comes after it in the message. */
static void test_bounds(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(bounds); i++) {
        bool seen = false;
        for (int beside = -2; beside <= 2; beside++) {
            auto_free(message) message = message_new();
            g_autofree char *list = many(bounds[i].before, bounds[i].after, (unsigned)((int)bounds[i].count + beside));
            unsigned at_once;
            if (strcmp(bounds[i].bound, "readings twice") == 0) {
                char *longer = g_strconcat(WORD " <w@x.example>, ", list, NULL);
                g_free(list);
                list = longer;
            }
            g_test_message("%s, %d", bounds[i].bound, beside);
            message_add_header(message, "To", list);
            message_add_header(message, "Cc", bounds[i].next);
            message_add_header(message, "Cc", "last@x.example, " WORD " <words@x.example>");
            g_autofree char *difference = recipients_differ(message, &at_once);
            g_assert_cmpstr(difference, ==, NULL);
            seen |= at_once > 0;
        }
        g_assert_true(seen);
    }
}

/*
 * The third reading looks around so many `@` of a message, and has done so before the ordinary list comes: in a header
 * with an encoded-word around each of them twice.
 */
static void test_walks(void)
{
    unsigned limited = 0;

    for (int beside = -6; beside <= 3; beside++) {
        auto_free(message) message = message_new();
        auto_free(recipients) recipients = NULL;
        g_autofree char *odd = many("Ann b", "@x.example", (unsigned)((int)ACCOUNT_LIMIT / 2 + beside));
        g_autofree char *list = g_strconcat(WORD " <w@x.example>, ", odd, NULL);
        unsigned at_once;
        g_test_message("%d", beside);
        message_add_header(message, "To", list);
        message_add_header(message, "Cc", "team: c@x.example;, " WORD ": d@x.example;");
        message_add_header(message, "Cc",
                           "Ann e@x.example, Ann f@x.example, Ann g@x.example, Ann h@x.example, Ann i@x.example");
        g_autofree char *difference = recipients_differ(message, &at_once);
        g_assert_cmpstr(difference, ==, NULL);
        recipients = recipients_read(message);
        limited += (recipients_defects(recipients) & DEFECT_LIMIT) != 0;
    }
    g_assert_cmpuint(limited, >, 0);
    g_assert_cmpuint(limited, <, 10);
}

/* Words that are a run must be read as one: if that is too long, none of them is accepted. */
static void test_long_run(void)
{
    g_autofree char *text = g_strnfill(300, 'a');
    g_autofree char *one = g_strconcat("=?utf-8?q?", text, "?= <ann@x.example>", NULL);
    g_autofree char *two = g_strconcat("=?utf-8?q?", text, "?=\n ", one, NULL);
    struct simple_list list = {0};

    g_assert_true(simple_list_read(&list, one));
    g_assert_false(simple_list_read(&list, two));
    simple_list_clear(&list);
}

static void test_authors(void)
{
    static const char *const values[] = {"Ann <ann@x.example>", WORD " <Ann@X.example>, ben@y.example, ann@x.example",
                                         "team: ann@x.example;, ben@y.example", "team:;",
                                         "ann@x.example (c@z.example)"};

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        auto_free(message) message = message_new();
        message_add_header(message, "From", values[i]);
        message_add_header(message, "From", "dee@x.example");
        g_autofree char *difference = authors_differ(message);
        g_assert_cmpstr(difference, ==, NULL);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/simple-list/lists", test_lists);
    g_test_add_func("/simple-list/normal", test_normal);
    g_test_add_func("/simple-list/same-as-the-long-way", test_same_as_the_long_way);
    g_test_add_func("/simple-list/random", test_random);
    g_test_add_func("/simple-list/bounds", test_bounds);
    g_test_add_func("/simple-list/walks", test_walks);
    g_test_add_func("/simple-list/long-run", test_long_run);
    g_test_add_func("/simple-list/authors", test_authors);
    return g_test_run();
}
