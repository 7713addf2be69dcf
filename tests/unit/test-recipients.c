/* test-recipients - who can be read in a raw header value: exact addresses, exact defects */

#include "policy/exposure/exposure.h"
#include "policy/message/encoded_words.h"
#include "policy/message/recipients.h"
#include "unit.h"

static int compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The addresses in order of the alphabet, parted by blanks, then the defects: "a@x b@y !syntax". */
static char *read_message(const struct message *message)
{
    auto_free(recipients) recipients = recipients_read(message);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < recipients_count(recipients); i++)
        g_ptr_array_add(names, (gpointer)recipients_get(recipients, i)->address);
    g_ptr_array_sort(names, compare);
    for (unsigned i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", (char *)g_ptr_array_index(names, i));
    for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1)
        if (recipients_defects(recipients) & bit)
            g_string_append_printf(text, "%s!%s", text->len > 0 ? " " : "", defect_name((enum defect)bit));
    return g_string_free(text, FALSE);
}

static char *read_value(const char *value)
{
    auto_free(message) message = message_new();

    message_add_header(message, "To", value);
    return read_message(message);
}

struct row {
    const char *value, *want;
};

static void check(const struct row *rows, size_t count)
{
    bool failed = false;

    for (size_t i = 0; i < count; i++) {
        g_autofree char *got = read_value(rows[i].value);
        if (strcmp(got, rows[i].want) == 0)
            continue;
        failed = true;
        g_test_message("%s: got `%s`, want `%s`", rows[i].value, got, rows[i].want);
    }
    if (failed)
        g_test_fail();
}

/* What the grammar of RFC 5322 allows; no defect. */
static void test_valid(void)
{
    static const struct row rows[] = {
        {"", ""},
        {" ", ""},
        {"ann@x.example", "ann@x.example"},
        {" ann@x.example ", "ann@x.example"},
        {"<ann@x.example>", "ann@x.example"},
        {"Ann Lee <ann@x.example>, Bob <bob@y.example>", "ann@x.example bob@y.example"},
        {"\"Lee, Ann\" <ann@x.example>, bob@y.example", "ann@x.example bob@y.example"},
        {"ann@x.example,,bob@y.example,", "ann@x.example bob@y.example"},
        {"\r\n\tann@x.example,\r\n\tbob@y.example", "ann@x.example bob@y.example"},
        {"\n ann@x.example,\n bob@y.example", "ann@x.example bob@y.example"},
        /* Groups. */
        {"Customers: ann@x.example, Bob <bob@y.example>;", "ann@x.example bob@y.example"},
        {"A: ann@x.example;, B: bob@y.example;, c@z.example", "ann@x.example bob@y.example c@z.example"},
        {"undisclosed-recipients:;", ""},
        {"Undisclosed recipients: ;", ""},
        {"<>", ""},
        /* Comments. */
        {"ann@x.example (Ann)", "ann@x.example"},
        {"(a (nested) comment) ann@x.example", "ann@x.example"},
        /* Encoded words. */
        {"=?utf-8?q?J=C3=B6rg?= <ann@x.example>", "ann@x.example"},
        {"=?utf-8?b?SsO2cmc=?= =?utf-8?q?_Lee?= <ann@x.example>, bob@y.example", "ann@x.example bob@y.example"},
        /* Quoted local parts and literals. */
        {"\"ann lee\"@x.example", "\"ann lee\"@x.example"},
        {"\"a@b\"@x.example", "\"a@b\"@x.example"},
        {"\"ann\"@x.example", "ann@x.example"},
        {"ann@[192.0.2.1]", "ann@[192.0.2.1]"},
        {"ann@[IPv6:2001:db8::1]", "ann@[ipv6:2001:db8::1]"},
        {"o'brien@x.example, ann+tag@x.example", "ann+tag@x.example o'brien@x.example"},
        {"j\xc3\xb6rg@x.example, a@b\xc3\xbc"
         "cher.example",
         "a@xn--bcher-kva.example j\xc3\xb6rg@x.example"},
        /* One recipient, however it is written. */
        {"ann@x.example, ANN@X.EXAMPLE, <Ann@x.Example>", "ann@x.example"},
        {"a@b\xc3\xbc"
         "cher.example, a@xn--bcher-kva.example, a@XN--BCHER-KVA.example, a@bu\xcc\x88"
         "cher.example",
         "a@xn--bcher-kva.example"},
        {"ann@x.example, 'ann@x.example', Ann <ann@x.example>", "ann@x.example"},
    };

    check(rows, G_N_ELEMENTS(rows));
}

