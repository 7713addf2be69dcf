/* ledger_read - reading the ledger; see ledger.h */

#include "milter/ledger/ledger_private.h"
#include "policy/engine/kept_policy.h"

#include <string.h>

/* ---- one row */

void ledger_message_clear(struct ledger_message *message)
{
    char *strings[] = {message->queue_id, message->message_id, message->sender,  message->user,
                       message->client,   message->subject,    message->rule,    message->text,
                       message->policy,   message->author,     message->sent_by, message->instance};
    for (unsigned i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    *message = (struct ledger_message){.queue_id = NULL};
}

void ledger_row_free(struct ledger_row *row)
{
    if (row == NULL)
        return;
    ledger_message_clear(&row->message);
    g_free(row->who);
    g_free(row->reason);
    g_free(row->stopped);
    g_free(row->requeued);
    g_free(row->former);
    g_free(row->node);
    g_free(row);
}

static unsigned count_of(struct statement *statement, int column)
{
    return (unsigned)statement_number(statement, column);
}

static char *text_of(struct statement *statement, int column)
{
    return g_strdup(statement_text(statement, column));
}

static enum expire_way expiry_of(const char *word)
{
    if (g_strcmp0(word, expire_way_name(EXPIRE_RETURN)) == 0)
        return EXPIRE_RETURN;
    return g_strcmp0(word, expire_way_name(EXPIRE_DELETE)) == 0 ? EXPIRE_DELETE : EXPIRE_AS_CONFIGURED;
}

/* What was known when it was held; gives the column after it. */
static int read_message(struct statement *statement, int column, struct ledger_message *message)
{
    message->queue_id = text_of(statement, column++);
    message->mta = mta_find(statement_text(statement, column++));
    message->began = statement_number(statement, column++);
    message->judged = statement_number(statement, column++);
    message->message_id = text_of(statement, column++);
    message->sender = text_of(statement, column++);
    message->user = text_of(statement, column++);
    message->client = text_of(statement, column++);
    message->subject = text_of(statement, column++);
    message->rule = text_of(statement, column++);
    message->line = count_of(statement, column++);
    message->text = text_of(statement, column++);
    message->policy = text_of(statement, column++);
    message->counts.visible = count_of(statement, column++);
    message->counts.parties = count_of(statement, column++);
    message->counts.domains = count_of(statement, column++);
    message->counts.internal = count_of(statement, column++);
    message->counts.hidden = count_of(statement, column++);
    message->counts.recipients = count_of(statement, column++);
    message->counts.defects = count_of(statement, column++);
    message->approvals = count_of(statement, column++);
    message->author = text_of(statement, column++);
    return column;
}

static void *row_of(struct statement *statement)
{
    struct ledger_row *row = g_new0(struct ledger_row, 1);
    row->id = statement_number(statement, 0);
    int column = read_message(statement, 1, &row->message);
    int state = row_state(statement_text(statement, column++)); /* the table's CHECK lets in no other word */
    row->state = state == -1 ? LEDGER_PENDING : (enum ledger_state)state;
    row->changed = statement_number(statement, column++);
    row->arrival = statement_number(statement, column++);
    row->who = text_of(statement, column++);
    row->uid = (uid_t)statement_number(statement, column++);
    row->since = statement_number(statement, column++);
    row->process = (pid_t)statement_number(statement, column++);
    row->reason = text_of(statement, column++);
    row->requeued = text_of(statement, column++);
    row->size = statement_number(statement, column++);
    row->former = text_of(statement, column++);
    row->way = ledger_way_find(statement_text(statement, column++));
    row->leaves = statement_number(statement, column++);
    row->stopped = text_of(statement, column++);
    row->expire = count_of(statement, column++);
    row->expiry = expiry_of(statement_text(statement, column++));
    row->announced = statement_number(statement, column++);
    const char *inside = statement_text(statement, column++);
    row->message.inside = inside_counts_parse(inside, count_of(statement, column++));
    row->node = text_of(statement, column++);
    row->message.instance = text_of(statement, column++);
    row->granted = count_of(statement, column);
    return row;
}

/* The first row of a statement; NULL with DATABASE_NONE if there is none. */
static struct ledger_row *first_row(struct statement *statement, struct database_error *error)
{
    int result = statement_step(statement, error);
    struct ledger_row *row = result == 1 ? row_of(statement) : NULL;
    if (result == 0)
        database_error_set(error, DATABASE_NONE, "there is no such row");
    statement_reset(statement);
    return row;
}

struct ledger_row *ledger_get(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    return first_row(database_query(ledger->database, "SELECT " ROW_COLUMNS " FROM held WHERE id = ?1", parameters,
                                    G_N_ELEMENTS(parameters)),
                     error);
}

struct ledger_row *ledger_released_before(struct ledger *ledger, const struct ledger_row *row,
                                          struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(row->message.message_id), sql_number(row->id)};
    return first_row(database_query(ledger->database,
                                    "SELECT " ROW_COLUMNS " FROM held WHERE message_id = ?1 AND message_id <> ''"
                                    " AND state = 'released' AND id < ?2 ORDER BY id DESC LIMIT 1",
                                    parameters, G_N_ELEMENTS(parameters)),
                     error);
}

