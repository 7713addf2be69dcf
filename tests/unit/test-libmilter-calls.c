/*
 * test-libmilter-calls - packets as libmilter reads them, cut anywhere: all of them come, in order, to whom they were
 * sent, and none that libmilter could not stand.
 *
 * The program calls accept, read, writev, poll and close as libmilter does, and is linked with the same definitions of
 * them.
 */

#include <config.h>

#include "milter/daemon/libmilter_calls.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
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
            pair_free(pair);
            g_assert_cmpuint(libmilter_kept(), ==, 0);
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

/* The pool's poll is of several: it sees a packet that is complete, wherever its bytes are, and no part of one. */
static void test_several(void)
{
    g_autoptr(GByteArray) all = conversation();
    struct pair pair = pair_new();
    g_autoptr(GByteArray) got = g_byte_array_new();

    libmilter_read_ahead(true);
    pair_free(pair);
    pair = pair_new();
    struct pollfd both[2] = {{.fd = listener, .events = POLLIN}, {.fd = pair.milter, .events = POLLIN}};
    send_all(pair.mta, all->data, 13);
    g_assert_cmpint(poll(both, 2, SILENCE), ==, READ_AHEAD ? 0 : 1);
    g_assert_cmpint(ready(pair.milter, SILENCE), ==, READ_AHEAD ? 0 : 1);
    send_all(pair.mta, all->data + 13, all->len - 13);
    g_assert_cmpint(poll(both, 2, LIMIT), ==, 1);
    g_assert_cmpint(both[1].revents, ==, POLLIN);
    g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
    g_assert_cmpuint(libmilter_kept(), ==, READ_AHEAD);
    g_assert_cmpint(poll(both, 2, 0), ==, 1);
    g_assert_cmpint(ready(pair.milter, 0), ==, 1);
    /* Somebody else is not kept waiting by what there is. */
    struct pair other = pair_new();
    both[0].fd = other.milter;
    send_all(other.mta, all->data, 3);
    g_assert_cmpint(poll(both, 2, 0), ==, READ_AHEAD ? 1 : 2);
    g_assert_cmpint(both[0].revents, ==, READ_AHEAD ? 0 : POLLIN);
    pair_free(other);
    pair_free(pair);
}

/* One that ends within a packet is libmilter's to close; one that is too long to be kept is to be read as it comes. */
static void test_never_complete(void)
{
    static const char text[100 * 1024];
    g_autoptr(GByteArray) all = g_byte_array_new();

    libmilter_read_ahead(true);
    append_packet(all, 'L', text, sizeof text);
    for (unsigned i = 0; i < 2; i++) {
        struct pair pair = pair_new(), idle = pair_new();
        struct pollfd both[2] = {{.fd = idle.milter, .events = POLLIN}, {.fd = pair.milter, .events = POLLIN}};
        send_all(pair.mta, all->data, i == 0 ? 4 : 5);
        g_assert_cmpint(poll(both, 2, SILENCE), ==, i == 0 && READ_AHEAD ? 0 : 1);
        if (i == 0)
            close(pair.mta);
        g_assert_cmpint(poll(both, 2, LIMIT), ==, 1);
        g_assert_cmpint(both[1].revents & POLLIN, !=, 0);
        if (i == 0)
            close(pair.milter);
        else
            pair_free(pair);
        pair_free(idle);
    }
    g_assert_cmpuint(libmilter_kept(), ==, 0);
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
        {"M", 1, true},      {"Mi\0", 3, false}, {"Mi\0x\0", 5, true},  {"Mi\0x\0j\0", 7, false},
        {"M\0", 2, false},   {"M\0\0", 3, true}, {"\0i\0", 3, false},   {"\0i\0x\0", 5, true},
        {"Mi\0x", 4, false}, {"Mabc", 4, true},  {"Mi\0x\0j", 6, true}, {"Mi\0x\0j\0y\0", 9, true},
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

/* A header field that there is no room for comes as another one, whatever the cuts; other packets end the connection.
 */
static void test_long_packets(void)
{
    static const char text[3 * 1024 * 1024];
    auto_free(memory_budget) budget = memory_budget_new(MEMORY_LEAST);
    g_autoptr(GByteArray) expected = g_byte_array_new();

    libmilter_memory(budget);
    append_packet(expected, 'L', LIBMILTER_NO_MEMORY "\0", sizeof LIBMILTER_NO_MEMORY + 1);
    append_packet(expected, 'N', "", 0);
    for (unsigned step = 1000; step < 10000000; step *= 7) {
        g_autoptr(GByteArray) all = g_byte_array_new(), got = g_byte_array_new();
        struct pair pair = pair_new();
        libmilter_read_ahead(step % 2 == 0);
        append_packet(all, 'L', text, sizeof text);
        append_packet(all, 'N', "", 0);
        struct sender sender = {pair.mta, all, step};
        GThread *thread = g_thread_new("sender", send_in_steps, &sender);
        g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
        g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, 1);
        g_thread_join(thread);
        g_assert_cmpmem(got->data, got->len, expected->data, expected->len);
        g_assert_cmpint(ready(pair.milter, 0), ==, 0);
        pair_free(pair);
    }
    g_autoptr(GByteArray) recipient = g_byte_array_new(), got = g_byte_array_new();
    struct pair pair = pair_new();
    append_packet(recipient, 'R', text, sizeof text);
    send_all(pair.mta, recipient->data, 5);
    g_assert_cmpint(read_packet(pair.milter, got, LIMIT), ==, -1);
    pair_free(pair);
    libmilter_memory(NULL);
}

