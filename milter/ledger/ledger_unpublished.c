/* ledger_unpublished - see ledger_unpublished.h */

#include "milter/ledger/ledger_unpublished.h"

#include "milter/ledger/ledger_private.h"
#include "milter/ledger/ledger_record.h"

void ledger_unpublished_free(gpointer unpublished)
{
    struct ledger_unpublished *one = unpublished;
    g_free(one->record);
    g_free(one->policy);
    g_free(one);
}

/* ---- changes */

int row_changed(struct ledger *ledger, gint64 id, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(id)};
    return rows_changed(ledger, "id = ?1", parameters, G_N_ELEMENTS(parameters), error);
}

int rows_changed(struct ledger *ledger, const char *condition, const struct parameter *parameters, unsigned count,
                 struct database_error *error)
{
    g_autofree char *sql = g_strdup_printf("INSERT INTO unpublished (held, mark) SELECT id, random() FROM held WHERE %s"
                                           " ON CONFLICT (held) DO UPDATE SET mark = excluded.mark",
                                           condition);
    return database_change(ledger->database, sql, parameters, count, error);
}

/* ---- what there is */

static int add_marks(struct ledger *ledger, GPtrArray *found, const char *sql, gint64 limit,
                     struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(limit)};
    struct statement *statement = database_query(ledger->database, sql, parameters, G_N_ELEMENTS(parameters));
    int row;
    while ((row = statement_step(statement, error)) == 1) {
        struct ledger_unpublished *one = g_new0(struct ledger_unpublished, 1);
        one->row = statement_number(statement, 0);
        one->mark = statement_number(statement, 1);
        one->policy = g_strdup(statement_text(statement, 2));
        g_ptr_array_add(found, one);
    }
    statement_reset(statement);
    return row;
}

/* After the marks: a change in between has a new mark, and is published again.  What has gone meanwhile is left out. */
static int add_records(struct ledger *ledger, GPtrArray *found, struct database_error *error)
{
    for (guint i = found->len; i > 0; i--) {
        struct ledger_unpublished *one = g_ptr_array_index(found, i - 1);
        one->record = ledger_record_export(ledger, one->row, error);
        if (one->record == NULL && error->failure != DATABASE_NONE)
            return -1;
        if (one->record == NULL)
            g_ptr_array_remove_index(found, i - 1);
    }
    return 0;
}

#define MARKED "SELECT held.id, mark, policy FROM unpublished CROSS JOIN held ON held.id = unpublished.held"

GPtrArray *ledger_unpublished(struct ledger *ledger, unsigned limit, struct database_error *error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(ledger_unpublished_free);
    g_autoptr(GString) open =
        g_string_new("SELECT held.id, mark, policy FROM held CROSS JOIN unpublished ON unpublished.held = held.id"
                     " WHERE state IN ");
    row_append_states(open, LEDGER_OPEN);
    g_string_append(open, " LIMIT ?1");
    g_autoptr(GString) closed = g_string_new(MARKED " WHERE state IN ");
    row_append_states(closed, LEDGER_CLOSED);
    g_string_append(closed, " ORDER BY unpublished.held DESC LIMIT ?1");
    if (add_marks(ledger, found, open->str, limit, error) == -1 ||
        add_marks(ledger, found, closed->str, (gint64)limit - found->len, error) == -1 ||
        add_records(ledger, found, error) == -1)
        return NULL;
    return g_steal_pointer(&found);
}

int ledger_unpublished_count(struct ledger *ledger, unsigned *count, struct database_error *error)
{
    gint64 number = 0;
    int result = database_number(ledger->database, "SELECT count(*) FROM unpublished", &number, error);
    *count = (unsigned)number;
    return result;
}

/* ---- what is published */

static int set_published(struct ledger *ledger, const char *published, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(published)};
    return database_change(ledger->database, "UPDATE fleet SET published = ?1", parameters, G_N_ELEMENTS(parameters),
                           error);
}

