/*
 * message_filter - which messages a command is about: the options --sender, --rule,
 * --older, --newer that the commands of rcptguardq(8) share.
 */
#ifndef RCPTGUARD_MESSAGE_FILTER_H
#define RCPTGUARD_MESSAGE_FILTER_H

#include "milter/queue/reconcile.h"

#include <glib.h>
#include <stdbool.h>

/* For an array of GOptionEntry. */
#define SELECTION_ENTRIES                                                                                              \
    {"sender", 0, 0, G_OPTION_ARG_STRING, &selection_sender, "Those of an address, or of a domain: @corp.example",     \
     "ADDR"},                                                                                                          \
        {"rule", 0, 0, G_OPTION_ARG_STRING, &selection_rule, "Those that a rule held", "RULE"},                        \
        {"older", 0, 0, G_OPTION_ARG_STRING, &selection_older, "Those held for longer: 90s, 15m, 2h, 3d", "AGE"},      \
    {                                                                                                                  \
        "newer", 0, 0, G_OPTION_ARG_STRING, &selection_newer, "Those not held for longer", "AGE"                       \
    }

extern char *selection_sender, *selection_rule, *selection_older, *selection_newer;

/* Whether any of them was given. */
bool selection_given(void);

/*
 * The options as a filter of the ledger, for what is now (in microseconds).  0, or
 * -1 with `error`, for g_free, saying which option is wrong.
 */
int selection_filter(struct ledger_filter *filter, gint64 now, char **error);

/* Whether an item passes the filter.  An untracked message has no rule. */
bool selection_has(const struct ledger_filter *filter, const struct view_item *item);

/* A time span in microseconds: 90s, 15m, 2h, 3d.  -1 if it is none. */
gint64 selection_span(const char *text);

/* "45 s", "12 min", "2 h", "3 d": the largest unit, rounded down. */
char *selection_age(gint64 microseconds);

#endif
