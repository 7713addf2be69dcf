/*
 * words - encoded-words (RFC 2047) as they ought to be written, for a decoder
 * that reads only those.
 *
 * GMime reads adjacent base64 words of one character set, whatever the spelling of
 * its name, up to the first padding and drops the rest, and drops the end of one
 * that lacks its padding; blanks, quotes and separators within a Q word take it
 * apart.  Whole lists of people would vanish so.
 */
#ifndef RCPTGUARD_WORDS_H
#define RCPTGUARD_WORDS_H

/*
 * The text with each run of adjacent encoded-words of one character set as one
 * Q word without specials; NULL if it holds no encoded-word.  Linear; to be freed
 * with g_free.
 */
char *words_mend(const char *text);

/*
 * What stands within encoded-words that a reader's program may show undecoded, a
 * line each, where that may be an address.  To be freed with g_free.
 */
char *words_raw(const char *text);

/*
 * A mended text for GMime's decoder of text, which gives up at a `=?` that begins
 * no word: such a one has a word joiner in it, which scan_clean drops.  To be
 * freed with g_free.
 */
char *words_part(const char *text);

#endif
