/* service - see service.h */

#include "milter/daemon/service.h"

#include "milter/log/log.h"
#include "policy/base/time_text.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* POSIX's locks and not GLib's, which a thread sanitizer does not see through. */
struct service {
    const struct config *config;
    unsigned descriptors;
    struct keeper *keeper;
    struct metrics *metrics; /* or NULL */

    pthread_mutex_t policy_lock; /* held for the time of taking a reference only */
    struct policy *policy;

    pthread_mutex_t running_lock;
    pthread_cond_t idle; /* by the monotonic clock */
    GQueue running;      /* struct service_evaluation, the oldest first */
    bool stopping;

    atomic_ullong judged;
    atomic_ullong not_outbound;
    atomic_llong since; /* seconds since 1970 */

    atomic_uint connections;
    atomic_llong warned; /* monotonic, microseconds */
};

/* Descriptors that are no connections: the socket, the log, libmilter's own. */
#define OTHER_DESCRIPTORS 16u

#define WARNING_INTERVAL (60 * G_USEC_PER_SEC)

static gint64 now_seconds(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

struct policy *service_first_policy(const struct config *config, struct diags *diags)
{
    /* Elsewhere the name may be wrong, which is said better where it is read. */
    bool own = strcmp(config->policy, CONFIG_DEFAULT_POLICY) == 0;
    if (own && access(config->policy, F_OK) == -1 && errno == ENOENT) {
        diags_file_error(diags, config->policy, "does not exist; `rcptguard init` writes a first policy");
        return NULL;
    }
    return policy_load(config->policy, diags);
}

struct service *service_new(const struct config *config, unsigned descriptors, struct diags *diags)
{
    auto_free(policy) policy = service_first_policy(config, diags);
    if (policy != NULL)
        policy_assert(policy, diags);
    struct keeper *keeper = keeper_new(config, diags);
    if (policy == NULL || keeper == NULL)
        return NULL;

    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);

    struct service *service = g_new0(struct service, 1);
    service->config = config;
    service->descriptors = descriptors;
    service->policy = g_steal_pointer(&policy);
    service->keeper = keeper;
    if (config->metrics != NULL)
        service->metrics = metrics_new(config, service->policy, g_get_real_time());
    pthread_mutex_init(&service->policy_lock, NULL);
    pthread_mutex_init(&service->running_lock, NULL);
    pthread_cond_init(&service->idle, &monotonic);
    g_queue_init(&service->running);
    atomic_init(&service->since, now_seconds());
    atomic_init(&service->judged, 0);
    atomic_init(&service->not_outbound, 0);
    atomic_init(&service->connections, 0);
    atomic_init(&service->warned, -WARNING_INTERVAL);
    return service;
}

const struct config *service_config(const struct service *service)
{
    return service->config;
}

struct keeper *service_keeper(const struct service *service)
{
    return service->keeper;
}

struct metrics *service_metrics(const struct service *service)
{
    return service->metrics;
}

void service_tidy(struct service *service)
{
    auto_free(policy) policy = service_policy(service);
    if (keeper_tidy(service->keeper, policy) == -1)
        metrics_count_ledger_error(service->metrics, METRICS_TIDY);
}

struct policy *service_policy(struct service *service)
{
    pthread_mutex_lock(&service->policy_lock);
    struct policy *policy = policy_ref(service->policy);
    pthread_mutex_unlock(&service->policy_lock);
    return policy;
}

/* ---- reload */

static void service_swap(struct service *service, struct policy *policy)
{
    pthread_mutex_lock(&service->policy_lock);
    struct policy *old = service->policy;
    service->policy = policy;
    pthread_mutex_unlock(&service->policy_lock);
    policy_unref(old); /* messages on their way keep their own reference */
}

static void add_digest(struct entry *entry, const char *name, const struct policy *policy)
{
    entry_plain(entry, name, policy_digest(policy), POLICY_DIGEST_SHOWN);
}

