/*
 * command_setup - `rcptguardq setup`: puts the daemon into the MTA's configuration, and
 * takes it out again; see rcptguardq(8) and setup.h.
 *
 * It is no command of rcptguard(1), which needs neither MTA nor root.
 */

#include "milter/queue/queue_union.h"
#include "milter/rcptguardq/commands.h"
#include "milter/rcptguardq/mtas.h"
#include "milter/setup/setup.h"
#include "milter/setup/socket_probe.h"
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
static gboolean anyway_option = FALSE;
static gboolean is_used_option = FALSE;

static const GOptionEntry entries[] = {
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_option, "Show the change, and make none", NULL},
    {"yes", 0, 0, G_OPTION_ARG_NONE, &yes_option, "Make the change without asking", NULL},
    {"undo", 0, 0, G_OPTION_ARG_NONE, &undo_option, "Revert the change", NULL},
    {"reload", 0, 0, G_OPTION_ARG_NONE, &reload_option, "Have the MTA reload it afterwards", NULL},
    {"anyway", 0, 0, G_OPTION_ARG_NONE, &anyway_option, "Make the change even if no daemon answers", NULL},
    {"is-used", 0, 0, G_OPTION_ARG_NONE, &is_used_option, "Print where the MTA names the daemon, or exit with 3", NULL},
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
    if (is_used_option && (dry_option || yes_option || undo_option || reload_option || anyway_option))
        return tool_usage_error("--is-used only asks: it goes with no other option");
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

/* ---- the directory of the socket */

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

/* The directory if it has to be made, or NULL. */
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

/* ---- the daemon */

/* Why an MTA that asks the daemon would have no answer now; NULL: it would.  For g_free. */
static char *silence(const struct setup *setup)
{
    struct probe_answer answer;
    g_autofree char *error = NULL;
    if (probe_negotiate(setup->config->socket, &answer, &error) == 0)
        return NULL;
    return g_strdup_printf("no daemon answers at %s: %s", setup->config->socket->name, error);
}

/* An MTA that asks and gets no answer defers all mail: the daemon comes first. */
static int refuse(const struct setup *setup, const char *silent)
{
    g_autofree char *unit = config_unit(setup->config, "rcptguardd", "");
    return tool_error(EXITS_WRONG, "%s; %s was not changed: start it first (systemctl start %s), or use --anyway",
                      silent, setup->path, unit);
}

/* ---- the change */

static bool may_ask(void)
{
    return !dry_option && !tool_json() && terminal_is(stdin) && terminal_is(stdout);
}

