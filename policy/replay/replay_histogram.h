/*
 * replay_histogram - how the counts of a replay are drawn: bins that grow with the
 * numbers, parted at the thresholds of the policy; bars; the ladder of "at N
 * parties you would have held k".
 *
 * Ownership: every function gives a new array, to be freed with g_array_unref.
 */
#ifndef RCPTGUARD_REPLAY_HISTOGRAM_H
#define RCPTGUARD_REPLAY_HISTOGRAM_H

#include "policy/engine/policy.h"
#include "policy/replay/replay_totals.h"

#include <glib.h>

/* A number at which a policy begins to treat messages differently, and the thresholds there. */
struct edge {
    unsigned number;
    GArray *thresholds; /* unsigned: their indexes in the policy */
};

/* The thresholds that are drawn into the counts of one kind over `external`, by number (struct edge). */
GArray *histogram_edges(const struct policy *policy, enum count count);

struct bin {
    unsigned from, to;
    guint64 by[DISPOSITIONS];
    guint64 messages; /* their sum */
};

/*
 * 0, 1, 2, 3-4, 5-9, 10-19, 20-49, 50-99, 100-199, ..., and a new one at each
 * edge, up to the last message or the last edge (struct bin).
 */
GArray *histogram_bins(const struct spread *spread, const GArray *edges);

/* The messages of the fullest bin. */
guint64 histogram_fullest(const GArray *bins);

/* How long a bar is, of `whole` for the fullest bin: logarithmic, and at least 1 unless it has no message. */
unsigned histogram_length(guint64 messages, guint64 fullest, unsigned whole);

/*
 * Parts a bar of that length among the verdicts, each in its share and at least
 * 1 if it has a message and there is room.
 */
void histogram_parts(const struct bin *bin, unsigned length, unsigned parts[DISPOSITIONS]);

struct rung {
    unsigned number;
    guint64 messages; /* those of at least that number */
    bool edge;        /* the policy has a threshold there */
};

/* 2, 3, 5, 10, 15, 20, 30, 50, 100, ... and the edges, up to the last message or the last edge (struct rung). */
GArray *histogram_ladder(const struct spread *spread, const GArray *edges);

#endif
