/* ledger - opening it, and what the daemon does with it; see ledger.h */

#include "milter/ledger/ledger_private.h"
#include "milter/ledger/schema.h"

#include <string.h>

/* Rows that one prune removes, those of one transaction, and the pause after each of these in microseconds. */
#define PRUNE_LIMIT 20000u
#define PRUNE_ROWS  200
#define PRUNE_PAUSE 2000

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
    g_free(ledger);
}

struct database *ledger_database(const struct ledger *ledger)
{
    return ledger->database;
}

/* ---- holding */

/* The text is written once: most messages are held by a policy that is there. */
static int add_policy(struct ledger *ledger, const char *digest, const char *text, gint64 now,
                      struct database_error *error)
{
    const struct parameter lately[] = {sql_text(digest), sql_number(now - G_TIME_SPAN_HOUR)};
    struct statement *known = database_query(ledger->database, "SELECT 1 FROM policy WHERE digest = ?1 AND last >= ?2",
                                             lately, G_N_ELEMENTS(lately));
    int row = statement_step(known, error);
    statement_reset(known);
    if (row != 0)
        return row == -1 ? -1 : 0;
    const struct parameter parameters[] = {sql_text(digest), sql_text(text), sql_number(now)};
    return database_change(ledger->database,
                           "INSERT INTO policy (digest, text, first, last) VALUES (?1, ?2, ?3, ?3)"
                           " ON CONFLICT (digest) DO UPDATE SET last = max(last, excluded.last)",
                           parameters, G_N_ELEMENTS(parameters), error);
}

static int add_row(struct ledger *ledger, const struct ledger_message *message, gint64 *id,
                   struct database_error *error)
{
    const struct exposure_counts *counts = &message->counts;
    const struct parameter parameters[] = {
        sql_text(message->queue_id),    sql_text(mta_word(message->mta)), sql_number(message->began),
        sql_number(message->judged),    sql_text(message->message_id),    sql_text(message->sender),
        sql_text(message->user),        sql_text(message->client),        sql_text(message->subject),
        sql_text(message->rule),        sql_number(message->line),        sql_text(message->text),
        sql_text(message->policy),      sql_number(counts->visible),      sql_number(counts->parties),
        sql_number(counts->domains),    sql_number(counts->internal),     sql_number(counts->hidden),
        sql_number(counts->recipients), sql_number(counts->defects),      sql_number(MAX(message->approvals, 1)),
        sql_text(message->author)};
    if (database_change(ledger->database,
                        "INSERT INTO held (queue_id, mta, began, judged, message_id, sender, user, client, subject,"
                        " rule, line, text, policy, visible, parties, domains, internal, hidden, recipients, defects,"
                        " approvals, author, state, changed) VALUES"
                        " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"
                        " ?21, ?22, 'pending', ?4)",
                        parameters, G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    *id = database_last_row(ledger->database);
    return 0;
}

static int add_party(struct ledger *ledger, gint64 id, const struct ledger_party *party, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id),
                                           sql_text(party->class_name),
                                           sql_text(party->name),
                                           sql_number(party->individuals),
                                           sql_number(party->people),
                                           sql_number(party->parties)};
    return database_change(ledger->database,
                           "INSERT INTO party (held, class, name, individuals, people, parties)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                           parameters, G_N_ELEMENTS(parameters), error);
}

/* Nobody is told of what a stranger or a program sent: that, too, is remembered. */
static int add_notice(struct ledger *ledger, gint64 id, const struct ledger_hold *hold, struct database_error *error)
{
    const struct ledger_message *message = hold->message;
    const char *untold =
        message->author == NULL ? "neither the login nor the sender is an internal address" : hold->untold;
    const struct parameter parameters[] = {sql_number(id), sql_text(message->author),
                                           sql_text(untold == NULL ? "wanted" : "skipped"), sql_number(message->judged),
                                           sql_text(untold)};
    return database_change(ledger->database,
                           "INSERT INTO notice (held, author, state, at, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
                           parameters, G_N_ELEMENTS(parameters), error);
}

static int add_all(struct ledger *ledger, const struct ledger_hold *hold, struct database_error *error)
{
    const struct ledger_message *message = hold->message;
    gint64 id;
    if (add_policy(ledger, message->policy, hold->policy_text, message->judged, error) == -1 ||
        add_row(ledger, message, &id, error) == -1)
        return -1;
    for (guint i = 0; i < hold->parties->len; i++) {
        if (add_party(ledger, id, g_ptr_array_index(hold->parties, i), error) == -1)
            return -1;
    }
    return hold->notice ? add_notice(ledger, id, hold, error) : 0;
}

int ledger_hold(struct ledger *ledger, const struct ledger_hold *hold, struct database_error *error)
{
    /* What is written into a file that has no name any more is lost: so before, and once it is written. */
    if (database_check_files(ledger->database, error) == -1 || database_begin(ledger->database, error) == -1)
        return -1;
    if (database_end(ledger->database, add_all(ledger, hold, error), error) == -1)
        return -1;
    return database_check_files(ledger->database, error);
}

int ledger_keep_policy(struct ledger *ledger, const char *digest, const char *text, gint64 now,
                       struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database, add_policy(ledger, digest, text, now, error), error);
}

/* ---- pruning */

/* What belongs to a row goes with it: ON DELETE CASCADE. */
static int prune_rows(struct ledger *ledger, gint64 before, struct database_error *error)
{
    g_autoptr(GString) sql =
        g_string_new("DELETE FROM held WHERE id IN (SELECT id FROM held WHERE changed < ?1 AND state IN ");
    row_append_states(sql, LEDGER_CLOSED);
    g_string_append(sql, " LIMIT ?2)");
    const struct parameter parameters[] = {sql_number(before), sql_number(PRUNE_ROWS)};
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
    *removed = 0;
    while (*removed < PRUNE_LIMIT) {
        int count = prune_rows(ledger, before, error);
        if (count == -1)
            return -1;
        *removed += (unsigned)count;
        if (count < PRUNE_ROWS)
            break;
        g_usleep(PRUNE_PAUSE);
    }
    return prune_policies(ledger, before, policy_in_force, error);
}
