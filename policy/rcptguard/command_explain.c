/* command_explain - `rcptguard explain`: which messages are explained, and how; see rcptguard(1) */

#include "policy/cli/terminal.h"
#include "policy/explain/explain.h"
#include "policy/mailbox/mailbox_read.h"
#include "policy/rcptguard/message_options.h"
#include "policy/rcptguard/rcptguard_tool.h"

#include <stdio.h>
#include <string.h>

static char *sender_option = NULL;
static char **recipient_option = NULL;
static gboolean inbound_option = FALSE;
static gboolean all_option = FALSE;
static char **file_options = NULL;

struct explaining {
    struct policy *policy;
    gint64 now;
    int outbound; /* explanation.h */
    struct explain_look look;
    unsigned messages;
    unsigned passed; /* files */
};

static bool explain_one(void *data, struct message *message, const char *file, unsigned index)
{
    struct explaining *explaining = data;
    g_autoptr(GString) out = g_string_new(explaining->messages++ > 0 && !tool_json() ? "\n" : NULL);
    auto_free(told) told = NULL;

    given_apply(message);
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

static void pass_one(void *data, const char *file)
{
    ((struct explaining *)data)->passed++;
    given_pass(file);
}

static int command_explain_run(struct tool *tool)
{
    static char *standard_input[] = {(char *)"-", NULL};
    struct explaining explaining = {
        .outbound = 1,
        .look = {.all = all_option, .colours = terminal_colours(stdout), .width = terminal_width(stdout)},
    };
    struct diags *diags;
    int status;

    (void)tool;
    if (given_check() != EXITS_DONE)
        return EXITS_USAGE;
    if (inbound_option && given_way())
        return tool_usage_error("--inbound says what --client, --listener and --local leave to the policy: not both");
    if (sender_option != NULL && sender_option[0] != '\0' && strcmp(sender_option, "<>") != 0 &&
        strchr(sender_option, '@') == NULL)
        return tool_usage_error("`%s` is no address", sender_option);
    explaining.now = given_time();
    if (inbound_option)
        explaining.outbound = 0;
    else if (given_way())
        explaining.outbound = -1;
    if (tool_policy_is_standard() && (file_options == NULL || g_strv_contains((const char *const *)file_options, "-")))
        return tool_usage_error("standard input cannot be both the policy and a message");
    diags = diags_new();
    explaining.policy = tool_load(diags);
    if (explaining.policy != NULL) {
        char **files = file_options != NULL ? file_options : standard_input;
        for (; *files != NULL; files++)
            mailfile_read_noting(*files, explain_one, pass_one, &explaining, diags);
        policy_unref(explaining.policy);
    }
    fflush(stdout);
    tool_print_diags(diags);
    if (explaining.passed > 0)
        tool_note("%u file%s no mail and passed over", explaining.passed, explaining.passed == 1 ? " is" : "s are");
    status = diags_errors(diags) == 0 ? EXITS_DONE : EXITS_WRONG;
    diags_free(diags);
    if (ferror(stdout)) {
        fprintf(stderr, "rcptguard: cannot write to standard output\n");
        status = EXITS_WRONG;
    }
    return status;
}

static const GOptionEntry entries[] = {
    {"sender", 0, 0, G_OPTION_ARG_STRING, &sender_option, "Envelope sender (the author)", "ADDR"},
    {"recipient", 0, 0, G_OPTION_ARG_STRING_ARRAY, &recipient_option, "Envelope recipient; may be said again", "ADDR"},
    {"inbound", 0, 0, G_OPTION_ARG_NONE, &inbound_option, "The message is not outbound", NULL},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all_option, "Show each visible recipient", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &file_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

const struct command command_explain = {
    .name = "explain",
    .summary = "Tell what a policy says of messages, and why",
    .arguments = "[FILE...]",
    .entries = entries,
    .shared = given_entries,
    .run = command_explain_run,
};
