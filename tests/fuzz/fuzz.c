/* fuzz - see fuzz.h */

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <libpsl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In place of libpsl's own: parsing the distribution's list for each policy would take all the time there is. */
const char *psl_dist_filename(void)
{
    return NULL;
}

void fuzz_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "# %s: ", fuzz_target);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

/* What GLib or GMime complain about is a finding: the library never prints. */
static GLogWriterOutput on_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    (void)data;
    for (gsize i = 0; i < count; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0 && (level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL)) != 0)
            fuzz_fail("GLib says: %s", (const char *)fields[i].value);
    return G_LOG_WRITER_HANDLED;
}

static void __attribute__((constructor)) log_watch(void)
{
    g_log_set_writer_func(on_log, NULL, NULL);
}

static char *folder;

static void remove_below(const char *path)
{
    GDir *names = g_dir_open(path, 0, NULL);
    const char *name;

    while (names != NULL && (name = g_dir_read_name(names)) != NULL) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        if (g_file_test(below, G_FILE_TEST_IS_DIR) && !g_file_test(below, G_FILE_TEST_IS_SYMLINK))
            remove_below(below);
        else
            unlink(below);
    }
    if (names != NULL)
        g_dir_close(names);
    rmdir(path);
}

static void folder_remove(void)
{
    remove_below(folder);
    g_free(folder);
    folder = NULL;
}

const char *fuzz_folder(void)
{
    if (folder == NULL) {
        const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();
        folder = g_build_filename(place, "rcptguard-fuzz-XXXXXX", NULL);
        if (g_mkdtemp(folder) == NULL)
            fuzz_fail("cannot make a folder in %s: %s", place, g_strerror(errno));
        atexit(folder_remove);
    }
    return folder;
}

char *fuzz_file(const char *name, const void *data, size_t size)
{
    char *path = g_build_filename(fuzz_folder(), name, NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size) || close(fd) < 0)
        fuzz_fail("cannot write %s: %s", path, g_strerror(errno));
    return path;
}

void fuzz_check_diags(const struct diags *diags)
{
    unsigned errors = 0;

    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        g_autofree char *line = diag_format_line(diag);
        g_autofree char *shown = NULL;
        errors += diag->level == DIAG_ERROR;
        fuzz_check(diag->file != NULL && diag->message != NULL && diag->message[0] != '\0',
                   "a diagnostic says nothing");
        fuzz_check(diag->line > 0 || diag->column == 0, "a column without a line: %s", line);
        fuzz_check(g_utf8_validate(line, -1, NULL), "a diagnostic is not UTF-8: %s", line);
        /* The formatting is linear in the line; all of a thousand on one long line would be no test of anything. */
        if (i >= 20)
            continue;
        shown = diag_format(diag);
        fuzz_check(g_utf8_validate(shown, -1, NULL), "a diagnostic is shown as other than UTF-8: %s", shown);
        fuzz_check(g_str_has_suffix(shown, "\n"), "a diagnostic is shown without a newline: %s", shown);
    }
    fuzz_check(errors == diags_errors(diags), "%u errors, not %u", errors, diags_errors(diags));
}

unsigned fuzz_hash(const uint8_t *data, size_t size)
{
    unsigned hash = 5381;

    for (size_t i = 0; i < size; i++)
        hash = hash * 33 + data[i];
    return hash;
}
