/* test-from-authors - who is in From besides the author, with exact defects, and who the author is */

#include "policy/message/defects.h"
#include "policy/message/encoded_words.h"
#include "policy/message/from_authors.h"
#include "policy/message/recipients.h"
#include "unit.h"

/* In the order in which they were read, then the defects. */
static char *read_from(const struct message *message)
{
    auto_free(recipients) recipients = recipients_read(message);
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < recipients_count(recipients); i++) {
        const struct recipient *recipient = recipients_get(recipients, i);
        g_autofree char *fields = recipient_field_names(recipient->fields);
        g_assert_cmpstr(fields, ==, "From");
        g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", recipient->address);
    }
    for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1)
        if (recipients_defects(recipients) & bit)
            g_string_append_printf(text, "%s!%s", text->len > 0 ? " " : "", defect_name((enum defect)bit));
    return g_string_free(text, FALSE);
}

struct row {
    const char *value;
    const char *want;
};

static void check_rows(const struct row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        auto_free(message) message = message_new();
        message_set_sender(message, "care@me.example");
        message_add_header(message, "From", rows[i].value);
        g_autofree char *got = read_from(message);
        g_test_message("%s", rows[i].value);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
}

/* What business mail, lists and bulk senders write: the author is nobody, however he is spelled. */
static void test_author_alone(void)
{
    static const struct row rows[] = {
        {"", ""},
        {"care@me.example", ""},
        {"ann@x.example", ""},
        {"Care <care@me.example>", ""},
        {"Care <bounce@bulk.example>", ""},
        {"=?utf-8?q?J=C3=BCrgen?= <care@me.example>", ""},
        {"\"care@me.example\" <care@me.example>", ""},
        {"care@me.example <care@me.example>", ""},
        {"CARE@me.example (care@ME.example)", ""},
        {"=?utf-8?q?care=40me.example?= <care@me.example>", ""},
        {"'care@me.example' <care@me.example>", ""},
        {"care@me.example care@me.example <care@me.example>", ""},
        {"Ann via List <list@lists.example>", ""},
        {"Ann via List <list@lists.example>, ", ""},
        {"MAILER-DAEMON", ""},
        {"care", ""},
        {"undisclosed: ;", ""},
    };

    check_rows(rows, G_N_ELEMENTS(rows));
}

