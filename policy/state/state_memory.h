/*
 * state_memory - a state that is kept in memory, and gone with it: for replay, check and tests.
 */
#ifndef RCPTGUARD_STATE_MEMORY_H
#define RCPTGUARD_STATE_MEMORY_H

#include "policy/base/cleanup.h"
#include "policy/state/state.h"

struct state_memory;

/* Never NULL. */
struct state_memory *state_memory_new(void);
void state_memory_free(struct state_memory *memory);
AUTO_FREE_DEFINE(state_memory, state_memory_free)

/* For `data` of a struct state that has the memory. */
extern const struct state_functions state_memory_functions;

struct state_key;

/* A state that begins empty and has a key of its own: for a message, an assertion or a mailbox. */
struct state_scratch {
    struct state_memory *memory;
    struct state_key *key;
    struct state_functions functions; /* those of the memory; whoever opens it may put others in their place */
    struct state state;
};

void state_scratch_open(struct state_scratch *scratch);
void state_scratch_close(struct state_scratch *scratch);

#endif
