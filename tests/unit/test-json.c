/* test-json - lines that are JSON for a program and harmless for a terminal */

#include "policy/cli/json.h"
#include "unit.h"

static char *line_of(const char *value)
{
    GString *out = g_string_new(NULL);
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    json_string(json, "a", value);
    json_number(json, "b", -7);
    json_boolean(json, "c", true);
    json_builder_end_object(json);
    json_append_line(out, json);
    return g_string_free(out, FALSE);
}

static void test_line(void)
{
    g_autofree char *line = line_of("x \"y\" \\");
    g_assert_cmpstr(line, ==, "{\"a\":\"x \\\"y\\\" \\\\\",\"b\":-7,\"c\":true}\n");
    g_autofree char *none = line_of(NULL);
    g_assert_cmpstr(none, ==, "{\"a\":null,\"b\":-7,\"c\":true}\n");
}

/* Each value comes back as it was, and nothing on the line is more than text. */
static void test_harmless(void)
{
    static const struct {
        const char *value, *written;
    } cases[] = {
        {"\033[2J\007\r\n\t", "\\u001b[2J\\u0007\\r\\n\\t"},
        {"\302\233"
         "1m\177",
         "\\u009b1m\\u007f"},                                 /* C1 */
        {"a\342\200\256b\342\200\250c", "a\\u202eb\\u2028c"}, /* directions, lines */
        {"\357\273\277", "\\ufeff"},
        {"\363\240\200\201", "\\udb40\\udc01"}, /* a tag, beyond the basic plane */
        {"Gr\303\274\303\237e \360\237\230\200", "Gr\303\274\303\237e \360\237\230\200"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = line_of(cases[i].value);
        g_autofree char *wanted = g_strdup_printf("{\"a\":\"%s\",\"b\":-7,\"c\":true}\n", cases[i].written);
        g_assert_cmpstr(line, ==, wanted);
        g_autoptr(JsonParser) parser = json_parser_new();
        g_assert_true(json_parser_load_from_data(parser, line, -1, NULL));
        JsonObject *object = json_node_get_object(json_parser_get_root(parser));
        g_assert_cmpstr(json_object_get_string_member(object, "a"), ==, cases[i].value);
    }
}

/* Each byte of ASCII, DEL and C1: one line without control characters, and the value comes back. */
static void test_every_character(void)
{
    for (gunichar c = 1; c < 0x100; c++) {
        g_autoptr(GString) value = g_string_new("a");
        g_string_append_unichar(value, c);
        g_autofree char *line = line_of(value->str);
        for (const char *p = line; p[1] != '\0'; p = g_utf8_next_char(p))
            g_assert_false(g_unichar_iscntrl(g_utf8_get_char(p)));
        g_autoptr(JsonParser) parser = json_parser_new();
        g_assert_true(json_parser_load_from_data(parser, line, -1, NULL));
        JsonObject *object = json_node_get_object(json_parser_get_root(parser));
        g_assert_cmpstr(json_object_get_string_member(object, "a"), ==, value->str);
    }
}

static void test_not_utf8(void)
{
    g_autofree char *line = line_of("a\377b");
    g_assert_cmpstr(line, ==, "{\"a\":\"a\357\277\275b\",\"b\":-7,\"c\":true}\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/line", test_line);
    g_test_add_func("/json/harmless", test_harmless);
    g_test_add_func("/json/every-character", test_every_character);
    g_test_add_func("/json/not-utf8", test_not_utf8);
    return g_test_run();
}
