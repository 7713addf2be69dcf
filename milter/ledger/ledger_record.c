/* ledger_record - see ledger_record.h */

#include "milter/ledger/ledger_record.h"

#include "milter/ledger/ledger_private.h"

#include <string.h>
#include <unistd.h>

/* ---- the tables of a record */

static const struct {
    const char *name;
    const char *key;     /* the column that has the row of `held` */
    const char *without; /* columns that mean nothing elsewhere */
} tables[] = {
    {"held", "id", "process"},
    {"party", "held", ""},
    {"approval", "held", ""},
    {"history", "held", ""},
    {"decision", "held", "seal process origin"},
    {"remembered", "held", "record scope parties due"},
    {"inside_test", "held", ""},
};
G_STATIC_ASSERT(G_N_ELEMENTS(tables) == LEDGER_RECORD_TABLES);

/* For each column of the table that is in a record: calls `add` with its name and its default, as SQL writes it. */
static int each_column(struct ledger *ledger, unsigned table,
                       void (*add)(GString *sql, const char *name, const char *otherwise), GString *sql,
                       struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(tables[table].name)};
    g_auto(GStrv) without = g_strsplit(tables[table].without, " ", -1);
    struct statement *statement = database_query(ledger->database, "SELECT name, dflt_value FROM pragma_table_info(?1)",
                                                 parameters, G_N_ELEMENTS(parameters));
    int row;
    while ((row = statement_step(statement, error)) == 1) {
        const char *name = statement_text(statement, 0);
        bool plain = name[strspn(name, G_CSET_a_2_z "_")] == '\0'; /* the daemon's user could add others */
        if (plain && !g_strv_contains((const char *const *)without, name))
            add(sql, name, statement_text(statement, 1));
    }
    statement_reset(statement);
    return row;
}

/* ---- export */

static void add_member(GString *sql, const char *name, const char *otherwise)
{
    (void)otherwise;
    g_string_append_printf(sql, "%s'%s', \"%s\"", g_str_has_suffix(sql->str, "(") ? "" : ", ", name, name);
}

/* SELECT json_object('held', json((SELECT json_object('id', "id", ...) FROM held ...)), 'party', ...) ... */
static char *export_statement(struct ledger *ledger, struct database_error *error)
{
    g_autoptr(GString) sql = g_string_new("SELECT json_object(");
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_string_append_printf(sql, "%s'%s', json((SELECT %sjson_object(", i == 0 ? "" : ", ", tables[i].name,
                               i == 0 ? "" : "json_group_array(");
        if (each_column(ledger, i, add_member, sql, error) == -1)
            return NULL;
        g_string_append_printf(sql, "%s) FROM (SELECT * FROM %s WHERE %s = ?1 ORDER BY rowid)))", i == 0 ? "" : ")",
                               tables[i].name, tables[i].key);
    }
    g_string_append(sql, ") FROM held WHERE id = ?1");
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

/* The only column of the only row; NULL with DATABASE_NONE if there is none. */
static char *only_text(struct statement *statement, const char *what, struct database_error *error)
{
    int row = statement_step(statement, error);
    char *text = row == 1 ? g_strdup(statement_text(statement, 0)) : NULL;
    statement_reset(statement);
    if (row == 0)
        database_error_set(error, DATABASE_NONE, "there is no such %s", what);
    return text;
}

char *ledger_record_export(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    if (ledger->record_export == NULL)
        ledger->record_export = export_statement(ledger, error);
    if (ledger->record_export == NULL)
        return NULL;
    return only_text(database_query(ledger->database, ledger->record_export, parameters, G_N_ELEMENTS(parameters)),
                     "row", error);
}

/* ---- mirrors */

/* Nothing refers to a policy that has not come yet, a newer version may have other words, and nothing is published. */
struct ledger *ledger_open_mirror(struct database_error *error)
{
    auto_free(ledger) ledger = ledger_open(":memory:", getuid(), DATABASE_CREATE, error);
    if (ledger == NULL)
        return NULL;
    g_autoptr(GString) sql = g_string_new("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;");
    struct statement *statement =
        database_query(ledger->database, "SELECT name FROM sqlite_master WHERE type = 'trigger'", NULL, 0);
    int row;
    while ((row = statement_step(statement, error)) == 1)
        g_string_append_printf(sql, "DROP TRIGGER \"%s\";", statement_text(statement, 0));
    statement_reset(statement);
    if (row == -1 || database_run(ledger->database, sql->str, error) == -1)
        return NULL;
    return g_steal_pointer(&ledger);
}

