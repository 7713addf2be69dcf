/* test-table - sets of domains, addresses, networks and words */

#include "policy/base/source.h"
#include "policy/exposure/table.h"
#include "unit.h"

static void add(struct table *table, const char *item, unsigned value)
{
    g_autofree char *wrong = table_add(table, item, value);

    g_assert_cmpstr(wrong, ==, NULL);
}

/* Names and suffixes: an exact name beats the longest suffix; what was first keeps its value. */
static void test_domains(void)
{
    static const struct {
        const char *domain;
        int want;
    } cases[] = {
        {"corp.example", 1},
        {"mail.corp.example", 2},
        {"a.mail.corp.example", 3},
        {"b.a.mail.corp.example", 3},
        {"notcorp.example", -1},
        {"example", -1},
        {"corp.example.evil.test", -1},
        {"org.example", 4},
        {"a.org.example", -1},
        {"xn--bcher-kva.example", 5},
        {"[192.0.2.1]", 6},
        {"", -1},
        {"corp.example.", -1},
    };
    auto_free(table) table = table_new(TABLE_DOMAINS);

    add(table, "corp.example", 1);
    add(table, ".corp.example", 2);
    add(table, ".MAIL.corp.example.", 3);
    add(table, "mail.corp.example", 2);
    add(table, "Org.Example.", 4);
    add(table,
        "b\xc3\xbc"
        "cher.example",
        5);
    add(table, "[192.0.2.1]", 6);
    add(table, "corp.example", 7); /* it is 1 already */
    g_assert_cmpuint(table_size(table), ==, 7);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].domain);
        g_assert_cmpint(table_find_domain(table, cases[i].domain), ==, cases[i].want);
    }
    /* However long a name is, its end counts. */
    for (unsigned length = 230; length < 260; length++) {
        g_autofree char *label = g_strnfill(length, 'b');
        g_autofree char *longer = g_strconcat("a.", label, ".mail.corp.example", NULL);
        g_assert_cmpint(table_find_domain(table, longer), ==, 3);
    }
}

/* As many labels of a name are looked at as a suffix has, whichever comes first. */
static void test_labels(void)
{
    auto_free(table) table = table_new(TABLE_DOMAINS);

    add(table, "a.b.c.d.e.f.g.h", 1);
    g_assert_cmpint(table_find_domain(table, "x.example"), ==, -1);
    add(table, ".b.c.d.e.f.g.h", 2);
    add(table, ".h", 3);
    add(table, ".z.h", 4);
    g_assert_cmpint(table_find_domain(table, "a.b.c.d.e.f.g.h"), ==, 1);
    g_assert_cmpint(table_find_domain(table, "b.c.d.e.f.g.h"), ==, 2);
    g_assert_cmpint(table_find_domain(table, "0.a.b.c.d.e.f.g.h"), ==, 2);
    g_assert_cmpint(table_find_domain(table, "c.d.e.f.g.h"), ==, 3);
    g_assert_cmpint(table_find_domain(table, "y.z.h"), ==, 4);
    g_assert_cmpint(table_find_domain(table, "h"), ==, 3);
    g_assert_cmpint(table_find_domain(table, "i"), ==, -1);
}

static void test_mailboxes(void)
{
    auto_free(table) table = table_new(TABLE_MAILBOXES);

    add(table, "Ann@Corp.example", 0);
    add(table, "\"a(b\"@corp.example", 0);
    add(table, ".below.example", 0);
    add(table, "exact.example", 0);
    g_assert_true(table_has_mailbox(table, "ann@corp.example"));
    g_assert_true(table_has_mailbox(table, "\"a(b\"@corp.example"));
    g_assert_false(table_has_mailbox(table, "bob@corp.example"));
    g_assert_true(table_has_mailbox(table, "x@below.example"));
    g_assert_true(table_has_mailbox(table, "x@a.below.example"));
    g_assert_true(table_has_mailbox(table, "x@exact.example"));
    g_assert_false(table_has_mailbox(table, "x@a.exact.example"));
    /* The null sender only if it is named; a bare local part is no domain. */
    g_assert_false(table_has_mailbox(table, ""));
    g_assert_false(table_has_mailbox(table, "exact.example"));
    add(table, "", 0);
    g_assert_true(table_has_mailbox(table, ""));
}

