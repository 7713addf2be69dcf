/*
 * duration - times as rcptguard.conf, options and the MTAs' configurations write them:
 * a number and a unit (postconf(5), "TIME"; the timeouts of Sendmail's filters).
 */
#ifndef RCPTGUARD_DURATION_H
#define RCPTGUARD_DURATION_H

#include <glib.h>

/*
 * Seconds of `text`: at most 8 digits and one of `units`, which are of s, m, h, d and w.
 * Without a unit it is of `bare`, if that is not NUL.  -1 if `text` is anything else.
 */
gint64 duration_read(const char *text, const char *units, char bare);

#define DURATION_DAY (24 * 60 * 60)

#endif
