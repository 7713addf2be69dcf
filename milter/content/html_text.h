/*
 * html_text - HTML as lines of text, for a person who reads it on a terminal.
 *
 * What a mail program would show is there, what it would hide by a style sheet too; scripts,
 * style sheets and comments are not.  The address of a link follows its text, since what
 * is read and where it leads are two things.
 */
#ifndef RCPTGUARD_HTML_TEXT_H
#define RCPTGUARD_HTML_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of a link's address that are shown. */
#define HTML_LINK_LIMIT 200u

/*
 * Appends the text of `length` bytes of HTML to `out`, at most `limit` bytes or a little more.
 * `charset` is UTF-8, or NULL: the document itself says what it is in.  The text is valid UTF-8.
 * False if it is cut, or if the library cannot read it at all.
 */
bool html_text_append(GString *out, const char *html, size_t length, const char *charset, size_t limit);

/* libxml2's version, such as "2.9.14"; it counts in 20914. */
char *html_text_library_version(void);

#endif
