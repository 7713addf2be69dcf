/*
 * site_state - the state that [state] of rcptguard.conf(5) names, opened for a command together with its key: the file,
 * the database that several servers share, or both.
 *
 * The database is asked in a process of the daemon's user, with his credentials.  While it is away a command fails:
 * what it is to change has to be changed everywhere.
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

/* How its errors name the database. */
#define SITE_STATE_DATABASE "the database of [state]"

struct site_state;

/* As database_open; `owner` is the daemon's user.  NULL with the reason. */
struct site_state *site_state_open(const struct config *config, uid_t owner, enum database_mode mode,
                                   struct database_error *error);
void site_state_close(struct site_state *state);
AUTO_FREE_DEFINE(site_state, site_state_close)

/* To be handed to the library, and its key. */
const struct state *site_state_get(const struct site_state *state);
const struct state_key *site_state_key(const struct site_state *state);

/* What a call that was STATE_AWAY has as its reason. */
const struct database_error *site_state_error(struct site_state *state);

/* Whether it is in a database; whether it is in a file, which may be both. */
bool site_state_is_shared(const struct site_state *state);
bool site_state_has_file(const struct site_state *state);

/* As the functions of state.h, in the file and in the database. */
enum state_outcome site_state_withdraw(struct site_state *state, state_hash id);
enum state_outcome site_state_learn(struct site_state *state, const struct state_set *set, gint64 time);
enum state_outcome site_state_forget(struct site_state *state, const state_hash *hashes, unsigned count,
                                     unsigned *gone);

/* As state_file_overridden, of all servers. */
GArray *site_state_overridden(struct site_state *state, gint64 since);

/* As state_file_check; without a file it is sound. */
int site_state_check(struct site_state *state, struct database_error *error);

#endif
