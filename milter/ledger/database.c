/* database - see database.h */

#include "milter/ledger/database.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_MEMORY ":memory:"

/* What SQLite has open: the database, its write-ahead log, and the shared memory of its locks. */
static const char *const suffixes[] = {"", "-wal", "-shm"};

struct identity {
    dev_t device;
    ino_t inode;
};

struct database {
    sqlite3 *handle;
    char *path;             /* without symbolic links */
    GHashTable *statements; /* SQL: struct statement * */
    struct identity files[G_N_ELEMENTS(suffixes)];

    unsigned wait;   /* milliseconds */
    bool opening;    /* it has one deadline for all its steps */
    gint64 deadline; /* monotonic, microseconds: of the transaction at hand */
    void (*on_wait)(void *data);
    void *on_wait_data;
};

struct statement {
    struct database *database;
    sqlite3_stmt *handle;
    struct database_error failure; /* of preparing it or binding a parameter: it comes out at the step */
};

/* ---- errors */

const char *database_failure_name(enum database_failure failure)
{
    static const char *const names[] = {"none",    "busy",     "full",    "read-only", "corrupt",
                                        "missing", "insecure", "foreign", "replaced",  "other"};
    return names[failure];
}

int database_error_set(struct database_error *error, enum database_failure failure, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->failure = failure;
    g_vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return -1;
}

static enum database_failure failure_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return DATABASE_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return DATABASE_READ_ONLY;
    case ENOENT:
    case ENOTDIR:
        return DATABASE_MISSING;
    default:
        return DATABASE_OTHER;
    }
}

static enum database_failure failure_of(int code, int number)
{
    if (code == SQLITE_READONLY_DBMOVED)
        return DATABASE_REPLACED;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return DATABASE_BUSY;
    case SQLITE_FULL:
        return DATABASE_FULL;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return DATABASE_READ_ONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return DATABASE_CORRUPT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return failure_of_errno(number);
    default:
        return DATABASE_OTHER;
    }
}

/* Puts SQLite's last failure into words.  It forgets the system's error of a commit, which `number` (errno) still has.
 */
static int set_failure(struct database *database, int code, int number, struct database_error *error)
{
    enum database_failure failure = failure_of(code, number);
    bool system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if (system && number != 0)
        return database_error_set(error, failure, "%s: %s: %s", database->path, sqlite3_errmsg(database->handle),
                                  g_strerror(number));
    return database_error_set(error, failure, "%s: %s", database->path, sqlite3_errmsg(database->handle));
}

/* ---- waiting */

/* SQLite asks whether to try for a lock again. */
static int wait_again(void *data, int tried)
{
    struct database *database = data;
    gint64 left = database->deadline - g_get_monotonic_time();
    if (left <= 0)
        return 0;
    if (tried == 0 && database->on_wait != NULL)
        database->on_wait(database->on_wait_data);
    gint64 pause = tried < 10 ? 1000 : 5000; /* microseconds */
    g_usleep((gulong)MIN(pause, left));
    return 1;
}

void database_set_wait(struct database *database, unsigned wait)
{
    database->wait = wait;
}

void database_on_wait(struct database *database, void (*on_wait)(void *data), void *data)
{
    database->on_wait = on_wait;
    database->on_wait_data = data;
}

/* Before what begins its own transaction. */
static void start_waiting(struct database *database)
{
    if (!database->opening && sqlite3_get_autocommit(database->handle) != 0)
        database->deadline = g_get_monotonic_time() + (gint64)database->wait * 1000;
}

/* ---- the place */

static bool trusted(const struct stat *status, uid_t owner)
{
    return status->st_uid == 0 || status->st_uid == owner;
}

/* For g_free.  Several threads may open a ledger at once, which getpwuid(3) is not made for. */
static char *user_name(uid_t user)
{
    struct passwd entry, *found = NULL;
    char names[4096];
    if (getpwuid_r(user, &entry, names, sizeof names, &found) != 0 || found == NULL)
        return g_strdup("another user");
    return g_strdup(found->pw_name);
}

