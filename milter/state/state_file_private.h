/*
 * state_file_private - what the parts of a state in a file share: its sets are in state_file.c, its windows in
 * state_windows.c, its permits in state_permits.c.  Private to the three.
 */
#ifndef RCPTGUARD_STATE_FILE_PRIVATE_H
#define RCPTGUARD_STATE_FILE_PRIVATE_H

#include "milter/state/state_file.h"

#include <pthread.h>

struct state_file {
    pthread_mutex_t lock;
    struct database *database;
    struct database_error error;
    bool written;   /* in the transaction at hand, or by somebody else before it */
    bool unchecked; /* somebody else has written it, and it was not looked at yet */
    gint64 checked; /* monotonic */
};

/* One call is one transaction, between these two; `result` is -1 if the first or what came after it failed. */
int state_file_begin(struct state_file *file);
int state_file_end(struct state_file *file, int result);

/* Runs a statement that gives no rows: 0 or -1. */
int state_file_change(struct state_file *file, const char *sql, const struct parameter *parameters, unsigned count);

/* Hashes as SQLite has them: as a number, and as bytes one after the other. */
struct parameter state_file_hash(state_hash hash);
struct parameter state_file_hashes(const GArray *hashes);
void state_file_read(struct statement *statement, int column, GArray *hashes); /* adds to these */

/* An array of hashes, and their order. */
GArray *state_file_list(const state_hash *hashes, unsigned count);
int state_file_compare(gconstpointer one, gconstpointer other);

/* The functions of state.h about windows; the last two are within a transaction, and of what it answered. */
enum state_outcome state_windows_of(void *data, const struct state_record *record, bool keep,
                                    struct state_window *windows, unsigned count);
enum state_outcome state_windows_withdraw(void *data, state_hash id);
int state_windows_ask(struct state_file *file, const struct state_record *record, bool keep,
                      struct state_window *windows, unsigned count);
enum state_outcome state_windows_outcome(const struct state_window *windows, unsigned count);

/* The functions of state.h about permits; the last one within a transaction. */
enum state_outcome state_permits_add(void *data, const struct state_permit *permit);
enum state_outcome state_permits_claim(void *data, const struct state_claim *claim, enum state_claimed *claimed,
                                       state_hash *rule);
enum state_outcome state_permits_give_back(void *data, state_hash code, state_hash message);
int state_permits_forget(struct state_file *file, state_hash hash, unsigned *gone);

#endif
