/* rcptguard_tool - see rcptguard_tool.h */

#include "policy/rcptguard/rcptguard_tool.h"

#include "policy/base/escape.h"

#include <stdio.h>

/* Bytes of a note. */
#define NOTE_LIMIT 8192u

static char *policy_path_option = NULL;

const GOptionEntry policy_entries[] = {
    {"policy", 'p', 0, G_OPTION_ARG_FILENAME, &policy_path_option, "The policy (" SYSCONFDIR "/rcptguard/policy)",
     "POLICY"},
    G_OPTION_ENTRY_NULL,
};

const char *tool_policy_path(void)
{
    return policy_path_option != NULL ? policy_path_option : SYSCONFDIR "/rcptguard/policy";
}

struct policy *tool_load(struct diags *diags)
{
    return policy_load(tool_policy_path(), diags);
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
    g_autofree char *message = NULL;
    g_autofree char *shown = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    shown = text_printable(message, NOTE_LIMIT);
    fprintf(stderr, "%s\n", shown);
}
