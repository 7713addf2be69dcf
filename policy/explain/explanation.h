/*
 * explanation - a record of one evaluation: which rules were tried, the value and result
 * of each test, and the verdict.  explain_text and explain_json print it.
 *
 * Ownership: it owns its rules and its verdict; policy, message and file are the
 * caller's and outlive it.
 */
#ifndef RCPTGUARD_EXPLANATION_H
#define RCPTGUARD_EXPLANATION_H

#include "policy/base/cleanup.h"
#include "policy/engine/policy.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stdbool.h>

struct explained_test {
    char *lead;     /* the text before it in its rule: "and not (" */
    char *test;     /* as `print` writes it */
    char *tail;     /* ")" */
    unsigned depth; /* of parentheses around it, but for those that it opens itself */
    char *value;    /* NULL: not needed to decide */
    int result;     /* 1, 0, -1 for a fault, or -2 without the state */
};

struct explained_rule {
    char *name;
    unsigned line;
    bool monitor;
    bool expired;
    int matched;
    GArray *tests; /* struct explained_test */
};

struct explanation {
    struct policy *policy;
    const struct message *message;
    const char *file;
    unsigned index;
    bool outbound;     /* whether it is evaluated */
    bool alone;        /* the policy asks about earlier mail, and nothing that has it was at hand */
    bool built_in;     /* the policy has no statement `outbound`, and was asked */
    GArray *statement; /* struct explained_rule: that statement, if it was evaluated; or none */
    GArray *rules;     /* struct explained_rule: the rules that were evaluated; none if the message is not outbound */
    struct verdict *verdict; /* if the message is not outbound, only its exposure is valid */
};

struct explanation_options {
    gint64 now;
    int outbound;              /* 1: the message counts as outbound; 0: it does not; -1: the policy decides */
    const struct state *state; /* what is known of earlier mail, which is asked and not changed; NULL: nothing */
};

struct explanation *explanation_new(struct policy *policy, const struct message *message, const char *file,
                                    unsigned index, const struct explanation_options *options);
void explanation_free(struct explanation *explanation);
AUTO_FREE_DEFINE(explanation, explanation_free)

#endif
