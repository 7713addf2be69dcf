/* ledger_hold - adding the rows of held messages, many in one transaction; see ledger.h */

#include "milter/ledger/ledger_private.h"
#include "milter/ledger/ledger_time.h"
#include "milter/ledger/schema.h"

#include <string.h>

/* Rows of parties that one statement adds: each message takes the largest that fit, so that few texts serve all. */
static const unsigned party_rows[] = {32, 8, 4, 2, 1};
G_STATIC_ASSERT(G_N_ELEMENTS(party_rows) == LEDGER_PARTY_STATEMENTS);
#define PARTY_ROWS_LIMIT 32
#define PARTY_COLUMNS    6

/* The text is written once: most messages are held by a policy that is there. */
int row_add_policy(struct ledger *ledger, const char *digest, const char *text, gint64 now,
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

/* When it is released, if its rule says so. */
static gint64 leaves_at(const struct ledger_message *message)
{
    const struct action_terms *terms = &message->terms;
    return terms->release == RELEASE_AFTER ? message->judged + terms->release_after * G_TIME_SPAN_SECOND : 0;
}

static int add_row(struct ledger *ledger, const struct ledger_message *message, gint64 *id,
                   struct database_error *error)
{
    const struct exposure_counts *counts = &message->counts;
    const struct action_terms *terms = &message->terms;
    bool expires = terms->expire != EXPIRE_AS_CONFIGURED;
    char inside[INSIDE_TEXT_SIZE];
    inside_counts_text(&message->inside, inside);
    const struct parameter parameters[] = {sql_text(message->queue_id),
                                           sql_text(mta_word(message->mta)),
                                           sql_number(message->began),
                                           sql_number(message->judged),
                                           sql_text(message->message_id),
                                           sql_text(message->sender),
                                           sql_text(message->user),
                                           sql_text(message->client),
                                           sql_text(message->subject),
                                           sql_text(message->rule),
                                           sql_number(message->line),
                                           sql_text(message->text),
                                           sql_text(message->policy),
                                           sql_number(counts->visible),
                                           sql_number(counts->parties),
                                           sql_number(counts->domains),
                                           sql_number(counts->internal),
                                           sql_number(counts->hidden),
                                           sql_number(counts->recipients),
                                           sql_number(counts->defects),
                                           sql_number(MAX(message->approvals, 1)),
                                           sql_text(message->author),
                                           sql_number(leaves_at(message)),
                                           sql_text(message->sent_by),
                                           expires ? sql_number(terms->expire_after) : sql_text(NULL),
                                           sql_text(expire_way_name(terms->expire)),
                                           sql_text(inside[0] == '\0' ? NULL : inside),
                                           sql_number(message->inside.opaque),
                                           sql_text(message->instance)};
    if (database_change(
            ledger->database,
            "INSERT INTO held (queue_id, mta, began, judged, message_id, sender, user, client, subject,"
            " rule, line, text, policy, visible, parties, domains, internal, hidden, recipients, defects,"
            " approvals, author, leaves, sent_by, expire, expire_action, inside, opaque, instance, state, changed)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"
            " ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, 'pending', ?4)",
            parameters, G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    *id = database_last_row(ledger->database);
    return row_changed(ledger, *id, error);
}

/* The statement that adds so many parties. */
static const char *party_statement(struct ledger *ledger, unsigned kind)
{
    if (ledger->party_statements[kind] != NULL)
        return ledger->party_statements[kind];
    GString *sql = g_string_new("INSERT INTO party (held, class, name, individuals, people, parties) VALUES ");
    for (unsigned i = 0; i < party_rows[kind]; i++)
        g_string_append(sql, i == 0 ? "(?, ?, ?, ?, ?, ?)" : ", (?, ?, ?, ?, ?, ?)");
    ledger->party_statements[kind] = g_string_free(sql, FALSE);
    return ledger->party_statements[kind];
}

static void set_party(struct parameter *parameters, gint64 id, const struct ledger_party *party)
{
    const struct parameter columns[PARTY_COLUMNS] = {sql_number(id),
                                                     sql_text(party->class_name),
                                                     sql_text(party->name),
                                                     sql_number(party->individuals),
                                                     sql_number(party->people),
                                                     sql_number(party->parties)};
    memcpy(parameters, columns, sizeof columns);
}

static int add_parties(struct ledger *ledger, gint64 id, const GPtrArray *parties, struct database_error *error)
{
    struct parameter parameters[PARTY_ROWS_LIMIT * PARTY_COLUMNS];
    guint next = 0;
    for (unsigned kind = 0; kind < G_N_ELEMENTS(party_rows); kind++) {
        unsigned rows = party_rows[kind];
        while (parties->len - next >= rows) {
            for (unsigned i = 0; i < rows; i++)
                set_party(&parameters[i * PARTY_COLUMNS], id, g_ptr_array_index(parties, next++));
            if (database_change(ledger->database, party_statement(ledger, kind), parameters, rows * PARTY_COLUMNS,
                                error) == -1)
                return -1;
        }
    }
    return 0;
}

static int add_inside(struct ledger *ledger, gint64 id, const GArray *inside, struct database_error *error)
{
    for (guint i = 0; inside != NULL && i < inside->len; i++) {
        const struct kept_inside *kept = &g_array_index(inside, struct kept_inside, i);
        const struct parameter parameters[] = {sql_number(id), sql_text(kept->test), sql_number(kept->value)};
        if (database_change(ledger->database, "INSERT INTO inside_test (held, test, value) VALUES (?1, ?2, ?3)",
                            parameters, G_N_ELEMENTS(parameters), error) == -1)
            return -1;
    }
    return 0;
}

/* The author of a message that a stranger or a program sent gets no notice, and the row says so. */
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

/* A transaction writes the policy of its rows once, which is nearly always the same. */
static int add_policy_once(struct ledger *ledger, const struct ledger_hold *hold, struct database_error *error)
{
    const char *digest = hold->message->policy;
    if (g_strcmp0(ledger->policy_added, digest) == 0)
        return 0;
    if (row_add_policy(ledger, digest, hold->policy_text, hold->message->judged, error) == -1)
        return -1;
    g_free(ledger->policy_added);
    ledger->policy_added = g_strdup(digest);
    return 0;
}

/* In the same transaction: what it held would have left by itself, and its author's other messages too. */
static int end_delays(struct ledger *ledger, gint64 id, const struct ledger_hold *hold, struct database_error *error)
{
    const struct ledger_message *message = hold->message;
    const struct ledger_trip trip = {message->sent_by, message->rule, message->judged, hold->window};
    return ledger_end_delays(ledger, &trip, id, error);
}

static int add_all(struct ledger *ledger, const struct ledger_hold *hold, gint64 *id, struct database_error *error)
{
    if (add_policy_once(ledger, hold, error) == -1 || add_row(ledger, hold->message, id, error) == -1 ||
        add_parties(ledger, *id, hold->parties, error) == -1 || add_inside(ledger, *id, hold->inside, error) == -1 ||
        (hold->remembered != NULL && row_add_remembered(ledger, *id, hold->remembered, error) == -1))
        return -1;
    if (hold->window > 0 && end_delays(ledger, *id, hold, error) == -1)
        return -1;
    return hold->notice ? add_notice(ledger, *id, hold, error) : 0;
}

/* ---- groups */

/* The files were written by somebody else: another program of ours, or one that damages them. */
static int check_changed(struct ledger *ledger, struct database_error *error)
{
    gint64 application = 0;
    if (database_check_log(ledger->database, error) == -1 ||
        database_number(ledger->database, "PRAGMA application_id", &application, error) == -1)
        return -1;
    if (application == SCHEMA_APPLICATION)
        return 0;
    ledger->damaged = true;
    return database_error_set(error, DATABASE_CORRUPT, "%s: its first page is lost", database_path(ledger->database));
}

int ledger_group_begin(struct ledger *ledger, struct database_error *error)
{
    g_clear_pointer(&ledger->policy_added, g_free);
    /* What is written into a file that has no name any more is lost: so before, and once it is written. */
    if (database_check_files(ledger->database, error) == -1)
        return -1;
    enum database_change change = database_files_changed(ledger->database);
    if (change == DATABASE_SHORTER) /* perhaps by VACUUM: who opens it anew finds out */
        return database_error_set(error, DATABASE_CORRUPT, "%s is shorter than it was",
                                  database_path(ledger->database));
    if (database_begin(ledger->database, error) == -1)
        return -1;
    if (database_check_index(ledger->database, error) == 0 &&
        (change == DATABASE_SAME || check_changed(ledger, error) == 0))
        return 0;
    database_rollback(ledger->database);
    return -1;
}

bool ledger_is_damaged(const struct ledger *ledger)
{
    return ledger->damaged || database_lost_log(ledger->database);
}

int ledger_group_add(struct ledger *ledger, const struct ledger_hold *hold, gint64 *id, struct database_error *error)
{
    struct database *database = ledger->database;
    if (database_change(database, "SAVEPOINT one", NULL, 0, error) == -1)
        return -1;
    if (add_all(ledger, hold, id, error) == 0)
        return database_change(database, "RELEASE one", NULL, 0, error);
    struct database_error another; /* the first one says what was wrong */
    g_clear_pointer(&ledger->policy_added, g_free);
    if (database_change(database, "ROLLBACK TO one", NULL, 0, &another) == -1 ||
        database_change(database, "RELEASE one", NULL, 0, &another) == -1)
        database_rollback(database);
    return -1;
}

bool ledger_group_goes_on(const struct ledger *ledger, const struct database_error *error)
{
    return error->failure == DATABASE_OTHER && database_in_transaction(ledger->database);
}

int ledger_group_void(struct ledger *ledger, const struct ledger_void *row, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(row->id), sql_text(row->queue_id), sql_number(row->judged)};
    return database_change(ledger->database, "DELETE FROM held WHERE id = ?1 AND queue_id = ?2 AND judged = ?3",
                           parameters, G_N_ELEMENTS(parameters), error);
}

int ledger_group_end(struct ledger *ledger, struct database_error *error)
{
    if (database_commit(ledger->database, error) == -1)
        return -1;
    database_files_known(ledger->database);
    return database_check_files(ledger->database, error);
}

void ledger_group_cancel(struct ledger *ledger)
{
    database_rollback(ledger->database);
}

int ledger_hold(struct ledger *ledger, const struct ledger_hold *hold, struct database_error *error)
{
    gint64 id;
    if (ledger_group_begin(ledger, error) == -1)
        return -1;
    if (ledger_group_add(ledger, hold, &id, error) == 0)
        return ledger_group_end(ledger, error);
    ledger_group_cancel(ledger);
    return -1;
}
