/* command_replay - `rcptguard replay`: what a policy would have done with a mailbox; see rcptguard(1) */

#include "policy/cli/terminal.h"
#include "policy/mailbox/mailbox_parallel.h"
#include "policy/mailbox/mailbox_read.h"
#include "policy/rcptguard/message_options.h"
#include "policy/rcptguard/rcptguard_tool.h"
#include "policy/replay/progress.h"
#include "policy/replay/replay.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static char *against_option = NULL;
static char *html_option = NULL;
static int jobs_option = 0;
static gboolean messages_option = FALSE;
static gboolean once_option = FALSE;
static gboolean recipients_option = FALSE;
static char **path_options = NULL;

/* Set by the first SIGINT; the second one ends the process as if there were no handler. */
static atomic_bool interrupted;

struct replaying {
    struct replayed_options options;
    struct tally *tally;
    struct once *once; /* messages that were there before; NULL: it does not matter */
    struct replay replay;
    struct progress *progress;
    GArray *waiting; /* struct waiting_message: those that are played at the end */
    gint64 latest;   /* date in the mailbox so far */
};

/* A message that depends on those before it. */
struct waiting_message {
    gint64 time;
    unsigned index; /* in the mailbox */
    struct replayed *replayed;
};

static void on_interrupt(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

static void catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

static void *evaluate_one(void *data, struct message *message, const char *file, unsigned index, guint64 size)
{
    const struct replaying *replaying = data;

    given_apply(message);
    mailfile_envelope(message, NULL, NULL);
    struct replayed *replayed = replayed_new(message, file, index, &replaying->options);
    if (replaying->once != NULL)
        replayed->key = once_key(message, size);
    return replayed;
}

static void print(GString *out)
{
    fwrite(out->str, 1, out->len, stdout);
    g_string_free(out, TRUE);
}

/* Prints what is wanted of one, and counts it. */
static void count_one(struct replaying *replaying, struct replayed *replayed)
{
    bool changed = replaying->tally->against != NULL && replayed_changed(replayed);

    if (messages_option || changed) {
        GString *out = g_string_new(NULL);
        if (tool_json())
            replay_append_message_json(out, &replaying->replay, replayed);
        else
            replay_append_message_text(out, &replaying->replay, replayed);
        progress_clear(replaying->progress);
        print(out);
    }
    tally_add(replaying->tally, replayed);
}

static void keep_waiting(struct replaying *replaying, struct replayed *replayed)
{
    struct waiting_message waiting = {replayed->waiting.time, replaying->waiting->len, replayed};

    if (waiting.time == 0) {
        replaying->replay.undated++;
        waiting.time = replaying->latest;
    }
    replaying->replay.out_of_order += waiting.time < replaying->latest;
    replaying->latest = MAX(replaying->latest, waiting.time);
    g_array_append_val(replaying->waiting, waiting);
}

static void take_one(void *data, void *result)
{
    struct replaying *replaying = data;
    struct replayed *replayed = result;

    if (replaying->once != NULL && once_seen(replaying->once, &replayed->key)) {
        replaying->replay.repeated++;
        replayed_unref(replayed);
    } else if (replayed->waiting.message != NULL) {
        keep_waiting(replaying, replayed);
    } else {
        count_one(replaying, replayed);
    }
}

static int compare_waiting(gconstpointer one, gconstpointer other)
{
    const struct waiting_message *a = one, *b = other;

    return a->time != b->time ? (a->time < b->time ? -1 : 1) : a->index < b->index ? -1 : a->index > b->index;
}

/* Plays what has waited, in the order of its dates. */
static void play_waiting(struct replaying *replaying)
{
    struct play *play = play_new(replaying->options.policy);
    struct play *against = replaying->options.against != NULL ? play_new(replaying->options.against) : NULL;

    g_array_sort(replaying->waiting, compare_waiting);
    for (unsigned i = 0; i < replaying->waiting->len; i++) {
        const struct waiting_message *waiting = &g_array_index(replaying->waiting, struct waiting_message, i);
        replayed_play(waiting->replayed, &replaying->options, play, against, waiting->time);
        count_one(replaying, waiting->replayed);
    }
    replaying->replay.played = play_figures(play);
    if (play != NULL)
        play_free(play);
    if (against != NULL)
        play_free(against);
    g_array_unref(replaying->waiting);
}

static void pass_one(void *data, const char *file)
{
    struct replaying *replaying = data;

    replaying->replay.passed++;
    progress_clear(replaying->progress);
    given_pass(file);
}

static void show_progress(void *data, guint64 messages, guint64 bytes, guint64 total)
{
    progress_show(((struct replaying *)data)->progress, messages, bytes, total);
}

/* Told before a long run and not after it. */
static bool page_can_be_written(struct diags *diags)
{
    g_autofree char *folder = html_option != NULL ? g_path_get_dirname(html_option) : NULL;

    if (folder == NULL)
        return true;
    if (g_file_test(html_option, G_FILE_TEST_IS_DIR))
        diags_file_error(diags, html_option, "is a directory; expected a file to write");
    else if (g_access(folder, W_OK | X_OK) != 0)
        diags_file_error(diags, html_option, "cannot be written: %s", g_strerror(errno));
    else
        return true;
    return false;
}

/* Beside the file first, then in its place: who looks at it meanwhile sees the old page or the new one. */
static void write_page(const struct replay *replay, struct diags *diags)
{
    g_autoptr(GString) page = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    replay_append_html(page, replay);
    if (!g_file_set_contents_full(html_option, page->str, (gssize)page->len, G_FILE_SET_CONTENTS_CONSISTENT, 0666,
                                  &error))
        diags_file_error(diags, html_option, "cannot be written: %s", error->message);
}

static void run(struct replaying *replaying, struct diags *diags)
{
    struct mailrun mailrun = {
        .jobs = (unsigned)jobs_option,
        .stop = &interrupted,
        .bodies = replayed_ask_body(&replaying->options),
        .work = evaluate_one,
        .deliver = take_one,
        .pass = pass_one,
        .progress = show_progress,
        .data = replaying,
    };
    struct replay *replay = &replaying->replay;
    GString *out = g_string_new(NULL);

    replaying->tally = tally_new(replaying->options.policy, replaying->options.against);
    *replay = (struct replay){
        .tally = replaying->tally,
        .diags = diags,
        .recipients = recipients_option,
        .colours = terminal_colours(stdout),
        .width = terminal_is(stdout) ? terminal_width(stdout) : 0,
    };
    replay->unknown = given_unknown(replaying->options.policy, &replay->unknown_rules);
    replaying->once = once_option ? once_new() : NULL;
    replaying->progress = progress_new();
    replaying->waiting = g_array_new(FALSE, FALSE, sizeof(struct waiting_message));
    mailrun_run(&mailrun, (const char *const *)path_options, diags);
    play_waiting(replaying);
    progress_free(replaying->progress);
    once_free(replaying->once);
    replay->partial = atomic_load(&interrupted);
    if (tool_json())
        replay_append_json(out, replay);
    else
        replay_append_text(out, replay);
    print(out);
    if (html_option != NULL)
        write_page(replay, diags);
    g_strfreev(replay->unknown);
    tally_free(replaying->tally);
}

static int command_replay_run(struct tool *tool)
{
    struct replaying replaying = {.options = {.recipients = recipients_option, .always_outbound = !given_way()}};

    (void)tool;
    if (given_check() != EXITS_DONE)
        return EXITS_USAGE;
    if (path_options == NULL)
        return tool_usage_error("expected a mailbox; `-` is standard input");
    if (jobs_option < 0 || jobs_option > (int)MAILRUN_JOBS_LIMIT)
        return tool_usage_error("--jobs takes a number from 1 to %u", MAILRUN_JOBS_LIMIT);
    if (tool_policy_is_standard() && g_strv_contains((const char *const *)path_options, "-"))
        return tool_usage_error("standard input cannot be both the policy and a mailbox");
    replaying.options.now = given_time();
    auto_free(diags) diags = diags_new();
    replaying.options.policy = tool_load(diags);
    replaying.options.against = against_option != NULL ? policy_load(against_option, diags) : NULL;
    if (page_can_be_written(diags) && diags_errors(diags) == 0) {
        catch_interrupt();
        run(&replaying, diags);
    }
    fflush(stdout);
    tool_print_diags(diags);
    int status = diags_count(diags) == 0 && !atomic_load(&interrupted) ? EXITS_DONE : EXITS_WRONG;
    if (ferror(stdout)) {
        fprintf(stderr, "rcptguard: cannot write to standard output\n");
        status = EXITS_WRONG;
    }
    if (replaying.options.policy != NULL)
        policy_unref(replaying.options.policy);
    if (replaying.options.against != NULL)
        policy_unref(replaying.options.against);
    return status;
}

static const GOptionEntry entries[] = {
    {"against", 0, 0, G_OPTION_ARG_FILENAME, &against_option, "Print only what changes from this policy", "OLD-POLICY"},
    {"html", 0, 0, G_OPTION_ARG_FILENAME, &html_option, "Also write a page with the figures", "FILE"},
    {"jobs", 0, 0, G_OPTION_ARG_INT, &jobs_option, "Threads (one for each processor)", "N"},
    {"messages", 0, 0, G_OPTION_ARG_NONE, &messages_option, "Also print each message", NULL},
    {"once", 0, 0, G_OPTION_ARG_NONE, &once_option, "Count repeated messages only once", NULL},
    {"recipients", 0, 0, G_OPTION_ARG_NONE, &recipients_option, "Show recipients of the messages that are listed",
     NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &path_options, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

const struct command command_replay = {
    .name = "replay",
    .summary = "Show what a policy would have done with a mailbox",
    .arguments = "PATH...",
    .entries = entries,
    .shared = given_entries,
    .run = command_replay_run,
};
