/*
 * service - what all connections of the milter share: the policy in force, the
 * ledger, the counters, and which evaluations run.
 *
 * Any thread may use it.  It is never freed: libmilter's threads outlive
 * smfi_main, so the process ends by _exit with everything still in place.
 */
#ifndef RCPTGUARD_SERVICE_H
#define RCPTGUARD_SERVICE_H

#include "milter/arrival/arrival.h"
#include "milter/common/conf.h"
#include "milter/daemon/ledger_writer.h"
#include "milter/metrics/metrics.h"
#include "milter/state/state_client.h"
#include "policy/engine/policy.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct service;

/* An evaluation that runs stays in a list, so that one that never ends is noticed. */
struct service_evaluation {
    GList link;
    gint64 started; /* monotonic, microseconds */
};

/* Loads the policy that the configuration names; NULL with `diags`, which say how a first one is written. */
struct policy *service_first_policy(const struct config *config, struct diags *diags);

/*
 * Loads that policy and tries its assertions, and
 * opens the ledger, and the state if a rule needs it.  NULL if one of them cannot be used.  All diagnostics are in
 * `diags`; a failed assertion is reported and the policy is loaded anyway: no mail is rejected because of a failed
 * assertion.  `descriptors` is the limit of descriptors.
 */
struct service *service_new(const struct config *config, unsigned descriptors, struct diags *diags);

/* What is in force; it stays valid after a reload. */
const struct config *service_config(const struct service *service);

struct keeper *service_keeper(const struct service *service);

/* What the rules of the policy remember; NULL as long as no policy needed it.  It stays once it is there. */
struct state_client *service_state(const struct service *service);

/* What is counted for a monitoring system; NULL if the configuration names no file for it. */
struct metrics *service_metrics(const struct service *service);

/* What messages may have while they arrive, and the memory among it. */
const struct arrival_room *service_room(const struct service *service);
struct memory_budget *service_memory(const struct service *service);

/* Which rules' logins have been met. */
struct login_watch *service_logins(const struct service *service);

/* Records what is in force beside the ledger, for rcptguardq(8): see conf_running.h.  `process` takes the signals. */
void service_record(const struct service *service, pid_t process);

/* Regular maintenance of the ledger: see keeper_tidy. */
void service_tidy(struct service *service);

/* The policy in force; the caller gets a reference. */
struct policy *service_policy(struct service *service);

/*
 * Loads the policy anew, in full, with its assertions.  If there is any error the
 * old one stays, and every diagnostic is logged.
 */
void service_reload(struct service *service);

/* Frees the policies of before that no message uses any more; for a thread that no message waits for. */
void service_free_retired(struct service *service);

/*
 * Around each evaluation.  False when the service stops: nothing may be
 * evaluated any more, and the MTA is to try again.
 */
bool service_evaluation_begin(struct service *service, struct service_evaluation *evaluation);
void service_evaluation_end(struct service *service, struct service_evaluation *evaluation);

/* How long the longest evaluation has been running, in microseconds; 0 if none runs. */
gint64 service_longest_evaluation(struct service *service);

/* Refuses new evaluations, waits for the running ones, and then for the ledger's thread to end: for at most `limit`
 * seconds each. */
void service_stop(struct service *service, unsigned limit);

/* Counts a message that was evaluated, or that was not outbound. */
void service_count_judged(struct service *service);
void service_count_not_outbound(struct service *service);

/* Logs `judged=N not-outbound=M since ...` and resets the counts. */
void service_log_summary(struct service *service);

/* A connection more or less; warns, once a minute at most, when descriptors run short. */
void service_connection_opened(struct service *service);
void service_connection_closed(struct service *service);

#endif
