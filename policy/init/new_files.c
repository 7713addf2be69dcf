/* new_files - see new_files.h */

#include "policy/init/new_files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct place {
    char *folder;
    char *hidden;
    GPtrArray *names; /* char *: what comes to its place */
    GPtrArray *used;  /* char *: what is there already */
};

char *place_path(const struct place *place, const char *name)
{
    return g_build_filename(place->hidden, name, NULL);
}

struct place *place_new(const char *folder, char **error)
{
    g_autofree char *hidden = g_build_filename(folder, ".rcptguard-init.XXXXXX", NULL);

    if (g_mkdtemp(hidden) == NULL) {
        *error = g_strdup_printf("cannot write in %s: %s", folder, g_strerror(errno));
        return NULL;
    }
    struct place *place = g_new0(struct place, 1);
    place->folder = g_strdup(folder);
    place->hidden = g_steal_pointer(&hidden);
    place->names = g_ptr_array_new_with_free_func(g_free);
    place->used = g_ptr_array_new_with_free_func(g_free);
    return place;
}

static void remove_hidden(struct place *place, GPtrArray *names)
{
    for (unsigned i = 0; i < names->len; i++) {
        g_autofree char *path = place_path(place, g_ptr_array_index(names, i));
        unlink(path);
    }
    g_ptr_array_unref(names);
}

void place_free(struct place *place)
{
    remove_hidden(place, place->names);
    remove_hidden(place, place->used);
    rmdir(place->hidden);
    g_free(place->hidden);
    g_free(place->folder);
    g_free(place);
}

bool place_add(struct place *place, const char *name, const char *text, char **error)
{
    g_autofree char *path = place_path(place, name);
    g_autoptr(GError) failure = NULL;

    g_ptr_array_add(place->names, g_strdup(name));
    if (!g_file_set_contents_full(path, text, (gssize)strlen(text), G_FILE_SET_CONTENTS_DURABLE, 0644, &failure)) {
        *error = g_strdup_printf("cannot write in %s: %s", place->folder, failure->message);
        return false;
    }
    if (g_chmod(path, 0644) != 0) { /* whatever the umask: the daemon's user reads it */
        *error = g_strdup_printf("cannot write in %s: %s", place->folder, g_strerror(errno));
        return false;
    }
    return true;
}

bool place_use(struct place *place, const char *name, char **error)
{
    g_autofree char *path = place_path(place, name);
    g_autofree char *there = g_build_filename("..", name, NULL);

    if (symlink(there, path) != 0) {
        *error = g_strdup_printf("cannot write in %s: %s", place->folder, g_strerror(errno));
        return false;
    }
    g_ptr_array_add(place->used, g_strdup(name));
    return true;
}

/* A name in a directory is on the disk when the directory is. */
static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

bool place_commit(struct place *place, char **error)
{
    for (unsigned i = 0; i < place->names->len; i++) {
        g_autofree char *from = place_path(place, g_ptr_array_index(place->names, i));
        g_autofree char *to = g_build_filename(place->folder, g_ptr_array_index(place->names, i), NULL);
        if (link(from, to) == 0)
            continue;
        *error = g_strdup_printf("cannot write %s: %s", to, g_strerror(errno));
        while (i-- > 0) {
            g_autofree char *brought = g_build_filename(place->folder, g_ptr_array_index(place->names, i), NULL);
            unlink(brought);
        }
        return false;
    }
    sync_folder(place->folder);
    return true;
}
