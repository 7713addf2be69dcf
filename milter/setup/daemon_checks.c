/* daemon_checks - the checks of the daemon's policy, process and socket, whichever the MTA is; see checks.h */

#include "milter/setup/checks.h"

#include "milter/common/conf_running.h"
#include "milter/common/process_memory.h"
#include "milter/ledger/ledger_time.h"
#include "milter/metrics/metrics_file.h"
#include "milter/setup/socket_probe.h"
#include "policy/cli/run_program.h"
#include "policy/engine/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAEMON  "rcptguardd"
#define RESTART "systemctl restart %s"
#define RELOAD  "systemctl reload %s"

/* A file of metrics that is older is no longer written, in seconds; the alert waits as long. */
#define METRICS_OLD (8 * METRICS_INTERVAL)

/* The most that the key `body` takes, in bytes. */
#define BODY_MOST (G_GUINT64_CONSTANT(1024) * MEBIBYTE)

/* More errors than a person fixes at once. */
#define ERRORS_SHOWN 10

/* ---- policy and configuration, as the daemon's user sees them */

/* The daemon's program is beside this one. */
static char *daemon_path(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    if (self != NULL) {
        g_autofree char *folder = g_path_get_dirname(self);
        char *beside = g_build_filename(folder, DAEMON, NULL);
        if (g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
            return beside;
        g_free(beside);
    }
    return g_strdup(DAEMON);
}

/* Whether a line of `rcptguardd -n` is an error, and one of the template or one of all else. */
static bool is_complaint(const struct doctor *doctor, const char *line, bool of_notice)
{
    const char *notice = doctor->tool->config->review.notice;
    bool in_notice = notice != NULL && g_str_has_prefix(line, notice) && line[strlen(notice)] == ':';
    return strstr(line, ": error: ") != NULL && in_notice == of_notice;
}

static bool has_complaint(const struct doctor *doctor, bool of_notice)
{
    for (char **line = doctor->complaints; line != NULL && *line != NULL; line++) {
        if (is_complaint(doctor, *line, of_notice))
            return true;
    }
    return false;
}

static void tell_complaints(struct doctor *doctor, bool of_notice, const char *why)
{
    static const char of_policy[] =
        "With an error in it the daemon does not start, and a reload keeps what is in force.";
    const char *policy = doctor->tool->config->policy;
    unsigned shown = 0;
    for (char **line = doctor->complaints; line != NULL && *line != NULL && shown < ERRORS_SHOWN; line++) {
        if (!is_complaint(doctor, *line, of_notice))
            continue;
        bool placed = g_str_has_prefix(*line, policy) && (*line)[strlen(policy)] == ':' &&
                      g_ascii_isdigit((*line)[strlen(policy) + 1]);
        if (placed) /* not only that it cannot be read */
            findings_add(doctor->findings, SEVERITY_ERROR, of_policy, "the policy has an error: %s", *line);
        else
            findings_add(doctor->findings, SEVERITY_ERROR, why, "%s", *line);
        shown++;
    }
}

static void examine_policy(struct doctor *doctor)
{
    static const char why[] = "rcptguardd neither starts nor reloads with what it cannot read as its own user.";
    g_autofree char *path = daemon_path();
    const char *const arguments[] = {path, "-n", "-c", doctor->tool->config->path, NULL};
    g_autoptr(GString) said = g_string_new(NULL);
    g_autofree char *error = NULL;
    const struct program program = {.arguments = arguments, .take = program_collect, .data = said, .merged = true};
    if (program_run(&program, &error) == 0) {
        findings_ok(doctor->findings, "%s: loads and its assertions hold, as the daemon's user",
                    doctor->tool->config->policy);
        return;
    }
    doctor->complaints = g_strsplit(said->str, "\n", -1);
    tell_complaints(doctor, false, why);
    if (findings_silent(doctor->findings) && !has_complaint(doctor, true))
        findings_add(doctor->findings, SEVERITY_ERROR, why, "%s", error);
    else if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "%s: loads and its assertions hold, as the daemon's user",
                    doctor->tool->config->policy);
}

