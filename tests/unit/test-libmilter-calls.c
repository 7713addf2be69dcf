/*
 * test-libmilter-calls - packets as libmilter reads them, cut anywhere: all of them come, in order, to whom they were
 * sent, and none that libmilter could not stand.
 *
 * The program calls accept, read, poll and close as libmilter does, and is linked with the same definitions of them.
 */

#include <config.h>

#include "milter/daemon/libmilter_calls.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Milliseconds after which a packet that does not come is taken for one that will not. */
#define SILENCE 20
#define LIMIT   20000

struct pair {
    int mta, milter;
};

static int listener = -1;
static char *folder, *path;

static void listen_here(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    folder = g_dir_make_tmp("rcptguard-XXXXXX", NULL);
    path = g_build_filename(folder, "sock", NULL);
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(listener, 16), ==, 0);
}

static struct pair pair_new(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct pair pair;

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    pair.mta = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(pair.mta, (struct sockaddr *)&address, sizeof address), ==, 0);
    pair.milter = accept(listener, NULL, NULL);
    g_assert_cmpint(pair.milter, >=, 0);
    return pair;
}

static void pair_free(struct pair pair)
{
    close(pair.mta);
    close(pair.milter);
}

static void append_packet(GByteArray *out, char kind, const char *payload, size_t length)
{
    guint32 size = GUINT32_TO_BE((guint32)length + 1);

    g_byte_array_append(out, (const guint8 *)&size, sizeof size);
    g_byte_array_append(out, (const guint8 *)&kind, 1);
    g_byte_array_append(out, (const guint8 *)payload, (guint)length);
}

static void send_all(int fd, const guint8 *bytes, size_t length)
{
    g_assert_cmpint(send(fd, bytes, length, MSG_NOSIGNAL), ==, (ssize_t)length);
}

static int ready(int fd, int timeout)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    int result = poll(&one, 1, timeout);

    if (result == 1)
        g_assert_cmpint(one.revents & POLLIN, !=, 0);
    return result;
}

/* As libmilter reads so many bytes: 1; 0 at the end or where no more comes; -1 as read does. */
static int read_exactly(int fd, guint8 *buffer, size_t size, int timeout)
{
    for (size_t got = 0; got < size;) {
        if (ready(fd, timeout) == 0)
            return 0;
        ssize_t part = read(fd, buffer + got, size - got);
        if (part <= 0)
            return (int)part;
        g_assert_cmpuint((size_t)part, <=, size - got);
        got += (size_t)part;
    }
    return 1;
}

/* One packet, appended; as read_exactly. */
static int read_packet(int fd, GByteArray *out, int timeout)
{
    guint8 head[5], payload[4096];
    guint32 size;
    int result = read_exactly(fd, head, sizeof head, timeout);

    if (result != 1)
        return result;
    memcpy(&size, head, sizeof size);
    size = GUINT32_FROM_BE(size) - 1;
    g_assert_cmpuint(size, <=, sizeof payload);
    g_byte_array_append(out, head, sizeof head);
    result = size == 0 ? 1 : read_exactly(fd, payload, size, timeout);
    if (result == 1)
        g_byte_array_append(out, payload, size);
    return result;
}

#define PACKETS 5
static GByteArray *conversation(void)
{
    GByteArray *all = g_byte_array_new();

    append_packet(all, 'D', "Mi\0004XyZ1\0", 9);
    append_packet(all, 'M', "<ann@me.example>", 17);
    append_packet(all, 'L', "To\0b@x.example, c@y.example\0", 28);
    append_packet(all, 'N', "", 0);
    append_packet(all, 'D', "E", 1);
    return all;
}

/* Cut at every byte, and in threes. */
static void test_cut(void)
{
    g_autoptr(GByteArray) all = conversation();

    for (unsigned ahead = 0; ahead < 2; ahead++) {
        libmilter_read_ahead(ahead != 0);
        for (unsigned cut = 0; cut <= all->len; cut++) {
            struct pair pair = pair_new();
            g_autoptr(GByteArray) got = g_byte_array_new();
            unsigned packets = 0;
            send_all(pair.mta, all->data, cut);
            while (read_packet(pair.milter, got, 0) == 1)
                packets++;
            /* Half a packet may have been taken: what is read again begins at the cut, so the rest is read as bytes. */
            g_assert_cmpuint(packets, <=, PACKETS);
            if (got->len > 0)
                g_assert_cmpint(memcmp(got->data, all->data, got->len), ==, 0);
            g_assert_cmpuint(libmilter_kept(), ==, 0);
            pair_free(pair);
        }
        struct pair pair = pair_new();
        g_autoptr(GByteArray) got = g_byte_array_new();
        send_all(pair.mta, all->data, all->len);
        for (unsigned i = 0; i < PACKETS; i++) {
            g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
            g_assert_cmpuint(libmilter_kept(), ==, READ_AHEAD && ahead && i + 1 < PACKETS ? 1 : 0);
        }
        g_assert_cmpuint(got->len, ==, all->len);
        g_assert_cmpint(memcmp(got->data, all->data, all->len), ==, 0);
        g_assert_cmpint(ready(pair.milter, 0), ==, 0);
        pair_free(pair);
    }
}

