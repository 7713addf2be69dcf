/* test-every-byte - every byte and kind of character in every field that is logged or shown: one printable line each */

#include "milter/log/log_fields.h"
#include "milter/notify/mail_compose.h"

#include "policy/base/escape.h"
#include "policy/cli/terminal.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* What terminals and pagers act on or cannot show, beyond single bytes. */
static const char *const sequences[] = {
    "\033[2J",                   /* clears a terminal */
    "\033]0;title\007",          /* sets its title */
    "\r\n4XyZ9: verdict=accept", /* another line */
    "\" rule=none text=\"",      /* another field */
    "\",\"verdict\":\"accept",   /* the same in JSON */
    "\\x41 \\u0041 \\n",         /* what looks like an escape of ours */
    "\302\205",                  /* U+0085, next line */
    ("\302\233"
     "31m"),                    /* U+009B, the same as ESC [ */
    "\302\240",                 /* a blank that is none */
    "\302\255",                 /* soft hyphen */
    "\330\234",                 /* U+061C, Arabic letter mark */
    "\342\200\250",             /* U+2028, line separator */
    "\342\200\251",             /* U+2029, paragraph separator */
    "\342\200\213\342\200\215", /* zero width */
    "\342\200\216\342\200\217", /* left-to-right and right-to-left marks */
    "\342\200\252\342\200\256", /* U+202A to U+202E: embeddings and overrides */
    "\342\200\253\342\200\254\342\200\255",
    "\342\201\246\342\201\247\342\201\250\342\201\251", /* U+2066 to U+2069: isolates */
    "\342\201\240\357\273\277",                         /* word joiner, byte order mark */
    "\314\201\314\201\314\201\314\201",                 /* combining */
    "\341\205\237\341\205\240",                         /* fillers of Hangul */
    "\363\240\200\201\363\240\201\277",                 /* tags */
    "\356\200\200",                                     /* private use */
    "\357\277\276\357\277\277",                         /* no characters */
    "\300\257\355\240\200\342\200",                     /* no UTF-8: overlong, surrogate, cut */
    "\360\237\223\247",                                 /* beyond the basic plane */
};

typedef void (*try)(const char *value);

/* Each byte and each sequence, between letters, at the start and at the end. */
static void with_every_value(try try_value)
{
    static const char *const around[][2] = {{"a", "z"}, {"", "z"}, {"a", ""}, {"", ""}};

    for (unsigned i = 0; i < G_N_ELEMENTS(around); i++) {
        for (int byte = 1; byte < 256; byte++) {
            g_autofree char *value = g_strdup_printf("%s%c%s", around[i][0], byte, around[i][1]);
            try_value(value);
        }
        for (unsigned n = 0; n < G_N_ELEMENTS(sequences); n++) {
            g_autofree char *value = g_strdup_printf("%s%s%s", around[i][0], sequences[n], around[i][1]);
            try_value(value);
        }
    }
}

/* ---- the log */

static void assert_ascii_line(const char *line)
{
    for (const char *byte = line; *byte != '\0'; byte++)
        if (*byte < ' ' || *byte > '~')
            g_error("the byte %02x in a line: %s", (unsigned char)*byte, line);
}

/* "queue-id: name name text": the names of a line of the log, as a program reads them that knows the form. */
static char *names_of(const char *line)
{
    g_autoptr(GString) names = g_string_new(NULL);
    const char *at = strstr(line, ": ");

    g_assert_nonnull(at);
    g_assert_true(memchr(line, ' ', (size_t)(at - line)) == NULL);
    for (at++; *at != '\0';) {
        g_assert_cmpint(*at++, ==, ' ');
        size_t name = strcspn(at, "= ");
        g_assert_cmpint(at[name], ==, '=');
        g_string_append_printf(names, "%.*s ", (int)name, at);
        at += name + 1;
        if (*at == '"') {
            at = strchr(at + 1, '"');
            g_assert_nonnull(at);
            at++;
        } else {
            g_assert_cmpint(at[0], !=, ' ');
            at += strcspn(at, " ");
        }
    }
    return g_strdup(names->str);
}