/* ---- arrays */

/* What `make` makes of each row of a statement; NULL after a failure. */
static GPtrArray *collect(struct statement *statement, void *(*make)(struct statement *statement),
                          GDestroyNotify destroy, struct database_error *error)
{
    GPtrArray *array = g_ptr_array_new_with_free_func(destroy);
    int row;
    while ((row = statement_step(statement, error)) == 1)
        g_ptr_array_add(array, make(statement));
    statement_reset(statement);
    if (row == 0)
        return array;
    g_ptr_array_unref(array);
    return NULL;
}

GPtrArray *row_collect(struct statement *statement, struct database_error *error)
{
    return collect(statement, row_of, (GDestroyNotify)ledger_row_free, error);
}

/* The same parameters whatever is set, as far as the last one that is used; ?3 is the length of a domain with its `@`.
 */
static void append_conditions(GString *sql, const struct ledger_filter *filter)
{
    g_string_append(sql, " FROM held WHERE judged >= ?1 AND (?2 = 0 OR judged < ?2)");
    if (filter->sender != NULL)
        g_string_append(sql, filter->sender[0] == '@' ? " AND substr(sender, -?3) = ?4 COLLATE NOCASE"
                                                      : " AND sender = ?4 COLLATE NOCASE");
    if (filter->rule != NULL)
        g_string_append(sql, " AND rule = ?5");
    if (filter->states != 0) {
        g_string_append(sql, " AND state IN ");
        row_append_states(sql, filter->states);
    }
}

static struct statement *query_filtered(struct ledger *ledger, const char *sql, const struct ledger_filter *filter)
{
    const char *sender = filter->sender;
    const struct parameter parameters[] = {sql_number(filter->since), sql_number(filter->until),
                                           sql_number(sender == NULL ? 0 : g_utf8_strlen(sender, -1)), sql_text(sender),
                                           sql_text(filter->rule)};
    return database_query(ledger->database, sql, parameters, filter->rule != NULL ? 5 : sender != NULL ? 4 : 2);
}

GPtrArray *ledger_list(struct ledger *ledger, const struct ledger_filter *filter, struct database_error *error)
{
    g_autoptr(GString) sql = g_string_new("SELECT " ROW_COLUMNS);
    append_conditions(sql, filter);
    g_string_append(sql, filter->oldest_first ? " ORDER BY judged, id" : " ORDER BY judged DESC, id DESC");
    if (filter->limit != 0)
        g_string_append_printf(sql, " LIMIT %u", filter->limit);
    return row_collect(query_filtered(ledger, sql->str, filter), error);
}

int ledger_count(struct ledger *ledger, const struct ledger_filter *filter, unsigned *count, gint64 *oldest,
                 struct database_error *error)
{
    g_autoptr(GString) sql = g_string_new("SELECT count(*), ifnull(min(judged), 0)");
    append_conditions(sql, filter);
    struct statement *statement = query_filtered(ledger, sql->str, filter);
    int row = statement_step(statement, error);
    if (row == 1) {
        *count = count_of(statement, 0);
        *oldest = statement_number(statement, 1);
    }
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}

GPtrArray *ledger_find(struct ledger *ledger, const char *queue_id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(queue_id)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT " ROW_COLUMNS
                       " FROM held WHERE queue_id = ?1 OR requeued = ?1 OR former = ?1 ORDER BY judged DESC, id DESC",
                       parameters, G_N_ELEMENTS(parameters));
    return row_collect(statement, error);
}

/* No MTA takes longer to take one message, in microseconds: a bound of what is read, for most rows were never seen. */
#define TAKING_LIMIT G_TIME_SPAN_DAY

