/* schema_update - see schema_update.h */

#include "milter/database/schema_update.h"

int schema_version(struct database *database, unsigned *version, struct database_error *error)
{
    gint64 number = 0;
    if (database_number(database, "PRAGMA user_version", &number, error) == -1)
        return -1;
    *version = (unsigned)number;
    return 0;
}

/* Whether the file is ours, or nobody's yet. */
static int check_application(struct database *database, const struct schema *schema, struct database_error *error)
{
    gint64 application = 0, tables = 0;
    if (database_number(database, "PRAGMA application_id", &application, error) == -1 ||
        database_number(database, "SELECT count(*) FROM sqlite_master", &tables, error) == -1)
        return -1;
    if (application == schema->application || (application == 0 && tables == 0))
        return 0;
    return database_error_set(error, DATABASE_FOREIGN, "%s: this is the database of another program, no %s",
                              database_path(database), schema->file);
}

static int check_version(struct database *database, const struct schema *schema, unsigned *version,
                         struct database_error *error)
{
    if (schema_version(database, version, error) == -1)
        return -1;
    if (*version <= schema->version)
        return 0;
    return database_error_set(
        error, DATABASE_FOREIGN,
        "%s: its tables have version %u, and this program knows up to %u: a newer rcptguard wrote it",
        database_path(database), *version, schema->version);
}

/* Within a transaction: another process may have been quicker. */
static int run_steps(struct database *database, const struct schema *schema, struct database_error *error)
{
    unsigned version;
    if (check_version(database, schema, &version, error) == -1)
        return -1;
    for (; version < schema->version; version++) {
        if (database_run(database, schema->steps[version], error) == -1)
            return -1;
    }
    g_autofree char *marks =
        g_strdup_printf("PRAGMA user_version = %u; PRAGMA application_id = %d;", schema->version, schema->application);
    return database_run(database, marks, error);
}

int schema_bring(struct database *database, const struct schema *schema, struct database_error *error)
{
    unsigned version;
    if (check_application(database, schema, error) == -1 || check_version(database, schema, &version, error) == -1)
        return -1;
    if (version == schema->version)
        return 0;
    if (database_begin(database, error) == -1)
        return -1;
    if (database_end(database, run_steps(database, schema, error), error) == -1)
        return -1;
    /* The database itself says from now on whose it is, whatever happens to its log. */
    struct database_error ignored;
    database_run(database, "PRAGMA wal_checkpoint", &ignored);
    return 0;
}
