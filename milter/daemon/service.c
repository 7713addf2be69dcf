/* service - see service.h */

#include "milter/daemon/service.h"

#include "milter/common/conf_running.h"
#include "milter/common/process_memory.h"
#include "milter/daemon/config_reload.h"
#include "milter/daemon/login_watch.h"
#include "milter/daemon/mechanisms.h"
#include "milter/log/log.h"
#include "milter/notify/notice_template.h"
#include "policy/base/time_text.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* POSIX's locks and not GLib's, which a thread sanitizer does not see through. */
struct service {
    _Atomic(const struct config *) config; /* in force */
    GPtrArray *configs;                    /* those before: a message may still use one, so they stay */
    guint64 reloads;                       /* this and the next are of the thread that reloads */
    bool failed;                           /* the last of them */
    unsigned descriptors;
    struct keeper *keeper;
    struct metrics *metrics; /* or NULL */
    struct arrival_room room;
    guint64 resident, tables; /* bytes: the process without messages, and what the policy has of them, at most */
    _Atomic(struct state_client *) state;

    pthread_mutex_t policy_lock; /* held for the time of taking a reference only */
    struct policy *policy;
    GPtrArray *retired; /* struct policy *: those before, until no message uses them */
    struct login_watch *logins;

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

/* With all that the daemon has to do for it. */
static struct policy *load_policy(const struct config *config, struct diags *diags)
{
    auto_free(policy) policy = policy_load(config->policy, diags);
    if (policy != NULL && !mechanisms_check(policy, config, diags))
        return NULL;
    return g_steal_pointer(&policy);
}

struct policy *service_first_policy(const struct config *config, struct diags *diags)
{
    /* Elsewhere the name may be wrong, which is said better where it is read. */
    bool own = strcmp(config->policy, CONFIG_DEFAULT_POLICY) == 0;
    if (own && access(config->policy, F_OK) == -1 && errno == ENOENT) {
        diags_file_error(diags, config->policy, "does not exist; `rcptguard init` writes a first policy");
        return NULL;
    }
    auto_free(policy) policy = load_policy(config, diags);
    if (policy != NULL)
        mechanisms_watch(policy, config, diags);
    return g_steal_pointer(&policy);
}

/* ---- memory */

/* What the configuration lets messages have, in bytes: to keep them, and half as much again to evaluate them. */
static guint64 memory_of_messages(const struct config *config)
{
    guint64 kept = (guint64)config->memory * MEBIBYTE;
    return kept + kept / 2;
}

/* While a reload reads a policy there are three at most: that in force, the one before, and the new one. */
static guint64 memory_of_policies(const struct service *service)
{
    return service->resident + 2 * service->tables;
}

/* Beneath a limit that leaves less, messages get what it leaves: a process that reaches it is killed. */
static void use_memory(struct service *service)
{
    const struct config *config = service_config(service);
    guint64 limit = process_memory_limit(getpid()), least = memory_of_policies(service);
    guint64 kept = (guint64)config->memory * MEBIBYTE, needed = least + memory_of_messages(config);
    if (limit > 0 && limit < needed) {
        kept = limit > least ? MIN((limit - least) / 3 * 2, kept) : 0;
        kept = MAX(kept, MEMORY_LEAST);
        log_line(LOG_WARNING, "memory: %uM may be needed, and %uM are allowed, so messages have %uM of the %uM in %s",
                 (unsigned)(needed / MEBIBYTE), (unsigned)(limit / MEBIBYTE), (unsigned)(kept / MEBIBYTE),
                 config->memory, "[milter] memory: raise the limit (MemoryMax), or lower that");
    }
    memory_budget_limit(service->room.memory, kept);
    /* A body that the limit lets in has room there, if no other of its sender is there. */
    memory_budget_limit(service->room.files, MEMORY_PARTS * MAX(kept, (config->body + 1) * (guint64)MEBIBYTE));
}

static void on_state_error(void *data, enum state_operation operation)
{
    struct service *service = data;
    metrics_count_state_error(service->metrics, operation);
}

/* Whether the state is there if a rule of the policy needs it; the first policy that does has it opened. */
static bool open_state(struct service *service, const struct policy *policy, struct diags *diags)
{
    if (!policy_remembers(policy) || service_state(service) != NULL)
        return true;
    struct state_client *state = state_client_new(service_config(service), diags);
    if (state != NULL)
        state_client_on_error(state, on_state_error, service);
    atomic_store(&service->state, state);
    return state != NULL;
}

struct service *service_new(const struct config *config, unsigned descriptors, struct diags *diags)
{
    guint64 before = process_memory_resident();
    auto_free(policy) policy = service_first_policy(config, diags);
    guint64 after = process_memory_resident();
    if (policy != NULL)
        policy_assert(policy, diags);
    struct keeper *keeper = keeper_new(config, diags);
    if (policy == NULL || keeper == NULL)
        return NULL;

    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);

