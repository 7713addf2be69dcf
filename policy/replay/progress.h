/*
 * progress - one line on a terminal that says how far a long run is.
 *
 * Ownership: progress_new gives one, progress_free takes it.
 */
#ifndef RCPTGUARD_PROGRESS_H
#define RCPTGUARD_PROGRESS_H

#include <glib.h>

struct progress;

/* On standard error, if that is a terminal; otherwise it shows nothing. */
struct progress *progress_new(void);
void progress_free(struct progress *progress);

/* Shows how far it is, a few times a second.  `total` is 0 if it is not known. */
void progress_show(struct progress *progress, guint64 messages, guint64 bytes, guint64 total);

/* Takes the line away, so that something else can be printed there. */
void progress_clear(struct progress *progress);

/* The text of the line after that number of microseconds: "12,345 messages  1.23 of 2.10 GB  345 MB/s  0:23 left". */
char *progress_text(guint64 messages, guint64 bytes, guint64 total, gint64 microseconds);

#endif