/* If the mark is gone, another exchange has published a newer record, perhaps before this one was written over it. */
static int remove_mark(struct ledger *ledger, const struct ledger_unpublished *one, struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(one->row), sql_number(one->mark)};
    if (database_change(ledger->database, "DELETE FROM unpublished WHERE held = ?1 AND mark = ?2", parameters,
                        G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    return database_changes(ledger->database) > 0 ? 0 : row_changed(ledger, one->row, error);
}

static int remove_marks(struct ledger *ledger, const GPtrArray *unpublished, struct database_error *error)
{
    for (guint i = 0; i < unpublished->len; i++) {
        if (remove_mark(ledger, g_ptr_array_index((GPtrArray *)unpublished, i), error) == -1)
            return -1;
    }
    return 0;
}

int ledger_published(struct ledger *ledger, const GPtrArray *unpublished, const char *published,
                     struct database_error *error)
{
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = remove_marks(ledger, unpublished, error);
    if (result == 0 && published != NULL)
        result = set_published(ledger, published, error);
    return database_end(ledger->database, result, error);
}

/* ---- which database it is */

/* Whether the ledger was published to this very state of it: 1, 0 or -1. */
static int is_known(struct ledger *ledger, const char *incarnation, const char *published, struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(incarnation), sql_text(published)};
    struct statement *statement =
        database_query(ledger->database, "SELECT 1 FROM fleet WHERE incarnation = ?1 AND published IS ?2", parameters,
                       G_N_ELEMENTS(parameters));
    int row = statement_step(statement, error);
    statement_reset(statement);
    return row;
}

/* Within a transaction. */
static int begin_anew(struct ledger *ledger, const char *incarnation, const char *published,
                      struct database_error *error)
{
    const struct parameter parameters[] = {sql_text(incarnation), sql_text(published)};
    if (database_change(ledger->database, "UPDATE fleet SET incarnation = ?1, published = ?2", parameters,
                        G_N_ELEMENTS(parameters), error) == -1)
        return -1;
    return rows_changed(ledger, "true", NULL, 0, error);
}

int ledger_publish_to(struct ledger *ledger, const char *incarnation, const char *published,
                      struct database_error *error)
{
    int known = is_known(ledger, incarnation, published, error);
    if (known != 0)
        return known == 1 ? 0 : -1;
    if (database_begin(ledger->database, error) == -1)
        return -1;
    int result = begin_anew(ledger, incarnation, published, error);
    return database_end(ledger->database, result, error) == -1 ? -1 : 1;
}

/* ---- whether both have the same rows */

/* Goes through both in their order. */
static int compare(struct statement *statement, const GArray *rows, GArray *gone, GArray *lacking,
                   struct database_error *error)
{
    guint next = 0;
    int row;
    while ((row = statement_step(statement, error)) == 1) {
        gint64 id = statement_number(statement, 0);
        for (; next < rows->len && g_array_index(rows, gint64, next) < id; next++)
            g_array_append_val(gone, g_array_index(rows, gint64, next));
        if (next < rows->len && g_array_index(rows, gint64, next) == id)
            next++;
        else
            g_array_append_val(lacking, id);
    }
    statement_reset(statement);
    for (; row == 0 && next < rows->len; next++)
        g_array_append_val(gone, g_array_index(rows, gint64, next));
    return row;
}

static int mark_all(struct ledger *ledger, const GArray *rows, struct database_error *error)
{
    for (guint i = 0; i < rows->len; i++) {
        if (row_changed(ledger, g_array_index(rows, gint64, i), error) == -1)
            return -1;
    }
    return 0;
}

int ledger_compare_published(struct ledger *ledger, gint64 first, gint64 last, const GArray *rows, GArray *gone,
                             struct database_error *error)
{
    const struct parameter parameters[] = {sql_number(first), sql_number(last)};
    g_autoptr(GArray) lacking = g_array_new(FALSE, FALSE, sizeof(gint64));
    struct statement *statement =
        database_query(ledger->database, "SELECT id FROM held WHERE id BETWEEN ?1 AND ?2 ORDER BY id", parameters,
                       G_N_ELEMENTS(parameters));
    if (compare(statement, rows, gone, lacking, error) == -1)
        return -1;
    if (lacking->len == 0)
        return 0;
    if (database_begin(ledger->database, error) == -1)
        return -1;
    return database_end(ledger->database, mark_all(ledger, lacking, error), error);
}
