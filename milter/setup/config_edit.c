/* config_edit - see config_edit.h */

#include "milter/setup/config_edit.h"

#include "policy/base/time_text.h"
#include "policy/cli/run_program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK ".rcptguard-"
#define END  ".bak"

/* More backups than a second has room for. */
#define BACKUPS_A_SECOND 100

char *edit_read(const char *path, char **error)
{
    char *text = NULL;
    if (access(path, R_OK) == -1)
        *error = g_strdup_printf("%s: %s", path, g_strerror(errno));
    else if (!g_file_get_contents(path, &text, NULL, NULL))
        *error = g_strdup_printf("%s cannot be read", path);
    return text;
}

char *edit_diff(const char *path, const char *text, char **error)
{
    const char *const arguments[] = {"diff", "-u", "--label", path, "--label", path, path, "-", NULL};
    g_autoptr(GString) output = g_string_new(NULL);
    const struct program program = {
        .arguments = arguments, .input = text, .input_length = strlen(text), .take = program_collect, .data = output};
    g_autofree char *said = NULL;
    /* It ends with 1 if there is a difference. */
    if (program_run(&program, &said) == -1 && !g_str_has_prefix(output->str, "---")) {
        *error = g_steal_pointer(&said);
        return NULL;
    }
    return g_strdup(output->str);
}

/* ---- writing */

static int write_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t done = write(fd, text, left);
        if (done == -1 && errno == EINTR)
            continue;
        if (done == -1)
            return -1;
        text += done;
        left -= (size_t)done;
    }
    return fsync(fd);
}

/* A file beside another, with its owner and mode, and on the disk.  Its path, or NULL with errno. */
static char *write_beside(const char *path, const struct stat *status, const char *text)
{
    char *name = g_strconcat(path, MARK "XXXXXX", NULL);
    int fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (fd != -1 && fchown(fd, status->st_uid, status->st_gid) == 0 && fchmod(fd, status->st_mode & 07777) == 0 &&
        write_all(fd, text) == 0) {
        close(fd);
        return name;
    }
    int reason = errno;
    if (fd != -1) {
        close(fd);
        unlink(name);
    }
    g_free(name);
    errno = reason;
    return NULL;
}

static void sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        return;
    fsync(fd);
    close(fd);
}

/* Never over one that is there. */
static char *keep(const char *path, const struct stat *status, const char *text, gint64 now)
{
    g_autofree char *date = time_text_file(now);
    g_autofree char *temporary = write_beside(path, status, text);
    if (temporary == NULL)
        return NULL;
    char *name = NULL;
    for (unsigned i = 0; i < BACKUPS_A_SECOND; i++) {
        name = g_strdup_printf("%s" MARK "%s-%02u" END, path, date, i);
        if (link(temporary, name) == 0)
            break;
        int reason = errno;
        g_clear_pointer(&name, g_free);
        errno = reason;
        if (reason != EEXIST)
            break;
    }
    int reason = errno;
    unlink(temporary);
    errno = reason;
    return name;
}

int edit_replace(const char *path, const char *before, const char *text, gint64 now, char **backup, char **error)
{
    struct stat status;
    g_autofree char *real = realpath(path, NULL); /* a symbolic link stays one */
    g_autofree char *there = real == NULL ? NULL : edit_read(real, error);
    if (there == NULL || stat(real, &status) == -1) {
        if (*error == NULL)
            *error = g_strdup_printf("%s: %s", path, g_strerror(errno));
        return -1;
    }
    if (strcmp(there, before) != 0) {
        *error = g_strdup_printf("%s was changed at the same time: try again", path);
        return -1;
    }
    if (backup != NULL) {
        *backup = keep(real, &status, before, now);
        if (*backup == NULL) {
            *error = g_strdup_printf("no copy of %s can be kept beside it: %s", path, g_strerror(errno));
            return -1;
        }
    }
    g_autofree char *temporary = write_beside(real, &status, text);
    if (temporary == NULL || rename(temporary, real) == -1) {
        *error = g_strdup_printf("%s cannot be written: %s", path, g_strerror(errno));
        if (temporary != NULL)
            unlink(temporary);
        return -1;
    }
    sync_folder(real);
    return 0;
}

/* ---- back */

char *edit_backup(const char *path)
{
    g_autofree char *real = realpath(path, NULL);
    g_autofree char *folder = g_path_get_dirname(real != NULL ? real : path);
    g_autofree char *base = g_path_get_basename(real != NULL ? real : path);
    g_autofree char *lead = g_strconcat(base, MARK, NULL);
    g_autofree char *newest = NULL;
    GDir *open = g_dir_open(folder, 0, NULL);
    const char *name;
    while (open != NULL && (name = g_dir_read_name(open)) != NULL) {
        if (!g_str_has_prefix(name, lead) || !g_str_has_suffix(name, END) ||
            (newest != NULL && strcmp(name, newest) <= 0))
            continue;
        g_free(newest);
        newest = g_strdup(name);
    }
    if (open != NULL)
        g_dir_close(open);
    return newest == NULL ? NULL : g_build_filename(folder, newest, NULL);
}

char *edit_scratch(char **error)
{
    g_autoptr(GError) failure = NULL;
    char *folder = g_dir_make_tmp("rcptguardq-XXXXXX", &failure);
    if (folder == NULL)
        *error = g_strdup(failure->message);
    return folder;
}

void edit_scratch_remove(const char *folder)
{
    GDir *open = g_dir_open(folder, 0, NULL);
    const char *name;
    while (open != NULL && (name = g_dir_read_name(open)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        unlink(path);
    }
    if (open != NULL)
        g_dir_close(open);
    rmdir(folder);
}

char *edit_revert(const char *text, const char *after, const char *before)
{
    static const char *const names[] = {"now", "after", "before"};
    const char *const texts[] = {text, after, before};
    char *paths[G_N_ELEMENTS(names)];
    g_autofree char *ignored = NULL;
    g_autofree char *folder = edit_scratch(&ignored);
    if (folder == NULL)
        return NULL;
    bool written = true;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        paths[i] = g_build_filename(folder, names[i], NULL);
        written = written && g_file_set_contents(paths[i], texts[i], -1, NULL);
    }
    const char *const arguments[] = {"diff3", "-m", paths[0], paths[1], paths[2], NULL};
    g_autoptr(GString) merged = g_string_new(NULL);
    g_autofree char *conflict = NULL;
    const struct program program = {.arguments = arguments, .take = program_collect, .data = merged};
    bool sound = written && program_run(&program, &conflict) == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_free(paths[i]);
    edit_scratch_remove(folder);
    return sound ? g_strdup(merged->str) : NULL;
}
