/* mailbox_lines - see mailbox_lines.h */

#include "policy/mailbox/mailbox_lines.h"

#include <string.h>

/* The fields of which a message in an mbox has one near its top. */
static const char *const near_top[] = {"From", "Date", "Received", "Message-ID", "Return-Path"};

/* Others that are found in mail and hardly elsewhere.  Every name with Resent- is one too.  Content-Type is none: the
   part of a message has it too. */
static const char *const of_mail[] = {"To",         "Cc",           "Bcc",           "Subject",       "Sender",
                                      "Reply-To",   "Delivered-To", "Apparently-To", "X-Envelope-To", "In-Reply-To",
                                      "References", "X-Original-To"};

bool mailline_begins(const char *line, size_t length, const char *text)
{
    return length >= strlen(text) && memcmp(line, text, strlen(text)) == 0;
}

bool mailline_is_blank_whole(const char *line, size_t length)
{
    size_t i = 0;

    length = MIN(length, MAILLINE_LOOK);
    while (i < length && line[i] == '\r')
        i++;
    return i < length && line[i] == '\n';
}

/* The length of the name of the field that the line is; 0 if it is none. */
static size_t name_length(const char *line, size_t length)
{
    size_t i = 0, name;

    length = MIN(length, MAILLINE_LOOK);
    while (i < length && line[i] > 0x20 && line[i] < 0x7f && line[i] != ':')
        i++;
    name = i;
    while (i < length && (line[i] == ' ' || line[i] == '\t'))
        i++;
    return i < length && line[i] == ':' ? name : 0;
}

bool mailline_is_field(const char *line, size_t length)
{
    return name_length(line, length) > 0;
}

static bool is_among(const char *const *names, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if ((names[i][0] | 0x20) == (*name | 0x20) && g_ascii_strncasecmp(names[i], name, length) == 0 &&
            names[i][length] == '\0')
            return true;
    return false;
}

static bool is_near_top(const char *line, size_t length)
{
    size_t name = name_length(line, length);

    return name > 0 && is_among(near_top, G_N_ELEMENTS(near_top), line, name);
}

bool mailline_is_mail_field(const char *line, size_t length)
{
    size_t name = name_length(line, length);

    return name > 0 && (is_among(near_top, G_N_ELEMENTS(near_top), line, name) ||
                        is_among(of_mail, G_N_ELEMENTS(of_mail), line, name) ||
                        (name > 7 && g_ascii_strncasecmp(line, "Resent-", 7) == 0));
}

static size_t line_length(const char *line, size_t length)
{
    const char *newline = memchr(line, '\n', length);

    return newline != NULL ? (size_t)(newline + 1 - line) : length;
}

unsigned mailline_find_mail_field(const char *text, size_t length, unsigned lines)
{
    for (unsigned number = 1; number <= lines && length > 0; number++) {
        size_t line = line_length(text, length);
        if (mailline_is_mail_field(text, line))
            return number;
        text += line;
        length -= line;
    }
    return 0;
}

/* ---- separators */

bool mailline_is_from_whole(const char *line, size_t length)
{
    return mailline_begins(line, length, "From") && length > 4 &&
           (line[4] == ' ' || mailline_is_blank(line + 4, length - 4));
}

/* The name of a month, as its own word. */
static bool is_month(const char *word, const char *end)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (end - word < 4 || g_ascii_isalpha(word[-1]) || g_ascii_isalpha(word[3]))
        return false;
    for (unsigned i = 0; i < 12; i++)
        if (g_ascii_strncasecmp(word, months + (size_t)i * 3, 3) == 0)
            return true;
    return false;
}

/* "From ann@x.example Mon Nov 23 18:34:00 2026": with a month and then a time of day, so that a sentence is none. */
static bool has_date(const char *line, size_t length)
{
    bool month = false, time = false;

    length = MIN(length, MAILLINE_LOOK);
    for (size_t i = 5; i + 1 < length; i++) {
        month = month || (g_ascii_isalpha(line[i]) && is_month(line + i, line + length));
        time = time || (month && line[i] == ':' && g_ascii_isdigit(line[i - 1]) && g_ascii_isdigit(line[i + 1]));
    }
    return month && time;
}

/* "From ", "From -", "From MAILER-DAEMON", "From ann@x.example": programs write so, and people seldom. */
static bool names_sender(const char *line, size_t length)
{
    const char *word = line + 5;
    size_t left, end = 0;

    length = MIN(length, MAILLINE_LOOK);
    if (length < 6 || line[4] != ' ')
        return false;
    left = length - 5;
    while (end < left && (unsigned char)word[end] > ' ')
        end++;
    return (end == 0 && mailline_is_blank(word, left)) || (end == 1 && *word == '-') ||
           memchr(word, '@', end) != NULL || mailline_begins(word, end, "MAILER-DAEMON");
}

enum separator mailline_separator(const char *text, size_t length, bool whole, bool after_blank)
{
    size_t from = line_length(text, length), at = from;
    bool dated = has_date(text, from), named = names_sender(text, from);

    whole = whole || length >= SEPARATOR_LOOK;
    length = MIN(length, SEPARATOR_LOOK);
    for (unsigned number = 1; at < length; number++) {
        const char *line = text + at;
        size_t left = length - at, here = line_length(line, left);
        if (line[here - 1] != '\n' && !whole)
            return SEPARATOR_MORE;
        if (number == 1) {
            bool field = mailline_is_field(line, here) || mailline_begins(line, here, ">From ");
            named = named || mailline_is_mail_field(line, here);
            if (!field)
                return dated || named ? SEPARATOR_LIKE : SEPARATOR_NO;
        }
        if (mailline_is_blank(line, here))
            return dated || named ? SEPARATOR_LIKE : SEPARATOR_NO;
        if (number <= SEPARATOR_LINES && is_near_top(line, here))
            return SEPARATOR_YES;
        if (dated && after_blank && mailline_is_mail_field(line, here))
            return SEPARATOR_YES;
        if (number >= SEPARATOR_LINES && !(dated && after_blank))
            return dated || named ? SEPARATOR_LIKE : SEPARATOR_NO;
        at += here;
    }
    if (!whole)
        return SEPARATOR_MORE;
    return dated || named ? SEPARATOR_LIKE : SEPARATOR_NO;
}