/* The members' names of the object that a line is, with the value of one of them. */
static char *members_of(const char *line, const char *name, char **value)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) names = g_string_new(NULL);

    json_parser_load_from_data(parser, line, -1, &error);
    g_assert_no_error(error);
    JsonObject *object = json_node_get_object(json_parser_get_root(parser));
    g_autoptr(GList) members = json_object_get_members(object);
    for (GList *each = members; each != NULL; each = each->next)
        g_string_append_printf(names, "%s ", (char *)each->data);
    if (JSON_NODE_HOLDS_ARRAY(json_object_get_member(object, name)))
        *value = g_strdup(json_array_get_string_element(json_object_get_array_member(object, name), 0));
    else
        *value = g_strdup(json_object_get_string_member(object, name));
    return g_strdup(names->str);
}

/* Whether two values are the same to who reads JSON, as far as there is room: what is no UTF-8 is U+FFFD. */
static void assert_same(const char *got, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    if (g_str_has_suffix(got, "..."))
        g_assert_true(strncmp(got, valid, strlen(got) - 3) == 0);
    else
        g_assert_cmpstr(got, ==, valid);
}

/* An entry with the value in one field is a line of the same form as that with another one; JSON keeps the value. */
static void check_entry(const struct entry *entry, const struct entry *harmless, const char *name, const char *value)
{
    g_autoptr(GString) line = g_string_new(NULL), want = g_string_new(NULL);
    g_autoptr(GString) json = g_string_new(NULL), want_json = g_string_new(NULL);
    g_autofree char *member = NULL, *other = NULL;

    entry_line(line, entry);
    entry_line(want, harmless);
    assert_ascii_line(line->str);
    g_autofree char *names = names_of(line->str), *want_names = names_of(want->str);
    g_assert_cmpstr(names, ==, want_names);

    entry_json(json, entry);
    entry_json(want_json, harmless);
    assert_ascii_line(json->str);
    g_assert_null(strchr(json->str, '='));
    g_autofree char *members = members_of(json->str, name, &member);
    g_autofree char *want_members = members_of(want_json->str, name, &other);
    g_assert_cmpstr(members, ==, want_members);
    /* A Message-ID is shown without what is around it. */
    if (strcmp(name, "msgid") != 0)
        assert_same(member, value);

    /* As the journal gets it. */
    for (unsigned i = 0; i < entry->count; i++) {
        g_autoptr(GString) one = g_string_new(NULL);
        entry_append_value(one, &entry->facts[i], 0);
        assert_ascii_line(one->str);
    }
}

static struct report verdict_with(const char *name, const char *value, GPtrArray *would)
{
    struct report report = {
        .queue_id = "4XyZ1234",
        .disposition = DISPOSITION_QUARANTINE,
        .rule = "wide-cc",
        .would = would,
        .policy = "3f9a1c2b7d10",
        .client = "10.1.2.3",
        .user = "care",
        .sender = "care@corp.example",
        .msgid = "<17@corp.example>",
        .text = "wide Cc: 62 addresses",
    };
    const struct {
        const char *name, **place;
    } fields[] = {{"queue_id", &report.queue_id}, {"rule", &report.rule},     {"client", &report.client},
                  {"user", &report.user},         {"sender", &report.sender}, {"msgid", &report.msgid},
                  {"text", &report.text}};

    g_ptr_array_set_size(would, 0);
    g_ptr_array_add(would, (gpointer)(strcmp(name, "would") == 0 ? value : "reject:trial"));
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            *fields[i].place = value;
    return report;
}

static void try_verdict(const char *value)
{
    static const char *const names[] = {"queue_id", "rule", "client", "user", "sender", "msgid", "text", "would"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GPtrArray) would = g_ptr_array_new(), other = g_ptr_array_new();
        struct report report = verdict_with(names[i], value, would), harmless = verdict_with(names[i], "x", other);
        struct entry entry, want;
        report_entry(&entry, &report);
        report_entry(&want, &harmless);
        check_entry(&entry, &want, names[i], value);
    }
}

