/* spawn - see spawn.h */

#include "spawn.h"

#include "text.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* What a program said last is shown up to so many bytes. */
#define SAID_LIMIT 300

struct run {
    unsigned seconds;
    GMainLoop *loop;
    GSubprocess *process;
    GCancellable *stop; /* what it started may keep its pipes open for longer than it lives */
    bool late;
    GBytes *output;
    GBytes *said; /* standard error */
    GError *error;
};

char *spawn_find(const char *name)
{
    g_auto(GStrv) folders = g_strsplit(SPAWN_FOLDERS, ":", -1);
    char *path = g_find_program_in_path(name);

    for (unsigned i = 0; path == NULL && folders[i] != NULL; i++) {
        g_autofree char *there = g_build_filename(folders[i], name, NULL);
        path = g_find_program_in_path(there);
    }
    return path;
}

static void on_end(GObject *source, GAsyncResult *result, gpointer data)
{
    struct run *run = data;

    g_subprocess_communicate_finish(G_SUBPROCESS(source), result, &run->output, &run->said, &run->error);
    g_main_loop_quit(run->loop);
}

static gboolean on_late(gpointer data)
{
    struct run *run = data;

    run->late = true;
    g_subprocess_force_exit(run->process);
    g_cancellable_cancel(run->stop);
    return G_SOURCE_REMOVE;
}

/* An open file that holds the input: a pipe would break if the program did not read it.  -1 on failure. */
static int input_file(const char *input, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("rcptguard.XXXXXX", &path, error);
    size_t length = strlen(input);

    if (fd < 0)
        return -1;
    unlink(path);
    if (write(fd, input, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "a temporary file: %s", g_strerror(errno));
    close(fd);
    return -1;
}

static GSubprocess *start(const char *const *arguments, const char *input, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);

    if (input != NULL) {
        int fd = input_file(input, error);
        if (fd < 0)
            return NULL;
        g_subprocess_launcher_take_stdin_fd(launcher, fd);
    }
    g_subprocess_launcher_setenv(launcher, "LC_ALL", "C", TRUE);
    return g_subprocess_launcher_spawnv(launcher, arguments, error);
}

/* Waits in a context of its own, so that nothing else of the program runs meanwhile. */
static void wait_for_end(struct run *run)
{
    GMainContext *context = g_main_context_new();
    GSource *late = g_timeout_source_new_seconds(run->seconds);

    g_main_context_push_thread_default(context);
    run->loop = g_main_loop_new(context, FALSE);
    run->stop = g_cancellable_new();
    g_source_set_callback(late, on_late, run, NULL);
    g_source_attach(late, context);
    g_subprocess_communicate_async(run->process, NULL, run->stop, on_end, run);
    g_main_loop_run(run->loop);
    g_source_destroy(late);
    g_source_unref(late);
    g_clear_object(&run->stop);
    g_main_loop_unref(run->loop);
    g_main_context_pop_thread_default(context);
    g_main_context_unref(context);
}

static char *text_of(GBytes *bytes)
{
    gsize length = 0;
    const char *data = bytes == NULL ? NULL : g_bytes_get_data(bytes, &length);

    return g_strndup(data == NULL ? "" : data, length);
}

/* What it said last, on either output, printable. */
static char *last_words(const struct run *run)
{
    GString *words = g_string_new(NULL);
    GBytes *outputs[] = {run->said, run->output};

    for (unsigned i = 0; i < G_N_ELEMENTS(outputs) && words->len == 0; i++) {
        g_autofree char *text = g_strchomp(text_of(outputs[i]));
        const char *line = strrchr(text, '\n');
        line = line == NULL ? text : line + 1;
        text_append_escaped(words, line, strlen(line), SAID_LIMIT, true);
    }
    return g_string_free(words, FALSE);
}

static char *complaint(const struct run *run, const char *path)
{
    g_autofree char *words = NULL;

    if (run->late)
        return g_strdup_printf("%s did not end within %u seconds", path, run->seconds);
    if (run->error != NULL)
        return g_strdup_printf("%s cannot be asked: %s", path, run->error->message);
    if (g_subprocess_get_if_exited(run->process) && g_subprocess_get_exit_status(run->process) == 0)
        return NULL;
    words = last_words(run);
    if (words[0] != '\0')
        return g_strdup_printf("%s failed and said: %s", path, words);
    if (g_subprocess_get_if_exited(run->process))
        return g_strdup_printf("%s failed with exit code %d", path, g_subprocess_get_exit_status(run->process));
    return g_strdup_printf("%s was ended by signal %d", path, g_subprocess_get_term_sig(run->process));
}

char *spawn_run(const char *const *arguments, const char *input, unsigned seconds, char **error)
{
    struct run run = {.seconds = seconds};
    char *output = NULL;

    run.process = start(arguments, input, &run.error);
    if (run.process == NULL) {
        *error = g_strdup_printf("%s cannot be started: %s", arguments[0], run.error->message);
    } else {
        wait_for_end(&run);
        *error = complaint(&run, arguments[0]);
        if (*error == NULL)
            output = text_of(run.output);
    }
    g_clear_object(&run.process);
    g_clear_pointer(&run.output, g_bytes_unref);
    g_clear_pointer(&run.said, g_bytes_unref);
    g_clear_error(&run.error);
    return output;
}
