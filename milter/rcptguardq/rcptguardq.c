/* rcptguardq - review of held mail; its commands are in files of their own.  See rcptguardq(8). */

#include <config.h>

#include "milter/content/html_text.h"
#include "milter/database/database.h"
#include "milter/log/log.h"
#include "milter/postgresql/pg_session.h"
#include "milter/queue/confinement.h"
#include "milter/rcptguardq/commands.h"
#include "milter/rcptguardq/mtas.h"
#include "milter/review/screen.h"
#include "policy/cli/json.h"
#include "policy/cli/version_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_list.command,
    &command_counts.command,
    &command_show.command,
    &command_release.command,
    &command_return.command,
    &command_delete.command,
    &command_log.command,
    &command_review.command,
    &command_digest.command,
    &command_notify.command,
    &command_agent.command,
    &command_doctor.command,
    &command_setup.command,
    &command_reload.command,
    &command_forget.command,
    &command_fleet.command,
    NULL,
};

/* ---- what a command needs */

static int open_ledger(struct tool *tool)
{
    struct database_error error;
    tool->ledger = tool_open_ledger(tool, &error);
    if (tool->ledger != NULL)
        return EXITS_DONE;
    if (geteuid() != 0 && access(tool->config->ledger, R_OK | W_OK) == -1)
        return tool_error(EXITS_FORBIDDEN, "not permitted: %s; try `sudo rcptguardq`", error.text);
    return tool_ledger_error(&error);
}

static int load_identities(struct tool *tool)
{
    auto_free(diags) diags = diags_new();
    int result = tool_load_identities(tool, diags);
    log_diags_shown(diags);
    return result == 0 ? EXITS_DONE : EXITS_WRONG;
}

static int open_queue(struct tool *tool)
{
    g_autofree char *error = NULL;
    tool->queue = tool_queue(tool, MTA_NONE, NULL, &error);
    return tool->queue != NULL ? EXITS_DONE : tool_error(EXITS_WRONG, "%s", error);
}

/* Whether the reviewer may do it at all. */
static int permit(const struct tool *tool, const struct rcptguardq_command *command)
{
    g_autofree char *forbidden = tool_forbidden(tool, command->right, command->command.name);
    return forbidden == NULL ? EXITS_DONE : tool_error(EXITS_FORBIDDEN, "%s", forbidden);
}

static int prepare(struct tool *tool, const struct rcptguardq_command *command)
{
    int status = permit(tool, command);
    if (status == EXITS_DONE && (command->needs & NEED_LEDGER) != 0)
        status = open_ledger(tool);
    if (status == EXITS_DONE && (command->needs & NEED_IDENTITIES) != 0)
        status = load_identities(tool);
    if (status == EXITS_DONE && (command->needs & NEED_QUEUE) != 0)
        status = open_queue(tool);
    return status;
}

/* What was printed has to have arrived, or a script would go on with half of it. */
static int flush(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return tool_error(EXITS_PASSING, "cannot write to standard output");
}

static int run(const struct command *command)
{
    g_autofree char *error = NULL;
    auto_free(reviewer) reviewer = reviewer_find(&error);
    if (reviewer == NULL)
        return tool_error(EXITS_FORBIDDEN, "%s", error);
    int status;
    auto_free(diags) diags = diags_new();
    auto_free(config) config = tool_config(reviewer, diags, &status);
    log_diags_shown(diags);
    if (config == NULL)
        return status;
    struct tool tool = {.config = config,
                        .reviewer = reviewer,
                        .drivers = mtas_queue_drivers(),
                        .reader = {.user = config->user, .given = config->user_given}};
    status = prepare(&tool, (const struct rcptguardq_command *)command);
    if (status == EXITS_DONE) {
        log_open("rcptguardq", config->facility);
        log_as_json(config->log_json);
        log_to_stderr(false); /* the person is told in other words */
        status = command->run(&tool);
    }
    ledger_close(tool.ledger);
    queue_close(tool.queue);
    identities_free(tool.identities);
    if (tool.policy != NULL)
        policy_unref(tool.policy);
    return flush(status);
}

/* ---- the command line */

/*
 * What root runs for others goes by nobody's environment: libraries would load
 * modules and read files by it.
 */
static void clean_environment(void)
{
    static const char *const kept[] = {"TERM", "NO_COLOR", "SUDO_UID"};
    char *values[G_N_ELEMENTS(kept)];
    if (geteuid() != 0)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
        values[i] = g_strdup(g_getenv(kept[i]));
    clearenv();
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        if (values[i] != NULL)
            g_setenv(kept[i], values[i], TRUE);
        g_free(values[i]);
    }
}

static void add_versions(GString *out)
{
    g_autofree char *xml = html_text_library_version(), *seccomp = confinement_library_version();
    g_autofree char *postgresql = pg_library_version();
    versions_add(out, "SQLite", database_library_version());
    versions_add(out, "ncurses", screen_library_version());
    versions_add(out, "libxml2", xml);
    versions_add(out, "libseccomp", seccomp == NULL ? "none" : seccomp);
    versions_add(out, "libpq", postgresql == NULL ? "none" : postgresql);
    versions_add_built(out, "json-glib", json_library_version());
}

int main(int argc, char **argv)
{
    static const struct command_line program = {
        .name = "rcptguardq",
        .page = "rcptguardq(8)",
        .entries = tool_entries,
        .commands = commands,
        .add_versions = add_versions,
        .run = run,
    };

    clean_environment();
    command_begin(&program);
    if (argc > 1 && strcmp(argv[1], READER_WORD) == 0)
        reader_serve(argv + 2, mtas_queue_drivers());
    if (argc > 1 && strcmp(argv[1], PG_SESSION_WORD) == 0)
        pg_session_serve(argv + 2);
    return command_main(argc, argv);
}
