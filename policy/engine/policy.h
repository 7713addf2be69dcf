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
    /* A test with its value as text ("450", "yes"); not needed to decide: value NULL.  1, 0, or -1 for a fault. */
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

struct judge_options {
    gint64 now;                /* seconds since 1970, UTC: for `until` */
    enum disposition on_fault; /* what a fault becomes: quarantine, tempfail or reject */
    enum outbound outbound;    /* what policy_outbound said; OUTBOUND_NO is a caller's error */
    const struct trace *trace; /* or NULL */
    const struct watch *watch; /* or NULL */
};

/* Judges a message that is outbound.  Never NULL; free with verdict_free. */
struct verdict *policy_judge(struct policy *policy, const struct message *message, const struct judge_options *options);

#endif
