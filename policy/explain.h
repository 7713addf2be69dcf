/*
 * explain - tells of one message what the policy says and why: for people, and
 * as JSON.  It listens to the same evaluation that the daemon runs.
 */
#ifndef RCPTGUARD_EXPLAIN_H
#define RCPTGUARD_EXPLAIN_H

#include "message.h"
#include "policy.h"

#include <stdbool.h>

struct explain_options {
    gint64 now;
    bool json;
    /* 1: the message counts as outbound; 0: it does not; -1: the policy decides. */
    int outbound;
};

/* Appends the explanation of one message: one line of JSON, or a paragraph. */
void explain_message(GString *out, struct policy *policy, const struct message *message, const char *file,
                     unsigned index, const struct explain_options *options);

#endif