static struct report_decision decision_with(const char *name, const char *value)
{
    struct report_decision decision = {
        .queue_id = "4XyZ1234",
        .action = "release",
        .login = "ann",
        .uid = 1000,
        .requeued = "4XyZ1235",
        .rule = "wide-cc",
        .sender = "care@corp.example",
        .msgid = "<17@corp.example>",
        .reason = "asked the sender",
    };
    const struct {
        const char *name, **place;
    } fields[] = {{"queue_id", &decision.queue_id}, {"by", &decision.login},      {"requeued", &decision.requeued},
                  {"rule", &decision.rule},         {"sender", &decision.sender}, {"msgid", &decision.msgid},
                  {"reason", &decision.reason}};

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            *fields[i].place = value;
    return decision;
}

static void try_decision(const char *value)
{
    static const char *const names[] = {"queue_id", "by", "requeued", "rule", "sender", "msgid", "reason"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        struct report_decision decision = decision_with(names[i], value), harmless = decision_with(names[i], "x");
        struct entry entry, want;
        report_decision_entry(&entry, &decision);
        report_decision_entry(&want, &harmless);
        check_entry(&entry, &want, names[i], value);
    }
}

/* Lines that are about no message: an error that quotes a file or a policy. */
static void try_message(const char *value)
{
    struct entry entry = {.kind = ENTRY_DIAGNOSTIC, .message = value};
    g_autoptr(GString) json = g_string_new(NULL);
    g_autofree char *message = NULL;

    entry_json(json, &entry);
    assert_ascii_line(json->str);
    g_autofree char *members = members_of(json->str, "message", &message);
    g_assert_cmpstr(members, ==, "event level message ");
    assert_same(message, value);
}

/* ---- terminals, and what else a person reads */

/* Of one line: nothing that moves a cursor, hides text, or turns its direction. */
static void assert_shown_line(const char *text)
{
    g_assert_true(g_utf8_validate(text, -1, NULL));
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        GUnicodeType type = g_unichar_type(c);
        if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
            type == G_UNICODE_PARAGRAPH_SEPARATOR || type == G_UNICODE_SURROGATE || type == G_UNICODE_UNASSIGNED)
            g_error("U+%04X in a line: %s", c, text);
    }
}

static void try_terminal(const char *value)
{
    g_autoptr(GString) plain = g_string_new(NULL), within = g_string_new(NULL), wrapped = g_string_new(NULL);

    terminal_append_plain(plain, value);
    assert_shown_line(plain->str);
    terminal_append_within(within, value, 5);
    assert_shown_line(within->str);
    /* A wrapped text has lines of its own: the next ones are indented, so that none looks like one of ours. */
    terminal_append_wrapped(wrapped, value, 4, 20);
    g_auto(GStrv) lines = g_strsplit(wrapped->str, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        assert_shown_line(lines[i]);
        g_assert_true(i == 0 || g_str_has_prefix(lines[i], "    "));
    }
}

static void try_texts(const char *value)
{
    g_autofree char *reply = text_reply(value);
    g_autofree char *printable = text_printable(value, 1000);
    g_autoptr(GString) cut = g_string_new(NULL);

    assert_ascii_line(reply);
    assert_shown_line(printable);
    text_append_cut(cut, value, TEXT_VALUE_LIMIT);
    assert_shown_line(cut->str);
    g_autofree char *letter = letter_line(value);
    assert_shown_line(letter);
}

static void test_verdict(void)
{
    with_every_value(try_verdict);
}

static void test_decision(void)
{
    with_every_value(try_decision);
}

static void test_message(void)
{
    with_every_value(try_message);
}

static void test_terminal(void)
{
    with_every_value(try_terminal);
}

static void test_texts(void)
{
    with_every_value(try_texts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/every-byte/verdict", test_verdict);
    g_test_add_func("/every-byte/decision", test_decision);
    g_test_add_func("/every-byte/message", test_message);
    g_test_add_func("/every-byte/terminal", test_terminal);
    g_test_add_func("/every-byte/texts", test_texts);
    return g_test_run();
}
