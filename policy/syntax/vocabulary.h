/*
 * vocabulary - the words of the policy language.  Private to the library.
 */
#ifndef RCPTGUARD_VOCABULARY_H
#define RCPTGUARD_VOCABULARY_H

#include <glib.h>

/* Words of the language, each array ended by NULL. */
extern const char *const language_keywords[];
extern const char *const language_place_words[]; /* keywords in one place only, and names everywhere else */
extern const char *const language_dispositions[];

/* Index of a word in such an array, or -1. */
int language_word(const char *const *words, const char *word);

/* Midnight UTC at the start of a date that the lexer has checked, in seconds since 1970. */
gint64 language_date(const char *date);

#endif
