/*
 * database_place - where a database is: whether another user could replace its files, and the making of a new one.
 * What is refused is said at database_open.
 */
#ifndef RCPTGUARD_DATABASE_PLACE_H
#define RCPTGUARD_DATABASE_PLACE_H

#include "milter/database/database_error.h"

#include <stdbool.h>
#include <sys/types.h>

/* What SQLite has open: the database, its write-ahead log, and the shared memory of its locks. */
#define PLACE_FILES 3
extern const char *const place_suffixes[PLACE_FILES];

/* The path without symbolic links, for g_free; NULL with an error. */
char *place_real_path(const char *path, uid_t owner, struct database_error *error);

/* Checks that path, and if there is no file makes an empty one, mode 0600, or fails. */
int place_prepare(const char *path, uid_t owner, bool make, struct database_error *error);

/* The checks of database_open, without making anything: 1 if the file exists, 0 if not, -1 with the reason. */
int database_check_place(const char *path, uid_t owner, struct database_error *error);

#endif
