/* test-database - which files are refused, what can go wrong and how it is told, who waits for how long */

#include "database_unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* A folder that nobody else may write, and the path of a database in it. */
struct place {
    char *folder;
    char *path;
};

static struct place place_new(void)
{
    struct place place;
    place.folder = folder_new();
    g_assert_cmpint(chmod(place.folder, 0700), ==, 0);
    place.path = g_build_filename(place.folder, "x.db", NULL);
    return place;
}

static void place_clear(struct place *place)
{
    folder_free(place->folder);
    g_free(place->path);
}

static struct database *open_sound(const char *path)
{
    struct database *database = database_open(path, geteuid(), DATABASE_CREATE, 500, &error);
    if (database == NULL)
        g_error("%s", error.text);
    return database;
}

static void refused(const char *path, uid_t owner, enum database_mode mode, enum database_failure want)
{
    auto_free(database) database = database_open(path, owner, mode, 500, &error);
    g_assert_null(database);
    g_test_message("%s", error.text);
    g_assert_cmpstr(database_failure_name(error.failure), ==, database_failure_name(want));
    g_assert_nonnull(strchr(error.text, '/'));
}

/* ---- statements */

static void test_statements(void)
{
    auto_free(database) database = database_open(":memory:", geteuid(), DATABASE_CREATE, 500, &error);
    g_assert_nonnull(database);
    DONE(database_run(database, "CREATE TABLE t (a TEXT, b INTEGER); CREATE INDEX i ON t (a);", &error));
    static const char insert[] = "INSERT INTO t VALUES (?1, ?2)";
    const struct parameter parameters[] = {sql_text("one"), sql_number(G_MAXINT64)};
    DONE(database_change(database, insert, parameters, 2, &error));
    g_assert_cmpint(database_last_row(database), ==, 1);
    /* The same text is the same statement, and what was bound is gone. */
    g_assert_true(database_query(database, insert, parameters, 2) == database_query(database, insert, NULL, 0));
    DONE(database_change(database, insert, NULL, 0, &error));
    struct statement *select = database_query(database, "SELECT a, b FROM t ORDER BY rowid", NULL, 0);
    g_assert_cmpint(statement_step(select, &error), ==, 1);
    g_assert_cmpstr(statement_text(select, 0), ==, "one");
    g_assert_cmpint(statement_number(select, 1), ==, G_MAXINT64);
    g_assert_cmpint(statement_step(select, &error), ==, 1);
    g_assert_null(statement_text(select, 0));
    g_assert_cmpint(statement_step(select, &error), ==, 0);
    statement_reset(select);
    DONE(database_run(database, "UPDATE t SET b = 1", &error));
    g_assert_cmpint(database_changes(database), ==, 2);
    gint64 number = 17;
    DONE(database_number(database, "SELECT count(*) FROM t", &number, &error));
    g_assert_cmpint(number, ==, 2);
    DONE(database_number(database, "SELECT b FROM t WHERE b > 5", &number, &error));
    g_assert_cmpint(number, ==, 2);
}

static void test_mistakes(void)
{
    auto_free(database) database = database_open(":memory:", geteuid(), DATABASE_CREATE, 500, &error);
    struct statement *nothing = database_query(database, "SELECT a FROM t", NULL, 0);
    g_assert_cmpint(statement_step(nothing, &error), ==, -1);
    g_assert_cmpint(error.failure, ==, DATABASE_OTHER);
    g_assert_cmpstr(error.text, ==, ":memory:: no such table: t");
    statement_reset(nothing);
    /* It is prepared again, and may succeed then. */
    DONE(database_run(database, "CREATE TABLE t (a)", &error));
    DONE(database_change(database, "SELECT a FROM t", NULL, 0, &error));
    g_assert_cmpint(database_run(database, "CREATE", &error), ==, -1);
    const struct parameter parameters[] = {sql_number(1), sql_number(1)}; /* there is no second one */
    struct statement *statement = database_query(database, "SELECT ?1", parameters, 2);
    g_assert_cmpint(statement_step(statement, &error), ==, -1);
    statement_reset(statement);
    g_assert_cmpint(statement_step(statement, &error), ==, 1);
}

