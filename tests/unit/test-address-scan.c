/* test-address-scan - what looks like an address to a person, wherever it stands */

#include "policy/address/address_scan.h"

#include <string.h>

/* The hits of a text as `local@domain`, parted by `|`; the local part as a person would take it. */
static char *scan(const char *text)
{
    g_autofree char *owned = NULL;
    size_t length;
    const char *clean = scan_clean(text, strlen(text), &length, &owned);
    GArray *hits = g_array_new(FALSE, FALSE, sizeof(struct scan_hit));
    GString *found = g_string_new(NULL);

    scan_text(clean, length, G_MAXUINT, hits);
    for (unsigned i = 0; i < hits->len; i++) {
        const struct scan_hit *hit = &g_array_index(hits, struct scan_hit, i);
        g_assert_cmpuint(hit->wide, <=, hit->tight);
        g_assert_cmpuint(hit->tight, <, hit->local_end);
        g_assert_cmpuint(hit->local_end, <=, hit->at);
        g_assert_cmpuint(hit->at, <, hit->domain);
        g_assert_cmpuint(hit->domain, <, hit->end);
        g_assert_cmpuint(hit->end, <=, length);
        g_assert_cmpint(clean[hit->at], ==, '@');
        g_string_append_printf(found, "%s%.*s@%.*s", i > 0 ? "|" : "", (int)(hit->local_end - hit->tight),
                               clean + hit->tight, (int)(hit->end - hit->domain), clean + hit->domain);
    }
    g_array_unref(hits);
    return g_string_free(found, FALSE);
}

