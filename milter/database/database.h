/*
 * database - the only user of SQLite: opening a file safely, statements,
 * transactions, and errors as one word and one sentence.
 *
 * A database is used by one thread at a time; several processes may have it
 * open.  It is in WAL mode with synchronous=FULL: what was committed is on the
 * disk.  See sqlite.org/wal.html and sqlite.org/pragma.html.
 *
 * Ownership: database_close frees a database and its statements.  Text that a
 * statement hands out lives until its next step or reset.
 */
#ifndef RCPTGUARD_DATABASE_H
#define RCPTGUARD_DATABASE_H

#include "milter/database/database_error.h"
#include "milter/database/database_place.h"
#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct database;
struct statement;

enum database_mode {
    DATABASE_CREATE,   /* makes the file, mode 0600, if there is none; never a directory */
    DATABASE_EXISTING, /* a missing file is DATABASE_MISSING */
};

/*
 * Opens `path`, which is absolute.  Refuses a file that is not a regular one, that
 * belongs to neither `owner` nor root, or that others may write; and a directory, up to
 * the root, in which another user could replace it.  For root, files that SQLite makes
 * beside it belong to the file's owner.  `wait` is how long, in milliseconds, one
 * transaction waits for locks in total, and so does opening.  ":memory:" is a private database without a file.
 */
struct database *database_open(const char *path, uid_t owner, enum database_mode mode, unsigned wait,
                               struct database_error *error);
void database_close(struct database *database);
AUTO_FREE_DEFINE(database, database_close)

/* The path without symbolic links. */
const char *database_path(const struct database *database);

/* Another time to wait; and what to call when a transaction begins to wait for another process. */
void database_set_wait(struct database *database, unsigned wait);
void database_on_wait(struct database *database, void (*on_wait)(void *data), void *data);

/*
 * Whether the open files are still those of the path: 0, or -1
 * with DATABASE_REPLACED.  Anything written to other files is lost.
 */
int database_check_files(struct database *database, struct database_error *error);

/* Whether somebody else has written the files since database_files_known. */
enum database_change { DATABASE_SAME, DATABASE_CHANGED, DATABASE_SHORTER };

/* Unless they are the same, what is remembered of them is forgotten: the next statement reads what is there now. */
enum database_change database_files_changed(struct database *database);

/* Both, with one look at each file: 0 with the change, or -1 as database_check_files. */
int database_look_at_files(struct database *database, enum database_change *change, struct database_error *error);

/* Marks what the files are now as known: for who has just written them. */
void database_files_known(struct database *database);

/* Within a transaction: whether the write-ahead log holds what was committed to it.  0, or -1 with DATABASE_CORRUPT. */
int database_check_log(struct database *database, struct database_error *error);

/*
 * Within a transaction: whether the memory that SQLite shares finds what is in the log.  0, or -1 with
 * DATABASE_CORRUPT: nothing is lost, and who opens the database when nobody else has it open makes that memory anew.
 */
int database_check_index(struct database *database, struct database_error *error);

/* Whether the log was found not to hold it, or to end too early: committed rows are lost. */
bool database_lost_log(const struct database *database);

/* When it is closed, nothing of the log goes into the database. */
void database_keep_log(struct database *database);

/* Statements without parameters and results, ended by semicolons. */
int database_run(struct database *database, const char *sql, struct database_error *error);

/* PRAGMA integrity_check: 0 if it is sound; else -1, with the first finding as the text. */
int database_check_integrity(struct database *database, struct database_error *error);

/* PRAGMA quick_check: the same, without comparing indexes with their tables. */
int database_check_quickly(struct database *database, struct database_error *error);

/*
 * BEGIN IMMEDIATE: until the end no other process writes.  A commit that
 * fails has rolled back.  A rollback cannot fail.  The end is a commit if the
 * `result` of what was done is 0, else a rollback, which returns -1.
 */
int database_begin(struct database *database, struct database_error *error);
int database_commit(struct database *database, struct database_error *error);
int database_end(struct database *database, int result, struct database_error *error);
void database_rollback(struct database *database);

/* Whether a transaction has begun and not ended: some failures end it. */
bool database_in_transaction(const struct database *database);

/* What a parameter of a statement is: text, of which NULL is SQL's NULL; a number; or bytes. */
struct parameter {
    enum { PARAMETER_NUMBER, PARAMETER_TEXT, PARAMETER_BYTES } kind;
    const void *data;
    size_t size; /* of bytes */
    gint64 number;
};
struct parameter sql_text(const char *text);
struct parameter sql_number(gint64 number);
struct parameter sql_bytes(const void *data, size_t size);

/* A statement without results, with its parameters ?1, ?2, ... in their order: 0 or -1. */
int database_change(struct database *database, const char *sql, const struct parameter *parameters, unsigned count,
                    struct database_error *error);

/* The first column of the first row; `result` stays as it was if there is no row. */
int database_number(struct database *database, const char *sql, gint64 *result, struct database_error *error);

/*
 * A statement with results.  It is prepared once and kept: the same text gives the same statement, reset and with
 * these parameters, of which text and bytes are copied.  Never NULL: what fails comes out at the step.
 */
struct statement *database_query(struct database *database, const char *sql, const struct parameter *parameters,
                                 unsigned count);

/* 1: there is a row; 0: done; -1: failed. */
int statement_step(struct statement *statement, struct database_error *error);

/* Columns, from 0. */
const char *statement_text(struct statement *statement, int column); /* or NULL */
gint64 statement_number(struct statement *statement, int column);
const void *statement_bytes(struct statement *statement, int column, size_t *size); /* as they lie: without alignment */

/* Ends the use of a statement, and releases its locks. */
void statement_reset(struct statement *statement);

/* What the last statement did: the row it added; how many rows it changed. */
gint64 database_last_row(const struct database *database);
gint64 database_changes(const struct database *database);

/* SQLite's version, such as "3.40.1". */
const char *database_library_version(void);

#endif
