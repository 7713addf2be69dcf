/* rcptguard - the policy's tool: check, explain, print.  See rcptguard(1). */

#include "config.h"

#include "explain.h"
#include "mailfile.h"
#include "policy.h"

#include <json-glib/json-glib.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2 };

static char *policy_path_option = NULL;
static gboolean json_option = FALSE;
static gboolean strict_option = FALSE;
static char *sender_option = NULL;
static char **recipient_option = NULL;
static char *user_option = NULL;
static char *client_option = NULL;
static char *listener_option = NULL;
static char *time_option = NULL;
static gboolean local_option = FALSE;
static gboolean inbound_option = FALSE;
static gboolean bcc_visible_option = FALSE;
static char **file_options = NULL;

static const GOptionEntry common_entries[] = {
    {"policy", 'p', 0, G_OPTION_ARG_FILENAME, &policy_path_option, "The policy (" SYSCONFDIR "/rcptguard/policy)",
     "POLICY"},
    {"json", 0, 0, G_OPTION_ARG_NONE, &json_option, "Print JSON", NULL},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry check_entries[] = {
    {"strict", 0, 0, G_OPTION_ARG_NONE, &strict_option, "Warnings are errors", NULL},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry explain_entries[] = {
    {"sender", 0, 0, G_OPTION_ARG_STRING, &sender_option, "Envelope sender (the author)", "ADDR"},
    {"recipient", 0, 0, G_OPTION_ARG_STRING_ARRAY, &recipient_option, "Envelope recipient; may be said again", "ADDR"},
    {"user", 0, 0, G_OPTION_ARG_STRING, &user_option, "SASL login name", "NAME"},
    {"client", 0, 0, G_OPTION_ARG_STRING, &client_option, "Address of the SMTP client", "IP"},
    {"listener", 0, 0, G_OPTION_ARG_STRING, &listener_option, "The MTA's name of its daemon", "NAME"},
    {"local", 0, 0, G_OPTION_ARG_NONE, &local_option, "Handed in by sendmail(1)", NULL},
    {"inbound", 0, 0, G_OPTION_ARG_NONE, &inbound_option, "The message is not outbound", NULL},
    {"time", 0, 0, G_OPTION_ARG_STRING, &time_option, "When: 2027-06-30T12:00:00Z (now)", "RFC3339"},
    {"bcc-visible", 0, 0, G_OPTION_ARG_NONE, &bcc_visible_option, "Bcc headers are delivered", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &file_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

static void print_diags(const struct diags *diags)
{
    for (unsigned i = 0; i < diags_count(diags); i++) {
        g_autofree char *text = diag_format(diags_get(diags, i));
        fputs(text, stderr);
    }
}

static struct policy *load(struct diags *diags)
{
    return policy_load(policy_path_option != NULL ? policy_path_option : SYSCONFDIR "/rcptguard/policy", diags);
}

/* ---- check */

static void print_check_json(const struct policy *policy, const struct diags *diags, bool good)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "good");
    json_builder_add_boolean_value(json, good);
    json_builder_set_member_name(json, "policy");
    if (policy != NULL) {
        g_autofree char *digest = g_strndup(policy_digest(policy), POLICY_DIGEST_SHOWN);
        json_builder_add_string_value(json, digest);
    } else {
        json_builder_add_null_value(json);
    }
    json_builder_set_member_name(json, "diagnostics");
    json_builder_begin_array(json);
    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        g_autofree char *file = g_utf8_make_valid(diag->file, -1);
        json_builder_begin_object(json);
        json_builder_set_member_name(json, "file");
        json_builder_add_string_value(json, file);
        json_builder_set_member_name(json, "line");
        json_builder_add_int_value(json, diag->line);
        json_builder_set_member_name(json, "column");
        json_builder_add_int_value(json, diag->column);
        json_builder_set_member_name(json, "level");
        json_builder_add_string_value(json, diag->level == DIAG_ERROR ? "error" : "warning");
        json_builder_set_member_name(json, "message");
        json_builder_add_string_value(json, diag->message);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
    root = json_builder_get_root(json);
    text = json_to_string(root, FALSE);
    puts(text);
}

static int command_check(void)
{
    struct diags *diags = diags_new();
    struct policy *policy = load(diags);
    bool good;

    if (policy != NULL) {
        policy_assert(policy, diags);
        policy_lint(policy, diags);
    }
    if (strict_option)
        diags_promote(diags);
    good = diags_errors(diags) == 0;
    if (json_option) {
        print_check_json(policy, diags, good);
    } else {
        print_diags(diags);
        if (good)
            printf("%s: good: rules %u, expectations that hold %u, warnings %u, digest %.*s\n", policy_path(policy),
                   policy_rule_count(policy), policy_assertions(policy), diags_count(diags), POLICY_DIGEST_SHOWN,
                   policy_digest(policy));
    }
    if (policy != NULL)
        policy_unref(policy);
    diags_free(diags);
    return good ? EXIT_DONE : EXIT_WRONG;
}

/* ---- print */

static int command_print(void)
{
    struct diags *diags = diags_new();
    struct policy *policy = load(diags);
    int status = policy != NULL ? EXIT_DONE : EXIT_WRONG;

    print_diags(diags);
    diags_free(diags);
    if (policy == NULL)
        return status;
    if (json_option) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        g_autoptr(JsonNode) root = NULL;
        g_autofree char *text = NULL;
        json_builder_begin_object(json);
        json_builder_set_member_name(json, "policy");
        json_builder_add_string_value(json, policy_text(policy));
        json_builder_set_member_name(json, "digest");
        json_builder_add_string_value(json, policy_digest(policy));
        json_builder_end_object(json);
        root = json_builder_get_root(json);
        text = json_to_string(root, FALSE);
        puts(text);
    } else {
        fputs(policy_text(policy), stdout);
    }
    policy_unref(policy);
    return status;
}

/* ---- explain */

struct explaining {
    struct policy *policy;
    struct explain_options options;
    unsigned messages;
};

static bool explain_one(void *data, struct message *message, const char *file, unsigned index)
{
    struct explaining *explaining = data;
    GString *out = g_string_new(explaining->messages++ > 0 && !json_option ? "\n" : NULL);

    message_set_user(message, user_option);
    message_set_client(message, client_option);
    message_set_listener(message, listener_option);
    message->local = local_option;
    message->bcc_visible = bcc_visible_option;
    mailfile_envelope(message, sender_option, (const char *const *)recipient_option);
    explain_message(out, explaining->policy, message, file, index, &explaining->options);
    fwrite(out->str, 1, out->len, stdout);
    g_string_free(out, TRUE);
    message_free(message);
    return true;
}

static int G_GNUC_PRINTF(1, 2) usage_error(const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    fprintf(stderr, "rcptguard: %s\nTry `rcptguard --help`.\n", message);
    return EXIT_USAGE;
}

static bool parse_time(gint64 *now)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    GDateTime *time = time_option == NULL ? g_date_time_new_now(utc) : g_date_time_new_from_iso8601(time_option, utc);

    if (time == NULL)
        return false;
    *now = g_date_time_to_unix(time);
    g_date_time_unref(time);
    return true;
}

