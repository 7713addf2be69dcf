/* time_text - see time_text.h */

#include "policy/base/time_text.h"

#include <string.h>

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

/* ---- and back */

/* Whether it has the form: a digit for each `0`, anything else as it is. */
static bool has_form(const char *text, const char *form)
{
    for (; *form != '\0'; text++, form++) {
        if (*form == '0' ? !g_ascii_isdigit(*text) : *text != *form)
            return false;
    }
    return true;
}

/* What is after the seconds: a fraction, then the zone, which no time goes without. */
static bool has_zone(const char *text)
{
    if (*text == '.') {
        const char *fraction = ++text;
        while (g_ascii_isdigit(*text))
            text++;
        if (text == fraction)
            return false;
    }
    if (strcmp(text, "Z") == 0)
        return true;
    return (*text == '+' || *text == '-') && strlen(text) == 6 && has_form(text + 1, "00:00");
}

/* A day on which the clock changes at midnight begins later. */
static GDateTime *first_moment(const char *date, bool utc)
{
    g_autoptr(GTimeZone) zone = utc ? g_time_zone_new_utc() : g_time_zone_new_local();
    g_autofree char *midnight = g_strconcat(date, "T00:00:00", NULL);
    return g_date_time_new_from_iso8601(midnight, zone);
}

/* GLib takes more forms than a person means. */
bool time_text_parse(const char *text, bool utc, gint64 *time)
{
    static const char date[] = "0000-00-00", date_and_time[] = "0000-00-00T00:00:00";
    g_autoptr(GDateTime) found = NULL;
    g_autofree char *upper = g_ascii_strup(text, -1); /* RFC 3339 takes t and z */
    if (has_form(upper, date) && upper[strlen(date)] == '\0')
        found = first_moment(upper, utc);
    else if (has_form(upper, date_and_time) && has_zone(upper + strlen(date_and_time)))
        found = g_date_time_new_from_iso8601(upper, NULL);
    if (found == NULL)
        return false;
    *time = g_date_time_to_unix(found) * G_USEC_PER_SEC + g_date_time_get_microsecond(found);
    return true;
}