static void test_hits(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"@", ""},
        {"@@@@", ""},
        {"a@", ""},
        {"@x.example", ""},
        {"ann@x.example", "ann@x.example"},
        {"Ann Lee <ann@x.example>", "ann@x.example"},
        {"ann@x.example;bob@y.example", "ann@x.example|bob@y.example"},
        {"ann@x.example/bob@y.example", "ann@x.example|bob@y.example"},
        {"ann@x.example|bob@y.example", "ann@x.example|bob@y.example"},
        {"ann@x.example&bob@y.example", "ann@x.example|bob@y.example"},
        {"ann@x.example and bob@y.example", "ann@x.example|bob@y.example"},
        {"ann@x.example\tbob@y.example\nc@z.example", "ann@x.example|bob@y.example|c@z.example"},
        {"(ann@x.example)[bob@y.example]{c@z.example}", "ann@x.example|bob@y.example|c@z.example"},
        {"'ann@x.example'", "ann@x.example"},
        {"mailto:ann@x.example", "ann@x.example"},
        {"&lt;ann@x.example&gt;", "ann@x.example"},
        {"mailto:ann@x.example?cc=bob@y.example", "ann@x.example|bob@y.example"},
        {"mailto:?to=ann@x.example&bcc=bob@y.example", "ann@x.example|bob@y.example"},
        {"cc=bob@y.example", "cc=bob@y.example"},
        {"ann @ x.example", "ann@x.example"},
        {"ann@ x.example", "ann@x.example"},
        /* No address: nothing that a person would take for a domain. */
        {"Lunch @ noon", ""},
        {"a@b", "a@b"},
        {"a@-", ""},
        {"a@...", ""},
        {"a@.x.example", "a@x.example"},
        {"a@x.example.", "a@x.example"},
        {"a@x.example-", "a@x.example"},
        {"a..b@x.example", "a..b@x.example"},
        {".a.@x.example", ".a.@x.example"},
        {"a@b@c.example", "a@b|b@c.example"},
        {"a@[192.0.2.1]", "a@[192.0.2.1]"},
        {"a@[192.0.2.1", "a@[192.0.2.1"},
        {"\"a b\"@x.example", "\"a b\"@x.example"},
        {"\"a@y.example\"@x.example", "a@y.example|\"a@y.example\"@x.example"},
        {"a b\"@x.example", "b@x.example"},
        /* A fold inside a domain. */
        {"a@x.\n example", "a@x.\n example"},
        {"a@x\n .example", "a@x\n .example"},
        {"a@x.example\n b@y.example", "a@x.example|b@y.example"},
        /* Other scripts. */
        {"a\xef\xbc\xa0x.example", "a@x.example"}, /* full-width at sign */
        {"a@x.example\xef\xbc\x8c"
         "b@y.example",
         "a@x.example|b@y.example"}, /* full-width comma */
        {"a@x.example\xe3\x80\x81"
         "b@y.example",
         "a@x.example|b@y.example"}, /* ideographic comma */
        {"a@x.example\xef\xbd\xa4"
         "b@y.example",
         "a@x.example|b@y.example"}, /* half-width comma */
        {"a@x.example\xef\xbc\x9b"
         "b@y.example",
         "a@x.example|b@y.example"}, /* full-width semicolon */
        {"a@x.example\xd8\x8c"
         "b@y.example",
         "a@x.example|b@y.example"}, /* Arabic comma */
        {"a@x.example\xc2\xa0"
         "b@y.example",
         "a@x.example|b@y.example"}, /* NBSP */
        {"a@x.example\xe3\x80\x80"
         "b@y.example",
         "a@x.example|b@y.example"}, /* ideographic blank */
        {"a@x.example\xe2\x80\xa8"
         "b@y.example",
         "a@x.example|b@y.example"}, /* line separator */
        {"a@x.example\xe2\x80\xa2"
         "b@y.example",
         "a@x.example|b@y.example"},                            /* bullet */
        {"a\xe2\x80\x8b@x.exam\xe2\x80\x8bple", "a@x.example"}, /* zero-width spaces */
        {"a@x\xe3\x80\x82"
         "example",
         "a@x.example"}, /* a dot of IDNA */
        {"\xc2\xab"
         "a@x.example\xc2\xbb",
         "a@x.example"}, /* guillemets */
        {"a@b\xc3\xbc"
         "cher.example",
         "a@b\xc3\xbc"
         "cher.example"},
        {"j\xc3\xb6rg@x.example", "j\xc3\xb6rg@x.example"},
        /* No top-level domain mixes scripts; signs of other scripts begin no name. */
        {"a@x.example\xe6\xa7\x98\xe3\x80\x81"
         "b@y.example",
         "a@x.example|b@y.example"}, /* an honorific */
        {"a@x.example\xe2\x98\x85"
         "b@y.example",
         "a@x.example|b@y.example"}, /* a star */
        {"a@x.example\xef\xbf\xbd"
         "b@y.example",
         "a@x.example|b@y.example"},                                    /* U+FFFD */
        {"a@x.example\xc2\xb7 b@y.example", "a@x.example|b@y.example"}, /* a middle dot */
        {"a@x.verm\xc3\xb6gensberater", "a@x.verm\xc3\xb6gensberater"},
        {"a@x.ex\xd0\xb0mple", "a@x.ex\xd0\xb0mple"}, /* a Cyrillic letter that looks like one of them */
        {"a@i\xe2\x9d\xa4.ws", "a@i\xe2\x9d\xa4.ws"},
        {"\xe2\x98\x85@x.example", "\xe2\x98\x85@x.example"},
        {"a@x.example\xe3\x85\xa4"
         "b@y.example",
         "a@x.example|b@y.example"},                /* a Hangul filler */
        {"a\xef\xb8\x8f@x.example", "a@x.example"}, /* a variation selector */
        {"a@x.example\001b@y.example", "a@x.example|b@y.example"},
        {"a@x.example\177b@y.example", "a@x.example|b@y.example"},
        {"=?utf-8?q?a@x.example?=", "a@x.example"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = scan(cases[i][0]);
        g_test_message("%s", cases[i][0]);
        g_assert_cmpstr(got, ==, cases[i][1]);
    }
}

/* What needs no cleaning is not copied. */
static void test_clean_copy(void)
{
    static const char plain[] = "Ann <ann@x.example>,\r\n\tbob@y.example";
    char *owned = NULL;
    size_t length = 0;

    g_assert_true(scan_clean(plain, strlen(plain), &length, &owned) == plain);
    g_assert_null(owned);
    g_assert_cmpuint(length, ==, strlen(plain));
}

/* The first ones, and no memory for the rest. */
static void test_limit(void)
{
    static const char text[] = "a@x.example,b@x.example,c@x.example";
    GArray *hits = g_array_new(FALSE, FALSE, sizeof(struct scan_hit));

    scan_text(text, strlen(text), 2, hits);
    g_assert_cmpuint(hits->len, ==, 2);
    g_assert_cmpuint(g_array_index(hits, struct scan_hit, 1).at, ==, strlen("a@x.example,b"));
    g_array_unref(hits);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/hits", test_hits);
    g_test_add_func("/scan/clean-copy", test_clean_copy);
    g_test_add_func("/scan/limit", test_limit);
    return g_test_run();
}