/* One that there is room for has it until the next packet is asked for, or the connection ends. */
static void test_room_of_packets(void)
{
    static const char text[200 * 1024];
    auto_free(memory_budget) budget = memory_budget_new(MEMORY_LEAST);
    g_autoptr(GByteArray) all = g_byte_array_new();
    guint8 head[5];

    libmilter_memory(budget);
    libmilter_read_ahead(true);
    append_packet(all, 'L', text, sizeof text);
    for (unsigned i = 0; i < 2; i++) {
        struct pair pair = pair_new();
        send_all(pair.mta, all->data, 100);
        g_assert_cmpint(read_exactly(pair.milter, head, sizeof head, LIMIT), ==, 1);
        g_assert_cmpuint(memory_taken(budget), >=, sizeof text - MEMORY_FREE);
        if (i == 0) {
            struct sender sender = {pair.mta, all, 0};
            guint8 *payload = g_malloc(sizeof text);
            GByteArray rest = {.data = all->data + 100, .len = all->len - 100};
            sender.all = &rest;
            sender.step = rest.len;
            GThread *thread = g_thread_new("sender", send_in_steps, &sender);
            g_assert_cmpint(read_exactly(pair.milter, payload, sizeof text, LIMIT), ==, 1);
            g_thread_join(thread);
            g_assert_cmpuint(memory_taken(budget), >, 0);
            g_assert_cmpint(ready(pair.milter, 0), ==, 0);
            g_assert_cmpuint(memory_taken(budget), ==, 0);
            g_free(payload);
        }
        pair_free(pair);
        g_assert_cmpuint(memory_taken(budget), ==, 0);
    }
    libmilter_memory(NULL);
}

/* As libmilter writes: 1; 0 where there is no room in that time; -1 as writev does. */
static int write_all(int fd, guint8 *bytes, size_t length, int timeout)
{
    while (length > 0) {
        struct pollfd one = {.fd = fd, .events = POLLOUT};
        struct iovec parts[2] = {{bytes, length / 2}, {bytes + length / 2, length - length / 2}};
        if (poll(&one, 1, timeout) == 0)
            return 0;
        ssize_t part = writev(fd, parts, 2);
        if (part <= 0)
            return (int)part;
        bytes += part;
        length -= (size_t)part;
    }
    return 1;
}

static gpointer write_much(gpointer data)
{
    static guint8 much[1024 * 1024];

    for (size_t i = 0; i < sizeof much; i++)
        much[i] = (guint8)(i % 251);
    return GINT_TO_POINTER(write_all(*(int *)data, much, sizeof much, LIMIT));
}

