/*
 * pattern - regular expressions, always over a whole value and in any case
 * (PCRE2; pcre2pattern(3)).
 *
 * The interpreter runs them, within limits: a pattern that needs more gives
 * PATTERN_LIMIT, which is never "no match".
 *
 * Ownership: free patterns with pattern_free, budgets with pattern_budget_free.
 * A pattern may be used by any thread, a budget by one at a time.
 */
#ifndef RCPTGUARD_PATTERN_H
#define RCPTGUARD_PATTERN_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stddef.h>

struct pattern;

/* What one message may spend on patterns. */
struct pattern_budget;

enum pattern_result { PATTERN_LIMIT = -1, PATTERN_NO = 0, PATTERN_YES = 1 };

/* Backtracking points that one match may use (pcre2_set_match_limit). */
#define PATTERN_MATCH_LIMIT 100000u

/*
 * What all matches of one message may use; beyond any of these each further match gives PATTERN_LIMIT.
 *
 * Points of the matches that need more than harmless ones (100, and 8 for each byte of the value), which
 * take about 55 ms; each PATTERN_LIMIT uses at least PATTERN_MATCH_LIMIT of them.
 */
#define PATTERN_MESSAGE_LIMIT 4000000u

/* Milliseconds of processor time, in these matches and in others that take unusually long. */
#define PATTERN_TIME_LIMIT 70

/* Bytes of the values, and so many more for each match.  An expression of n kB (compiled) counts n times more. */
#define PATTERN_BYTES_LIMIT (64u * 1024 * 1024)
#define PATTERN_BYTES_MATCH 32u

/*
 * Compiles UTF-8 text.  NULL on error: `*message` (to be freed with g_free) says
 * what is wrong and `*offset` at which byte.  A leading (*VERB) and \C are errors.
 */
struct pattern *pattern_compile(const char *text, size_t *offset, char **message);
void pattern_free(struct pattern *pattern);
AUTO_FREE_DEFINE(pattern, pattern_free)

/* The library's version with its date: "10.42 2022-12-11"; to be freed with g_free. */
char *pattern_library_version(void);

struct pattern_budget *pattern_budget_new(void);
void pattern_budget_free(struct pattern_budget *budget);
AUTO_FREE_DEFINE(pattern_budget, pattern_budget_free)

/* About how many points its matches used, harmless or not. */
guint64 pattern_budget_tried(const struct pattern_budget *budget);

/* Whether the whole subject (valid UTF-8) matches. */
enum pattern_result pattern_match(const struct pattern *pattern, const char *subject, struct pattern_budget *budget);

#endif
