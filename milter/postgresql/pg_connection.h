/*
 * pg_connection - the only user of libpq: a connection to PostgreSQL, each call with a deadline.
 *
 * All calls are asynchronous ones of libpq with a poll of our own, so that a server that
 * says nothing costs no more than the time until the deadline.  Only the look-up of a
 * host's name, in pg_connect, does not end at it, and moves it: pg_session.h bounds that
 * too, and who cannot use a process gives `hostaddr` or a directory of sockets.
 *
 * After a deadline that has passed, or a connection that broke, a connection is dead:
 * its socket is closed, and every later call is PG_AWAY at once.  What the server has not
 * acknowledged by then does not reach it any more, also if the process was killed; what it
 * has, it may carry out.  PQcancel is not used, because it blocks.  A connection is used by
 * one thread at a time.
 *
 * In a build without libpq, pg_connect is PG_WRONG with a text that says so.
 *
 * A session has the search path pg_catalog, so that tables are named with their schema;
 * the time zone UTC; and limits of a minute for a statement and for a transaction that
 * does nothing, for the case that this process hangs.
 *
 * Ownership: pg_close frees a connection.
 */
#ifndef RCPTGUARD_PG_CONNECTION_H
#define RCPTGUARD_PG_CONNECTION_H

#include "milter/postgresql/pg_answer.h"
#include "milter/postgresql/pg_error.h"
#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

struct pg_connection;

/* Whether this build has libpq; and its version, such as "15.20", or NULL. */
bool pg_is_built(void);
char *pg_library_version(void); /* for g_free */

/*
 * Connects, until `deadline` of the monotonic clock, in microseconds.  `conninfo` is a
 * connection string or URI of libpq.  Unless it sets them itself, application_name is
 * "rcptguard" and target_session_attrs is read-write.  NULL with `error`.
 */
struct pg_connection *pg_connect(const char *conninfo, gint64 deadline, struct pg_error *error);
void pg_close(struct pg_connection *connection); /* also of NULL */
AUTO_FREE_DEFINE(pg_connection, pg_close)

/*
 * Runs one statement, with `count` parameters $1, $2, ... as text; NULL is SQL's NULL.
 * It is prepared once per connection and text, so the text must be one of a bounded
 * number.  NULL with `error`; the connection goes on being used unless it is dead.
 */
struct pg_answer *pg_query(struct pg_connection *connection, const char *sql, unsigned count, const char *const *values,
                           gint64 deadline, struct pg_error *error);

/*
 * Waits for a notification: 1: at least one came, on any channel, and all that have come
 * are consumed; 0: none did until the deadline; -1 with `error`, and the connection is dead.
 * Those that came during a query count.
 */
int pg_wait(struct pg_connection *connection, gint64 deadline, struct pg_error *error);

/* Whether the connection cannot be used any more. */
bool pg_is_dead(const struct pg_connection *connection);

/* The socket, to be polled for reading; it may change with each call.  -1: it is dead. */
int pg_fd(const struct pg_connection *connection);

#endif
