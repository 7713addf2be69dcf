/*
 * state_database - a state (policy/state/state.h) in PostgreSQL, which several servers share: the tables and functions
 * of state_schema.h.
 *
 * Each call is one function of the database, and one transaction.  Its time is the database's: a time that is handed in
 * is how long ago something was by the clock of the one who asks, and is kept as so long ago by the clock of the
 * database; a time that is answered is converted back.  So the clocks of the servers need not agree.
 *
 * Windows and sets are committed without waiting for the disk: a crash of the database may lose those of the last
 * second.  Permits, and what is forgotten, are on its disk.
 *
 * After any failure the connection is closed, and each further call is STATE_AWAY: open another one.  Any thread may
 * use it; they take turns.
 */
#ifndef RCPTGUARD_STATE_DATABASE_H
#define RCPTGUARD_STATE_DATABASE_H

#include "milter/postgresql/pg_session.h"
#include "milter/state/state_file.h"
#include "policy/base/cleanup.h"
#include "policy/state/state_keys.h"

/* Records and sets that state_database_expire deletes in one step. */
#define STATE_DATABASE_STEP 200

struct state_database;

struct state_database_place {
    const char *conninfo;
    const struct pg_user *user;  /* whose credentials are used, in a process of his; NULL: ours, in this process */
    const struct state_key *key; /* one with another key is refused */
    const char *node;            /* the name of the one who asks */
    unsigned wait;               /* milliseconds for each call */
    unsigned limit;              /* milliseconds after which the server gives a call up */
    gint64 (*clock)(void);       /* microseconds since 1970; NULL: times are kept as they are handed in */
};

/* Until `deadline`, monotonic in microseconds.  NULL with the reason. */
struct state_database *state_database_open(const struct state_database_place *place, gint64 deadline,
                                           struct pg_error *error);
void state_database_close(struct state_database *database);
AUTO_FREE_DEFINE(state_database, state_database_close)

/* Whether a failure to open it lasts until a person changes the configuration: the database has another key. */
bool state_database_is_foreign(const struct pg_error *error);

/* Whether such a failure is that of a database which is just being made or restored: it, or its tables, are missing. */
bool state_database_is_unmade(const struct pg_error *error);

/* Another time for each call, in milliseconds. */
void state_database_set_wait(struct state_database *database, unsigned wait);

/* When all calls end, too, from now on (monotonic, microseconds): several share what is left. */
void state_database_set_end(struct state_database *database, gint64 end);

/* What a call that was STATE_AWAY has as its reason; of the thread that called last. */
const struct pg_error *state_database_error(const struct state_database *database);

/* The functions' `learn` of several sets, in one transaction; one of which nothing can be learned is left out. */
enum state_outcome state_database_learn(struct state_database *database, const struct state_learned *sets,
                                        unsigned count);

/* The functions' `withdraw` of several, in one transaction. */
enum state_outcome state_database_withdraw(struct state_database *database, const state_hash *ids, unsigned count);

/*
 * One step of the functions' `expire`: 1 if there may be more, 0 if not or if another one is at it, -1 if it failed.
 * What another node needs, as its own steps say, stays.
 */
int state_database_expire(struct state_database *database, gint64 records, gint64 sets);

/* As state_file_overridden. */
GArray *state_database_overridden(struct state_database *database, gint64 since);

/* Adds rows of records (struct state_row) that are not there: 0, or -1. */
int state_database_add(struct state_database *database, const GArray *rows);

/* For `data` of a struct state that has the database. */
extern const struct state_functions state_database_functions;

#endif
