/* rcptguardq - review of held mail; its commands are in files of their own.  See rcptguardq(8). */

#include <config.h>

#include "conf_load.h"
#include "database.h"
#include "json.h"
#include "log.h"
#include "queue_tool.h"
#include "screen.h"
#include "text.h"
#include "versions.h"

#include <locale.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *config_option = NULL;
static gboolean json_option = FALSE;

static const GOptionEntry common_entries[] = {
    {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config_option, "The configuration (" CONFIG_DEFAULT_PATH ")", "CONF"},
    {"json", 0, 0, G_OPTION_ARG_NONE, &json_option, "Print JSON", NULL},
    G_OPTION_ENTRY_NULL,
};

static const struct command *const commands[] = {
    &command_list,   &command_show,   &command_release, &command_return, &command_delete, &command_log,
    &command_review, &command_digest, &command_notify,  &command_doctor, &command_setup,
};

/* ---- what the commands share */

bool tool_json(void)
{
    return json_option;
}

gint64 tool_now(void)
{
    return g_get_real_time();
}

void tool_print_json(JsonBuilder *json)
{
    g_autoptr(GString) line = g_string_new(NULL);
    json_append_line(line, json);
    tool_print(line);
}

void tool_print(const GString *text)
{
    fwrite(text->str, 1, text->len, stdout);
}

int tool_usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "rcptguardq: %s\nTry `rcptguardq --help`.\n", message);
    return EXITS_USAGE;
}

int tool_error(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = text_printable(message, LOG_LINE_LIMIT);
    fprintf(stderr, "rcptguardq: %s\n", line);
    return code;
}

void tool_diags(const struct diags *diags)
{
    for (unsigned i = 0; i < diags_count(diags); i++) {
        g_autofree char *text = diag_format(diags_get(diags, i));
        fputs(text, stderr);
    }
}

int tool_ledger_error(const struct database_error *error)
{
    switch (error->failure) {
    case DATABASE_BUSY:
    case DATABASE_FULL:
    case DATABASE_REPLACED:
        return tool_error(EXITS_PASSING, "%s", error->text);
    default:
        return tool_error(EXITS_WRONG, "%s", error->text);
    }
}

struct view *tool_view(struct tool *tool, int *status)
{
    const struct reconciling reconciling = {
        .ledger = tool->ledger, .queue = tool->queue, .reader = &tool->reader, .now = tool_now()};
    g_autofree char *error = NULL;
    struct view *view = reconcile(&reconciling, &error);
    if (view == NULL)
        *status = tool_error(EXITS_PASSING, "%s", error);
    else if (view->unrecorded != NULL)
        tool_error(EXITS_PASSING, "warning: the ledger could not be brought up to date: %s", view->unrecorded);
    return view;
}

struct ledger_row *tool_find(struct tool *tool, const char *queue_id, int *status)
{
    struct database_error error;
    g_autoptr(GPtrArray) rows = ledger_find(tool->ledger, queue_id, &error);
    if (rows == NULL) {
        *status = tool_ledger_error(&error);
        return NULL;
    }
    if (rows->len > 0)
        return g_ptr_array_steal_index(rows, 0);
    *status = EXITS_WRONG;
    return NULL;
}

unsigned tool_approvals_needed(const struct tool *tool, const struct ledger_row *row)
{
    return MAX(tool->config->review.approvals, row->message.approvals);
}

/* ---- what a command needs */

/* The daemon's user, whose file the ledger is; without such a user the one who asks. */
static uid_t ledger_owner(const struct config *config)
{
    const struct passwd *entry = getpwnam(config->user);
    return entry != NULL && (geteuid() == 0 || config->user_given) ? entry->pw_uid : geteuid();
}

struct ledger *tool_open_ledger(const struct tool *tool, struct database_error *error)
{
    return ledger_open(tool->config->ledger, ledger_owner(tool->config), DATABASE_EXISTING, error);
}

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
    const char *path = tool->config->review.identities;
    if (path == NULL)
        return EXITS_DONE;
    auto_free(diags) diags = diags_new();
    tool->identities = identities_load(path, diags);
    log_diags_shown(diags);
    return tool->identities != NULL ? EXITS_DONE : EXITS_WRONG;
}

/* The MTA of the newest row; not worth an error of its own. */
static enum mta last_mta(const struct tool *tool)
{
    struct database_error error;
    const struct ledger_filter newest = {.limit = 1};
    g_autoptr(GPtrArray) rows = ledger_list(tool->ledger, &newest, &error);
    return rows == NULL || rows->len == 0 ? MTA_NONE : ((struct ledger_row *)g_ptr_array_index(rows, 0))->message.mta;
}

struct queue *tool_queue(const struct tool *tool, enum mta mta, const char *configuration, char **error)
{
    const struct review *review = &tool->config->review;
    struct queue_choice choice = {
        .mta = mta != MTA_NONE ? mta : review->mta,
        .places = {[MTA_POSTFIX] = {.configuration = review->postfix_config},
                   [MTA_SENDMAIL] = {.configuration = review->sendmail_config, .command = review->sendmail_command}},
    };
    if (mta != MTA_NONE && configuration != NULL)
        choice.places[mta].configuration = configuration;
    if (choice.mta == MTA_NONE && tool->ledger != NULL)
        choice.last = last_mta(tool);
    return queue_open(&choice, error);
}

