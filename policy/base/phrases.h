/*
 * phrases - whether a text holds one of many words or phrases, as a reader sees them.
 *
 * Case, forms of characters that mean the same (letters_fold) and the width of blanks do not
 * count.  A word is found as a whole: between characters that are no letters, digits or marks,
 * `_` included.  Scripts that are written without blanks have no such borders, and each of
 * their characters is a word (letter_is_unspaced).
 *
 * One pass over the text, however many phrases there are (A. Aho, M. Corasick, Efficient
 * string matching, 1975), in steps of words.
 *
 * Ownership: free with phrases_free.  After phrases_finish any thread may use it.
 */
#ifndef RCPTGUARD_PHRASES_H
#define RCPTGUARD_PHRASES_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

/* Characters of one phrase, and words and signs of all of them. */
#define PHRASE_LENGTH_LIMIT 200u
#define PHRASES_WORDS_LIMIT 1000000u

struct phrases;

struct phrases *phrases_new(void);
void phrases_free(struct phrases *phrases);
AUTO_FREE_DEFINE(phrases, phrases_free)

/* Adds valid UTF-8.  NULL, or what is wrong with it, to be freed with g_free. */
char *phrases_add(struct phrases *phrases, const char *phrase);

/* To be called once, after the last phrase. */
void phrases_finish(struct phrases *phrases);

/* How many different phrases there are. */
unsigned phrases_count(const struct phrases *phrases);

/* Whether valid UTF-8 holds one of them. */
bool phrases_found(const struct phrases *phrases, const char *text);

#endif
