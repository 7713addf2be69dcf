/* state_store - see state_store.h */

#include "milter/state/state_store.h"

#include "milter/database/database_damage.h"
#include "milter/log/log.h"
#include "milter/state/site_state.h"
#include "milter/state/state_opener.h"

#include <string.h>
#include <unistd.h>

/* Between two lines about the database, in microseconds. */
#define LINE_INTERVAL (60 * G_USEC_PER_SEC)

/* Milliseconds of SITE_STATE_WAIT that are left to the file when the database has not answered. */
#define LEFT_TO_FILE 80u

/* The least that is worth asking the database for, in milliseconds. */
#define LEAST_WAIT 10

/* How long the opener beside this thread waits for the database, in milliseconds; a start waits for its answer. */
#define START_WAIT 2000u

/* Milliseconds for one step of what can wait: messages come after it, and have the rest of their time. */
#define STEP_WAIT (SITE_STATE_WAIT / 2)

/* Rows of the file that are compared with the database in one step. */
#define ROWS_STEP 200u

struct state_store {
    char *path;
    struct state_later *later;
    struct state_file *file; /* NULL: to be opened */
    bool opened;             /* it was a file of [state] before */
    gint64 damaged;          /* monotonic: when one was set aside */

    char *conninfo; /* NULL: there is the file alone */
    char *node;
    bool local; /* the file, too */
    struct state_database *database;
    struct state_opener *opener;
    gint64 away; /* monotonic: until then the database is not asked; with `local` */
    bool failing;
    gint64 said;            /* monotonic: when that was logged last */
    gint64 said_of_file;    /* the same of the file, while the database answers */
    bool behind;            /* rows of the file after `caught_up` may be missing in the database */
    struct state_row after; /* the last row that is not; without hashes */
};

static gint64 clock_of_server(void)
{
    return g_get_real_time();
}

struct state_store *state_store_new(const struct config *config, const struct state_key *key, struct state_later *later)
{
    struct state_store *store = g_new0(struct state_store, 1);
    store->path = config_state(config);
    store->later = later;
    store->conninfo = g_strdup(config_state_database(config));
    store->local = config->state_on_away == STATE_AWAY_LOCAL;
    store->said = store->said_of_file = -LINE_INTERVAL;
    store->node = config_fleet_node(config);
    const struct state_database_place place = {
        .conninfo = store->conninfo,
        .key = key,
        .node = store->node,
        .wait = SITE_STATE_WAIT,
        .limit = SITE_STATE_WAIT,
        .clock = clock_of_server,
    };
    if (store->conninfo != NULL)
        store->opener = state_opener_new(&place, START_WAIT);
    return store;
}

void state_store_close(struct state_store *store)
{
    g_clear_pointer(&store->file, state_file_close);
    g_clear_pointer(&store->database, state_database_close);
}

void state_store_free(struct state_store *store)
{
    if (store == NULL)
        return;
    state_store_close(store);
    state_opener_free(store->opener);
    g_free(store->path);
    g_free(store->conninfo);
    g_free(store->node);
    g_free(store);
}

const char *state_store_name(const struct state_store *store)
{
    return store->conninfo == NULL ? store->path : SITE_STATE_DATABASE;
}

/* ---- the file */

static int open_file(struct state_store *store, struct database_error *error)
{
    if (store->file != NULL)
        return 0;
    enum cut cut = database_is_cut(store->path);
    if (cut == CUT_DATABASE)
        return database_error_set(error, DATABASE_CORRUPT, "%s is shorter than it was", store->path);
    store->file = state_file_open(store->path, geteuid(), DATABASE_CREATE, SITE_STATE_WAIT, error);
    if (store->file == NULL)
        return -1;
    store->opened = true;
    if (cut == CUT_LOG) /* a loss of power can do this: what comes before is sound */
        log_line(LOG_ERR, "state: %s-wal is not what was written to it: the last records are lost", store->path);
    return 0;
}

