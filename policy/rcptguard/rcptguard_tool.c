/* rcptguard_tool - see rcptguard_tool.h */

#include "policy/rcptguard/rcptguard_tool.h"

#include "policy/base/escape.h"

#include <stdio.h>
#include <string.h>

/* Bytes of a note. */
#define NOTE_LIMIT 8192u

static char *policy_path_option = NULL;
static char **policy_arguments = NULL;

const GOptionEntry policy_entries[] = {
    {"policy", 'p', 0, G_OPTION_ARG_FILENAME, &policy_path_option, "The policy, or - (" SYSCONFDIR "/rcptguard/policy)",
     "POLICY"},
    G_OPTION_ENTRY_NULL,
};

const GOptionEntry policy_argument_entries[] = {
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &policy_arguments, "", NULL},
    G_OPTION_ENTRY_NULL,
};

int tool_check_policy_argument(void)
{
    if (policy_arguments == NULL)
        return EXITS_DONE;
    if (policy_path_option != NULL || policy_arguments[1] != NULL)
        return tool_usage_error("unexpected argument `%s`", policy_arguments[policy_path_option != NULL ? 0 : 1]);
    return EXITS_DONE;
}

const char *tool_policy_path(void)
{
    if (policy_arguments != NULL)
        return policy_arguments[0];
    return policy_path_option != NULL ? policy_path_option : SYSCONFDIR "/rcptguard/policy";
}

bool tool_policy_is_standard(void)
{
    return strcmp(tool_policy_path(), "-") == 0;
}

struct policy *tool_load(struct diags *diags)
{
    return tool_policy_is_standard() ? policy_load_standard(diags) : policy_load(tool_policy_path(), diags);
}

bool tool_time(const char *text, gint64 *seconds)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = text == NULL ? g_date_time_new_now(utc) : g_date_time_new_from_iso8601(text, utc);

    if (time == NULL)
        return false;
    *seconds = g_date_time_to_unix(time);
    return true;
}

void tool_print_diags(const struct diags *diags)
{
    for (unsigned i = 0; i < diags_count(diags); i++) {
        g_autofree char *text = diag_format(diags_get(diags, i));
        fputs(text, stderr);
    }
}

void tool_note(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *shown = text_printable(message, NOTE_LIMIT);
    fprintf(stderr, "%s\n", shown);
}
