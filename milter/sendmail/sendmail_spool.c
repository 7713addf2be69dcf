/* sendmail_spool - see sendmail_spool.h */

#include "milter/sendmail/sendmail_spool.h"

#include "milter/sendmail/sendmail_config.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_DIRECTORY "/var/spool/mqueue"

/* Folders below a directory of the queue, where there are any: each for files of some kinds. */
static const struct {
    const char *kind, *folder;
} folders[] = {{SPOOL_WAITING, "qf"},
               {SPOOL_QUARANTINED, "qf"},
               {SPOOL_TEMPORARY, "qf"},
               {SPOOL_BODY, "df"},
               {SPOOL_TRANSCRIPT, "xf"}};

struct spool {
    GPtrArray *directories; /* char * */
};

/* ---- sendmail.cf */

static bool is_directory(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

static void add_directory(struct spool *spool, const char *path)
{
    if (!g_ptr_array_find_with_equal_func(spool->directories, path, g_str_equal, NULL))
        g_ptr_array_add(spool->directories, g_strdup(path));
}

/* A path that may end in `*`: then each directory whose name begins so. */
static void add_path(struct spool *spool, const char *path)
{
    if (!g_str_has_suffix(path, "*")) {
        add_directory(spool, path);
        return;
    }
    g_autofree char *parent = g_path_get_dirname(path), *pattern = g_path_get_basename(path);
    g_autoptr(GDir) directory = g_dir_open(parent, 0, NULL);
    for (const char *name; directory != NULL && (name = g_dir_read_name(directory)) != NULL;) {
        g_autofree char *one = g_build_filename(parent, name, NULL);
        if (fnmatch(pattern, name, FNM_PERIOD) == 0 && is_directory(one))
            add_directory(spool, one);
    }
}

/* `NAME, P=PATH, F=f, ...`: a queue group; a relative path counts from the directory of QueueDirectory. */
static void add_group(struct spool *spool, const char *line, const char *base)
{
    g_auto(GStrv) parts = g_strsplit(line, ",", -1);
    for (unsigned i = 1; parts[0] != NULL && parts[i] != NULL; i++) {
        const char *part = g_strstrip(parts[i]);
        const char *equals = strchr(part, '=');
        if (part[0] != 'P' || equals == NULL)
            continue;
        g_autofree char *value = g_strstrip(g_strdup(equals + 1));
        g_autofree char *path = g_path_is_absolute(value) ? g_strdup(value) : g_build_filename(base, value, NULL);
        add_path(spool, path);
    }
}

struct spool *spool_read(const char *configuration, char **error)
{
    auto_free(sendmail_config) config = sendmail_config_read(configuration, error);
    if (config == NULL)
        return NULL;
    struct spool *spool = g_new(struct spool, 1);
    spool->directories = g_ptr_array_new_with_free_func(g_free);
    const char *option = sendmail_option(config, "QueueDirectory");
    const char *path = option != NULL ? option : DEFAULT_DIRECTORY;
    g_autofree char *base = g_str_has_suffix(path, "*") ? g_path_get_dirname(path) : g_strdup(path);
    add_path(spool, path);
    for (guint i = 0; i < config->groups->len; i++)
        add_group(spool, g_ptr_array_index(config->groups, i), base);
    return spool;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL)
        return;
    g_ptr_array_unref(spool->directories);
    g_free(spool);
}

/* ---- files */

/* Where files of a kind are, in one directory of the queue; for g_free. */
static char *folder_of(const char *directory, const char *kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        if (strcmp(folders[i].kind, kind) != 0)
            continue;
        char *below = g_build_filename(directory, folders[i].folder, NULL);
        if (is_directory(below))
            return below;
        g_free(below);
    }
    return g_strdup(directory);
}

GPtrArray *spool_list(const struct spool *spool, const char *kind, bool (*is_sound)(const char *id), char **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < spool->directories->len; i++) {
        g_autofree char *folder = folder_of(g_ptr_array_index(spool->directories, i), kind);
        g_autoptr(GError) failure = NULL;
        g_autoptr(GDir) directory = g_dir_open(folder, 0, &failure);
        if (directory == NULL) {
            *error = g_strdup(failure->message);
            return NULL;
        }
        for (const char *name; (name = g_dir_read_name(directory)) != NULL;) {
            if (g_str_has_prefix(name, kind) && is_sound(name + strlen(kind)))
                g_ptr_array_add(ids, g_strdup(name + strlen(kind)));
        }
    }
    return g_steal_pointer(&ids);
}

/* Its path, for g_free, and its status; NULL if there is none. */
static char *find(const struct spool *spool, const char *kind, const char *id, struct stat *status)
{
    for (guint i = 0; i < spool->directories->len; i++) {
        g_autofree char *folder = folder_of(g_ptr_array_index(spool->directories, i), kind);
        char *path = g_strdup_printf("%s/%s%s", folder, kind, id);
        if (lstat(path, status) == 0 && S_ISREG(status->st_mode))
            return path;
        g_free(path);
    }
    return NULL;
}

int spool_open(const struct spool *spool, const char *kind, const char *id, char **error)
{
    struct stat status;
    g_autofree char *path = find(spool, kind, id, &status);
    if (path == NULL)
        return -1;
    int file = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file == -1 && errno != ENOENT)
        *error = g_strdup_printf("%s: %s", path, g_strerror(errno));
    return file;
}

gint64 spool_size(const struct spool *spool, const char *kind, const char *id)
{
    struct stat status;
    g_autofree char *path = find(spool, kind, id, &status);
    return path == NULL ? -1 : (gint64)status.st_size;
}

bool spool_has(const struct spool *spool, const char *kind, const char *id)
{
    return spool_size(spool, kind, id) >= 0;
}

bool spool_is(const struct spool *spool, const char *kind, const char *id, int file)
{
    struct stat named, opened;
    g_autofree char *path = find(spool, kind, id, &named);
    return path != NULL && fstat(file, &opened) == 0 && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* Sendmail is built for one of the two; which one, is not to be seen from here. */
bool spool_lock(int file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return flock(file, LOCK_EX | LOCK_NB) == 0 && fcntl(file, F_SETLK, &whole) == 0;
}

int spool_remove(const struct spool *spool, const char *kind, const char *id, char **error)
{
    struct stat status;
    g_autofree char *path = find(spool, kind, id, &status);
    if (path == NULL)
        return 1;
    if (unlink(path) == 0)
        return 0;
    if (errno == ENOENT)
        return 1;
    *error = g_strdup_printf("%s: %s", path, g_strerror(errno));
    return -1;
}
