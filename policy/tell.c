/* tell - `rcptguard explain`: which messages are explained, and how; see rcptguard(1) */

#include "explain.h"
#include "mailfile.h"
#include "terminal.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>

static char *sender_option = NULL;
static char **recipient_option = NULL;
static char *user_option = NULL;
static char *client_option = NULL;
static char *listener_option = NULL;
static char *time_option = NULL;
static gboolean local_option = FALSE;
static gboolean inbound_option = FALSE;
static gboolean bcc_visible_option = FALSE;
static gboolean all_option = FALSE;
static char **file_options = NULL;

struct explaining {
    struct policy *policy;
    gint64 now;
    int outbound; /* told.h */
    struct explain_look look;
    unsigned messages;
};

static bool explain_one(void *data, struct message *message, const char *file, unsigned index)
{
    struct explaining *explaining = data;
    g_autoptr(GString) out = g_string_new(explaining->messages++ > 0 && !tool_json() ? "\n" : NULL);
    auto_free(told) told = NULL;

    message_set_user(message, user_option);
    message_set_client(message, client_option);
    message_set_listener(message, listener_option);
    message->local = local_option;
    message->bcc_visible = bcc_visible_option;
    mailfile_envelope(message, sender_option, (const char *const *)recipient_option);
    told = told_new(explaining->policy, message, file, index, explaining->now, explaining->outbound);
    if (tool_json())
        explain_json(out, told);
    else
        explain_text(out, told, &explaining->look);
    fwrite(out->str, 1, out->len, stdout);
    message_free(message);
    return true;
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

static int command_explain_run(void)
{
    static char *standard_input[] = {(char *)"-", NULL};
    struct explaining explaining = {
        .outbound = 1,
        .look = {.all = all_option, .colours = terminal_colours(stdout), .width = terminal_width(stdout)},
    };
    struct diags *diags;
    int status;

    if (!parse_time(&explaining.now))
        return tool_usage_error("`%s` is no time; expected one such as 2027-06-30T12:00:00Z", time_option);
    if (client_option != NULL && !g_hostname_is_ip_address(client_option))
        return tool_usage_error("`%s` is no IP address", client_option);
    if (inbound_option && (client_option != NULL || listener_option != NULL || local_option))
        return tool_usage_error("--inbound says what --client, --listener and --local leave to the policy: not both");
    if (sender_option != NULL && sender_option[0] != '\0' && strcmp(sender_option, "<>") != 0 &&
        strchr(sender_option, '@') == NULL)
        return tool_usage_error("`%s` is no address", sender_option);
    if (inbound_option)
        explaining.outbound = 0;
    else if (client_option != NULL || listener_option != NULL || local_option)
        explaining.outbound = -1;
    diags = diags_new();
    explaining.policy = tool_load(diags);
    if (explaining.policy != NULL) {
        char **files = file_options != NULL ? file_options : standard_input;
        for (; *files != NULL; files++)
            mailfile_read(*files, explain_one, &explaining, diags);
        policy_unref(explaining.policy);
    }
    fflush(stdout);
    tool_print_diags(diags);
    status = diags_errors(diags) == 0 ? EXIT_DONE : EXIT_WRONG;
    diags_free(diags);
    if (ferror(stdout)) {
        fprintf(stderr, "rcptguard: cannot write to standard output\n");
        status = EXIT_WRONG;
    }
    return status;
}

static const GOptionEntry entries[] = {
    {"sender", 0, 0, G_OPTION_ARG_STRING, &sender_option, "Envelope sender (the author)", "ADDR"},
    {"recipient", 0, 0, G_OPTION_ARG_STRING_ARRAY, &recipient_option, "Envelope recipient; may be said again", "ADDR"},
    {"user", 0, 0, G_OPTION_ARG_STRING, &user_option, "SASL login name", "NAME"},
    {"client", 0, 0, G_OPTION_ARG_STRING, &client_option, "Address of the SMTP client", "IP"},
    {"listener", 0, 0, G_OPTION_ARG_STRING, &listener_option, "The MTA's name of its daemon", "NAME"},
    {"local", 0, 0, G_OPTION_ARG_NONE, &local_option, "Handed in by sendmail(1)", NULL},
    {"inbound", 0, 0, G_OPTION_ARG_NONE, &inbound_option, "The message is not outbound", NULL},
    {"time", 0, 0, G_OPTION_ARG_STRING, &time_option, "When: 2027-06-30T12:00:00Z (now)", "RFC3339"},
    {"bcc-visible", 0, 0, G_OPTION_ARG_NONE, &bcc_visible_option, "Bcc headers are delivered", NULL},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all_option, "Show each visible recipient", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &file_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

const struct command command_explain = {
    .name = "explain",
    .summary = "Tell what a policy says of messages, and why",
    .arguments = "[FILE...]",
    .entries = entries,
    .run = command_explain_run,
};