struct sender {
    int fd;
    const GByteArray *all;
    unsigned step;
};

static gpointer send_in_steps(gpointer data)
{
    const struct sender *sender = data;

    for (unsigned at = 0; at < sender->all->len; at += sender->step)
        send_all(sender->fd, sender->all->data + at, MIN(sender->step, sender->all->len - at));
    return NULL;
}

/* A peer that sends in pieces of any size, while it is read. */
static void test_pieces(void)
{
    g_autoptr(GByteArray) all = g_byte_array_new();

    libmilter_read_ahead(true);
    for (unsigned i = 0; i < 300; i++) {
        g_autoptr(GByteArray) one = conversation();
        g_byte_array_append(all, one->data, one->len);
    }
    for (unsigned step = 1; step < 3000; step += step / 3 + 1) {
        struct pair pair = pair_new();
        g_autoptr(GByteArray) got = g_byte_array_new();
        struct sender sender = {pair.mta, all, step};
        GThread *thread = g_thread_new("sender", send_in_steps, &sender);
        for (unsigned i = 0; i < 300 * PACKETS; i++)
            g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
        g_thread_join(thread);
        g_assert_cmpuint(got->len, ==, all->len);
        g_assert_cmpint(memcmp(got->data, all->data, all->len), ==, 0);
        pair_free(pair);
    }
    g_assert_cmpuint(libmilter_kept(), ==, 0);
}

/* What one connection left does not reach the next one with its number. */
static void test_next_owner(void)
{
    g_autoptr(GByteArray) all = conversation();
    int number = -1;

    libmilter_read_ahead(true);
    for (unsigned i = 0; i < 10000; i++) {
        struct pair pair = pair_new();
        g_autoptr(GByteArray) got = g_byte_array_new();
        if (number == -1)
            number = pair.milter;
        g_assert_cmpint(pair.milter, ==, number);
        g_assert_cmpint(ready(pair.milter, 0), ==, 0);
        send_all(pair.mta, all->data, all->len);
        g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
        g_assert_cmpuint(libmilter_kept(), ==, READ_AHEAD);
        pair_free(pair);
        g_assert_cmpuint(libmilter_kept(), ==, 0);
    }
    /* Nor a file with that number, which is no connection. */
    int ends[2];
    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(write(ends[1], "abc", 3), ==, 3);
    guint8 buffer[2];
    g_assert_cmpint(read(ends[0], buffer, 2), ==, 2);
    g_assert_cmpint(ready(ends[0], 0), ==, 1);
    g_assert_cmpint(read(ends[0], buffer, 2), ==, 1);
    g_assert_cmpint(buffer[0], ==, 'c');
    close(ends[0]);
    close(ends[1]);
}

/* A peer that stops within a packet, and one that goes. */
static void test_half(void)
{
    g_autoptr(GByteArray) all = conversation();

    libmilter_read_ahead(true);
    for (unsigned length = 1; length < 20; length++) {
        struct pair pair = pair_new();
        g_autoptr(GByteArray) got = g_byte_array_new();
        send_all(pair.mta, all->data, length);
        int result = read_packet(pair.milter, got, SILENCE);
        g_assert_cmpint(result, ==, length >= 14 ? 1 : 0);
        shutdown(pair.mta, SHUT_WR);
        while (result == 1)
            result = read_packet(pair.milter, got, LIMIT);
        g_assert_cmpint(result, ==, 0);
        pair_free(pair);
    }
}

/* The pool's poll is of several: what is kept is not for it, and it sees the kernel's alone. */
static void test_several(void)
{
    g_autoptr(GByteArray) all = conversation();
    struct pair pair = pair_new();
    g_autoptr(GByteArray) got = g_byte_array_new();

    libmilter_read_ahead(true);
    pair_free(pair);
    pair = pair_new();
    send_all(pair.mta, all->data, all->len);
    struct pollfd both[2] = {{.fd = listener, .events = POLLIN}, {.fd = pair.milter, .events = POLLIN}};
    g_assert_cmpint(poll(both, 2, LIMIT), ==, 1);
    g_assert_cmpint(both[1].revents, ==, POLLIN);
    g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
    g_assert_cmpuint(libmilter_kept(), ==, READ_AHEAD);
    g_assert_cmpint(poll(both, 2, 0), ==, READ_AHEAD ? 0 : 1);
    g_assert_cmpint(ready(pair.milter, 0), ==, 1);
    pair_free(pair);
}

