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

/* Who releases a held message beside its reviewers, if anybody does. */
enum release_way { RELEASE_BY_REVIEWER, RELEASE_BY_SENDER, RELEASE_BY_SENDER_WITH_REASON, RELEASE_AFTER };

/* What becomes of a held message that nobody decides: what rcptguard.conf says of all of them, or this. */
enum expire_way { EXPIRE_AS_CONFIGURED, EXPIRE_RETURN, EXPIRE_DELETE };

/* What an action says of what may follow it, after its text.  Times are seconds, and 0 where none is meant. */
struct action_terms {
    enum release_way release;
    unsigned release_after;
    enum expire_way expire;
    unsigned expire_after;
    unsigned override; /* of a refusal: for how long its sender may override it */
};

/* "reviewer", "sender", "sender with reason", "time"; "return", "delete", or NULL. */
const char *release_way_name(enum release_way way);
const char *expire_way_name(enum expire_way way);

/* Seconds as a policy writes them, with the greatest unit that fits: "10m"; to be freed with g_free. */
char *action_time_text(unsigned seconds);

/* The terms as a policy writes them: "release by sender expire 3d return", "override 15m"; "" if there are none. */
char *action_terms_text(const struct action_terms *terms);

/* The SMTP reply code and the enhanced status code (RFC 3463) of a refusal. */
struct disposition_reply {
    const char *code;   /* "550" */
    const char *status; /* "5.7.1" */
};

/* NULL if the MTA accepts the message. */
const struct disposition_reply *disposition_reply(enum disposition disposition);

#endif
