/* body_file - see body_file.h */

#include <config.h>

#include "milter/arrival/body_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define OWN_MODE 0600

static int open_deleted(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "body.XXXXXX", NULL);
    int file = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, OWN_MODE);

    if (file != -1 && g_unlink(path) == -1) { /* nothing of a message stays in a file that others find */
        int problem = errno;
        close(file);
        errno = problem;
        return -1;
    }
    return file;
}

int body_file_open(void *directory)
{
#ifdef O_TMPFILE
    int file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, OWN_MODE);
    /* A file system without it says the first, an old kernel one of the others. */
    if (file != -1 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return file;
#endif
    return open_deleted(directory);
}