void service_reload(struct service *service)
{
    auto_free(diags) diags = diags_new();
    auto_free(policy) old = service_policy(service);
    auto_free(policy) policy = policy_load(service->config->policy, diags);

    if (policy != NULL)
        policy_assert(policy, diags);
    log_diags(diags, "reload: ");
    if (policy == NULL || diags_errors(diags) > 0) {
        metrics_count_reload(service->metrics, NULL, g_get_real_time());
        struct entry entry = {.kind = ENTRY_RELOAD_FAILED, .priority = LOG_ERR};
        add_digest(&entry, "policy", old);
        log_event(&entry, "reload failed, policy %.*s stays in force", POLICY_DIGEST_SHOWN, policy_digest(old));
    } else {
        /* In force before it is said to be: whoever waits for the line may send the next message at once. */
        metrics_count_reload(service->metrics, policy, g_get_real_time());
        service_swap(service, policy_ref(policy));
        struct entry entry = {.kind = ENTRY_RELOAD_DONE, .priority = LOG_NOTICE};
        add_digest(&entry, "policy", policy);
        add_digest(&entry, "before", old);
        log_event(&entry, "reload done, policy %.*s is in force, before it was %.*s", POLICY_DIGEST_SHOWN,
                  policy_digest(policy), POLICY_DIGEST_SHOWN, policy_digest(old));
    }
    if (config_is_stale(service->config))
        log_line(LOG_WARNING, "%s was changed since the start; a reload reads the policy only, restart for the rest",
                 service->config->path);
}

/* ---- evaluations that run */

bool service_evaluation_begin(struct service *service, struct service_evaluation *evaluation)
{
    evaluation->link = (GList){.data = evaluation};
    evaluation->started = g_get_monotonic_time();
    pthread_mutex_lock(&service->running_lock);
    bool go = !service->stopping;
    if (go)
        g_queue_push_tail_link(&service->running, &evaluation->link);
    pthread_mutex_unlock(&service->running_lock);
    return go;
}

void service_evaluation_end(struct service *service, struct service_evaluation *evaluation)
{
    pthread_mutex_lock(&service->running_lock);
    g_queue_unlink(&service->running, &evaluation->link);
    if (service->running.length == 0)
        pthread_cond_broadcast(&service->idle);
    pthread_mutex_unlock(&service->running_lock);
}

gint64 service_longest_evaluation(struct service *service)
{
    gint64 longest = 0;
    pthread_mutex_lock(&service->running_lock);
    const struct service_evaluation *oldest = g_queue_peek_head(&service->running);
    if (oldest != NULL)
        longest = g_get_monotonic_time() - oldest->started;
    pthread_mutex_unlock(&service->running_lock);
    return longest;
}

void service_stop(struct service *service, unsigned limit)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += limit;
    pthread_mutex_lock(&service->running_lock);
    service->stopping = true;
    while (service->running.length > 0 && pthread_cond_timedwait(&service->idle, &service->running_lock, &end) == 0)
        continue;
    pthread_mutex_unlock(&service->running_lock);
}

/* ---- counters */

void service_count_judged(struct service *service)
{
    atomic_fetch_add_explicit(&service->judged, 1, memory_order_relaxed);
}

void service_count_not_outbound(struct service *service)
{
    atomic_fetch_add_explicit(&service->not_outbound, 1, memory_order_relaxed);
    metrics_count_not_outbound(service->metrics);
}

void service_log_summary(struct service *service)
{
    unsigned long long judged = atomic_exchange(&service->judged, 0);
    unsigned long long not_outbound = atomic_exchange(&service->not_outbound, 0);
    gint64 since = atomic_exchange(&service->since, now_seconds());
    g_autofree char *text = time_text_json(since * G_USEC_PER_SEC);
    struct entry entry = {.kind = ENTRY_SUMMARY, .priority = LOG_INFO};
    entry_number(&entry, "judged", judged);
    entry_number(&entry, "not-outbound", not_outbound);
    entry_plain(&entry, "since", text, strlen(text));
    log_event(&entry, "judged=%llu not-outbound=%llu since %s", judged, not_outbound, text);
}

void service_connection_opened(struct service *service)
{
    unsigned connections = atomic_fetch_add(&service->connections, 1) + 1;
    unsigned limit = service->descriptors > OTHER_DESCRIPTORS ? service->descriptors - OTHER_DESCRIPTORS : 1;
    if (connections < limit - limit / 10)
        return;
    gint64 now = g_get_monotonic_time();
    long long warned = atomic_load(&service->warned);
    if (now - warned < WARNING_INTERVAL || !atomic_compare_exchange_strong(&service->warned, &warned, now))
        return;
    log_line(LOG_WARNING, "connections: %u of at most %u are open; raise the limit of descriptors (LimitNOFILE)",
             connections, limit);
}

void service_connection_closed(struct service *service)
{
    atomic_fetch_sub(&service->connections, 1);
}
