/*
 * site_state - the state that [state] of rcptguard.conf(5) names: its file and its key, opened together.
 */
#ifndef RCPTGUARD_SITE_STATE_H
#define RCPTGUARD_SITE_STATE_H

#include "milter/common/conf.h"
#include "milter/state/state_file.h"
#include "policy/base/cleanup.h"
#include "policy/state/state.h"
#include "policy/state/state_keys.h"

/* Milliseconds that one call waits for other processes. */
#define SITE_STATE_WAIT 200u

struct site_state {
    struct state_file *file;
    struct state_key *key;
    struct state state; /* of the two, to be handed to the library */
};

/* As database_open; `owner` is the daemon's user.  NULL with the reason. */
struct site_state *site_state_open(const struct config *config, uid_t owner, enum database_mode mode,
                                   struct database_error *error);
void site_state_close(struct site_state *state);
AUTO_FREE_DEFINE(site_state, site_state_close)

#endif