/* What does not fit waits until there is room; all of it comes, in order. */
static void test_write(void)
{
    for (unsigned ahead = 0; ahead < 2; ahead++) {
        libmilter_read_ahead(ahead != 0);
        struct pair pair = pair_new();
        GThread *thread = g_thread_new("write", write_much, &pair.milter);
        guint8 got[4096];
        for (size_t i = 0; i < 1024 * 1024;) {
            ssize_t part = recv(pair.mta, got, sizeof got, 0);
            g_assert_cmpint(part, >, 0);
            for (ssize_t j = 0; j < part; j++, i++)
                g_assert_cmpint(got[j], ==, (guint8)(i % 251));
        }
        g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(thread)), ==, 1);
        pair_free(pair);
    }
}

/* Of an MTA that reads no answers, nobody waits longer than libmilter would have, and that for one answer. */
static void test_no_room(void)
{
    static guint8 much[64 * 1024];

    for (unsigned ahead = 0; ahead < 2; ahead++) {
        libmilter_read_ahead(ahead != 0);
        struct pair pair = pair_new();
        unsigned times = 0;
        int result;
        while ((result = write_all(pair.milter, much, sizeof much, SILENCE)) == 1)
            g_assert_cmpuint(++times, <, 1000);
        g_assert_cmpint(result, ==, READ_AHEAD ? -1 : 0);
        if (READ_AHEAD)
            g_assert_cmpint(errno, ==, ETIMEDOUT);
        close(pair.mta);
        struct iovec part = {much, 1};
        g_assert_cmpint(writev(pair.milter, &part, 1), ==, -1);
        g_assert_cmpint(errno, ==, EPIPE);
        close(pair.milter);
    }
}

/* What a poll found is known until it is read, and no longer. */
static void test_polled_twice(void)
{
    guint8 packet[5];

    for (unsigned ahead = 0; ahead < 2; ahead++) {
        libmilter_read_ahead(ahead != 0);
        struct pair pair = pair_new();
        g_assert_cmpint(ready(pair.milter, 0), ==, 0);
        send_all(pair.mta, (const guint8 *)"\0\0\0\1N\0\0\0\1E", 10);
        for (unsigned i = 0; i < 2; i++) {
            g_assert_cmpint(ready(pair.milter, LIMIT), ==, 1);
            g_assert_cmpint(ready(pair.milter, LIMIT), ==, 1);
            g_assert_cmpint(read(pair.milter, packet, sizeof packet), ==, sizeof packet);
            g_assert_cmpint(packet[4], ==, i == 0 ? 'N' : 'E');
        }
        g_assert_cmpint(ready(pair.milter, 0), ==, 0);
        close(pair.mta);
        g_assert_cmpint(ready(pair.milter, LIMIT), ==, 1);
        g_assert_cmpint(read(pair.milter, packet, sizeof packet), ==, 0);
        close(pair.milter);
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
    signal(SIGPIPE, SIG_IGN); /* as libmilter does */
    listen_here();
    g_test_add_func("/libmilter-calls/cut", test_cut);
    g_test_add_func("/libmilter-calls/pieces", test_pieces);
    g_test_add_func("/libmilter-calls/next-owner", test_next_owner);
    g_test_add_func("/libmilter-calls/half", test_half);
    g_test_add_func("/libmilter-calls/several", test_several);
    g_test_add_func("/libmilter-calls/never-complete", test_never_complete);
    g_test_add_func("/libmilter-calls/never-polled", test_never_polled);
    g_test_add_func("/libmilter-calls/odd-macros", test_odd_macros);
    g_test_add_func("/libmilter-calls/long-packets", test_long_packets);
    g_test_add_func("/libmilter-calls/room-of-packets", test_room_of_packets);
    g_test_add_func("/libmilter-calls/write", test_write);
    g_test_add_func("/libmilter-calls/no-room", test_no_room);
    g_test_add_func("/libmilter-calls/polled-twice", test_polled_twice);
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