/* Whether nobody but root and `owner` can put another entry in the place of one of this directory. */
static int check_folder(const char *folder, uid_t owner, bool own, struct database_error *error)
{
    struct stat status;
    if (lstat(folder, &status) == -1)
        return database_error_set(error, failure_of_errno(errno), "%s: %s", folder, g_strerror(errno));
    if (!trusted(&status, owner)) {
        g_autofree char *name = user_name(status.st_uid);
        return database_error_set(error, DATABASE_INSECURE, "%s belongs to %s, who could replace what is in it", folder,
                                  name);
    }
    /* In a sticky directory others cannot replace, but they can be the first to make a file with a name. */
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (own || (status.st_mode & S_ISVTX) == 0))
        return database_error_set(error, DATABASE_INSECURE,
                                  "%s can be written by others (mode %04o), who could replace it; "
                                  "use a directory that only its owner can write",
                                  folder, (unsigned)status.st_mode & 07777u);
    return 0;
}

/* The directory and all above it. */
static int check_folders(const char *folder, uid_t owner, struct database_error *error)
{
    g_autofree char *above = g_strdup(folder);
    for (bool own = true;; own = false) {
        if (check_folder(above, owner, own, error) == -1)
            return -1;
        if (strcmp(above, "/") == 0)
            return 0;
        char *parent = g_path_get_dirname(above);
        g_free(above);
        above = parent;
    }
}

/* 1: it is there and as it should be; 0: it is not there. */
static int check_file(const char *path, uid_t owner, struct database_error *error)
{
    struct stat status;
    if (lstat(path, &status) == -1) {
        if (errno == ENOENT)
            return 0;
        return database_error_set(error, failure_of_errno(errno), "%s: %s", path, g_strerror(errno));
    }
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
        return database_error_set(error, DATABASE_INSECURE, "%s is no regular file with one name", path);
    if (!trusted(&status, owner)) {
        g_autofree char *name = user_name(status.st_uid);
        return database_error_set(error, DATABASE_INSECURE, "%s belongs to %s", path, name);
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return database_error_set(error, DATABASE_INSECURE, "%s can be written by others (mode %04o)", path,
                                  (unsigned)status.st_mode & 07777u);
    return 1;
}

/* The path without symbolic links, for g_free; NULL with an error. */
static char *real_path(const char *path, uid_t owner, struct database_error *error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    char *real = realpath(folder, NULL);
    if (real == NULL && errno == ENOENT) {
        g_autofree char *user = user_name(owner);
        database_error_set(error, DATABASE_MISSING,
                           "%s: its directory does not exist; create it: install -d -m 750 -o %s %s", path, user,
                           folder);
        return NULL;
    }
    if (real == NULL) {
        database_error_set(error, failure_of_errno(errno), "%s: %s", folder, g_strerror(errno));
        return NULL;
    }
    char *result = g_build_filename(real, name, NULL);
    free(real);
    return result;
}

/* 1, 0 as check_file; the files that SQLite puts beside it are looked at, too. */
static int check_place(const char *path, uid_t owner, struct database_error *error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int there = 0;
    if (check_folders(folder, owner, error) == -1)
        return -1;
    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
        int result = check_file(file, owner, error);
        if (result == -1)
            return -1;
        if (i == 0)
            there = result;
    }
    if (geteuid() != 0 && access(folder, W_OK | X_OK) == -1) {
        int reason = errno;
        g_autofree char *user = user_name(geteuid());
        return database_error_set(error, DATABASE_READ_ONLY, "%s: %s may not write there: %s", folder, user,
                                  g_strerror(reason));
    }
    return there;
}

int database_check_place(const char *path, uid_t owner, struct database_error *error)
{
    g_autofree char *real = real_path(path, owner, error);
    return real == NULL ? -1 : check_place(real, owner, error);
}

/*
 * An empty file of mode 0600, which the files beside it inherit.  It never
 * opens one that is there: to close a file of the same process would drop SQLite's locks.
 */
static int make_file(const char *path, uid_t owner, struct database_error *error)
{
    int descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor == -1 && errno == EEXIST) /* somebody else was quicker */
        return 0;
    if (descriptor == -1 || (geteuid() == 0 && owner != 0 && fchown(descriptor, owner, (gid_t)-1) == -1)) {
        database_error_set(error, failure_of_errno(errno), "%s: cannot be made: %s", path, g_strerror(errno));
        if (descriptor != -1)
            close(descriptor);
        return -1;
    }
    close(descriptor);
    return 0;
}

static int prepare_place(const char *path, uid_t owner, enum database_mode mode, struct database_error *error)
{
    int there = check_place(path, owner, error);
    if (there != 0)
        return there == -1 ? -1 : 0;
    if (mode == DATABASE_CREATE)
        return make_file(path, owner, error);
    return database_error_set(error, DATABASE_MISSING, "%s: there is no such file", path);
}

