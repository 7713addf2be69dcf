/* test-log-fields - the log line: exact form, bounds, and what strangers write */

#include "milter/log/log_fields.h"

#include "policy/exposure/exposure.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <syslog.h>

/* The example of the documentation. */
static struct report example(void)
{
    return (struct report){
        .queue_id = "4XyZ1234",
        .disposition = DISPOSITION_QUARANTINE,
        .rule = "wide-cc",
        .counts.visible = 62,
        .counts.parties = 41,
        .counts.domains = 17,
        .counts.internal = 3,
        .policy = "3f9a1c2b7d10ffffffffffffffffffff",
        .client = "10.1.2.3",
        .user = "care",
        .sender = "care@corp.example",
        .msgid = "<17@corp.example>",
        .text = "wide Cc: 62 addresses",
    };
}

static char *line_of(const struct report *report)
{
    GString *line = g_string_new(NULL);
    struct report copy = *report;
    struct entry entry;
    report_entry(&entry, &copy);
    entry_line(line, &entry);
    return g_string_free(line, FALSE);
}

/* The value of one field of the line, up to the blank behind it. */
static char *field_of(const struct report *report, const char *name)
{
    g_autofree char *line = line_of(report);
    g_autofree char *lead = g_strdup_printf(" %s=", name);
    const char *start = strstr(line, lead);
    g_assert_nonnull(start);
    start += strlen(lead);
    return g_strndup(start, strcspn(start, " "));
}

static char *text_of(const struct report *report)
{
    g_autofree char *line = line_of(report);
    const char *start = strstr(line, " text=\"");
    g_assert_nonnull(start);
    start += strlen(" text=\"");
    g_assert_true(g_str_has_suffix(start, "\""));
    return g_strndup(start, strlen(start) - 1);
}

static void test_line(void)
{
    struct report report = example();
    g_autofree char *line = line_of(&report);
    g_assert_cmpstr(line, ==,
                    "4XyZ1234: verdict=quarantine rule=wide-cc would=- visible=62 parties=41 domains=17 internal=3 "
                    "hidden=0 defects=none policy=3f9a1c2b7d10 client=10.1.2.3 user=care sender=care@corp.example "
                    "msgid=17@corp.example text=\"wide Cc: 62 addresses\"");
}

static void test_empty(void)
{
    struct report report = {.disposition = DISPOSITION_ACCEPT, .rule = "default", .policy = "", .sender = ""};
    g_autofree char *line = line_of(&report);
    g_assert_cmpstr(line, ==,
                    "NOQUEUE: verdict=accept rule=default would=- visible=0 parties=0 domains=0 internal=0 hidden=0 "
                    "defects=none policy= client=- user=- sender=- msgid=- text=\"-\"");
}

static void test_lists(void)
{
    g_autoptr(GPtrArray) would = g_ptr_array_new();
    g_ptr_array_add(would, (gpointer) "reject:trial");
    struct report report = example();
    report.would = would;
    g_autofree char *one = field_of(&report, "would");
    g_assert_cmpstr(one, ==, "reject:trial");
    g_ptr_array_add(would, (gpointer) "fault:other");
    g_autofree char *two = field_of(&report, "would");
    g_assert_cmpstr(two, ==, "reject:trial,fault:other");

    report.counts.defects = DEFECT_SYNTAX | DEFECT_LIMIT | DEFECT_UNPARSED | DEFECT_CUT;
    g_autofree char *all = field_of(&report, "defects");
    g_assert_cmpstr(all, ==, "syntax,limit,unparsed,cut");
    report.counts.defects = DEFECT_CUT;
    g_autofree char *last = field_of(&report, "defects");
    g_assert_cmpstr(last, ==, "cut");
}

