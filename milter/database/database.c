/* database - see database.h */

#include "milter/database/database.h"

#include "milter/database/database_place.h"
#include "milter/database/wal_check.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_MEMORY ":memory:"

struct identity {
    dev_t device;
    ino_t inode;
};

/* What changes when a file is written. */
struct stamp {
    off_t size;
    struct timespec written, changed;
};

/* The database and its write-ahead log: the shared memory is not written but mapped. */
#define STAMPED 2

struct database {
    sqlite3 *handle;
    char *path;               /* without symbolic links */
    char *names[PLACE_FILES]; /* of the database and the files beside it */
    GHashTable *statements;   /* SQL: struct statement * */
    struct identity files[PLACE_FILES];
    struct stamp stamps[STAMPED];
    bool lost_log; /* rows that were committed to it are not there any more */

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

static enum database_failure failure_of(int code, int number)
{
    if (code == SQLITE_READONLY_DBMOVED)
        return DATABASE_REPLACED;
    if (code == SQLITE_IOERR_SHORT_READ)
        return DATABASE_CORRUPT;
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
        return database_failure_of(number);
    default:
        return DATABASE_OTHER;
    }
}

/* Puts SQLite's last failure into words.  It forgets the system's error of a commit, which `number` (errno) still has.
 */
static int set_failure(struct database *database, int code, int number, struct database_error *error)
{
    enum database_failure failure = failure_of(code, number);
    database->lost_log = database->lost_log || code == SQLITE_IOERR_SHORT_READ;
    if (failure == DATABASE_CORRUPT)
        database_keep_log(database);
    if (code == SQLITE_IOERR_SHORT_READ)
        return database_error_set(error, failure, "%s-wal ends before what was written to it", database->path);
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

/* ---- the files */

static bool in_memory(const struct database *database)
{
    return strcmp(database->path, IN_MEMORY) == 0;
}

/* The file that has the name now; one without an inode if there is none. */
static struct stat status_of(const struct database *database, unsigned index)
{
    struct stat status;
    if (lstat(database->names[index], &status) == -1)
        return (struct stat){.st_size = -1};
    return status;
}

static struct identity identity_of(const struct database *database, unsigned index)
{
    struct stat status = status_of(database, index);
    return (struct identity){status.st_dev, status.st_ino};
}

/* What is closed deletes the log by its name: not the one that another process has begun there since. */
static void spare_log(struct database *database)
{
    struct identity now = identity_of(database, 1), own = database->files[1];
    if (now.inode != 0 && (now.inode != own.inode || now.device != own.device))
        database_keep_log(database);
}

static bool is_own(const struct database *database, unsigned index, const struct stat *now)
{
    const struct identity *own = &database->files[index];
    return now->st_ino != 0 && now->st_ino == own->inode && now->st_dev == own->device;
}

static int replaced(struct database *database, unsigned index, struct database_error *error)
{
    spare_log(database);
    return database_error_set(error, DATABASE_REPLACED, "%s was deleted or replaced", database->names[index]);
}

int database_check_files(struct database *database, struct database_error *error)
{
    for (unsigned i = 0; !in_memory(database) && i < PLACE_FILES; i++) {
        struct stat now = status_of(database, i);
        if (!is_own(database, i, &now))
            return replaced(database, i, error);
    }
    return 0;
}

/* ---- damage */

static struct stamp stamp_of(const struct stat *status)
{
    return (struct stamp){.size = status->st_size, .written = status->st_mtim, .changed = status->st_ctim};
}

static bool same_time(struct timespec one, struct timespec other)
{
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

void database_files_known(struct database *database)
{
    for (unsigned i = 0; !in_memory(database) && i < STAMPED; i++) {
        struct stat now = status_of(database, i);
        database->stamps[i] = stamp_of(&now);
    }
}

/* What the file is now, to what was known of it. */
static enum database_change change_of(const struct database *database, unsigned index, const struct stat *status)
{
    struct stamp now = stamp_of(status), before = database->stamps[index];
    if (now.size == before.size && same_time(now.written, before.written) && same_time(now.changed, before.changed))
        return DATABASE_SAME;
    return index == 0 && now.size < before.size ? DATABASE_SHORTER : DATABASE_CHANGED;
}

enum database_change database_files_changed(struct database *database)
{
    enum database_change change = DATABASE_SAME;
    for (unsigned i = 0; !in_memory(database) && i < STAMPED; i++) {
        struct stat now = status_of(database, i);
        change = MAX(change, change_of(database, i, &now));
    }
    if (change == DATABASE_CHANGED)
        sqlite3_db_release_memory(database->handle);
    return change;
}

int database_look_at_files(struct database *database, enum database_change *change, struct database_error *error)
{
    *change = DATABASE_SAME;
    for (unsigned i = 0; !in_memory(database) && i < PLACE_FILES; i++) {
        struct stat now = status_of(database, i);
        if (!is_own(database, i, &now))
            return replaced(database, i, error);
        if (i < STAMPED)
            *change = MAX(*change, change_of(database, i, &now));
    }
    if (*change == DATABASE_CHANGED)
        sqlite3_db_release_memory(database->handle);
    return 0;
}

bool database_lost_log(const struct database *database)
{
    return database->lost_log;
}

void database_keep_log(struct database *database)
{
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

/* By SQLite's own descriptor: to close another one of the same file can drop its locks. */
static int read_log(void *log, void *bytes, size_t length, gint64 offset)
{
    sqlite3_file *file = log;
    return file->pMethods->xRead(file, bytes, (int)length, offset) == SQLITE_OK ? 0 : -1;
}

/* Copies the first region of the shared memory, and gives the log: false if this SQLite does not let us look. */
static bool look_at_log(const struct database *database, sqlite3_file **log, guint32 index[WAL_INDEX_REGION / 4])
{
    sqlite3_file *file = NULL;
    volatile void *shared = NULL;
    if (in_memory(database))
        return false;
    sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, log);
    if (file == NULL || file->pMethods == NULL || *log == NULL || (*log)->pMethods == NULL ||
        file->pMethods->xShmMap(file, 0, WAL_INDEX_REGION, 0, &shared) != SQLITE_OK || shared == NULL)
        return false;
    for (unsigned i = 0; i < WAL_INDEX_REGION / 4; i++)
        index[i] = ((const volatile guint32 *)shared)[i];
    return true;
}

int database_check_log(struct database *database, struct database_error *error)
{
    sqlite3_file *log = NULL;
    guint32 index[WAL_INDEX_REGION / 4];
    if (!look_at_log(database, &log, index) || wal_is_sound(read_log, log, (const unsigned char *)index))
        return 0;
    database->lost_log = true;
    database_keep_log(database);
    return database_error_set(error, DATABASE_CORRUPT, "%s-wal is not what was written to it", database->path);
}

int database_check_index(struct database *database, struct database_error *error)
{
    sqlite3_file *log = NULL;
    guint32 index[WAL_INDEX_REGION / 4];
    if (!look_at_log(database, &log, index) || wal_index_is_sound((const unsigned char *)index))
        return 0;
    database_keep_log(database); /* to copy it into the database by what is wrong would lose it */
    return database_error_set(error, DATABASE_CORRUPT, "%s-shm is not what was written to it", database->path);
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
    for (unsigned i = 0; i < PLACE_FILES; i++)
        g_free(database->names[i]);
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
    if (in_memory(database))
        return 0;
    /* The first read makes the files beside it. */
    gint64 version = 0;
    if (use_wal(database, error) == -1 || database_number(database, "PRAGMA user_version", &version, error) == -1)
        return -1;
    for (unsigned i = 0; i < PLACE_FILES; i++)
        database->files[i] = identity_of(database, i);
    return 0; /* the stamps are unknown: what is there is looked at before it is written to */
}

struct database *database_open(const char *path, uid_t owner, enum database_mode mode, unsigned wait,
                               struct database_error *error)
{
    bool memory = strcmp(path, IN_MEMORY) == 0;
    g_autofree char *real = memory ? g_strdup(path) : place_real_path(path, owner, error);
    if (real == NULL || (!memory && place_prepare(real, owner, mode == DATABASE_CREATE, error) == -1))
        return NULL;

    auto_free(database) database = g_new0(struct database, 1);
    database->path = g_steal_pointer(&real);
    for (unsigned i = 0; i < PLACE_FILES; i++)
        database->names[i] = g_strconcat(database->path, place_suffixes[i], NULL);
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

static int check_with(struct database *database, const char *pragma, const char *prefix, struct database_error *error)
{
    struct statement *statement = database_query(database, pragma, NULL, 0);
    int row = statement_step(statement, error);
    const char *finding = row == 1 ? statement_text(statement, 0) : NULL;
    bool sound = row == 0 || g_strcmp0(finding, "ok") == 0;
    if (row == 1 && !sound)
        database_error_set(error, DATABASE_CORRUPT, "%s: %s%s", database->path, prefix, finding);
    statement_reset(statement);
    if (!sound)
        g_strdelimit(error->text, "\n", ' ');
    return sound ? 0 : -1;
}

int database_check_integrity(struct database *database, struct database_error *error)
{
    if (check_with(database, "PRAGMA integrity_check(1)", "", error) == -1)
        return -1;
    return check_with(database, "PRAGMA foreign_key_check", "a reference leads nowhere in the table ", error);
}

int database_check_quickly(struct database *database, struct database_error *error)
{
    return check_with(database, "PRAGMA quick_check(1)", "", error);
}

int database_begin(struct database *database, struct database_error *error)
{
    return database_change(database, "BEGIN IMMEDIATE", NULL, 0, error);
}

int database_commit(struct database *database, struct database_error *error)
{
    return database_end(database, 0, error);
}

int database_end(struct database *database, int result, struct database_error *error)
{
    if (result == 0 && database_change(database, "COMMIT", NULL, 0, error) == 0)
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

bool database_in_transaction(const struct database *database)
{
    return sqlite3_get_autocommit(database->handle) == 0;
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
    return (struct parameter){.kind = PARAMETER_TEXT, .data = text};
}

struct parameter sql_bytes(const void *data, size_t size)
{
    return (struct parameter){.kind = PARAMETER_BYTES, .data = data, .size = size};
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
    if (parameter->kind == PARAMETER_NUMBER)
        code = sqlite3_bind_int64(statement->handle, index, parameter->number);
    else if (parameter->kind == PARAMETER_BYTES)
        code = sqlite3_bind_blob64(statement->handle, index, parameter->data, parameter->size, SQLITE_TRANSIENT);
    else if (parameter->data != NULL)
        code = sqlite3_bind_text(statement->handle, index, parameter->data, -1, SQLITE_TRANSIENT);
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

const void *statement_bytes(struct statement *statement, int column, size_t *size)
{
    const void *bytes = sqlite3_column_blob(statement->handle, column);
    *size = (size_t)sqlite3_column_bytes(statement->handle, column);
    return bytes;
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
