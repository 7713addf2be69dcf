/*
 * mime_lines - the lines of a text that may part it: those that begin with two hyphens (RFC 2046 section 5.1.1).
 *
 * They are looked for once, however deep the parts lie in each other.  Ownership: mime_lines_clear frees them.
 */
#ifndef RCPTGUARD_MIME_LINES_H
#define RCPTGUARD_MIME_LINES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Such lines that are kept of one text; what comes after them is not parted any more. */
#define MIME_LINES_LIMIT 100000u

struct mime_lines {
    const char *text;
    GArray *starts; /* gsize: where each begins */
    bool exhausted;
};

void mime_lines_find(struct mime_lines *lines, const char *text, size_t length);
void mime_lines_clear(struct mime_lines *lines);

/* One line that parts. */
struct mime_delimiter {
    size_t line, after; /* where it begins, and what comes after it */
    bool closes;        /* it is the last one */
};

/*
 * The next line of `boundary` from `from` on, before `end`; `*budget` is how many lines may still be compared.
 * `*near`: one began with the boundary, and went on with something else.  False if there is none.
 */
bool mime_lines_next(const struct mime_lines *lines, const char *boundary, size_t from, size_t end, unsigned *budget,
                     bool *near, struct mime_delimiter *found);

#endif
