/* json - see json.h */

#include "json.h"

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

void json_append_line(GString *out, JsonBuilder *json)
{
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);

    g_string_append(out, text);
    g_string_append_c(out, '\n');
}
