/*
 * unicode - characters beyond ASCII as a reader sees them: what is not seen at
 * all, what looks like a character of ASCII, what parts words.
 */
#ifndef RCPTGUARD_UNICODE_H
#define RCPTGUARD_UNICODE_H

#include <glib.h>
#include <stdbool.h>

/* Stands for a byte that is no UTF-8, and is three bytes itself.  Letters are read as no more bytes than they were. */
#define LETTER_REPLACED        0xFFFD
#define LETTER_REPLACED_LENGTH 3

/*
 * The letter at `text` (before `end`), and its size in bytes: LETTER_REPLACED and 1
 * where no valid UTF-8 begins (RFC 3629).
 */
gunichar letter_read(const char *text, const char *end, unsigned *size);

/* Zero-width and bidirectional characters, joiners, variation selectors. */
bool letter_is_invisible(gunichar c);

/* The ASCII character for a full-width form or a separator of another script; 0 if there is none. */
char letter_ascii_equal(gunichar c);

/*
 * Whether a visible letter beyond ASCII is in lower case and stays as it is in NFC
 * (UAX #15), whatever comes before it.  For some rare letters the answer is no although
 * they would stay.
 */
bool letter_is_settled(gunichar c);

/*
 * NFC of valid UTF-8 (UAX #15), to be freed with g_free.  Linear: GLib takes n * n steps for
 * a text.  A letter of more than 256 characters is put together in parts.
 */
char *letters_compose(const char *text);

/*
 * Valid UTF-8 as it is compared by a reader: NFKC with its case folded, without what is not seen; to
 * be freed with g_free.  Linear, as above.
 */
char *letters_fold(const char *text);

/* Letters of scripts that are written without blanks between words: Han, Kana, Hangul, Thai and its neighbours. */
bool letter_is_unspaced(gunichar c);

/* Blanks, also those that Unicode calls letters; brackets, quotes, dashes and signs of other scripts. */
bool letter_parts_words(gunichar c);

/* Bullets, lines, pictures, what could not be decoded: what a name may hold and does not begin with. */
bool letter_is_symbol(gunichar c);

/* Letters of Latin and of the scripts that a reader takes for it (the Cyrillic a), and marks upon letters of any. */
bool letter_looks_latin(gunichar c);

/* Whether a character can be shown as it is: what changes or hides the text around it cannot. */
bool letter_is_shown(gunichar c);

#endif
