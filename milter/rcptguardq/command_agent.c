/* command_agent - `rcptguardq agent`: carries out decisions that are in the ledger; see rcptguardq(8) */

#include "milter/agent/agent.h"
#include "milter/ledger/ledger_bell.h"
#include "milter/rcptguardq/commands.h"

#include <stdio.h>

static gboolean wait_option = FALSE;

/* Seconds between two runs, at most; and until a run tries again what was left, at first. */
#define LONGEST_WAIT  60u
#define SHORTEST_WAIT 1u

static void say(int code, const char *id, const char *words)
{
    tool_print_decided(stdout, code, id, words);
}

/* One process for each run: it reads the configuration and the identities as they are then. */
static int run_apart(void)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    GError *error = NULL;
    int status = 0;
    g_ptr_array_add(arguments, (gpointer) "/proc/self/exe");
    g_ptr_array_add(arguments, (gpointer) "agent");
    if (tool_json())
        g_ptr_array_add(arguments, (gpointer) "--json");
    tool_config_arguments(arguments);
    g_ptr_array_add(arguments, NULL);
    if (!g_spawn_sync(NULL, (char **)arguments->pdata, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                      &status, &error)) {
        int code = tool_error(EXITS_PASSING, "%s", error->message);
        g_error_free(error);
        return code;
    }
    return status == 0 ? EXITS_DONE : EXITS_PASSING;
}

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
    g_autofree char *error = NULL;
    auto_free(bell) bell = bell_open(tool->config->ledger, &error);
    if (bell == NULL)
        return tool_error(EXITS_WRONG, "%s", error);
    for (;;) {
        gint64 began = tool_now();
        wait = run_apart() == EXITS_DONE ? LONGEST_WAIT : MIN(wait * 2, LONGEST_WAIT);
        if (bell_wait(bell, MIN(wait, until_next(tool, began))))
            wait = SHORTEST_WAIT;
    }
}

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
