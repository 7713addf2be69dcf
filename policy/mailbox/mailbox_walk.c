/* mailbox_walk - see mailbox_walk.h */

#include "policy/mailbox/mailbox_walk.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Folders within directories. */
#define DEPTH_LIMIT 32

/* A directory that is being walked through. */
struct folder {
    char *path;
    dev_t device;
    ino_t inode;
    GStringChunk *names;
    GPtrArray *sorted; /* char *, of `names` */
    unsigned next;
    bool maildir;
    bool messages; /* of a Maildir: every file is a message */
};

/* How the names of files begin that servers keep beside the mail of a Maildir. */
static const char *const kept_by_servers[] = {"dovecot", "courier", "maildir", "subscriptions"};

struct mailwalk {
    const char *const *paths;
    const atomic_bool *stop;
    GPtrArray *folders; /* struct directory *, each within the one before it */
};

static void folder_free(void *data)
{
    struct folder *folder = data;

    g_free(folder->path);
    g_string_chunk_free(folder->names);
    g_ptr_array_unref(folder->sorted);
    g_free(folder);
}

struct mailwalk *mailwalk_new(const char *const *paths, const atomic_bool *stop)
{
    struct mailwalk *walk = g_new0(struct mailwalk, 1);

    walk->paths = paths;
    walk->stop = stop;
    walk->folders = g_ptr_array_new_with_free_func(folder_free);
    return walk;
}

void mailwalk_free(struct mailwalk *walk)
{
    g_ptr_array_unref(walk->folders);
    g_free(walk);
}

static bool stopped(const struct mailwalk *walk)
{
    return walk->stop != NULL && atomic_load(walk->stop);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Dot files are none of a mailbox, but dot directories may be (Maildir++); `tmp` holds what is not delivered yet. */
static bool is_wanted(const char *folder, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "tmp") == 0)
        return false;
    if (name[0] != '.')
        return true;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

/* Reads the names of a directory; an errno if they cannot be read. */
static int read_names(struct mailwalk *walk, struct folder *folder)
{
    DIR *stream = opendir(folder->path);
    const struct dirent *entry;

    if (stream == NULL)
        return errno;
    while ((errno = 0, entry = readdir(stream)) != NULL && !stopped(walk))
        if (is_wanted(folder->path, entry->d_name))
            g_ptr_array_add(folder->sorted, g_string_chunk_insert(folder->names, entry->d_name));
    int problem = entry == NULL ? errno : 0;
    closedir(stream);
    g_ptr_array_sort(folder->sorted, compare_names);
    return problem;
}

/* The directory where the walk is. */
static const struct folder *last_folder(const struct mailwalk *walk)
{
    return g_ptr_array_index(walk->folders, walk->folders->len - 1);
}

/* Whether a file in the present directory is a server's own: its index, its list of subscriptions. */
static bool is_kept_by_server(const struct mailwalk *walk, const char *path)
{
    const struct folder *folder = walk->folders->len > 0 ? last_folder(walk) : NULL;
    const char *name = strrchr(path, '/');

    if (folder == NULL || !folder->maildir || name == NULL)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(kept_by_servers); i++)
        if (g_str_has_prefix(name + 1, kept_by_servers[i]))
            return true;
    return false;
}

/* "cur" and "new" of a Maildir, whether they were given or found in it. */
static bool holds_messages(const struct mailwalk *walk, const char *path)
{
    const struct folder *above = walk->folders->len > 0 ? last_folder(walk) : NULL;
    g_autofree char *name = g_path_get_basename(path);

    return (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0) && (above == NULL || above->maildir);
}

/* MH renames a message that is deleted: "17" becomes ",17" or "#17". */
static bool is_deleted(const char *path)
{
    const char *name = strrchr(path, '/') + 1;

    return (name[0] == ',' || name[0] == '#') && name[1] != '\0' && strspn(name + 1, "0123456789") == strlen(name + 1);
}

/* A directory that a link leads back to is walked through once. */
static bool holds_itself(const struct mailwalk *walk, const struct stat *status)
{
    for (unsigned i = 0; i < walk->folders->len; i++) {
        const struct folder *above = g_ptr_array_index(walk->folders, i);
        if (above->device == status->st_dev && above->inode == status->st_ino)
            return true;
    }
    return false;
}

/* Goes on in a directory; or says why not. */
static char *enter(struct mailwalk *walk, const char *path, const struct stat *status)
{
    if (holds_itself(walk, status))
        return g_strdup("leads back to a directory that contains it");
    if (walk->folders->len >= DEPTH_LIMIT)
        return g_strdup_printf("is nested deeper than %d directories", DEPTH_LIMIT);
    struct folder *folder = g_new0(struct folder, 1);
    folder->path = g_strdup(path);
    folder->device = status->st_dev;
    folder->inode = status->st_ino;
    folder->names = g_string_chunk_new(4096);
    folder->sorted = g_ptr_array_new();
    int problem = read_names(walk, folder);
    folder->maildir = g_ptr_array_find_with_equal_func(folder->sorted, "cur", g_str_equal, NULL);
    folder->messages = holds_messages(walk, path);
    /* What could be read of it is. */
    g_ptr_array_add(walk->folders, folder);
    return problem == 0 ? NULL : g_strdup_printf("cannot be read: %s", g_strerror(problem));
}

/* The next path, or NULL at the end. */
static char *next_path(struct mailwalk *walk)
{
    while (walk->folders->len > 0) {
        struct folder *folder = g_ptr_array_index(walk->folders, walk->folders->len - 1);
        if (folder->next < folder->sorted->len)
            return g_build_filename(folder->path, g_ptr_array_index(folder->sorted, folder->next++), NULL);
        g_ptr_array_set_size(walk->folders, (int)walk->folders->len - 1);
    }
    return *walk->paths != NULL ? g_strdup(*walk->paths++) : NULL;
}

bool mailwalk_next(struct mailwalk *walk, struct mailwalk_file *file)
{
    char *path;

    while (!stopped(walk) && (path = next_path(walk)) != NULL) {
        struct stat status;
        *file = (struct mailwalk_file){.path = path};
        /* What is not there is told by whoever opens it. */
        if (strcmp(path, "-") == 0 || stat(path, &status) < 0)
            return true;
        file->found = walk->folders->len > 0 && !last_folder(walk)->messages;
        file->passed = file->found && S_ISREG(status.st_mode) && is_deleted(path);
        file->size = S_ISREG(status.st_mode) ? (guint64)status.st_size : 0;
        if (S_ISDIR(status.st_mode))
            file->problem = enter(walk, path, &status);
        if (file->problem != NULL || (!S_ISDIR(status.st_mode) && !is_kept_by_server(walk, path)))
            return true;
        g_free(path);
    }
    return false;
}
