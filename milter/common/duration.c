/* duration - see duration.h */

#include "milter/common/duration.h"

#include <string.h>

/* Days of 8 digits are microseconds of 64 bits. */
#define DIGITS_LIMIT 8

static gint64 seconds_of(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return DURATION_DAY;
    case 'w':
        return 7 * DURATION_DAY;
    default:
        return -1;
    }
}

gint64 duration_read(const char *text, const char *units, char bare)
{
    size_t digits = strspn(text, "0123456789");
    char unit = text[digits] == '\0' ? bare : text[digits];

    if (digits == 0 || digits > DIGITS_LIMIT || unit == '\0')
        return -1;
    if (text[digits] != '\0' && (text[digits + 1] != '\0' || strchr(units, unit) == NULL))
        return -1;
    return g_ascii_strtoll(text, NULL, 10) * seconds_of(unit);
}
