/* metrics_replace - see metrics_replace.h */

#include "milter/metrics/metrics_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the new file is called until it takes the other's place: readers look for names that end in .prom. */
#define NEW_SUFFIX ".new"

char *metrics_obstacle(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat status;
    if (stat(folder, &status) == -1)
        return g_strdup_printf("the directory %s: %s", folder, g_strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return g_strdup_printf("%s is not a directory", folder);
    if (access(folder, W_OK | X_OK) == -1)
        return g_strdup_printf("the directory %s cannot be written by the daemon's user: %s", folder,
                               g_strerror(errno));
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return g_strdup_printf("%s is a directory", path);
    return NULL;
}

static int write_all(int descriptor, const GString *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t wrote = write(descriptor, text->str + done, text->len - done);
        if (wrote == -1 && errno == EINTR)
            continue;
        if (wrote == -1)
            return -1;
        done += (size_t)wrote;
    }
    /* Whatever the umask: the reader is another user. */
    return fchmod(descriptor, 0644);
}

/* A file that is not there yet, under a name of ours: whatever is in its place, as after a crash, is no longer used. */
static int write_new(const char *path, const GString *text)
{
    if (unlink(path) == -1 && errno != ENOENT)
        return -1;
    int descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor == -1)
        return -1;
    int result = write_all(descriptor, text);
    int reason = errno;
    if (close(descriptor) == -1 && result == 0) {
        result = -1;
        reason = errno;
    }
    if (result == -1)
        unlink(path);
    errno = reason;
    return result;
}

/* No fsync: after a crash of the machine these values are of no use. */
char *metrics_replace(const char *path, const GString *text)
{
    g_autofree char *new = g_strconcat(path, NEW_SUFFIX, NULL);
    int result = write_new(new, text);
    if (result == 0 && rename(new, path) == -1) {
        int reason = errno;
        unlink(new);
        errno = reason;
        result = -1;
    }
    if (result == 0)
        return NULL;
    const char *reason = g_strerror(errno);
    char *obstacle = metrics_obstacle(path); /* the directory's own words say more than the file's */
    return obstacle != NULL ? obstacle : g_strdup_printf("cannot be written: %s", reason);
}
