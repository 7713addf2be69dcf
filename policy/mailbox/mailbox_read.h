/*
 * mailbox_read - messages from files, one after the other: RFC 5322 files, mbox,
 * Maildir, directories of them, standard input, compressed or not.  See mailbox_walk.h for
 * what is read, mailbox_split.h for what a message is; mailbox_parallel.h does it with many
 * threads.
 */
#ifndef RCPTGUARD_MAILBOX_READ_H
#define RCPTGUARD_MAILBOX_READ_H

#include "policy/base/diagnostics.h"
#include "policy/message/message.h"

#include <stdbool.h>

/*
 * Is given each message in turn and owns it then.  `file` is the path as it was
 * given or found, `index` counts the messages of one file from 0.  Returns false
 * to stop.
 */
typedef bool (*mailfile_take)(void *data, struct message *message, const char *file, unsigned index);

/*
 * Reads one path; "-" is standard input, a directory is read with all that is
 * below it, in the order of names.  Mail that cannot be read, or that may have been read
 * incorrectly, is an error in `diags`, and reading goes on.
 * A file in a directory that is not mail is skipped.  Returns false if `take` did.
 */
bool mailfile_read(const char *path, mailfile_take take, void *data, struct diags *diags);

/* Called with the path of a file that was found in a directory and is not mail. */
typedef void (*mailfile_pass)(void *data, const char *file);

/* Likewise; `pass`, or NULL, is given what was passed over, in its place among the messages. */
bool mailfile_read_noting(const char *path, mailfile_take take, mailfile_pass pass, void *data, struct diags *diags);

/* What is read of a message. */
enum mailfile_extent { MAILFILE_HEADERS, MAILFILE_BODIES };

/* Likewise; with MAILFILE_BODIES each message has its body. */
bool mailfile_read_extent(const char *path, enum mailfile_extent extent, mailfile_take take, mailfile_pass pass,
                          void *data, struct diags *diags);

/*
 * Completes a message from a file: the envelope sender is `sender`, or what the
 * file says, or the first author; the envelope recipients are `recipients` (ended
 * by NULL), or what the file says, or unknown: those that can be read in the
 * headers, Bcc included.
 */
void mailfile_envelope(struct message *message, const char *sender, const char *const *recipients);

#endif
