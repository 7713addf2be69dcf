/*
 * json - members of a JSON object in one call each, all of it valid UTF-8; for
 * what the programs print.
 */
#ifndef RCPTGUARD_JSON_H
#define RCPTGUARD_JSON_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

/* One member of the object that `json` is in.  NULL is null; bytes that are no UTF-8 become U+FFFD. */
void json_string(JsonBuilder *json, const char *key, const char *value);
void json_number(JsonBuilder *json, const char *key, gint64 value);
void json_boolean(JsonBuilder *json, const char *key, bool value);

/* A member that is an array of strings; NULL stands for none. */
void json_strings(JsonBuilder *json, const char *key, const GPtrArray *strings);

/* A member that is an array or an object, which json_builder_end_array or json_builder_end_object ends. */
void json_begin_array(JsonBuilder *json, const char *key);
void json_begin_object(JsonBuilder *json, const char *key);

/*
 * Appends what was built as one line, with its newline.  What does not show, or
 * would turn the direction of text, is written as \uXXXX: it may go to a terminal.
 */
void json_append_line(GString *out, JsonBuilder *json);

/* The version of json-glib that this was built with: the library does not tell. */
const char *json_library_version(void);

#endif
