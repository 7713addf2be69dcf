/* state_permits - refusals that can be overridden, in a file of a state; see state_file_private.h */

#include "milter/state/state_file_private.h"

/* Those that are over, and the oldest of an author who would have too many. */
static int drop_permits(struct state_file *file, state_hash author, gint64 time)
{
    const struct parameter over[] = {sql_number(time - STATE_PERMIT_KNOWN)};
    const struct parameter many[] = {state_file_hash(author), sql_number(STATE_PERMITS_LIMIT - 1)};
    if (state_file_change(file, "DELETE FROM permit WHERE until < ?1", over, G_N_ELEMENTS(over)) == -1)
        return -1;
    return state_file_change(file,
                             "DELETE FROM permit WHERE code IN"
                             " (SELECT code FROM permit WHERE author = ?1 ORDER BY at DESC, code LIMIT -1 OFFSET ?2)",
                             many, G_N_ELEMENTS(many));
}

enum state_outcome state_permits_add(void *data, const struct state_permit *permit)
{
    struct state_file *file = data;
    if (permit->count > STATE_PERMIT_LIMIT)
        return STATE_BOUND;
    g_autoptr(GArray) visible = state_file_list(permit->visible, permit->count);
    g_array_sort(visible, state_file_compare);
    const struct parameter parameters[] = {state_file_hash(permit->code),   state_file_hash(permit->rule),
                                           state_file_hash(permit->author), sql_number(permit->time),
                                           sql_number(permit->until),       state_file_hashes(visible)};
    int result = state_file_begin(file);
    if (result == 0)
        result = drop_permits(file, permit->author, permit->time);
    if (result == 0)
        result = state_file_change(file,
                                   /* No two of an author at one time: which is the oldest, is known then. */
                                   "INSERT OR REPLACE INTO permit (code, rule, author, at, until, visible)"
                                   " SELECT ?1, ?2, ?3, max(?4, ifnull(max(at), 0) + 1), ?5, ?6 FROM permit"
                                   " WHERE author = ?3",
                                   parameters, G_N_ELEMENTS(parameters));
    return state_file_end(file, result) == -1 ? STATE_AWAY : STATE_OK;
}

static bool is_within(const struct state_claim *claim, GArray *visible)
{
    for (unsigned i = 0; i < claim->count; i++) {
        if (!g_array_binary_search(visible, &claim->visible[i], state_file_compare, NULL))
            return false;
    }
    return true;
}

/* What comes of a claim, and of which rule its permit is: 0 or -1. */
static int look_at_permit(struct state_file *file, const struct state_claim *claim, enum state_claimed *claimed,
                          state_hash *rule)
{
    const struct parameter parameters[] = {state_file_hash(claim->code)};
    struct statement *statement =
        database_query(file->database, "SELECT rule, author, until, taken, visible FROM permit WHERE code = ?1",
                       parameters, G_N_ELEMENTS(parameters));
    g_autoptr(GArray) visible = state_file_list(NULL, 0);
    int row = statement_step(statement, &file->error);
    *claimed = CLAIM_UNKNOWN;
    if (row == 1) {
        state_hash taken = (state_hash)statement_number(statement, 3);
        *rule = (state_hash)statement_number(statement, 0);
        state_file_read(statement, 4, visible);
        *claimed = (state_hash)statement_number(statement, 1) != claim->author ? CLAIM_AUTHOR
                   : claim->time > statement_number(statement, 2)              ? CLAIM_LATE
                   : taken != 0 && taken != claim->message                     ? CLAIM_USED
                   : !is_within(claim, visible)                                ? CLAIM_LARGER
                                                                               : CLAIM_TAKEN;
    }
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}

enum state_outcome state_permits_claim(void *data, const struct state_claim *claim, enum state_claimed *claimed,
                                       state_hash *rule)
{
    struct state_file *file = data;
    const struct parameter parameters[] = {state_file_hash(claim->code), state_file_hash(claim->message)};
    int result = state_file_begin(file);
    if (result == 0)
        result = look_at_permit(file, claim, claimed, rule);
    if (result == 0 && *claimed == CLAIM_TAKEN)
        result = state_file_change(file, "UPDATE permit SET taken = ?2 WHERE code = ?1", parameters,
                                   G_N_ELEMENTS(parameters));
    result = state_file_end(file, result);
    if (result == -1 || *claimed != CLAIM_TAKEN)
        *rule = 0;
    return result == -1 ? STATE_AWAY : STATE_OK;
}

enum state_outcome state_permits_give_back(void *data, state_hash code, state_hash message)
{
    struct state_file *file = data;
    const struct parameter parameters[] = {state_file_hash(code), state_file_hash(message)};
    int result = state_file_begin(file);
    if (result == 0)
        result = state_file_change(file, "UPDATE permit SET taken = 0 WHERE code = ?1 AND taken = ?2", parameters,
                                   G_N_ELEMENTS(parameters));
    return state_file_end(file, result) == -1 ? STATE_AWAY : STATE_OK;
}

GArray *state_file_overridden(struct state_file *file, gint64 since)
{
    const struct parameter parameters[] = {sql_number(since)};
    GArray *rules = g_array_new(FALSE, FALSE, sizeof(state_hash));
    int result = state_file_begin(file), row = -1;
    struct statement *statement =
        result == -1 ? NULL
                     : database_query(file->database, "SELECT rule FROM permit WHERE taken <> 0 AND at >= ?1",
                                      parameters, G_N_ELEMENTS(parameters));
    while (statement != NULL && (row = statement_step(statement, &file->error)) == 1) {
        const state_hash rule = (state_hash)statement_number(statement, 0);
        g_array_append_val(rules, rule);
    }
    if (statement != NULL)
        statement_reset(statement);
    if (state_file_end(file, result == -1 ? -1 : row) == -1)
        g_clear_pointer(&rules, g_array_unref);
    return rules;
}

/* The codes of the permits that hold these bytes; of some they are across two hashes. */
static GArray *codes_with(struct state_file *file, state_hash hash)
{
    const struct parameter bytes[] = {sql_bytes(&hash, sizeof hash)};
    struct statement *statement = database_query(
        file->database, "SELECT code, visible FROM permit WHERE instr(visible, ?1) > 0", bytes, G_N_ELEMENTS(bytes));
    GArray *codes = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GArray) visible = state_file_list(NULL, 0);
    int row;
    while ((row = statement_step(statement, &file->error)) == 1) {
        const gint64 code = statement_number(statement, 0);
        g_array_set_size(visible, 0);
        state_file_read(statement, 1, visible);
        if (g_array_binary_search(visible, &hash, state_file_compare, NULL))
            g_array_append_val(codes, code);
    }
    statement_reset(statement);
    if (row == -1)
        g_clear_pointer(&codes, g_array_unref);
    return codes;
}

int state_permits_forget(struct state_file *file, state_hash hash, unsigned *gone)
{
    const struct parameter author[] = {state_file_hash(hash)};
    if (state_file_change(file, "DELETE FROM permit WHERE author = ?1", author, G_N_ELEMENTS(author)) == -1)
        return -1;
    *gone += (unsigned)database_changes(file->database);
    g_autoptr(GArray) codes = codes_with(file, hash);
    for (guint i = 0; codes != NULL && i < codes->len; i++) {
        const struct parameter code[] = {sql_number(g_array_index(codes, gint64, i))};
        if (state_file_change(file, "DELETE FROM permit WHERE code = ?1", code, G_N_ELEMENTS(code)) == -1)
            return -1;
    }
    *gone += codes != NULL ? codes->len : 0;
    return codes == NULL ? -1 : 0;
}
