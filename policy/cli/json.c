/* json - see json.h */

#include "policy/cli/json.h"

#include "policy/base/unicode.h"

void json_string(JsonBuilder *json, const char *key, const char *value)
{
    g_autofree char *valid = value == NULL ? NULL : g_utf8_make_valid(value, -1);

    json_builder_set_member_name(json, key);
    if (valid == NULL)
        json_builder_add_null_value(json);
    else
        json_builder_add_string_value(json, valid);
}

void json_number(JsonBuilder *json, const char *key, gint64 value)
{
    json_builder_set_member_name(json, key);
    json_builder_add_int_value(json, value);
}

void json_boolean(JsonBuilder *json, const char *key, bool value)
{
    json_builder_set_member_name(json, key);
    json_builder_add_boolean_value(json, value);
}

void json_begin_array(JsonBuilder *json, const char *key)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
}

void json_begin_object(JsonBuilder *json, const char *key)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_object(json);
}

void json_strings(JsonBuilder *json, const char *key, const GPtrArray *strings)
{
    json_begin_array(json, key);
    for (unsigned i = 0; strings != NULL && i < strings->len; i++) {
        g_autofree char *valid = g_utf8_make_valid(g_ptr_array_index(strings, i), -1);
        json_builder_add_string_value(json, valid);
    }
    json_builder_end_array(json);
}

/* RFC 8259, section 7: beyond the basic plane, as a pair. */
static void append_escape(GString *out, gunichar c)
{
    if (c < 0x10000)
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
}

/*
 * Beyond printable ASCII there is nothing but strings, whose characters may all be written as escapes.  json-glib
 * leaves U+001F as it is.
 */
void json_append_line(GString *out, JsonBuilder *json)
{
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c >= ' ' && c < 0x7f)
            g_string_append_c(out, *p);
        else if (letter_is_shown(c))
            g_string_append_unichar(out, c);
        else
            append_escape(out, c);
    }
    g_string_append_c(out, '\n');
}

const char *json_library_version(void)
{
    return JSON_VERSION_S;
}
