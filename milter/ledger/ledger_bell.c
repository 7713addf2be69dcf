/* ledger_bell - see ledger_bell.h */

#include "milter/ledger/ledger_bell.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct bell {
    int descriptor;
    char *folder;
    char *name; /* of the file that is written */
    bool once;  /* it rings at one write until that was heard */
};

void bell_ring(const char *ledger, const char *name)
{
    g_autofree char *folder = g_path_get_dirname(ledger);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (descriptor == -1)
        return;
    (void)!pwrite(descriptor, "\n", 1, 0);
    close(descriptor);
}

/* The directory is watched: the file need not be there yet. */
static int watch(const struct bell *bell)
{
    if (!bell->once)
        return inotify_add_watch(bell->descriptor, bell->folder, IN_CLOSE_WRITE);
    /* While it is not there, whatever is written in the directory. */
    g_autofree char *path = g_build_filename(bell->folder, bell->name, NULL);
    int watched = inotify_add_watch(bell->descriptor, path, IN_MODIFY | IN_ONESHOT);
    return watched != -1 || errno != ENOENT ? watched
                                            : inotify_add_watch(bell->descriptor, bell->folder, IN_MODIFY | IN_ONESHOT);
}

static struct bell *open_bell(const char *ledger, const char *name, bool once, char **error)
{
    auto_free(bell) bell = g_new0(struct bell, 1);
    bell->descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    bell->folder = g_path_get_dirname(ledger);
    bell->name = g_strdup(name);
    bell->once = once;
    if (bell->descriptor != -1 && watch(bell) != -1)
        return g_steal_pointer(&bell);
    *error = g_strdup_printf("%s: cannot be watched: %s", bell->folder, g_strerror(errno));
    return NULL;
}

struct bell *bell_open(const char *ledger, char **error)
{
    return open_bell(ledger, BELL_AGENT, false, error);
}

/* Whatever is committed is written to the log first, in many pieces: more than the first of them would only cost time
 * where mail waits for the rest. */
struct bell *bell_open_changes(const char *ledger, char **error)
{
    g_autofree char *base = g_path_get_basename(ledger);
    g_autofree char *name = g_strconcat(base, "-wal", NULL);
    return open_bell(ledger, name, true, error);
}

void bell_free(struct bell *bell)
{
    if (bell == NULL)
        return;
    if (bell->descriptor != -1)
        close(bell->descriptor);
    g_free(bell->folder);
    g_free(bell->name);
    g_free(bell);
}

int bell_fd(const struct bell *bell)
{
    return bell->descriptor;
}

/* Other files of the directory are written too. */
static bool is_meant(const struct bell *bell, const struct inotify_event *event, const char *name)
{
    return bell->once || (event->mask & IN_Q_OVERFLOW) != 0 || (event->len > 0 && strcmp(name, bell->name) == 0);
}

bool bell_rang(struct bell *bell)
{
    union {
        struct inotify_event event; /* for its alignment */
        char bytes[4096];
    } buffer;
    bool found = false;
    ssize_t size;
    while ((size = read(bell->descriptor, buffer.bytes, sizeof buffer.bytes)) > 0) {
        for (ssize_t at = 0; at < size;) {
            struct inotify_event event;
            memcpy(&event, buffer.bytes + at, sizeof event);
            found = found || is_meant(bell, &event, buffer.bytes + at + sizeof event);
            at += (ssize_t)(sizeof event + event.len);
        }
    }
    if (found && bell->once)
        (void)watch(bell); /* if the directory is gone, so is the ledger, and nothing is written to it */
    return found;
}

bool bell_wait(struct bell *bell, unsigned seconds)
{
    gint64 end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
    for (gint64 left = end - g_get_monotonic_time(); left > 0; left = end - g_get_monotonic_time()) {
        struct pollfd waiting = {.fd = bell->descriptor, .events = POLLIN};
        if (poll(&waiting, 1, (int)(left / 1000) + 1) == 1 && bell_rang(bell))
            return true;
    }
    return bell_rang(bell);
}
