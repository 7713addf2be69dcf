/* run_program - see run_program.h */

#include <config.h>

#include "policy/cli/run_program.h"

#include "policy/base/escape.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

/* What a command said last is kept for the error, in bytes. */
#define SAID_LIMIT 400

#define PIECE 65536

/* One run: the process, its outputs and its input end each on their own, and all are waited for. */
struct run {
    const struct program *program;
    GMainContext *context;
    GSubprocess *process;
    GCancellable *stop; /* what it started may keep its pipes open for longer than it lives */
    size_t written;
    unsigned pending;
    bool late;
    GString *said;
    GString *answered; /* on standard output: Sendmail complains there */
    char *read_error;
};

/* One of its two outputs. */
struct output {
    struct run *run;
    GInputStream *stream;
    bool taken; /* it goes to the caller */
    char piece[PIECE];
};

char *program_find(const char *name, bool callers)
{
    if (g_path_is_absolute(name))
        return g_strdup(name);
    char *path = callers ? g_find_program_in_path(name) : NULL;
    g_auto(GStrv) folders = g_strsplit(PROGRAM_FOLDERS, ":", -1);
    for (char **folder = folders; path == NULL && *folder != NULL; folder++) {
        g_autofree char *there = g_build_filename(*folder, name, NULL);
        if (g_file_test(there, G_FILE_TEST_IS_EXECUTABLE))
            path = g_steal_pointer(&there);
    }
    return path;
}

GPtrArray *program_words(const char *command, const char *option, const char *value, const char *const *words)
{
    GPtrArray *all = g_ptr_array_new();
    g_ptr_array_add(all, (gpointer)command);
    if (value != NULL) {
        g_ptr_array_add(all, (gpointer)option);
        g_ptr_array_add(all, (gpointer)value);
    }
    for (; *words != NULL; words++)
        g_ptr_array_add(all, (gpointer)*words);
    g_ptr_array_add(all, NULL);
    return all;
}

void program_collect(void *string, const char *piece, size_t length)
{
    g_string_append_len(string, piece, (gssize)length);
}

/* Keeps the end of what was said. */
static void remember(GString *said, const char *piece, size_t length)
{
    g_string_append_len(said, piece, (gssize)length);
    if (said->len > SAID_LIMIT)
        g_string_erase(said, 0, (gssize)(said->len - SAID_LIMIT));
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data);

static void read_more(struct output *output)
{
    g_input_stream_read_async(output->stream, output->piece, sizeof output->piece, G_PRIORITY_DEFAULT,
                              output->run->stop, on_read, output);
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    struct output *output = data;
    struct run *run = output->run;
    g_autoptr(GError) error = NULL;
    gssize length = g_input_stream_read_finish(G_INPUT_STREAM(source), result, &error);
    if (length > 0) {
        if (!output->taken || run->program->merged)
            remember(run->said, output->piece, (size_t)length);
        else if (run->program->callers) /* others answer with what is no one's business: recipients */
            remember(run->answered, output->piece, (size_t)length);
        if (output->taken && run->program->take != NULL)
            run->program->take(run->program->data, output->piece, (size_t)length);
        read_more(output);
        return;
    }
    if (length < 0 && run->read_error == NULL)
        run->read_error = g_strdup(error->message);
    run->pending--;
    g_free(output);
}

static void start_reading(struct run *run, GInputStream *stream, bool taken)
{
    struct output *output = g_new(struct output, 1);
    output->run = run;
    output->stream = stream;
    output->taken = taken;
    run->pending++;
    read_more(output);
}

static void write_more(struct run *run);

/* A command that does not read all of its input says why by its exit code. */
static void on_written(GObject *source, GAsyncResult *result, gpointer data)
{
    struct run *run = data;
    gssize length = g_output_stream_write_finish(G_OUTPUT_STREAM(source), result, NULL);
    run->written += length > 0 ? (size_t)length : 0;
    if (length >= 0 && run->written < run->program->input_length) {
        write_more(run);
        return;
    }
    g_output_stream_close(G_OUTPUT_STREAM(source), NULL, NULL);
    run->pending--;
}

/* No more than a pipe takes at once when it takes anything, so that its outputs are read meanwhile: pipe(7). */
static void write_more(struct run *run)
{
    const struct program *program = run->program;
    size_t length = MIN(program->input_length - run->written, PIPE_BUF);
    g_output_stream_write_async(g_subprocess_get_stdin_pipe(run->process), program->input + run->written, length,
                                G_PRIORITY_DEFAULT, run->stop, on_written, run);
}

static void start_writing(struct run *run)
{
    if (run->program->input == NULL)
        return;
    run->pending++;
    write_more(run);
}

static void on_end(GObject *source, GAsyncResult *result, gpointer data)
{
    struct run *run = data;
    g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
    run->pending--;
}

static gboolean on_late(gpointer data)
{
    struct run *run = data;
    run->late = true;
    g_subprocess_force_exit(run->process);
    g_cancellable_cancel(run->stop);
    return G_SOURCE_REMOVE;
}