static void test_transactions(void)
{
    struct place place = place_new();
    struct database *database = open_sound(place.path);
    gint64 number = -1;
    DONE(database_run(database, "CREATE TABLE t (a)", &error));
    DONE(database_begin(database, &error));
    DONE(database_run(database, "INSERT INTO t VALUES (1)", &error));
    database_rollback(database);
    database_rollback(database);
    DONE(database_begin(database, &error));
    DONE(database_run(database, "INSERT INTO t VALUES (2)", &error));
    DONE(database_commit(database, &error));
    database_close(database);
    database = open_sound(place.path);
    DONE(database_number(database, "SELECT sum(a) FROM t", &number, &error));
    g_assert_cmpint(number, ==, 2);
    database_close(database);
    place_clear(&place);
}

/* What has to be there for the promise that what was committed is on the disk. */
static void test_settings(void)
{
    struct place place = place_new();
    auto_free(database) database = open_sound(place.path);
    static const struct {
        const char *name;
        gint64 want;
    } settings[] = {
        {"synchronous", 2}, {"foreign_keys", 1}, {"secure_delete", 1}, {"temp_store", 2}, {"trusted_schema", 0}};
    for (unsigned i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *sql = g_strdup_printf("PRAGMA %s", settings[i].name);
        gint64 number = -1;
        DONE(database_number(database, sql, &number, &error));
        g_test_message("%s", sql);
        g_assert_cmpint(number, ==, settings[i].want);
    }
    struct statement *mode = database_query(database, "PRAGMA journal_mode", NULL, 0);
    g_assert_cmpint(statement_step(mode, &error), ==, 1);
    g_assert_cmpstr(statement_text(mode, 0), ==, "wal");
    /* A trigger that somebody wrote into the file does not run. */
    DONE(database_run(database,
                      "CREATE TABLE t (a); CREATE TABLE u (a);"
                      "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (1); END;"
                      "INSERT INTO t VALUES (1)",
                      &error));
    gint64 number = -1;
    DONE(database_number(database, "SELECT count(*) FROM u", &number, &error));
    g_assert_cmpint(number, ==, 0);
    statement_reset(mode);
    g_clear_pointer(&database, database_close);
    place_clear(&place);
}

/* ---- places */

static void test_missing(void)
{
    struct place place = place_new();
    g_autofree char *nowhere = g_build_filename(place.folder, "no", "x.db", NULL);
    refused(place.path, geteuid(), DATABASE_EXISTING, DATABASE_MISSING);
    g_assert_false(g_file_test(place.path, G_FILE_TEST_EXISTS));
    refused(nowhere, geteuid(), DATABASE_CREATE, DATABASE_MISSING);
    g_assert_nonnull(strstr(error.text, "install -d -m 750 -o "));
    g_assert_cmpint(database_check_place(place.path, geteuid(), &error), ==, 0);
    database_close(open_sound(place.path));
    g_assert_cmpint(database_check_place(place.path, geteuid(), &error), ==, 1);
    place_clear(&place);
}