/* What a rule lets leave by itself stays without it. */
static void examine_agent(struct doctor *doctor)
{
    static const char why[] =
        "Mail that a rule releases after a time stays on hold, and its author was told otherwise.";
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = policy_load(doctor->tool->config->policy, diags);
    struct database_error error;
    struct ledger_agent agent = {0};
    bool needed = false;
    g_autofree char *timer = config_unit(doctor->tool->config, "rcptguard-agent", ".timer");
    for (unsigned i = 0; policy != NULL && i < policy_rule_count(policy); i++)
        needed = needed || policy_rule(policy, i).terms.release == RELEASE_AFTER;
    needed = needed || (policy != NULL && policy_default(policy).terms.release == RELEASE_AFTER);
    if (doctor->tool->ledger == NULL || ledger_agent_read(doctor->tool->ledger, &agent, &error) == -1)
        return;
    bool runs = ABS(tool_now() - agent.last) <= LEDGER_AGENT_GAP;
    if (runs || !needed)
        findings_ok(doctor->findings, "%s", runs ? "it runs" : "it does not run, and no rule needs it");
    else
        finding_mend(findings_add(doctor->findings, SEVERITY_ERROR, why,
                                  "a rule of the policy has `release after`, and `rcptguardq agent` does not run"),
                     MEND_SHELL, "systemctl enable --now %s", timer);
}

static void examine_notice(struct doctor *doctor)
{
    const char *path = doctor->tool->config->review.notice;
    if (path == NULL)
        return;
    tell_complaints(doctor, true, "Authors of held mail are not informed, and notify fails each time.");
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "%s: can be read, and nothing is wrong in it", path);
}

/* The daemon keeps every policy that came in force in the ledger. */
static void examine_reload(struct doctor *doctor)
{
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = policy_load(doctor->tool->config->policy, diags);
    struct database_error error;
    if (policy == NULL || doctor->tool->ledger == NULL)
        return;
    g_autofree char *text = ledger_policy_text(doctor->tool->ledger, policy_digest(policy), &error);
    if (text != NULL) {
        findings_ok(doctor->findings, "policy %.*s was in force", POLICY_DIGEST_SHOWN, policy_digest(policy));
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_WARNING, "Mail is evaluated with the policy that was read last.",
                     "%s was changed, and has not come in force", doctor->tool->config->policy);
    finding_mend(finding, MEND_SHELL, RELOAD, doctor->unit);
}

/* ---- the process */