/*
 * What the grammar calls wrong and a person reads all the same.  `syntax` is not
 * for all of it: only where the two readings differ.
 */
static void test_tolerant(void)
{
    static const struct row rows[] = {
        /* Semicolons as separators, in and after groups, within angle brackets. */
        {"ann@x.example;bob@y.example;c@z.example", "ann@x.example bob@y.example c@z.example !syntax"},
        {"ann@x.example; bob@y.example, c@z.example", "ann@x.example bob@y.example c@z.example !syntax"},
        {"<ann@x.example;bob@y.example>", "ann@x.example bob@y.example !syntax"},
        {"G: ann@x.example; bob@y.example", "ann@x.example bob@y.example"},
        {"G: ann@x.example; bob@y.example; c@z.example;", "ann@x.example bob@y.example c@z.example !syntax"},
        /* Names without brackets, the wrong brackets. */
        {"Ann Lee ann@x.example", "ann@x.example !syntax"},
        {"Ann Lee ann@x.example, Bob bob@y.example", "ann@x.example bob@y.example !syntax"},
        {"[ann@x.example], [bob@y.example]", "ann@x.example bob@y.example !syntax"},
        {"{ann@x.example}", "ann@x.example"},
        {"&lt;ann@x.example&gt;, bob@y.example", "ann@x.example bob@y.example !syntax"},
        {"ann@x.example bob@y.example", "ann@x.example bob@y.example !syntax"},
        {"<ann@x.example> <bob@y.example>", "ann@x.example bob@y.example !syntax"},
        {"<ann@x.example, bob@y.example>", "ann@x.example bob@y.example"},
        /* What is not closed. */
        {"ann@x.example, (bob@y.example, c@z.example", "ann@x.example bob@y.example c@z.example !syntax"},
        {"\"Ann <ann@x.example>, Bob <bob@y.example>", "ann@x.example bob@y.example"},
        {"Ann\" <ann@x.example>, bob@y.example", "ann@x.example bob@y.example"},
        {"ann@[192.0.2.1, bob@y.example", "ann@[192.0.2.1 bob@y.example !syntax"},
        {"<ann@x.example, bob@y.example", "ann@x.example bob@y.example"},
        /* Dots. */
        {"a..b@x.example", "a..b@x.example !syntax"},
        {"a.@x.example, .b@x.example", ".b@x.example a.@x.example !syntax"},
        {"ann@x.example., bob@y.example..", "ann@x.example bob@y.example !syntax"},
        /* Schemes. */
        {"<mailto:ann@x.example>, <SMTP:bob@y.example>", "ann@x.example bob@y.example !syntax"},
        {"mailto:ann@x.example, mailto:bob@y.example", "ann@x.example bob@y.example"},
        /* Specials in an unquoted name. */
        {"Lee [Sales] <ann@x.example>, bob@y.example", "ann@x.example bob@y.example !syntax"},
        {"Re: news <ann@x.example>, bob@y.example", "ann@x.example bob@y.example"},
        /* Raw specials in an encoded-word, and lists within one. */
        {"=?utf-8?q?a;(<b?= <ann@x.example>, bob@y.example", "ann@x.example bob@y.example"},
        {"=?utf-8?q?ann=40x.example=2C_bob=40y.example?=", "ann@x.example bob@y.example !syntax"},
        {"=?utf-8?b?YW5uQHguZXhhbXBsZSwgYm9iQHkuZXhhbXBsZQ==?= <news@me.example>",
         "ann@x.example bob@y.example news@me.example"},
        /* Names, quoted strings, comments. */
        {"\"ann@x.example, bob@y.example\" <news@me.example>", "ann@x.example bob@y.example news@me.example"},
        {"news@me.example (ann@x.example, bob@y.example)", "ann@x.example bob@y.example news@me.example"},
        {"\"ann@x.example\"", "ann@x.example !syntax"},
        {"ann@x.example: bob@y.example;", "ann@x.example bob@y.example !syntax"},
        /* Quoted local parts. */
        {"\"ann@x.example\"@me.example", "\"ann@x.example\"@me.example ann@x.example !syntax"},
        {"\"ann@x.example\".b@me.example", "\"ann@x.example.b\"@me.example ann@x.example !syntax"},
        /* What no name in the DNS holds ends it. */
        {"ann@x.example|bob@y.example", "ann@x.example bob@y.example !syntax"},
        {"ann@x.example/home, bob@y.example's", "ann@x.example bob@y.example !syntax"},
        {"ann@x.y/1.example, ann@x.y/2.example", "ann@x.y ann@x.y/1.example ann@x.y/2.example !syntax"},
        /* Separators of other scripts, and words. */
        {"ann@x.example\xef\xbc\x8c"
         "bob@y.example\xef\xbc\x9b"
         "c@z.example",
         "ann@x.example bob@y.example c@z.example !syntax"},
        {"ann@x.example\xc2\xa0"
         "bob@y.example",
         "ann@x.example bob@y.example !syntax"},
        {"ann\xef\xbc\xa0x.example", "ann@x.example !syntax"},
        {"an\xe2\x80\x8bn@x.example", "ann@x.example"},
        {"ann@x.example / bob@y.example and c@z.example & d@w.example | e@v.example",
         "ann@x.example bob@y.example c@z.example d@w.example e@v.example !syntax"},
        /* Bytes of an old charset in a domain. */
        {"ann@b\xfc"
         "cher.example, bob@y.example",
         "ann@b\xef\xbf\xbd"
         "cher.example bob@y.example !syntax"},
        /* A fold inside a domain. */
        {"ann@x.\r\n example, bob@y.example", "ann@x.example bob@y.example"},
        {"ann @ x.example", "ann@x.example"},
        /* Routes: the last one gets the mail. */
        {"<@r.example,@s.example:ann@x.example>", "ann@x.example"},
        {"<@route@route2:user@domain>", "user@domain"},
        {"test@[RFC 5322 domain literal]", "test@[rfc5322domainliteral]"},
        {"\"\"@x.example", "\"\"@x.example"},
        /* Comments and blanks anywhere (RFC 5322 appendix A.5). */
        {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "pete@silly.test"},
        {"Pete) <pete@silly .test>", "pete@silly.test !syntax"},
        {"user@[192.0.2.1]@dom.example", "192.0.2.1@dom.example user@[192.0.2.1] !syntax"},
        {"user@, bob@y.example", "bob@y.example !syntax !unparsed"},
    };

    check(rows, G_N_ELEMENTS(rows));
}

