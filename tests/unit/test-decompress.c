/* test-decompress - bytes of files, packed or not, whole or cut */

#include "pack.h"
#include "policy/mailbox/decompress.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* What was read, and why that is all. */
struct got {
    GByteArray *bytes;
    char *problem;
    bool packed;
    guint64 position;
};

static void got_clear(struct got *got)
{
    g_byte_array_unref(got->bytes);
    g_free(got->problem);
}

static struct got read_fd(int fd, guint64 limit, size_t piece)
{
    struct got got = {.bytes = g_byte_array_new()};
    auto_free(unpack) unpack = unpack_new(fd, limit, NULL);
    g_autofree char *buffer = g_malloc(piece);
    gssize count;

    while ((count = unpack_read(unpack, buffer, piece)) > 0)
        g_byte_array_append(got.bytes, (guint8 *)buffer, (guint)count);
    g_assert_true((count < 0) == (unpack_problem(unpack) != NULL));
    /* It stays so. */
    g_assert_cmpint(unpack_read(unpack, buffer, piece), ==, count);
    got.problem = g_strdup(unpack_problem(unpack));
    got.packed = unpack_is_packed(unpack);
    got.position = unpack_position(unpack);
    return got;
}

static struct got read_bytes(const void *bytes, size_t size, size_t piece)
{
    char *folder = folder_new();
    g_autofree char *path = folder_write(folder, "f", bytes, (gssize)size);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct got got = read_fd(fd, G_MAXUINT64, piece);

    close(fd);
    folder_free(folder);
    return got;
}

static bool is_text(const struct got *got, const void *text, size_t size)
{
    return got->bytes->len == size && (size == 0 || memcmp(got->bytes->data, text, size) == 0);
}

/* Two megabytes that do not pack well, behind some that do. */
static GByteArray *large_text(void)
{
    GByteArray *text = g_byte_array_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    for (unsigned i = 0; i < 400000; i++) {
        guint32 word = i < 100000 ? i / 1000 : g_rand_int(random);
        g_byte_array_append(text, (const guint8 *)&word, sizeof word);
    }
    return text;
}

static void test_plain(void)
{
    static const char *const texts[] = {"", "x", "To: a\n", "\x1f\x8b", "\xfd\x37zXY", "(\xb5/", "Q*M", "BZ"};

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct got got = read_bytes(texts[i], strlen(texts[i]), 16);
        if (!is_text(&got, texts[i], strlen(texts[i])) || got.problem != NULL || got.packed)
            UNIT_FAIL("text %u: %s", i, got.problem);
        g_assert_cmpuint(got.position, ==, strlen(texts[i]));
        got_clear(&got);
    }
}

static void test_large(void)
{
    static const size_t pieces[] = {16, 4096, 1000003};
    g_autoptr(GByteArray) text = large_text();

    for (unsigned i = 0; i < G_N_ELEMENTS(pack_formats); i++) {
        g_autoptr(GByteArray) packed = pack_formats[i].pack(text->data, text->len);
        for (unsigned p = 0; p < G_N_ELEMENTS(pieces); p++) {
            struct got got = read_bytes(packed->data, packed->len, pieces[p]);
            if (!is_text(&got, text->data, text->len) || got.problem != NULL || !got.packed)
                UNIT_FAIL("%s by %zu: %u bytes, %s", pack_formats[i].name, pieces[p], got.bytes->len, got.problem);
            g_assert_cmpuint(got.position, ==, packed->len);
            got_clear(&got);
        }
    }
}

