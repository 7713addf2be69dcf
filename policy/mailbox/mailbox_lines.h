/*
 * mailbox_lines - what a line of a mail file is: a header field, an empty line, the
 * line before a message in an mbox.
 *
 * Each function gets the bytes from the beginning of the line on; `length` is
 * at least 1.  They look at what is there and keep nothing.
 */
#ifndef RCPTGUARD_MAILBOX_LINES_H
#define RCPTGUARD_MAILBOX_LINES_H

#include <glib.h>
#include <stdbool.h>

/* A line may have any length; what it is, its first bytes say. */
#define MAILLINE_LOOK (16u * 1024)

/* Lines after a separator in which one of its five fields is looked for, and bytes beyond which nothing is. */
#define SEPARATOR_LINES 20u
#define SEPARATOR_LOOK  (128u * 1024)

enum separator {
    SEPARATOR_NO,
    SEPARATOR_YES,
    SEPARATOR_LIKE, /* it looks like one, and what follows is no header */
    SEPARATOR_MORE, /* what is there is too short to decide */
};

/* Whether the line begins with `text`. */
bool mailline_begins(const char *line, size_t length, const char *text);

/* An empty line.  Carriage returns before its end do not count.  Most lines are none by their first byte. */
bool mailline_is_blank_whole(const char *line, size_t length);
static inline bool mailline_is_blank(const char *line, size_t length)
{
    return *line == '\n' || (*line == '\r' && mailline_is_blank_whole(line, length));
}

/* A header field: RFC 5322 section 2.2, with the blanks before the colon that MTAs allow. */
bool mailline_is_field(const char *line, size_t length);

/* A header field with a name that mail has: From, To, Received and the like. */
bool mailline_is_mail_field(const char *line, size_t length);

/* "From ", or "From" alone: a message of an mbox may begin in the next line.  Likewise. */
bool mailline_is_from_whole(const char *line, size_t length);
static inline bool mailline_is_from(const char *line, size_t length)
{
    return *line == 'F' && mailline_is_from_whole(line, length);
}

/* The number (from 1) of the first of at most `lines` lines that is a field with a name that mail has; 0 if none is. */
unsigned mailline_find_mail_field(const char *text, size_t length, unsigned lines);

/*
 * Whether a line of an mbox that mailline_is_from begins a message.  It does if a header field follows (or ">From ",
 * which some programs leave there), and the header has From, Date, Received, Message-ID or Return-Path within its
 * first 20 lines.  A line with a date after an empty line needs only any field that mail has, however long the header
 * is.  `whole` says that the file ends where the text does; without it SEPARATOR_MORE asks for up to SEPARATOR_LOOK
 * bytes.
 */
enum separator mailline_separator(const char *text, size_t length, bool whole, bool after_blank);

#endif