static struct identity identity_of(const struct database *database, unsigned index)
{
    g_autofree char *file = g_strconcat(database->path, suffixes[index], NULL);
    struct stat status;
    struct identity none = {0, 0};
    return lstat(file, &status) == -1 ? none : (struct identity){status.st_dev, status.st_ino};
}

int database_check_files(struct database *database, struct database_error *error)
{
    for (unsigned i = 0; strcmp(database->path, IN_MEMORY) != 0 && i < G_N_ELEMENTS(suffixes); i++) {
        struct identity now = identity_of(database, i);
        if (now.inode == database->files[i].inode && now.device == database->files[i].device && now.inode != 0)
            continue;
        return database_error_set(error, DATABASE_REPLACED, "%s%s was deleted or replaced", database->path,
                                  suffixes[i]);
    }
    return 0;
}

/* ---- opening */

static void statement_free(struct statement *statement)
{
    sqlite3_finalize(statement->handle);
    g_free(statement);
}

void database_close(struct database *database)
{
    if (database == NULL)
        return;
    g_hash_table_unref(database->statements);
    sqlite3_close(database->handle);
    g_free(database->path);
    g_free(database);
}

/* A write-ahead log that grew beyond it is cut when it begins anew, in bytes. */
#define LOG_KEPT "8388608"

/*
 * Root reads what a daemon's user wrote: nothing in the file may run code or
 * change how it is read.  What was removed is overwritten, and nothing goes into
 * temporary files.
 */
static int harden(struct database *database, struct database_error *error)
{
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return database_run(database,
                        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA secure_delete = ON;"
                        "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
                        "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = " LOG_KEPT,
                        error);
}

/* WAL mode stays with the file; a file system that lacks shared memory does not have it. */
static int use_wal(struct database *database, struct database_error *error)
{
    struct statement *statement = database_query(database, "PRAGMA journal_mode = WAL", NULL, 0);
    int row = statement_step(statement, error);
    bool wal = row == 1 && g_strcmp0(statement_text(statement, 0), "wal") == 0;
    statement_reset(statement);
    if (row == -1)
        return -1;
    if (!wal)
        return database_error_set(error, DATABASE_OTHER, "%s: its file system does not support SQLite's WAL mode",
                                  database->path);
    return 0;
}

static int set_up(struct database *database, struct database_error *error)
{
    sqlite3_extended_result_codes(database->handle, 1);
    sqlite3_busy_handler(database->handle, wait_again, database);
    if (harden(database, error) == -1)
        return -1;
    if (strcmp(database->path, IN_MEMORY) == 0)
        return 0;
    /* The first read makes the files beside it. */
    gint64 version = 0;
    if (use_wal(database, error) == -1 || database_number(database, "PRAGMA user_version", &version, error) == -1)
        return -1;
    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++)
        database->files[i] = identity_of(database, i);
    return 0;
}

struct database *database_open(const char *path, uid_t owner, enum database_mode mode, unsigned wait,
                               struct database_error *error)
{
    bool memory = strcmp(path, IN_MEMORY) == 0;
    g_autofree char *real = memory ? g_strdup(path) : real_path(path, owner, error);
    if (real == NULL || (!memory && prepare_place(real, owner, mode, error) == -1))
        return NULL;

    auto_free(database) database = g_new0(struct database, 1);
    database->path = g_steal_pointer(&real);
    database->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)statement_free);
    database->wait = wait;
    database->opening = true;
    database->deadline = g_get_monotonic_time() + (gint64)wait * 1000;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_FULLMUTEX;
    errno = 0;
    int code = sqlite3_open_v2(database->path, &database->handle, memory ? SQLITE_OPEN_READWRITE : flags, NULL);
    if (database->handle == NULL) {
        database_error_set(error, DATABASE_OTHER, "%s: %s", database->path, sqlite3_errstr(code));
        return NULL;
    }
    if (code != SQLITE_OK) {
        set_failure(database, code, errno, error);
        return NULL;
    }
    if (set_up(database, error) == -1)
        return NULL;
    database->opening = false;
    return g_steal_pointer(&database);
}

const char *database_path(const struct database *database)
{
    return database->path;
}

/* ---- running */

int database_run(struct database *database, const char *sql, struct database_error *error)
{
    start_waiting(database);
    errno = 0;
    int code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return 0;
    return set_failure(database, code, errno, error);
}