static void test_networks(void)
{
    auto_free(table) table = table_new(TABLE_NETWORKS);

    add(table, "10.0.0.0/8", 0);
    add(table, "192.0.2.1", 0);
    add(table, "2001:db8::/32", 0);
    add(table, "::1", 0);
    g_assert_true(table_has_network(table, "10.255.255.255"));
    g_assert_false(table_has_network(table, "11.0.0.0"));
    g_assert_false(table_has_network(table, "9.255.255.255"));
    g_assert_true(table_has_network(table, "192.0.2.1"));
    g_assert_false(table_has_network(table, "192.0.2.2"));
    g_assert_true(table_has_network(table, "2001:db8:ffff::1"));
    g_assert_false(table_has_network(table, "2001:db9::1"));
    g_assert_true(table_has_network(table, "::1"));
    g_assert_true(table_has_network(table, "2001:db8::1%eth0"));
    g_assert_false(table_has_network(table, "10.1"));
    g_assert_false(table_has_network(table, "10.0.0.1%eth0"));
    g_assert_false(table_has_network(table, "unknown"));
    g_assert_false(table_has_network(table, ""));
    g_assert_false(table_has_network(table, "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"));
    g_assert_cmpuint(table_size(table), ==, 4);
}

static void test_words(void)
{
    auto_free(table) table = table_new(TABLE_WORDS);

    add(table, "Newsletter", 0);
    add(table, "J\xc3\x96RG", 0);
    g_assert_true(table_has_word(table, "newsletter"));
    g_assert_true(table_has_word(table, "NEWSLETTER"));
    g_assert_false(table_has_word(table, "newsletters"));
    g_assert_false(table_has_word(table, "news"));
    g_assert_false(table_has_word(table, ""));
    g_assert_true(table_has_word(table, "j\xc3\xb6rg"));
    g_assert_false(table_has_word(table, "\xff"));
}

