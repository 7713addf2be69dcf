/* site_state - see site_state.h */

#include "milter/state/site_state.h"

#include "milter/state/state_database.h"
#include "milter/state/state_key_file.h"

#include <unistd.h>

/* Milliseconds that a command waits until it has connected to the database, and for each call. */
#define DATABASE_WAIT 3000u

/* What is forgotten is looked for in all of it. */
#define FORGET_WAIT 60000u

struct site_state {
    struct state_file *file;         /* NULL: in the database alone */
    struct state_database *database; /* NULL: in the file alone */
    struct state_key *key;
    struct state state;
    struct database_error error;
    bool of_file; /* what failed last was the file */
};

static int take_failure(const struct pg_error *failure, struct database_error *error)
{
    return database_error_set(error, failure->kind == PG_AWAY ? DATABASE_BUSY : DATABASE_OTHER,
                              SITE_STATE_DATABASE ": %s", failure->text);
}

static gint64 clock_of_server(void)
{
    return g_get_real_time();
}

static int open_database(struct site_state *state, const struct config *config, uid_t owner,
                         struct database_error *error)
{
    struct pg_error failure;
    auto_free(pg_user) user = pg_user_of(geteuid() == 0 ? owner : geteuid());
    if (user == NULL)
        return database_error_set(error, DATABASE_OTHER, SITE_STATE_DATABASE ": there is no user %u", (unsigned)owner);
    g_autofree char *node = config_fleet_node(config);
    const struct state_database_place place = {
        .conninfo = config_state_database(config),
        .user = user,
        .key = state->key,
        .node = node,
        .wait = DATABASE_WAIT,
        .limit = FORGET_WAIT,
        .clock = clock_of_server,
    };
    state->database =
        state_database_open(&place, g_get_monotonic_time() + DATABASE_WAIT * G_TIME_SPAN_MILLISECOND, &failure);
    return state->database == NULL ? take_failure(&failure, error) : 0;
}

/* Beside a database it may be missing. */
static int open_file(struct site_state *state, const struct config *config, uid_t owner, enum database_mode mode,
                     struct database_error *error)
{
    bool shared = config_state_database(config) != NULL;
    g_autofree char *path = config_state(config);
    if (shared && config->state_on_away != STATE_AWAY_LOCAL)
        return 0;
    state->file = state_file_open(path, owner, mode, SITE_STATE_WAIT, error);
    return state->file != NULL || (shared && error->failure == DATABASE_MISSING) ? 0 : -1;
}

struct site_state *site_state_open(const struct config *config, uid_t owner, enum database_mode mode,
                                   struct database_error *error)
{
    bool shared = config_state_database(config) != NULL;
    g_autofree char *key_path = config_state_key(config);
    auto_free(site_state) state = g_new0(struct site_state, 1);
    state->key = state_key_file_read(key_path, owner, mode, error);
    if (state->key == NULL)
        return NULL;
    if (open_file(state, config, owner, mode, error) == -1)
        return NULL;
    if (shared && open_database(state, config, owner, error) == -1)
        return NULL;
    state->state = shared ? (struct state){&state_database_functions, state->database, state->key}
                          : (struct state){&state_file_functions, state->file, state->key};
    return g_steal_pointer(&state);
}

void site_state_close(struct site_state *state)
{
    if (state == NULL)
        return;
    state_file_close(state->file);
    state_database_close(state->database);
    if (state->key != NULL)
        state_key_free(state->key);
    g_free(state);
}

const struct state *site_state_get(const struct site_state *state)
{
    return &state->state;
}

const struct state_key *site_state_key(const struct site_state *state)
{
    return state->key;
}

const struct database_error *site_state_error(struct site_state *state)
{
    if (state->database == NULL || state->of_file)
        state->error = *state_file_error(state->file);
    else
        take_failure(state_database_error(state->database), &state->error);
    return &state->error;
}

bool site_state_is_shared(const struct site_state *state)
{
    return state->database != NULL;
}

bool site_state_has_file(const struct site_state *state)
{
    return state->file != NULL;
}

/* Of a call of both; the file first. */
static enum state_outcome outcome_of(struct site_state *state, enum state_outcome of_file,
                                     enum state_outcome of_database)
{
    state->of_file = of_file == STATE_AWAY;
    return of_file == STATE_AWAY ? STATE_AWAY : state->database != NULL ? of_database : of_file;
}

enum state_outcome site_state_withdraw(struct site_state *state, state_hash id)
{
    enum state_outcome file = STATE_OK, database = STATE_OK;
    if (state->file != NULL)
        file = state_file_functions.withdraw(state->file, id);
    if (state->database != NULL && file != STATE_AWAY)
        database = state_database_functions.withdraw(state->database, id);
    return outcome_of(state, file, database);
}

enum state_outcome site_state_learn(struct site_state *state, const struct state_set *set, gint64 time)
{
    enum state_outcome file = STATE_OK, database = STATE_OK;
    if (state->file != NULL)
        file = state_file_functions.learn(state->file, set, time);
    if (state->database != NULL && file != STATE_AWAY)
        database = state_database_functions.learn(state->database, set, time);
    return outcome_of(state, file, database);
}

/* The file first: while it has something, it may be added to the database again. */
enum state_outcome site_state_forget(struct site_state *state, const state_hash *hashes, unsigned count, unsigned *gone)
{
    unsigned here = 0, shared = 0;
    enum state_outcome file = STATE_OK, database = STATE_OK;
    if (state->file != NULL)
        file = state_file_functions.forget(state->file, hashes, count, &here);
    if (state->database != NULL)
        state_database_set_wait(state->database, FORGET_WAIT);
    if (state->database != NULL && file != STATE_AWAY)
        database = state_database_functions.forget(state->database, hashes, count, &shared);
    *gone = MAX(here, shared); /* the same entries are in both */
    return outcome_of(state, file, database);
}

GArray *site_state_overridden(struct site_state *state, gint64 since)
{
    return state->database != NULL ? state_database_overridden(state->database, since)
                                   : state_file_overridden(state->file, since);
}

int site_state_check(struct site_state *state, struct database_error *error)
{
    return state->file == NULL ? 0 : state_file_check(state->file, error);
}
