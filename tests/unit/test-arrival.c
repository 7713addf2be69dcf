/* test-arrival - what is kept of a message is counted, the body in memory or in a file, and all of it comes back */

#include "milter/arrival/arrival.h"
#include "milter/arrival/body_file.h"
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT    (64u * 1024 * 1024)
#define MEGABYTE 1000000u

static char *directory;
static const char part[60000];

static struct arrival_room room_new(guint64 memory, guint64 files)
{
    return (struct arrival_room){memory_budget_new(memory), memory_budget_new(files), directory};
}

static void room_free(struct arrival_room *room)
{
    g_assert_cmpuint(memory_taken(room->memory), ==, 0);
    g_assert_cmpuint(memory_taken(room->files), ==, 0);
    memory_budget_free(room->memory);
    memory_budget_free(room->files);
}

static struct arrival arrival_of(const char *client)
{
    struct arrival arrival = {.message = message_new()};
    message_set_client(arrival.message, client);
    return arrival;
}

/* Parts of a body, until no more are wanted or there are that many; how many there were. */
static unsigned give(const struct arrival_room *room, struct arrival *arrival, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!arrival_body(room, arrival, part, sizeof part))
            return i;
    return count;
}

static void test_body_file(void)
{
    struct stat status;
    int file = body_file_open(directory);

    g_assert_cmpint(file, !=, -1);
    g_assert_cmpint(fstat(file, &status), ==, 0);
    g_assert_cmpuint(status.st_nlink, ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
    g_assert_cmpint(write(file, part, sizeof part), ==, sizeof part);
    close(file);
    g_assert_cmpint(body_file_open((void *)"/nowhere/at/all"), ==, -1);
    g_assert_cmpint(errno, ==, ENOENT);
}

static void test_header(void)
{
    struct arrival_room room = room_new(LIMIT, LIMIT);
    struct arrival arrival = arrival_of("192.0.2.1");

    arrival_recipient(&room, &arrival, "ann@x.example");
    arrival_header(&room, &arrival, "To", "ann@x.example");
    arrival_header(&room, &arrival, "Cc", "ann@x.example, bob@x.example");
    g_assert_cmpuint(arrival.message->recipients->len, ==, 1);
    g_assert_cmpuint(arrival.message->headers->len, ==, 2);
    g_assert_cmpuint(arrival_longest(&arrival), ==, strlen("Ccann@x.example, bob@x.example"));
    g_assert_cmpuint(memory_taken(room.memory), ==, 0); /* little is free */
    g_assert_false(arrival_body(&room, &arrival, "x", 1));
    arrival_end(&room, &arrival);
    g_assert_null(arrival.message);
    room_free(&room);
}

static void test_body(void)
{
    struct arrival_room room = room_new(LIMIT, LIMIT);
    struct arrival arrival = arrival_of("192.0.2.1");

    arrival_expect_body(&room, &arrival, MEGABYTE);
    g_assert_cmpuint(message_body_length(arrival.message->body), ==, 0);
    g_assert_cmpuint(give(&room, &arrival, 4), ==, 4);
    g_assert_cmpuint(memory_taken(room.memory), >=, 250000);
    g_assert_cmpuint(memory_taken(room.files), ==, 0);
    g_assert_cmpuint(give(&room, &arrival, 1), ==, 1); /* it moves into a file */
    g_assert_cmpuint(memory_taken(room.memory), ==, 0);
    g_assert_cmpuint(memory_taken(room.files), >=, 290000);
    g_assert_cmpuint(give(&room, &arrival, 100), ==, 11); /* up to the limit */
    g_assert_cmpuint(memory_taken(room.files), <, 2 * MEGABYTE);
    arrival_complete(&room, &arrival);
    g_assert_cmpuint(message_body_length(arrival.message->body), ==, MEGABYTE);
    g_assert_true(message_body_is_cut(arrival.message->body));
    g_assert_cmpuint(arrival_longest(&arrival), ==, MEGABYTE / 4);
    arrival_end(&room, &arrival);
    room_free(&room);
}

/* What there is no room for empties the message, and says what it lacked. */
static void test_no_room(void)
{
    struct arrival_room room = room_new(MEMORY_LEAST, MEMORY_LEAST);
    struct arrival one = arrival_of("192.0.2.1"), other = arrival_of("192.0.2.2");
    g_autofree char *refusal = NULL;

    arrival_expect_body(&room, &one, 10 * MEGABYTE);
    arrival_header(&room, &one, "To", "ann@x.example");
    unsigned got = give(&room, &one, 100);
    g_assert_cmpuint(got, >=, 10);
    g_assert_cmpuint(got, <=, 17);
    g_assert_cmpint(one.no_memory, ==, MEMORY_ONE_OWNER);
    refusal = arrival_refusal(&room, &one);
    g_assert_cmpstr(refusal, ==,
                    "memory: the bodies in files of this login or client would need more than their quarter (1M)");
    g_assert_null(one.message->body);
    g_assert_cmpuint(one.message->headers->len, ==, 0);
    g_assert_cmpuint(memory_taken(room.files), ==, 0);
    arrival_header(&room, &one, "To", "ann@x.example");
    g_assert_false(arrival_take(&room, &one, 1));
    g_assert_cmpuint(one.message->headers->len, ==, 0);

    arrival_refuse(&room, &other, MEMORY_FULL);
    g_free(refusal);
    refusal = arrival_refusal(&room, &other);
    g_assert_cmpstr(refusal, ==, "memory: all messages together would need more than 4M; see [milter] memory");
    arrival_end(&room, &one);
    arrival_end(&room, &other);
    room_free(&room);
}

/* The disk does not take it: the message is without a body, and not with an empty one. */
static void test_no_disk(void)
{
    struct arrival_room room = room_new(LIMIT, LIMIT);
    struct arrival arrival = arrival_of("192.0.2.1");

    room.directory = (char *)"/nowhere/at/all";
    arrival_header(&room, &arrival, "To", "ann@x.example");
    arrival_expect_body(&room, &arrival, MEGABYTE);
    g_assert_cmpuint(give(&room, &arrival, 100), ==, 4);
    g_assert_nonnull(arrival.message->body);
    arrival_complete(&room, &arrival);
    g_assert_null(arrival.message->body);
    g_assert_cmpuint(arrival.message->headers->len, ==, 1);
    g_assert_cmpint(arrival.no_memory, ==, MEMORY_GIVEN);
    g_assert_cmpuint(memory_taken(room.files), ==, 0);
    arrival_end(&room, &arrival);
    room_free(&room);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    directory = folder_new();
    g_test_add_func("/arrival/body-file", test_body_file);
    g_test_add_func("/arrival/header", test_header);
    g_test_add_func("/arrival/body", test_body);
    g_test_add_func("/arrival/no-room", test_no_room);
    g_test_add_func("/arrival/no-disk", test_no_disk);
    int result = g_test_run();
    folder_free(directory);
    return result;
}