/* A libmilter that waits in another way, such as select(2), would not see what is kept: nothing is. */
static void test_never_polled(void)
{
    g_autoptr(GByteArray) all = conversation();
    struct pair pair = pair_new();
    guint8 head[5];

    libmilter_read_ahead(true);
    send_all(pair.mta, all->data, all->len);
    g_assert_cmpint(read(pair.milter, head, sizeof head), ==, sizeof head);
    g_assert_cmpuint(libmilter_kept(), ==, 0);
    pair_free(pair);
}

/* A list of macros with an odd number of strings ends the process in libmilter: its last byte is never given out. */
static void test_odd_macros(void)
{
    static const struct {
        const char *payload;
        size_t length;
        bool good;
    } cases[] = {
        {"M", 1, true},        {"Mi\0", 3, false},         {"Mi\0x\0", 5, true}, {"Mi\0x\0j\0", 7, false},
        {"M\0", 2, false},     {"M\0\0", 3, true},         {"Mi\0x", 4, false},  {"Mabc", 4, true},
        {"Mi\0x\0j", 6, true}, {"Mi\0x\0j\0y\0", 9, true},
    };

    for (unsigned ahead = 0; ahead < 2; ahead++) {
        libmilter_read_ahead(ahead != 0);
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_autoptr(GByteArray) all = conversation();
            append_packet(all, 'D', cases[i].payload, cases[i].length);
            append_packet(all, 'N', "", 0);
            for (unsigned step = 1; step < 8; step += 3) {
                struct pair pair = pair_new();
                g_autoptr(GByteArray) got = g_byte_array_new();
                struct sender sender = {pair.mta, all, step};
                send_in_steps(&sender);
                for (unsigned packet = 0; packet < PACKETS; packet++)
                    g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
                g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, cases[i].good ? 1 : -1);
                if (!cases[i].good) {
                    g_assert_cmpint(errno, ==, EPROTO);
                    guint8 byte;
                    g_assert_cmpint(read(pair.milter, &byte, 1), ==, -1);
                    g_assert_cmpint(errno, ==, EPROTO);
                } else {
                    g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
                    g_assert_cmpuint(got->len, ==, all->len);
                }
                pair_free(pair);
                g_assert_cmpuint(libmilter_kept(), ==, 0);
            }
        }
    }
}

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer still sees what is read, and where to: by itself, and what was kept. */
static void test_sanitizer(void)
{
    for (unsigned kept = 0; kept < 2; kept++) {
        if (g_test_subprocess()) {
            g_autoptr(GByteArray) all = conversation();
            struct pair pair = pair_new();
            guint8 head[5];
            char *gone = g_malloc(8);
            libmilter_read_ahead(true);
            send_all(pair.mta, all->data, all->len);
            ready(pair.milter, LIMIT);
            if (g_getenv("KEPT") != NULL)
                g_assert_cmpint(read(pair.milter, head, sizeof head), ==, sizeof head);
            g_free(gone);
            g_assert_cmpint(read(pair.milter, gone, 5), ==, 5);
            return;
        }
        if (kept)
            g_setenv("KEPT", "1", TRUE);
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
        g_test_trap_assert_failed();
        g_test_trap_assert_stderr("*heap-use-after-free*");
    }
    g_unsetenv("KEPT");
}
#endif

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    listen_here();
    g_test_add_func("/libmilter-calls/cut", test_cut);
    g_test_add_func("/libmilter-calls/pieces", test_pieces);
    g_test_add_func("/libmilter-calls/next-owner", test_next_owner);
    g_test_add_func("/libmilter-calls/half", test_half);
    g_test_add_func("/libmilter-calls/several", test_several);
    g_test_add_func("/libmilter-calls/never-polled", test_never_polled);
    g_test_add_func("/libmilter-calls/odd-macros", test_odd_macros);
#ifdef __SANITIZE_ADDRESS__
    g_test_add_func("/libmilter-calls/sanitizer", test_sanitizer);
#endif
    int result = g_test_run();
    close(listener);
    unlink(path);
    rmdir(folder);
    g_free(path);
    g_free(folder);
    return result;
}
