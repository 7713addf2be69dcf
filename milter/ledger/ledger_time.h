/*
 * ledger_time - what the time decides of held messages: that they expire, or are released after a delay; and when
 * rcptguardq agent, which does it, has run.
 *
 * A clock can leap.  So of the time since an announcement only that counts in which the agent has run: a gap is what a
 * stop, and a leap, leave in its times.  A shorter one puts the announcement off, a longer one voids it.
 *
 * Ownership, times, errors: as in ledger.h.
 */
#ifndef RCPTGUARD_LEDGER_TIME_H
#define RCPTGUARD_LEDGER_TIME_H

#include "milter/ledger/ledger.h"

/* So long after its last run, in microseconds, the agent was stopped; and this is a gap that voids announcements. */
#define LEDGER_AGENT_GAP  (3 * G_TIME_SPAN_MINUTE)
#define LEDGER_STEADY_GAP G_TIME_SPAN_DAY

struct ledger_agent {
    gint64 last;    /* its last run; 0: it never ran */
    gint64 running; /* since when it runs without a gap */
    gint64 steady;  /* since when it runs without one of LEDGER_STEADY_GAP */
    gint64 expired; /* when it last let messages expire */
};

/* Reads it. */
int ledger_agent_read(struct ledger *ledger, struct ledger_agent *agent, struct database_error *error);

/* The agent runs now: records that, and gives what holds from now on. */
int ledger_agent_run(struct ledger *ledger, gint64 now, struct ledger_agent *agent, struct database_error *error);

/* Messages expire now. */
int ledger_agent_expires(struct ledger *ledger, gint64 now, struct database_error *error);

/* A digest was sent that announces that these rows (a GArray of gint64) expire: what was announced since `steady`
 * keeps its time. */
int ledger_announced(struct ledger *ledger, const GArray *rows, gint64 steady, gint64 now,
                     struct database_error *error);

/* struct ledger_row *, the oldest first: those on hold of which that was announced since `steady`, not after `until`.
 */
GPtrArray *ledger_expiring(struct ledger *ledger, gint64 steady, gint64 until, struct database_error *error);

/* struct ledger_row *, the oldest first: those on hold that leave by themselves, not after `until`. */
GPtrArray *ledger_leaving(struct ledger *ledger, gint64 until, struct database_error *error);

/* A window of many messages has stopped one: what the same author sent in its time does not leave by itself any more.
 */
struct ledger_trip {
    char *sent_by; /* who counts as its author, as in struct ledger_message; or NULL */
    char *rule;
    gint64 judged;
    unsigned seconds; /* of the window */
};
void ledger_trip_free(gpointer trip);

/* Ends those delays, and wants a notice of that for who had one; the row `except` is that of the message itself, or 0.
 * In the transaction that there is, or in one of its own. */
int ledger_end_delays(struct ledger *ledger, const struct ledger_trip *trip, gint64 except,
                      struct database_error *error);

/* When the next one of them leaves, after that time; 0: there is none. */
int ledger_next_leaving(struct ledger *ledger, gint64 after, gint64 *next, struct database_error *error);

#endif