static int command_explain(void)
{
    static char *standard_input[] = {(char *)"-", NULL};
    struct explaining explaining = {.options = {.json = json_option, .outbound = 1}};
    struct diags *diags;
    int status;

    if (!parse_time(&explaining.options.now))
        return usage_error("`%s` is no time; expected one such as 2027-06-30T12:00:00Z", time_option);
    if (client_option != NULL && !g_hostname_is_ip_address(client_option))
        return usage_error("`%s` is no IP address", client_option);
    if (inbound_option && (client_option != NULL || listener_option != NULL || local_option))
        return usage_error("--inbound says what --client, --listener and --local leave to the policy: not both");
    if (sender_option != NULL && sender_option[0] != '\0' && strcmp(sender_option, "<>") != 0 &&
        strchr(sender_option, '@') == NULL)
        return usage_error("`%s` is no address", sender_option);
    if (inbound_option)
        explaining.options.outbound = 0;
    else if (client_option != NULL || listener_option != NULL || local_option)
        explaining.options.outbound = -1;
    diags = diags_new();
    explaining.policy = load(diags);
    if (explaining.policy != NULL) {
        char **files = file_options != NULL ? file_options : standard_input;
        for (; *files != NULL; files++)
            mailfile_read(*files, explain_one, &explaining, diags);
        policy_unref(explaining.policy);
    }
    fflush(stdout);
    print_diags(diags);
    status = diags_errors(diags) == 0 ? EXIT_DONE : EXIT_WRONG;
    diags_free(diags);
    if (ferror(stdout)) {
        fprintf(stderr, "rcptguard: cannot write to standard output\n");
        status = EXIT_WRONG;
    }
    return status;
}

/* ---- */

static const struct command {
    const char *name;
    const char *summary;
    const GOptionEntry *entries;
    int (*run)(void);
} commands[] = {
    {"check", "Check a policy, its tables and its expectations", check_entries, command_check},
    {"explain", "Tell what a policy says of messages, and why", explain_entries, command_explain},
    {"print", "Print the canonical policy", NULL, command_print},
};

static void print_help(void)
{
    puts("Usage: rcptguard COMMAND [OPTION...]\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s%s\n", commands[i].name, commands[i].summary);
    puts("\n`rcptguard COMMAND --help` lists the options of a command. See rcptguard(1).");
}

static int run_command(const struct command *command, int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(command->run == command_explain ? "[FILE...]" : NULL);
    g_autofree char *name = g_strdup_printf("rcptguard %s", command->name);
    g_autoptr(GError) error = NULL;

    g_set_prgname(name);
    g_option_context_set_summary(context, command->summary);
    g_option_context_add_main_entries(context, common_entries, NULL);
    if (command->entries != NULL)
        g_option_context_add_main_entries(context, command->entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return usage_error("%s", error->message);
    if (argc > 1)
        return usage_error("unexpected argument `%s`", argv[1]);
    return command->run();
}

int main(int argc, char **argv)
{
    static const char *names[G_N_ELEMENTS(commands) + 1];

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
        puts("rcptguard " PACKAGE_VERSION);
        return EXIT_DONE;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        names[i] = commands[i].name;
        if (strcmp(commands[i].name, argv[1]) == 0)
            return run_command(&commands[i], argc - 1, argv + 1);
    }
    if (diag_nearest(argv[1], names) != NULL) {
        return usage_error("there is no command `%s`; did you mean `%s`?", argv[1], diag_nearest(argv[1], names));
    }
    return usage_error("there is no command `%s`", argv[1]);
}
