/*
 * state_call - one call of the state, and who answers it: the file of [state], or the database that servers share.
 *
 * What was learned and is not written yet is known, too; and what was withdrawn while its place could not be asked is
 * withdrawn before anything else is asked there: a message that came again is not meant by it.
 */
#ifndef RCPTGUARD_STATE_CALL_H
#define RCPTGUARD_STATE_CALL_H

#include "milter/state/state_database.h"
#include "milter/state/state_file.h"
#include "milter/state/state_later.h"
#include "milter/state/state_operation.h"

/* What is asked. */
struct state_call {
    enum state_operation operation;
    struct state_record record;
    struct state_window *windows;
    unsigned count; /* of windows */
    bool keep;
    state_hash id;
    struct state_set set;
    bool with_set;                    /* a window that is asked for unless the set is known */
    const struct state_learned *sets; /* to be written */
    unsigned sets_count;
    gint64 time;
    struct state_permit permit;
    struct state_claim claim;
    state_hash message; /* whose claim is given back */
    gint64 end;         /* monotonic: until when somebody waits; 0: nobody does */
};

/* What a call finds beside its windows. */
struct state_results {
    struct state_question known;
    enum state_claimed claimed;
    state_hash rule; /* of the permit that was taken */
    bool partly;     /* the file or the database has failed at this call, and the other one has answered */
    bool unsure;     /* STATE_AWAY, though nothing failed at this call: only the database, which is away, can know */
};

/* Who answers.  Its fields are private. */
struct state_target {
    const struct state_functions *functions;
    void *data;
    enum state_outcome (*learn)(void *data, const struct state_learned *sets, unsigned count);
    enum state_outcome (*withdraw)(void *data, const state_hash *ids, unsigned count);
    enum state_place place;
};

/* One that is open, for as long as it is. */
struct state_target state_call_file(struct state_file *file);
struct state_target state_call_database(struct state_database *database);

/* Withdraws what had to wait: STATE_OK, or STATE_AWAY with the reason in the file or the database. */
enum state_outcome state_call_withdraw_waiting(const struct state_target *target, struct state_later *later);

/* Does that, and asks; as above. */
enum state_outcome state_call_ask(const struct state_target *target, struct state_later *later,
                                  const struct state_call *call, struct state_results *results);

#endif
