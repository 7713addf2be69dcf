/*
 * metrics_file - the file that a monitoring system reads: written anew every few
 * seconds by a separate thread, completely or not at all.  See METRICS in rcptguardd(8).
 *
 * Mail never waits for it.  What cannot be written is logged once, and once more
 * when it can be again; the file stays as it was meanwhile.  It stays when the
 * daemon ends, too: its last metric says of when it is.
 */
#ifndef RCPTGUARD_METRICS_FILE_H
#define RCPTGUARD_METRICS_FILE_H

#include "milter/common/conf.h"
#include "milter/metrics/metrics.h"

#include <glib.h>
#include <stdbool.h>

/* Between two writings, in seconds. */
#define METRICS_INTERVAL 15

struct metrics_file;

/* The configuration names the file and the ledger.  Never freed: see service.h. */
struct metrics_file *metrics_file_new(const struct config *config, struct metrics *metrics);

/* The thread's function, of a struct metrics_file: writes at once, at each interval, and when it is asked to. */
gpointer metrics_file_run(gpointer file);

/* Asks for a writing, and does not wait for it. */
void metrics_file_ask(struct metrics_file *file);

/* Asks, and waits until what was counted before is in the file; for `limit` milliseconds at most. */
void metrics_file_wait(struct metrics_file *file, unsigned limit);

#endif
