/*
 * verdict - what the policy says of one message.
 *
 * Ownership: a verdict owns its strings and its exposure.
 */
#ifndef RCPTGUARD_VERDICT_H
#define RCPTGUARD_VERDICT_H

#include "policy/base/cleanup.h"
#include "policy/exposure/inside_counts.h"
#include "policy/message/disposition.h"
#include "policy/state/state.h"

#include <glib.h>
#include <stdbool.h>

struct exposure;
struct body_parts;
struct parts_exposure;

/* What a message has in the window of a rule: the value of `{within}`, for the log. */
struct verdict_window {
    const char *rule; /* the policy's */
    unsigned line;
    const char *counted; /* "parties": what it counts */
    unsigned seconds;    /* of the longest */
    guint32 value;       /* or STATE_WINDOW_MANY */
    bool known;          /* false: the state gave no answer */
};

/* Whether the parties of a message are known: not asked without `remember`, and of a message that shows fewer than two.
 */
enum verdict_known { KNOWN_NOT_ASKED, KNOWN_NO, KNOWN_YES };

/* What a message has to do with the state. */
struct verdict_state {
    GArray *windows; /* struct verdict_window, of each rule whose windows were tried */
    enum verdict_known known;
    gint64 known_when; /* when its parties were seen together; 0: never */
    bool away;         /* the state was asked and gave no answer */
    bool bound;        /* it had more than is looked at */
    state_hash record; /* the record that was kept of it, or may have been, when away; 0: none */
    state_hash scope;  /* what can be learned of it: these parties in that scope */
    GArray *parties;   /* state_hash; or NULL: nothing */
    bool teaches;      /* it is learned once the message has passed */
};

/* In a reply, where the address belongs that overrides the refusal. */
#define VERDICT_OVERRIDE_PLACE '\001'

/* How a message has to do with refusals that can be overridden. */
struct verdict_override {
    state_hash code;    /* of this refusal, for its sender; 0: none, or it cannot be overridden */
    char *reply;        /* the text with VERDICT_OVERRIDE_PLACE in it; or NULL */
    state_hash taken;   /* the code that the message came with, and has taken; or 0 */
    state_hash message; /* by which it has */
    state_hash rule;    /* for which it was given */
    bool skipped;       /* that rule would have refused the message, and was skipped */
};

/* What a message shows beside its recipient headers; nothing, unless a rule that was tried asked. */
struct verdict_body {
    const struct body_parts *parts;  /* or NULL */
    struct body_parts *own;          /* the same, if the verdict owns them; or NULL */
    struct parts_exposure *exposure; /* or NULL */
    bool away;                       /* it was asked for, and the message had no body with it */
    struct inside_counts counts;     /* of the two */
};

struct verdict {
    enum disposition disposition;
    bool fault;                /* the policy could not be evaluated to its end; rule is "fault:NAME" */
    bool error;                /* the state or the body was needed and not there; rule is "error:NAME" */
    char *rule;                /* "default" if no rule matched */
    unsigned line;             /* line of the rule in the policy file */
    unsigned approvals;        /* of a quarantine: how many reviewers have to agree to a release; else 0 */
    struct action_terms terms; /* of the rule; of a fault or an error none */
    char *text;                /* expanded: UTF-8, one line, no control characters; NULL for accept */
    GPtrArray *would; /* char *: "reject:trial" for each monitor rule that matched, "fault:trial", "error:trial" */
    struct exposure *exposure;
    struct verdict_state state;
    struct verdict_override override;
    struct verdict_body body;
};

/* What became of a message: its MTA accepted it, it is held, or it was refused or deferred. */
enum verdict_end { VERDICT_PASSED, VERDICT_HELD, VERDICT_REFUSED };

/*
 * Tells the state: the parties of what passed are learned if it teaches, the record of what was refused is taken back,
 * and so is a code that the message did not need, or had in vain.
 * To be called once for each verdict that was given with a state.  `now` as when it was given.
 */
enum state_outcome verdict_settle(const struct verdict *verdict, const struct state *state, enum verdict_end end,
                                  gint64 now);

/* The end that a disposition means if nothing goes wrong. */
enum verdict_end verdict_end_of(enum disposition disposition);

/* Whether a monitor rule would have stopped the message, or could not be evaluated. */
bool verdict_would_stop(const struct verdict *verdict);

void verdict_free(struct verdict *verdict);
AUTO_FREE_DEFINE(verdict, verdict_free)

#endif