/* Whether the socket's lock is held; a lock that nobody holds can be had. */
static bool is_locked(const struct endpoint *endpoint, char **owner)
{
    g_autofree char *path = g_strconcat(endpoint->path, ".lock", NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
    char text[32] = "";
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    *owner = g_strdup(g_strstrip(text));
    close(fd);
    return locked;
}

static void examine_running(struct doctor *doctor)
{
    const struct endpoint *endpoint = doctor->tool->config->socket;
    g_autofree char *owner = NULL;
    if (endpoint->kind != ENDPOINT_UNIX)
        return;
    if (is_locked(endpoint, &owner)) {
        findings_ok(doctor->findings, DAEMON " runs, process %s", owner);
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "While it is down, mail waits or passes without evaluation: see default-action and filter-flags.",
                     "no " DAEMON " serves %s", endpoint->name);
    finding_mend(finding, MEND_SHELL, RESTART, doctor->unit);
}

/* Whether it runs with what rcptguard.conf says now. */
static void examine_configuration(struct doctor *doctor)
{
    static const char why[] = "The daemon uses the values that it read before.";
    const struct config *config = doctor->tool->config;
    auto_free(running) running = running_read(config);
    if (running == NULL || (kill(running->process, 0) == -1 && errno == ESRCH)) /* `running` has said so */
        return;
    g_autofree char *reload = running_differences(running, config, KEY_RELOAD);
    g_autofree char *restart = running_differences(running, config, KEY_RESTART);
    if (restart != NULL) {
        struct finding *finding = findings_add(doctor->findings, SEVERITY_WARNING, why,
                                               "%s: changed, and needs a restart: %s", config->path, restart);
        finding_mend(finding, MEND_SHELL, RESTART, doctor->unit);
    } else if (reload != NULL) {
        struct finding *finding = findings_add(doctor->findings, SEVERITY_WARNING, why,
                                               "%s: changed, and not yet in force: %s", config->path, reload);
        finding_mend(finding, MEND_SHELL, RELOAD, doctor->unit);
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, DAEMON " runs with what %s says", config->path);
}

/* Whether the limit of the service's memory leaves room for what messages may have. */
static void examine_memory(struct doctor *doctor)
{
    static const char why[] =
        "Messages get what the limit leaves, so large ones are deferred sooner than the key says.";
    const struct config *config = doctor->tool->config;
    auto_free(running) running = running_read(config);
    if (running == NULL || running->memory == 0 || (kill(running->process, 0) == -1 && errno == ESRCH))
        return;
    guint64 limit = process_memory_limit(running->process) / MEBIBYTE, needed = running->memory / MEBIBYTE + 1;
    if (limit > 0 && limit < needed) {
        struct finding *finding =
            findings_add(doctor->findings, SEVERITY_WARNING, why,
                         "the service may have %" G_GUINT64_FORMAT "M of memory, and may need %" G_GUINT64_FORMAT
                         "M with [milter] memory = %uM",
                         limit, needed, config->memory);
        finding_mend(finding, MEND_SHELL,
                     "systemctl set-property %s.service MemoryMax=%" G_GUINT64_FORMAT "M && " RESTART, doctor->unit,
                     needed, doctor->unit);
    } else if (limit > 0) {
        findings_ok(doctor->findings, "%" G_GUINT64_FORMAT "M may be needed, and %" G_GUINT64_FORMAT "M are allowed",
                    needed, limit);
    } else {
        findings_ok(doctor->findings, "%" G_GUINT64_FORMAT "M may be needed, and there is no limit", needed);
    }
}

/* Whether rules that test `user` write logins as the MTA does. */
static void examine_logins(struct doctor *doctor)
{
    auto_free(running) running = running_read(doctor->tool->config);
    if (running == NULL || running->missed == NULL)
        return;
    findings_add(
        doctor->findings, SEVERITY_WARNING,
        "Such a rule matches nobody. Write logins as the MTA does: see user= in the daemon's log.",
        "mail goes out from senders that are listed as logins, and none of these logins was seen, in rules: %s",
        running->missed);
}

/* ---- the metrics */

static void examine_metrics(struct doctor *doctor)
{
    static const char why[] = "A monitoring system sees nothing of the daemon, or what was.";
    const char *path = doctor->tool->config->metrics;
    struct finding *finding;
    struct stat status;
    if (path == NULL) {
        findings_ok(doctor->findings, "none are configured");
        return;
    }
    g_autofree char *folder = g_path_get_dirname(path);
    if (stat(path, &status) == -1) {
        finding = findings_add(doctor->findings, SEVERITY_WARNING, why, "%s: %s", path, g_strerror(errno));
        if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
            finding_mend(finding, MEND_SHELL, "install -d -o %s -m 755 %s", doctor->tool->config->user, folder);
        finding_mend(finding, MEND_SHELL, RESTART, doctor->unit);
        return;
    }
    gint64 age = tool_now() / G_USEC_PER_SEC - (gint64)status.st_mtime;
    if (age <= METRICS_OLD) {
        findings_ok(doctor->findings, "%s is written", path);
        return;
    }
    finding = findings_add(doctor->findings, SEVERITY_WARNING, why,
                           "%s was written %" G_GINT64_FORMAT " s ago, and should be every %d s", path, age,
                           METRICS_INTERVAL);
    finding_mend(finding, MEND_SHELL, RESTART, doctor->unit);
}

/* ---- the socket */

static void examine_owner(struct doctor *doctor, const struct endpoint *endpoint, const struct stat *status)
{
    const struct config *config = doctor->tool->config;
    const struct passwd *user = getpwnam(config->user);
    if (user == NULL || user->pw_uid == status->st_uid || geteuid() != 0)
        return;
    struct finding *finding = findings_add(
        doctor->findings, SEVERITY_ERROR, "It is not the daemon's: whoever listens there decides what happens to mail.",
        "%s belongs to user id %ld, not to %s", endpoint->path, (long)status->st_uid, config->user);
    finding_mend(finding, MEND_SHELL, "rm %s && " RESTART, endpoint->path, doctor->unit);
}

/* Who may write to its directory can put another socket there. */
static void examine_folder(struct doctor *doctor, const struct endpoint *endpoint)
{
    g_autofree char *folder = g_path_get_dirname(endpoint->path);
    struct stat status;
    if (stat(folder, &status) == -1) {
        struct finding *finding =
            findings_add(doctor->findings, SEVERITY_ERROR, "The daemon creates its socket there, and must own it.",
                         "%s: %s", folder, g_strerror(errno));
        finding_mend(finding, MEND_SHELL, "install -d -o %s -g %s -m 2750 %s && " RESTART, doctor->tool->config->user,
                     doctor->mta != NULL ? doctor->mta->group : doctor->tool->config->user, folder, doctor->unit);
        return;
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return;
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_ERROR, "Who may write there can put a socket of his own in its place.",
                     "%s can be written by others than its owner", folder);
    finding_mend(finding, MEND_SHELL, "chmod g-w,o-w %s", folder);
}

static void examine_socket(struct doctor *doctor)
{
    const struct endpoint *endpoint = doctor->tool->config->socket;
    struct stat status;
    if (endpoint->kind == ENDPOINT_FD) {
        findings_add(doctor->findings, SEVERITY_NOTE, "It has no address in rcptguard.conf that could be compared.",
                     "the socket is handed to the daemon as a descriptor");
        return;
    }
    if (endpoint->kind != ENDPOINT_UNIX) {
        findings_ok(doctor->findings, "%s", endpoint->name);
        return;
    }
    examine_folder(doctor, endpoint);
    if (lstat(endpoint->path, &status) == -1) {
        struct finding *finding = findings_add(doctor->findings, SEVERITY_ERROR, "The MTA finds no milter there.",
                                               "%s: %s", endpoint->path, g_strerror(errno));
        finding_mend(finding, MEND_SHELL, RESTART, doctor->unit);
    } else if (!S_ISSOCK(status.st_mode)) {
        struct finding *finding =
            findings_add(doctor->findings, SEVERITY_ERROR, "The daemon leaves it alone and does not start.",
                         "%s is no socket", endpoint->path);
        finding_mend(finding, MEND_SHELL, "rm %s && " RESTART, endpoint->path, doctor->unit);
    } else {
        examine_owner(doctor, endpoint, &status);
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "%s, mode %04o", endpoint->path, (unsigned)(status.st_mode & 07777));
}

static void examine_answer(struct doctor *doctor)
{
    const struct endpoint *endpoint = doctor->tool->config->socket;
    struct probe_answer answer = {false, false};
    g_autofree char *error = NULL;
    struct finding *finding;
    if (endpoint->kind == ENDPOINT_FD)
        return;
    if (probe_negotiate(endpoint, &answer, &error) == -1) {
        finding = findings_add(doctor->findings, SEVERITY_ERROR, "A milter that does not answer judges nothing.",
                               "%s: %s", endpoint->name, error);
    } else if (!answer.quarantines) {
        finding = findings_add(doctor->findings, SEVERITY_ERROR,
                               "rcptguardd asks for the right to hold mail; what answers does not.",
                               "%s: what answers is another milter", endpoint->name);
    } else {
        doctor->answers = true;
        doctor->asks_macros = answer.asks_macros;
        findings_ok(doctor->findings, "%s speaks the milter protocol, and asks for what " DAEMON " needs",
                    endpoint->name);
        return;
    }
    finding_mend(finding, MEND_SHELL, RESTART, doctor->unit);
}

/* ---- as the MTA sees it */

static void tell_unreachable(struct doctor *doctor, const struct doctor_view *view, const char *denied,
                             const char *error)
{
    const struct endpoint *endpoint = doctor->tool->config->socket;
    g_autofree char *folder = g_path_get_dirname(endpoint->path);
    const struct passwd *user = getpwnam(view->user);
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "This process cannot reach the milter: mail waits or passes without evaluation.",
                     "%s, as the user %s, cannot open %s: %s%s%s", view->process, view->user, view->path, error,
                     denied != NULL ? ": " : "", denied != NULL ? denied : "");
    if (denied != NULL && strcmp(denied, folder) != 0) {
        finding_mend(finding, MEND_SHELL, "chmod o+x %s", denied);
        return;
    }
    if (user == NULL)
        return;
    finding_mend(finding, MEND_SHELL, "chgrp %ld %s %s", (long)user->pw_gid, folder, endpoint->path);
    finding_mend(finding, MEND_SHELL, "chmod 2750 %s", folder);
    finding_mend(finding, MEND_SHELL, "chmod 660 %s", endpoint->path);
}

