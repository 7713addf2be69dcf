/*
 * disposition - what can be done with a message.
 */
#ifndef RCPTGUARD_DISPOSITION_H
#define RCPTGUARD_DISPOSITION_H

#include <stdbool.h>

enum disposition {
    DISPOSITION_ACCEPT,
    DISPOSITION_TAG,
    DISPOSITION_QUARANTINE,
    DISPOSITION_REJECT,
    DISPOSITION_TEMPFAIL,
};
#define DISPOSITIONS (DISPOSITION_TEMPFAIL + 1)

/* "accept", "tag", "quarantine", "reject", "tempfail": in the order of the enum, ended by NULL. */
extern const char *const disposition_names[];
const char *disposition_name(enum disposition disposition);

/* Whether the message does not reach its recipients, or not yet: quarantine, reject, tempfail. */
bool disposition_stops(enum disposition disposition);

/* The SMTP reply code and the enhanced status code (RFC 3463) of a refusal. */
struct disposition_reply {
    const char *code;   /* "550" */
    const char *status; /* "5.7.1" */
};

/* NULL if the MTA accepts the message. */
const struct disposition_reply *disposition_reply(enum disposition disposition);

#endif