static void test_links(void)
{
    struct place place = place_new();
    g_autofree char *link = g_build_filename(place.folder, "link.db", NULL);
    g_autofree char *second = g_build_filename(place.folder, "second.db", NULL);
    database_close(open_sound(place.path));
    g_assert_cmpint(symlink(place.path, link), ==, 0);
    refused(link, geteuid(), DATABASE_EXISTING, DATABASE_INSECURE);
    refused(link, geteuid(), DATABASE_CREATE, DATABASE_INSECURE);
    g_assert_cmpint(link != NULL && unlink(link) == 0, ==, 1);
    g_assert_cmpint(symlink("/nonexistent/x.db", link), ==, 0);
    refused(link, geteuid(), DATABASE_CREATE, DATABASE_INSECURE);
    refused(place.folder, geteuid(), DATABASE_EXISTING, DATABASE_INSECURE);
    /* Under two names two processes would use two write-ahead logs. */
    g_assert_cmpint(linkat(AT_FDCWD, place.path, AT_FDCWD, second, 0), ==, 0);
    refused(second, geteuid(), DATABASE_EXISTING, DATABASE_INSECURE);
    g_assert_cmpint(unlink(second), ==, 0);
    /* A write-ahead log that leads elsewhere would be written by whoever opens it. */
    g_autofree char *wal = g_strconcat(place.path, "-wal", NULL);
    g_autofree char *victim = folder_write(place.folder, "victim", "precious", -1);
    g_assert_cmpint(symlink(victim, wal), ==, 0);
    refused(place.path, geteuid(), DATABASE_EXISTING, DATABASE_INSECURE);
    g_autofree char *content = NULL;
    g_assert_true(g_file_get_contents(victim, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "precious");
    place_clear(&place);
}

/* A folder may be reached by a link: what it leads to is what counts. */
static void test_linked_folder(void)
{
    struct place place = place_new();
    g_autofree char *real = g_build_filename(place.folder, "real", NULL);
    g_autofree char *link = g_build_filename(place.folder, "link", NULL);
    g_autofree char *path = g_build_filename(link, "x.db", NULL);
    g_assert_cmpint(g_mkdir(real, 0700), ==, 0);
    g_assert_cmpint(symlink("real", link), ==, 0);
    auto_free(database) database = open_sound(path);
    g_autofree char *want = g_build_filename(real, "x.db", NULL);
    g_assert_cmpstr(database_path(database), ==, want);
    DONE(database_check_files(database, &error));
    g_clear_pointer(&database, database_close);
    place_clear(&place);
}

static void test_modes(void)
{
    struct place place = place_new();
    g_autofree char *below = g_build_filename(place.folder, "below", NULL);
    g_autofree char *deep = g_build_filename(below, "x.db", NULL);
    static const mode_t folders[] = {0720, 0702, 0777, 01777, 0770};
    database_close(open_sound(place.path));
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_assert_cmpint(chmod(place.folder, folders[i]), ==, 0);
        refused(place.path, geteuid(), DATABASE_EXISTING, DATABASE_INSECURE);
    }
    /* The same further up; a sticky folder there lets nobody replace what is another's. */
    g_assert_cmpint(g_mkdir(below, 0700), ==, 0);
    g_assert_cmpint(chmod(place.folder, 0777), ==, 0);
    refused(deep, geteuid(), DATABASE_CREATE, DATABASE_INSECURE);
    g_assert_cmpint(chmod(place.folder, 01777), ==, 0);
    database_close(open_sound(deep));
    g_assert_cmpint(chmod(place.folder, 0755), ==, 0);
    static const mode_t files[] = {0620, 0602, 0666};
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_assert_cmpint(chmod(place.path, files[i]), ==, 0);
        refused(place.path, geteuid(), DATABASE_EXISTING, DATABASE_INSECURE);
    }
    g_assert_cmpint(chmod(place.path, 0644), ==, 0);
    database_close(open_sound(place.path));
    place_clear(&place);
}

/* Only root can give files away, so only root can try. */
static void test_owners(void)
{
    if (geteuid() != 0) {
        g_test_skip("only root can give files away");
        return;
    }
    struct place place = place_new();
    database_close(open_sound(place.path));
    g_assert_cmpint(chown(place.path, 1234, 1234), ==, 0);
    refused(place.path, NOBODY, DATABASE_EXISTING, DATABASE_INSECURE);
    g_assert_cmpint(chown(place.path, NOBODY, NOBODY), ==, 0);
    refused(place.path, 0, DATABASE_EXISTING, DATABASE_INSECURE);
    g_assert_cmpint(chown(place.folder, 1234, 1234), ==, 0);
    refused(place.path, NOBODY, DATABASE_EXISTING, DATABASE_INSECURE);
    place_clear(&place);
}

static void assert_owner(const char *path, const char *suffix, uid_t want)
{
    g_autofree char *file = g_strconcat(path, suffix, NULL);
    struct stat status;
    g_assert_cmpint(lstat(file, &status), ==, 0);
    g_assert_cmpuint(status.st_uid, ==, want);
}

/* Root looks at the database of the daemon's user, who must be able to go on with every file that is made then. */
static void test_root_looks(void)
{
    if (geteuid() != 0) {
        g_test_skip("only root can give files away");
        return;
    }
    struct place place = place_new();
    g_assert_cmpint(chown(place.folder, NOBODY, (gid_t)-1), ==, 0);
    for (unsigned round = 0; round < 2; round++) { /* once root is the first, once the daemon was there before */
        auto_free(database) database = database_open(place.path, NOBODY, DATABASE_CREATE, 500, &error);
        g_assert_nonnull(database);
        DONE(database_run(database, "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)", &error));
        assert_owner(place.path, "", NOBODY);
        assert_owner(place.path, "-wal", NOBODY);
        assert_owner(place.path, "-shm", NOBODY);
        if (round > 0)
            continue;
        pid_t child = fork();
        if (child == 0) { /* as the daemon's user, while root has it open */
            if (setgid(NOBODY) == -1 || setuid(NOBODY) == -1)
                _exit(2);
            struct database *theirs = database_open(place.path, NOBODY, DATABASE_EXISTING, 500, &error);
            _exit(theirs != NULL && database_run(theirs, "INSERT INTO t VALUES (2)", &error) == 0 ? 0 : 1);
        }
        int status;
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_cmpint(status, ==, 0);
    }
    place_clear(&place);
}

