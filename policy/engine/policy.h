/*
 * policy - a policy file, loaded whole: classes, outbound, rules, assertions.
 *
 * A policy is immutable and counted by reference; any thread may use it.  Load
 * builds a new one or none.  No clock: what time it is, is handed in.
 *
 * Ownership: policy_load gives one reference; each policy_ref needs a
 * policy_unref.  Strings that a policy hands out live as long as it does.
 */
#ifndef RCPTGUARD_POLICY_H
#define RCPTGUARD_POLICY_H

#include "policy/base/cleanup.h"
#include "policy/base/diagnostics.h"
#include "policy/engine/verdict.h"
#include "policy/exposure/exposure.h"
#include "policy/language/threshold.h"
#include "policy/message/message.h"

struct policy;
struct body_parts;

/* A policy file's size; longer lists belong into tables. */
#define POLICY_SIZE_LIMIT (1024u * 1024)

/*
 * Reads, parses and checks the policy at `path` and the tables that it names.
 * NULL if there is any error; all of them are in `diags` then.  Its assertions
 * are not tried: see policy_assert.
 */
struct policy *policy_load(const char *path, struct diags *diags);
/* The same of standard input, whose path is "-": its tables lie in the current directory. */
struct policy *policy_load_standard(struct diags *diags);

/*
 * Parses a text that policy_text gave, perhaps of another version and long ago, when its tables may be gone.  Never
 * NULL.  Nothing is resolved: only policy_contact and kept_policy.h have answers, and statements that this version
 * does not know are missing.
 */
struct policy *policy_read_kept(const char *text);

struct policy *policy_ref(struct policy *policy);
void policy_unref(struct policy *policy);
/* Whether there are more references than the caller's own; once there are none there will be none again. */
bool policy_is_shared(struct policy *policy);
AUTO_FREE_DEFINE(policy, policy_unref)

/*
 * Tries every `expect` of the policy; each that fails is an error in `diags`.
 * Returns how many failed.  `until` counts as in force unless an `expect` says `at`.
 */
unsigned policy_assert(struct policy *policy, struct diags *diags);
unsigned policy_assertions(const struct policy *policy);

/*
 * Adds a warning for each thing that is no error and yet surely not meant: see
 * rcptguard-policy(5).  `now`, in seconds since 1970, is for `until`.
 */
void policy_lint(const struct policy *policy, gint64 now, struct diags *diags);

/* The names of these warnings; ends with NULL. */
const char *const *policy_lint_names(void);

/* The one that a day brings along: a rule ends soon. */
#define POLICY_LINT_OF_TIME "until-soon"

/* SHA-256 in hexadecimal over the canonical text, the tables and the Public Suffix List's version. */
const char *policy_digest(const struct policy *policy);

/* How much of the digest logs and tools show. */
#define POLICY_DIGEST_SHOWN 12

/* The canonical text; parsing it gives the same policy. */
const char *policy_text(const struct policy *policy);

/* What its `contact` says, or NULL. */
const char *policy_contact(const struct policy *policy);

/* The same with its comments `# allow: NAME`, each on the first line of its statement; to be freed with g_free. */
char *policy_text_with_allows(const struct policy *policy);

/* The path it was loaded from. */
const char *policy_path(const struct policy *policy);

/* Its classes, `internal` and `other` first (their numbers are bits of a class_mask), and how many rules it has. */
unsigned policy_class_count(const struct policy *policy);
const char *policy_class_name(const struct policy *policy, unsigned index);
unsigned policy_rule_count(const struct policy *policy);

/* What there is to know of one rule without reading it, in the order of the policy. */
struct rule_facts {
    const char *name;
    unsigned line;
    bool monitor;
    enum disposition disposition; /* of its action */
    struct action_terms terms;
};
struct rule_facts policy_rule(const struct policy *policy, unsigned index);

/* The same of `default`. */
struct rule_facts policy_default(const struct policy *policy);

/*
 * Whether the login of a message is listed in a test `user` of that rule, or, if it is not, its sender is: people often
 * write an address where the MTA has a name alone.
 */
enum login_listed { NOT_LISTED, LOGIN_LISTED, SENDER_LISTED };
enum login_listed policy_login_listed(struct policy *policy, unsigned index, const struct message *message);

