/*
 * ledger_bell - files beside the ledger that are written when there is something to do for rcptguardq agent, or for
 * rcptguardq notify: systemd, and `rcptguardq agent --wait`, wait for that.  Nobody reads them, and nothing is lost if
 * nobody hears them: both run every minute anyway.
 *
 * Ownership: bell_open gives it, bell_free takes it back.
 */
#ifndef RCPTGUARD_LEDGER_BELL_H
#define RCPTGUARD_LEDGER_BELL_H

#include "policy/base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

#define BELL_AGENT  "agent.wake"
#define BELL_NOTICE "notify.wake"

/* For the daemon's user, who owns the directory: root does not write there.  `name` is one of those above. */
void bell_ring(const char *ledger, const char *name);

struct bell;

/* Waits for the agent's bell of a ledger.  NULL with `error`, for g_free. */
struct bell *bell_open(const char *ledger, char **error);

/* Rings when something is written to the ledger, by whomever, and then not again until bell_rang was called: who reads
 * the ledger after that call sees the change that rang. */
struct bell *bell_open_changes(const char *ledger, char **error);
void bell_free(struct bell *bell);
AUTO_FREE_DEFINE(bell, bell_free)

/* Readable when it may have rung; and whether it has. */
int bell_fd(const struct bell *bell);
bool bell_rang(struct bell *bell);

/* Whether it rang, within some seconds, or since the last call. */
bool bell_wait(struct bell *bell, unsigned seconds);

#endif