/* What is cut anywhere gives what stands before the cut, and says that it is cut. */
static void test_cut(void)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < 150; i++)
        g_string_append_printf(text, "To: person%u@domain%u.example\n", i, i * i);
    for (unsigned i = 0; i < G_N_ELEMENTS(pack_formats); i++) {
        g_autoptr(GByteArray) packed = pack_formats[i].pack(text->str, text->len);
        unsigned most = 0;
        for (unsigned length = 6; length < packed->len; length++) {
            struct got got = read_bytes(packed->data, length, 16 + length % 500);
            bool begins = got.bytes->len == 0 ||
                          (got.bytes->len <= text->len && memcmp(got.bytes->data, text->str, got.bytes->len) == 0);
            if (!begins || got.problem == NULL || strstr(got.problem, "is cut") == NULL)
                UNIT_FAIL("%s cut at %u of %u: %u bytes, %s", pack_formats[i].name, length, packed->len, got.bytes->len,
                          got.problem);
            most = MAX(most, got.bytes->len);
            got_clear(&got);
        }
        if (most < text->len)
            UNIT_FAIL("%s: at most %u of %zu bytes before a cut", pack_formats[i].name, most, text->len);
    }
    g_string_free(text, TRUE);
}

/* A wrong bit is found, at the latest by the sum at the end. */
static void test_damage(void)
{
    g_autofree char *text = g_strnfill(3000, 'a');

    for (unsigned i = 0; i < 3000; i += 7)
        text[i] = (char)('a' + i % 26);
    for (unsigned i = 0; i < G_N_ELEMENTS(pack_formats); i++) {
        g_autoptr(GByteArray) packed = pack_formats[i].pack(text, 3000);
        for (unsigned at = 12; at < packed->len; at++) {
            struct got got;
            packed->data[at] ^= 0x10;
            got = read_bytes(packed->data, packed->len, 1000);
            packed->data[at] ^= 0x10;
            if (got.problem == NULL && !is_text(&got, text, 3000))
                UNIT_FAIL("%s: byte %u changed, and nobody sees it", pack_formats[i].name, at);
            got_clear(&got);
        }
    }
}

/* As `cat a.gz b.gz` makes it, and with zeros behind, as tapes do. */
static void test_several(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(pack_formats); i++) {
        g_autoptr(GByteArray) packed = pack_formats[i].pack("one, ", 5);
        g_autoptr(GByteArray) two = pack_formats[i].pack("two", 3);
        struct got got;

        g_byte_array_append(packed, two->data, two->len);
        got = read_bytes(packed->data, packed->len, 100);
        if (!is_text(&got, "one, two", 8) || got.problem != NULL)
            UNIT_FAIL("%s: `%.*s` %s", pack_formats[i].name, (int)got.bytes->len, got.bytes->data, got.problem);
        got_clear(&got);
        g_byte_array_append(packed, (const guint8 *)"rubbish that is long enough", 27);
        got = read_bytes(packed->data, packed->len, 100);
        if (!is_text(&got, "one, two", 8) || got.problem == NULL || strstr(got.problem, "is damaged") == NULL)
            UNIT_FAIL("%s with rubbish: `%.*s` %s", pack_formats[i].name, (int)got.bytes->len, got.bytes->data,
                      got.problem);
        got_clear(&got);
    }
    {
        g_autoptr(GByteArray) packed = pack_gzip("one", 3);
        struct got got;
        g_byte_array_append(packed, (const guint8 *)"\0\0\0\0\0\0\0\0", 8);
        got = read_bytes(packed->data, packed->len, 100);
        if (!is_text(&got, "one", 3) || got.problem != NULL)
            UNIT_FAIL("zeros behind gzip: %s", got.problem);
        got_clear(&got);
    }
    {
        /* RFC 8878 section 3.1.2: a frame to be skipped, with four bytes. */
        g_autoptr(GByteArray) packed = g_byte_array_new();
        g_autoptr(GByteArray) one = pack_zstd("one", 3);
        struct got got;
        g_byte_array_append(packed, (const guint8 *)"\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
        g_byte_array_append(packed, one->data, one->len);
        got = read_bytes(packed->data, packed->len, 100);
        if (!is_text(&got, "one", 3) || got.problem != NULL)
            UNIT_FAIL("a frame to be skipped: %s", got.problem);
        got_clear(&got);
    }
}