/* In the new process: it acts for us, and must not go on when we are gone and others find out what was done. */
static void follow_parent(gpointer data)
{
    (void)data;
#ifdef HAVE_SYS_PRCTL_H
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

static GSubprocess *start(const struct program *program, const char *path, GError **error)
{
    static const char *const environment[] = {"PATH=" PROGRAM_FOLDERS, "LC_ALL=C", "HOME=/", NULL};
    GSubprocessFlags flags = G_SUBPROCESS_FLAGS_STDOUT_PIPE;
    flags |= program->input != NULL ? G_SUBPROCESS_FLAGS_STDIN_PIPE : G_SUBPROCESS_FLAGS_NONE;
    flags |= program->merged ? G_SUBPROCESS_FLAGS_STDERR_MERGE : G_SUBPROCESS_FLAGS_STDERR_PIPE;
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(flags);
    if (program->callers) {
        g_subprocess_launcher_setenv(launcher, "LC_ALL", "C", TRUE);
    } else {
        g_subprocess_launcher_set_environ(launcher, (char **)environment);
        g_subprocess_launcher_set_cwd(launcher, "/");
    }
    g_subprocess_launcher_set_child_setup(launcher, follow_parent, NULL, NULL);

    g_autoptr(GPtrArray) arguments = program_words(path, NULL, NULL, program->arguments + 1);
    return g_subprocess_launcher_spawnv(launcher, (const char *const *)arguments->pdata, error);
}

static void finish(struct run *run)
{
    unsigned seconds = run->program->seconds != 0 ? run->program->seconds : PROGRAM_LIMIT;
    g_autoptr(GSource) late = g_timeout_source_new_seconds(seconds);
    g_source_set_callback(late, on_late, run, NULL);
    g_source_attach(late, run->context);

    start_reading(run, g_subprocess_get_stdout_pipe(run->process), true);
    if (!run->program->merged)
        start_reading(run, g_subprocess_get_stderr_pipe(run->process), false);
    start_writing(run);
    run->pending++;
    g_subprocess_wait_async(run->process, NULL, on_end, run);
    while (run->pending > 0)
        g_main_context_iteration(run->context, TRUE);
    g_source_destroy(late);
}

/* The last line that was said, printable. */
static char *last_words(const char *said)
{
    g_autofree char *text = g_strchomp(g_strdup(said));
    const char *line = strrchr(text, '\n');
    g_autofree char *valid = g_utf8_make_valid(line == NULL ? text : line + 1, -1);
    return text_printable(valid, SAID_LIMIT);
}

/* What the kernel ended it for; each is a limit that the process has set for itself. */
static const struct {
    int number;
    const char *reason;
} signals[] = {
    {SIGSYS, "it made a system call that it never needs"},
    {SIGXCPU, "it took more processor time than it may"},
    {SIGXFSZ, "it wrote to a file, which it may not"},
};

static char *ending(const struct run *run, const char *name)
{
    int number = g_subprocess_get_term_sig(run->process);
    g_autofree char *words = last_words(run->said->str);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        if (signals[i].number == number)
            return g_strdup_printf("%s was stopped by signal %d: %s", name, number, signals[i].reason);
    }
    return g_strdup_printf("%s was ended by signal %d%s%s", name, number, words[0] == '\0' ? "" : ": ", words);
}

static char *complaint(const struct run *run, const char *name)
{
    unsigned seconds = run->program->seconds != 0 ? run->program->seconds : PROGRAM_LIMIT;
    if (run->late)
        return g_strdup_printf("%s did not end within %u s", name, seconds);
    if (run->read_error != NULL)
        return g_strdup_printf("what %s said cannot be read: %s", name, run->read_error);
    if (!g_subprocess_get_if_exited(run->process))
        return ending(run, name);
    if (g_subprocess_get_exit_status(run->process) == 0)
        return NULL;
    g_autofree char *words = last_words(run->said->len > 0 ? run->said->str : run->answered->str);
    if (words[0] == '\0')
        return g_strdup_printf("%s ended with exit code %d", name, g_subprocess_get_exit_status(run->process));
    return g_str_has_prefix(words, name) ? g_steal_pointer(&words) : g_strdup_printf("%s: %s", name, words);
}

int program_run(const struct program *program, char **error)
{
    g_autofree char *path = program_find(program->arguments[0], program->callers);
    g_autofree char *base = g_path_get_basename(program->arguments[0]);
    /* Which one it was is not plain where PATH decides. */
    const char *name = program->name != NULL ? program->name : program->callers && path != NULL ? path : base;
    if (path == NULL) {
        *error = g_strdup_printf("there is no %s in %s" PROGRAM_FOLDERS, name, program->callers ? "PATH or " : "");
        return -1;
    }

    /* A command that ends before it has read its input must not end us. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);
    struct run run = {.program = program,
                      .context = g_main_context_new(),
                      .stop = g_cancellable_new(),
                      .said = g_string_new(NULL),
                      .answered = g_string_new(NULL)};
    g_main_context_push_thread_default(run.context);
    g_autoptr(GError) failure = NULL;
    run.process = start(program, path, &failure);
    if (run.process != NULL)
        finish(&run);
    *error = run.process == NULL ? g_strdup_printf("%s cannot be started: %s", name, failure->message)
                                 : complaint(&run, name);
    g_clear_object(&run.process);
    g_clear_object(&run.stop);
    g_main_context_pop_thread_default(run.context);
    g_main_context_unref(run.context);
    g_string_free(run.said, TRUE);
    g_string_free(run.answered, TRUE);
    g_free(run.read_error);
    sigaction(SIGPIPE, &before, NULL);
    return *error == NULL ? 0 : -1;
}

char *program_output(const struct program *program, char **error)
{
    g_autoptr(GString) output = g_string_new(NULL);
    struct program collecting = *program;
    collecting.take = program_collect;
    collecting.data = output;
    return program_run(&collecting, error) == 0 ? g_strdup(output->str) : NULL;
}
