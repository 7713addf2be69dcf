/*
 * fleet - the database that [fleet] names, which several servers share.
 *
 * Each query runs in a child process with the user's credentials: see pg_session.h.
 *
 * Ownership: fleet_close frees a fleet.
 */
#ifndef RCPTGUARD_FLEET_H
#define RCPTGUARD_FLEET_H

#include "milter/common/conf.h"
#include "milter/postgresql/pg_session.h"

struct fleet;

/* Whose credentials are used. */
enum fleet_as {
    FLEET_AS_NODE, /* the daemon's user's; the one who asks, if that is not root */
    FLEET_AS_USER, /* a person's */
};

/* A time for the deadline of ordinary calls, in microseconds. */
#define FLEET_PATIENCE (10 * G_USEC_PER_SEC)

/* Microseconds from now on, as a deadline of the monotonic clock. */
gint64 fleet_deadline(gint64 microseconds);

/*
 * Connects, and reads the version of the schema.  `user` is the person, for FLEET_AS_USER.
 * NULL with `error`: also if [fleet] database is not set, or there is no schema, or it is
 * newer than this program knows (all PG_WRONG).  One that is older is fine.
 */
struct fleet *fleet_open(const struct config *config, enum fleet_as as, const struct pg_user *user, gint64 deadline,
                         struct pg_error *error);
void fleet_close(struct fleet *fleet); /* also of NULL */
AUTO_FREE_DEFINE(fleet, fleet_close)

/* As those of pg_session.h. */
struct pg_answer *fleet_query(struct fleet *fleet, const char *sql, unsigned count, const char *const *values,
                              gint64 deadline, struct pg_error *error);
int fleet_wait(struct fleet *fleet, gint64 deadline, struct pg_error *error);
int fleet_fd(const struct fleet *fleet);
bool fleet_is_dead(const struct fleet *fleet);

/* LISTEN to what fleet_schema.c notifies: 0, or -1 with `error`. */
int fleet_listen(struct fleet *fleet, gint64 deadline, struct pg_error *error);

/* Of the database: the version of its schema; which one it is, as a UUID, another one after it was made anew;
 * whether nodes may vouch for people.  As they were when it was opened. */
unsigned fleet_version(const struct fleet *fleet);
const char *fleet_incarnation(const struct fleet *fleet);
bool fleet_vouching(const struct fleet *fleet);

/* The role that the session has logged in as. */
const char *fleet_role(const struct fleet *fleet);

#endif
