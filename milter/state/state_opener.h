/*
 * state_opener - connects to the database of [state] in a separate thread: a server that is far away or busy, and the
 * name of one that is looked up, need more time for that than a message has.
 *
 * One thread uses it.
 */
#ifndef RCPTGUARD_STATE_OPENER_H
#define RCPTGUARD_STATE_OPENER_H

#include "milter/state/state_database.h"

enum state_opened {
    OPENER_IDLE,   /* nothing is under way */
    OPENER_BUSY,   /* it is connecting */
    OPENER_FAILED, /* it could not; it is idle from now on */
    OPENER_DONE,   /* it has; it is idle from now on */
};

struct state_opener;

/* What `place` points at is there as long as the opener.  It connects within `wait` milliseconds, and the time in which
 * the system looks up a name. */
struct state_opener *state_opener_new(const struct state_database_place *place, unsigned wait);

/* Waits for what is under way.  NULL is nothing. */
void state_opener_free(struct state_opener *opener);

/* Begins to connect, unless it is at it. */
void state_opener_begin(struct state_opener *opener);

/*
 * What became of it, which is waited for until then (monotonic, microseconds): with OPENER_DONE the database is the
 * caller's, with OPENER_FAILED `error` is set.
 */
enum state_opened state_opener_look(struct state_opener *opener, gint64 until, struct state_database **database,
                                    struct pg_error *error);

#endif
