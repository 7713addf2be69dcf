/*
 * header_text - what the text of a header means in UTF-8: encoded-words (RFC 2047), and
 * bytes of other character sets, which GMime knows.
 */
#ifndef RCPTGUARD_HEADER_TEXT_H
#define RCPTGUARD_HEADER_TEXT_H

#include "policy/message/encoded_words.h"

#include <glib.h>

/* Makes GMime ready; any thread may call it, as often as it likes. */
void decode_start(void);

/* words_read, with what GMime makes of a word. */
bool decode_words(const char *value, unsigned *count, struct words *words);

/*
 * A header value for a regular expression or a person: unfolded, decoded, valid
 * UTF-8, without blanks at its ends.  `words` (NULL: there are none) is how many
 * encoded-words were decoded of the message before; NULL if this value takes them
 * beyond WORDS_LIMIT.
 */
char *decode_header(const char *value, unsigned *words);

/* The time of a Date (RFC 5322 section 3.3) in seconds since 1970, or 0 if it is none. */
gint64 decode_date(const char *value);

#endif
