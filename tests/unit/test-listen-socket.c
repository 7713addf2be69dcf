/* test-listen-socket - when a socket that is gone is to be made again, and when not */

#include "milter/daemon/listen_socket.h"
#include "policy/cli/exit_codes.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct place {
    char *folder, *path;
    struct endpoint *endpoint;
    struct listen_socket listening;
};

/* A socket that this process listens on, and its lock. */
static struct place place_new(void)
{
    struct place place = {.folder = folder_new()};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *error = NULL;
    int lock;
    place.path = g_build_filename(place.folder, "s", NULL);
    g_autofree char *name = g_strconcat("unix:", place.path, NULL);
    place.endpoint = endpoint_parse(name, &error);
    g_assert_nonnull(place.endpoint);
    g_assert_cmpint(listen_socket_lock(place.endpoint, &lock, &error), ==, EXITS_DONE);
    g_strlcpy(address.sun_path, place.path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(fd, 5), ==, 0);
    listen_socket_find(&place.listening, place.endpoint, lock, getpid());
    g_assert_cmpint(place.listening.fd, ==, fd);
    return place;
}

static void place_clear(struct place *place)
{
    listen_socket_unlock(place->endpoint, place->listening.lock);
    unlink(place->path);
    endpoint_free(place->endpoint);
    folder_free(place->folder);
    g_free(place->path);
}

static void test_deleted(void)
{
    struct place place = place_new();
    g_autofree char *error = NULL;
    bool taken;
    g_assert_true(listen_socket_is_there(&place.listening));
    g_assert_cmpint(unlink(place.path), ==, 0);
    g_assert_false(listen_socket_is_there(&place.listening));
    g_assert_cmpint(listen_socket_again(&place.listening, &taken, &error), ==, 0);
    g_assert_true(listen_socket_is_there(&place.listening));
    g_assert_true(g_file_test(place.path, G_FILE_TEST_EXISTS));
    close(place.listening.fd);
    place_clear(&place);
}

/* Closed and removed, as libmilter does when it is asked to stop; the descriptor is another file's by then. */
static void test_stopped(void)
{
    struct place place = place_new();
    g_assert_cmpint(close(place.listening.fd), ==, 0);
    g_assert_cmpint(unlink(place.path), ==, 0);
    g_assert_true(listen_socket_is_there(&place.listening));
    int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(other, ==, place.listening.fd);
    g_assert_true(listen_socket_is_there(&place.listening));
    close(other);
    place_clear(&place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/listen-socket/deleted", test_deleted);
    g_test_add_func("/listen-socket/stopped", test_stopped);
    return g_test_run();
}
