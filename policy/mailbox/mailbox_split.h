/*
 * mailbox_split - cuts a file of mail into messages: one message, an mbox (mboxo,
 * mboxrd, mboxcl: a Content-Length is not believed), an MMDF mailbox, or what
 * postcat(1) prints.  file_kind.h says what a file is, mailbox_lines.h where a message
 * of an mbox begins.  The headers are kept, unchanged; bodies are skipped unless they are asked for.
 *
 * Header fields end where an MTA's headers end: at an empty line, or at a line
 * that is neither a field nor the continuation of one; the latter is reported.
 * What is no message is none: text without any field that mail has is reported,
 * and so is a line that looks like the beginning of a message and is not
 * counted.
 *
 * Cutting is quick and making messages is not, so they are two things: one
 * thread may do the first, and many the second (mailbox_batch.h).
 *
 * Ownership: a message is its taker's.
 */
#ifndef RCPTGUARD_MAILBOX_SPLIT_H
#define RCPTGUARD_MAILBOX_SPLIT_H

#include "policy/base/cleanup.h"
#include "policy/base/diagnostics.h"
#include "policy/mailbox/mailbox_batch.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

/* The headers of a text in memory that is one message.  Never NULL. */
struct message *mailcut_message(const char *text, size_t length);

struct mailcut;

/*
 * Opens a file; "-" is standard input.  NULL, with a diagnostic in `diags`, if it cannot be read.  `found` says that it
 * was found among others: if it is empty, or no mail, nothing is wrong.  `stop` ends the waiting for standard input; or
 * NULL.
 */
struct mailcut *mailcut_open(const char *path, bool found, const atomic_bool *stop, struct diags *diags);

/* Has it keep bodies too, up to MESSAGE_BODY_LIMIT each: of the messages that begin from now on. */
void mailcut_keep_bodies(struct mailcut *cut);
void mailcut_free(struct mailcut *cut);
AUTO_FREE_DEFINE(mailcut, mailcut_free)

/*
 * Adds messages to a batch until it is full or a few megabytes have been read over.  False at the end of the file;
 * there is a diagnostic in `diags` then if it held no message, could not be read to its end, or changed meanwhile.
 */
bool mailcut_next(struct mailcut *cut, struct mailbatch *batch, struct diags *diags);

/* Whether it was found and is no mail; known at its end. */
bool mailcut_passed(const struct mailcut *cut);

/* Bytes of the file that have been read, packed as they are. */
guint64 mailcut_position(const struct mailcut *cut);

#endif