/* A list that is too long ends with a whole item and says that more matched. */
static void test_long_list(void)
{
    g_autoptr(GPtrArray) would = g_ptr_array_new();
    for (int i = 0; i < 40; i++)
        g_ptr_array_add(would, (gpointer) "quarantine:a-rule-with-a-name");
    struct report report = example();
    report.would = would;
    g_autofree char *list = field_of(&report, "would");
    g_assert_cmpuint(strlen(list), <=, 160);
    g_auto(GStrv) items = g_strsplit(list, ",", -1);
    guint count = g_strv_length(items);
    g_assert_cmpuint(count, >, 3);
    for (guint i = 0; i + 1 < count; i++)
        g_assert_cmpstr(items[i], ==, "quarantine:a-rule-with-a-name");
    g_assert_cmpstr(items[count - 1], ==, "...");
}

/* Each byte in a value: it stands, or is \xHH; nothing else, and it can be undone. */
static void test_every_byte(void)
{
    for (int byte = 1; byte < 256; byte++) {
        const char value[] = {'a', (char)byte, 'z', '\0'};
        bool stands = byte >= 0x21 && byte <= 0x7E && strchr("\"<>,=\\", byte) == NULL;
        g_autofree char *want = stands ? g_strdup_printf("a%cz", byte) : g_strdup_printf("a\\x%02Xz", (unsigned)byte);
        struct report report = example();
        report.sender = value;
        report.user = value;
        g_autofree char *sender = field_of(&report, "sender");
        g_autofree char *user = field_of(&report, "user");
        g_assert_cmpstr(sender, ==, want);
        g_assert_cmpstr(user, ==, want);

        report.text = value;
        g_autofree char *text = text_of(&report);
        g_assert_cmpstr(text, ==, byte == ' ' ? "a z" : want);
    }
}

static void test_nothing_is_forged(void)
{
    struct report report = example();
    report.sender = "\"x verdict=accept\"@corp.example";
    report.msgid = "<a\r\n4XyZ9: verdict=accept>";
    report.text = "\" rule=none\n\033[2J";
    g_autofree char *line = line_of(&report);
    g_assert_null(strstr(strstr(line, "verdict=") + 1, "verdict="));
    g_assert_null(strpbrk(line, "\r\n\033"));
    g_autofree char *sender = field_of(&report, "sender");
    g_assert_cmpstr(sender, ==, "\\x22x\\x20verdict\\x3Daccept\\x22@corp.example");
}

static void test_dash(void)
{
    struct report report = example();
    report.user = "-";
    report.text = "-";
    g_autofree char *user = field_of(&report, "user");
    g_autofree char *text = text_of(&report);
    g_assert_cmpstr(user, ==, "\\x2D");
    g_assert_cmpstr(text, ==, "\\x2D");
    report.user = "--";
    g_autofree char *two = field_of(&report, "user");
    g_assert_cmpstr(two, ==, "--");
}