static void examine_view(struct doctor *doctor, const struct doctor_view *view)
{
    g_autofree char *denied = NULL;
    g_autofree char *error = NULL;
    int reason = probe_reach(view->user, view->root, view->directory, view->path, &denied, &error);
    if (reason == 0)
        findings_ok(doctor->findings, "%s, as the user %s, can open %s", view->process, view->user, view->path);
    else if (reason != ECONNREFUSED && reason != ENOENT) /* `answer` and `socket` have said so */
        tell_unreachable(doctor, view, denied, error);
}

static void examine_reach(struct doctor *doctor)
{
    const struct endpoint *endpoint = doctor->tool->config->socket;
    struct stat status;
    if (endpoint->kind != ENDPOINT_UNIX || doctor->state == NULL ||
        (lstat(endpoint->path, &status) == 0 && !S_ISSOCK(status.st_mode)))
        return;
    if (geteuid() != 0) {
        findings_add(doctor->findings, SEVERITY_NOTE, "Only root can look as the MTA's user does.",
                     "was not looked at");
        return;
    }
    g_autoptr(GPtrArray) views = g_ptr_array_new_with_free_func((GDestroyNotify)doctor_view_free);
    doctor->mta->views(doctor, views);
    for (guint i = 0; i < views->len; i++)
        examine_view(doctor, g_ptr_array_index(views, i));
}

