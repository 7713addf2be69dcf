/*
 * explain - tells of one message what the policy says and why.  It listens to
 * the same evaluation that the daemon runs (explanation.h) and prints what it heard.
 */
#ifndef RCPTGUARD_EXPLAIN_H
#define RCPTGUARD_EXPLAIN_H

#include "policy/explain/explain_style.h"
#include "policy/explain/explanation.h"

#include <glib.h>

/* Up to here each visible recipient is shown, beyond it they are summed by party, and so many sums are shown. */
#define EXPLAIN_RECIPIENTS_SHOWN 20u

/* Appends one line of JSON. */
void explain_json(GString *out, const struct told *told);

/* Appends paragraphs for people. */
void explain_text(GString *out, const struct told *told, const struct explain_look *look);

/* The parts of these that have files of their own: the visible recipients, and the rules with their tests. */
void explain_recipients(GString *out, const struct exposure *exposure, const struct explain_look *look);
void explain_rules(GString *out, const struct told *told, const struct explain_look *look);

#endif