    struct service *service = g_new0(struct service, 1);
    atomic_init(&service->config, config);
    service->configs = g_ptr_array_new();
    service->retired = g_ptr_array_new();
    service->descriptors = descriptors;
    service->policy = g_steal_pointer(&policy);
    service->keeper = keeper;
    if (config->metrics != NULL)
        service->metrics = metrics_new(config, service->policy, g_get_real_time());
    keeper_count_in(keeper, service->metrics);
    service->resident = after;
    service->tables = after > before ? after - before : 0;
    service->room =
        (struct arrival_room){memory_budget_new(0), memory_budget_new(0), g_path_get_dirname(config->ledger)};
    use_memory(service);
    service->logins = login_watch_new(service->policy);
    pthread_mutex_init(&service->policy_lock, NULL);
    pthread_mutex_init(&service->running_lock, NULL);
    pthread_cond_init(&service->idle, &monotonic);
    g_queue_init(&service->running);
    atomic_init(&service->since, now_seconds());
    atomic_init(&service->judged, 0);
    atomic_init(&service->not_outbound, 0);
    atomic_init(&service->connections, 0);
    atomic_init(&service->warned, -WARNING_INTERVAL);
    return open_state(service, service->policy, diags) ? service : NULL;
}

const struct config *service_config(const struct service *service)
{
    return atomic_load(&service->config);
}

struct keeper *service_keeper(const struct service *service)
{
    return service->keeper;
}

struct state_client *service_state(const struct service *service)
{
    return atomic_load(&service->state);
}

struct metrics *service_metrics(const struct service *service)
{
    return service->metrics;
}

const struct arrival_room *service_room(const struct service *service)
{
    return &service->room;
}

struct memory_budget *service_memory(const struct service *service)
{
    return service->room.memory;
}

struct login_watch *service_logins(const struct service *service)
{
    return service->logins;
}

void service_tidy(struct service *service)
{
    auto_free(policy) policy = service_policy(service);
    struct state_client *state = service_state(service);
    struct policy_state needs = policy_state(policy);
    keeper_tidy(service->keeper, policy);
    if (state != NULL)
        state_client_expire(state, now_seconds() - needs.windows, now_seconds() - needs.remember);
}

struct policy *service_policy(struct service *service)
{
    pthread_mutex_lock(&service->policy_lock);
    struct policy *policy = policy_ref(service->policy);
    pthread_mutex_unlock(&service->policy_lock);
    return policy;
}

/* ---- reload */

/* A message that is being received keeps its own reference, which must not be the last one: freeing a large policy
 * takes long. */
static void service_swap(struct service *service, struct policy *policy)
{
    pthread_mutex_lock(&service->policy_lock);
    g_ptr_array_add(service->retired, service->policy);
    service->policy = policy;
    pthread_mutex_unlock(&service->policy_lock);
}

/* One that is to be freed, or NULL. */
static struct policy *take_retired(struct service *service)
{
    struct policy *found = NULL;
    pthread_mutex_lock(&service->policy_lock);
    for (unsigned i = 0; found == NULL && i < service->retired->len; i++)
        if (!policy_is_shared(g_ptr_array_index(service->retired, i)))
            found = g_ptr_array_remove_index_fast(service->retired, i);
    pthread_mutex_unlock(&service->policy_lock);
    return found;
}

void service_free_retired(struct service *service)
{
    struct policy *policy;
    while ((policy = take_retired(service)) != NULL) {
        policy_unref(policy);
        memory_count_returned(service->room.memory, service->tables);
    }
}

static void add_digest(struct entry *entry, const char *name, const struct policy *policy)
{
    entry_plain(entry, name, policy_digest(policy), POLICY_DIGEST_SHOWN);
}

/* Who sends notices reads the template each time: what is wrong with it stops no reload. */
static void check_notice(const struct config *config, struct diags *diags)
{
    auto_free(diags) found = diags_new();
    if (config->review.notice == NULL)
        return;
    g_free(notice_load(config->review.notice, found));
    diags_demote(found);
    diags_move(diags, found);
}

