/*
 * self_decided - what senders decided themselves of late: held messages that they released by mail, and refusals that
 * they overrode.
 *
 * Ownership: the caller owns the text, and hands it in empty.
 */
#ifndef RCPTGUARD_SELF_DECIDED_H
#define RCPTGUARD_SELF_DECIDED_H

#include "milter/review/rcptguardq_tool.h"

struct self_decided {
    unsigned released;
    unsigned overridden; /* of the latest 20 refusals of each author */
};

/* Since that time, in microseconds since 1970; as lines for a mail. */
struct self_decided self_decided_find(const struct tool *tool, gint64 since, GString *text);

#endif
