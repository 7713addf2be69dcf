/*
 * explain - tells of one message what the policy says and why.  It listens to
 * the same evaluation that the daemon runs (told.h) and prints what it heard.
 */
#ifndef RCPTGUARD_EXPLAIN_H
#define RCPTGUARD_EXPLAIN_H

#include "policy/cli/terminal.h"
#include "policy/explain/explanation.h"

#include <glib.h>
#include <stdbool.h>

/* How it is shown to people. */
struct explain_look {
    bool all;       /* each visible recipient, however many there are */
    bool colours;   /* terminal.h */
    unsigned width; /* in columns */
};

/* Up to here each visible recipient is shown, beyond it they are summed by party, and so many sums are shown. */
#define EXPLAIN_RECIPIENTS_SHOWN 20u

/* Appends one line of JSON. */
void explain_json(GString *out, const struct told *told);

/* Appends paragraphs for people. */
void explain_text(GString *out, const struct told *told, const struct explain_look *look);

/* The parts of these that have files of their own: the visible recipients, and the rules with their tests. */
void explain_recipients(GString *out, const struct exposure *exposure, const struct explain_look *look);
void explain_rules(GString *out, const struct told *told, const struct explain_look *look);

/* Text from elsewhere in a style; returns its columns. */
unsigned explain_styled(GString *out, const struct explain_look *look, enum terminal_style style, const char *text);

#endif
