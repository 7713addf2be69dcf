/*
 * ledger_writer - the daemon's ledger: a thread writes the rows of messages that are to be held, those that
 * wait together in one commit, and tidies in small steps between them.
 *
 * Any thread may use it.  In the daemon it is never freed: see service.h.
 */
#ifndef RCPTGUARD_LEDGER_WRITER_H
#define RCPTGUARD_LEDGER_WRITER_H

#include "milter/common/conf.h"
#include "milter/daemon/held_record.h"
#include "milter/daemon/mail_answer.h"
#include "milter/metrics/metrics.h"
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

/* Where failures of the tidying are counted; it stays valid. */
void keeper_count_in(struct keeper *keeper, struct metrics *metrics);

/*
 * Writes a row, with its notice if notices are configured, and takes `hold`.  NULL: it is on disk.
 * Otherwise the reason, for g_free, and there is no such row.
 *
 * It takes LEDGER_WAIT at most, whatever the disk and other processes do.  If the time is up
 * while the row is being committed, the next transaction, which follows at once, removes it.
 * After that, messages wait for a tenth of it only, until a row can be written again.
 */
char *keeper_hold(struct keeper *keeper, struct hold *hold);

/*
 * Writes down what an answer by mail decides, if it counts, and takes `received`.  What came of it, for g_free; it
 * takes LEDGER_WAIT at most.  After ANSWERED_NOT there is no such row, unless it could not be taken back.
 */
struct answered keeper_answer(struct keeper *keeper, struct received_answer *received);

/*
 * Ends the delays that a refusal ends, and takes `trip`: NULL, or the reason why not, for g_free.  It takes LEDGER_WAIT
 * at most; after that they may end nevertheless.
 */
char *keeper_end_delays(struct keeper *keeper, struct ledger_trip *trip);

/*
 * Now and then, by a thread that may wait for two seconds: records that the policy is in force, and begins to
 * remove old rows, which goes on by itself in small steps.  What fails is logged and counted.
 */
void keeper_tidy(struct keeper *keeper, struct policy *policy);

/*
 * What waits is written, what comes later is refused, and the thread ends: true.  False if that takes longer
 * than `limit` seconds.  keeper_free is for those who know that nobody uses it any more.
 */
bool keeper_stop(struct keeper *keeper, unsigned limit);
void keeper_free(struct keeper *keeper);

#endif
