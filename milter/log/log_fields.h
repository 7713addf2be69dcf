/*
 * log_fields - the log lines of a verdict and of a reviewer's decision.
 *
 * Programs that read these lines rely on their form, and some of the values are from
 * untrusted messages: each value is escaped and bounded.
 */
#ifndef RCPTGUARD_LOG_FIELDS_H
#define RCPTGUARD_LOG_FIELDS_H

#include "milter/log/log_entry.h"
#include "policy/engine/verdict.h"
#include "policy/exposure/exposure.h"
#include "policy/message/message.h"

#include <glib.h>

/* How many kinds of defects there are. */
#define REPORT_DEFECTS 4

/* Windows that a line shows, and bytes of one: a rule, a number. */
#define REPORT_WINDOWS     8u
#define REPORT_WINDOW_SIZE 64u

/* The facts of a log line; strings may be NULL, and are not owned. */
struct report {
    const char *queue_id;
    enum disposition disposition; /* the reply to the MTA */
    const char *rule;
    const GPtrArray *would; /* char *, or NULL */
    struct exposure_counts counts;
    const char *policy; /* the policy's digest */
    const char *client;
    const char *user;
    const char *sender; /* "" for the null sender */
    const char *msgid;  /* the value of the Message-ID field, as it came */
    const char *text;
    bool overridden;                                  /* a rule was skipped, since the sender overrode it */
    const char *known;                                /* "yes", "no", or NULL: it was not asked */
    unsigned window_count;                            /* of the next two */
    char windows[REPORT_WINDOWS][REPORT_WINDOW_SIZE]; /* "split:180", of each rule whose window was asked */
    const char *window_names[REPORT_WINDOWS];
    bool shows;            /* it was asked what the message shows beside its recipient headers */
    unsigned inside_count; /* of the next two */
    char inside_items[INSIDE_PLACES][INSIDE_ITEM_SIZE]; /* "calendar:45/43" */
    const char *inside_names[INSIDE_PLACES];
    unsigned opaque_count;
    const char *opaque_names[OPAQUE_KINDS];
    const char *defect_names[REPORT_DEFECTS]; /* report_entry fills it */
};

/* Takes the facts of a message and its verdict; `digest` is the policy's. */
void report_fill(struct report *report, const struct message *message, const struct verdict *verdict,
                 const char *digest);

/*
 * The line of the message (log_entry.h), the facts always in the order of struct
 * report; it points at the report.  A rule `fault:NAME` makes it ENTRY_FAULT,
 * `error:NAME` ENTRY_ERROR with LOG_ERR.
 */
void report_entry(struct entry *entry, struct report *report);

/* What a reviewer decided of a held message, or did towards it; strings may be NULL, and are not owned. */
struct report_decision {
    const char *queue_id;
    const char *action; /* "approve", "release", "return", "delete"; "refuse"; "look" */
    const char *login;  /* of the reviewer */
    unsigned uid;
    const char *requeued; /* the queue id that a release gave it */
    const char *rule;     /* that held it */
    const char *sender;   /* "" for the null sender */
    const char *msgid;
    const char *reason; /* with "look": what was looked at */
    const char *way;    /* by what way, if it was no command; or NULL */
    const char *node;   /* the other node that vouches for the reviewer, or NULL */
};

/* The line of a decision, the facts always in the order of struct report_decision; it points at the decision. */
void report_decision_entry(struct entry *entry, const struct report_decision *decision);

#endif
