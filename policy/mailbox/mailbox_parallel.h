/*
 * mailbox_parallel - the messages of many files, worked on by many threads, and their
 * results in the order of the messages.
 *
 * The order is that of mailfile_read: paths as given, directories by name, messages in
 * the order of their file.  However many threads there are, `deliver` is
 * given the same results in the same order, and always in the thread that
 * called mailrun_run: what only `deliver` and `progress` touch needs no lock.
 *
 * Ownership: the run owns messages and frees each when `work` has returned; a
 * result is `deliver`'s.  Each result of `work` is delivered exactly once.
 *
 * Memory does not grow with the mailbox: what is read ahead is bounded, and so
 * is the number of results that wait for their turn (MAILRUN_AHEAD).  All names of
 * one directory at a time are kept.
 */
#ifndef RCPTGUARD_MAILBOX_PARALLEL_H
#define RCPTGUARD_MAILBOX_PARALLEL_H

#include "policy/base/diagnostics.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Threads that a run may have. */
#define MAILRUN_JOBS_LIMIT 256u

/* Results that wait until those before them are delivered: what one holds in memory times this is the caller's. */
#define MAILRUN_AHEAD 8192u

struct mailrun {
    /* Threads that read and work; 0: one for each processor; 1: none but the caller's. */
    unsigned jobs;

    /* Ends the run soon once it is true: what has been read is still worked on and delivered.  Or NULL.  A signal
       handler may set it. */
    const atomic_bool *stop;

    /*
     * In any thread, and in several at once: makes a result of one message, which it may change.  `file` is the path
     * as it was given or found ("-" for standard input) and lives until `work` returns; `index` counts the messages of
     * one file from 0; `size` is that of the whole message in its file, in bytes.  The result may be NULL; it is
     * delivered like any other.
     */
    void *(*work)(void *data, struct message *message, const char *file, unsigned index, guint64 size);

    /* In the caller's thread, in order. */
    void (*deliver)(void *data, void *result);

    /* In the caller's thread, in order: a file that was found in a directory and is not mail.  Or NULL. */
    void (*pass)(void *data, const char *file);

    /*
     * In the caller's thread, after every few results, between them when they are long in coming, and at the end.  Or
     * NULL.  `bytes_read` counts bytes of files, packed as they are; `bytes_total` is how many there were when the run
     * began, 0 if that cannot be known (standard input).
     */
    void (*progress)(void *data, guint64 messages, guint64 bytes_read, guint64 bytes_total);

    void *data; /* for all of them */

    bool bodies; /* messages have them */
};

/*
 * Runs over `paths` (ended by NULL): files, mboxes, Maildirs and directories of them, compressed or not; "-" is
 * standard input. A file that cannot be read to its end is a warning in `diags`, and the others are read.  Returns
 * false if there was any of these.
 */
bool mailrun_run(const struct mailrun *run, const char *const *paths, struct diags *diags);

#endif
