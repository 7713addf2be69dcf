/* calendar_part - see calendar_part.h */

#include <config.h>

#include "policy/parts/calendar_part.h"

#include "policy/parts/part_kind.h"

#include <string.h>

/* Bytes of the name of a property. */
#define NAME_LIMIT 40u

/* Whether all of a line is about people. */
static bool is_about_people(const char *line, size_t length)
{
    static const char *const names[] = {"ATTENDEE", "ORGANIZER", "CONTACT", "X-MS-OLK-SENDER", "CALENDAR-ADDRESS"};

    while (length > 0 && g_ascii_isspace(*line)) {
        line++;
        length--;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t name = strlen(names[i]);
        if (length > name && name <= NAME_LIMIT && g_ascii_strncasecmp(line, names[i], name) == 0 &&
            strchr(":; \t", line[name]) != NULL)
            return true;
    }
    return false;
}

/* The next word at which an address begins, in any case. */
static const char *next_word(const char *from, const char *end)
{
    static const char *const words[] = {"mailto:", "email="};

    for (; from < end; from++)
        for (size_t i = 0; (*from == 'm' || *from == 'M' || *from == 'e' || *from == 'E') && i < G_N_ELEMENTS(words);
             i++)
            if ((size_t)(end - from) > strlen(words[i]) && g_ascii_strncasecmp(from, words[i], strlen(words[i])) == 0)
                return from + strlen(words[i]);
    return end;
}

/* Addresses after such words, each up to what ends a value. */
static void scan_words(struct part_scan *scan, const char *line, size_t length)
{
    const char *end = line + length, *from = line;

    while ((from = next_word(from, end)) < end) {
        const char *value = from;
        while (from < end && strchr(" \t\"<>", *from) == NULL)
            from++;
        /* A quoted value begins with its quote. */
        if (from == value && from < end && *from == '"') {
            const char *close = memchr(value + 1, '"', (size_t)(end - value - 1));
            from = close == NULL ? end : close;
        }
        part_scan_text(scan, value, (size_t)(from - value), PART_CALENDAR, false);
    }
}

/* "=XX" of vCalendar 1.0, and "\n" and its kin, which end an address. */
static size_t unescape(char *text, size_t length, bool quoted)
{
    size_t to = 0;

    for (size_t i = 0; i < length; i++) {
        if (quoted && text[i] == '=' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) &&
            g_ascii_isxdigit(text[i + 2])) {
            text[to++] = (char)(g_ascii_xdigit_value(text[i + 1]) << 4 | g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        } else if (text[i] == '\\' && i + 1 < length) {
            i++;
            text[to++] = text[i] == 'n' || text[i] == 'N' || text[i] == ',' || text[i] == ';' ? ' ' : text[i];
        } else {
            text[to++] = text[i];
        }
    }
    return to;
}

/* A parameter is no part of an address: ";CN=ann@x.example" of Google. */
static void part_parameters(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ';')
            continue;
        size_t name = i + 1;
        while (name < length && (g_ascii_isalnum(text[name]) || text[name] == '-'))
            name++;
        if (name < length && text[name] == '=')
            text[name] = ' ';
        i = name - 1;
    }
}

void calendar_part_line(void *data, const char *line, size_t length, bool goes_on)
{
    struct calendar_part *calendar = data;

    if (part_scan_is_over(calendar->scan))
        return;
    if (!goes_on)
        calendar->people = is_about_people(line, length);
    if (memchr(line, '@', length) == NULL && memmem(line, length, "%40", 3) == NULL &&
        memmem(line, length, "=40", 3) == NULL && memmem(line, length, "\357\274\240", 3) == NULL)
        return;
    g_autofree char *plain = NULL;
    bool quoted =
        memmem(line, length, "QUOTED-PRINTABLE", 16) != NULL || memmem(line, length, "quoted-printable", 16) != NULL;
    if (quoted || calendar->people || memchr(line, '\\', length) != NULL) {
        plain = g_malloc(length + 1);
        memcpy(plain, line, length);
        length = unescape(plain, length, quoted);
        if (calendar->people)
            part_parameters(plain, length);
        line = plain;
    }
    if (calendar->people)
        part_scan_text(calendar->scan, line, length, PART_CALENDAR, false);
    else
        scan_words(calendar->scan, line, length);
}
