/* command_explain - `rcptguard explain`: which messages are explained, and how; see rcptguard(1) */

#include <config.h>

#include "policy/cli/terminal.h"
#include "policy/explain/explain.h"
#include "policy/mailbox/mailbox_read.h"
#include "policy/message/message_id.h"
#include "policy/rcptguard/daemon_state.h"
#include "policy/rcptguard/message_options.h"
#include "policy/rcptguard/rcptguard_tool.h"

#include <stdio.h>
#include <string.h>

static char *sender_option = NULL;
static char **recipient_option = NULL;
#define NO_INDEX G_MININT

static int index_option = NO_INDEX;
static char *id_option = NULL;
static gboolean inbound_option = FALSE;
static gboolean all_option = FALSE;
static gboolean state_option = FALSE;
static char *config_option = NULL;
static char **file_options = NULL;

struct explaining {
    struct policy *policy;
    struct explanation_options options;
    struct explain_look look;
    unsigned messages; /* that were explained */
    unsigned read;
    unsigned passed; /* files */
};

/* Whether the message is one that was asked for. */
static bool is_wanted(const struct message *message, unsigned index)
{
    const struct header *header = message_find_header(message, "Message-ID");
    g_autofree char *id = message_id_copy(header != NULL ? header->value : NULL);
    g_autofree char *wanted = message_id_copy(id_option);

    return (index_option < 0 || (unsigned)index_option == index) && (id_option == NULL || strcmp(id, wanted) == 0);
}

static bool explain_one(void *data, struct message *message, const char *file, unsigned index)
{
    struct explaining *explaining = data;

    explaining->read++;
    if (!is_wanted(message, index)) {
        message_free(message);
        return true;
    }
    g_autoptr(GString) out = g_string_new(explaining->messages++ > 0 && !tool_json() ? "\n" : NULL);
    given_apply(message);
    mailfile_envelope(message, sender_option, (const char *const *)recipient_option);
    auto_free(explanation) explanation =
        explanation_new(explaining->policy, message, file, index, &explaining->options);
    if (tool_json())
        explain_json(out, explanation, all_option);
    else
        explain_text(out, explanation, &explaining->look);
    fwrite(out->str, 1, out->len, stdout);
    message_free(message);
    return index_option < 0;
}

/* False, and says so, if what was asked for by number or id is not there. */
static bool is_found(const struct explaining *explaining)
{
    if (explaining->messages > 0 || (index_option < 0 && id_option == NULL))
        return true;
    if (id_option != NULL)
        tool_note("none of the %u messages that were read has the Message-ID %s", explaining->read, id_option);
    else
        tool_note("%s: there is no message [%d]; expected a number below %u", *file_options, index_option,
                  explaining->read);
    return false;
}

static void pass_one(void *data, const char *file)
{
    ((struct explaining *)data)->passed++;
    given_pass(file);
}

/* EXITS_DONE, or what tool_usage_error gave. */
static int check_options(void)
{
    bool one_file = file_options != NULL && file_options[1] == NULL && !g_file_test(*file_options, G_FILE_TEST_IS_DIR);

    if (given_check() != EXITS_DONE)
        return EXITS_USAGE;
    if (inbound_option && given_way())
        return tool_usage_error("--inbound says what --client, --listener and --local leave to the policy: not both");
    if (config_option != NULL && !state_option)
        return tool_usage_error("--config says where --state is: not without it");
    if (sender_option != NULL && sender_option[0] != '\0' && strcmp(sender_option, "<>") != 0 &&
        strchr(sender_option, '@') == NULL)
        return tool_usage_error("`%s` is no address", sender_option);
    if (index_option != NO_INDEX && (index_option < 0 || !one_file))
        return tool_usage_error("--index takes the number of a message, from 0, of one file");
    if (tool_policy_is_standard() && (file_options == NULL || g_strv_contains((const char *const *)file_options, "-")))
        return tool_usage_error("standard input cannot be both the policy and a message");
    return EXITS_DONE;
}