/* Whether a file that cannot be read is worth another try. */
static bool recover(struct state_store *store, const struct database_error *error)
{
    const struct damaged damaged = {
        .path = store->path,
        .application = STATE_FILE_APPLICATION,
        .opened = store->opened,
        .before = store->damaged,
    };
    struct database_error found = *error;
    g_autofree char *aside = NULL;
    g_clear_pointer(&store->file, state_file_close);
    switch (database_recover(&damaged, &found, &aside)) {
    case RECOVERY_SOUND:
        log_line(LOG_ERR, "state: %s; it was opened anew, and the last records may be lost", error->text);
        return true;
    case RECOVERY_ASIDE:
        store->damaged = g_get_monotonic_time();
        log_line(LOG_CRIT,
                 "state: %s; it is damaged and was renamed to %s, and a new one is begun: windows count from now on,"
                 " and nobody is known",
                 found.text, aside);
        return true;
    case RECOVERY_FAILED:
        log_line(LOG_CRIT, "state: %s", found.text);
        return false;
    default:
        return false;
    }
}

/* Whether there is a use in trying again with the file opened anew. */
static bool begin_anew(struct state_store *store, const struct database_error *error)
{
    switch (error->failure) {
    case DATABASE_REPLACED:
        log_line(LOG_ERR, "state: %s; what it held is lost unless the file comes back, and a new one is begun",
                 error->text);
        g_clear_pointer(&store->file, state_file_close);
        return true;
    case DATABASE_CORRUPT:
        return recover(store, error);
    case DATABASE_OTHER: /* who fixes or replaces it finds it open no more */
        g_clear_pointer(&store->file, state_file_close);
        return false;
    default:
        return false;
    }
}

/* What a place was not asked to withdraw, or could not, it withdraws before it is asked again. */
static void withdraw_later(struct state_store *store, enum state_place place, const struct state_call *call)
{
    if (call->operation == STATE_WITHDRAW)
        state_later_withdraw_in(store->later, place, call->id);
}

static enum state_outcome ask_file(struct state_store *store, const struct state_call *call,
                                   struct state_results *results, struct database_error *error)
{
    for (unsigned tries = 0; tries < 2; tries++) {
        if (open_file(store, error) == 0) {
            const struct state_target file = state_call_file(store->file);
            enum state_outcome outcome = state_call_ask(&file, store->later, call, results);
            if (outcome != STATE_AWAY)
                return outcome;
            *error = *state_file_error(store->file);
        }
        if (!begin_anew(store, error))
            break;
    }
    withdraw_later(store, STATE_IN_FILE, call);
    return STATE_AWAY;
}

/* ---- the database */

/* Takes what the opener has connected, and says how it is with that; waits for it until then. */
static enum state_opened look_at_opener(struct state_store *store, gint64 until, struct pg_error *error)
{
    if (store->database != NULL)
        return OPENER_DONE;
    store->behind = store->local;
    store->after = (struct state_row){0};
    return state_opener_look(store->opener, until, &store->database, error);
}

/* Has it connected, and lets all calls end then, too.  A server that needs longer is there for a call that comes after
 * the pause. */
static int open_database(struct state_store *store, gint64 end, struct pg_error *error)
{
    enum state_opened before = look_at_opener(store, 0, error);
    if (before != OPENER_FAILED) /* else there is the reason why it failed the last time */
        pg_error_set(error, PG_AWAY, "it is being connected to");
    if (before != OPENER_DONE) {
        state_opener_begin(store->opener);
        (void)look_at_opener(store, end, error);
    }
    if (store->database == NULL)
        return -1;
    state_database_set_end(store->database, end);
    return 0;
}

static int error_of(const struct pg_error *failure, struct database_error *error)
{
    return database_error_set(error, failure->kind == PG_AWAY ? DATABASE_BUSY : DATABASE_OTHER,
                              SITE_STATE_DATABASE ": %s", failure->text);
}

