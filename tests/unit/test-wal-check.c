/* test-wal-check - a log that SQLite wrote is sound; with any byte changed it is not */

#include "milter/database/database.h"
#include "milter/database/wal_check.h"
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

/* The header of the log, and that of a frame. */
#define HEADER 32
#define FRAME  (24 + 4096)

struct log {
    char *bytes;
    gsize length;
    char *shared; /* the shared memory that belongs to it */
};

static int read_log(void *data, void *bytes, size_t length, gint64 offset)
{
    const struct log *log = data;
    if (offset + (gint64)length > (gint64)log->length)
        return -1;
    memcpy(bytes, log->bytes + offset, length);
    return 0;
}

/* The files of a database with this number of commits. */
static struct log log_new(unsigned commits, bool begun_anew)
{
    struct log log;
    struct database_error error;
    char *folder = folder_new();
    g_assert_cmpint(chmod(folder, 0700), ==, 0);
    g_autofree char *path = g_build_filename(folder, "x.db", NULL);
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    g_autofree char *shm = g_strconcat(path, "-shm", NULL);
    struct database *database = database_open(path, geteuid(), DATABASE_CREATE, 500, &error);
    g_assert_nonnull(database);
    g_assert_cmpint(database_run(database, "CREATE TABLE t (a)", &error), ==, 0);
    if (begun_anew) { /* frames of an earlier generation stay after those of this one */
        g_assert_cmpint(database_run(database, "INSERT INTO t VALUES (zeroblob(30000))", &error), ==, 0);
        g_assert_cmpint(database_run(database, "PRAGMA wal_checkpoint(RESTART)", &error), ==, 0);
    }
    for (unsigned i = 0; i < commits; i++)
        g_assert_cmpint(database_run(database, "INSERT INTO t VALUES (1)", &error), ==, 0);
    g_assert_true(g_file_get_contents(wal, &log.bytes, &log.length, NULL));
    g_assert_true(g_file_get_contents(shm, &log.shared, NULL, NULL));
    database_close(database);
    folder_free(folder);
    return log;
}

static void log_clear(struct log *log)
{
    g_free(log->bytes);
    g_free(log->shared);
}

static bool is_sound(struct log *log)
{
    return wal_is_sound(read_log, log, (const unsigned char *)log->shared);
}

static bool lost_commits(struct log *log)
{
    return wal_lost_commits(read_log, log, (gint64)log->length);
}

static void test_sound(void)
{
    for (unsigned commits = 0; commits < 4; commits++) {
        for (unsigned anew = 0; anew < 2; anew++) {
            struct log log = log_new(commits, anew == 1);
            g_assert_true(is_sound(&log));
            g_assert_false(lost_commits(&log));
            log_clear(&log);
        }
    }
}

/* Every bit counts; a log in use is compared with the shared memory, one at rest with what follows. */
static void test_each_byte(void)
{
    struct log log = log_new(4, false);
    gsize frames = (log.length - HEADER) / FRAME;
    g_assert_cmpuint(frames, >=, 5);
    for (gsize i = 0; i < log.length; i += i < HEADER + 2 * FRAME ? 1 : 97) {
        log.bytes[i] ^= 0x10;
        /* Four bytes of a frame's header, the size of the database in pages, are in its checksum; all are. */
        if (is_sound(&log))
            UNIT_FAIL("byte %zu is changed, and the log is sound", (size_t)i);
        bool last_commits = i >= HEADER + (frames - 2) * FRAME;
        if (!last_commits && !lost_commits(&log))
            UNIT_FAIL("byte %zu is changed, and no commit is lost", (size_t)i);
        log.bytes[i] ^= 0x10;
    }
    g_assert_true(is_sound(&log));
    log_clear(&log);
}

static bool index_is_sound(const struct log *log)
{
    return wal_index_is_sound((const unsigned char *)log->shared);
}

/* The shared memory: the page of each frame, and the table by which who looks for a page finds the frame. */
static void test_index(void)
{
    for (unsigned commits = 0; commits < 4; commits++) {
        struct log log = log_new(commits, commits % 2 == 1);
        g_assert_true(index_is_sound(&log));
        log_clear(&log);
    }
    struct log log = log_new(4, false);
    gsize frames = (log.length - HEADER) / FRAME, entries = 0;
    guint32 *pages = (gpointer)(log.shared + 136);
    for (gsize i = 0; i < frames; i++) {
        pages[i] ^= 0x10;
        if (index_is_sound(&log))
            UNIT_FAIL("the page of frame %zu is changed, and it is found", (size_t)i);
        pages[i] ^= 0x10;
    }
    for (gsize i = 16384; i < WAL_INDEX_REGION; i += 2) {
        char kept = log.shared[i];
        log.shared[i] = 0;
        entries += !index_is_sound(&log);
        log.shared[i] = kept;
    }
    g_assert_cmpuint(entries, ==, frames);
    memset(log.shared + 16384, 0xa5, WAL_INDEX_REGION - 16384);
    g_assert_false(index_is_sound(&log));
    log_clear(&log);
}

/* What a power failure leaves of the last commit: nobody was told that it was done. */
static void test_torn(void)
{
    struct log log = log_new(4, false);
    memset(log.bytes + log.length - FRAME / 2, 0, FRAME / 2);
    g_assert_false(lost_commits(&log));
    memset(log.bytes + log.length - FRAME, 0, FRAME);
    g_assert_false(lost_commits(&log));
    memset(log.bytes + log.length - FRAME, 0xa5, FRAME);
    g_assert_true(lost_commits(&log));
    log_clear(&log);
}

/* In use it is noticed; at rest it cannot be told from one that ended there. */
static void test_cut(void)
{
    struct log log = log_new(4, false);
    for (gsize length = log.length; length > 0; length -= MIN(length, 1021)) {
        log.length = length - 1;
        g_assert_false(is_sound(&log));
        g_assert_false(lost_commits(&log));
    }
    log_clear(&log);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wal/sound", test_sound);
    g_test_add_func("/wal/each-byte", test_each_byte);
    g_test_add_func("/wal/index", test_index);
    g_test_add_func("/wal/torn", test_torn);
    g_test_add_func("/wal/cut", test_cut);
    return g_test_run();
}
