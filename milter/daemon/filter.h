/*
 * filter - the callbacks of libmilter: they collect what the MTA sends, evaluate
 * the policy, and carry out its verdict.  The only file that knows libmilter.
 *
 * See libmilter's API documentation (xxfi_*, smfi_*); rcptguardd(8) for what
 * each disposition becomes.
 */
#ifndef RCPTGUARD_FILTER_H
#define RCPTGUARD_FILTER_H

#include "milter/daemon/service.h"

/* The field that a `tag` adds, and that is removed from messages. */
#define FILTER_TAG_FIELD "X-Rcptguard"

/*
 * Registers the callbacks and opens the socket, which a member of the socket's
 * group may connect to.  0, or -1; libmilter has logged why to syslog.
 */
int filter_open(struct service *service);

/* Serves until the process is asked to stop.  0, or -1 if libmilter gave up. */
int filter_run(void);

/* libmilter's version, such as "1.0.1". */
const char *filter_library_version(void);

#endif
