/*
 * daemon_state - what the daemon remembers between messages, as `rcptguard explain --state` asks it.
 *
 * milter/state has the functions: only a program that was built with the daemon has them (WITH_DAEMON).
 *
 * Ownership: free it with daemon_state_close; what is handed out is valid until then.
 */
#ifndef RCPTGUARD_DAEMON_STATE_H
#define RCPTGUARD_DAEMON_STATE_H

#include "policy/base/diagnostics.h"
#include "policy/state/state.h"

struct daemon_state;

/* For the beginning of main: a program that was started by itself to ask a database never returns from it. */
void daemon_state_serve(int argc, char **argv);

/* The state of the daemon with this rcptguard.conf, or the installed one (NULL); NULL after an error in `diags`. */
struct daemon_state *daemon_state_open(const char *config_path, struct diags *diags);
void daemon_state_close(struct daemon_state *state);

const struct state *daemon_state_get(const struct daemon_state *state);

/* Appends the libraries that it is kept with, and their versions, for --version. */
void daemon_state_add_versions(GString *out);

#endif