static void test_msgid(void)
{
    static const struct {
        const char *value;
        const char *want;
    } cases[] = {
        {NULL, "-"},
        {"", "-"},
        {"  \r\n\t ", "-"},
        {"<>", "-"},
        {" <17@x.example>\r\n", "17@x.example"},
        {"\r\n\t<17@x.example> (comment)", "17@x.example"},
        {"17@x.example ", "17@x.example"},
        {"<17@x", "\\x3C17@x"},
        {"<-> ", "\\x2D"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct report report = example();
        report.msgid = cases[i].value;
        g_autofree char *msgid = field_of(&report, "msgid");
        g_assert_cmpstr(msgid, ==, cases[i].want);
    }
}

/* Whether the last escape of a cut value is whole. */
static void assert_whole_escapes(const char *value)
{
    for (const char *at = value; (at = strchr(at, '\\')) != NULL; at += 4) {
        g_assert_cmpint(at[1], ==, 'x');
        g_assert_true(g_ascii_isxdigit(at[2]) && g_ascii_isxdigit(at[3]));
    }
}

/* All that can follow the text, as long as can be. */
static void add_after_text(struct report *report)
{
    static const char *const opaque[] = {"encrypted", "limits", "broken", "types"};
    report->window_count = REPORT_WINDOWS;
    for (unsigned i = 0; i < REPORT_WINDOWS; i++) {
        memset(report->windows[i], 'w', REPORT_WINDOW_SIZE - 1);
        report->window_names[i] = report->windows[i];
    }
    report->known = "yes";
    report->overridden = true;
    report->shows = true;
    report->inside_count = INSIDE_PLACES;
    for (unsigned i = 0; i < INSIDE_PLACES; i++) {
        g_snprintf(report->inside_items[i], INSIDE_ITEM_SIZE, "%s:%u/%u", inside_place_name(i), G_MAXUINT, G_MAXUINT);
        report->inside_names[i] = report->inside_items[i];
    }
    report->opaque_count = G_N_ELEMENTS(opaque);
    memcpy(report->opaque_names, opaque, sizeof opaque);
}

/* Everything as long as can be, of bytes that need escapes and of bytes that do not, at every offset of the cut. */
static void test_bounds(void)
{
    for (unsigned shift = 0; shift < 8; shift++) {
        for (int kind = 0; kind < 2; kind++) {
            g_autofree char *filler = g_strnfill(5000, kind == 0 ? 'a' : '\n');
            memset(filler, 'b', shift);
            g_autoptr(GPtrArray) would = g_ptr_array_new();
            for (int i = 0; i < 100; i++)
                g_ptr_array_add(would, filler);
            struct report report = {
                .queue_id = filler,
                .disposition = DISPOSITION_QUARANTINE,
                .rule = filler,
                .would = would,
                .counts.visible = G_MAXUINT32,
                .counts.parties = G_MAXUINT32,
                .counts.domains = G_MAXUINT32,
                .counts.internal = G_MAXUINT32,
                .counts.hidden = G_MAXUINT32,
                .counts.defects = DEFECT_SYNTAX | DEFECT_LIMIT | DEFECT_UNPARSED | DEFECT_CUT,
                .policy = "3f9a1c2b7d10ff",
                .client = filler,
                .user = filler,
                .sender = filler,
                .msgid = filler,
                .text = filler,
            };
            g_autofree char *line = line_of(&report);
            g_assert_cmpuint(strlen(line), <=, ENTRY_LINE_LIMIT);
            g_assert_cmpuint(strlen(line), >, ENTRY_LINE_LIMIT - 4);
            g_autofree char *text = text_of(&report);
            g_autofree char *sender = field_of(&report, "sender");
            g_assert_true(g_str_has_suffix(text, "..."));
            g_assert_true(g_str_has_suffix(sender, "..."));
            g_assert_cmpuint(strlen(text), >=, 40);
            assert_whole_escapes(text);
            assert_whole_escapes(sender);
            g_assert_nonnull(strstr(line, " visible=4294967295 "));

            struct report longest = report;
            add_after_text(&longest);
            g_autofree char *full = line_of(&longest);
            g_assert_cmpuint(strlen(full), <=, ENTRY_LINE_LIMIT);
            g_assert_nonnull(strstr(full, " known=yes override=yes inside=calendar:4294967295/4294967295,"));
            g_assert_true(g_str_has_suffix(full, " opaque=encrypted,limits,broken,types"));
        }
    }
}

static void test_inside(void)
{
    struct report report = example();
    report.shows = true;
    g_autofree char *none = line_of(&report);
    g_assert_true(g_str_has_suffix(none, "\" inside=none"));
    report.inside_count = 2;
    report.inside_names[0] = "calendar:45/43";
    report.inside_names[1] = "header:3/3";
    report.opaque_count = 1;
    report.opaque_names[0] = "types";
    g_autofree char *some = line_of(&report);
    g_assert_true(g_str_has_suffix(some, "\" inside=calendar:45/43,header:3/3 opaque=types"));
}

/* A long text is cut and nothing else is. */
static void test_text_is_cut_first(void)
{
    g_autofree char *filler = g_strnfill(5000, 'a');
    const char *sender = "sender@corp.example";
    struct report report = example();
    report.text = filler;
    report.sender = sender;
    g_autofree char *line = line_of(&report);
    g_assert_cmpuint(strlen(line), ==, ENTRY_LINE_LIMIT);
    g_assert_true(g_str_has_suffix(line, "a...\""));
    g_autofree char *got = field_of(&report, "sender");
    g_assert_cmpstr(got, ==, sender);
}

/* What comes after the text has its room, as later versions add it. */
static void test_after_text(void)
{
    g_autofree char *filler = g_strnfill(5000, 'a');
    struct entry entry = {.kind = ENTRY_VERDICT, .queue_id = "4Xy"};
    entry_plain(&entry, "verdict", "accept", 6);
    entry_text(&entry, "text", filler);
    entry_value(&entry, "listener", "smtpd", 5, 46);
    entry_number(&entry, "port", 587);
    g_autoptr(GString) line = g_string_new(NULL), json = g_string_new(NULL);
    entry_line(line, &entry);
    entry_json(json, &entry);
    g_assert_cmpuint(line->len, <=, ENTRY_LINE_LIMIT);
    g_assert_cmpuint(line->len, >, ENTRY_LINE_LIMIT - 6);
    g_assert_true(g_str_has_suffix(line->str, "aaa...\" listener=smtpd port=587"));
    g_assert_cmpuint(json->len, <=, ENTRY_LINE_LIMIT);
    g_assert_cmpuint(json->len, >, ENTRY_LINE_LIMIT - 6);
    g_assert_true(g_str_has_suffix(json->str, "aaa...\",\"listener\":\"smtpd\",\"port\":587}"));
}

/* A value that just fits is not cut. */
static void test_value_that_just_fits(void)
{
    struct report report = example();
    g_autofree char *fits = g_strnfill(64, 'u');
    g_autofree char *over = g_strnfill(65, 'u');
    report.user = fits;
    g_autofree char *whole = field_of(&report, "user");
    g_assert_cmpstr(whole, ==, fits);
    report.user = over;
    g_autofree char *cut = field_of(&report, "user");
    g_assert_cmpuint(strlen(cut), ==, 64);
    g_assert_true(g_str_has_suffix(cut, "u..."));
}

/* ---- JSON */

static char *json_of(const struct report *report)
{
    GString *line = g_string_new(NULL);
    struct report copy = *report;
    struct entry entry;
    report_entry(&entry, &copy);
    entry_json(line, &entry);
    return g_string_free(line, FALSE);
}

/* The members of the one object that a line is: by a parser of others. */
static JsonObject *object_of(const char *line)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    g_assert_cmpuint(strlen(line), <=, ENTRY_LINE_LIMIT);
    for (const char *byte = line; *byte != '\0'; byte++)
        g_assert_true(*byte >= ' ' && *byte <= '~');
    json_parser_load_from_data(parser, line, -1, &error);
    g_assert_no_error(error);
    return json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

static void test_json(void)
{
    const char *const would[] = {"reject:trial", "tag:other"};
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    struct report report = example();
    g_autofree char *line = json_of(&report);
    g_assert_cmpstr(
        line, ==,
        "{\"queue_id\":\"4XyZ1234\",\"verdict\":\"quarantine\",\"rule\":\"wide-cc\",\"would\":[],\"visible\":62,"
        "\"parties\":41,\"domains\":17,\"internal\":3,\"hidden\":0,\"defects\":[],\"policy\":\"3f9a1c2b7d10\","
        "\"client\":\"10.1.2.3\",\"user\":\"care\",\"sender\":\"care@corp.example\","
        "\"msgid\":\"17@corp.example\",\"text\":\"wide Cc: 62 addresses\"}");
    g_ptr_array_add(list, (gpointer)would[0]);
    g_ptr_array_add(list, (gpointer)would[1]);
    report = (struct report){.disposition = DISPOSITION_ACCEPT,
                             .rule = "default",
                             .policy = "",
                             .sender = "",
                             .would = list,
                             .counts.defects = DEFECT_SYNTAX | DEFECT_CUT};
    g_autofree char *bare = json_of(&report);
    g_assert_cmpstr(
        bare, ==,
        "{\"queue_id\":\"NOQUEUE\",\"verdict\":\"accept\",\"rule\":\"default\","
        "\"would\":[\"reject:trial\",\"tag:other\"],\"visible\":0,\"parties\":0,\"domains\":0,\"internal\":0,"
        "\"hidden\":0,\"defects\":[\"syntax\",\"cut\"],\"policy\":\"\",\"client\":\"\",\"user\":\"\","
        "\"sender\":\"\",\"msgid\":\"\",\"text\":\"\"}");
}

/* Each character comes out of the parser as it went in; what is no UTF-8 as U+FFFD; nothing looks like name=value. */
static void test_json_characters(void)
{
    const char *const cases[][2] = {
        {"a\"b\\c/d", "a\"b\\c/d"},
        {"\n\r\t\x01\x1b[2J\x7f", "\n\r\t\x01\x1b[2J\x7f"},
        {"\xc3\xbc \xe2\x82\xac", "\xc3\xbc \xe2\x82\xac"},
        {"\xf0\x9f\x93\xa7", "\xf0\x9f\x93\xa7"},
        {"\xe2\x80\xae\xe2\x80\xa8", "\xe2\x80\xae\xe2\x80\xa8"},
        {"a\xff\xc3", "a\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"x verdict=accept <y>", "x verdict=accept <y>"},
        {"-", "-"},
        {"\",\"verdict\":\"accept", "\",\"verdict\":\"accept"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct report report = example();
        report.user = report.sender = report.text = cases[i][0];
        g_autofree char *line = json_of(&report);
        g_autoptr(JsonObject) object = object_of(line);
        g_assert_cmpuint(json_object_get_size(object), ==, 16);
        g_assert_null(strchr(line, '='));
        g_assert_cmpstr(json_object_get_string_member(object, "verdict"), ==, "quarantine");
        static const char *const names[] = {"user", "sender", "text"};
        for (unsigned n = 0; n < G_N_ELEMENTS(names); n++)
            g_assert_cmpstr(json_object_get_string_member(object, names[n]), ==, cases[i][1]);
    }
}

/* All that can be long is too long, with each width of an escape: still one whole object, with some text. */
static void test_json_bounds(void)
{
    static const char *const units[] = {"x", "\"", "\n", "\xff", "\xf0\x9f\x93\xa7"};
    for (unsigned unit = 0; unit < G_N_ELEMENTS(units); unit++) {
        g_autoptr(GString) filler = g_string_new(NULL);
        g_autoptr(GPtrArray) would = g_ptr_array_new();
        for (unsigned i = 0; i < 2000; i++)
            g_string_append(filler, units[unit]);
        for (unsigned i = 0; i < 40; i++)
            g_ptr_array_add(would, (gpointer) "quarantine:a-rule-with-a-name");
        for (unsigned shift = 0; shift < 12; shift++) {
            struct report report = {.queue_id = filler->str,
                                    .disposition = DISPOSITION_QUARANTINE,
                                    .rule = filler->str,
                                    .would = would,
                                    .counts.visible = G_MAXUINT,
                                    .counts.parties = G_MAXUINT,
                                    .counts.domains = G_MAXUINT,
                                    .counts.internal = G_MAXUINT,
                                    .counts.hidden = G_MAXUINT,
                                    .counts.defects = DEFECT_SYNTAX | DEFECT_LIMIT | DEFECT_UNPARSED | DEFECT_CUT,
                                    .policy = "3f9a1c2b7d10ffff",
                                    .client = filler->str,
                                    .user = filler->str,
                                    .sender = filler->str,
                                    .msgid = filler->str,
                                    .text = filler->str};
            g_autofree char *shifted = g_strdup_printf("%.*s%s", (int)shift, "abcdefghijkl", filler->str);
            report.sender = shifted;
            g_autofree char *line = json_of(&report);
            g_autoptr(JsonObject) object = object_of(line);
            g_assert_cmpuint(json_object_get_size(object), ==, 16);
            g_assert_cmpint(json_object_get_int_member(object, "hidden"), ==, G_MAXUINT);
            const char *text = json_object_get_string_member(object, "text");
            g_assert_true(g_str_has_suffix(text, "..."));
            g_assert_true(g_str_has_suffix(json_object_get_string_member(object, "sender"), "..."));
            if (unit == 0)
                g_assert_cmpuint(strlen(text), >=, 50);
            struct report longest = report;
            add_after_text(&longest);
            g_autofree char *full = json_of(&longest);
            g_autoptr(JsonObject) all = object_of(full);
            g_assert_cmpuint(json_object_get_size(all), ==, 21);
            JsonArray *list = json_object_get_array_member(object, "would");
            guint count = json_array_get_length(list);
            g_assert_cmpuint(count, >=, 3);
            g_assert_cmpstr(json_array_get_string_element(list, 0), ==, "quarantine:a-rule-with-a-name");
            g_assert_cmpstr(json_array_get_string_element(list, count - 1), ==, "...");
        }
    }
}

/* A line that is about no message: its words last, and those are what is cut. */
static void test_json_event(void)
{
    struct entry entry = {.kind = ENTRY_SUMMARY, .priority = LOG_INFO, .message = "judged=1 \"x\"\n"};
    g_autoptr(GString) line = g_string_new(NULL);
    entry_number(&entry, "not-outbound", G_MAXUINT64);
    entry_json(line, &entry);
    g_assert_cmpstr(line->str, ==,
                    "{\"event\":\"summary\",\"level\":\"info\",\"not_outbound\":18446744073709551615,"
                    "\"message\":\"judged\\u003d1 \\\"x\\\"\\u000a\"}");
    g_autofree char *filler = g_strnfill(5000, '\n');
    entry.message = filler;
    g_string_truncate(line, 0);
    entry_json(line, &entry);
    g_autoptr(JsonObject) object = object_of(line->str);
    g_assert_cmpuint(line->len, >, ENTRY_LINE_LIMIT - 6);
    g_assert_true(g_str_has_suffix(json_object_get_string_member(object, "message"), "..."));
}

/* What a line tells of decides of its kind and of its priority; each kind has an id of its own. */
static void test_kinds(void)
{
    static const struct {
        const char *rule;
        enum entry_kind kind;
        int priority;
    } cases[] = {{"default", ENTRY_VERDICT, LOG_INFO},
                 {"faults", ENTRY_VERDICT, LOG_INFO},
                 {"fault:slow", ENTRY_FAULT, LOG_INFO},
                 {"error:wide-cc", ENTRY_ERROR, LOG_ERR}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct report report = example();
        struct entry entry;
        report.rule = cases[i].rule;
        report_entry(&entry, &report);
        g_assert_cmpint(entry.kind, ==, cases[i].kind);
        g_assert_cmpint(entry.priority, ==, cases[i].priority);
    }
    for (unsigned i = 0; i < ENTRY_KINDS; i++) {
        g_assert_cmpuint(strlen(entry_kind_id((enum entry_kind)i)), ==, 32);
        for (unsigned other = 0; other < i; other++) {
            g_assert_cmpstr(entry_kind_id((enum entry_kind)i), !=, entry_kind_id((enum entry_kind)other));
            g_assert_cmpstr(entry_kind_name((enum entry_kind)i), !=, entry_kind_name((enum entry_kind)other));
        }
    }
}

/* ---- decisions */

static char *decision_line(const struct report_decision *decision)
{
    GString *line = g_string_new(NULL);
    struct entry entry;
    report_decision_entry(&entry, decision);
    entry_line(line, &entry);
    return g_string_free(line, FALSE);
}

static void test_decision(void)
{
    const struct report_decision decision = {
        .queue_id = "4XyZ1234",
        .action = "release",
        .login = "ann",
        .uid = 1001,
        .requeued = "4XyZ9999",
        .rule = "wide-cc",
        .sender = "care@corp.example",
        .msgid = "<17@corp.example>",
        .reason = "asked the sender; all are partners",
    };
    g_autofree char *line = decision_line(&decision);
    g_assert_cmpstr(line, ==,
                    "4XyZ1234: decision=release by=ann uid=1001 requeued=4XyZ9999 rule=wide-cc "
                    "sender=care@corp.example msgid=17@corp.example reason=\"asked the sender; all are partners\"");
    const struct report_decision bare = {.action = "delete"};
    g_autofree char *short_one = decision_line(&bare);
    g_assert_cmpstr(short_one, ==,
                    "NOQUEUE: decision=delete by=- uid=0 requeued=- rule=- sender=- msgid=- reason=\"-\"");
}

/* What a reviewer or a sender wrote forges no field and no line, and is bounded. */
static void test_decision_bounds(void)
{
    g_autofree char *long_one = g_strnfill(5000, 'x');
    const struct report_decision decision = {
        .queue_id = "A B: verdict=accept",
        .action = "release",
        .login = "ann uid=0",
        .requeued = long_one,
        .rule = long_one,
        .sender = "a\nb\" reason=\"no",
        .msgid = long_one,
        .reason = "x\"\n4XyZ: decision=delete \033[2J",
    };
    g_autofree char *line = decision_line(&decision);
    g_assert_cmpuint(strlen(line), <=, ENTRY_LINE_LIMIT);
    for (const char *byte = line; *byte != '\0'; byte++)
        g_assert_true(*byte >= ' ' && *byte <= '~');
    g_assert_nonnull(strstr(line, " by=ann\\x20uid\\x3D0 uid=0 "));
    g_assert_nonnull(strstr(line, " sender=a\\x0Ab\\x22\\x20reason\\x3D\\x22no "));
    g_assert_true(g_str_has_suffix(line, " reason=\"x\\x22\\x0A4XyZ: decision\\x3Ddelete \\x1B[2J\""));

    const struct report_decision wordy = {.action = "release", .login = "ann", .reason = long_one};
    g_autofree char *cut = decision_line(&wordy);
    g_assert_cmpuint(strlen(cut), <=, ENTRY_LINE_LIMIT);
    g_assert_true(g_str_has_suffix(cut, "...\""));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/line", test_line);
    g_test_add_func("/report/empty", test_empty);
    g_test_add_func("/report/lists", test_lists);
    g_test_add_func("/report/long-list", test_long_list);
    g_test_add_func("/report/every-byte", test_every_byte);
    g_test_add_func("/report/nothing-is-forged", test_nothing_is_forged);
    g_test_add_func("/report/dash", test_dash);
    g_test_add_func("/report/msgid", test_msgid);
    g_test_add_func("/report/bounds", test_bounds);
    g_test_add_func("/report/text-is-cut-first", test_text_is_cut_first);
    g_test_add_func("/report/after-text", test_after_text);
    g_test_add_func("/report/inside", test_inside);
    g_test_add_func("/report/value-that-just-fits", test_value_that_just_fits);
    g_test_add_func("/report/decision", test_decision);
    g_test_add_func("/report/decision-bounds", test_decision_bounds);
    g_test_add_func("/report/json", test_json);
    g_test_add_func("/report/json-characters", test_json_characters);
    g_test_add_func("/report/json-bounds", test_json_bounds);
    g_test_add_func("/report/json-event", test_json_event);
    g_test_add_func("/report/kinds", test_kinds);
    return g_test_run();
}
