/*
 * replay - what the ways to print a replay share: for people, for machines, as
 * a page.
 *
 * Ownership: a replay borrows all that it points to; whoever appends gives the
 * string.
 */
#ifndef RCPTGUARD_REPLAY_H
#define RCPTGUARD_REPLAY_H

#include "policy/base/diagnostics.h"
#include "policy/replay/replay_histogram.h"
#include "policy/replay/replay_result.h"
#include "policy/replay/replay_state.h"
#include "policy/replay/replay_totals.h"

#include <glib.h>
#include <stdbool.h>

/* Senders in a list for people, and in one for machines or on a page. */
#define SENDERS_SHOWN  10u
#define SENDERS_LISTED 100u

struct replay {
    const struct tally *tally;
    const struct diags *diags;  /* what could not be read */
    guint64 passed;             /* files that were found and are no mail */
    guint64 repeated;           /* messages that were there before and are not counted */
    char **unknown;             /* words of tests in rules that a mailbox has no value for, ended by NULL */
    unsigned unknown_rules;     /* how many rules have them */
    struct play_figures played; /* by `known` and by windows */
    guint64 out_of_order;       /* messages that were sent before one that is before them in the mailbox */
    guint64 undated;            /* messages without a date, taken to be as old as the one before them */
    bool partial;               /* it was interrupted */
    bool recipients;            /* they may be shown */
    bool colours;
    unsigned width; /* of the terminal; 0: it is none */
};

/* ---- parts */

/* "40,000", right-aligned in `columns` columns. */
void replay_append_number(GString *out, guint64 number, unsigned columns);

/* "1 message", "40,000 messages". */
void replay_append_messages(GString *out, guint64 messages);

/*
 * What is to be known before the figures, a sentence each, ended by NULL and to be freed with g_strfreev: "2 rules test
 * what a mailbox does not say: user, client.", "6 files that are no mail were passed over.", "12 messages were there
 * before and are not counted again."
 */
char **replay_notices(const struct replay *replay);

/* "2025-11-23 to 2026-11-22", "2026-11-22", or "". */
char *replay_days(const struct tally *tally);

/* "98.5 %", "0.22 %", "99.96 %", "< 0.01 %"; "-" of nothing, and "100 %" of all. */
void replay_append_share(GString *out, guint64 part, guint64 whole, unsigned columns);

/*
 * The name of an edge: "10: wide-cc, quarantine; trial, would quarantine", with "if other tests hold too" where the
 * number alone does not decide.
 */
void replay_append_edge(GString *out, const struct policy *policy, const struct edge *edge);

/* "Sent" of the first message of a file, "Sent [17]" of others; not yet fit for a terminal. */
void replay_append_place(GString *out, const struct replayed *replayed);

/* "accept by default", "accept, not outbound". */
void replay_append_ruling(GString *out, const struct ruling *ruling);

/* "customer.example: 3, free1.example: 5 individuals, 4 more", at most `limit`; not escaped for a terminal. */
void replay_append_parties(GString *out, const struct replayed *replayed, unsigned limit);

/* "ann@x.example, bob@y.example, 17 more"; not yet fit for a terminal. */
void replay_append_recipients(GString *out, const struct replayed *replayed);

/* ---- the whole, and one message of it */

void replay_append_text(GString *out, const struct replay *replay);
void replay_append_message_text(GString *out, const struct replay *replay, const struct replayed *replayed);

/* One line each. */
void replay_append_json(GString *out, const struct replay *replay);
void replay_append_message_json(GString *out, const struct replay *replay, const struct replayed *replayed);

/* A whole HTML document. */
void replay_append_html(GString *out, const struct replay *replay);

#endif
