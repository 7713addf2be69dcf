/*
 * time_text - a time as text: the only place that formats one; and back.
 *
 * Times are microseconds since 1970.  Every text names its zone.  A time that no calendar
 * has is `?`.  The text is for g_free.
 */
#ifndef RCPTGUARD_TIME_TEXT_H
#define RCPTGUARD_TIME_TEXT_H

#include <glib.h>
#include <stdbool.h>

/* For a terminal: 2026-11-23 11:00:00 CET, in the zone of this machine, or with `utc` 2026-11-23 10:00:00 UTC. */
char *time_text(gint64 time, bool utc);

/* For a mail, which is read elsewhere: 2026-11-23 10:00 UTC. */
char *time_text_mail(gint64 time);

/* For programs, RFC 3339: 2026-11-23T10:00:00Z. */
char *time_text_json(gint64 time);

/* For the name of a file: 20261123T100000Z. */
char *time_text_file(gint64 time);

/*
 * What a person types: a time of RFC 3339, 2026-11-23T10:00:00Z or with an offset such as +01:00; or a date,
 * 2026-11-23, which is its first moment in the zone of this machine, or with `utc` in UTC.  False: it is neither.
 */
bool time_text_parse(const char *text, bool utc, gint64 *time);

#endif
