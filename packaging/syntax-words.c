/*
 * syntax-words - prints the words of the policy language, a group a line, for the syntax files of editors.
 *
 * `keyword`, `logic`, `action`: as they are marked; `fact`: what a test can be of.
 */

#include "policy/syntax/vocabulary.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const logic[] = {"and", "or", "not", NULL};

/* Facts by what they are, but also words of classes and of messages, and marked as such. */
static const char *const ambiguous[] = {"domains", "from", NULL};

static bool is_fact(const char *word)
{
    return language_word(ambiguous, word) < 0 &&
           (language_word(language_counts, word) >= 0 || language_word(language_subjects, word) >= 0 ||
            language_word(language_flags, word) >= 0 || strcmp(word, "header") == 0);
}

static const char *group_of(const char *word)
{
    if (language_word(logic, word) >= 0)
        return "logic";
    if (language_word(language_dispositions, word) >= 0)
        return "action";
    return is_fact(word) ? "fact" : "keyword";
}

int main(void)
{
    static const char *const groups[] = {"keyword", "logic", "action", "fact"};

    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        fputs(groups[i], stdout);
        for (const char *const *word = language_keywords; *word != NULL; word++)
            if (strcmp(group_of(*word), groups[i]) == 0)
                printf(" %s", *word);
        putchar('\n');
    }
    return ferror(stdout) || fflush(stdout) != 0;
}
