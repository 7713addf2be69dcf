/*
 * syntax-words - prints the words of the policy language, a group a line, for the syntax files of editors.
 *
 * `keyword`, `logic`, `action`: as they are marked; `fact`: what a test can be of.
 */

#include "policy/conditions/conditions.h"
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
    unsigned index;

    return language_word(ambiguous, word) < 0 && condition_find(word, &index) != NULL;
}

static const char *group_of(const char *word)
{
    if (language_word(logic, word) >= 0)
        return "logic";
    if (language_word(disposition_names, word) >= 0)
        return "action";
    return is_fact(word) ? "fact" : "keyword";
}

/* Those of the words that are keywords by position only. */
static void print_unreserved(const char *const *words)
{
    for (; *words != NULL; words++)
        if (language_word(language_keywords, *words) < 0)
            printf(" %s", *words);
}

int main(void)
{
    static const char *const groups[] = {"keyword", "logic", "action", "fact"};

    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        fputs(groups[i], stdout);
        for (const char *const *word = language_keywords; *word != NULL; word++)
            if (strcmp(group_of(*word), groups[i]) == 0)
                printf(" %s", *word);
        for (const char *const *word = language_place_words; *word != NULL && i == 0; word++)
            if (!is_fact(*word))
                printf(" %s", *word);
        if (strcmp(groups[i], "action") == 0)
            print_unreserved(disposition_names);
        for (const struct condition_kind *const *kind = condition_kinds;
             *kind != NULL && strcmp(groups[i], "fact") == 0; kind++)
            print_unreserved((*kind)->words);
        putchar('\n');
    }
    return ferror(stdout) || fflush(stdout) != 0;
}