int database_number(struct database *database, const char *sql, gint64 *result, struct database_error *error)
{
    struct statement *statement = database_query(database, sql, NULL, 0);
    int row = statement_step(statement, error);
    if (row == 1)
        *result = statement_number(statement, 0);
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}

int database_check_integrity(struct database *database, struct database_error *error)
{
    static const char *const checks[] = {"PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"};
    for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
        struct statement *statement = database_query(database, checks[i], NULL, 0);
        int row = statement_step(statement, error);
        const char *finding = row == 1 ? statement_text(statement, 0) : NULL;
        bool sound = row == 0 || g_strcmp0(finding, "ok") == 0;
        if (row == 1 && !sound)
            database_error_set(error, DATABASE_CORRUPT, "%s: %s%s", database->path,
                               i == 0 ? "" : "a reference leads nowhere in the table ", finding);
        statement_reset(statement);
        if (!sound)
            return -1;
    }
    return 0;
}

int database_begin(struct database *database, struct database_error *error)
{
    return database_run(database, "BEGIN IMMEDIATE", error);
}

int database_commit(struct database *database, struct database_error *error)
{
    return database_end(database, 0, error);
}

int database_end(struct database *database, int result, struct database_error *error)
{
    if (result == 0 && database_run(database, "COMMIT", error) == 0)
        return 0;
    database_rollback(database);
    return -1;
}

void database_rollback(struct database *database)
{
    /* SQLite has rolled back by itself after some failures. */
    if (sqlite3_get_autocommit(database->handle) == 0)
        sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
}

gint64 database_last_row(const struct database *database)
{
    return sqlite3_last_insert_rowid(database->handle);
}

gint64 database_changes(const struct database *database)
{
    return sqlite3_changes(database->handle);
}

/* ---- statements */

struct parameter sql_text(const char *text)
{
    return (struct parameter){.is_text = true, .text = text};
}

struct parameter sql_number(gint64 number)
{
    return (struct parameter){.number = number};
}

static void prepare(struct statement *statement, const char *sql)
{
    struct database *database = statement->database;
    start_waiting(database); /* it may have to read the tables' definitions */
    errno = 0;
    int code = sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL);
    if (code != SQLITE_OK)
        set_failure(database, code, errno, &statement->failure);
}

static void bind(struct statement *statement, int index, const struct parameter *parameter)
{
    int code = SQLITE_OK;
    if (!parameter->is_text)
        code = sqlite3_bind_int64(statement->handle, index, parameter->number);
    else if (parameter->text != NULL)
        code = sqlite3_bind_text(statement->handle, index, parameter->text, -1, SQLITE_TRANSIENT);
    if (code != SQLITE_OK)
        database_error_set(&statement->failure, DATABASE_OTHER, "%s: a parameter: %s", statement->database->path,
                           sqlite3_errstr(code));
}

struct statement *database_query(struct database *database, const char *sql, const struct parameter *parameters,
                                 unsigned count)
{
    struct statement *statement = g_hash_table_lookup(database->statements, sql);
    if (statement == NULL) {
        statement = g_new0(struct statement, 1);
        statement->database = database;
        g_hash_table_insert(database->statements, g_strdup(sql), statement);
    }
    statement_reset(statement);
    if (statement->handle == NULL)
        prepare(statement, sql);
    for (unsigned i = 0; i < count && statement->failure.failure == DATABASE_NONE; i++)
        bind(statement, (int)i + 1, &parameters[i]);
    return statement;
}

int statement_step(struct statement *statement, struct database_error *error)
{
    struct database *database = statement->database;
    if (statement->failure.failure != DATABASE_NONE) {
        *error = statement->failure;
        return -1;
    }
    if (sqlite3_stmt_busy(statement->handle) == 0)
        start_waiting(database);
    errno = 0;
    int code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE)
        return 0;
    return set_failure(database, code, errno, error);
}

int database_change(struct database *database, const char *sql, const struct parameter *parameters, unsigned count,
                    struct database_error *error)
{
    struct statement *statement = database_query(database, sql, parameters, count);
    int row = statement_step(statement, error);
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}

const char *statement_text(struct statement *statement, int column)
{
    return (const char *)sqlite3_column_text(statement->handle, column);
}

gint64 statement_number(struct statement *statement, int column)
{
    return sqlite3_column_int64(statement->handle, column);
}

void statement_reset(struct statement *statement)
{
    statement->failure.failure = DATABASE_NONE;
    if (statement->handle == NULL) /* it could not be prepared */
        return;
    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle);
}

const char *database_library_version(void)
{
    return sqlite3_libversion();
}
