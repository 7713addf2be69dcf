/*
 * state_file - a state (policy/state/state.h) in a file of SQLite of its own: windows and sets, as hashes.
 *
 * It is in WAL mode with synchronous=NORMAL: after a loss of power the last records may be missing, and the file is
 * sound; after the end of the process nothing is.  See sqlite.org/pragma.html#pragma_synchronous.
 *
 * A call waits for other processes at most as long as `wait` says, and threads take turns.
 */
#ifndef RCPTGUARD_STATE_FILE_H
#define RCPTGUARD_STATE_FILE_H

#include "milter/database/database.h"
#include "policy/state/state.h"

/* "RcSt": tells these files from ledgers. */
#define STATE_FILE_APPLICATION 0x52635374

/*
 * Records and sets that state_file_expire deletes in one step, for which a message may have to wait: each record lies
 * on three pages of its own, as a rule.  A bigger step is no cheaper.
 */
#define STATE_FILE_STEP 50

struct state_file;

/* As database_open; `wait` in milliseconds, and for each call thereafter. */
struct state_file *state_file_open(const char *path, uid_t owner, enum database_mode mode, unsigned wait,
                                   struct database_error *error);
void state_file_close(struct state_file *file);
AUTO_FREE_DEFINE(state_file, state_file_close)

/* What a call that was STATE_AWAY has as its reason; of the thread that called last. */
const struct database_error *state_file_error(const struct state_file *file);

/* As database_check_quickly. */
int state_file_check(struct state_file *file, struct database_error *error);

/* A set, and when it was learned. */
struct state_learned {
    struct state_set set;
    gint64 time;
};

/* The functions' `learn` of several sets, in one transaction; one of which nothing can be learned is left out. */
enum state_outcome state_file_learn(struct state_file *file, const struct state_learned *sets, unsigned count);

/*
 * One step of the functions' `expire`, in a transaction of its own, so that others get their turn between two: 1 if
 * there may be more, 0 if not, -1 if it failed.
 */
int state_file_expire(struct state_file *file, gint64 records, gint64 sets);

/* The rules, as state_hash, of the refusals since that time that their senders have overridden, one for each; or NULL.
 */
GArray *state_file_overridden(struct state_file *file, gint64 since);

/* What is kept of a record for one of its signatures. */
struct state_row {
    state_hash id, author, subject, signature;
    gint64 time;
    GArray *hashes; /* state_hash */
};

/*
 * The next rows after `after`, at most `count`, in an order of their own; `after` of a first call is all zero, and of
 * a further one the last row of the one before.  For g_array_unref; NULL if it failed.
 */
GArray *state_file_rows(struct state_file *file, const struct state_row *after, unsigned count);

/* For `data` of a struct state that has the file. */
extern const struct state_functions state_file_functions;

#endif
