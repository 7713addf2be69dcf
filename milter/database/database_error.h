/*
 * database_error - why a call of the database or of a module above it failed: one word and one sentence.
 */
#ifndef RCPTGUARD_DATABASE_ERROR_H
#define RCPTGUARD_DATABASE_ERROR_H

#include <glib.h>

/* Why a call failed. */
enum database_failure {
    DATABASE_NONE,
    DATABASE_BUSY,      /* another process has held the lock for too long */
    DATABASE_FULL,      /* no room on the disk */
    DATABASE_READ_ONLY, /* the file, its directory or its file system cannot be written */
    DATABASE_CORRUPT,   /* it is not a database, or damaged */
    DATABASE_MISSING,   /* the file or its directory does not exist */
    DATABASE_INSECURE,  /* another user could replace the file, or owns it */
    DATABASE_FOREIGN,   /* of a newer version, or another program's */
    DATABASE_REPLACED,  /* the file was deleted or replaced since it was opened */
    DATABASE_OTHER,     /* any other: see the text */
};

struct database_error {
    enum database_failure failure;
    char text[512]; /* one line; names the file, and ends without a full stop */
};

/* "busy", "full", "read-only", ... */
const char *database_failure_name(enum database_failure failure);

/* The error for errno; for the modules above.  Returns -1, as they do then. */
int database_error_set(struct database_error *error, enum database_failure failure, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* What an errno of the file system means. */
enum database_failure database_failure_of(int number);

#endif
