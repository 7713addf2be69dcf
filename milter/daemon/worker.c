/* worker - see worker.h */

#include <config.h>

#include "milter/daemon/worker.h"

#include "milter/daemon/filter.h"
#include "milter/daemon/libmilter_calls.h"
#include "milter/daemon/listen_socket.h"
#include "milter/daemon/login_watch.h"
#include "milter/daemon/service.h"
#include "milter/log/log.h"
#include "milter/metrics/metrics_file.h"
#include "policy/cli/exit_codes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

/* How often the housekeeper looks, in milliseconds. */
#define TICK 2000

/* An evaluation that runs longer hangs, in microseconds; the MTA waits 30 s. */
#define HANGS (10 * G_USEC_PER_SEC)

/* How often old rows leave the ledger, in microseconds. */
#define TIDY_INTERVAL G_TIME_SPAN_HOUR

/* Between two lines about an evaluation that hangs, or a socket that is gone. */
#define HANGS_INTERVAL  (60 * G_USEC_PER_SEC)
#define SOCKET_INTERVAL (60 * G_USEC_PER_SEC)

/* How long a stop waits for answers that are being worked out, in seconds, and for those to be written, in
 * microseconds. */
#define STOP_WAIT   2
#define ANSWER_WAIT (10 * 1000)

/* How long a start and a stop wait for the metrics to be written, in milliseconds. */
#define METRICS_WAIT 2000

struct house {
    struct service *service;
    const struct child_start *start;
    struct metrics_file *metrics; /* or NULL */
    struct listen_socket socket;
};

static void say(const struct child_start *start, enum child_word word)
{
    const char byte = (char)word;
    /* A parent that does not read has its own troubles; a word is repeated. */
    (void)!send(start->control, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void child_leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    log_to_stderr(false);
    if (null == -1)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO)
        close(null);
}

/* The child lives as long as its parent: where the system can say so at once, and by the end of the control socket. */
static void follow_parent(const struct child_start *start)
{
#ifdef HAVE_SYS_PRCTL_H
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != start->parent) /* it died before that */
        _exit(EXITS_PASSING);
}

static void reset_signals(void)
{
    sigset_t reload;
    sigemptyset(&reload);
    sigaddset(&reload, SIGUSR1);
    signal(SIGHUP, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &reload, NULL);
}

/*
 * libmilter waits for these in its own thread, and blocks them in the
 * threads that it starts; in ours they would end the process at once.
 */
static void leave_signals_to_libmilter(void)
{
    sigset_t theirs;
    sigemptyset(&theirs);
    sigaddset(&theirs, SIGHUP);
    sigaddset(&theirs, SIGTERM);
    sigaddset(&theirs, SIGINT);
    sigprocmask(SIG_BLOCK, &theirs, NULL);
}

/* ---- threads */

static gpointer reload_thread(gpointer data)
{
    const struct house *house = data;
    sigset_t reload;
    sigemptyset(&reload);
    sigaddset(&reload, SIGUSR1);
    for (;;) {
        int number;
        if (sigwait(&reload, &number) != 0)
            continue;
        service_reload(house->service);
        if (house->metrics != NULL)
            metrics_file_ask(house->metrics);
        service_tidy(house->service); /* it keeps the policy that came in force */
        service_record(house->service, house->start->parent);
        say(house->start, CHILD_RELOADED);
    }
    return NULL;
}

/*
 * Ends the process: evaluations that run get their answers out, what comes
 * after them is deferred.  libmilter is not asked to stop: it takes up to five
 * seconds, and destroys locks that its other threads still use.  They may use
 * anything of ours until the end, so nothing is freed.
 */
static G_GNUC_NORETURN void finish(const struct house *house, int code)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&once);
    service_stop(house->service, STOP_WAIT);
    g_usleep(ANSWER_WAIT);
    if (house->metrics != NULL)
        metrics_file_wait(house->metrics, METRICS_WAIT);
    service_log_summary(house->service);
    struct entry entry = {.kind = ENTRY_STOPPED, .priority = LOG_NOTICE};
    log_event(&entry, "stopped");
    _exit(code);
}

/* Waits a tick for a word of the parent's: a stop, or its end. */
static void hear_parent(const struct house *house)
{
    struct pollfd waiting = {.fd = house->start->control, .events = POLLIN};
    if (poll(&waiting, 1, TICK) <= 0)
        return;
    char word;
    ssize_t got = recv(house->start->control, &word, 1, MSG_DONTWAIT);
    if (got == 1 && word == CHILD_STOP)
        finish(house, EXITS_DONE);
    if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR)) {
        log_line(LOG_ERR, "the supervisor is gone, so the milter ends too");
        _exit(EXITS_PASSING);
    }
}

static void watch_evaluations(const struct house *house, gint64 now)
{
    static gint64 told = -HANGS_INTERVAL;
    gint64 longest = service_longest_evaluation(house->service);
    if (longest <= HANGS) {
        say(house->start, CHILD_ALIVE);
    } else if (now - told >= HANGS_INTERVAL) {
        log_line(LOG_ERR, "evaluation: one has been running for %" G_GINT64_FORMAT " s; the watchdog is not fed",
                 longest / G_USEC_PER_SEC);
        told = now;
    }
}

