/* time_text - see time_text.h */

#include "policy/base/time_text.h"

static char *format(gint64 time, bool utc, const char *form)
{
    gint64 seconds = time / G_USEC_PER_SEC;
    g_autoptr(GDateTime) date = utc ? g_date_time_new_from_unix_utc(seconds) : g_date_time_new_from_unix_local(seconds);
    char *text = date == NULL ? NULL : g_date_time_format(date, form);
    return text != NULL ? text : g_strdup("?");
}

char *time_text(gint64 time, bool utc)
{
    return format(time, utc, "%Y-%m-%d %H:%M:%S %Z");
}

char *time_text_mail(gint64 time)
{
    return format(time, true, "%Y-%m-%d %H:%M UTC");
}

char *time_text_json(gint64 time)
{
    return format(time, true, "%Y-%m-%dT%H:%M:%SZ");
}

char *time_text_file(gint64 time)
{
    return format(time, true, "%Y%m%dT%H%M%SZ");
}