/* What no table of its kind takes, and a word of what is said. */
static void test_wrong(void)
{
    static const struct {
        enum table_kind kind;
        const char *item, *said;
    } cases[] = {
        {TABLE_DOMAINS, "", "expected a domain"},
        {TABLE_DOMAINS, ".", "expected a domain"},
        {TABLE_DOMAINS, "..", "expected a domain"},
        {TABLE_DOMAINS, "a..b", "expected a domain"},
        {TABLE_DOMAINS, "*.corp.example", "a leading dot"},
        {TABLE_DOMAINS, "ann@corp.example", "not the address"},
        {TABLE_DOMAINS, "a,b", "expected a domain"},
        {TABLE_DOMAINS, ".[192.0.2.1]", "expected a domain"},
        {TABLE_DOMAINS, "a.example b.example", "expected a domain"}, /* two items on one line are not one name */
        {TABLE_DOMAINS, "corp .example", "expected a domain"},
        {TABLE_DOMAINS, "http://corp.example/", "expected a domain"},
        {TABLE_MAILBOXES, "a.example b.example", "expected a domain"},
        {TABLE_MAILBOXES, "@corp.example", "expected an address"},
        {TABLE_MAILBOXES, "ann@", "expected an address"},
        {TABLE_MAILBOXES, "Ann <ann@corp.example>", "expected an address"},
        {TABLE_MAILBOXES, "a@x.example,b@y.example", "expected an address"},
        {TABLE_MAILBOXES, "*@corp.example", "expected an address"}, /* nobody's name; a wildcard that never matches */
        {TABLE_NETWORKS, "10.0.0.1/8", "without bits beyond its length"},
        {TABLE_NETWORKS, "10.0.0.0/33", "expected an IP address"},
        {TABLE_NETWORKS, "10.0.0", "expected an IP address"},
        {TABLE_NETWORKS, "mail.corp.example", "expected an IP address"},
        {TABLE_NETWORKS, "", "expected an IP address"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(table) table = table_new(cases[i].kind);
        g_autofree char *wrong = table_add(table, cases[i].item, 0);
        g_test_message("`%s`: %s", cases[i].item, wrong);
        if (wrong == NULL || strstr(wrong, cases[i].said) == NULL)
            UNIT_FAIL("`%s` gave `%s`", cases[i].item, wrong);
        else
            g_assert_cmpuint(table_size(table), ==, 0);
    }
}

/* One item a line; comments; blanks; CRLF; no newline at the end; errors at their place. */
static void test_source(void)
{
    static const char text[] = "# a comment\n"
                               "a.example\n"
                               "   \tb.example  # why\r\n"
                               "\r\n"
                               "  *.c.example\n"
                               "d#d.example\n"
                               "\xc3\xbc..x # an error\n"
                               "e.example";
    auto_free(diags) diags = diags_new();
    auto_free(source) source = source_from_memory("t", text, strlen(text), diags);
    auto_free(table) table = table_new(TABLE_DOMAINS);
    g_autofree char *lines = NULL;

    table_add_source(table, source, 3, diags);
    lines = diags_lines(diags);
    g_assert_cmpstr(lines, ==,
                    "5:3: expected a domain, not `*.c.example`; a leading dot means the domain and all below\n"
                    "6:1: expected a domain, such as \"corp.example\" or \".corp.example\", not `d#d.example`\n"
                    "7:1: expected a domain, such as \"corp.example\" or \".corp.example\", not `\xc3\xbc..x`");
    g_assert_cmpuint(table_size(table), ==, 3);
    g_assert_cmpint(table_find_domain(table, "a.example"), ==, 3);
    g_assert_cmpint(table_find_domain(table, "b.example"), ==, 3);
    g_assert_cmpint(table_find_domain(table, "e.example"), ==, 3);
}

/* Words may hold blanks and signs; only a `#` behind a blank begins a comment. */
static void test_source_words(void)
{
    static const char text[] = "a b # c\nd#e\n#f\n";
    auto_free(diags) diags = diags_new();
    auto_free(source) source = source_from_memory("t", text, strlen(text), diags);
    auto_free(table) table = table_new(TABLE_WORDS);

    table_add_source(table, source, 0, diags);
    g_assert_cmpuint(diags_count(diags), ==, 0);
    g_assert_cmpuint(table_size(table), ==, 2);
    g_assert_true(table_has_word(table, "a b"));
    g_assert_true(table_has_word(table, "d#e"));
}

/* A mark at the start of the file, as some editors leave it, is no part of its first item. */
static void test_source_mark(void)
{
    static const enum table_kind kinds[] = {TABLE_DOMAINS, TABLE_MAILBOXES, TABLE_NETWORKS, TABLE_WORDS};
    static const char text[] = "\xef\xbb\xbf"
                               "10.1.2.3\n";

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        auto_free(diags) diags = diags_new();
        auto_free(source) source = source_from_memory("t", text, strlen(text), diags);
        auto_free(table) table = table_new(kinds[i]);
        bool found;
        if (source == NULL)
            continue; /* refused with a word on it: as good */
        table_add_source(table, source, 0, diags);
        found = kinds[i] == TABLE_NETWORKS  ? diags_count(diags) > 0 || table_has_network(table, "10.1.2.3")
                : kinds[i] == TABLE_WORDS   ? diags_count(diags) > 0 || table_has_word(table, "10.1.2.3")
                : kinds[i] == TABLE_DOMAINS ? diags_count(diags) > 0 || table_find_domain(table, "10.1.2.3") == 0
                                            : diags_count(diags) > 0 || table_has_mailbox(table, "a@10.1.2.3");
        if (!found)
            UNIT_FAIL("the first item of kind %u is lost in silence", i);
    }
}

