/* test-html-text - HTML as text, and the bytes of text parts as UTF-8 */

#include "milter/content/html_text.h"
#include "milter/content/plain_text.h"

#include <string.h>

struct example {
    const char *html, *text;
};

static const struct example examples[] = {
    /* blanks and lines */
    {"a  b\n c", "a b c"},
    {"<p>a</p><p>b</p>", "a\n\nb"},
    {"<div>a</div><div>b</div>", "a\nb"},
    {"<div>a</div><div><br></div><div>b</div>", "a\n\nb"},
    {"a<br>b<br/>c", "a\nb\nc"},
    {"a<br><br><br>b", "a\n\nb"},
    {"<b>a</b><i>b</i> <u>c</u>", "ab c"},
    {"a&nbsp;&nbsp;b", "a  b"},
    {"<pre>a\n  b\n\nc</pre>d", "a\n  b\n\nc\n\nd"},
    {"  <p>  </p> <p> a </p> ", "a"},
    {"<div>a</div><hr><div>b</div>", "a\n----\nb"},
    /* what is not shown, and what is whatever a style sheet says */
    {"a<script>b</script><style>c</style><!-- d -->e", "ae"},
    {"<html><head><title>t</title></head><body>a</body></html>", "a"},
    {"<div style='display:none'>a</div>b", "a\nb"},
    {"a<template>b</template><noscript>c</noscript>", "ac"},
    /* lists, quotes, tables */
    {"<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "- a\n- b\n  - c"},
    {"<ol><li>a<li>b</ol>c", "1. a\n2. b\n\nc"},
    {"<ul><li></li></ul>a", "a"},
    {"a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e", "a\n\n> b\n> c\n\n> > d\n\ne"},
    {"<table><tr><td>a</td><td>b</td></tr><tr><td></td><td>c</td></tr></table>", "a | b\nc"},
    {"<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb"},
    /* links say where they lead, if that is not what is read */
    {"<a href='https://a.example/'>here</a>", "here <https://a.example/>"},
    {"<a href='https://evil.example/'>https://a.example/</a>", "https://a.example/ <https://evil.example/>"},
    {"<a href='https://a.example/'>a.example</a>", "a.example"},
    {"<a href='mailto:x@a.example'>x@a.example</a>", "x@a.example"},
    {"<a href='#top'>top</a> <a>none</a> <a href=''>empty</a>", "top none empty"},
    {"<a href='https://a.example/'><img src='cid:1'></a>", "<https://a.example/>"},
    {"<a href='https://a.example/'><img src='cid:1' alt='Logo'></a>", "[Logo] <https://a.example/>"},
    /* characters */
    {"&lt;b&gt; &amp; &eacute; &#8364; &#x1F389;", "<b> & \303\251 \342\202\254 \360\237\216\211"},
    {"a&zwnj;b", "a\342\200\214b"},
    {"a&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;b", "a [4 invisible characters] b"},
    {"&zwnj;&zwnj;&zwnj;&zwnj;&zwnj;", "[5 invisible characters]"},
    /* what is broken */
    {"<p>a<p>b</div></p></table>c", "a\n\nb\n\nc"},
    {"", ""},
};

static void test_examples(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        bool whole = html_text_append(out, examples[i].html, strlen(examples[i].html), "UTF-8", 4096);
        g_test_message("%s", examples[i].html);
        g_assert_cmpstr(out->str, ==, examples[i].text);
        g_assert_true(whole);
    }
}

/* It is appended, and a link's text does not reach before it. */
static void test_appended(void)
{
    g_autoptr(GString) out = g_string_new("before ");
    g_assert_true(html_text_append(out, "</a></li><td>a</td>", 19, "UTF-8", 100));
    g_assert_cmpstr(out->str, ==, "before a");
}

