/* test-part-scan - addresses in texts, quoted headers, calendars and contacts */

#include "policy/parts/calendar_part.h"
#include "policy/parts/contacts_part.h"
#include "policy/parts/content_lines.h"
#include "policy/parts/part_kind.h"
#include "policy/parts/part_scan.h"
#include "policy/parts/quoted_headers.h"
#include "unit.h"

/* Those of some kinds, in order. */
static char *found(const struct part_scan *scan, unsigned kinds)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < scan->list->len; i++) {
        const struct part_address *address = &g_array_index(scan->list, struct part_address, i);
        if ((address->kinds & kinds) != 0)
            g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", address->address);
    }
    return g_string_free(text, FALSE);
}

static char *scanned(const char *text, bool prose)
{
    struct part_scan scan;

    part_scan_init(&scan);
    part_scan_begin(&scan, 1);
    part_scan_text(&scan, text, strlen(text), PART_TEXT, prose);
    char *all = found(&scan, PART_TEXT);
    g_assert_cmpuint(scan.in_part, ==, scan.list->len);
    part_scan_clear(&scan);
    return all;
}

static void test_text(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"Write to ann@x.example.\nThen wait.", "ann@x.example"},
        {"<ann@x.example>, BOB@X.EXAMPLE; (carl@x.example)", "ann@x.example bob@x.example carl@x.example"},
        {"a@x.example;b@x.example\tc@x.example|d@x.example,e@x.example",
         "a@x.example b@x.example c@x.example d@x.example e@x.example"},
        {"\"a@x.example\";\"b@x.example\"", "a@x.example b@x.example"},
        {"\"ann lee\"@x.example", "\"ann lee\"@x.example"},
        {"'ann@x.example'", "ann@x.example"},
        {"ann@x.example/bob@y.example", "ann@x.example bob@y.example"},
        {"ann\357\274\240x.example", "ann@x.example"},
        {"ann\357\271\253x.example", "ann@x.example"},
        {"mailto:ann%40x.example", "ann@x.example"},
        {"a\342\200\213nn@x.example", "ann@x.example"},
        {"ann@m\303\274ller.example", "ann@xn--mller-kva.example"},
        {"Lunch @ noon, root@host, logo@2x, @ann, ann@", ""},
        {"cid:image001.png@01DC9F1A.AB3E5B20", ""},
        {"ann@x.\344\276\213\343\201\210 bob@y.example\343\201\247\343\201\231", "ann@x.xn--r8jz45g bob@y.example"},
        {"ann@[192.0.2.1]", "ann@[192.0.2.1]"},
        {"ann@x.\n example", "ann@x.example"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = scanned(rows[i].text, true);
        if (strcmp(got, rows[i].want) != 0)
            UNIT_FAIL("%s: %s", rows[i].text, got);
    }
    g_autofree char *loose = scanned("mailto:root@host", false);
    g_assert_cmpstr(loose, ==, "root@host");
}

/* An address is found wherever it is in a long text, with others near and far. */
static void test_windows(void)
{
    for (size_t gap = 0; gap < 1500; gap += 7) {
        GString *text = g_string_new(NULL);
        for (unsigned i = 0; i < 5; i++) {
            g_string_append_printf(text, " person%u@host%u.example ", i, i);
            for (size_t j = 0; j < gap; j++)
                g_string_append(text, j % 5 == 0 ? "\346\250\243" : "x y");
        }
        g_autofree char *got = scanned(text->str, true);
        g_auto(GStrv) words = g_strsplit(got, " ", -1);
        if (g_strv_length(words) != 5)
            UNIT_FAIL("with gaps of %zu: %s", gap, got);
        g_string_free(text, TRUE);
    }
}