/* Whether that rule has a test that begins with this word, such as `user`. */
bool policy_rule_tests(const struct policy *policy, unsigned index, const char *word);

/*
 * Whether a rule asks what the body shows, so that a message needs one (message_set_body); which header fields rules
 * count inside (char *), each once, the policy's.
 */
bool policy_asks_body(const struct policy *policy);
const GPtrArray *policy_part_fields(const struct policy *policy);

/* The thresholds of all rules, in the order of the policy. */
unsigned policy_threshold_count(const struct policy *policy);
const struct threshold *policy_threshold(const struct policy *policy, unsigned index);

/*
 * Whether the message is outbound, from what is known at MAIL FROM: client,
 * listener, user, authenticated, local, sender.  A fault (a regex limit) is not
 * "no": such mail is evaluated, and its verdict is the fault.
 */
enum outbound { OUTBOUND_NO, OUTBOUND_YES, OUTBOUND_FAULT };
enum outbound policy_outbound(struct policy *policy, const struct message *message);

/*
 * Whether an address is internal in a message: a class that is `separate` is so
 * for its own party only.  The null sender is not; what a fault leaves open is not.
 */
bool policy_is_internal(struct policy *policy, const struct message *message, const char *address);

/* Called for each rule and test while a message is evaluated; the result is the same with or without it. */
struct trace {
    void (*rule)(void *data, const char *rule, unsigned line, bool monitor, bool expired);
    /* The calls up to group_end are within "and", "or" or "not"; groups nest.  May be NULL. */
    void (*group)(void *data, const char *word);
    void (*group_end)(void *data);
    /* A test with its value as text ("450", "yes"); not needed to decide: value NULL.  1, 0, -1 for a fault, -2 without
     * the state. */
    void (*test)(void *data, const char *test, const char *value, int result);
    void (*rule_end)(void *data, int matched);
    void *data;
};

/* policy_outbound; the statement is reported as a rule `outbound`, the built-in meaning is not reported. */
enum outbound policy_outbound_traced(struct policy *policy, const struct message *message, const struct trace *trace);

/*
 * Called for each threshold that decided a rule: the rule was evaluated, and would have
 * had the opposite result if the count had been on the other side.
 */
struct watch {
    void (*hangs)(void *data, unsigned threshold, unsigned count);
    void *data;
};

/*
 * What a policy needs of a state: nothing, if all are 0.  A daemon opens one only then; records and sets of greater
 * age are of no use.
 */
struct policy_state {
    unsigned override; /* the longest time for which a refusal of its rules can be overridden */
    unsigned windows;  /* seconds of the longest window of its rules */
    unsigned remember; /* seconds for which sets of parties are remembered, if a rule asks for them */
};
struct policy_state policy_state(const struct policy *policy);
bool policy_remembers(const struct policy *policy); /* whether it needs anything of it */

/* The code with which a message is sent again, from an address that message_set_answer has. */
struct override_code {
    state_hash code; /* 0: it has none that could be one */
};

struct evaluate_options {
    gint64 now;                /* seconds since 1970, UTC: for `until`, and for the state */
    enum disposition on_fault; /* what a fault becomes: quarantine, tempfail or reject */
    enum outbound outbound;    /* what policy_outbound said; OUTBOUND_NO is a caller's error */
    const struct trace *trace; /* or NULL */
    const struct watch *watch; /* or NULL */
    gint64 time;               /* of the message for the state, if it is not `now`; or 0 */
    const struct state *state; /* or NULL: it is away, which is the same as one that gives no answer */
    bool accept_on_error;      /* what becomes of a message that cannot be evaluated without the state; else tempfail */
    bool look_only;            /* the state is asked, and nothing is kept in it */
    bool permits;              /* refusals get a code by which they can be overridden, where their rule says so */
    const struct override_code *override; /* the message came with it; or NULL */
    bool no_known;                        /* `known` is false of every message, as if the policy did not remember */
    const struct body_parts *parts; /* of the message, if they were read before, as long as the verdict; or NULL */
};

/* Judges a message that is outbound.  Never NULL; free with verdict_free. */
struct verdict *policy_evaluate(struct policy *policy, const struct message *message,
                                const struct evaluate_options *options);

#endif
