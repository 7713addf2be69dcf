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

/* Encoded-words that are decoded of one message, a run of neighbours as one: each costs GMime some microseconds. */
#define WORDS_LIMIT 3000u

/*
 * The text with each run of adjacent encoded-words of one character set as one Q
 * word without specials, and a word joiner, which scan_clean drops, in each `=?`
 * that begins none; NULL if it holds no `=?`.  `count` is how many there were
 * before in the message; it exceeds the limit if some are left as they are.
 * `raw` (NULL: is not wanted) gets what stands within words that a reader's program
 * may show undecoded, a line each, where that may be an address.  Linear; to be
 * freed with g_free, both.
 */
char *words_mend(const char *text, unsigned *count, char **raw);

/* Takes the word joiners out of a mended text that has been decoded. */
void words_unpart(char *text);

#endif
