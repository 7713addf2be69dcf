/*
 * supervisor - the parent: it owns the signals and the lock, starts the milter
 * child, passes on what it says, and ends when the child does.
 */
#ifndef RCPTGUARD_SUPERVISOR_H
#define RCPTGUARD_SUPERVISOR_H

#include "milter/common/conf.h"

#include <stdbool.h>

/*
 * Runs the service, as the daemon's user and before any thread exists.  With
 * `foreground` it returns when the service has ended, else as soon as the
 * service is ready in the background or has failed.
 *
 * Returns the exit code; what went wrong has been logged, and while starting was
 * written to standard error.
 */
int supervisor_run(const struct config *config, unsigned descriptors, bool foreground);

#endif
