/*
 * command_reload - `rcptguardq reload`: has the daemon read its files again, and says what came
 * of it; see rcptguardq(8).
 *
 * The daemon says which process it is and how many reloads there were in its own file
 * user's.  So a signal goes to no process of another user, whatever the file says.
 */

#include "milter/common/conf_running.h"
#include "milter/rcptguardq/commands.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long it may take, and how often we look, in microseconds. */
#define RELOAD_LIMIT (30 * G_USEC_PER_SEC)
#define LOOK         (20 * 1000)

#define NO_DAEMON "no rcptguardd runs that has its ledger at %s"

/*
 * Whether it may be sent a signal: of root's it is a process of the daemon's user.  Another user's signals go to his
 * own processes alone, and under systemd he may not see them.
 */
static bool is_daemon(const struct running *running, const struct config *config)
{
    if (geteuid() != 0)
        return running->process > 1;
    g_autofree char *path = g_strdup_printf("/proc/%ld", (long)running->process);
    const struct passwd *user = getpwnam(config->user);
    struct stat status;
    return running->process > 1 && user != NULL && stat(path, &status) == 0 && status.st_uid == user->pw_uid;
}

/* What the daemon recorded after one reload more, or NULL if that takes too long. */
static struct running *await(const struct config *config, guint64 reloads)
{
    gint64 end = g_get_monotonic_time() + RELOAD_LIMIT;
    while (g_get_monotonic_time() < end) {
        auto_free(running) running = running_read(config);
        if (running != NULL && running->reloads != reloads)
            return g_steal_pointer(&running);
        g_usleep(LOOK);
    }
    return NULL;
}

static int report(const struct running *running, const struct config *config)
{
    if (running->failed)
        return tool_error(EXITS_WRONG,
                          "the reload failed, and everything is as before: `rcptguardd -n` says what is wrong");
    g_autofree char *waiting = running_differences(running, config, KEY_RESTART);
    g_autofree char *unit = config_unit(config, "rcptguardd", "");
    if (waiting != NULL)
        return tool_error(EXITS_WRONG, "reloaded, but for %s of %s: a restart is needed, `systemctl restart %s`",
                          waiting, config->path, unit);
    g_autoptr(GString) text = g_string_new("reloaded\n");
    if (!tool_json())
        tool_print(text);
    return EXITS_DONE;
}

static int run(struct tool *tool)
{
    const struct config *config = tool->config;
    auto_free(running) before = running_read(config);
    if (before == NULL || !is_daemon(before, config))
        return tool_error(EXITS_WRONG, NO_DAEMON, config->ledger);
    if (kill(before->process, SIGHUP) == -1)
        return errno == ESRCH
                   ? tool_error(EXITS_WRONG, NO_DAEMON, config->ledger)
                   : tool_error(EXITS_FORBIDDEN, "process %ld: %s", (long)before->process, g_strerror(errno));
    auto_free(running) after = await(config, before->reloads);
    if (after == NULL)
        return tool_error(EXITS_PASSING, "rcptguardd has not reported the result within %d s: see its log",
                          (int)(RELOAD_LIMIT / G_USEC_PER_SEC));
    return report(after, config);
}

static const GOptionEntry entries[] = {
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_reload = {
    .command.name = "reload",
    .command.summary = "Have the daemon reload its policy and configuration",
    .command.entries = entries,
    .right = REVIEW_SERVICE,
    .command.run = run,
};
