/* schema - see schema.h */

#include "milter/ledger/schema.h"

/*
 * Each step brings the tables from its index to the version after it.  A step
 * that was released is never changed: a new one is added.
 *
 * Times are microseconds since 1970; `people` and the like are numbers of visible
 * recipients.  A party of an `individuals` class has its domain as the name.
 */
static const char *const steps[] = {
    "CREATE TABLE policy ("
    " digest TEXT PRIMARY KEY,"
    " text TEXT NOT NULL,"
    " first INTEGER NOT NULL,"
    " last INTEGER NOT NULL);"

    "CREATE TABLE held ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " queue_id TEXT NOT NULL,"
    " mta TEXT NOT NULL,"
    " began INTEGER NOT NULL,"
    " judged INTEGER NOT NULL,"
    " message_id TEXT,"
    " sender TEXT NOT NULL,"
    " user TEXT,"
    " client TEXT,"
    " subject TEXT,"
    " rule TEXT NOT NULL,"
    " line INTEGER NOT NULL,"
    " text TEXT,"
    " policy TEXT NOT NULL REFERENCES policy (digest),"
    " visible INTEGER NOT NULL,"
    " parties INTEGER NOT NULL,"
    " domains INTEGER NOT NULL,"
    " internal INTEGER NOT NULL,"
    " hidden INTEGER NOT NULL,"
    " recipients INTEGER NOT NULL,"
    " defects INTEGER NOT NULL,"
    " approvals INTEGER NOT NULL,"
    " author TEXT,"
    " state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',"
    "  'released', 'returned', 'deleted', 'left', 'not-queued')),"
    " changed INTEGER NOT NULL,"
    " arrival INTEGER NOT NULL DEFAULT 0,"
    " who TEXT,"
    " uid INTEGER NOT NULL DEFAULT 0,"
    " since INTEGER NOT NULL DEFAULT 0,"
    " process INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT,"
    " requeued TEXT);"
    "CREATE INDEX held_queue_id ON held (queue_id);"
    "CREATE INDEX held_requeued ON held (requeued) WHERE requeued IS NOT NULL;"
    "CREATE INDEX held_judged ON held (judged);"
    "CREATE INDEX held_state ON held (state, judged);"
    "CREATE INDEX held_policy ON held (policy);"

    "CREATE TABLE party ("
    " held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,"
    " class TEXT NOT NULL,"
    " name TEXT,"
    " individuals INTEGER NOT NULL,"
    " people INTEGER NOT NULL,"
    " parties INTEGER NOT NULL);"
    "CREATE INDEX party_held ON party (held);"

    "CREATE TABLE approval ("
    " held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,"
    " login TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY (held, login));"

    "CREATE TABLE history ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,"
    " at INTEGER NOT NULL,"
    " who TEXT,"
    " uid INTEGER NOT NULL DEFAULT 0,"
    " action TEXT NOT NULL,"
    " reason TEXT,"
    " detail TEXT);"
    "CREATE INDEX history_held ON history (held);"
    "CREATE INDEX history_at ON history (at);"

    "CREATE TABLE notice ("
    " held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE,"
    " author TEXT,"
    " state TEXT NOT NULL CHECK (state IN ('wanted', 'sent', 'skipped')),"
    " at INTEGER NOT NULL,"
    " reason TEXT);"
    "CREATE INDEX notice_state ON notice (state, author, at);",

    "ALTER TABLE notice ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;",

    /* That a message never was in the queue is more than anybody knew: it may have left before it was looked for. */
    "ALTER TABLE held ADD COLUMN size INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE held ADD COLUMN former TEXT;"
    "CREATE INDEX held_former ON held (former) WHERE former IS NOT NULL;"
    "CREATE INDEX held_arrival ON held (arrival, judged);"
    "UPDATE held SET state = 'left' WHERE state = 'not-queued';"
    "UPDATE history SET action = 'left', detail = 'it was never seen on hold' WHERE action = 'not-queued';",
};
G_STATIC_ASSERT(G_N_ELEMENTS(steps) == SCHEMA_VERSION);

int schema_version(struct database *database, unsigned *version, struct database_error *error)
{
    gint64 number = 0;
    if (database_number(database, "PRAGMA user_version", &number, error) == -1)
        return -1;
    *version = (unsigned)number;
    return 0;
}

/* Whether the file is ours, or nobody's yet. */
static int check_application(struct database *database, struct database_error *error)
{
    gint64 application = 0, tables = 0;
    if (database_number(database, "PRAGMA application_id", &application, error) == -1 ||
        database_number(database, "SELECT count(*) FROM sqlite_master", &tables, error) == -1)
        return -1;
    if (application == SCHEMA_APPLICATION || (application == 0 && tables == 0))
        return 0;
    return database_error_set(error, DATABASE_FOREIGN, "%s: this is the database of another program, no ledger",
                              database_path(database));
}

static int check_version(struct database *database, unsigned *version, struct database_error *error)
{
    if (schema_version(database, version, error) == -1)
        return -1;
    if (*version <= SCHEMA_VERSION)
        return 0;
    return database_error_set(
        error, DATABASE_FOREIGN,
        "%s: its tables have version %u, and this program knows up to %u: a newer rcptguard wrote it",
        database_path(database), *version, SCHEMA_VERSION);
}

/* Within a transaction: another process may have been quicker. */
static int run_steps(struct database *database, struct database_error *error)
{
    unsigned version;
    if (check_version(database, &version, error) == -1)
        return -1;
    for (; version < SCHEMA_VERSION; version++) {
        if (database_run(database, steps[version], error) == -1)
            return -1;
    }
    g_autofree char *marks =
        g_strdup_printf("PRAGMA user_version = %u; PRAGMA application_id = %d;", SCHEMA_VERSION, SCHEMA_APPLICATION);
    return database_run(database, marks, error);
}

int schema_update(struct database *database, struct database_error *error)
{
    unsigned version;
    if (check_application(database, error) == -1 || check_version(database, &version, error) == -1)
        return -1;
    if (version == SCHEMA_VERSION)
        return 0;
    if (database_begin(database, error) == -1)
        return -1;
    return database_end(database, run_steps(database, error), error);
}
