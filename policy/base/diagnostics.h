/*
 * diagnostics - what is wrong in a file, where, and what was expected.
 *
 * Ownership: a `struct diags` owns all that was added to it; what it hands out
 * lives as long as it does.
 *
 * The library never prints.  Whoever called it formats what was collected.
 */
#ifndef RCPTGUARD_DIAGNOSTICS_H
#define RCPTGUARD_DIAGNOSTICS_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
    enum diag_level level;
    char *file;
    unsigned line;   /* from 1; 0: the file as a whole */
    unsigned column; /* from 1, in characters; 0: the line as a whole */
    char *message;
    const char *lint; /* the name of the lint that found it: a constant; NULL if none did */
    char *source;     /* the source line without its newline, or NULL */
    GPtrArray *notes; /* char *: what else there is to say, a line each; or NULL */
    unsigned order;   /* in which it came */
};

/* The most that are kept; the last one kept says that there were more. */
#define DIAGS_LIMIT 1000u

struct diags;

/* An empty collection. */
struct diags *diags_new(void);
void diags_free(struct diags *diags);
AUTO_FREE_DEFINE(diags, diags_free)

/* How many there are; how many of them are errors. */
unsigned diags_count(const struct diags *diags);
unsigned diags_errors(const struct diags *diags);
const struct diag *diags_get(const struct diags *diags, unsigned index);

/*
 * Puts those from index `first` on in the order of their places: first those of
 * `file` by line and column, then the others as they came.
 */
void diags_sort(struct diags *diags, unsigned first, const char *file);

/* Those from index `first` on are shown without their source line: a secret may be in it. */
void diags_hide_lines(struct diags *diags, unsigned first);

/* Moves all of `from` to the end of `diags`. */
void diags_move(struct diags *diags, struct diags *from);

/* Makes every warning an error, but those of the lint `but` (or NULL). */
void diags_promote(struct diags *diags, const char *but);

/* Takes out the warnings of a lint. */
void diags_drop(struct diags *diags, const char *lint);

/* Makes every error a warning. */
void diags_demote(struct diags *diags);

/* Whether there is no room for one more, which is counted as if it had been added. */
bool diags_full(struct diags *diags, enum diag_level level);

/* Takes one that g_new0 gave, its strings with it. */
void diags_take(struct diags *diags, struct diag *diag);

/* Adds a line to what was added last: why that is so. */
void diags_note(struct diags *diags, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Adds an error about a file as a whole: it cannot be opened, is a directory. */
void diags_file_error(struct diags *diags, const char *file, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Likewise about one line of it, from 1; 0: the file as a whole. */
void diags_line_error(struct diags *diags, const char *file, unsigned line, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* `file:line:column: error: message [lint]; note; note`, without a newline: for a log. */
char *diag_format_line(const struct diag *diag);

/* How many characters of a source line are shown. */
#define DIAG_SHOWN_LINE 400

/* The same, followed by the source line, a caret and the notes, each ended by a newline: for a person. */
char *diag_format(const struct diag *diag);

#endif
