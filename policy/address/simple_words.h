/*
 * simple_words - encoded-words (RFC 2047) in display names, as mail programs write them.
 *
 * A run of words is accepted if there is one way to decode it, and nothing in what it means
 * could be taken for a part of an address or of a list:
 *
 *   - the character set is one of a table in which bytes below 0x80 are ASCII: UTF-8, and sets
 *     of one byte a character.  What the others make of these bytes depends on the decoder;
 *   - a Q word has letters, digits, a few signs that no other syntax uses, `_` and `=` with two
 *     hexadecimal digits; a base64 word is whole, with its padding at the end;
 *   - the words of one character set that follow each other are read together, as
 *     words_read does (encoded_words.h), and mean valid UTF-8 without control characters,
 *     without `@`, `"`, `<`, `>` or a backslash, in the forms of other scripts neither
 *     (letter_ascii_equal), and with each parenthesis paired within the run.
 *
 * Commas, colons and the like may be in it: no reading parts a list at these in a decoded
 * name, unless there is an `@` in that name.
 */
#ifndef RCPTGUARD_SIMPLE_WORDS_H
#define RCPTGUARD_SIMPLE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct simple_words {
    const char *end; /* after the last word of the run */
    size_t mended;   /* bytes of the Q word that words_read writes in its place */
};

/* Reads the run that begins at `text`, which is `=?`; false if it is not accepted. */
bool simple_words_read(const char *text, struct simple_words *words);

/*
 * After blanks and folds.  A line's end that no blank follows is no fold, and of very many
 * blanks some are left, with which nothing that is accepted begins.
 */
const char *simple_blanks(const char *text);

#endif
