/* command - see command.h */

#include "policy/cli/command.h"

#include "policy/base/suggest.h"
#include "policy/cli/json.h"
#include "policy/cli/version_text.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct command_line *program;
static gboolean json_option = FALSE;
static gboolean help_option = FALSE;

static const GOptionEntry json_entries[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &json_option, "Print JSON", NULL},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry help_entries[] = {
    {"help", 'h', 0, G_OPTION_ARG_NONE, &help_option, "Show this help", NULL},
    G_OPTION_ENTRY_NULL,
};

void command_begin(const struct command_line *begun)
{
    program = begun;
    setlocale(LC_CTYPE, "C.UTF-8"); /* UTF-8 on the command line, and no letters of Turkish */
}

bool tool_json(void)
{
    return json_option;
}

void tool_print_json(JsonBuilder *json)
{
    g_autoptr(GString) line = g_string_new(NULL);
    json_append_line(line, json);
    fwrite(line->str, 1, line->len, stdout);
}

int tool_usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s: %s\nTry `%s --help`.\n", program->name, message, program->name);
    return EXITS_USAGE;
}

/* ---- one command */

/* An option that is not known, with the nearest one that is. */
static int unknown_option(const GOptionEntry *const *groups, unsigned count, const GError *error)
{
    const char *dashes = strstr(error->message, "--");
    g_autofree char *word = dashes != NULL ? g_strndup(dashes + 2, strcspn(dashes + 2, "=")) : NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (unsigned i = 0; i < count; i++)
        for (const GOptionEntry *entry = groups[i]; entry != NULL && entry->long_name != NULL; entry++)
            g_ptr_array_add(names, (gpointer)entry->long_name);
    g_ptr_array_add(names, NULL);
    const char *nearest = word == NULL ? NULL : diag_nearest(word, (const char *const *)names->pdata);
    if (nearest == NULL)
        return tool_usage_error("%s", error->message);
    return tool_usage_error("there is no option `--%s`; did you mean `--%s`?", word, nearest);
}

/* GLib's, with the usage and the summary on a line each, so that it fits a screen. */
static void print_command_help(GOptionContext *context)
{
    g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
    g_auto(GStrv) parts = g_strsplit(g_strchomp(help), "\n", 4);
    if (g_strv_length(parts) == 4 && parts[2][0] == '\0')
        printf("%s%s\n%s\n", parts[0], parts[1] + 1, parts[3]);
    else
        puts(help);
}

static int read_command(const struct command *command, int argc, char **argv)
{
    const GOptionEntry *const groups[] = {program->entries, json_entries, help_entries, command->entries,
                                          command->shared};
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    g_autofree char *name = g_strdup_printf("%s %s", program->name, command->name);
    g_autofree char *summary = g_strdup_printf("%s; see %s", command->summary, program->page);
    g_autoptr(GError) error = NULL;

    g_set_prgname(name);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_summary(context, summary);
    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++)
        if (groups[i] != NULL)
            g_option_context_add_main_entries(context, groups[i], NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION)
                   ? unknown_option(groups, G_N_ELEMENTS(groups), error)
                   : tool_usage_error("%s", error->message);
    if (help_option) {
        print_command_help(context);
        return EXITS_DONE;
    }
    if (argc > 1)
        return tool_usage_error("unexpected argument `%s`", argv[1]);
    int status = command->check == NULL ? EXITS_DONE : command->check();
    if (status != EXITS_DONE)
        return status;
    return program->run != NULL ? program->run(command) : command->run(NULL);
}

/* ---- all of them */

static void print_help(void)
{
    printf("Usage: %s COMMAND [OPTION...]\n\n", program->name);
    for (const struct command *const *command = program->commands; *command != NULL; command++)
        printf("  %-10s%s\n", (*command)->name, (*command)->summary);
    printf("\n`%s COMMAND --help` lists the options of a command. See %s.\n", program->name, program->page);
}

static void print_version(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    versions_begin(out, program->name);
    program->add_versions(out);
    fputs(out->str, stdout);
}

int command_main(int argc, char **argv)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        return argc < 2 ? EXITS_USAGE : EXITS_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return EXITS_DONE;
    }
    for (const struct command *const *command = program->commands; *command != NULL; command++) {
        if (strcmp((*command)->name, argv[1]) == 0)
            return read_command(*command, argc - 1, argv + 1);
        g_ptr_array_add(names, (gpointer)(*command)->name);
    }
    g_ptr_array_add(names, NULL);
    const char *nearest = diag_nearest(argv[1], (const char *const *)names->pdata);
    if (nearest != NULL)
        return tool_usage_error("there is no command `%s`; did you mean `%s`?", argv[1], nearest);
    return tool_usage_error("there is no command `%s`", argv[1]);
}
