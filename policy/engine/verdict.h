/*
 * verdict - what the policy says of one message.
 *
 * Ownership: a verdict owns its strings and its exposure.
 */
#ifndef RCPTGUARD_VERDICT_H
#define RCPTGUARD_VERDICT_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

enum disposition {
    DISPOSITION_ACCEPT,
    DISPOSITION_TAG,
    DISPOSITION_QUARANTINE,
    DISPOSITION_REJECT,
    DISPOSITION_TEMPFAIL,
};
#define DISPOSITIONS 5

struct exposure;

struct verdict {
    enum disposition disposition;
    bool fault;         /* the policy could not be evaluated to its end; rule is "fault:NAME" */
    char *rule;         /* "default" if no rule matched */
    unsigned line;      /* line of the rule in the policy file */
    unsigned approvals; /* of a quarantine: how many reviewers have to agree to a release; else 0 */
    char *text;         /* expanded: UTF-8, one line, no control characters; NULL for accept */
    GPtrArray *would;   /* char *: "reject:trial" for each monitor rule that matched, "fault:trial" */
    struct exposure *exposure;
};

void verdict_free(struct verdict *verdict);
AUTO_FREE_DEFINE(verdict, verdict_free)

/* "accept", "tag", "quarantine", "reject", "tempfail". */
const char *disposition_name(enum disposition disposition);

/* Whether the message does not reach its recipients, or not yet: quarantine, reject, tempfail. */
bool disposition_stops(enum disposition disposition);

#endif