static int open_queue(struct tool *tool)
{
    g_autofree char *error = NULL;
    tool->queue = tool_queue(tool, MTA_NONE, NULL, &error);
    return tool->queue != NULL ? EXITS_DONE : tool_error(EXITS_WRONG, "%s", error);
}

bool tool_may(const struct tool *tool, unsigned right)
{
    if (right == REVIEW_ROOT)
        return tool->reviewer->root;
    if (right == REVIEW_SERVICE)
        return tool->reviewer->root || tool->reviewer->uid == ledger_owner(tool->config);
    return reviewer_may(tool->reviewer, (const char *const *)tool->config->review.groups[right]);
}

/* Whether the reviewer may do it at all. */
static int permit(const struct tool *tool, const struct command *command)
{
    if (tool_may(tool, command->right))
        return EXITS_DONE;
    if (command->right == REVIEW_ROOT)
        return tool_error(EXITS_FORBIDDEN, "not permitted: %s is root's", command->name);
    if (command->right == REVIEW_SERVICE)
        return tool_error(EXITS_FORBIDDEN, "not permitted: %s is for root and for the daemon's user", command->name);
    return tool_error(EXITS_FORBIDDEN, "not permitted: `%s` is in no group that [review] lets %s",
                      tool->reviewer->login, command->name);
}

static int prepare(struct tool *tool, const struct command *command)
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

static int run_command(const struct command *command)
{
    g_autofree char *error = NULL;
    auto_free(reviewer) reviewer = reviewer_find(&error);
    if (reviewer == NULL)
        return tool_error(EXITS_FORBIDDEN, "%s", error);
    if (reviewer->sudo && config_option != NULL)
        return tool_error(EXITS_FORBIDDEN, "not permitted: -c goes with root itself, not with sudo");
    auto_free(diags) diags = diags_new();
    auto_free(config) config = config_load(config_option != NULL ? config_option : CONFIG_DEFAULT_PATH, diags);
    log_diags_shown(diags);
    if (config == NULL)
        return EXITS_WRONG;
    struct tool tool = {
        .config = config, .reviewer = reviewer, .reader = {.user = config->user, .given = config->user_given}};
    int status = prepare(&tool, command);
    if (status == EXITS_DONE) {
        log_open("rcptguardq", config->facility);
        log_as_json(config->log_json);
        log_to_stderr(false); /* the person is told in other words */
        status = command->run(&tool);
    }
    ledger_close(tool.ledger);
    queue_close(tool.queue);
    identities_free(tool.identities);
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

static void print_help(void)
{
    puts("Usage: rcptguardq COMMAND [OPTION...]\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s%s\n", commands[i]->name, commands[i]->summary);
    puts("\n`rcptguardq COMMAND --help` lists the options of a command. See rcptguardq(8).");
}

static int read_command(const struct command *command, int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    g_autofree char *name = g_strdup_printf("rcptguardq %s", command->name);
    g_autoptr(GError) error = NULL;

    g_set_prgname(name);
    g_option_context_set_summary(context, command->summary);
    g_option_context_set_description(context, "See rcptguardq(8).");
    g_option_context_add_main_entries(context, common_entries, NULL);
    if (command->entries != NULL)
        g_option_context_add_main_entries(context, command->entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return tool_usage_error("%s", error->message);
    if (argc > 1)
        return tool_usage_error("unexpected argument `%s`", argv[1]);
    int status = command->check == NULL ? EXITS_DONE : command->check();
    return status == EXITS_DONE ? run_command(command) : status;
}

static void print_version(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    versions_begin(out, "rcptguardq");
    versions_add(out, "SQLite", database_library_version());
    versions_add(out, "ncurses", screen_library_version());
    versions_add_built(out, "json-glib", json_library_version());
#ifdef HAVE_SYSTEMD
    versions_add_built(out, "libsystemd", SYSTEMD_VERSION);
#endif
    fputs(out->str, stdout);
}

int main(int argc, char **argv)
{
    static const char *names[G_N_ELEMENTS(commands) + 1];

    clean_environment();
    setlocale(LC_CTYPE, "C.UTF-8"); /* UTF-8 on the command line, and no letters of Turkish */
    if (argc > 1 && strcmp(argv[1], READER_WORD) == 0)
        reader_serve(argv + 2);
    if (argc < 2) {
        print_help();
        return EXITS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        return EXITS_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return EXITS_DONE;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        names[i] = commands[i]->name;
        if (strcmp(commands[i]->name, argv[1]) == 0)
            return read_command(commands[i], argc - 1, argv + 1);
    }
    if (diag_nearest(argv[1], names) != NULL)
        return tool_usage_error("there is no command `%s`; did you mean `%s`?", argv[1], diag_nearest(argv[1], names));
    return tool_usage_error("there is no command `%s`", argv[1]);
}
