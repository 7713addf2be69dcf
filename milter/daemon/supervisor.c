/* supervisor - see supervisor.h */

#include <config.h>

#include "milter/daemon/supervisor.h"

#include "milter/daemon/listen_socket.h"
#include "milter/daemon/worker.h"
#include "milter/log/log.h"
#include "policy/cli/exit_codes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

/* How long the child may take to stop before it is killed, in microseconds. */
#define STOP_LIMIT (10 * G_USEC_PER_SEC)

struct supervisor {
    const struct config *config;
    bool foreground;
    int lock;    /* see listen_socket_lock */
    int status;  /* where the process that started us waits for an exit code, or -1 */
    int control; /* to the child, or -1 when it has closed it */
    pid_t child;
    bool ready;
    bool stopping;
    bool killed;
    gint64 deadline; /* of the stop, monotonic microseconds */
};

static volatile sig_atomic_t want_reload;
static volatile sig_atomic_t want_stop;
static volatile sig_atomic_t child_changed;

static void on_signal(int number)
{
    if (number == SIGHUP)
        want_reload = 1;
    else if (number == SIGCHLD)
        child_changed = 1;
    else
        want_stop = 1;
}

/* ---- systemd */

/* What sd_notify(3) takes; nothing where there is no systemd. */
static void notify(const char *state)
{
#ifdef HAVE_SYSTEMD
    sd_notify(0, state);
#else
    (void)state;
#endif
}

static void notify_ready(void)
{
    g_autofree char *state = g_strdup_printf("READY=1\nMAINPID=%ld", (long)getpid());
    notify(state);
}

static void notify_reloading(void)
{
    g_autofree char *state = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    notify(state);
}

/* ---- start */

/* Signals are blocked but while we wait, so that none is lost between a look and the wait. */
static void take_signals(sigset_t *open)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;
    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    const int numbers[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        sigaddset(&blocked, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
    sigaddset(&blocked, SIGUSR1); /* for the child, where it means reload and not death */
    sigprocmask(SIG_BLOCK, &blocked, open);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        sigdelset(open, numbers[i]);
    signal(SIGPIPE, SIG_IGN);
}

static int start_child(struct supervisor *supervisor, unsigned descriptors)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
        log_line(LOG_ERR, "cannot start the milter: %s", g_strerror(errno));
        return -1;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == -1) {
        log_line(LOG_ERR, "cannot start the milter: %s", g_strerror(errno));
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    if (child == 0) {
        static struct child_start start;
        close(ends[0]);
        if (supervisor->status != -1)
            close(supervisor->status);
        setpgid(0, 0); /* what a terminal sends is the supervisor's */
        start = (struct child_start){
            .config = supervisor->config,
            .descriptors = descriptors,
            .foreground = supervisor->foreground,
            .parent = parent,
            .control = ends[1],
            .lock = supervisor->lock,
        };
        child_run(&start);
    }
    close(ends[1]);
    supervisor->control = ends[0];
    supervisor->child = child;
    return 0;
}

/* Tells the process that started us how it went; once. */
static void report_status(struct supervisor *supervisor, int code)
{
    if (supervisor->status == -1)
        return;
    const unsigned char byte = (unsigned char)code;
    while (write(supervisor->status, &byte, 1) == -1 && errno == EINTR)
        continue;
    close(supervisor->status);
    supervisor->status = -1;
}

/* ---- the loop */

static void become_ready(struct supervisor *supervisor)
{
    supervisor->ready = true;
    if (!supervisor->foreground)
        child_leave_terminal();
    notify_ready();
    report_status(supervisor, EXITS_DONE);
}

static void hear_word(struct supervisor *supervisor, char word)
{
    switch (word) {
    case CHILD_READY:
        become_ready(supervisor);
        break;
    case CHILD_ALIVE:
        notify("WATCHDOG=1");
        break;
    case CHILD_RELOADED:
        notify_ready();
        break;
    default:
        break;
    }
}

static void hear(struct supervisor *supervisor)
{
    char words[64];
    ssize_t got = recv(supervisor->control, words, sizeof words, MSG_DONTWAIT);
    if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR)) {
        close(supervisor->control);
        supervisor->control = -1; /* its end will be told by SIGCHLD */
    }
    for (ssize_t i = 0; i < got; i++)
        hear_word(supervisor, words[i]);
}

