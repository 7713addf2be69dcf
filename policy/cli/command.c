/* command - see command.h */

#include "policy/cli/command.h"

#include "policy/cli/json.h"

#include <stdio.h>

static const char *program = "";
static gboolean json_option = FALSE;

const GOptionEntry command_entries[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &json_option, "Print JSON", NULL},
    G_OPTION_ENTRY_NULL,
};

void command_begin(const char *name)
{
    program = name;
}

bool tool_json(void)
{
    return json_option;
}

void tool_print_json(JsonBuilder *json)
{
    g_autoptr(GString) line = g_string_new(NULL);
    json_append_line(line, json);
    fwrite(line->str, 1, line->len, stdout);
}

int tool_usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s: %s\nTry `%s --help`.\n", program, message, program);
    return EXITS_USAGE;
}