/* An `@` without a domain that has a dot is a name; one that nothing can be made of stops no mail. */
static void test_odd(void)
{
    static const struct row rows[] = {
        {"Sales @ Corp <care@me.example>", ""},
        {"Smith, Joe @ Corp, Ltd. <care@me.example>", ""},
        {"Corp@Home <care@me.example>", ""},
        {"\"Corp@Home\" <care@me.example>", ""},
        {"\"follow us: @corp, @corp_de, @corp_fr\" <care@me.example>", ""},
        {"care@ <care@me.example>", ""},
        {"@care <care@me.example>", ""},
        {"care@me.example@", ""},
        {"care@@me.example", ""},
        {"Care <care@me.example", ""},
        {"care@me.example;", ""},
        {"root@localhost, care@me.example", ""},
        {"@x.example <care@me.example>", ""},
    };

    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_others(void)
{
    static const struct row rows[] = {
        {"a@x.example, care@me.example, b@y.example", "a@x.example b@y.example"},
        {"a@x.example, b@y.example", "b@y.example"},
        {"Managers: a@x.example, b@y.example;, care@me.example", "a@x.example b@y.example"},
        {"Managers: a@x.example, b@y.example;", "b@y.example"},
        {"\"ann@x.example via Support\" <support@me.example>", "ann@x.example"},
        {"ann@x.example via Care <care@me.example>", "ann@x.example"},
        /* Two mailboxes to the grammar, of which the first is the author. */
        {"ann@x.example via Support <support@me.example>", "support@me.example"},
        {"Support (for ann@x.example) <support@me.example>", "ann@x.example"},
        {"'care@me.example' via List <list@lists.example>", "care@me.example"},
        {"=?utf-8?q?ann=40x.example?= <care@me.example>", "ann@x.example"},
        {"=?utf-8?b?YW5uQHguZXhhbXBsZSwgYm9iQHkuZXhhbXBsZQ==?= <care@me.example>", "ann@x.example bob@y.example"},
        {"Ann ann\357\274\240x.example <care@me.example>", "ann@x.example"},
        {"ann@x\343\200\202example <care@me.example>", "ann@x.example"},
        {"u(x)@x.example, care@me.example", "u@x.example"},
        {"bob@[192.0.2.1], care@me.example", "bob@[192.0.2.1]"},
        {"bob@[IPv6:2001:db8::1], care@me.example", "bob@[ipv6:2001:db8::1]"},
        {"a%x.example, y.example!b, care@me.example", "a@x.example b@y.example"},
    };

    check_rows(rows, G_N_ELEMENTS(rows));
}

/* The envelope sender is the author, else the login, else the first mailbox; a name is none of them. */
static void test_who(void)
{
    static const struct {
        const char *sender, *user, *want;
    } cases[] = {
        {"b@y.example", NULL, "a@x.example c@z.example"},
        {"<B@Y.example>", "a@x.example", "a@x.example c@z.example"},
        {"bounce+1@bulk.example", "c@z.example", "a@x.example b@y.example"},
        {"", "c@z.example", "a@x.example b@y.example"},
        {"bounce+1@bulk.example", "login", "b@y.example c@z.example"},
        {"", NULL, "b@y.example c@z.example"},
        {"name@n.example", NULL, "b@y.example c@z.example"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_new();
        message_set_sender(message, cases[i].sender);
        message_set_user(message, cases[i].user);
        message_add_header(message, "From", "a@x.example, b@y.example, c@z.example (name@n.example)");
        g_autofree char *got = read_from(message);
        g_autofree char *want = g_strdup_printf("%s name@n.example", cases[i].want);
        g_assert_cmpstr(got, ==, want);
    }
}

/* Programs differ in which of several From fields they show; Sender, Reply-To and Resent-From are no From. */
static void test_fields(void)
{
    auto_free(message) message = message_new();

    message_set_sender(message, "care@me.example");
    message_add_header(message, "From", "a@x.example");
    message_add_header(message, "FROM", "care@me.example");
    message_add_header(message, "from", "b@y.example");
    message_add_header(message, "Sender", "s@x.example, t@x.example");
    message_add_header(message, "Reply-To", "r@x.example, t@x.example");
    message_add_header(message, "Resent-From", "f@x.example, g@x.example");
    g_autofree char *got = read_from(message);
    g_assert_cmpstr(got, ==, "a@x.example b@y.example");
}

/* One who is in To as well is one recipient, in both fields. */
static void test_both(void)
{
    auto_free(message) message = message_new();

    message_set_sender(message, "care@me.example");
    message_add_header(message, "From", "a@x.example, care@me.example");
    message_add_header(message, "To", "care@me.example, a@x.example");
    auto_free(recipients) recipients = recipients_read(message);
    g_assert_cmpuint(recipients_count(recipients), ==, 2);
    g_assert_cmpuint(recipients_find(recipients, "a@x.example"), ==, FIELD_FROM | FIELD_TO);
    g_assert_cmpuint(recipients_find(recipients, "care@me.example"), ==, FIELD_TO);
}

/* On Postfix what says a way is a name: it has already rewritten the addresses. */
static void test_routes(void)
{
    for (unsigned mta = 0; mta < MTAS; mta++) {
        auto_free(message) message = message_new();
        message->mta = (enum mta)mta;
        message_add_header(message, "From", "a%x.example, b%y.example");
        g_autofree char *got = read_from(message);
        g_assert_cmpstr(got, ==, mta == MTA_POSTFIX ? "" : "b@y.example");
    }
}

/* Sixty in each spelling, none missed; what nothing can read is malformed only if there is much of it. */
static void test_sixty(void)
{
    static const struct {
        const char *item;
        unsigned want;
        bool malformed;
    } cases[] = {
        {"c#@x#.example, ", 60, false},  {"\"c#@x#.example\" ", 60, false},
        {"(c#@x#.example) ", 60, false}, {"=?utf-8?q?c#=40x#.example?= ", 60, false},
        {"<c#@x#.example> ", 60, false}, {"[c#@x#.example", 60, false},
        {"@ <x#.> # .", 0, true},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *value = g_string_new(NULL);
        auto_free(message) message = message_new();
        g_auto(GStrv) pieces = g_strsplit(cases[i].item, "#", -1);
        for (unsigned n = 0; n < 60; n++) {
            g_autofree char *number = g_strdup_printf("%u", n);
            g_autofree char *item = g_strjoinv(number, pieces);
            g_string_append(value, item);
        }
        g_string_append(value, "<care@me.example>");
        message_set_sender(message, "care@me.example");
        message_add_header(message, "From", value->str);
        auto_free(recipients) recipients = recipients_read(message);
        g_test_message("%s: %u", cases[i].item, recipients_count(recipients));
        g_assert_cmpuint(recipients_count(recipients), >=, cases[i].want);
        g_assert_cmpint((recipients_defects(recipients) & DEFECT_UNPARSED) != 0, ==, cases[i].malformed);
        g_string_free(value, TRUE);
    }
}

/* Beyond the bounds of recipient headers the counts are lower bounds, and that is said. */
static void test_limits(void)
{
    GString *value = g_string_new(NULL);

    for (unsigned n = 0; n <= WORDS_LIMIT; n++)
        g_string_append(value, "=?utf-8?q?a?= x ");
    g_string_append(value, "<care@me.example>");
    auto_free(message) message = message_new();
    message_add_header(message, "From", value->str);
    g_assert_cmpuint(from_places(message), ==, FROM_PLACES_MOST);
    g_autofree char *words = read_from(message);
    g_assert_cmpstr(words, ==, "!limit");

    g_string_truncate(value, 0);
    for (unsigned n = 0; n < 6000; n++)
        g_string_append_printf(value, "c%u@x.example,", n);
    auto_free(message) many = message_new();
    message_add_header(many, "From", value->str);
    auto_free(recipients) recipients = recipients_read(many);
    g_assert_cmpuint(recipients_count(recipients), ==, 5999);
    g_assert_cmpuint(recipients_defects(recipients), ==, DEFECT_LIMIT | DEFECT_CUT);
    g_string_free(value, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/from-authors/alone", test_author_alone);
    g_test_add_func("/from-authors/odd", test_odd);
    g_test_add_func("/from-authors/others", test_others);
    g_test_add_func("/from-authors/who", test_who);
    g_test_add_func("/from-authors/fields", test_fields);
    g_test_add_func("/from-authors/both", test_both);
    g_test_add_func("/from-authors/routes", test_routes);
    g_test_add_func("/from-authors/sixty", test_sixty);
    g_test_add_func("/from-authors/limits", test_limits);
    return g_test_run();
}
