/*
 * braces - texts with variables: `{name}` on one line, and `{{` for a brace.
 */
#ifndef RCPTGUARD_BRACES_H
#define RCPTGUARD_BRACES_H

#include <glib.h>

enum brace_kind {
    BRACE_END,
    BRACE_TEXT,     /* as it is */
    BRACE_VARIABLE, /* the text between braces, without them */
    BRACE_OPEN,     /* a brace that is not closed on its line */
};

struct brace_piece {
    enum brace_kind kind;
    const char *from; /* a part of the text */
    size_t length;
};

/* The next piece of the text that `rest` points to; `rest` then points after it. */
struct brace_piece braces_next(const char **rest);

#endif