/* The daemon's state, if it was asked for and the policy needs it; false after an error in `diags`. */
static bool open_state(struct explaining *explaining, struct daemon_state **state, struct diags *diags)
{
    *state = NULL;
    if (!state_option || !policy_remembers(explaining->policy))
        return true;
#ifdef WITH_DAEMON
    *state = daemon_state_open(config_option, diags);
    if (*state != NULL)
        explaining->options.state = daemon_state_get(*state);
    return *state != NULL;
#else
    diags_file_error(diags, "--state", "this program was built without the daemon, whose memory it would ask");
    return false;
#endif
}

static void close_state(struct daemon_state *state)
{
#ifdef WITH_DAEMON
    daemon_state_close(state);
#else
    (void)state;
#endif
}

static void explain_files(struct explaining *explaining, struct diags *diags)
{
    static char *standard_input[] = {(char *)"-", NULL};
    const enum mailfile_extent extent = policy_asks_body(explaining->policy) ? MAILFILE_BODIES : MAILFILE_HEADERS;
    struct daemon_state *state;

    if (open_state(explaining, &state, diags)) {
        for (char **files = file_options != NULL ? file_options : standard_input; *files != NULL; files++)
            mailfile_read_extent(*files, extent, explain_one, pass_one, explaining, diags);
    }
    close_state(state);
}

static int command_explain_run(struct tool *tool)
{
    struct explaining explaining = {
        .options.outbound = inbound_option ? 0
                            : given_way()  ? -1
                                           : 1,
        .look = {.all = all_option, .colours = terminal_colours(stdout), .width = terminal_width(stdout)},
    };
    bool found = true;

    (void)tool;
    if (check_options() != EXITS_DONE)
        return EXITS_USAGE;
    explaining.options.now = given_time();
    struct diags *diags = diags_new();
    explaining.policy = tool_load(diags);
    if (explaining.policy != NULL) {
        explain_files(&explaining, diags);
        policy_unref(explaining.policy);
        found = diags_errors(diags) > 0 || is_found(&explaining);
    }
    fflush(stdout);
    tool_print_diags(diags);
    if (explaining.passed > 0)
        tool_note("%u file%s no mail and passed over", explaining.passed, explaining.passed == 1 ? " is" : "s are");
    int status = diags_errors(diags) == 0 && found ? EXITS_DONE : EXITS_WRONG;
    diags_free(diags);
    if (ferror(stdout)) {
        fprintf(stderr, "rcptguard: cannot write to standard output\n");
        status = EXITS_WRONG;
    }
    return status;
}

static const GOptionEntry entries[] = {
    {"sender", 0, 0, G_OPTION_ARG_STRING, &sender_option, "Envelope sender (the author)", "ADDR"},
    {"recipient", 0, 0, G_OPTION_ARG_STRING_ARRAY, &recipient_option, "Envelope recipient; may be repeated", "ADDR"},
    {"inbound", 0, 0, G_OPTION_ARG_NONE, &inbound_option, "The message is not outbound", NULL},
    {"index", 0, 0, G_OPTION_ARG_INT, &index_option, "The message with this number of a mailbox, from 0", "N"},
    {"id", 0, 0, G_OPTION_ARG_STRING, &id_option, "The messages with this Message-ID", "MESSAGE-ID"},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all_option, "Show each visible recipient", NULL},
    {"state", 0, 0, G_OPTION_ARG_NONE, &state_option, "Ask what the daemon remembers; see --config", NULL},
    {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config_option,
     "The daemon's file (" SYSCONFDIR "/rcptguard/rcptguard.conf)", "CONF"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &file_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

const struct command command_explain = {
    .name = "explain",
    .summary = "Show what a policy does with messages, and why",
    .arguments = "[FILE...]",
    .entries = entries,
    .shared = given_entries,
    .run = command_explain_run,
};
