/*
 * explain_style - how an explanation is shown to people.
 */
#ifndef RCPTGUARD_EXPLAIN_STYLE_H
#define RCPTGUARD_EXPLAIN_STYLE_H

#include "policy/cli/terminal.h"

#include <glib.h>
#include <stdbool.h>

/* How it is shown to people. */
struct explain_look {
    bool all;       /* each visible recipient, however many there are */
    bool colours;   /* terminal.h */
    unsigned width; /* in columns */
};

/* Text from elsewhere in a style; returns its columns. */
unsigned explain_styled(GString *out, const struct explain_look *look, enum terminal_style style, const char *text);

#endif
