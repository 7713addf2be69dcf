/*
 * state_operation - what may fail of a state, each counted.
 */
#ifndef RCPTGUARD_STATE_OPERATION_H
#define RCPTGUARD_STATE_OPERATION_H

enum state_operation {
    STATE_WINDOW,
    STATE_KNOWN,
    STATE_WITHDRAW,
    STATE_LEARN,
    STATE_EXPIRE,
    STATE_PERMIT,
    STATE_CLAIM,
    STATE_SHARE, /* what the file has and the database lacks */
    STATE_OPERATIONS
};

/* "window", "known", ... */
const char *state_operation_name(enum state_operation operation);

#endif