/* ---- a million entries at the cost of ten */

static struct table *filled(enum table_kind kind, unsigned count)
{
    struct table *table = table_new(kind);

    for (unsigned n = 0; n < count; n++) {
        g_autofree char *item = kind == TABLE_NETWORKS
                                    ? g_strdup_printf("10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255)
                                : kind == TABLE_MAILBOXES ? g_strdup_printf("c%u@customer.example", n)
                                : kind == TABLE_WORDS     ? g_strdup_printf("user%u", n)
                                : n % 2 == 0              ? g_strdup_printf("customer%u.example", n)
                                                          : g_strdup_printf(".customer%u.example", n);
        add(table, item, n % 7);
    }
    return table;
}

static bool look_up(const struct table *table, enum table_kind kind, bool present, const char *address)
{
    switch (kind) {
    case TABLE_DOMAINS:
        return table_find_domain(table, present ? "customer2.example" : "a.b.stranger.example") >= 0;
    case TABLE_MAILBOXES:
    case TABLE_ADDRESSES:
        return table_has_mailbox(table, present ? "c2@customer.example" : "stranger@customer.example");
    case TABLE_NETWORKS:
        return table_has_network(table, address);
    case TABLE_WORDS:
        return table_has_word(table, present ? "user2" : "stranger");
    }
    return false;
}

/* The shortest of some rounds: what else the machine does comes on top. */
static gint64 cost(const struct table *table, enum table_kind kind)
{
    gint64 best = G_MAXINT64;

    for (unsigned round = 0; round < 5; round++) {
        gint64 start = g_get_monotonic_time();
        for (unsigned n = 0; n < 200; n++) {
            g_assert_true(look_up(table, kind, true, "10.0.0.2"));
            g_assert_false(look_up(table, kind, false, "192.0.2.1"));
        }
        best = MIN(best, g_get_monotonic_time() - start);
    }
    return best;
}

static void test_cost(gconstpointer data)
{
    enum table_kind kind = (enum table_kind)GPOINTER_TO_INT(data);
    /* Networks are slow to parse; their look-up must not be. */
    unsigned many = kind == TABLE_NETWORKS ? 20000 : UNIT_SANITIZED ? 200000 : 1000000;
    auto_free(table) small = filled(kind, 10);
    auto_free(table) large = filled(kind, many);
    gint64 of_small = cost(small, kind), of_large = cost(large, kind);

    g_test_message("10: %d us, %u: %d us", (int)of_small, many, (int)of_large);
    g_assert_cmpuint(table_size(large), ==, many);
    if (of_large > 20 * MAX(of_small, 50))
        UNIT_FAIL("the look-up grows with the table");
}

/* An address also means itself with an extension; one that has a `+` means itself alone. */
static void test_extensions(void)
{
    static const char *const items[] = {"clinic@corp.example", "Ann+own@corp.example", "+odd@corp.example",
                                        ("m\xc3\xbcller@b\xc3\xbc"
                                         "cher.example")};
    static const struct {
        const char *address;
        bool want, exact;
    } cases[] = {
        {"clinic@corp.example", true, true},
        {"clinic+tag@corp.example", true, false},
        {"clinic+a+b@corp.example", true, false},
        {"clinic+@corp.example", true, false},
        {"clinic-tag@corp.example", false, false},
        {"clinics+tag@corp.example", false, false},
        {"clinic+tag@x.example", false, false},
        {"clinic+tag@sub.corp.example", false, false},
        {"ann+own@corp.example", true, true},
        {"ann@corp.example", false, false},
        {"ann+other@corp.example", false, false},
        {"ann+own+more@corp.example", false, false},
        {"+odd@corp.example", true, true},
        {"+odd+tag@corp.example", false, false},
        {"+clinic@corp.example", false, false},
        {"m\xc3\xbcller+tag@xn--bcher-kva.example", true, false},
        {"\"clinic+a b\"@corp.example", false, false},
        {"clinic+tag", false, false},
    };
    auto_free(table) table = table_new(TABLE_MAILBOXES);
    auto_free(table) exact = table_new(TABLE_ADDRESSES);

    for (unsigned i = 0; i < G_N_ELEMENTS(items); i++) {
        g_assert_null(table_add(table, items[i], 0));
        g_assert_null(table_add(exact, items[i], 0));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (table_has_mailbox(table, cases[i].address) != cases[i].want)
            UNIT_FAIL("%s: got %d", cases[i].address, !cases[i].want);
        if (table_has_mailbox(exact, cases[i].address) != cases[i].exact)
            UNIT_FAIL("%s, exactly: got %d", cases[i].address, !cases[i].exact);
    }
}

/* Which of two sets is within the other, when one of them means more than it says. */
static void test_extensions_within(void)
{
    static const struct {
        enum table_kind inner_kind;
        const char *inner;
        enum table_kind outer_kind;
        const char *outer;
        unsigned want;
    } cases[] = {
        {TABLE_MAILBOXES, "a@x.example", TABLE_MAILBOXES, "a@x.example", 1},
        {TABLE_ADDRESSES, "a@x.example", TABLE_MAILBOXES, "a@x.example", 1},
        {TABLE_ADDRESSES, "a+b@x.example", TABLE_MAILBOXES, "a@x.example", 1},
        {TABLE_MAILBOXES, "a+b@x.example", TABLE_MAILBOXES, "a@x.example", 1},
        {TABLE_MAILBOXES, "a+b@x.example", TABLE_ADDRESSES, "a+b@x.example", 1},
        {TABLE_MAILBOXES, "a@x.example", TABLE_ADDRESSES, "a@x.example", 0},
        {TABLE_MAILBOXES, "a@x.example", TABLE_MAILBOXES, "a+b@x.example", 0},
        {TABLE_MAILBOXES, "a@x.example", TABLE_MAILBOXES, "x.example", 1},
        {TABLE_MAILBOXES, "", TABLE_ADDRESSES, "", 1},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(table) inner = table_new(cases[i].inner_kind);
        auto_free(table) outer = table_new(cases[i].outer_kind);
        g_assert_null(table_add(inner, cases[i].inner, 0));
        g_assert_null(table_add(outer, cases[i].outer, 0));
        if (table_within(inner, outer) != cases[i].want)
            UNIT_FAIL("%s within %s: got %u", cases[i].inner, cases[i].outer, !cases[i].want);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/domains", test_domains);
    g_test_add_func("/table/labels", test_labels);
    g_test_add_func("/table/mailboxes", test_mailboxes);
    g_test_add_func("/table/networks", test_networks);
    g_test_add_func("/table/words", test_words);
    g_test_add_func("/table/wrong", test_wrong);
    g_test_add_func("/table/source", test_source);
    g_test_add_func("/table/source-words", test_source_words);
    g_test_add_func("/table/source-mark", test_source_mark);
    g_test_add_data_func("/table/cost/domains", GINT_TO_POINTER(TABLE_DOMAINS), test_cost);
    g_test_add_data_func("/table/cost/mailboxes", GINT_TO_POINTER(TABLE_MAILBOXES), test_cost);
    g_test_add_data_func("/table/cost/networks", GINT_TO_POINTER(TABLE_NETWORKS), test_cost);
    g_test_add_data_func("/table/cost/words", GINT_TO_POINTER(TABLE_WORDS), test_cost);
    g_test_add_func("/table/extensions", test_extensions);
    g_test_add_func("/table/extensions-within", test_extensions_within);
    return g_test_run();
}