static void test_limit(void)
{
    g_autoptr(GString) html = g_string_new(NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    for (unsigned i = 0; i < 10000; i++)
        g_string_append(html, "<p>word ");
    g_assert_false(html_text_append(out, html->str, html->len, "UTF-8", 1000));
    g_assert_cmpuint(out->len, <, 1100);
}

static void test_long_link(void)
{
    g_autofree char *path = g_strnfill(1000, 'x');
    g_autofree char *html = g_strdup_printf("<a href='https://a.example/%s'>here</a>", path);
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(html_text_append(out, html, strlen(html), "UTF-8", 4096));
    g_assert_true(g_str_has_suffix(out->str, "x...>"));
    g_assert_cmpuint(out->len, <, HTML_LINK_LIMIT + 20);
}

/* Without a name the document says it itself. */
static void test_charset(void)
{
    static const char html[] = "<meta http-equiv=Content-Type content='text/html; charset=windows-1252'><p>\200 5";
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(html_text_append(out, html, sizeof html - 1, NULL, 100));
    g_assert_cmpstr(out->str, ==, "\342\202\254 5");
}

static void test_version(void)
{
    g_autofree char *version = html_text_library_version();
    g_assert_true(g_regex_match_simple("^[2-9]\\.[0-9]+\\.[0-9]+$", version, 0, 0));
}

/* ---- plain text */

static void test_decode(void)
{
    static const struct {
        const char *bytes, *charset, *text;
    } cases[] = {
        {"caf\303\251", NULL, "caf\303\251"},
        {"caf\351", NULL, "caf\303\251"},
        {"caf\351", "iso-8859-1", "caf\303\251"},
        {"caf\303\251", "us-ascii", "caf\303\251"}, /* says less than it is */
        {"\200 5", "ISO-8859-1", "\342\202\254 5"}, /* as mail programs read it */
        {"caf\351", "utf-8", "caf\357\277\275"},
        {"caf\351", "no-such-set", "caf\303\251"},
        {"caf\351", "../../tmp/x", "caf\303\251"},
        {"caf\351", "utf-8//TRANSLIT", "caf\303\251"},
        {"\033$B2A3J\033(B", "ISO-2022-JP", "\344\276\241\346\240\274"},
        {"\202\261", "shift_jis", "\343\201\223"},
        {"a\377b", "euc-jp", "a\357\277\275b"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = plain_text_decode(cases[i].bytes, strlen(cases[i].bytes), cases[i].charset);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
    g_autofree char *nul = plain_text_decode("a\0b", 3, NULL);
    g_assert_cmpstr(nul, ==, "a\357\277\275b");
    g_autofree char *wide = plain_text_decode("a\0b\0", 4, "utf-16le");
    g_assert_cmpstr(wide, ==, "ab");
}

static void test_unflow(void)
{
    static const struct {
        const char *text;
        bool delsp;
        const char *wanted;
    } cases[] = {
        {"one \ntwo\nthree", false, "one two\nthree"},
        {"one \ntwo", true, "onetwo"},
        {"one \r\ntwo\r\n", false, "one two\n"},
        {"> one \n> two\n>> three", false, "> one two\n>> three"},
        {"> one \ntwo", false, "> one \ntwo"}, /* another depth is another paragraph */
        {"one \n-- \nname", false, "one \n-- \nname"},
        {" >stuffed", false, ">stuffed"},
        {"", false, ""},
        {" ", false, ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = plain_text_unflow(cases[i].text, cases[i].delsp);
        g_assert_cmpstr(text, ==, cases[i].wanted);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/html-text/examples", test_examples);
    g_test_add_func("/html-text/appended", test_appended);
    g_test_add_func("/html-text/limit", test_limit);
    g_test_add_func("/html-text/long-link", test_long_link);
    g_test_add_func("/html-text/charset", test_charset);
    g_test_add_func("/html-text/version", test_version);
    g_test_add_func("/plain-text/decode", test_decode);
    g_test_add_func("/plain-text/unflow", test_unflow);
    return g_test_run();
}
