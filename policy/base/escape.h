/*
 * escape - texts and values made fit for one line: of a log, of an SMTP reply, of a terminal.
 *
 * Ownership: free strings with g_free.
 */
#ifndef RCPTGUARD_ESCAPE_H
#define RCPTGUARD_ESCAPE_H

#include <glib.h>
#include <stdbool.h>

/*
 * The text as an SMTP reply carries it: one line of printable ASCII, what is
 * beyond that replaced by what comes near, cut at TEXT_REPLY_LIMIT bytes; to be
 * freed with g_free.  RFC 5321, 4.5.3.1.5 allows 512 with the codes and CRLF.
 */
char *text_reply(const char *text);
#define TEXT_REPLY_LIMIT (512 - (sizeof "550 5.7.1 " - 1) - 2)

/* A value of a variable has at most this many bytes. */
#define TEXT_VALUE_LIMIT 64

/*
 * Appends `length` bytes of a value as in a log line: bytes outside 0x21 to 0x7E
 * and any of "<>,=\ become \xHH, but a blank if `blanks`.  At most `limit` bytes
 * are appended; what is cut ends in "...", and no escape is cut in half.
 */
void text_append_escaped(GString *line, const char *value, size_t length, size_t limit, bool blanks);

/* The same for a value that may be empty, which is `-`; one that is `-` itself is escaped. */
void text_append_value(GString *line, const char *value, size_t length, size_t limit, bool blanks);

/*
 * Appends the beginning of a value, for a text that is escaped where it goes: at most `limit` bytes of UTF-8
 * without what could break a line or turn its direction; what is cut ends in "...", and nothing is `-`.
 */
void text_append_cut(GString *line, const char *value, size_t limit);

/* For a person: `text` with control characters and bytes that are not UTF-8 as \xHH, cut at `limit` bytes.  For g_free.
 */
char *text_printable(const char *text, size_t limit);

#endif
