/*
 * command_setup - `rcptguardq setup`: puts the daemon into the MTA's configuration, and
 * takes it out again; see rcptguardq(8) and setup.h.
 *
 * It is no command of rcptguard(1), which needs neither MTA nor root.
 */

#include "milter/rcptguardq/commands.h"
#include "milter/rcptguardq/mtas.h"
#include "milter/setup/setup.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 02750

static char **names_option = NULL;
static gboolean dry_option = FALSE;
static gboolean yes_option = FALSE;
static gboolean undo_option = FALSE;
static gboolean reload_option = FALSE;

static const GOptionEntry entries[] = {
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_option, "Show the change, and make none", NULL},
    {"yes", 0, 0, G_OPTION_ARG_NONE, &yes_option, "Make the change without asking", NULL},
    {"undo", 0, 0, G_OPTION_ARG_NONE, &undo_option, "Revert the change", NULL},
    {"reload", 0, 0, G_OPTION_ARG_NONE, &reload_option, "Have the MTA reload it afterwards", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &names_option, "", NULL},
    G_OPTION_ENTRY_NULL,
};

/* The row of the MTA that is named, or NULL. */
static const struct mta_row *chosen(void)
{
    if (names_option == NULL || g_strv_length(names_option) != 1)
        return NULL;
    for (const struct mta_row *row = mtas; row->word != NULL; row++) {
        if (strcmp(names_option[0], row->word) == 0)
            return row;
    }
    return NULL;
}

static int check(void)
{
    const struct mta_row *chosen_row = chosen();
    g_autofree char *words = mtas_words(" or ");
    if (chosen_row == NULL)
        return tool_usage_error("setup takes one MTA: %s", words);
    if (dry_option && (yes_option || reload_option))
        return tool_usage_error("--dry-run changes nothing: it does not go with --yes or --reload");
    for (const struct mta_row *row = mtas; row->word != NULL; row++) {
        if (row != chosen_row && *row->setup_option != NULL)
            return tool_usage_error("the configuration that is named is that of %s, not of %s", row->word,
                                    chosen_row->word);
    }
    if (reload_option && chosen_row->setup->reload == NULL)
        return tool_usage_error("--reload does not go with %s: its configuration has to be built first",
                                chosen_row->word);
    return EXITS_DONE;
}

/* For people; a program gets one object at the end. */
static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void say(const char *format, ...)
{
    va_list arguments;
    if (tool_json())
        return;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

/* ---- the folder of the socket */

static int make_folder(const struct setup *setup, const struct setup_mta *mta, const char *folder)
{
    gid_t group = mta->group(setup); /* first: it looks another user up */
    const struct passwd *user = getpwnam(setup->config->user);
    if (user == NULL)
        return tool_error(EXITS_WRONG, "there is no user `%s` to own %s", setup->config->user, folder);
    if (group == (gid_t)-1)
        group = user->pw_gid;
    /* Nobody may enter before it belongs to whom it is for. */
    if (mkdir(folder, 0700) == -1 || chown(folder, user->pw_uid, group) == -1 || chmod(folder, FOLDER_MODE) == -1)
        return tool_error(EXITS_WRONG, "%s: %s", folder, g_strerror(errno));
    say("%s was made, for the socket\n", folder);
    return EXITS_DONE;
}

/* The folder if it has to be made, or NULL. */
static char *missing_folder(const struct setup *setup)
{
    struct stat status;
    if (setup->config->socket->kind != ENDPOINT_UNIX || undo_option)
        return NULL;
    char *folder = g_path_get_dirname(setup->config->socket->path);
    if (stat(folder, &status) == -1 && errno == ENOENT)
        return folder;
    g_free(folder);
    return NULL;
}

/* ---- the change */

static bool agreed(void)
{
    char answer[16];
    if (yes_option)
        return true;
    if (dry_option || tool_json() || !terminal_is(stdin) || !terminal_is(stdout))
        return false;
    fputs("Change it? [y/N] ", stdout);
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static void show_diff(const char *diff)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(diff, "\n", -1);
    for (char **line = lines; *line != NULL && (*line)[0] != '\0'; line++) {
        /* A tab shows as it is; nothing else of a file may move the cursor. */
        g_auto(GStrv) parts = g_strsplit(*line, "\t", -1);
        for (char **part = parts; *part != NULL; part++) {
            terminal_append_plain(out, *part);
            g_string_append(out, part[1] != NULL ? "\t" : "\n");
        }
    }
    tool_print(out);
}

static void show_notes(const struct setup *setup)
{
    g_auto(GStrv) lines = g_strsplit(setup->notes->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_autoptr(GString) out = g_string_new("note: ");
        terminal_append_plain(out, *line);
        g_string_append_c(out, '\n');
        if ((*line)[0] != '\0')
            tool_print(out);
    }
}

static void show(const struct setup *setup, const char *diff)
{
    show_diff(diff);
    if (!undo_option)
        show_notes(setup);
}

static int write_change(const struct setup *setup, const char *before, const char *after, char **backup)
{
    g_autofree char *error = NULL;
    if (edit_replace(setup->path, before, after, tool_now(), undo_option ? NULL : backup, &error) == -1)
        return tool_error(EXITS_WRONG, "%s", error);
    say("%s was changed%s%s\n", setup->path, *backup != NULL ? "; as it was: " : "", *backup != NULL ? *backup : "");
    return EXITS_DONE;
}

/* Has the MTA read it, or says how. */
static int finish(const struct setup *setup, const struct setup_mta *mta)
{
    g_autofree char *error = NULL;
    g_autofree char *next = mta->next(setup);
    if (!reload_option) {
        say("next: %s\n", next);
        return EXITS_DONE;
    }
    if (mta->reload(setup, &error) == -1)
        return tool_error(EXITS_WRONG, "%s", error);
    say("done: %s\n", next);
    return EXITS_DONE;
}

static void print_json(const struct setup *setup, const char *diff, bool changed, const char *backup)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    json_string(json, "file", setup->path);
    json_string(json, "diff", diff);
    json_boolean(json, "changed", changed);
    json_string(json, "backup", backup);
    json_builder_end_object(json);
    tool_print_json(json);
}

