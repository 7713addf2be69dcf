/* rcptguard - the policy's tool; its commands are in files of their own.  See rcptguard(1). */

#include <config.h>

#include "policy/base/escape.h"
#include "policy/base/suggest.h"
#include "policy/cli/json.h"
#include "policy/cli/version_text.h"
#include "policy/rcptguard/rcptguard_tool.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a note. */
#define NOTE_LIMIT 8192u

static char *policy_path_option = NULL;
static gboolean help_option = FALSE;

static const GOptionEntry common_entries[] = {
    {"policy", 'p', 0, G_OPTION_ARG_FILENAME, &policy_path_option, "The policy, or - (" SYSCONFDIR "/rcptguard/policy)",
     "POLICY"},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry help_entries[] = {
    {"help", 'h', 0, G_OPTION_ARG_NONE, &help_option, "Show this help", NULL},
    G_OPTION_ENTRY_NULL,
};

static const struct command *const commands[] = {&command_check, &command_explain, &command_replay, &command_print,
                                                 &command_init};

/* ---- what the commands share */

const char *tool_policy_path(void)
{
    return policy_path_option != NULL ? policy_path_option : SYSCONFDIR "/rcptguard/policy";
}

bool tool_policy_is_standard(void)
{
    return strcmp(tool_policy_path(), "-") == 0;
}

struct policy *tool_load(struct diags *diags)
{
    return tool_policy_is_standard() ? policy_load_standard(diags) : policy_load(tool_policy_path(), diags);
}

bool tool_time(const char *text, gint64 *seconds)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = text == NULL ? g_date_time_new_now(utc) : g_date_time_new_from_iso8601(text, utc);

    if (time == NULL)
        return false;
    *seconds = g_date_time_to_unix(time);
    return true;
}

void tool_print_diags(const struct diags *diags)
{
    for (unsigned i = 0; i < diags_count(diags); i++) {
        g_autofree char *text = diag_format(diags_get(diags, i));
        fputs(text, stderr);
    }
}

void tool_note(const char *format, ...)
{
    g_autofree char *message = NULL;
    g_autofree char *shown = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    shown = text_printable(message, NOTE_LIMIT);
    fprintf(stderr, "%s\n", shown);
}

/* ---- */

static void print_help(void)
{
    puts("Usage: rcptguard COMMAND [OPTION...]\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s%s\n", commands[i]->name, commands[i]->summary);
    puts("\n`rcptguard COMMAND --help` lists the options of a command. See rcptguard(1).");
}

static void add_option_names(GPtrArray *names, const GOptionEntry *entries)
{
    for (const GOptionEntry *entry = entries; entry != NULL && entry->long_name != NULL; entry++)
        g_ptr_array_add(names, (gpointer)entry->long_name);
}

/* An option that is not known, with the nearest one that is. */
static int unknown_option(const struct command *command, const GError *error)
{
    const char *dashes = strstr(error->message, "--");
    g_autofree char *word = dashes != NULL ? g_strndup(dashes + 2, strcspn(dashes + 2, "=")) : NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;

    add_option_names(names, common_entries);
    add_option_names(names, command_entries);
    add_option_names(names, help_entries);
    add_option_names(names, command->entries);
    add_option_names(names, command->shared);
    g_ptr_array_add(names, NULL);
    nearest = word == NULL ? NULL : diag_nearest(word, (const char *const *)names->pdata);
    if (nearest == NULL)
        return tool_usage_error("%s", error->message);
    return tool_usage_error("there is no option `--%s`; did you mean `--%s`?", word, nearest);
}

static int run_command(const struct command *command, int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    g_autofree char *name = g_strdup_printf("rcptguard %s", command->name);
    g_autofree char *summary = g_strdup_printf("%s; see rcptguard(1)", command->summary);
    g_autoptr(GError) error = NULL;

    g_set_prgname(name);
    /* GLib's own help says more of itself than a screen has room for. */
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, common_entries, NULL);
    g_option_context_add_main_entries(context, command_entries, NULL);
    g_option_context_add_main_entries(context, help_entries, NULL);
    if (command->entries != NULL)
        g_option_context_add_main_entries(context, command->entries, NULL);
    if (command->shared != NULL)
        g_option_context_add_main_entries(context, command->shared, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION)
                   ? unknown_option(command, error)
                   : tool_usage_error("%s", error->message);
    if (help_option) {
        g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (argc == 2 && command->takes_policy && policy_path_option == NULL) {
        policy_path_option = g_strdup(argv[1]);
        argc--;
    }
    if (argc > 1)
        return tool_usage_error("unexpected argument `%s`", argv[1]);
    return command->run();
}

static void print_version(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    versions_begin(out, "rcptguard");
    versions_add_built(out, "json-glib", json_library_version());
    fputs(out->str, stdout);
}

int main(int argc, char **argv)
{
    static const char *names[G_N_ELEMENTS(commands) + 1];

    command_begin("rcptguard");
    setlocale(LC_CTYPE, "C.UTF-8"); /* UTF-8 on the command line, and no letters of Turkish */
    if (argc < 2) {
        print_help();
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return EXIT_DONE;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        names[i] = commands[i]->name;
        if (strcmp(commands[i]->name, argv[1]) == 0)
            return run_command(commands[i], argc - 1, argv + 1);
    }
    if (diag_nearest(argv[1], names) != NULL) {
        return tool_usage_error("there is no command `%s`; did you mean `%s`?", argv[1], diag_nearest(argv[1], names));
    }
    return tool_usage_error("there is no command `%s`", argv[1]);
}