static void begin_stop(struct supervisor *supervisor)
{
    const char word = CHILD_STOP;
    supervisor->stopping = true;
    supervisor->deadline = g_get_monotonic_time() + STOP_LIMIT;
    notify("STOPPING=1");
    /* While it starts it hears no words, and has nothing to finish. */
    if (!supervisor->ready || send(supervisor->control, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
        kill(supervisor->child, SIGTERM);
}

static void enforce_stop(struct supervisor *supervisor)
{
    if (supervisor->killed || g_get_monotonic_time() < supervisor->deadline)
        return;
    log_line(LOG_WARNING, "the milter did not stop within %d s and is killed", (int)(STOP_LIMIT / G_USEC_PER_SEC));
    supervisor->killed = true;
    kill(supervisor->child, SIGKILL);
}

/* Waits until the child has ended; its status as of waitpid(2). */
static int watch(struct supervisor *supervisor, const sigset_t *open)
{
    const struct timespec interval = {1, 0};
    for (;;) {
        struct pollfd waiting = {.fd = supervisor->control, .events = POLLIN};
        int found = ppoll(&waiting, 1, supervisor->stopping ? &interval : NULL, open);
        if (found > 0)
            hear(supervisor);
        if (child_changed) {
            int status;
            child_changed = 0;
            if (waitpid(supervisor->child, &status, WNOHANG) == supervisor->child &&
                (WIFEXITED(status) || WIFSIGNALED(status)))
                return status;
        }
        if (want_stop && !supervisor->stopping)
            begin_stop(supervisor);
        if (want_reload) {
            want_reload = 0;
            if (!supervisor->stopping) {
                notify_reloading();
                kill(supervisor->child, SIGUSR1);
            }
        }
        if (supervisor->stopping)
            enforce_stop(supervisor);
    }
}

/* What the end of the child means for us. */
static int conclude(const struct supervisor *supervisor, int status)
{
    if (supervisor->stopping)
        return supervisor->ready ? EXITS_DONE : EXITS_PASSING;
    if (!supervisor->ready && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return WEXITSTATUS(status); /* it has said why */
    if (WIFSIGNALED(status))
        log_line(LOG_ERR, "the milter was ended by signal %d (%s), so the supervisor ends too", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        log_line(LOG_ERR, "the milter ended with exit code %d, so the supervisor ends too", WEXITSTATUS(status));
    return EXITS_PASSING;
}

static int serve(struct supervisor *supervisor, unsigned descriptors)
{
    sigset_t open;
    take_signals(&open);
    int code = EXITS_PASSING;
    if (start_child(supervisor, descriptors) == 0)
        code = conclude(supervisor, watch(supervisor, &open));
    listen_socket_remove(supervisor->config->socket);
    listen_socket_unlock(supervisor->config->socket, supervisor->lock);
    report_status(supervisor, code == EXITS_DONE ? EXITS_PASSING : code);
    return code;
}

/* ---- the background */

/* Waits for the exit code that the service reports. */
static int await_status(int status, pid_t service)
{
    unsigned char code;
    ssize_t got;
    do {
        got = read(status, &code, 1);
    } while (got == -1 && errno == EINTR);
    if (got == 1)
        return code;
    waitpid(service, NULL, 0);
    log_line(LOG_ERR, "the service ended before it was ready");
    return EXITS_PASSING;
}

static int serve_in_background(struct supervisor *supervisor, unsigned descriptors)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == -1) {
        log_line(LOG_ERR, "cannot go into the background: %s", g_strerror(errno));
        return EXITS_PASSING;
    }
    pid_t service = fork();
    if (service == -1) {
        log_line(LOG_ERR, "cannot go into the background: %s", g_strerror(errno));
        return EXITS_PASSING;
    }
    if (service > 0) {
        close(ends[1]);
        return await_status(ends[0], service);
    }
    close(ends[0]);
    supervisor->status = ends[1];
    setsid();
    if (chdir("/") == -1)
        log_line(LOG_WARNING, "cannot leave the directory of the start: %s", g_strerror(errno));
    listen_socket_lock_owner(supervisor->lock, getpid());
    _exit(serve(supervisor, descriptors));
}

int supervisor_run(const struct config *config, unsigned descriptors, bool foreground)
{
    struct supervisor supervisor = {
        .config = config, .foreground = foreground, .lock = -1, .status = -1, .control = -1};
    g_autofree char *error = NULL;
    int code = listen_socket_lock(config->socket, &supervisor.lock, &error);
    if (code == EXITS_DONE) {
        code = listen_socket_prepare(config->socket, &error);
        if (code != EXITS_DONE)
            listen_socket_unlock(config->socket, supervisor.lock);
    }
    if (code != EXITS_DONE) {
        log_line(LOG_ERR, "%s", error);
        return code;
    }
    return foreground ? serve(&supervisor, descriptors) : serve_in_background(&supervisor, descriptors);
}