/* ---- import */

static void add_name(GString *sql, const char *name, const char *otherwise)
{
    (void)otherwise;
    g_string_append_printf(sql, "%s\"%s\"", g_str_has_suffix(sql->str, "(") ? "" : ", ", name);
}

static void add_value(GString *sql, const char *name, const char *otherwise)
{
    const char *joint = g_str_has_suffix(sql->str, "SELECT ") ? "" : ", ";
    if (otherwise == NULL)
        g_string_append_printf(sql, "%sjson_extract(value, '$.\"%s\"')", joint, name);
    else
        g_string_append_printf(sql, "%sifnull(json_extract(value, '$.\"%s\"'), %s)", joint, name, otherwise);
}

/* INSERT INTO party ("held", ...) SELECT json_extract(value, '$."held"'), ... FROM json_each(?1, '$.party') */
static char *import_statement(struct ledger *ledger, unsigned table, struct database_error *error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_append_printf(sql, "INSERT INTO %s (", tables[table].name);
    if (each_column(ledger, table, add_name, sql, error) == -1)
        return NULL;
    if (strcmp(tables[table].name, "remembered") == 0) /* what may not be missing, and is in no record */
        g_string_append(sql, ", record, scope");
    g_string_append(sql, ") SELECT ");
    if (each_column(ledger, table, add_value, sql, error) == -1)
        return NULL;
    if (strcmp(tables[table].name, "remembered") == 0)
        g_string_append(sql, ", 0, 0");
    if (table == 0)
        g_string_append(sql, " FROM (SELECT json_extract(?1, '$.held') AS value)");
    else
        g_string_append_printf(sql, " FROM json_each(?1, '$.%s')", tables[table].name);
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

/* What there was of the row before. */
static int remove_row(struct ledger *mirror, const char *json, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(json)};
    if (database_change(mirror->database, "DELETE FROM held WHERE id = json_extract(?1, '$.held.id')", parameters,
                        G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    if (database_changes(mirror->database) == 0)
        return 0;
    for (unsigned i = 1; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql =
            g_strdup_printf("DELETE FROM %s WHERE held = json_extract(?1, '$.held.id')", tables[i].name);
        if (database_change(mirror->database, sql, parameters, G_N_ELEMENTS(parameters), error) == -1)
            return -1;
    }
    return 0;
}

static int import(struct ledger *mirror, const char *json, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(json)};
    if (remove_row(mirror, json, error) == -1)
        return -1;
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        if (mirror->record_import[i] == NULL)
            mirror->record_import[i] = import_statement(mirror, i, error);
        if (mirror->record_import[i] == NULL || database_change(mirror->database, mirror->record_import[i], parameters,
                                                                G_N_ELEMENTS(parameters), error) == -1)
            return -1;
    }
    return 0;
}

/* A savepoint would do as well: in memory nobody waits. */
int ledger_record_import(struct ledger *mirror, const char *json, struct database_error *error)
{
    if (database_in_transaction(mirror->database))
        return import(mirror, json, error);
    if (database_begin(mirror->database, error) == -1)
        return -1;
    return database_end(mirror->database, import(mirror, json, error), error);
}

/* ---- policies */

char *ledger_policy_export(struct ledger *ledger, const char *digest, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(digest)};
    return only_text(database_query(ledger->database,
                                    "SELECT json_object('digest', digest, 'text', text, 'first', first, 'last', last)"
                                    " FROM policy WHERE digest = ?1",
                                    parameters, G_N_ELEMENTS(parameters)),
                     "policy", error);
}

int ledger_policy_import(struct ledger *mirror, const char *json, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(json)};
    return database_change(mirror->database,
                           "INSERT OR REPLACE INTO policy (digest, text, first, last)"
                           " VALUES (json_extract(?1, '$.digest'), json_extract(?1, '$.text'),"
                           " ifnull(json_extract(?1, '$.first'), 0), ifnull(json_extract(?1, '$.last'), 0))",
                           parameters, G_N_ELEMENTS(parameters), error);
}
