/*
 * mail_header - one field of a header in lines and encoded-words of lawful length
 * (RFC 5322, 2.1.1; RFC 2047, 2), whatever words the text has.
 *
 * The text is one line of valid UTF-8 without control characters: see letter_line.
 */
#ifndef RCPTGUARD_MAIL_HEADER_H
#define RCPTGUARD_MAIL_HEADER_H

#include <glib.h>

/* Appends `NAME: TEXT`, folded at blanks.  Words that are not ASCII, that look like an encoded-word or that are too
 * long to fold become encoded-words. */
void mail_header_append_text(GString *out, const char *name, const char *text);

/* The same without encoded-words: addresses, folded after their commas, and ids. */
void mail_header_append(GString *out, const char *name, const char *text);

#endif
