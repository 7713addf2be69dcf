/*
 * encoded_words - encoded-words (RFC 2047) as they ought to be written, for a decoder
 * that reads only those.
 *
 * GMime reads adjacent base64 words of one character set, whatever the spelling of
 * its name, up to the first padding and drops the rest, and drops the end of one
 * that lacks its padding; blanks, quotes and separators within a Q word take it
 * apart.  Whole lists of people would vanish so.
 */
#ifndef RCPTGUARD_ENCODED_WORDS_H
#define RCPTGUARD_ENCODED_WORDS_H

#include <stdbool.h>

/*
 * Encoded-words that are decoded of one message, a run of neighbours as one, and what
 * only begins like one: each costs GMime some microseconds.
 */
#define WORDS_LIMIT 3000u

struct words {
    /*
     * The text for a parser that decodes: each run of adjacent encoded-words of one character set as one Q word
     * without specials, and a word joiner, which scan_clean drops, in each `=?` that begins none.  A well-formed
     * base64 word right before `@` or a dot, where it is a part of an address, stays as it is.
     */
    char *mended;
    /* The text with decoded words, without the blanks between adjacent ones. */
    char *decoded;
    /* The content of words that a reader's program may show undecoded, a line each, if it may be an address.
     */
    char *raw;
};

/*
 * False, and `words` is left alone, if the text holds no `=?` or the limit is passed already.
 * `count` is how many there were before in the message; it exceeds the limit if some are
 * left as they are.  `decode` decodes a Q word, for g_free.  Linear.
 */
typedef char *(*words_decode)(const char *word);
bool words_read(const char *text, unsigned *count, words_decode decode, struct words *words);
void words_clear(struct words *words);

#endif
