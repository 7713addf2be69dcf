/*
 * metrics_read - what the daemon's metrics file says, for who is not a monitoring system: the messages by verdict.
 */
#ifndef RCPTGUARD_METRICS_READ_H
#define RCPTGUARD_METRICS_READ_H

#include "policy/message/disposition.h"

#include <glib.h>
#include <stdbool.h>

/* Bytes of such a file that are read: a few hundred for each rule. */
#define METRICS_READ_LIMIT (4u * 1024 * 1024)

struct metrics_verdicts {
    gint64 started;                 /* when the daemon began to count; this and the next in microseconds since 1970 */
    gint64 written;                 /* when the file was written */
    guint64 messages[DISPOSITIONS]; /* of all rules */
};

/* Reads the file: 0, or -1 with `error`, for g_free.  What else is in it is skipped. */
int metrics_read(const char *path, struct metrics_verdicts *verdicts, char **error);

#endif