/* What is normalised in place is what address_normalise makes of it. */
static void test_plain_is_normal(void)
{
    static const char *const addresses[] = {"A.b+c=d@X-y.example",       "x'y@z.example",
                                            "a_b@c_d.example",           "a@xn--Mller-kva.example",
                                            "!#$%&*/=?^`{|}~@x.example", "a@b.example."};

    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *text = g_strdup_printf(" <%s> ", addresses[i]), *got = scanned(text, false);
        const char *at = strrchr(addresses[i], '@'), *local = addresses[i];
        while (strchr("!/=?*&`{|}~^", *local) != NULL) /* what people write before an address */
            local++;
        local = g_ascii_isalnum(*local) || local == addresses[i] || *local == '#' ? local : addresses[i];
        g_autofree char *want = address_normalise(local, (size_t)(at - local), at + 1, strlen(at + 1), NULL);
        g_assert_cmpstr(got, ==, want);
    }
}

static void test_limits(void)
{
    struct part_scan scan;

    part_scan_init(&scan);
    for (unsigned i = 0; i <= PART_ADDRESSES_LIMIT; i++) {
        g_autofree char *text = g_strdup_printf("a%u@x.example", i);
        g_assert_false(scan.exhausted);
        part_scan_text(&scan, text, strlen(text), PART_TEXT, true);
    }
    g_assert_true(scan.exhausted);
    g_assert_cmpuint(scan.list->len, ==, PART_ADDRESSES_LIMIT);
    part_scan_clear(&scan);
}

static void test_quoted_headers(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"To: a@x.example\nSubject: b@x.example\n", "a@x.example"},
        {"From: n@x.example\nSent: now\nTo: a@x.example; b@x.example\nCc: c@x.example\n\nd@x.example",
         "a@x.example b@x.example c@x.example"},
        {"> To: a@x.example,\n>  b@x.example\n>\n> c@x.example", "a@x.example b@x.example"},
        {"To: a@x.example,\nb@x.example\nc@x.example\n\nd@x.example", "a@x.example b@x.example c@x.example"},
        {"*To:* a@x.example\r\n*Subject:* b@x.example", "a@x.example"},
        {"  | An : a@x.example\nBetreff: b@x.example", "a@x.example"},
        {"\303\200\302\240: a@x.example\nObjet\302\240: b@x.example", "a@x.example"},
        {"\345\256\233\345\205\210: a@x.example\n\344\273\266\345\220\215: b@x.example", "a@x.example"},
        {"\346\224\266\344\273\266\344\272\272\357\274\232a@x.example\n", "a@x.example"},
        {"\320\232\320\276\320\274\321\203: a@x.example", "a@x.example"},
        {"TO: a@x.example\ncc: b@x.example", "a@x.example b@x.example"},
        {"From: n@x.example To: a@x.example Subject: b", "n@x.example a@x.example"},
        {"Subject: why to a@x.example", ""},
        {"See To: a@x.example", ""},
        {"a@x.example\nTogether: b@x.example", ""},
        {"Reply-To: a@x.example", ""},
        {"To: \n\na@x.example", ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct part_scan scan;
        struct quoted_headers quoted = {0};
        part_scan_init(&scan);
        quoted_headers_begin(&quoted);
        quoted_headers_take(&quoted, &scan, rows[i].text, strlen(rows[i].text), false, PART_TEXT);
        g_autofree char *got = found(&scan, PART_FORWARDED);
        if (strcmp(got, rows[i].want) != 0)
            UNIT_FAIL("%s: %s", rows[i].text, got);
        part_scan_clear(&scan);
    }
}

/* The addresses of lines that come in pieces of a size. */
static char *read_lines(bool calendar, const char *text, size_t piece)
{
    struct part_scan scan;
    struct calendar_part calendar_part = {.scan = &scan};
    struct contacts_part contacts_part = {.scan = &scan};
    struct content_lines lines;

    part_scan_init(&scan);
    content_lines_start(&lines, calendar ? calendar_part_line : contacts_part_line,
                        calendar ? (void *)&calendar_part : (void *)&contacts_part);
    for (size_t at = 0; at < strlen(text); at += piece)
        content_lines_take(&lines, text + at, MIN(piece, strlen(text) - at));
    content_lines_end(&lines);
    char *all = found(&scan, PART_CALENDAR | PART_CONTACTS);
    content_lines_clear(&lines);
    part_scan_clear(&scan);
    return all;
}

