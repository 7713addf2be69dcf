/*
 * ledger_writer - the daemon's ledger: one message is written at a time, with short
 * waits, and an error message if it cannot be written.
 *
 * Any thread may use it.  It is never freed: see service.h.
 */
#ifndef RCPTGUARD_LEDGER_WRITER_H
#define RCPTGUARD_LEDGER_WRITER_H

#include "milter/common/conf.h"
#include "milter/daemon/held_record.h"
#include "policy/engine/policy.h"

struct keeper;

/*
 * Opens the ledger that the configuration names, and makes it if there is none.
 * NULL, with an error in `diags`, if that is impossible: no directory, not
 * permitted, not safe, of a newer version.  A possibly temporary problem (locked, full,
 * damaged) is logged, and each hold tries again.
 */
struct keeper *keeper_new(const struct config *config, struct diags *diags);

/* What a reload put in force, which stays valid. */
void keeper_use(struct keeper *keeper, const struct config *config);

/* What keeper_new would refuse, without making anything: 0, or -1 with an error in `diags`. */
int keeper_check(const struct config *config, struct diags *diags);

/*
 * Writes a row, with its notice if notices are configured.  NULL: it is on disk.
 * Otherwise the reason, for g_free, and nothing was written.
 *
 * It takes LEDGER_WAIT at most.  One message waits for another process, and
 * those that come meanwhile fail at once.  While a message is being written, which takes
 * a millisecond, the next ones wait.
 */
char *keeper_hold(struct keeper *keeper, const struct hold *hold);

/* Now and then, by a thread that may wait: remembers the policy in force and removes old rows.  0, or -1 if the ledger
 * failed, which is logged. */
int keeper_tidy(struct keeper *keeper, const struct policy *policy);

#endif
