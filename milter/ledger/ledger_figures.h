/*
 * ledger_figures - what a monitoring system learns of the ledger: what waits and why, and what was decided.
 *
 * Errors: as in ledger.h.
 */
#ifndef RCPTGUARD_LEDGER_FIGURES_H
#define RCPTGUARD_LEDGER_FIGURES_H

#include "milter/ledger/ledger.h"

/* Actions of the history that somebody, or the time, decided. */
enum ledger_figure {
    FIGURE_APPROVE,
    FIGURE_RELEASE,
    FIGURE_RETURN,
    FIGURE_DELETE,
    FIGURE_REFUSE, /* by rcptguardq agent: a decision that may not be carried out */
    LEDGER_FIGURES
};

/* "approve", "release", ...: the history's words. */
const char *ledger_figure_name(enum ledger_figure figure);

struct ledger_figures {
    unsigned waiting; /* open rows */
    gint64 oldest;    /* `judged` of the oldest of them; 0: there is none */
    unsigned delayed; /* of the waiting ones: leave by themselves */
    unsigned stopped; /* of the waiting ones: would have left, but a rule has ended that */
    gint64 agent;     /* last run of rcptguardq agent; 0: there was none */

    /* Counted from the first call on, by way and action. */
    guint64 decisions[LEDGER_WAYS][LEDGER_FIGURES];
    gint64 last;   /* id of the last event that was counted */
    bool counting; /* `last` is known */
};

/* Brings the figures up to date, which are zeroes for the first call: 0, or -1 with all of them as they were. */
int ledger_figures_update(struct ledger *ledger, struct ledger_figures *figures, struct database_error *error);

#endif