/* Makes what was shown: the folder, the change, or both. */
static int apply(const struct setup *setup, const struct setup_mta *mta, const char *folder, const char *before,
                 const char *after, const char *diff)
{
    g_autofree char *backup = NULL;
    bool same = diff[0] == '\0';
    int status = folder == NULL ? EXITS_DONE : make_folder(setup, mta, folder);
    if (status == EXITS_DONE && !same)
        status = write_change(setup, before, after, &backup);
    if (status == EXITS_DONE && tool_json())
        print_json(setup, diff, !same, backup);
    return status == EXITS_DONE && !same ? finish(setup, mta) : status;
}

static int change(struct setup *setup, const struct setup_mta *mta)
{
    g_autofree char *error = NULL;
    g_autofree char *folder = missing_folder(setup);
    g_autofree char *before = edit_read(setup->path, &error);
    g_autofree char *after = before == NULL ? NULL
                             : undo_option  ? setup_undone(setup, mta, before, &error)
                                            : mta->with(setup, before, &error);
    if (after == NULL)
        return tool_error(EXITS_WRONG, "%s", error);
    bool same = strcmp(before, after) == 0;
    g_autofree char *diff = same ? g_strdup("") : edit_diff(setup->path, after, &error);
    if (diff == NULL)
        return tool_error(EXITS_WRONG, "%s", error);
    if (!tool_json())
        show(setup, diff);
    if (same)
        say("%s: nothing to do: rcptguard %s\n", setup->path,
            undo_option ? "is not there" : "is there, and the last milter");
    if (folder != NULL)
        say("%s is not there, and the daemon makes its socket in it\n", folder);
    if ((!same || folder != NULL) && agreed())
        return apply(setup, mta, folder, before, after, diff);
    if (tool_json())
        print_json(setup, diff, false, NULL);
    return EXITS_DONE;
}

static int run(struct tool *tool)
{
    const struct mta_row *row = chosen();
    const struct setup_mta *mta = row->setup;
    struct setup setup = {.config = tool->config, .notes = g_string_new(NULL)};
    setup.directory = *row->setup_option;
    if (setup.directory == NULL && mta->edits_configuration)
        setup.directory = tool->config->review.places[row->queue->mta].configuration;
    setup.path = mta->path(setup.directory != NULL ? setup.directory : mta->directory);
    int status = change(&setup, mta);
    g_free(setup.path);
    g_string_free(setup.notes, TRUE);
    return status;
}

const struct rcptguardq_command command_setup = {
    .command.name = "setup",
    .command.summary = "Add the daemon to the MTA's configuration",
    .command.arguments = "MTA",
    .command.entries = entries,
    .command.shared = mtas_setup_entries,
    .right = REVIEW_ROOT,
    .command.check = check,
    .command.run = run,
};