/* Milliseconds that the database has for a call. */
static int wait_for(const struct state_store *store, const struct state_call *call)
{
    int most = (int)(SITE_STATE_WAIT - (store->local ? LEFT_TO_FILE : LEAST_WAIT));
    if (call->operation == STATE_LEARN) /* a message that comes after it has its time */
        most = MIN(most, (int)STEP_WAIT);
    if (!store->local || call->end == 0)
        return most;
    gint64 left = (call->end - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND - LEFT_TO_FILE;
    return (int)CLAMP(left, 0, most);
}

/* Once more if a connection that was there before has broken: the server was started anew, or another one took over. */
static enum state_outcome ask_database(struct state_store *store, const struct state_call *call,
                                       struct state_results *results, struct database_error *error)
{
    gint64 end = g_get_monotonic_time() + (gint64)wait_for(store, call) * G_TIME_SPAN_MILLISECOND;
    struct pg_error failure;
    pg_error_set(&failure, PG_AWAY, "messages wait too long for it");
    for (bool old = true; old;) {
        gint64 left = (end - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND;
        if (left < LEAST_WAIT)
            break;
        old = store->database != NULL;
        if (open_database(store, end, &failure) == -1)
            break;
        const struct state_target target = state_call_database(store->database);
        enum state_outcome outcome = state_call_ask(&target, store->later, call, results);
        if (outcome != STATE_AWAY)
            return outcome;
        failure = *state_database_error(store->database);
        g_clear_pointer(&store->database, state_database_close);
    }
    error_of(&failure, error);
    withdraw_later(store, STATE_IN_DATABASE, call);
    return STATE_AWAY;
}

/* ---- both */

static void database_failed(struct state_store *store, const struct database_error *error)
{
    gint64 now = g_get_monotonic_time();
    g_clear_pointer(&store->database, state_database_close);
    store->away = now + STATE_STORE_PAUSE;
    store->failing = true;
    if (now - store->said < LINE_INTERVAL)
        return;
    store->said = now;
    log_line(LOG_ERR, "state: %s; until it can be used, this server's own file answers", error->text);
}

static void database_succeeded(struct state_store *store)
{
    if (!store->failing)
        return;
    store->failing = false;
    store->said = -LINE_INTERVAL;
    log_line(LOG_NOTICE, "state: the database of [state] can be used again");
}

/* What the file should have got.  It is counted, and those who look into the log know what the file is worth. */
static enum state_outcome ask_own_file(struct state_store *store, const struct state_call *call,
                                       struct state_results *own, struct state_results *results)
{
    struct database_error error;
    gint64 now = g_get_monotonic_time();
    enum state_outcome outcome = ask_file(store, call, own, &error);
    if (outcome != STATE_AWAY)
        return outcome;
    results->partly = true;
    if (now - store->said_of_file >= LINE_INTERVAL) {
        store->said_of_file = now;
        log_line(LOG_ERR, "state: %s; the database answers, but the file will lack this if that is away", error.text);
    }
    return STATE_AWAY;
}

/* The file writes what the database has, and answers too while the database may lack some of it. */
static enum state_outcome note_window(struct state_store *store, const struct state_call *call,
                                      struct state_results *results, enum state_outcome outcome)
{
    struct state_results own = {0};
    if (call->with_set && results->known.when != 0) /* what is known is in no window */
        return outcome;
    struct state_call copy = *call;
    g_autofree struct state_window *windows = g_memdup2(call->windows, call->count * sizeof *windows);
    copy.with_set = false;
    copy.windows = windows;
    copy.count = store->behind ? call->count : 0;
    if (!call->keep && copy.count == 0)
        return outcome;
    enum state_outcome here = ask_own_file(store, &copy, &own, results);
    for (unsigned i = 0; here != STATE_AWAY && i < copy.count; i++)
        call->windows[i].value = MAX(call->windows[i].value, windows[i].value);
    return here == STATE_BOUND ? STATE_BOUND : outcome;
}

/* A permit that only one of the two has, or that was used while only one of them was there. */
static void note_claim(struct state_store *store, const struct state_call *call, struct state_results *results)
{
    struct database_error error;
    struct state_results own = {0}, gone;
    if (results->claimed != CLAIM_TAKEN && results->claimed != CLAIM_UNKNOWN)
        return;
    if (ask_own_file(store, call, &own, results) == STATE_AWAY || own.claimed == CLAIM_UNKNOWN)
        return;
    if (results->claimed == CLAIM_TAKEN && own.claimed == CLAIM_USED) {
        struct state_call back = *call;
        back.id = call->claim.code;
        back.message = call->claim.message;
        ask_database(store, &back, &gone, &error);
    }
    if (results->claimed == CLAIM_UNKNOWN || own.claimed == CLAIM_USED) {
        results->claimed = own.claimed;
        results->rule = own.rule;
    }
}

/* What the file has to know of a call that the database has answered. */
static enum state_outcome note(struct state_store *store, const struct state_call *call, struct state_results *results,
                               enum state_outcome outcome)
{
    struct state_results own = {0};
    if (call->operation == STATE_WINDOW)
        return note_window(store, call, results, outcome);
    if (call->operation == STATE_CLAIM && call->message == 0)
        note_claim(store, call, results);
    else if (call->operation != STATE_KNOWN)
        ask_own_file(store, call, &own, results);
    return outcome;
}

static enum state_outcome ask_both(struct state_store *store, const struct state_call *call,
                                   struct state_results *results, struct database_error *error)
{
    bool paused = g_get_monotonic_time() < store->away;
    enum state_outcome outcome = paused ? STATE_AWAY : ask_database(store, call, results, error);
    if (outcome != STATE_AWAY) {
        database_succeeded(store);
        return note(store, call, results, outcome);
    }
    if (paused) {
        withdraw_later(store, STATE_IN_DATABASE, call);
    } else {
        database_failed(store, error);
        results->partly = true;
    }
    outcome = ask_file(store, call, results, error);
    /* Another server may have given it. */
    results->unsure = call->operation == STATE_CLAIM && call->message == 0 && outcome != STATE_AWAY &&
                      results->claimed == CLAIM_UNKNOWN;
    return results->unsure ? STATE_AWAY : outcome;
}

enum state_outcome state_store_ask(struct state_store *store, const struct state_call *call,
                                   struct state_results *results, struct database_error *error)
{
    if (store->conninfo == NULL)
        return ask_file(store, call, results, error);
    return store->local ? ask_both(store, call, results, error) : ask_database(store, call, results, error);
}

/* ---- opening */

/* What a person has to fix, and waiting does not. */
static bool lasts_of_file(enum database_failure failure)
{
    return failure == DATABASE_MISSING || failure == DATABASE_INSECURE || failure == DATABASE_READ_ONLY ||
           failure == DATABASE_FOREIGN;
}

static int open_first_file(struct state_store *store, bool *lasts, struct database_error *error)
{
    int result = open_file(store, error);
    if (result == -1 && begin_anew(store, error))
        result = open_file(store, error);
    *lasts = result == -1 && lasts_of_file(error->failure);
    return result;
}

int state_store_open(struct state_store *store, bool *lasts, struct database_error *error)
{
    struct pg_error failure;
    *lasts = false;
    if (store->conninfo == NULL)
        return open_first_file(store, lasts, error);
    if (store->local && open_first_file(store, lasts, error) == -1 && *lasts)
        return -1;
    gint64 end = g_get_monotonic_time() + (START_WAIT + STEP_WAIT) * G_TIME_SPAN_MILLISECOND;
    if (open_database(store, end, &failure) == 0)
        return 0;
    error_of(&failure, error);
    *lasts = store->local ? state_database_is_foreign(&failure)
                          : failure.kind != PG_AWAY && !state_database_is_unmade(&failure);
    if (!store->local || *lasts)
        return -1;
    database_failed(store, error);
    return 0;
}

/* ---- step by step */

/* By when a step has ended, whatever it does. */
static gint64 end_of_step(void)
{
    return g_get_monotonic_time() + STEP_WAIT * G_TIME_SPAN_MILLISECOND;
}

static int expire_in_file(struct state_store *store, gint64 records, gint64 sets)
{
    struct database_error error;
    return open_file(store, &error) == 0 ? state_file_expire(store->file, records, sets) : -1;
}

int state_store_expire(struct state_store *store, gint64 records, gint64 sets)
{
    struct pg_error failure;
    int shared = 0, own = 0;
    bool asked = store->conninfo != NULL && g_get_monotonic_time() >= store->away;
    if (store->conninfo == NULL || store->local)
        own = expire_in_file(store, records, sets);
    if (asked)
        shared = open_database(store, end_of_step(), &failure);
    if (asked && shared == 0)
        shared = state_database_expire(store->database, records, sets);
    if (shared == -1)
        g_clear_pointer(&store->database, state_database_close);
    return own == -1 || shared == -1 ? -1 : own == 1 || shared == 1;
}

bool state_store_is_behind(const struct state_store *store)
{
    return store->local && store->conninfo != NULL && (store->behind || store->database == NULL);
}

static int step_failed(struct state_store *store, const struct pg_error *failure)
{
    struct database_error error;
    error_of(failure, &error);
    database_failed(store, &error);
    return -1;
}

static bool is_same_row(const struct state_row *one, const struct state_row *other)
{
    return one->id == other->id && one->author == other->author && one->signature == other->signature &&
           one->time == other->time && one->hashes->len == other->hashes->len &&
           memcmp(one->hashes->data, other->hashes->data, one->hashes->len * sizeof(state_hash)) == 0;
}

static bool has_row(const GArray *rows, const struct state_row *row)
{
    bool found = false;
    for (guint i = 0; i < rows->len && !found; i++)
        found = is_same_row(&g_array_index(rows, struct state_row, i), row);
    return found;
}

/*
 * A command that withdraws or forgets something in the file and then in the database may have come between the look
 * into the file and the database: what was added after it is withdrawn again.  1 if that was so, 0 if not, -1 if it
 * failed.
 */
static int withdraw_gone(struct state_store *store, const GArray *rows)
{
    bool any = false;
    g_autoptr(GArray) now = state_file_rows(store->file, &store->after, 2 * ROWS_STEP);
    if (now == NULL)
        return -1;
    /* By their time; what is later was not looked at. */
    gint64 last = now->len < 2 * ROWS_STEP ? G_MAXINT64 : g_array_index(now, struct state_row, now->len - 1).time;
    for (guint i = 0; i < rows->len; i++) {
        const struct state_row *row = &g_array_index(rows, struct state_row, i);
        if (row->time >= last || has_row(now, row))
            continue;
        any = true;
        if (state_database_withdraw(store->database, &row->id, 1) == STATE_AWAY)
            return step_failed(store, state_database_error(store->database));
    }
    return any;
}

/* The next rows of the file into the database: as state_store_catch_up. */
static int share_rows(struct state_store *store, const GArray *rows)
{
    const struct state_target database = state_call_database(store->database);
    if (state_call_withdraw_waiting(&database, store->later) == STATE_AWAY ||
        state_database_add(store->database, rows) == -1)
        return step_failed(store, state_database_error(store->database));
    int gone = withdraw_gone(store, rows);
    if (gone == -1)
        return -1;
    if (gone == 1) /* all of it is compared once more */
        store->after = (struct state_row){0};
    else
        store->after = g_array_index(rows, struct state_row, rows->len - 1);
    store->after.hashes = NULL;
    return 1;
}

int state_store_catch_up(struct state_store *store)
{
    struct database_error error;
    struct pg_error failure;
    if (!state_store_is_behind(store))
        return 0;
    switch (look_at_opener(store, 0, &failure)) {
    case OPENER_IDLE:
        state_opener_begin(store->opener);
        return 0;
    case OPENER_BUSY:
        return 0;
    case OPENER_FAILED:
        return step_failed(store, &failure);
    default:
        state_database_set_end(store->database, end_of_step());
    }
    if (open_file(store, &error) == -1)
        return -1;
    const struct state_target file = state_call_file(store->file);
    g_autoptr(GArray) rows = NULL;
    if (state_call_withdraw_waiting(&file, store->later) != STATE_AWAY)
        rows = state_file_rows(store->file, &store->after, ROWS_STEP);
    if (rows == NULL)
        return -1;
    store->behind = rows->len > 0;
    return rows->len == 0 ? 0 : share_rows(store, rows);
}

gint64 state_store_away(const struct state_store *store)
{
    return store->away;
}
