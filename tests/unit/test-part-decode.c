/* test-part-decode - transfer encodings, character sets and HTML, whole and in pieces of every size */

#include "policy/parts/charset_decode.h"
#include "policy/parts/html_strip.h"
#include "policy/parts/transfer_decode.h"
#include "unit.h"

#define BYTES(text) text, sizeof(text) - 1

static char *transferred(enum transfer_encoding encoding, const char *bytes, size_t length, size_t piece, bool *broken)
{
    struct transfer_decode decode;
    GString *out = g_string_new(NULL);

    transfer_start(&decode, encoding);
    for (size_t at = 0; at < length || at == 0; at += piece)
        transfer_take(&decode, bytes + at, MIN(piece, length - at), at + piece >= length, out);
    *broken = decode.broken;
    return g_string_free(out, FALSE);
}

static void test_encodings(void)
{
    static const struct {
        const char *value;
        enum transfer_encoding encoding;
    } rows[] = {{NULL, TRANSFER_PLAIN},
                {"7BIT", TRANSFER_PLAIN},
                {" base64\r\n", TRANSFER_BASE64},
                {"\"base64\"", TRANSFER_BASE64},
                {"Quoted-Printable; x", TRANSFER_QUOTED},
                {"", TRANSFER_PLAIN},
                {"x-uuencode", TRANSFER_UNKNOWN}};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(transfer_encoding(rows[i].value), ==, rows[i].encoding);
}

