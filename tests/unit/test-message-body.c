/* test-message-body - a body in memory and in a file, its limit, and a file that fails */

#include "policy/message/message_body.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What the opener is to do, and what it did. */
struct opener {
    const char *path; /* NULL: it fails */
    int flags;
    unsigned calls;
};

static int open_file(void *data)
{
    struct opener *opener = data;

    opener->calls++;
    errno = EMFILE;
    return opener->path == NULL ? -1 : open(opener->path, opener->flags, 0600);
}

static void check_text(struct message_body *body, size_t length)
{
    size_t got;
    const char *text = message_body_text(body, &got);

    g_assert_nonnull(text);
    g_assert_cmpuint(got, ==, length);
    for (size_t i = 0; i < length; i++)
        if (text[i] != (char)('a' + i % 23)) {
            UNIT_FAIL("byte %zu is %c", i, text[i]);
            return;
        }
}

/* Appends the next `length` bytes of a known text. */
static bool append(struct message_body *body, size_t at, size_t length)
{
    g_autofree char *bytes = g_malloc(length + 1);

    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)('a' + (at + i) % 23);
    return message_body_append(body, bytes, length);
}

static void test_memory_and_file(void)
{
    char *folder = folder_new();
    g_autofree char *path = g_build_filename(folder, "body", NULL);
    struct opener opener = {.path = path, .flags = O_CREAT | O_RDWR};
    auto_free(message_body) body = message_body_new(1024 * 1024, open_file, &opener);
    size_t length = 0;

    check_text(body, 0);
    g_assert_cmpuint(message_body_need(body, 1).memory, ==, 16);
    g_assert_cmpuint(message_body_need(body, 5000).memory, ==, 8192);
    for (; length < MESSAGE_BODY_MEMORY; length += 4096)
        g_assert_true(append(body, length, 4096));
    g_assert_cmpuint(opener.calls, ==, 0);
    g_assert_cmpuint(message_body_memory(body), ==, length);
    g_assert_cmpuint(message_body_need(body, 5000).memory, ==, 0);
    g_assert_cmpuint(message_body_need(body, 5000).file, ==, length + 5000);
    check_text(body, length);
    for (unsigned i = 0; i < 20; i++, length += 5000)
        g_assert_true(append(body, length, 5000));
    g_assert_cmpuint(opener.calls, ==, 1);
    g_assert_cmpuint(message_body_memory(body), ==, 0);
    check_text(body, length);
    g_assert_true(append(body, length, 1));
    check_text(body, length + 1);
    g_assert_false(message_body_is_cut(body));
    g_assert_cmpint(message_body_error(body), ==, 0);
    g_assert_cmpuint(message_body_length(body), ==, length + 1);
    g_assert_cmpuint(message_body_need(body, 5000).file, ==, 5000);
    folder_free(folder);
}

static void test_limit(void)
{
    auto_free(message_body) body = message_body_new(100, NULL, NULL);

    g_assert_true(append(body, 0, 100));
    g_assert_false(message_body_is_cut(body));
    g_assert_false(append(body, 100, 1));
    g_assert_true(message_body_is_cut(body));
    g_assert_false(append(body, 101, 1));
    check_text(body, 100);
    g_assert_cmpint(message_body_error(body), ==, 0); /* it is no failure */
    g_assert_cmpuint(message_body_need(body, 1).memory, ==, 0);
}

/* What was kept before is still read, and it is said that more was there. */
static void test_failures(void)
{
    struct opener none = {0}, full = {.path = "/dev/full", .flags = O_RDWR};

    for (struct opener *opener = &none; opener != NULL; opener = opener == &none ? &full : NULL) {
        auto_free(message_body) body = message_body_new(1024 * 1024, open_file, opener);
        g_assert_true(append(body, 0, MESSAGE_BODY_MEMORY));
        g_assert_false(append(body, MESSAGE_BODY_MEMORY, 1));
        g_assert_true(message_body_is_cut(body));
        g_assert_cmpint(message_body_error(body), ==, opener == &none ? EMFILE : ENOSPC);
        check_text(body, MESSAGE_BODY_MEMORY);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message-body/memory-and-file", test_memory_and_file);
    g_test_add_func("/message-body/limit", test_limit);
    g_test_add_func("/message-body/failures", test_failures);
    return g_test_run();
}
