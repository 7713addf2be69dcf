/* state_windows - the records of windows, in a file of a state; see state_file_private.h */

#include "milter/state/state_file_private.h"

static int delete_record(struct state_file *file, state_hash id)
{
    const struct parameter parameters[] = {state_file_hash(id)};
    return state_file_change(file, "DELETE FROM record WHERE id = ?1", parameters, G_N_ELEMENTS(parameters));
}

static int keep_record(struct state_file *file, const struct state_record *record)
{
    int result = delete_record(file, record->id);
    for (unsigned i = 0; result == 0 && i < record->count; i++) {
        const struct state_values *values = &record->values[i];
        const struct parameter parameters[] = {
            state_file_hash(record->author),  state_file_hash(values->signature),
            sql_number(record->time),         state_file_hash(record->id),
            state_file_hash(record->subject), sql_bytes(values->values, values->count * sizeof(state_hash))};
        result = state_file_change(file,
                                   "INSERT INTO record (author, signature, at, id, subject, hashes)"
                                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                                   parameters, G_N_ELEMENTS(parameters));
    }
    return result;
}

/* They are spread evenly, by a key that nobody knows: each one's own bits are its place. */
static guint32 distinct(const GArray *hashes)
{
    guint32 count = 0;
    gsize size = 16;
    while (size < 2 * (gsize)hashes->len)
        size *= 2;
    g_autofree state_hash *seen = g_new0(state_hash, size);
    for (guint i = 0; i < hashes->len; i++) {
        state_hash hash = g_array_index(hashes, state_hash, i);
        gsize place = hash & (size - 1);
        while (seen[place] != 0 && seen[place] != hash)
            place = (place + 1) & (size - 1);
        count += seen[place] != hash;
        seen[place] = hash;
    }
    return count;
}

/* The record's own values and those of the author's other records in the time, the latest first. */
static int answer(struct state_file *file, const struct state_record *record, struct state_window *window)
{
    const struct state_values *own = &record->values[window->values];
    g_autoptr(GArray) hashes = state_file_list(own->values, own->count);

    const struct parameter parameters[] = {state_file_hash(record->author), state_file_hash(own->signature),
                                           sql_number(record->time - (gint64)window->seconds),
                                           state_file_hash(record->id),
                                           state_file_hash(window->alike ? record->subject : 0)};
    struct statement *statement = database_query(file->database,
                                                 "SELECT hashes FROM record WHERE author = ?1 AND signature = ?2"
                                                 " AND at >= ?3 AND id <> ?4 AND (?5 = 0 OR subject IN (0, ?5))"
                                                 " ORDER BY at DESC",
                                                 parameters, G_N_ELEMENTS(parameters));
    int row = 1;
    while (hashes->len <= STATE_READ_LIMIT && (row = statement_step(statement, &file->error)) == 1)
        state_file_read(statement, 0, hashes);
    statement_reset(statement);
    if (row == -1)
        return -1;

    bool bound = hashes->len > STATE_READ_LIMIT;
    guint32 value = bound ? 0 : distinct(hashes);
    window->value = bound || value > STATE_WINDOW_LIMIT ? STATE_WINDOW_MANY : value;
    return 0;
}

/* Written before it is read: of two that do it at once the second sees the first.  Within a transaction: 0 or -1. */
int state_windows_ask(struct state_file *file, const struct state_record *record, bool keep,
                      struct state_window *windows, unsigned count)
{
    int result = keep ? keep_record(file, record) : 0;
    for (unsigned i = 0; result == 0 && i < count; i++)
        result = answer(file, record, &windows[i]);
    return result;
}

enum state_outcome state_windows_outcome(const struct state_window *windows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (windows[i].value == STATE_WINDOW_MANY)
            return STATE_BOUND;
    }
    return STATE_OK;
}

enum state_outcome state_windows_of(void *data, const struct state_record *record, bool keep,
                                    struct state_window *windows, unsigned count)
{
    struct state_file *file = data;
    int result = state_file_begin(file);
    if (result == 0)
        result = state_windows_ask(file, record, keep, windows, count);
    return state_file_end(file, result) == -1 ? STATE_AWAY : state_windows_outcome(windows, count);
}

enum state_outcome state_windows_withdraw(void *data, state_hash id)
{
    struct state_file *file = data;
    int result = state_file_begin(file);
    if (result == 0)
        result = delete_record(file, id);
    return state_file_end(file, result) == -1 ? STATE_AWAY : STATE_OK;
}

static void row_clear(gpointer data)
{
    g_array_unref(((struct state_row *)data)->hashes);
}

/* The order is that of the index of the times, which goes on with the primary key. */
GArray *state_file_rows(struct state_file *file, const struct state_row *after, unsigned count)
{
    const struct parameter parameters[] = {sql_number(after->time), state_file_hash(after->author),
                                           state_file_hash(after->signature), state_file_hash(after->id),
                                           sql_number(count)};
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct state_row));
    g_array_set_clear_func(rows, row_clear);
    int result = state_file_begin(file), step = -1;
    struct statement *statement = result == -1
                                      ? NULL
                                      : database_query(file->database,
                                                       "SELECT at, author, signature, id, subject, hashes FROM record"
                                                       " WHERE (at, author, signature, id) > (?1, ?2, ?3, ?4)"
                                                       " ORDER BY at, author, signature, id LIMIT ?5",
                                                       parameters, G_N_ELEMENTS(parameters));
    while (statement != NULL && (step = statement_step(statement, &file->error)) == 1) {
        struct state_row row = {.time = statement_number(statement, 0),
                                .author = (state_hash)statement_number(statement, 1),
                                .signature = (state_hash)statement_number(statement, 2),
                                .id = (state_hash)statement_number(statement, 3),
                                .subject = (state_hash)statement_number(statement, 4),
                                .hashes = state_file_list(NULL, 0)};
        state_file_read(statement, 5, row.hashes);
        g_array_append_val(rows, row);
    }
    if (statement != NULL)
        statement_reset(statement);
    if (state_file_end(file, result == -1 ? -1 : step) == -1)
        g_clear_pointer(&rows, g_array_unref);
    return rows;
}
