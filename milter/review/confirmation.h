/*
 * confirmation - asks a person whether several messages are to be decided: they are grouped by rule
 * and subject with counts, all of them can be seen page by page, and some can be chosen by number.
 *
 * The numbers belong to the question: each means the message beside which the person saw it, and none
 * is kept for another command, when it could mean another message.
 *
 * The pages are printed by this program.  A pager would run as root, and most of them start a shell or
 * an editor when they are asked to.
 */
#ifndef RCPTGUARD_CONFIRMATION_H
#define RCPTGUARD_CONFIRMATION_H

#include "milter/review/rcptguardq_tool.h"

#include <glib.h>
#include <stdio.h>

/*
 * Asks on standard error, and reads from `answers` until it is clear.  `items` (const struct view_item *)
 * have rows.  Gives those that are to be decided, grouped, in an array of its own; NULL if it is none.
 */
GPtrArray *confirmation_ask(const GPtrArray *items, enum ledger_action action, FILE *answers);

#endif