/* Each where it is used from now on.  Takes the configuration. */
static void use_config(struct service *service, struct config *config)
{
    g_ptr_array_add(service->configs, (gpointer)service_config(service));
    keeper_use(service->keeper, config);
    log_as_json(config->log_json);
    atomic_store(&service->config, config);
}

/* With both policies in memory: whether the new one, or the configuration, asks for another bound. */
static void grow_memory(struct service *service, bool asked)
{
    guint64 resident = process_memory_resident(), taken = memory_taken(service->room.memory);
    guint64 grown = resident - MIN(resident, taken + service->tables);
    bool more = grown > service->resident + service->resident / 4; /* allocators keep some, and messages have some */
    if (more) {
        service->tables += grown - service->resident;
        service->resident = grown;
    }
    if (more || asked)
        use_memory(service);
}

static void log_done(const struct service *service, const struct policy *policy, const struct policy *old,
                     const char *applied, const char *waiting)
{
    const char *path = service_config(service)->path;
    struct entry entry = {.kind = ENTRY_RELOAD_DONE, .priority = LOG_NOTICE};
    if (applied != NULL)
        log_line(LOG_NOTICE, "reload: %s: in force: %s", path, applied);
    if (waiting != NULL)
        log_line(LOG_WARNING, "reload: %s: a restart is needed for %s; what was in force stays", path, waiting);
    add_digest(&entry, "policy", policy);
    add_digest(&entry, "before", old);
    log_event(&entry, "reload done, policy %.*s is in force, before it was %.*s", POLICY_DIGEST_SHOWN,
              policy_digest(policy), POLICY_DIGEST_SHOWN, policy_digest(old));
}

void service_reload(struct service *service)
{
    service_free_retired(service);
    auto_free(diags) diags = diags_new();
    auto_free(policy) old = service_policy(service);
    const struct config *running = service_config(service);
    g_autofree char *applied = NULL, *waiting = NULL;
    auto_free(config) config = config_reload(running, diags, &applied, &waiting);
    auto_free(policy) policy = load_policy(config != NULL ? config : running, diags);

    if (policy != NULL)
        policy_assert(policy, diags);
    if (policy != NULL)
        mechanisms_watch(policy, config != NULL ? config : running, diags);
    if (config != NULL)
        check_notice(config, diags);
    bool opened = policy != NULL && open_state(service, policy, diags);
    log_diags(diags, "reload: ");
    service->reloads++;
    service->failed = config == NULL || !opened || diags_errors(diags) > 0;
    if (service->failed) {
        metrics_count_reload(service->metrics, running, NULL, g_get_real_time());
        struct entry entry = {.kind = ENTRY_RELOAD_FAILED, .priority = LOG_ERR};
        add_digest(&entry, "policy", old);
        log_event(&entry, "reload failed, policy %.*s stays in force", POLICY_DIGEST_SHOWN, policy_digest(old));
        return;
    }
    /* In force before it is said to be: whoever waits for the line may send the next message at once. */
    metrics_count_reload(service->metrics, config, policy, g_get_real_time());
    if (applied != NULL) /* or else nothing that is used here differs, and those that are kept do not grow in number */
        use_config(service, g_steal_pointer(&config));
    grow_memory(service, applied != NULL);
    service_swap(service, policy_ref(policy));
    login_watch_begin(service->logins, policy);
    log_done(service, policy, old, applied, waiting);
}

void service_record(const struct service *service, pid_t process)
{
    g_autofree char *error = NULL;
    g_autofree char *missed = login_watch_missed(service->logins);
    const struct running running = {.memory = memory_of_policies(service) + memory_of_messages(service_config(service)),
                                    .process = process,
                                    .reloads = service->reloads,
                                    .failed = service->failed,
                                    .missed = missed};
    if (running_write(&running, service_config(service), &error) == -1)
        log_line(LOG_WARNING, "reload: what rcptguardd runs with cannot be recorded: %s", error);
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
    if (!keeper_stop(service->keeper, limit))
        log_line(LOG_ERR, "ledger: its disk hangs; what was not written was deferred");
    struct state_client *state = service_state(service);
    if (state != NULL && !state_client_stop(state, limit))
        log_line(LOG_ERR, "state: its disk hangs; what was to be learned is lost");
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