/* A mailbox without a domain is no recipient; text without any is no defect. */
static void test_nobody(void)
{
    static const struct row rows[] = {
        {"ann", ""},
        {"Ann Lee <ann>, bob", ""},
        {"\"a@x.example\"", "a@x.example !syntax"},
        {"ann, bob@y.example", "bob@y.example"},
        {"@", "!syntax !unparsed"},
        {"@ @ @", "!syntax !unparsed"},
        {"Lunch @ noon", "lunch@noon"}, /* RFC 5322 section 4.4 says so */
        {"Lunch @ the pub", "lunch@the !syntax"},
    };

    check(rows, G_N_ELEMENTS(rows));
}

/* An `@` that adds nobody is the name of a plain address; several others may be people who are hidden. */
static void test_idle(void)
{
    static const struct row rows[] = {
        {"Lunch @ noon <a@x.example>, \"Dinner @ eight, or @ nine\" <b@x.example>, c@x.example (Tea @ five)",
         "a@x.example b@x.example c@x.example"},
        {"(Lunch @ noon) a@x.example, (Tea @ five) b@x.example", "a@x.example b@x.example"},
        {"Ann a@x.example, Ann a@x.example", "a@x.example !syntax"},
        {"<@r.example:a@x.example>, <@r.example:b@x.example>", "a@x.example b@x.example"},
        {"(u0 @d0&.example), a@x.example", "a@x.example !syntax"},
        {"(u0 @d0&.example), (u1 @d1&.example), (u2 @d2&.example), a@x.example", "a@x.example !syntax !unparsed"},
        {"a@x.example, (u0 @d0&.example), (u1 @d1&.example), (u2 @d2&.example)", "a@x.example !unparsed"},
        {"Ann a@x.example, Ann a@x.example, Ann a@x.example", "a@x.example !syntax !unparsed"},
    };

    check(rows, G_N_ELEMENTS(rows));
}