static void test_transfer(void)
{
    static const struct {
        enum transfer_encoding encoding;
        const char *text, *want;
        bool broken;
    } rows[] = {
        {TRANSFER_BASE64, "YW5uQHguZXhhbXBsZQ==", "ann@x.example", false},
        {TRANSFER_BASE64, "YW5u\r\nQHgu\r\n  ZXhh\tbXBsZQ==\r\n", "ann@x.example", false},
        {TRANSFER_BASE64, "Y\nW\n5\nu", "ann", false},
        {TRANSFER_BASE64, "YW5uQA==eC5leGFtcGxl", "ann@x.example", false},
        {TRANSFER_BASE64, "YW5u-QHgu", "ann@x.", true},
        {TRANSFER_BASE64, "YQ", "a", false},
        {TRANSFER_QUOTED, "ann=40x.ex=\r\nample", "ann@x.example", false},
        {TRANSFER_QUOTED, "ann=40x.ex=  \nample", "ann@x.example", false},
        {TRANSFER_QUOTED, "a =\n b", "a  b", false},
        {TRANSFER_QUOTED, "a  \t\r\nb", "a\r\nb", false},
        {TRANSFER_QUOTED, "=c3=BC", "\303\274", false},
        {TRANSFER_QUOTED, "href=\"a@b\"", "href=\"a@b\"", true},
        {TRANSFER_QUOTED, "a=", "a", false},
        {TRANSFER_QUOTED, "====40", "===@", true},
        {TRANSFER_PLAIN, "a=40", "a=40", false},
        {TRANSFER_UNKNOWN, "a=40", "a=40", true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t piece = 1; piece <= strlen(rows[i].text); piece++) {
            bool broken;
            g_autofree char *got = transferred(rows[i].encoding, rows[i].text, strlen(rows[i].text), piece, &broken);
            if (strcmp(got, rows[i].want) != 0 || broken != rows[i].broken)
                UNIT_FAIL("%s in pieces of %zu: %s%s", rows[i].text, piece, got, broken ? ", broken" : "");
        }
}

static char *converted(const char *charset, const char *bytes, size_t length, size_t piece, bool *broken)
{
    struct charset_decode decode;
    GString *out = g_string_new(NULL);

    charset_start(&decode, charset, bytes, length);
    for (size_t at = 0; at < length; at += piece)
        charset_take(&decode, bytes + at, MIN(piece, length - at), out);
    *broken = charset_end(&decode);
    return g_string_free(out, FALSE);
}

static void test_charsets(void)
{
    static const struct {
        const char *charset, *bytes;
        size_t length;
        const char *want;
        bool broken;
    } rows[] = {
        {NULL, BYTES("ann@x"), "ann@x", false},
        {"UTF-8", BYTES("m\303\274"), "m\303\274", false},
        {"iso-8859-1", BYTES("m\374"), "m\303\274", false},
        {"utf-16", BYTES("\377\376a\0@\0"), "\357\273\277a@", false},
        {"utf-16", BYTES("\0a\0@\0b\0."), "a@b.", false},
        {"utf-16", BYTES("a\0@\0b\0.\0"), "a@b.", false},
        {"us-ascii", BYTES("a\0@\0b\0.\0"), "a@b.", false},
        {NULL, BYTES("\376\377\0a\0@"), "\357\273\277a@", false},
        {"utf-7", BYTES("a+AEA-b"), "a@b", false},
        {"ISO-2022-JP", BYTES("\033$B08\033(B@"), "\345\256\233@", false},
        {"gb2312", BYTES("\312\325@"), "\346\224\266@", false},
        {"x-made-up", BYTES("a@b"), "a@b", true},
        {"../../x", BYTES("a@b"), "a@b", true},
        {"utf-8", BYTES("\261\262\263\264\265\266\261\262\263\264\265\266"),
         "\261\262\263\264\265\266\261\262\263\264\265\266", true},
        {"utf-16be", BYTES("\0a\330\0\0b"), "a\357\277\275b", true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t piece = rows[i].length; piece > 0; piece--) {
            bool broken;
            g_autofree char *got = converted(rows[i].charset, rows[i].bytes, rows[i].length, piece, &broken);
            /* The last ones are no text in any piece; how much of it is replaced is not said. */
            bool same = strcmp(got, rows[i].want) == 0 || (rows[i].broken && piece < rows[i].length);
            if (!same || (broken != rows[i].broken && piece == rows[i].length))
                UNIT_FAIL("row %zu in pieces of %zu: %s%s", i, piece, got, broken ? ", broken" : "");
        }
}

static void test_html(void)
{
    static const struct {
        const char *html, *want;
    } rows[] = {
        {"ann@x.example", "ann@x.example"},
        {"a<b>n</b>n@x", "ann@x"},
        {"<p>To: a</p><DIV>b<br/>c</div>", "\nTo: a\n\nb\nc\n"},
        {"a\r\nb", "a  b"},
        {"<pre>a\nb</pre>c\nd", "\na\nb\nc d"},
        {"<td>To:</td><td>a</td>", " To:  a "},
        {"ann&#64;x&#x40;y&commat;z&period;", "ann@x@y@z."},
        {"a&#64 b &lt;c&gt; &amp;lt; &x; &", "a@ b <c> &lt; &x; &"},
        {"<a href=\"mailto:ann@x?cc=bob@y&amp;subject=z\">Ann</a>", " <ann@x cc=bob@y&subject=z> Ann"},
        {"<a href='MAILTO:ann%40x'>", " <ann%40x> "},
        {"<ann@x.example>", " <ann@x.example> "},
        {"<a title=\"ask ann@x.example\">", " <ann@x.example> "},
        {"<!-- ann@x -->b", " <ann@x> b"},
        {"<a title=\"x>ann@y\">", "ann@y\">"},
        {"a < b", "a "},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t piece = 1, length = strlen(rows[i].html); piece <= length; piece++) {
            struct html_strip html = {0};
            g_autoptr(GString) out = g_string_new(NULL);
            for (size_t at = 0; at < length; at += piece)
                html_strip(&html, rows[i].html + at, MIN(piece, length - at), at + piece >= length, out);
            if (strcmp(out->str, rows[i].want) != 0)
                UNIT_FAIL("%s in pieces of %zu: \"%s\"", rows[i].html, piece, out->str);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/part-decode/encodings", test_encodings);
    g_test_add_func("/part-decode/transfer", test_transfer);
    g_test_add_func("/part-decode/charsets", test_charsets);
    g_test_add_func("/part-decode/html", test_html);
    return g_test_run();
}
