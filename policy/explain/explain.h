/*
 * explain - prints what the policy does with one message, and why, from the record of
 * the same evaluation that the daemon runs (explanation.h).
 */
#ifndef RCPTGUARD_EXPLAIN_H
#define RCPTGUARD_EXPLAIN_H

#include "policy/explain/explain_style.h"
#include "policy/explain/explanation.h"

#include <glib.h>

/* Up to this number each visible recipient is shown; more are summed by party, and this number of sums is shown. */
#define EXPLAIN_RECIPIENTS_SHOWN 20u

/* Appends one line of JSON; with `people` each of those who are inside. */
void explain_json(GString *out, const struct explanation *explanation, bool people);

/* Appends paragraphs for people. */
void explain_text(GString *out, const struct explanation *explanation, const struct explain_look *look);

/* "calendar, text" of bits of enum part_kind, "encrypted, types" of enum opaque_kind; free with g_free. */
char *explain_part_names(unsigned kinds);
char *explain_opaque_names(unsigned kinds);

/* How many people are in a header field that the policy counts inside, by its place among these. */
unsigned explain_field_count(const struct explanation *explanation, unsigned place);

/*
 * The parts of these that are in separate files: the visible recipients, what is shown beside them, and the rules with
 * their tests.
 */
void explain_recipients(GString *out, const struct exposure *exposure, const struct explain_look *look);
void explain_body(GString *out, const struct explanation *explanation, const struct explain_look *look);
void explain_rules(GString *out, const struct explanation *explanation, const struct explain_look *look);

#endif