/* What needs more memory than is allowed is not unpacked. */
static void test_memory(void)
{
    g_autoptr(GByteArray) allowed = pack_zstd_window("text", 4, 27);
    g_autoptr(GByteArray) larger = pack_zstd_window("text", 4, 28);
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    guint8 packed[1000];
    size_t length = 0;
    struct got got = read_bytes(allowed->data, allowed->len, 100);

    g_assert_cmpstr(got.problem, ==, NULL);
    got_clear(&got);
    got = read_bytes(larger->data, larger->len, 100);
    g_assert_cmpstr(got.problem, ==, "cannot be unpacked: zstd would need more than 128 MB of memory");
    got_clear(&got);
    g_assert_false(lzma_lzma_preset(&options, 0));
    options.dict_size = 256u * 1024 * 1024;
    g_assert_cmpint(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, (const uint8_t *)"text", 4, packed,
                                              &length, sizeof packed),
                    ==, LZMA_OK);
    got = read_bytes(packed, length, 100);
    g_assert_cmpstr(got.problem, ==, "cannot be unpacked: xz would need more than 128 MB of memory");
    got_clear(&got);
}

static void test_others(void)
{
    static const char *const texts[][2] = {
        {"BZh91AY&SY", "bzip2"}, {"PK\x03\x04", "zip"}, {"7z\xbc\xaf\x27\x1c", "7z"}, {"\x04\x22\x4d\x18", "lz4"}};

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct got got = read_bytes(texts[i][0], strlen(texts[i][0]), 100);
        g_autofree char *want = g_strdup_printf(
            "is packed by %s, which is not read; expected gzip, xz, zstd, or mail as it is", texts[i][1]);
        g_assert_cmpstr(got.problem, ==, want);
        g_assert_cmpuint(got.bytes->len, ==, 0);
        got_clear(&got);
    }
}

static void test_limit(void)
{
    char *folder = folder_new();
    g_autofree char *path = folder_write(folder, "f", "0123456789012345678901234567890123456789", -1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct got got = read_fd(fd, 33, 16);

    g_assert_true(is_text(&got, "012345678901234567890123456789012", 33));
    g_assert_cmpstr(got.problem, ==, NULL);
    got_clear(&got);
    close(fd);
    folder_free(folder);
}

/* A folder gives EISDIR at the first read. */
static void test_error(void)
{
    int fd = open("/", O_RDONLY | O_CLOEXEC);
    struct got got = read_fd(fd, G_MAXUINT64, 100);

    g_assert_true(g_str_has_prefix(got.problem, "cannot be read to its end: "));
    got_clear(&got);
    close(fd);
}

static void *stop_soon(void *data)
{
    atomic_store((atomic_bool *)data, true);
    return NULL;
}

/* A pipe to which nobody writes ends when it is said, and not before. */
static void test_stop(void)
{
    atomic_bool stop = false;
    int ends[2];
    pthread_t thread;
    char buffer[100];

    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(write(ends[1], "0123456789", 10), ==, 10);
    {
        auto_free(unpack) unpack = unpack_new(ends[0], G_MAXUINT64, &stop);
        g_assert_cmpint(pthread_create(&thread, NULL, stop_soon, &stop), ==, 0);
        g_assert_cmpint(unpack_read(unpack, buffer, sizeof buffer), <=, 10);
        g_assert_cmpint(unpack_read(unpack, buffer, sizeof buffer), ==, 0);
        g_assert_null(unpack_problem(unpack));
        pthread_join(thread, NULL);
    }
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/unpack/plain", test_plain);
    g_test_add_func("/unpack/large", test_large);
    g_test_add_func("/unpack/cut", test_cut);
    g_test_add_func("/unpack/damage", test_damage);
    g_test_add_func("/unpack/several", test_several);
    g_test_add_func("/unpack/memory", test_memory);
    g_test_add_func("/unpack/others", test_others);
    g_test_add_func("/unpack/limit", test_limit);
    g_test_add_func("/unpack/error", test_error);
    g_test_add_func("/unpack/stop", test_stop);
    return g_test_run();
}
