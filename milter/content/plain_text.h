/*
 * plain_text - the bytes of a text part as lines of UTF-8: character sets, and the soft
 * line ends of format=flowed (RFC 3676).
 *
 * Ownership: free strings with g_free.
 */
#ifndef RCPTGUARD_PLAIN_TEXT_H
#define RCPTGUARD_PLAIN_TEXT_H

#include <glib.h>
#include <stdbool.h>

/*
 * Valid UTF-8 of bytes in a character set; what is none in it becomes U+FFFD, and so does a NUL.
 * Without a name (NULL), with one that iconv(3) does not know, or with one of ASCII or Latin-1, bytes
 * that are valid UTF-8 stay, and others are read as windows-1252, as mail programs do.
 */
char *plain_text_decode(const char *bytes, size_t length, const char *charset);

/* The same lines with the soft ends taken out; `delsp` is DelSp=yes. */
char *plain_text_unflow(const char *text, bool delsp);

#endif