GPtrArray *ledger_arrived(struct ledger *ledger, const char *sender, gint64 seconds, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(sender), sql_number(seconds * G_USEC_PER_SEC),
                                           sql_number((seconds + 1) * G_USEC_PER_SEC - 1), sql_number(TAKING_LIMIT)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT " ROW_COLUMNS " FROM held WHERE sender = ?1 AND (arrival BETWEEN ?2 AND ?3 OR"
                       " arrival = 0 AND judged BETWEEN ?2 - 1000000 AND ?3 + ?4 AND began < ?3 + 1000000) ORDER BY id",
                       parameters, G_N_ELEMENTS(parameters));
    return row_collect(statement, error);
}

void ledger_party_free(struct ledger_party *party)
{
    g_free(party->class_name);
    g_free(party->name);
    g_free(party);
}

static void *make_party(struct statement *statement)
{
    struct ledger_party *party = g_new0(struct ledger_party, 1);
    party->class_name = text_of(statement, 0);
    party->name = text_of(statement, 1);
    party->individuals = statement_number(statement, 2) != 0;
    party->people = count_of(statement, 3);
    party->parties = count_of(statement, 4);
    return party;
}

GPtrArray *ledger_parties(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT class, name, individuals, people, parties FROM party WHERE held = ?1"
                       " ORDER BY class = 'internal', name IS NULL, people DESC, name",
                       parameters, G_N_ELEMENTS(parameters));
    return collect(statement, make_party, (GDestroyNotify)ledger_party_free, error);
}

GArray *ledger_inside(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    struct statement *statement =
        database_query(ledger->database, "SELECT test, value FROM inside_test WHERE held = ?1 ORDER BY rowid",
                       parameters, G_N_ELEMENTS(parameters));
    GArray *inside = kept_inside_new();
    int row;
    while ((row = statement_step(statement, error)) == 1) {
        const struct kept_inside kept = {text_of(statement, 0), count_of(statement, 1)};
        g_array_append_val(inside, kept);
    }
    statement_reset(statement);
    if (row == 0)
        return inside;
    g_array_unref(inside);
    return NULL;
}

static void event_free(struct ledger_event *event)
{
    g_free(event->queue_id);
    g_free(event->instance);
    g_free(event->who);
    g_free(event->action);
    g_free(event->reason);
    g_free(event->detail);
    g_free(event->node);
    g_free(event);
}

static void *make_event(struct statement *statement)
{
    struct ledger_event *event = g_new0(struct ledger_event, 1);
    event->id = statement_number(statement, 0);
    event->row = statement_number(statement, 1);
    event->queue_id = text_of(statement, 2);
    event->when = statement_number(statement, 3);
    event->who = text_of(statement, 4);
    event->uid = (uid_t)statement_number(statement, 5);
    event->action = text_of(statement, 6);
    event->reason = text_of(statement, 7);
    event->detail = text_of(statement, 8);
    event->way = ledger_way_find(statement_text(statement, 9));
    event->node = text_of(statement, 10);
    event->instance = text_of(statement, 11);
    return event;
}

GPtrArray *ledger_history(struct ledger *ledger, gint64 id, gint64 since, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id), sql_number(since)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT history.id, held, queue_id, at, history.who, history.uid, action, history.reason,"
                       " detail, history.way, history.node, instance FROM history JOIN held ON held.id = held"
                       " WHERE (?1 = 0 OR held = ?1) AND at >= ?2 ORDER BY at, history.id",
                       parameters, G_N_ELEMENTS(parameters));
    return collect(statement, make_event, (GDestroyNotify)event_free, error);
}

static void *make_text(struct statement *statement)
{
    return text_of(statement, 0);
}

GPtrArray *ledger_approvals(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    struct statement *statement =
        database_query(ledger->database, "SELECT login FROM approval WHERE held = ?1 ORDER BY at, rowid", parameters,
                       G_N_ELEMENTS(parameters));
    return collect(statement, make_text, g_free, error);
}

char *ledger_policy_text(struct ledger *ledger, const char *digest, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(digest)};
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT text FROM policy WHERE substr(digest, 1, length(?1)) = ?1 AND length(?1) >= 12"
                       " ORDER BY last DESC LIMIT 1",
                       parameters, G_N_ELEMENTS(parameters));
    int row = statement_step(statement, error);
    char *text = row == 1 ? text_of(statement, 0) : NULL;
    if (row == 0)
        database_error_set(error, DATABASE_NONE, "there is no policy with the digest %s", digest);
    statement_reset(statement);
    return text;
}