/* Twelve of each are twelve, whatever the grammar makes of the list; sixty where only a name beside the address
 * differs. */
static void test_spellings(void)
{
    static const struct {
        const char *before, *behind, *want; /* the number is between; the address of number 0 */
    } cases[] = {
        {"\"Patient\" p", "@gmail. com", "p0@gmail.com"},
        {"Patient <p", "@gmail. com>", "p0@gmail.com"},
        {"Patient <p", "@gmail .com>", "p0@gmail.com"},
        {"Customer <c@customer. mail", ".example>", "c@customer.mail0.example"},
        {"u", "(x)@d.example", "u0@d.example"},
        {"U <u", "@(x)d.example>", "u0@d.example"},
        {"<u", "\"\"@d.example>", "u0@d.example"},
        {"u", " . a @ d . example", "u0.a@d.example"},
        {"[test", "]@example.org", "test0@example.org"},
        {"<bob", ">@example.com", "bob0@example.com"},
        {"Ann", " ann@x.example", "ann@x.example"},
    };
    static const char *const separators[] = {"; ", ", "};

    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_new();
        auto_free(recipients) recipients = NULL;
        g_autoptr(GString) value = g_string_new(NULL);
        for (unsigned n = 0; n < 12; n++)
            g_string_append_printf(value, "%s%s%u%s", n > 0 ? separators[i % 2] : "", cases[i / 2].before, n,
                                   cases[i / 2].behind);
        message_add_header(message, "Cc", value->str);
        recipients = recipients_read(message);
        g_test_message("%s", value->str);
        g_assert_cmpuint(recipients_find(recipients, cases[i / 2].want), ==, FIELD_CC);
        g_assert_cmpuint(recipients_count(recipients), ==, 12);
        g_assert_cmpuint(recipients_defects(recipients) & ~(unsigned)DEFECT_SYNTAX, ==, 0);
    }
}