static bool agreed(void)
{
    char answer[16];
    if (yes_option)
        return true;
    if (!may_ask())
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

/* A file, and what happens to it. */
struct edit {
    const struct setup_mta *mta; /* how to edit it */
    char *path, *before, *after, *diff;
    char *backup; /* of it as it was, once it was changed; or NULL */
    bool changed;
};

#define EDITS 2u

static void edit_clear(struct edit *edit)
{
    g_free(edit->path);
    g_free(edit->before);
    g_free(edit->after);
    g_free(edit->diff);
    g_free(edit->backup);
}

static bool is_same(const struct edit *edit)
{
    return edit->diff == NULL || edit->diff[0] == '\0';
}

static void show(const struct setup *setup, const struct edit *edits)
{
    for (unsigned i = 0; i < EDITS; i++) {
        if (!is_same(&edits[i]))
            show_diff(edits[i].diff);
    }
    if (!undo_option)
        show_notes(setup);
}

static int write_change(struct edit *edit)
{
    g_autofree char *error = NULL;
    if (edit_replace(edit->path, edit->before, edit->after, tool_now(), undo_option ? NULL : &edit->backup, &error) ==
        -1)
        return tool_error(EXITS_WRONG, "%s", error);
    edit->changed = true;
    say("%s was changed%s%s\n", edit->path, edit->backup != NULL ? "; as it was: " : "",
        edit->backup != NULL ? edit->backup : "");
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
    if (mta->waits != NULL)
        say("now: %s; %s\n", next, mta->waits);
    fflush(stdout); /* before the wait */
    if (mta->reload(setup, &error) == -1)
        return tool_error(EXITS_WRONG, "%s", error);
    say("done: %s\n", next);
    return EXITS_DONE;
}

static void json_edit(JsonBuilder *json, const struct edit *edit)
{
    json_string(json, "file", edit->path);
    json_string(json, "diff", edit->diff);
    json_boolean(json, "changed", edit->changed);
    json_string(json, "backup", edit->backup);
}

/* The first file, and the others that there is something to change in. */
static void print_json(const struct edit *edits)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    json_edit(json, &edits[0]);
    json_builder_set_member_name(json, "more");
    json_builder_begin_array(json);
    for (unsigned i = 1; i < EDITS; i++) {
        if (is_same(&edits[i]))
            continue;
        json_builder_begin_object(json);
        json_edit(json, &edits[i]);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
    tool_print_json(json);
}

/* Makes what was shown: the directory, the changes, or both. */
static int apply(const struct setup *setup, const char *folder, const char *silent, struct edit *edits)
{
    bool changed = false;
    int status = folder == NULL ? EXITS_DONE : make_folder(setup, edits[0].mta, folder);
    if (status == EXITS_DONE && silent != NULL)
        return refuse(setup, silent);
    for (unsigned i = 0; status == EXITS_DONE && i < EDITS; i++) {
        if (!is_same(&edits[i]))
            status = write_change(&edits[i]);
        changed = changed || edits[i].changed;
    }
    if (status == EXITS_DONE && tool_json())
        print_json(edits);
    return status == EXITS_DONE && changed ? finish(setup, edits[0].mta) : status;
}

/* Fills in what happens to a file; one that may be absent is left out then. */
static int prepare(struct setup *setup, const struct setup_mta *mta, bool may_be_absent, struct edit *edit)
{
    g_autofree char *error = NULL;
    edit->mta = mta;
    edit->path = g_strdup(setup->path);
    if (may_be_absent && access(setup->path, F_OK) == -1)
        return EXITS_DONE;
    edit->before = edit_read(setup->path, &error);
    edit->after = edit->before == NULL ? NULL
                  : undo_option        ? setup_undone(setup, mta, edit->before, &error)
                                       : mta->with(setup, edit->before, &error);
    if (edit->after != NULL)
        edit->diff =
            strcmp(edit->before, edit->after) == 0 ? g_strdup("") : edit_diff(setup->path, edit->after, &error);
    return edit->diff == NULL ? tool_error(EXITS_WRONG, "%s", error) : EXITS_DONE;
}

static int prepare_all(struct setup *setup, const struct setup_mta *mta, struct edit *edits)
{
    int status = prepare(setup, mta, false, &edits[0]);
    if (status != EXITS_DONE || mta->beside == NULL)
        return status;
    g_autofree char *place = g_path_get_dirname(setup->path);
    char *first = setup->path;
    setup->path = mta->beside->path(place);
    status = prepare(setup, mta->beside, true, &edits[1]);
    g_free(setup->path);
    setup->path = first;
    return status;
}

static int change(struct setup *setup, struct edit *edits)
{
    g_autofree char *folder = missing_folder(setup);
    bool same = is_same(&edits[0]) && is_same(&edits[1]);
    g_autofree char *silent = same || undo_option || anyway_option ? NULL : silence(setup);
    if (silent != NULL)
        g_string_append_printf(setup->notes, "%s; it has to run before this change is made\n", silent);
    if (!tool_json())
        show(setup, edits);
    if (same)
        say("%s: nothing to do: rcptguard %s\n", setup->path,
            undo_option ? "is not there" : "is there, and the last milter");
    if (folder != NULL)
        say("%s is not there, and the daemon makes its socket in it\n", folder);
    if (silent != NULL && folder == NULL && (yes_option || may_ask()))
        return refuse(setup, silent);
    if ((!same || folder != NULL) && agreed())
        return apply(setup, folder, silent, edits);
    if (tool_json())
        print_json(edits);
    return EXITS_DONE;
}

/* ---- whether it is used */

static int say_used(const struct setup *setup, const struct setup_mta *mta)
{
    g_autofree char *error = NULL;
    g_autofree char *places = mta->used(setup, &error);
    if (places == NULL)
        return tool_error(EXITS_WRONG, "%s", error);
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_boolean(json, "used", places[0] != '\0');
        json_builder_end_object(json);
        tool_print_json(json);
    } else {
        say("%s", places);
    }
    return places[0] != '\0' ? EXITS_DONE : EXITS_GONE;
}

/* ---- one configuration, and several */

/* What several instances behind one daemon are called, so that it can say from which a message came; or NULL. */
static char *instance_of(const struct mta_row *row, char **configurations, const char *directory)
{
    g_autofree char *error = NULL;
    bool among = g_strv_length(configurations) > 1 && directory != NULL && row->queue->identify != NULL &&
                 g_strv_contains((const char *const *)configurations, directory);
    auto_free(queue) queue = among ? queue_new(row->queue, directory, NULL) : NULL;
    return queue == NULL || row->queue->identify(queue, &error) == -1 ? NULL : g_strdup(queue->name);
}

static int run_one(struct tool *tool, const struct mta_row *row, char **configurations, const char *directory)
{
    const struct setup_mta *mta = row->setup;
    g_autofree char *instance = instance_of(row, configurations, directory);
    struct setup setup = {
        .config = tool->config, .directory = directory, .instance = instance, .notes = g_string_new(NULL)};
    setup.path = mta->path(setup.directory != NULL ? setup.directory : mta->directory);
    struct edit edits[EDITS] = {{.path = NULL}};
    int status = is_used_option ? say_used(&setup, mta) : prepare_all(&setup, mta, edits);
    if (status == EXITS_DONE && !is_used_option)
        status = change(&setup, edits);
    for (unsigned i = 0; i < EDITS; i++)
        edit_clear(&edits[i]);
    g_free(setup.path);
    g_string_free(setup.notes, TRUE);
    return status;
}

/* Each configuration that [review] names, or the one of the option.  It is used if one of them does. */
static int run(struct tool *tool)
{
    const struct mta_row *row = chosen();
    g_autofree char *error = NULL;
    const struct review_place *place = &tool->config->review.places[row->queue->mta];
    g_auto(GStrv) configurations = queue_configurations(row->queue, (const char *const *)place->configurations, &error);
    if (configurations == NULL)
        return tool_error(EXITS_WRONG, "%s", error);
    if (*row->setup_option != NULL || !row->setup->edits_configuration || configurations[0] == NULL)
        return run_one(tool, row, configurations, *row->setup_option);
    int result = is_used_option ? EXITS_GONE : EXITS_DONE;
    for (char **each = configurations; *each != NULL; each++) {
        int status = run_one(tool, row, configurations, *each);
        if (is_used_option && (status == EXITS_DONE || result == EXITS_GONE))
            result = status;
        else if (!is_used_option && status != EXITS_DONE)
            return status;
    }
    return result;
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
