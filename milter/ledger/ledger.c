/* ledger - opening it, and what the daemon does with it; see ledger.h */

#include "milter/ledger/ledger_private.h"
#include "milter/ledger/schema.h"

#include <string.h>

/* ---- words */

static const char *const state_names[] = {"pending",  "held",     "releasing", "returning", "deleting",
                                          "released", "returned", "deleted",   "left"};

const char *ledger_state_name(enum ledger_state state)
{
    return state_names[state];
}

int row_state(const char *name)
{
    for (unsigned i = 0; i < LEDGER_STATES; i++) {
        if (g_strcmp0(name, state_names[i]) == 0)
            return (int)i;
    }
    return -1;
}

void row_append_states(GString *sql, unsigned states)
{
    const char *joint = "(";
    for (unsigned i = 0; i < LEDGER_STATES; i++) {
        if ((states & LEDGER_BIT(i)) == 0)
            continue;
        g_string_append_printf(sql, "%s'%s'", joint, state_names[i]);
        joint = ", ";
    }
    g_string_append_c(sql, ')');
}

const char *ledger_action_name(enum ledger_action action)
{
    static const char *const names[] = {"release", "return", "delete"};
    return names[action];
}

static const char *const way_names[] = {NULL, "command", "author", "reviewer", "expiry", "delay"};

const char *ledger_way_name(enum ledger_way way)
{
    return way_names[way];
}

enum ledger_way ledger_way_find(const char *name)
{
    for (unsigned i = 1; name != NULL && i < G_N_ELEMENTS(way_names); i++) {
        if (strcmp(name, way_names[i]) == 0)
            return (enum ledger_way)i;
    }
    return LEDGER_BY_NOBODY;
}

enum ledger_state ledger_action_claims(enum ledger_action action)
{
    static const enum ledger_state states[] = {LEDGER_RELEASING, LEDGER_RETURNING, LEDGER_DELETING};
    return states[action];
}

enum ledger_state ledger_action_ends(enum ledger_action action)
{
    static const enum ledger_state states[] = {LEDGER_RELEASED, LEDGER_RETURNED, LEDGER_DELETED};
    return states[action];
}

/* ---- the whole */

struct ledger *ledger_open(const char *path, uid_t owner, enum database_mode mode, struct database_error *error)
{
    auto_free(database) database = database_open(path, owner, mode, LEDGER_WAIT, error);
    if (database == NULL || schema_update(database, error) == -1)
        return NULL;
    struct ledger *ledger = g_new0(struct ledger, 1);
    ledger->database = g_steal_pointer(&database);
    return ledger;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    database_close(ledger->database);
    for (unsigned i = 0; i < LEDGER_PARTY_STATEMENTS; i++)
        g_free(ledger->party_statements[i]);
    for (unsigned i = 0; i < LEDGER_RECORD_TABLES; i++)
        g_free(ledger->record_import[i]);
    g_free(ledger->record_export);
    g_free(ledger->policy_added);
    g_free(ledger);
}

struct database *ledger_database(const struct ledger *ledger)
{
    return ledger->database;
}

/* A rollback or a write of this connection does not count. */
int ledger_changed(struct ledger *ledger, gint64 *version, struct database_error *error)
{
    gint64 now = 0;
    if (database_check_files(ledger->database, error) == -1 ||
        database_number(ledger->database, "PRAGMA data_version", &now, error) == -1)
        return -1;
    bool changed = now != *version;
    *version = now;
    return changed && schema_update(ledger->database, error) == -1 ? -1 : changed;
}

/* ---- policies */

int ledger_keep_policy(struct ledger *ledger, const char *digest, const char *text, gint64 now,
                       struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database, row_add_policy(ledger, digest, text, now, error), error);
}

/* ---- pruning */

/* What belongs to a row goes with it: ON DELETE CASCADE. */
static int prune_rows(struct ledger *ledger, gint64 before, struct database_error *error)
{
    g_autoptr(GString) sql =
        g_string_new("DELETE FROM held WHERE id IN (SELECT id FROM held WHERE changed < ?1 AND state IN ");
    row_append_states(sql, LEDGER_CLOSED);
    g_string_append(sql, " LIMIT ?2)");
    const struct parameter parameters[] = {sql_number(before), sql_number(LEDGER_PRUNE_ROWS)};
    return database_change(ledger->database, sql->str, parameters, G_N_ELEMENTS(parameters), error) == -1
               ? -1
               : (int)database_changes(ledger->database);
}

static int prune_policies(struct ledger *ledger, gint64 before, const char *in_force, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(before), sql_text(in_force)};
    return database_change(ledger->database,
                           "DELETE FROM policy WHERE last < ?1 AND digest <> ?2"
                           " AND NOT EXISTS (SELECT 1 FROM held WHERE held.policy = policy.digest)",
                           parameters, G_N_ELEMENTS(parameters), error);
}

int ledger_prune(struct ledger *ledger, gint64 before, const char *policy_in_force, unsigned *removed,
                 struct database_error *error)
{
    int count = prune_rows(ledger, before, error);
    if (count == -1)
        return -1;
    *removed = (unsigned)count;
    return *removed < LEDGER_PRUNE_ROWS ? prune_policies(ledger, before, policy_in_force, error) : 0;
}
