/* duration - see duration.h */

#include "milter/common/duration.h"

#include <string.h>

/* Days of 8 digits are microseconds of 64 bits. */
#define DIGITS_LIMIT 8

gint64 duration_read(const char *text, const char *units, char bare)
{
    static const gint64 seconds[] = {
        ['s'] = 1, ['m'] = 60, ['h'] = 3600, ['d'] = DURATION_DAY, ['w'] = 7 * DURATION_DAY};
    size_t digits = strspn(text, "0123456789");
    char unit = text[digits] == '\0' ? bare : text[digits];

    if (digits == 0 || digits > DIGITS_LIMIT || unit == '\0')
        return -1;
    if (text[digits] != '\0' && (text[digits + 1] != '\0' || strchr(units, unit) == NULL))
        return -1;
    return g_ascii_strtoll(text, NULL, 10) * seconds[(unsigned char)unit];
}
