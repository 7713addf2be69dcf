/*
 * state_store - where the daemon's thread keeps the state, and one call of it: in the file of [state]; in the database
 * that several servers share; or, with `on-away = local`, in both.
 *
 * In both: the database answers.  What this server has seen is written into its file, too, so that the file knows it
 * when the database is away, and answers instead; nothing is asked of the database then for STATE_STORE_PAUSE.  After
 * each connection the records of the file that the database lacks are added to it, step by step; until that is done
 * the larger of both answers is taken.  So what one server has seen alone is never missing from its windows, and soon
 * from nobody's.
 *
 * One thread uses it.
 */
#ifndef RCPTGUARD_STATE_STORE_H
#define RCPTGUARD_STATE_STORE_H

#include "milter/common/conf.h"
#include "milter/database/database.h"
#include "milter/state/state_call.h"
#include "policy/state/state_keys.h"

/* After a failure of the database the file alone is asked for so long, in microseconds. */
#define STATE_STORE_PAUSE (5 * G_USEC_PER_SEC)

struct state_store;

/* Neither opens anything.  The key and `later` are the caller's, and are there longer than the store. */
struct state_store *state_store_new(const struct config *config, const struct state_key *key,
                                    struct state_later *later);
void state_store_free(struct state_store *store);

/*
 * Opens what is to be opened: 0, or -1; then `*lasts` says whether a person has to fix it, and waiting does not.  A
 * file that is damaged or was deleted is begun anew.  It is logged if the file answers for the database.
 */
int state_store_open(struct state_store *store, bool *lasts, struct database_error *error);

/* The path of the file, or the words that name the database. */
const char *state_store_name(const struct state_store *store);

/* Carries out one call; STATE_AWAY with the reason. */
enum state_outcome state_store_ask(struct state_store *store, const struct state_call *call,
                                   struct state_results *results, struct database_error *error);

/* A step: 1 if there may be more, 0 if not, -1 if it failed. */
int state_store_expire(struct state_store *store, gint64 records, gint64 sets);

/* Whether records of the file may be missing in the database, which may be away. */
bool state_store_is_behind(const struct state_store *store);

/* A step that adds some of them: 1 if there may be more, 0 if not, -1 if it failed. */
int state_store_catch_up(struct state_store *store);

/* Until when the database is not asked and the file answers: monotonic. */
gint64 state_store_away(const struct state_store *store);

/* Closes what is open: a file is one then, without those beside it. */
void state_store_close(struct state_store *store);

#endif
