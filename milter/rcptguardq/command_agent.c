/* command_agent - `rcptguardq agent`: carries out decisions that are in the ledger; see rcptguardq(8) */

#include "milter/agent/agent.h"
#include "milter/agent/agent_fleet.h"
#include "milter/ledger/ledger_bell.h"
#include "milter/rcptguardq/commands.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean wait_option = FALSE, fleet_option = FALSE;

/* Seconds between two runs, at most; and until a run tries again what was left, at first. */
#define LONGEST_WAIT  60u
#define SHORTEST_WAIT 1u

static void say(int code, const char *id, const char *words)
{
    const struct tool_decided decided = {.id = id, .code = code, .said = words};
    tool_print_decided(NULL, stdout, &decided);
}

/* ---- other processes of this program */

/* This command with these options, which end with NULL. */
static GPtrArray *command_line(const char *const *options)
{
    GPtrArray *arguments = g_ptr_array_new();
    g_ptr_array_add(arguments, (gpointer) "/proc/self/exe");
    g_ptr_array_add(arguments, (gpointer) "agent");
    for (; *options != NULL; options++)
        g_ptr_array_add(arguments, (gpointer)*options);
    if (tool_json())
        g_ptr_array_add(arguments, (gpointer) "--json");
    tool_config_arguments(arguments);
    g_ptr_array_add(arguments, NULL);
    return arguments;
}

/* One process for each run: it reads the configuration and the identities as they are then. */
static int run_apart(void)
{
    static const char *const options[] = {NULL};
    g_autoptr(GPtrArray) arguments = command_line(options);
    GError *error = NULL;
    int status = 0;
    if (!g_spawn_sync(NULL, (char **)arguments->pdata, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                      &status, &error)) {
        int code = tool_error(EXITS_PASSING, "%s", error->message);
        g_error_free(error);
        return code;
    }
    return status == 0 ? EXITS_DONE : EXITS_PASSING;
}

/* It ends with the process that started it. */
static void end_with_parent(gpointer parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != GPOINTER_TO_INT(parent))
        _exit(EXITS_PASSING);
}

/* Whether a process that was started goes on; if not it is one no more. */
static bool goes_on(pid_t *process)
{
    if (*process > 0 && waitpid(*process, NULL, WNOHANG) != 0)
        *process = 0;
    return *process > 0;
}

/* The exchange with a fleet's database is another process, so that nothing here waits for the network. */
static void keep_exchanging(const struct tool *tool, pid_t *process)
{
    static const char *const options[] = {"--fleet", "--wait", NULL};
    GError *error = NULL;
    if (tool->config->fleet_database == NULL || goes_on(process))
        return;
    g_autoptr(GPtrArray) arguments = command_line(options);
    if (!g_spawn_async(NULL, (char **)arguments->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN,
                       end_with_parent, GINT_TO_POINTER(getpid()), process, &error)) {
        tool_error(EXITS_PASSING, "%s", error->message);
        g_error_free(error);
    }
}

/* ---- for ever */

/* Seconds until a message leaves by itself, rounded up; without one, the longest wait.  What should have left before
 * the last run began may stay for long: its rule is gone, say. */
static unsigned until_next(const struct tool *tool, gint64 began)
{
    struct database_error error;
    gint64 next, now = tool_now();
    if (ledger_next_leaving(tool->ledger, began, &next, &error) == -1 || next == 0)
        return LONGEST_WAIT;
    return next <= now ? SHORTEST_WAIT : (unsigned)MIN((next - now) / G_USEC_PER_SEC + 1, LONGEST_WAIT);
}

/* For ever.  What failed is tried again, after a longer time each time. */
static int run_waiting(const struct tool *tool)
{
    unsigned wait = SHORTEST_WAIT;
    pid_t exchanging = 0;
    g_autofree char *error = NULL;
    auto_free(bell) bell = bell_open(tool->config->ledger, &error);
    if (bell == NULL)
        return tool_error(EXITS_WRONG, "%s", error);
    for (;;) {
        gint64 began = tool_now();
        keep_exchanging(tool, &exchanging);
        wait = run_apart() == EXITS_DONE ? LONGEST_WAIT : MIN(wait * 2, LONGEST_WAIT);
        if (bell_wait(bell, MIN(wait, until_next(tool, began))))
            wait = SHORTEST_WAIT;
    }
}

/* ---- once */

static int run_once(struct tool *tool)
{
    const struct agent agent = {.tool = tool, .say = say};
    int status = agent_run(&agent);
    int told = status == EXITS_WRONG ? status : notify_delayed(tool);
    return status == EXITS_DONE ? told : status;
}

/* systemd does not hear the bell while its unit runs: what is written down meanwhile is done here.  Not for ever, as
 * the configuration is that of the start. */
static int run(struct tool *tool)
{
    gint64 end = g_get_monotonic_time() + LONGEST_WAIT * G_USEC_PER_SEC;
    g_autofree char *error = NULL;
    if (fleet_option)
        return wait_option ? agent_fleet_always(tool, run_apart) : agent_fleet_once(tool, run_apart);
    if (wait_option)
        return run_waiting(tool);
    auto_free(bell) bell = bell_open(tool->config->ledger, &error);
    int status;
    do
        status = run_once(tool);
    while (status != EXITS_WRONG && bell != NULL && g_get_monotonic_time() < end && bell_wait(bell, 0));
    return status;
}

static const GOptionEntry entries[] = {
    {"fleet", 0, 0, G_OPTION_ARG_NONE, &fleet_option, "Exchange with the database that servers share", NULL},
    {"wait", 0, 0, G_OPTION_ARG_NONE, &wait_option, "Do not end: carry out each decision as it comes", NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_agent = {
    .command.name = "agent",
    .command.summary = "Carry out decisions that are in the ledger",
    .command.entries = entries,
    .right = REVIEW_ROOT,
    .needs = NEED_LEDGER | NEED_QUEUE | NEED_IDENTITIES,
    .command.run = run,
};