/* Every occurrence of every recipient field, in any case; no other. */
static void test_fields(void)
{
    static const struct {
        const char *name;
        unsigned field;
    } cases[] = {
        {"To", FIELD_TO},
        {"to", FIELD_TO},
        {"TO", FIELD_TO},
        {"Cc", FIELD_CC},
        {"CC", FIELD_CC},
        {"CC ", FIELD_CC}, /* `CC :` */
        {"Bcc", FIELD_BCC},
        {"Resent-To", FIELD_RESENT_TO},
        {"resent-cc", FIELD_RESENT_CC},
        {"Resent-Bcc", FIELD_RESENT_BCC},
        {"Apparently-To", FIELD_APPARENTLY_TO},
        {"From", 0},
        {"Reply-To", 0},
        {"Subject", 0},
        {"X-To", 0},
        {"Tox", 0},
        {"T", 0},
        {"", 0},
        {"Delivered-To", 0},
        {"Resent-From", 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_new();
        message_add_header(message, cases[i].name, "ann@x.example");
        {
            auto_free(recipients) recipients = recipients_read(message);
            g_test_message("%s", cases[i].name);
            g_assert_cmpuint(recipients_find(recipients, "ann@x.example"), ==, cases[i].field);
            g_assert_cmpuint(recipients_count(recipients), ==, cases[i].field != 0);
        }
    }
    g_assert_cmpstr(recipient_field_name(FIELD_RESENT_CC), ==, "Resent-Cc");
    g_assert_cmpstr(recipient_field_name(FIELD_APPARENTLY_TO), ==, "Apparently-To");
}

/* They add up, and each recipient knows where it stood. */
static void test_union(void)
{
    auto_free(message) message = message_new();

    message_add_header(message, "To", "ann@x.example");
    message_add_header(message, "To", "bob@y.example, ANN@x.example");
    message_add_header(message, "Cc", "ann@x.example");
    {
        auto_free(recipients) recipients = recipients_read(message);
        g_assert_cmpuint(recipients_count(recipients), ==, 2);
        g_assert_cmpuint(recipients_find(recipients, "ann@x.example"), ==, FIELD_TO | FIELD_CC);
        g_assert_cmpuint(recipients_find(recipients, "bob@y.example"), ==, FIELD_TO);
        g_assert_cmpuint(recipients_find(recipients, "c@z.example"), ==, 0);
        /* In order of their first appearance. */
        g_assert_cmpstr(recipients_get(recipients, 0)->address, ==, "ann@x.example");
        g_assert_cmpuint(recipients_defects(recipients), ==, 0);
    }
}

/* Who separates 500 addresses by whatever hides none of them. */
static void test_many(void)
{
    static const char *const separators[] = {
        ", ",       ",",     ";",  "; ",         " ",   "\t",  "\r\n\t",       ",\r\n\t",
        "|",        " / ",   ",,", ";,",         "> <", ">,<", "\xef\xbc\x8c", "\xe3\x80\x81",
        "\xc2\xa0", " and ", "&",  "\" <x>, \"", ") (", "] [", "\xe2\x80\xa8", "=2C"};

    for (unsigned i = 0; i < G_N_ELEMENTS(separators); i++) {
        auto_free(message) message = message_new();
        GString *value = g_string_new(NULL);
        for (unsigned n = 0; n < 500; n++)
            g_string_append_printf(value, "%sc%u@cust%u.example", n > 0 ? separators[i] : "", n, n);
        message_add_header(message, "To", value->str);
        {
            auto_free(recipients) recipients = recipients_read(message);
            g_test_message("`%s`: %u", separators[i], recipients_count(recipients));
            for (unsigned n = 0; n < 500; n++) {
                g_autofree char *address = g_strdup_printf("c%u@cust%u.example", n, n);
                /* "=2C" outside of an encoded-word is a part of the name, and the domains are still 500. */
                if (strcmp(separators[i], "=2C") != 0)
                    g_assert_cmpuint(recipients_find(recipients, address), ==, FIELD_TO);
            }
            /* None is missed; one more may come of a sign that can stand in a local part. */
            g_assert_cmpuint(recipients_count(recipients), >=, 500);
            g_assert_cmpuint(recipients_count(recipients), <=, 502);
        }
        g_string_free(value, TRUE);
    }
}

/* Beyond the bounds of the first reader the second one reads on, and says so. */
static void test_bounds(void)
{
    static const struct {
        const char *piece;
        unsigned times;
        const char *last;
        const char *want;
    } cases[] = {
        {"a:", 20000, "ann@x.example", "ann@x.example !limit"},
        {"a,", 60000, "ann@x.example", "ann@x.example !limit"},
        {"\"a\",", 30000, "ann@x.example", "ann@x.example !limit"},
        {"a (,", 30000, "ann@x.example", "ann@x.example !limit"},
        {"(", 200000, "ann@x.example", "ann@x.example !limit !cut"},
        {"<", 20000, "ann@x.example", "ann@x.example"},
        {"(", 99, "ann@x.example", "ann@x.example !syntax"},
        {"a@b.example,", 5100, "ann@x.example", "a@b.example ann@x.example !limit !cut"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *value = g_string_new(NULL);
        g_autofree char *got = NULL;
        gint64 start = g_get_monotonic_time();
        for (unsigned n = 0; n < cases[i].times; n++)
            g_string_append(value, cases[i].piece);
        g_string_append(value, cases[i].last);
        got = read_value(value->str);
        g_test_message("%s x %u: %s in %d us", cases[i].piece, cases[i].times, got,
                       (int)(g_get_monotonic_time() - start));
        /* The defects besides are the length's; who is there must be found. */
        g_assert_true(strstr(got, "ann@x.example") != NULL);
        if (value->len < 59000)
            g_assert_cmpstr(got, ==, cases[i].want);
        else
            g_assert_nonnull(strstr(got, "!cut"));
        g_string_free(value, TRUE);
    }
}

/* `limit` when there are more recipients than are kept, not before. */
static void test_limit(void)
{
    for (unsigned more = 0; more < 2; more++) {
        auto_free(message) message = message_new();
        for (unsigned n = 0; n < RECIPIENTS_LIMIT + more; n++) {
            g_autofree char *address = g_strdup_printf("c%u@x.example", n);
            message_add_header(message, "To", address);
        }
        {
            auto_free(recipients) recipients = recipients_read(message);
            g_assert_cmpuint(recipients_count(recipients), ==, RECIPIENTS_LIMIT);
            if (more)
                g_assert_cmpuint(recipients_defects(recipients) & DEFECT_LIMIT, ==, DEFECT_LIMIT);
        }
    }
}

/* More encoded-words than are decoded are `limit`, and who stands beside them is read all the same. */
static void test_words_limit(void)
{
    for (unsigned more = 0; more < 2; more++) {
        auto_free(message) message = message_new();
        for (unsigned n = 0; n < WORDS_LIMIT + more; n++) {
            g_autofree char *mailbox = g_strdup_printf("=?utf-8?q?Ann?= <c%u@x.example>", n);
            message_add_header(message, "To", mailbox);
        }
        {
            auto_free(recipients) recipients = recipients_read(message);
            g_assert_cmpuint(recipients_count(recipients), ==, WORDS_LIMIT + more);
            g_assert_cmpuint(recipients_defects(recipients), ==, more ? DEFECT_LIMIT : 0);
        }
    }
}

/* At 59,000 bytes, and on Postfix at 10,200 tokens; a number of addresses alone is no sign. */
static void test_cut(void)
{
    static const struct {
        enum mta mta;
        const char *piece;
        size_t bytes;
        bool cut;
    } cases[] = {
        {MTA_NONE, "a", 58999, false},    {MTA_NONE, "a", 59000, true},
        {MTA_POSTFIX, "a", 58999, false}, {MTA_POSTFIX, "a,", 10199, false},
        {MTA_POSTFIX, "a,", 10200, true}, {MTA_SENDMAIL, "a,", 10200, false},
        {MTA_NONE, "a,", 10200, false},   {MTA_POSTFIX, "\"a,b\" ", 58998, false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_new();
        GString *value = g_string_new(NULL);
        message->mta = cases[i].mta;
        while (value->len < cases[i].bytes)
            g_string_append(value, cases[i].piece);
        g_string_truncate(value, cases[i].bytes);
        message_add_header(message, "To", value->str);
        {
            auto_free(recipients) recipients = recipients_read(message);
            g_test_message("%u: %zu bytes of %s", i, cases[i].bytes, cases[i].piece);
            g_assert_cmpint((recipients_defects(recipients) & DEFECT_CUT) != 0, ==, cases[i].cut);
        }
        g_string_free(value, TRUE);
    }
}

static void test_authors(void)
{
    static const struct row rows[] = {
        {"Ann <ANN@x.example>", "ann@x.example"},
        {"ann@x.example, Bob <bob@y.example>", "ann@x.example bob@y.example"},
        {"ann@x.example, ann@X.example", "ann@x.example"},
        /* A name is no author. */
        {"\"boss@me.example\" <ann@x.example>", "ann@x.example"},
        {"ann@x.example (boss@me.example)", "ann@x.example"},
        /* Where the grammar finds nobody, who can be read. */
        {"[ann@x.example]", "ann@x.example"},
        {"", ""},
        {"ann", ""},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        auto_free(message) message = message_new();
        g_autoptr(GPtrArray) authors = NULL;
        g_autofree char *got = NULL;
        message_add_header(message, "From", rows[i].value);
        authors = recipients_authors(message, NULL);
        g_ptr_array_add(authors, NULL);
        got = g_strjoinv(" ", (char **)authors->pdata);
        g_test_message("%s", rows[i].value);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
    {
        /* Every From header counts: readers differ in which they show. */
        auto_free(message) message = message_of("ann@x.example", NULL);
        g_autoptr(GPtrArray) authors = NULL;
        message_add_header(message, "from", "bob@y.example");
        authors = recipients_authors(message, NULL);
        g_assert_cmpuint(authors->len, ==, 2);
        g_assert_cmpstr(g_ptr_array_index(authors, 1), ==, "bob@y.example");
    }
}

/* Up to the limit they are all there; beyond it that is said. */
static void test_authors_limit(void)
{
    for (unsigned more = 0; more < 2; more++) {
        auto_free(message) message = message_new();
        g_autoptr(GPtrArray) authors = NULL;
        bool whole = more;
        for (unsigned n = 0; n < AUTHORS_LIMIT + more; n++) {
            g_autofree char *address = g_strdup_printf("c%u@x.example", n);
            message_add_header(message, "From", address);
        }
        authors = recipients_authors(message, &whole);
        g_assert_cmpuint(authors->len, ==, AUTHORS_LIMIT);
        g_assert_true(whole == !more);
    }
    {
        /* One author again and again, and perhaps another one behind. */
        GString *value = g_string_new(NULL);
        auto_free(message) message = message_new();
        g_autoptr(GPtrArray) authors = NULL;
        bool whole = true;
        for (unsigned n = 0; n <= READINGS_LIMIT; n++)
            g_string_append(value, "ann@x.example, ");
        message_add_header(message, "From", value->str);
        authors = recipients_authors(message, &whole);
        g_assert_cmpuint(authors->len, ==, 1);
        g_assert_false(whole);
        g_string_free(value, TRUE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recipients/valid", test_valid);
    g_test_add_func("/recipients/tolerant", test_tolerant);
    g_test_add_func("/recipients/nobody", test_nobody);
    g_test_add_func("/recipients/idle", test_idle);
    g_test_add_func("/recipients/spellings", test_spellings);
    g_test_add_func("/recipients/fields", test_fields);
    g_test_add_func("/recipients/union", test_union);
    g_test_add_func("/recipients/many", test_many);
    g_test_add_func("/recipients/bounds", test_bounds);
    g_test_add_func("/recipients/limit", test_limit);
    g_test_add_func("/recipients/words-limit", test_words_limit);
    g_test_add_func("/recipients/cut", test_cut);
    g_test_add_func("/recipients/authors", test_authors);
    g_test_add_func("/recipients/authors-limit", test_authors_limit);
    return g_test_run();
}