/*
 * A socket that was deleted is made again.  Where that fails, a service manager can do more, such as create its
 * directory; without one it is tried again.
 */
static void watch_socket(struct house *house, gint64 now)
{
    static gint64 told = -SOCKET_INTERVAL;
    const char *path = house->socket.endpoint->path;
    g_autofree char *error = NULL;
    bool taken;
    if (listen_socket_is_there(&house->socket))
        return;
    if (listen_socket_again(&house->socket, &taken, &error) == 0) {
        log_line(LOG_WARNING, "socket: %s or its lock was deleted or replaced, and is there again", path);
        told = -SOCKET_INTERVAL;
        return;
    }
    if (now - told >= SOCKET_INTERVAL)
        log_line(LOG_ERR, "socket: %s or its lock was deleted or replaced, and cannot be made again: %s", path, error);
    told = now - told >= SOCKET_INTERVAL ? now : told;
    if (house->start->foreground && !taken)
        finish(house, EXITS_PASSING);
}

static gpointer house_thread(gpointer data)
{
    struct house *house = data;
    gint64 summarised = g_get_monotonic_time();
    gint64 tidied = summarised; /* before it was ready */
    for (;;) {
        hear_parent(house);
        gint64 now = g_get_monotonic_time();
        watch_evaluations(house, now);
        watch_socket(house, now);
        if (login_watch_changed(service_logins(house->service)))
            service_record(house->service, house->start->parent);
        service_free_retired(house->service);
        memory_trim(service_memory(house->service));
        if (now - summarised >= (gint64)service_config(house->service)->summary * G_USEC_PER_SEC) {
            service_log_summary(house->service);
            summarised = now;
        }
        if (now - tidied >= TIDY_INTERVAL) {
            service_tidy(house->service);
            tidied = now;
        }
    }
    return NULL;
}

/* Whoever starts the daemon hears at once if they cannot be written. */
static void begin_metrics(struct house *house)
{
    if (service_metrics(house->service) == NULL)
        return;
    house->metrics = metrics_file_new(house->start->config, service_metrics(house->service));
    g_thread_unref(g_thread_new("metrics", metrics_file_run, house->metrics));
    metrics_file_wait(house->metrics, METRICS_WAIT);
}

/* ---- start and stop */

static struct service *load(const struct child_start *start)
{
    auto_free(diags) diags = diags_new();
    struct service *service = service_new(start->config, start->descriptors, diags);
    log_diags_shown(diags);
    if (service == NULL)
        _exit(EXITS_WRONG);
    return service;
}

static void listen_or_exit(const struct child_start *start, struct service *service)
{
    libmilter_memory(service_memory(service));
    libmilter_read_ahead(start->config->read_ahead);
    if (filter_open(service) == 0)
        return;
    const struct endpoint *endpoint = start->config->socket;
    bool descriptor = endpoint->kind == ENDPOINT_FD;
    log_line(LOG_ERR, "%s: libmilter cannot listen on it%s", endpoint->name,
             descriptor ? "; it knows descriptors on Debian only" : "; syslog has its reason");
    _exit(descriptor ? EXITS_WRONG : EXITS_PASSING);
}

static void announce(const struct child_start *start, struct service *service)
{
    auto_free(policy) policy = service_policy(service);
    if (!start->foreground)
        child_leave_terminal(); /* whoever started it in the background hears of troubles alone */
    struct entry entry = {.kind = ENTRY_STARTED, .priority = LOG_NOTICE};
    entry_plain(&entry, "version", PACKAGE_VERSION, strlen(PACKAGE_VERSION));
    entry_plain(&entry, "policy", policy_digest(policy), POLICY_DIGEST_SHOWN);
    entry_number(&entry, "rules", policy_rule_count(policy));
    log_event(&entry, "started: version %s, socket %s, policy %s %.*s, %u rules", PACKAGE_VERSION,
              start->config->socket->name, policy_path(policy), POLICY_DIGEST_SHOWN, policy_digest(policy),
              policy_rule_count(policy));
    say(start, CHILD_READY);
}

void child_run(const struct child_start *start)
{
    static struct house house; /* the threads use it for as long as the process lives */

    follow_parent(start);
    reset_signals();
    memory_prepare();
    house = (struct house){.service = load(start), .start = start};
    listen_or_exit(start, house.service);
    listen_socket_find(&house.socket, start->config->socket, start->lock, start->parent);
    libmilter_listens(house.socket.fd);
    leave_signals_to_libmilter();
    begin_metrics(&house);
    service_tidy(house.service); /* whoever sees it ready finds the policy in the ledger */
    service_record(house.service, start->parent);
    announce(start, house.service);
    g_thread_unref(g_thread_new("reload", reload_thread, &house));
    g_thread_unref(g_thread_new("house", house_thread, &house));

    /* It comes back only if it gave up, or if somebody else told this process to stop. */
    finish(&house, filter_run() == 0 ? EXITS_DONE : EXITS_PASSING);
}