/* Whether a rule asks what the body shows; no, if the policy cannot be read: another check says so. */
static bool asks_body(const struct doctor *doctor)
{
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = policy_load(doctor->tool->config->policy, diags);
    return policy != NULL && policy_asks_body(policy);
}

/* A message that the MTA takes is read as a whole, or else it is opaque(limits). */
static void examine_body_limit(struct doctor *doctor)
{
    guint64 bytes = 0;
    const guint64 body = (guint64)doctor->tool->config->body * MEBIBYTE;
    if (doctor->state == NULL)
        return;
    if (!asks_body(doctor)) {
        findings_ok(doctor->findings, "no rule asks what a body shows");
        return;
    }
    g_autofree char *setting = doctor->mta->size_limit(doctor, &bytes);
    if (bytes != 0 && bytes <= body) {
        findings_ok(doctor->findings, "a body of %uM is read, and %s", doctor->tool->config->body, setting);
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_WARNING,
                     "Of a longer message the end is not read: only a rule with opaque(limits) finds that out.",
                     "body is %uM, and %s", doctor->tool->config->body, setting);
    if (bytes != 0 && bytes <= BODY_MOST)
        finding_mend(finding, doctor->conf, "body = %uM", (unsigned)((bytes + MEBIBYTE - 1) / MEBIBYTE));
}

const struct examination checks_of_daemon[] = {
    {"policy", examine_policy}, {"agent", examine_agent},     {"notice", examine_notice},
    {"reload", examine_reload}, {"running", examine_running}, {"configuration", examine_configuration},
    {"memory", examine_memory}, {"logins", examine_logins},   {"metrics", examine_metrics},
    {"socket", examine_socket}, {"answer", examine_answer},   {NULL, NULL},
};

const struct examination checks_of_reach[] = {
    {"reach", examine_reach},
    {"body-limit", examine_body_limit},
    {NULL, NULL},
};
