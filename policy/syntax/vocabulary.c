/* vocabulary - see vocabulary.h */

#include "policy/syntax/vocabulary.h"

#include <stdio.h>
#include <string.h>

const char *const language_keywords[] = {
    "version",   "contact",   "class",   "domain",  "match",      "domains", "from",          "individuals",
    "separate",  "outbound",  "when",    "expect",  "is",         "not",     "message",       "to",
    "bcc",       "at",        "file",    "gives",   "by",         "user",    "client",        "listener",
    "sender",    "local",     "rule",    "until",   "monitor",    "accept",  "tag",           "quarantine",
    "reject",    "tempfail",  "default", "and",     "or",         "in",      "authenticated", "syntax",
    "malformed", "truncated", "visible", "parties", "recipients", "hidden",  "header",        "of",
    "approvals", NULL,
};
/* `contains` is last: before another word, vim takes it for an option of its own (packaging/vim). */
const char *const language_place_words[] = {
    "subject",  "messages", "within", "alike",  "known",     "remember", "inside",   "calendar", "forwarded",
    "contacts", "table",    "text",   "opaque", "encrypted", "types",    "limits",   "broken",   "release",
    "with",     "reason",   "after",  "expire", "return",    "delete",   "override", "contains", NULL};

int language_word(const char *const *words, const char *word)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

gint64 language_date(const char *date)
{
    unsigned year, month, day;

    if (sscanf(date, "%4u-%2u-%2u", &year, &month, &day) != 3)
        return 0;
    g_autoptr(GDateTime) midnight = g_date_time_new_utc((int)year, (int)month, (int)day, 0, 0, 0);
    if (midnight == NULL)
        return 0;
    return g_date_time_to_unix(midnight);
}
