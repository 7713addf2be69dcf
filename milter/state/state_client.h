/*
 * state_client - the daemon's state: the file or the database that [state] names (state_store.h), asked through a
 * thread of its own, so that a message waits for it only for a limited time.
 *
 * A window and `known` wait for their answer, for at most SITE_STATE_WAIT.  What is withdrawn is handed over and not
 * waited for; it is done in the order in which it came, before what is asked later.  What is learned is gathered, known
 * here from then on, and written together with what else is learned within STATE_LATER_TIME.  Until then it is in
 * memory alone: a process that is killed has not learned it, another process does not know it, and what `forget`
 * deletes in the file meanwhile may be learned again.
 *
 * After a failure nothing is asked for STATE_CLIENT_PAUSE, and every question is STATE_AWAY at once: a disk that is
 * silent does not keep the threads of messages.  What is withdrawn then is withdrawn before the next question.  If only
 * learning failed, which no message waits for, nothing is learned for that time: what failed is lost, and what comes
 * meanwhile is gathered.  A record whose answer came too late stays, until its owner withdraws it: its message may have
 * passed.  A file that was deleted or replaced is begun anew; one that is damaged is set aside.  Both are logged, and
 * so are the first failure and the first success after it.  With `on-away = local` only a failure of the file is one;
 * that of the database is counted and logged, and the file answers.
 *
 * Any thread may use it.
 */
#ifndef RCPTGUARD_STATE_CLIENT_H
#define RCPTGUARD_STATE_CLIENT_H

#include "milter/state/site_state.h"
#include "milter/state/state_operation.h"
#include "policy/base/diagnostics.h"

/* For so long nothing is asked after a failure, in microseconds. */
#define STATE_CLIENT_PAUSE (5 * G_USEC_PER_SEC)

struct state_client;

/*
 * Reads the key, or makes one, and opens the file of the configuration, as the user that it runs as.  What a person has
 * to fix is an error in `diags`, and NULL; what may pass is logged, and the file opened later.
 */
struct state_client *state_client_new(const struct config *config, struct diags *diags);

/* To be handed to the library; it is valid as long as the client. */
const struct state *state_client_state(const struct state_client *client);

/* Deletes old records and sets, step by step, while nobody waits for it; times in seconds since 1970. */
void state_client_expire(struct state_client *client, gint64 records, gint64 sets);

/* What to call for each call that failed, from any thread; before the first one. */
void state_client_on_error(struct state_client *client, void (*on_error)(void *data, enum state_operation operation),
                           void *data);

/* Whether the key and the file can be there, without making anything; what stands against it is an error in `diags`. */
void state_client_check(const struct config *config, struct diags *diags);

/* As store_stop: ends what was handed over, for at most `limit` seconds, and closes the file.  Whether the thread has
 * ended. */
bool state_client_stop(struct state_client *client, unsigned limit);

/* Of one that was stopped with true; NULL is nothing. */
void state_client_free(struct state_client *client);

#endif
