/*
 * verdict - what the policy says of one message.
 *
 * Ownership: a verdict owns its strings and its exposure.
 */
#ifndef RCPTGUARD_VERDICT_H
#define RCPTGUARD_VERDICT_H

#include "policy/base/cleanup.h"
#include "policy/message/disposition.h"

#include <glib.h>
#include <stdbool.h>

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

#endif
