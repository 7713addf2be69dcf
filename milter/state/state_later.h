/*
 * state_later - what is to be done with a state, and need not be done at once: learned sets, gathered so that several
 * are written in one transaction, and what was withdrawn while the state was away.  A state that is kept in a file and
 * in a database may have lost one of the two alone, so each has its own list of what was withdrawn.
 *
 * Any thread may use it.
 */
#ifndef RCPTGUARD_STATE_LATER_H
#define RCPTGUARD_STATE_LATER_H

#include "policy/state/state.h"

/* For so long a learned set waits for others, in microseconds. */
#define STATE_LATER_TIME G_USEC_PER_SEC

/* Sets that do not wait; and in one transaction. */
#define STATE_LATER_MANY 64u
#define STATE_LATER_STEP 16u

/* There is no room for more of either. */
#define STATE_LATER_LIMIT 500u

struct state_later;

/* Where a state is kept. */
enum state_place { STATE_IN_FILE, STATE_IN_DATABASE, STATE_PLACES };

/* A learned set, with its parties in the order of their numbers. */
struct state_later_set {
    state_hash scope;
    gint64 time;
    unsigned count;
    state_hash parties[STATE_SET_LIMIT];
};

/* Of a state that is kept in a file, in a database or in both. */
struct state_later *state_later_new(bool in_file, bool in_database);
void state_later_free(struct state_later *later);

/* How many there are with this one; 0: there is no room.  The set has at most STATE_SET_LIMIT parties; what is
 * withdrawn is so in all places, and the longest of their lists counts. */
unsigned state_later_learn(struct state_later *later, const struct state_set *set, gint64 time);
unsigned state_later_withdraw(struct state_later *later, state_hash id);

/* In one place, the others having done it; nothing if there is no room. */
void state_later_withdraw_in(struct state_later *later, enum state_place place, state_hash id);

/* As `known` of a state, among the sets that are here: when the latest was learned, or 0. */
gint64 state_later_known(struct state_later *later, const struct state_set *set, gint64 since);

/* When something is to be done (monotonic, microseconds): 0 for at once, G_MAXINT64 if there is nothing. */
gint64 state_later_due(struct state_later *later);

/* The first sets, at most STATE_LATER_STEP: how many.  They are here until they are dropped. */
unsigned state_later_sets(struct state_later *later, struct state_later_set *sets);
void state_later_drop_sets(struct state_later *later, unsigned count);

/* All that is to be withdrawn there, in `ids` with room for STATE_LATER_LIMIT: how many.  They are here until as many
 * are dropped. */
unsigned state_later_withdrawn(struct state_later *later, enum state_place place, state_hash *ids);
void state_later_drop_withdrawn(struct state_later *later, enum state_place place, unsigned count);

/* Whether there is one in any place. */
bool state_later_is_withdrawing(struct state_later *later);

#endif
