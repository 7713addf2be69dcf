/* test-address - which spellings are one address, and which are not */

#include "policy/address/address.h"

#include <string.h>

/* Ten marks that compose with nothing. */
#define MARKS "\xcc\xa1\xcc\xa1\xcc\xa1\xcc\xa1\xcc\xa1\xcc\xa1\xcc\xa1\xcc\xa1\xcc\xa1\xcc\xa1"

/* Both parts as they are written, and the normalised address; NULL: no address. */
static void test_normalise(void)
{
    static const struct {
        const char *local, *domain, *want;
    } cases[] = {
        {"ann", "x.example", "ann@x.example"},
        {"Ann.LEE", "X.Example", "ann.lee@x.example"},
        /* Trailing dots. */
        {"ann", "x.example.", "ann@x.example"},
        {"ann", "x.example..", "ann@x.example"},
        /* U-labels, A-labels, any case of both. */
        {"ann",
         "b\xc3\xbc"
         "cher.example",
         "ann@xn--bcher-kva.example"},
        {"ann",
         "B\xc3\x9c"
         "CHER.example",
         "ann@xn--bcher-kva.example"},
        {"ann", "xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
        {"ann", "XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"},
        {"ann",
         "bu\xcc\x88"
         "cher.example",
         "ann@xn--bcher-kva.example"}, /* u and a combining diaeresis: NFC */
        {"ann",
         "b\xc3\xbc"
         "cher\xe3\x80\x82"
         "example",
         "ann@xn--bcher-kva.example"}, /* U+3002 is a dot of IDNA */
        {"ann",
         "b\xc3\xbc"
         "cher.example\xe3\x80\x82",
         "ann@xn--bcher-kva.example"},
        {"ann",
         "stra\xc3\x9f"
         "e.example",
         "ann@xn--strae-oqa.example"}, /* nontransitional */
        /* What IDNA refuses stays as it is, in lower case. */
        {"ann", "a_B.example", "ann@a_b.example"},
        {"ann", "xn--\xc3\xbc.example", "ann@xn--\xc3\xbc.example"},
        /* NFC and case in the local part. */
        {"JOS\xc3\x89", "x.example", "jos\xc3\xa9@x.example"},
        {"jose\xcc\x81", "x.example", "jos\xc3\xa9@x.example"},
        {"an\xe2\x80\x8bn", "x.example", "ann@x.example"}, /* a zero-width space */
        {"ann", "x\xe2\x80\x8b.example", "ann@x.example"},
        {"a\xcd\x8fnn\xef\xb8\x8f", "x.example", "ann@x.example"}, /* what changes how its neighbours are drawn */
        {"\xef\xbd\x81nn",
         "\xef\xbd\x98\xe2\x80\xa4"
         "example",
         "ann@x.example"},                             /* full-width, one dot leader */
        {"ann", "x\xc2\xad.example", "ann@x.example"}, /* a soft hyphen */
        /* No letter has more than thirty marks, whatever stands between them. */
        {"a" MARKS MARKS MARKS, "x.example", "a" MARKS MARKS MARKS "@x.example"},
        {"a" MARKS MARKS MARKS "\xcc\xa1", "x.example", "a" MARKS MARKS MARKS "@x.example"},
        {"a" MARKS "\xe2\x80\x8d" MARKS "\xcd\x8f" MARKS MARKS, "x.example", "a" MARKS MARKS MARKS "@x.example"},
        /* Quotes that are not needed go; those that are stay, in one form. */
        {"\"ann\"", "x.example", "ann@x.example"},
        {"\"a\\nn\"", "x.example", "ann@x.example"},
        {"\"Ann Lee\"", "x.example", "\"ann lee\"@x.example"},
        {"\"ann\\ lee\"", "x.example", "\"ann lee\"@x.example"},
        {"\"a@b\"", "x.example", "\"a@b\"@x.example"},
        {"\"a\\\"b\\\\\"", "x.example", "\"a\\\"b\\\\\"@x.example"},
        {"\"ann\r\n lee\"", "x.example", "\"ann lee\"@x.example"},
        {"ann. lee", "x.example", "ann.lee@x.example"}, /* RFC 5322 section 4.4 */
        {"ann", "x. \r\n\texample", "ann@x.example"},   /* a fold */
        /* Apostrophes that wrap the address, and those that are a part of it. */
        {"'ann", "x.example'", "ann@x.example"},
        {"o'brien", "x.example", "o'brien@x.example"},
        {"'ann", "x.example", "'ann@x.example"},
        {"''ann", "x.example''", "ann@x.example"},
        {"\"'ann\"", "x.example'", "ann@x.example"}, /* seen only once its quotes are gone */
        /* Tags stay. */
        {"ann+list", "x.example", "ann+list@x.example"},
        /* Literals. */
        {"ann", "[192.0.2.1]", "ann@[192.0.2.1]"},
        {"ann", "[IPv6:2001:DB8::1]", "ann@[ipv6:2001:db8::1]"},
        /* Bytes that are no UTF-8 do not end anything. */
        {"\xff"
         "ann",
         "x.example",
         "\xef\xbf\xbd"
         "ann@x.example"},
        {"ann", "\xff.example", "ann@\xef\xbf\xbd.example"},
        /* No addresses. */
        {"", "x.example", NULL},
        {"ann", "", NULL},
        {"ann", ".", NULL},
        {"\"\"", "x.example", "\"\"@x.example"},
        {"\xe2\x80\x8b", "x.example", NULL},
        {"ann", "x@y.example", NULL},
        {"ann", "x\xef\xbc\xa0y.example", NULL}, /* IDNA makes a full-width at sign an `@` */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got =
            address_normalise(cases[i].local, strlen(cases[i].local), cases[i].domain, strlen(cases[i].domain), NULL);
        g_test_message("%s at %s", cases[i].local, cases[i].domain);
        g_assert_cmpstr(got, ==, cases[i].want);
        if (got != NULL) {
            /* Once normal, always normal. */
            g_autofree char *again = address_normalise_text(got);
            g_assert_cmpstr(again, ==, got);
            g_assert_true(g_utf8_validate(got, -1, NULL));
        }
    }
}

/* Lengths are believed, not ends of strings. */
static void test_lengths(void)
{
    g_autofree char *got = address_normalise("annXXX", 3, "x.exampleYYY", 9, NULL);

    g_assert_cmpstr(got, ==, "ann@x.example");
}

static void test_envelope(void)
{
    static const char *const cases[][2] = {
        {"Ann@X.example", "ann@x.example"},  {"\"a@b\"@X.example", "\"a@b\"@x.example"}, /* the last @ parts it */
        {"Postmaster", "postmaster"},        {"\"postmaster\"", "postmaster"},           {"", ""}, {"ann@", "ann"},
        {"ann@x.example.", "ann@x.example"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = address_normalise_text(cases[i][0]);
        g_assert_cmpstr(got, ==, cases[i][1]);
    }
}

static void test_domain_of(void)
{
    g_assert_cmpstr(address_domain("ann@x.example"), ==, "x.example");
    g_assert_cmpstr(address_domain("\"a@b\"@x.example"), ==, "x.example");
    g_assert_null(address_domain("ann"));
    g_assert_null(address_domain(""));
}

static void test_display(void)
{
    static const char *const addresses[][2] = {
        {"ann@xn--bcher-kva.example", "ann@b\xc3\xbc"
                                      "cher.example"},
        {"ann@x.example", "ann@x.example"},
        {"xn--a@x.example", "xn--a@x.example"}, /* only the domain has labels */
        {"ann", "ann"},
        {"\xff@x.example", "\xef\xbf\xbd@x.example"},
        {"ann@xn--0.example", "ann@xn--0.example"}, /* no A-label */
    };
    g_autofree char *domain = domain_display("xn--bcher-kva.example");

    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *got = address_display(addresses[i][0]);
        g_assert_cmpstr(got, ==, addresses[i][1]);
    }
    g_assert_cmpstr(domain, ==,
                    "b\xc3\xbc"
                    "cher.example");
}

static void test_names(void)
{
    static const char long_label[] = "a123456789012345678901234567890123456789012345678901234567890123";
    g_autofree char *label_63 = g_strndup(long_label, 63);
    GString *long_name = g_string_new("a");

    g_assert_true(domain_is_name("x.example"));
    g_assert_true(domain_is_name("example"));
    g_assert_true(domain_is_name("_dmarc.x-y.example"));
    g_assert_true(domain_is_name(label_63));
    g_assert_false(domain_is_name(long_label));
    g_assert_false(domain_is_name(""));
    g_assert_false(domain_is_name("."));
    g_assert_false(domain_is_name("x..example"));
    g_assert_false(domain_is_name(".example"));
    g_assert_false(domain_is_name("x.example."));
    g_assert_false(domain_is_name("x y.example"));
    g_assert_false(domain_is_name("b\xc3\xbc"
                                  "cher.example"));
    g_assert_false(domain_is_name("[192.0.2.1]"));
    while (long_name->len < 253)
        g_string_append(long_name, ".a");
    g_assert_cmpuint(long_name->len, ==, 253);
    g_assert_true(domain_is_name(long_name->str));
    g_string_append(long_name, ".a");
    g_assert_false(domain_is_name(long_name->str));
    g_string_free(long_name, TRUE);
    g_assert_true(domain_is_literal("[192.0.2.1]"));
    g_assert_false(domain_is_literal("[]"));
    g_assert_false(domain_is_literal("192.0.2.1"));
    g_assert_false(domain_is_literal("[192.0.2.1"));
}

/* Strangers' domains are converted a bounded number of times; what is known costs nothing of it. */
static void test_idna_limit(void)
{
    struct idna idna = {0};

    for (unsigned i = 0; i < 3 * IDNA_LIMIT; i++) {
        g_autofree char *got = address_normalise("a", 1,
                                                 "b\xc3\xbc"
                                                 "cher.example",
                                                 15, &idna);
        g_assert_cmpstr(got, ==, "a@xn--bcher-kva.example");
    }
    g_assert_false(idna.exhausted);
    for (unsigned i = 0; i < IDNA_LIMIT; i++) {
        g_autofree char *domain = g_strdup_printf("b\xc3\xbc"
                                                  "cher%u.example",
                                                  i);
        g_autofree char *got = address_normalise("a", 1, domain, strlen(domain), &idna);
        /* The one from above is in the memory too. */
        g_assert_true(g_str_has_prefix(got, i + 1 < IDNA_LIMIT ? "a@xn--bcher"
                                                               : "a@b\xc3\xbc"
                                                                 "cher"));
    }
    g_assert_true(idna.exhausted);
    {
        /* Those that are known still come out as before, and ASCII needs no conversion. */
        g_autofree char *known = address_normalise("a", 1,
                                                   "b\xc3\xbc"
                                                   "cher.example",
                                                   15, &idna);
        g_autofree char *ascii = address_normalise("a", 1, "X.example", 9, &idna);
        g_assert_cmpstr(known, ==, "a@xn--bcher-kva.example");
        g_assert_cmpstr(ascii, ==, "a@x.example");
    }
    idna_clear(&idna);
}

/* Beyond the limit of bytes what has several forms stays as it is, which is said, and the rest is as before. */
static void test_folded_limit(void)
{
    struct idna idna = {0};
    g_autofree char *most = g_malloc0(FOLDED_BYTES_LIMIT - 1);
    g_autofree char *ascii = g_strnfill(2 * FOLDED_BYTES_LIMIT, 'A');
    g_autofree char *all = NULL;

    for (unsigned i = 0; i < FOLDED_BYTES_LIMIT - 2; i += 2)
        memcpy(most + i, "\u00c9", 2);
    all = address_normalise(most, FOLDED_BYTES_LIMIT - 2, "x.example", 9, &idna);
    g_assert_true(g_str_has_prefix(all, "\u00e9\u00e9"));
    g_free(address_normalise(ascii, 2 * FOLDED_BYTES_LIMIT, "x.example", 9, &idna));
    g_free(address_normalise("\u00e9\u00e9\u00e9", 6, "x.example", 9, &idna));
    g_assert_false(idna.exhausted);
    {
        g_autofree char *last = address_normalise("\u00c9", 2, "x.example", 9, &idna);
        g_autofree char *beyond = NULL;
        g_autofree char *domain = NULL;
        g_autofree char *settled = NULL;
        g_assert_cmpstr(last, ==, "\u00e9@x.example");
        g_assert_false(idna.exhausted);
        beyond = address_normalise("\u00c9A", 3, "x.example", 9, &idna);
        g_assert_cmpstr(beyond, ==, "\u00c9a@x.example");
        g_assert_true(idna.exhausted);
        domain = address_normalise("a", 1, "\u00fc.example", 10, &idna);
        g_assert_cmpstr(domain, ==, "a@\u00fc.example");
        settled = address_normalise("\u00e9A", 3, "X.example", 9, &idna);
        g_assert_cmpstr(settled, ==, "\u00e9a@x.example");
    }
    idna_clear(&idna);
}

static void test_tail(void)
{
    static const struct {
        const char *domain;
        unsigned labels;
        const char *want;
    } cases[] = {
        {"a.b.c", 1, "c"}, {"a.b.c", 2, "b.c"}, {"a.b.c", 3, "a.b.c"}, {"a.b.c", 4, "a.b.c"},
        {"c", 1, "c"},     {"", 1, ""},         {"a..c", 2, ".c"},     {".", 1, ""},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(domain_tail(cases[i].domain, cases[i].labels), ==, cases[i].want);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/address/normalise", test_normalise);
    g_test_add_func("/address/lengths", test_lengths);
    g_test_add_func("/address/envelope", test_envelope);
    g_test_add_func("/address/domain-of", test_domain_of);
    g_test_add_func("/address/display", test_display);
    g_test_add_func("/address/names", test_names);
    g_test_add_func("/address/folded-limit", test_folded_limit);
    g_test_add_func("/address/tail", test_tail);
    g_test_add_func("/address/idna-limit", test_idna_limit);
    return g_test_run();
}
