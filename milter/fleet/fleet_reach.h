/*
 * fleet_reach - the fleet's database as one person reaches it from this node: with his own credentials or, where the
 * database knows him not, with those of the node.
 *
 * Ownership: fleet_reach_close frees it.
 */
#ifndef RCPTGUARD_FLEET_REACH_H
#define RCPTGUARD_FLEET_REACH_H

#include "milter/fleet/fleet.h"

/* How long a command waits for the database before it goes on without it, in microseconds. */
#define FLEET_REACH_PATIENCE (4 * G_USEC_PER_SEC)

struct fleet_reach {
    struct fleet *fleet;
    bool by_node; /* it is the node's session, which can vouch for the person */
    char *why;    /* with `by_node`: why the person's own credentials did not do */
};

/*
 * Connects for the person of that user id; root and the daemon's user are the node.  NULL with `error`, which is that
 * of the node if his own credentials did not do.
 */
struct fleet_reach *fleet_reach_open(const struct config *config, uid_t person, struct pg_error *error);
void fleet_reach_close(struct fleet_reach *reach); /* also of NULL */
AUTO_FREE_DEFINE(fleet_reach, fleet_reach_close)

#endif