/* A folder in which the user may not write is told at once, by its name. */
static void test_read_only(void)
{
    struct place place = place_new();
    database_close(open_sound(place.path));
    g_assert_cmpint(chmod(place.folder, 0555), ==, 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(NOBODY) == -1 || setuid(NOBODY) == -1))
            _exit(2);
        struct stat status;
        uid_t owner = stat(place.folder, &status) == 0 ? status.st_uid : 0;
        struct database *database = database_open(place.path, owner, DATABASE_CREATE, 500, &error);
        _exit(database == NULL && error.failure == DATABASE_READ_ONLY && strstr(error.text, place.folder) != NULL ? 0
                                                                                                                  : 1);
    }
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpint(chmod(place.folder, 0700), ==, 0);
    place_clear(&place);
}

/* ---- what can go wrong */

static void test_corrupt(void)
{
    struct place place = place_new();
    folder_put(place.folder, "x.db",
               "this is a letter to my aunt and no database at all, though it is long enough for a header");
    refused(place.path, geteuid(), DATABASE_EXISTING, DATABASE_CORRUPT);
    g_assert_cmpint(unlink(place.path), ==, 0);

    struct database *database = open_sound(place.path);
    DONE(database_run(database, "CREATE TABLE t (a); CREATE INDEX i ON t (a);", &error));
    for (unsigned i = 0; i < 200; i++)
        DONE(database_run(database, "INSERT INTO t VALUES (hex(randomblob(200)))", &error));
    DONE(database_check_integrity(database, &error));
    database_close(database);
    /* Pages in the middle are lost. */
    g_autofree char *content = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(place.path, &content, &length, NULL));
    g_assert_cmpuint(length, >, 40000);
    memset(content + 12000, 0x55, 16000);
    g_assert_true(g_file_set_contents(place.path, content, (gssize)length, NULL));
    database = open_sound(place.path);
    g_assert_cmpint(database_check_integrity(database, &error), ==, -1);
    g_assert_cmpint(error.failure, ==, DATABASE_CORRUPT);
    g_assert_cmpint(database_run(database, "DELETE FROM t", &error), ==, -1);
    g_assert_cmpint(error.failure, ==, DATABASE_CORRUPT);
    database_close(database);
    place_clear(&place);
}

/* A reference that leads nowhere is no sound database, either. */
static void test_references(void)
{
    struct place place = place_new();
    auto_free(database) database = open_sound(place.path);
    DONE(database_run(database,
                      "CREATE TABLE t (a INTEGER PRIMARY KEY); CREATE TABLE u (t REFERENCES t (a));"
                      "PRAGMA foreign_keys = OFF; INSERT INTO u VALUES (7)",
                      &error));
    g_assert_cmpint(database_check_integrity(database, &error), ==, -1);
    g_assert_cmpint(error.failure, ==, DATABASE_CORRUPT);
    g_clear_pointer(&database, database_close);
    place_clear(&place);
}

/*
 * A file that can grow to a limit and no further, at every limit: what fails is
 * told as full and leaves nothing behind, and what was committed stays.
 */
static int fill(const char *path, rlim_t limit)
{
    struct database *database = database_open(path, geteuid(), DATABASE_EXISTING, 500, &error);
    struct rlimit all = {limit, limit};
    signal(SIGXFSZ, SIG_IGN);
    if (database == NULL || setrlimit(RLIMIT_FSIZE, &all) == -1)
        return 2;
    for (unsigned i = 0; i < 1000; i++) {
        if (database_begin(database, &error) == -1)
            return error.failure == DATABASE_FULL ? 0 : 3;
        if (database_run(database, "INSERT INTO t VALUES (hex(randomblob(1000)))", &error) == -1) {
            database_rollback(database);
            return error.failure == DATABASE_FULL ? 0 : 4;
        }
        if (database_commit(database, &error) == -1)
            return error.failure == DATABASE_FULL ? 0 : 5;
        if (printf("x") != 1) /* it is in the file for good */
            return 6;
    }
    return 7; /* there was no limit */
}

