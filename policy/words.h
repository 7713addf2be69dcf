/*
 * words - encoded-words (RFC 2047) before they are decoded.
 *
 * GMime decodes them, but it reads adjacent base64 words of one character set up
 * to the first padding and drops the rest, and drops the end of one that lacks
 * its padding.  Whole lists of people would vanish so.
 */
#ifndef RCPTGUARD_WORDS_H
#define RCPTGUARD_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text with each run of base64 words of one character set as a single one,
 * rightly padded; NULL if it holds no encoded-word.  To be freed with g_free.
 */
char *words_mend(const char *text);

/* Finds the first encoded-word of a text from an offset on: false, or where it starts and ends. */
bool words_find(const char *text, size_t length, size_t from, size_t *start, size_t *end);

#endif