static void test_lines(void)
{
    static const struct {
        bool calendar;
        const char *text, *want;
    } rows[] = {
        {true, "ATTENDEE:mailto:ann@x.example\r\n", "ann@x.example"},
        {true, "ATTENDEE;CN=\"Lee; Ann\";RSVP=TRUE:MAILTO:ann\r\n @x.example\r\n", "ann@x.example"},
        {true, "ATTENDEE;CN=ann@x.example;X-NUM-GUESTS=0:mailto:ann@x.example\r\n", "ann@x.example"},
        {true, "ATTENDEE;EMAIL=\"ann@x.example\":urn:uuid:1@2\r\n", "ann@x.example 1@2"},
        {true, "attendee:ann@x.example\norganizer:mailto:bob%40x.example", "ann@x.example bob@x.example"},
        {true, "UID:1@host.example\nDESCRIPTION:ask ann@x.example\n", ""},
        {true, "DESCRIPTION:<a href=\"mailto:ann@x.example\">\n", "ann@x.example"},
        {true, "X-THING;EMAIL=ann@x.example:1\n", "ann@x.example"},
        {true, "ATTENDEE;ENCODING=QUOTED-PRINTABLE:Ann <ann=40x.ex=\r\nample>\r\n", "ann@x.example"},
        {true, "DESCRIPTION:mailto:ann@x.example\\nmailto:bob@x.example\n", "ann@x.example bob@x.example"},
        {false, "EMAIL:ann@x.example\nUID:1@y.example\nitem1.EMAIL;type=pref:bob@x.example\n",
         "ann@x.example bob@x.example"},
        {false, "EMAIL;ENCODING=QUOTED-PRINTABLE:ann=40=\r\nx.example\r\nPHOTO:a@x.example\n", "ann@x.example"},
        {false, "mail:: YW5uQHguZXhhbXBsZQ==\ndn: cn=Ann,mail=bob@x.example\n", "ann@x.example bob@x.example"},
        {false, "mail:: YW5uQHgu\n ZXhhbXBsZQ==\n", "ann@x.example"},
        {false, "NOTE:ann@x.example\\nbob@x.example\\, carl@x.example\n", "ann@x.example bob@x.example carl@x.example"},
        {false, "NOTE;ENCODING=b:YW5uQHguZXhhbXBsZQ==\nPHOTO;ENCODING=b:YW5uQHkuZXhhbXBsZQ==\n", "ann@x.example"},
        {false, "PHOTO;ENCODING=BASE64:YW5u\n QHkuZXhhbXBsZQ==\n\nEMAIL:bob@x.example", "bob@x.example"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t piece = 1; piece <= strlen(rows[i].text); piece++) {
            g_autofree char *got = read_lines(rows[i].calendar, rows[i].text, piece);
            if (strcmp(got, rows[i].want) != 0)
                UNIT_FAIL("%s in pieces of %zu: %s", rows[i].text, piece, got);
        }
}

/* A line that is longer than what is given at once hides nobody. */
static void test_long_line(void)
{
    GString *text = g_string_new("ATTENDEE:");

    for (unsigned i = 0; i < 12000; i++)
        g_string_append_printf(text, "%smailto:p%u@x.example ", i % 3 == 0 ? "\r\n " : "", i);
    g_autofree char *got = read_lines(true, text->str, 5000);
    g_auto(GStrv) words = g_strsplit(got, " ", -1);
    g_assert_cmpuint(g_strv_length(words), >=, 12000);
    g_assert_cmpuint(g_strv_length(words), <, 12020);
    g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/part-scan/text", test_text);
    g_test_add_func("/part-scan/windows", test_windows);
    g_test_add_func("/part-scan/plain", test_plain_is_normal);
    g_test_add_func("/part-scan/limits", test_limits);
    g_test_add_func("/part-scan/quoted-headers", test_quoted_headers);
    g_test_add_func("/part-scan/lines", test_lines);
    g_test_add_func("/part-scan/long-line", test_long_line);
    return g_test_run();
}
