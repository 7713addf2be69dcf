/*
 * sendmail_spool - where Sendmail keeps its queue, and the files there: their directories
 * according to sendmail.cf, with queue groups and subdirectories; opened, locked, read.
 *
 * Ownership: a spool frees its directories.
 */
#ifndef RCPTGUARD_SENDMAIL_SPOOL_H
#define RCPTGUARD_SENDMAIL_SPOOL_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The control file of a message that waits, or that is quarantined; the next one
 * while it is written, with the other locked; the body; what was said to other hosts.
 */
#define SPOOL_WAITING     "qf"
#define SPOOL_QUARANTINED "hf"
#define SPOOL_TEMPORARY   "tf"
#define SPOOL_BODY        "df"
#define SPOOL_TRANSCRIPT  "xf"

struct spool;

/* By what sendmail.cf says now.  NULL with `error`, for g_free. */
struct spool *spool_read(const char *configuration, char **error);
void spool_free(struct spool *spool);
AUTO_FREE_DEFINE(spool, spool_free)

/* The ids of all files of a kind: char *.  NULL with `error`. */
GPtrArray *spool_list(const struct spool *spool, const char *kind, bool (*is_sound)(const char *id), char **error);

/*
 * Opens the file of a kind and an id, for reading and writing.  Its descriptor, or
 * -1: with `error` it cannot be opened, without there is none.
 */
int spool_open(const struct spool *spool, const char *kind, const char *id, char **error);

/* Its size in bytes, or -1 if there is none. */
gint64 spool_size(const struct spool *spool, const char *kind, const char *id);

/* Whether there is such a file; whether it is the one that `file` is. */
bool spool_has(const struct spool *spool, const char *kind, const char *id);
bool spool_is(const struct spool *spool, const char *kind, const char *id, int file);

/* Locks it as Sendmail does, until it is closed; false if another process has it. */
bool spool_lock(int file);

/* Removes the file of a kind and an id; 0, 1 if there was none, or -1 with `error`. */
int spool_remove(const struct spool *spool, const char *kind, const char *id, char **error);

#endif