static void test_full(void)
{
    struct place place = place_new();
    struct database *database = open_sound(place.path);
    DONE(database_run(database, "CREATE TABLE t (a)", &error));
    gint64 before = 0;
    for (rlim_t limit = 20000; limit < 300000; limit += UNIT_SANITIZED ? 40009 : 7001) {
        g_autofree char *told = g_build_filename(place.folder, "told", NULL);
        pid_t child = fork();
        if (child == 0) {
            if (freopen(told, "w", stdout) == NULL)
                _exit(2);
            int code = fill(place.path, limit);
            fflush(stdout);
            _exit(code);
        }
        int status;
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        if (status != 0)
            UNIT_FAIL("limit %lu: status %d", (unsigned long)limit, status);
        g_autofree char *committed = NULL;
        gsize length;
        gint64 rows = 0;
        g_assert_true(g_file_get_contents(told, &committed, &length, NULL));
        DONE(database_check_integrity(database, &error));
        DONE(database_number(database, "SELECT count(*) FROM t", &rows, &error));
        g_assert_cmpint(rows - before, ==, (gint64)length);
        before = rows;
    }
    g_assert_cmpint(before, >, 0);
    database_close(database);
    place_clear(&place);
}

/* ---- waiting */

struct waiting {
    unsigned times;
};

static void on_wait(void *data)
{
    ((struct waiting *)data)->times++;
}

/* Another one holds the lock: a transaction waits as long as it was told in all, and tells when it begins to. */
static void test_busy(void)
{
    struct place place = place_new();
    auto_free(database) holder = open_sound(place.path);
    auto_free(database) waiter = open_sound(place.path);
    struct waiting waiting = {0};
    DONE(database_run(holder, "CREATE TABLE t (a)", &error));
    DONE(database_begin(holder, &error));
    database_on_wait(waiter, on_wait, &waiting);
    static const unsigned waits[] = {0, 50, 300};
    for (unsigned i = 0; i < G_N_ELEMENTS(waits); i++) {
        gint64 start = g_get_monotonic_time();
        database_set_wait(waiter, waits[i]);
        g_assert_cmpint(database_begin(waiter, &error), ==, -1);
        gint64 took = (g_get_monotonic_time() - start) / 1000;
        g_assert_cmpint(error.failure, ==, DATABASE_BUSY);
        g_assert_cmpint(took, >=, waits[i]);
        g_assert_cmpint(took, <, waits[i] + 30000);
    }
    g_assert_cmpuint(waiting.times, ==, 2); /* not where there was no time to wait */
    /* Who reads does not wait. */
    gint64 number = -1;
    DONE(database_number(waiter, "SELECT count(*) FROM t", &number, &error));
    DONE(database_commit(holder, &error));
    DONE(database_begin(waiter, &error));
    database_rollback(waiter);
    g_assert_cmpuint(waiting.times, ==, 2);
    g_clear_pointer(&holder, database_close);
    g_clear_pointer(&waiter, database_close);
    place_clear(&place);
}

/* A process that dies in the middle of a transaction leaves no lock and no half of it. */
static void test_killed(void)
{
    struct place place = place_new();
    struct database *database = open_sound(place.path);
    DONE(database_run(database, "CREATE TABLE t (a)", &error));
    database_close(database);
    pid_t child = fork();
    if (child == 0) {
        database = open_sound(place.path);
        if (database_run(database, "INSERT INTO t VALUES (1)", &error) == 0 && database_begin(database, &error) == 0 &&
            database_run(database, "INSERT INTO t VALUES (2)", &error) == 0)
            raise(SIGKILL);
        _exit(1);
    }
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    database = open_sound(place.path);
    gint64 sum = 0;
    DONE(database_number(database, "SELECT sum(a) FROM t", &sum, &error));
    g_assert_cmpint(sum, ==, 1);
    DONE(database_begin(database, &error));
    database_close(database);
    place_clear(&place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/database/statements", test_statements);
    g_test_add_func("/database/mistakes", test_mistakes);
    g_test_add_func("/database/transactions", test_transactions);
    g_test_add_func("/database/settings", test_settings);
    g_test_add_func("/database/missing", test_missing);
    g_test_add_func("/database/links", test_links);
    g_test_add_func("/database/linked-folder", test_linked_folder);
    g_test_add_func("/database/modes", test_modes);
    g_test_add_func("/database/owners", test_owners);
    g_test_add_func("/database/root-looks", test_root_looks);
    g_test_add_func("/database/read-only", test_read_only);
    g_test_add_func("/database/corrupt", test_corrupt);
    g_test_add_func("/database/references", test_references);
    g_test_add_func("/database/full", test_full);
    g_test_add_func("/database/busy", test_busy);
    g_test_add_func("/database/killed", test_killed);
    return g_test_run();
}
