/*
 * suggest - what was perhaps meant by a word or a path that is not there.
 */
#ifndef RCPTGUARD_SUGGEST_H
#define RCPTGUARD_SUGGEST_H

/* How many letters of `a` are wrong, missing, too many, or two of them in the wrong order: with that, it becomes `b`.
 */
unsigned diag_distance(const char *a, const char *b);

/*
 * The candidate nearest to `word` by edit distance, or NULL if none is near
 * enough to be what was meant.  `candidates` ends with NULL.
 */
const char *diag_nearest(const char *word, const char *const *candidates);

/* The file name in the directory of `path` that is nearest to the missing one, or NULL; free with g_free. */
char *diag_nearest_file(const char *path);

#endif
