/* state_client - see state_client.h */

#include "milter/state/state_client.h"

#include "milter/database/database_damage.h"
#include "milter/log/log.h"
#include "milter/state/state_key_file.h"
#include "milter/state/state_later.h"
#include "milter/store/store_thread.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Between two lines about failures, in microseconds. */
#define LINE_INTERVAL (60 * G_USEC_PER_SEC)

/* What waits without anybody waiting for it; beyond, it is dropped as if it had failed. */
#define UNAWAITED_LIMIT 500u

struct state_client {
    char *path;
    struct state_key *key;
    struct state state; /* of this client */
    struct store *store;
    struct store_group *calls, *tidying;
    atomic_llong paused;       /* monotonic, microseconds: until then nothing is asked */
    atomic_uint unawaited;     /* calls that wait, and nobody for them */
    struct state_later *later; /* what is to be carried out later */
    atomic_bool failing;       /* the last call failed */
    atomic_llong said;         /* monotonic: when a failure was logged last */
    void (*on_error)(void *data, enum state_operation operation);
    void *on_error_data;

    /* The thread's own. */
    struct state_file *file; /* NULL: to be opened */
    bool opened;             /* it was a file of [state] before */
    gint64 damaged;          /* monotonic: when one was set aside */
};

/* The data of a job: a copy of what was asked. */
struct call {
    enum state_operation operation;
    struct state_client *client;
    struct state_record record;
    struct state_values *values; /* of the record */
    struct state_window *windows;
    unsigned count; /* of windows */
    bool keep;
    state_hash id;
    struct state_set set;
    bool with_set;                    /* a window that is asked for unless the set is known */
    const struct state_learned *sets; /* to be written */
    unsigned sets_count;
    gint64 time;
    struct state_permit permit;
    struct state_claim claim;
    state_hash message; /* whose claim is given back */
    state_hash *hashes; /* of the values, the permit or the claim */
    state_hash *parties;
    bool awaited;
};

/* What a call finds beside its windows. */
struct results {
    struct state_question known;
    enum state_claimed claimed;
    state_hash rule; /* of the permit that was taken */
};

/* What a call that somebody waits for is answered. */
struct answer {
    enum state_outcome outcome;
    enum state_outcome known; /* of the set of a window */
    gint64 when;
    enum state_claimed claimed;
    state_hash rule;
    guint32 values[]; /* of the windows */
};

/* ---- failures */

static bool is_paused(struct state_client *client)
{
    return g_get_monotonic_time() < atomic_load(&client->paused);
}

static void count(struct state_client *client, enum state_operation operation)
{
    if (client->on_error != NULL)
        client->on_error(client->on_error_data, operation);
}

static void failed(struct state_client *client, enum state_operation operation, const char *reason)
{
    gint64 now = g_get_monotonic_time();
    long long said = atomic_load(&client->said);
    count(client, operation);
    atomic_store(&client->paused, now + STATE_CLIENT_PAUSE);
    atomic_store(&client->failing, true);
    if (now - said < LINE_INTERVAL || !atomic_compare_exchange_strong(&client->said, &said, now))
        return;
    log_line(LOG_ERR, "state: %s; until it can be used, what needs it to be evaluated is deferred", reason);
}

static void succeeded(struct state_client *client)
{
    if (!atomic_exchange(&client->failing, false))
        return;
    atomic_store(&client->said, -LINE_INTERVAL);
    log_line(LOG_NOTICE, "state: %s can be used again", client->path);
}

/* ---- in the thread */

static int open_file(struct state_client *client, struct database_error *error)
{
    if (client->file != NULL)
        return 0;
    enum cut cut = database_is_cut(client->path);
    if (cut == CUT_DATABASE)
        return database_error_set(error, DATABASE_CORRUPT, "%s is shorter than it was", client->path);
    client->file = state_file_open(client->path, geteuid(), DATABASE_CREATE, SITE_STATE_WAIT, error);
    if (client->file == NULL)
        return -1;
    client->opened = true;
    if (cut == CUT_LOG) /* a loss of power can do this: what comes before is sound */
        log_line(LOG_ERR, "state: %s-wal is not what was written to it: the last records are lost", client->path);
    return 0;
}

/* Whether a file that cannot be read is worth another try. */
static bool recover(struct state_client *client, const struct database_error *error)
{
    const struct damaged damaged = {
        .path = client->path,
        .application = STATE_FILE_APPLICATION,
        .opened = client->opened,
        .before = client->damaged,
    };
    struct database_error found = *error;
    g_autofree char *aside = NULL;
    g_clear_pointer(&client->file, state_file_close);
    switch (database_recover(&damaged, &found, &aside)) {
    case RECOVERY_SOUND:
        log_line(LOG_ERR, "state: %s; it was opened anew, and the last records may be lost", error->text);
        return true;
    case RECOVERY_ASIDE:
        client->damaged = g_get_monotonic_time();
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
static bool begin_anew(struct state_client *client, const struct database_error *error)
{
    switch (error->failure) {
    case DATABASE_REPLACED:
        log_line(LOG_ERR, "state: %s; what it held is lost unless the file comes back, and a new one is begun",
                 error->text);
        g_clear_pointer(&client->file, state_file_close);
        return true;
    case DATABASE_CORRUPT:
        return recover(client, error);
    case DATABASE_OTHER: /* who fixes or replaces it finds it open no more */
        g_clear_pointer(&client->file, state_file_close);
        return false;
    default:
        return false;
    }
}

static enum state_outcome ask_window(const struct call *call, struct state_question *known)
{
    const struct state_functions *functions = &state_file_functions;
    struct state_file *file = call->client->file;
    if (!call->with_set)
        return functions->window(file, &call->record, call->keep, call->windows, call->count);
    return functions->known_else_window(file, known, &call->record, call->keep, call->windows, call->count);
}

/* Of the file, or of what is not written yet. */
static enum state_outcome ask_set(const struct call *call, struct state_question *known)
{
    gint64 when = state_later_known(call->client->later, &call->set, call->time);
    if (when == 0 && call->with_set)
        return ask_window(call, known);
    known->outcome = state_file_functions.known(call->client->file, &call->set, call->time, &known->when);
    if (known->outcome != STATE_AWAY && when != 0) {
        known->outcome = STATE_OK;
        known->when = MAX(known->when, when);
    }
    return known->outcome;
}

static enum state_outcome ask(const struct call *call, struct results *results)
{
    struct state_question *known = &results->known;
    struct state_file *file = call->client->file;
    *known = (struct state_question){.set = call->set, .since = call->time};
    switch (call->operation) {
    case STATE_WINDOW:
        return call->with_set ? ask_set(call, known) : ask_window(call, known);
    case STATE_KNOWN:
        return ask_set(call, known);
    case STATE_WITHDRAW:
        return state_file_functions.withdraw(file, call->id);
    case STATE_LEARN:
        return call->sets_count == 0 ? STATE_OK : state_file_learn(file, call->sets, call->sets_count);
    case STATE_PERMIT:
        return state_file_functions.permit(file, &call->permit);
    case STATE_CLAIM:
        if (call->message != 0)
            return state_file_functions.unclaim(file, call->id, call->message);
        return state_file_functions.claim(file, &call->claim, &results->claimed, &results->rule);
    default:
        return STATE_AWAY;
    }
}

/* What was withdrawn while nothing could be asked, before anything else: a message that came again is not meant. */
static enum state_outcome withdraw_first(struct state_client *client)
{
    state_hash id;
    while ((id = state_later_withdrawn(client->later)) != 0) {
        if (state_file_functions.withdraw(client->file, id) == STATE_AWAY)
            return STATE_AWAY;
        state_later_drop_withdrawn(client->later);
    }
    return STATE_OK;
}

static enum state_outcome carry_out(const struct call *call, struct results *results)
{
    struct state_client *client = call->client;
    struct database_error error;
    for (unsigned tries = 0; tries < 2; tries++) {
        if (open_file(client, &error) == 0) {
            enum state_outcome outcome = withdraw_first(client);
            if (outcome != STATE_AWAY)
                outcome = ask(call, results);
            if (outcome != STATE_AWAY) {
                succeeded(client);
                return outcome;
            }
            error = *state_file_error(client->file);
        }
        if (!begin_anew(client, &error))
            break;
    }
    failed(client, call->operation, error.text);
    return STATE_AWAY;
}

static struct answer *answer_new(const struct call *call, enum state_outcome outcome, const struct results *results)
{
    struct answer *answer = g_malloc(sizeof *answer + call->count * sizeof answer->values[0]);
    *answer = (struct answer){.outcome = outcome,
                              .known = results->known.outcome,
                              .when = results->known.when,
                              .claimed = results->claimed,
                              .rule = results->rule};
    for (unsigned i = 0; i < call->count; i++)
        answer->values[i] = call->windows[i].value;
    return answer;
}

/* Carries out some of what is to be done later: whether it could be. */
static bool write_some(struct state_client *client)
{
    struct state_learned sets[STATE_LATER_STEP];
    g_autofree struct state_later_set *copies = g_new(struct state_later_set, STATE_LATER_STEP);
    unsigned count = state_later_sets(client->later, copies);
    for (unsigned i = 0; i < count; i++)
        sets[i] = (struct state_learned){{copies[i].scope, copies[i].parties, copies[i].count}, copies[i].time};
    const struct call call = {.operation = STATE_LEARN, .client = client, .sets = sets, .sets_count = count};
    struct results results;
    enum state_outcome outcome = carry_out(&call, &results);
    state_later_drop_sets(client->later, count); /* those that failed, too: not learned is the safe side */
    return outcome != STATE_AWAY;
}

/* A step at a time, and other calls come between two. */
static void write_later(struct store_group *group, struct state_client *client)
{
    gint64 now = g_get_monotonic_time(), due = state_later_due(client->later);
    if (due <= now && !is_paused(client)) {
        write_some(client);
        due = state_later_due(client->later);
    }
    if (due != STORE_FOREVER)
        store_call_at(group, MAX(MAX(due, atomic_load(&client->paused)), 1));
}

static void do_job(struct store_group *group, struct state_client *client, struct store_job *job)
{
    const struct call *call = store_job_data(job);
    bool awaited = call->awaited, taking = call->operation == STATE_CLAIM && awaited;
    const state_hash code = call->claim.code, message = call->claim.message;
    struct results results = {.known = {.outcome = STATE_AWAY}};
    enum state_outcome outcome = call->operation == STATE_LEARN ? STATE_OK : carry_out(call, &results);
    if (!awaited)
        atomic_fetch_sub(&client->unawaited, 1);
    /* Who waits no longer withdraws what was kept, if it is to be withdrawn; a permit that he took is not used. */
    if (!store_end(group, job, awaited ? answer_new(call, outcome, &results) : NULL, g_free) && taking &&
        client->file != NULL)
        state_file_functions.unclaim(client->file, code, message);
}

static void do_call(struct store_group *group, void *owner)
{
    struct state_client *client = owner;
    struct store_job *job = store_take(group);
    if (job != NULL)
        do_job(group, client, job);
    if (job != NULL || !store_stopping(group)) {
        write_later(group, client);
        return;
    }
    while (state_later_due(client->later) != STORE_FOREVER && write_some(client))
        continue;
}

/* ---- handing over */

static void call_free(gpointer data)
{
    struct call *call = data;
    g_free(call->values);
    g_free(call->windows);
    g_free(call->hashes);
    g_free(call->parties);
    g_free(call);
}

static struct call *call_new(struct state_client *client, enum state_operation operation)
{
    struct call *call = g_new0(struct call, 1);
    call->client = client;
    call->operation = operation;
    return call;
}

static void copy_record(struct call *call, const struct state_record *record)
{
    unsigned count = 0;
    for (unsigned i = 0; i < record->count; i++)
        count += record->values[i].count;
    call->record = *record;
    call->values = g_new(struct state_values, MAX(record->count, 1));
    call->hashes = g_new(state_hash, MAX(count, 1));
    call->record.values = call->values;
    state_hash *next = call->hashes;
    for (unsigned i = 0; i < record->count; i++) {
        call->values[i] = record->values[i];
        call->values[i].values = next;
        if (record->values[i].count > 0)
            memcpy(next, record->values[i].values, record->values[i].count * sizeof *next);
        next += record->values[i].count;
    }
}

static void copy_set(struct call *call, const struct state_set *set)
{
    call->set = *set;
    call->parties = g_memdup2(set->parties, set->count * sizeof *set->parties);
    call->set.parties = call->parties;
}

/* At least one, so that none is NULL. */
static const state_hash *copy_hashes(struct call *call, const state_hash *hashes, unsigned count)
{
    call->hashes = g_new0(state_hash, MAX(count, 1));
    if (count > 0)
        memcpy(call->hashes, hashes, count * sizeof *hashes);
    return call->hashes;
}

/* The answer, for g_free; NULL: there is none.  Takes the call. */
static struct answer *await(struct call *call)
{
    struct state_client *client = call->client;
    enum state_operation operation = call->operation;
    void *answer = NULL;
    if (is_paused(client)) {
        call_free(call);
        return NULL;
    }
    call->awaited = true;
    gint64 end = g_get_monotonic_time() + (gint64)SITE_STATE_WAIT * 1000;
    enum store_result result = store_do(client->calls, call, call_free, end, &answer);
    if (result == STORE_EXPIRED || result == STORE_ABANDONED) {
        g_autofree char *reason = g_strdup_printf("%s gave no answer within %u ms", client->path, SITE_STATE_WAIT);
        failed(client, operation, reason);
    }
    return answer;
}

/* Without waiting.  Takes the call. */
static enum state_outcome hand_over(struct call *call)
{
    struct state_client *client = call->client;
    enum state_operation operation = call->operation;
    if (atomic_load(&client->unawaited) < UNAWAITED_LIMIT) {
        atomic_fetch_add(&client->unawaited, 1);
        if (store_add(client->calls, call, call_free))
            return STATE_OK;
        atomic_fetch_sub(&client->unawaited, 1);
    } else {
        call_free(call);
    }
    count(client, operation);
    return STATE_AWAY;
}

/* ---- the functions */

static struct call *window_call(void *data, const struct state_record *record, bool keep,
                                const struct state_window *windows, unsigned count)
{
    struct call *call = call_new(data, STATE_WINDOW);
    copy_record(call, record);
    call->keep = keep;
    call->windows = g_memdup2(windows, count * sizeof *windows);
    call->count = count;
    return call;
}

static enum state_outcome ask_windows(void *data, const struct state_record *record, bool keep,
                                      struct state_window *windows, unsigned count)
{
    struct call *call = window_call(data, record, keep, windows, count);
    g_autofree struct answer *answer = await(call);
    if (answer == NULL)
        return STATE_AWAY;
    for (unsigned i = 0; i < count; i++)
        windows[i].value = answer->values[i];
    return answer->outcome;
}

static enum state_outcome ask_known(void *data, const struct state_set *set, gint64 since, gint64 *when)
{
    struct call *call = call_new(data, STATE_KNOWN);
    copy_set(call, set);
    call->time = since;
    g_autofree struct answer *answer = await(call);
    *when = answer == NULL ? 0 : answer->when;
    return answer == NULL ? STATE_AWAY : answer->outcome;
}

static enum state_outcome ask_known_else_windows(void *data, struct state_question *known,
                                                 const struct state_record *record, bool keep,
                                                 struct state_window *windows, unsigned count)
{
    struct call *call = window_call(data, record, keep, windows, count);
    copy_set(call, &known->set);
    call->time = known->since;
    call->with_set = true;
    g_autofree struct answer *answer = await(call);
    known->when = answer == NULL ? 0 : answer->when;
    known->outcome = answer == NULL ? STATE_AWAY : answer->known;
    if (answer == NULL)
        return STATE_AWAY;
    for (unsigned i = 0; i < count; i++)
        windows[i].value = answer->values[i];
    return answer->outcome;
}

/* The thread has to know when it is to carry out what is first to be done later; as STATE_LEARN, for which nothing more
 * is done then. */
static enum state_outcome withdraw(void *data, state_hash id)
{
    struct state_client *client = data;
    unsigned gathered = is_paused(client) ? state_later_withdraw(client->later, id) : 0;
    if (gathered > 1)
        return STATE_OK;
    struct call *call = call_new(client, gathered == 1 ? STATE_LEARN : STATE_WITHDRAW);
    call->id = id;
    return hand_over(call);
}

static enum state_outcome learn(void *data, const struct state_set *set, gint64 time)
{
    struct state_client *client = data;
    if (set->count < 2 || set->count > STATE_SET_LIMIT)
        return STATE_BOUND;
    unsigned gathered = is_paused(client) ? 0 : state_later_learn(client->later, set, time);
    if (gathered == 1 || gathered == STATE_LATER_MANY)
        return hand_over(call_new(client, STATE_LEARN));
    if (gathered > 0)
        return STATE_OK;
    count(client, STATE_LEARN);
    return STATE_AWAY;
}

static enum state_outcome permit(void *data, const struct state_permit *permit)
{
    struct call *call = call_new(data, STATE_PERMIT);
    call->permit = *permit;
    call->permit.visible = copy_hashes(call, permit->visible, permit->count);
    g_autofree struct answer *answer = await(call);
    return answer == NULL ? STATE_AWAY : answer->outcome;
}

static enum state_outcome claim(void *data, const struct state_claim *claim, enum state_claimed *claimed,
                                state_hash *rule)
{
    struct call *call = call_new(data, STATE_CLAIM);
    call->claim = *claim;
    call->claim.visible = copy_hashes(call, claim->visible, claim->count);
    g_autofree struct answer *answer = await(call);
    *claimed = answer == NULL ? CLAIM_UNKNOWN : answer->claimed;
    *rule = answer == NULL ? 0 : answer->rule;
    return answer == NULL ? STATE_AWAY : answer->outcome;
}

static enum state_outcome unclaim(void *data, state_hash code, state_hash message)
{
    struct state_client *client = data;
    if (is_paused(client)) {
        count(client, STATE_CLAIM);
        return STATE_AWAY;
    }
    struct call *call = call_new(client, STATE_CLAIM);
    call->id = code;
    call->message = message;
    return hand_over(call);
}

/* ---- tidying */

struct expiry {
    gint64 records, sets;
};

static void expire_step(struct store_group *group, void *owner)
{
    struct state_client *client = owner;
    struct store_job *job = store_take(group);
    if (job == NULL)
        return;
    const struct expiry *expiry = store_job_data(job);
    struct database_error error;
    int result = 0;
    if (!store_stopping(group) && !is_paused(client))
        result = open_file(client, &error) == 0 ? state_file_expire(client->file, expiry->records, expiry->sets) : -1;
    if (result == 1)
        store_again(group, job);
    else
        store_end(group, job, NULL, NULL);
    if (result == -1) /* the next message that needs it says why */
        count(client, STATE_EXPIRE);
}

void state_client_expire(struct state_client *client, gint64 records, gint64 sets)
{
    struct expiry *expiry = g_new(struct expiry, 1);
    *expiry = (struct expiry){records, sets};
    store_add(client->tidying, expiry, g_free);
}

/* ---- the whole */

/* What a person has to fix, and waiting does not. */
static bool lasts(enum database_failure failure)
{
    return failure == DATABASE_MISSING || failure == DATABASE_INSECURE || failure == DATABASE_READ_ONLY ||
           failure == DATABASE_FOREIGN;
}

static const struct state_functions client_functions = {
    .window = ask_windows,
    .withdraw = withdraw,
    .known = ask_known,
    .known_else_window = ask_known_else_windows,
    .learn = learn,
    .permit = permit,
    .claim = claim,
    .unclaim = unclaim,
};

struct state_client *state_client_new(const struct config *config, struct diags *diags)
{
    struct database_error error;
    g_autofree char *path = config_state(config);
    g_autofree char *key_path = config_state_key(config);
    auto_free(state_key) key = state_key_file_read(key_path, geteuid(), DATABASE_CREATE, &error);
    if (key == NULL) {
        diags_file_error(diags, key_path, "the key of [state] cannot be there: %s", error.text);
        return NULL;
    }
    struct state_client *client = g_new0(struct state_client, 1);
    client->path = g_steal_pointer(&path);
    client->key = g_steal_pointer(&key);
    client->state = (struct state){&client_functions, client, client->key};
    atomic_init(&client->said, -LINE_INTERVAL);
    client->later = state_later_new();
    int result = open_file(client, &error);
    if (result == -1 && begin_anew(client, &error))
        result = open_file(client, &error);
    if (result == -1 && lasts(error.failure)) {
        diags_file_error(diags, client->path, "the file of [state] cannot be there: %s", error.text);
        state_client_free(client);
        return NULL;
    }
    if (result == -1)
        failed(client, STATE_WINDOW, error.text);
    client->store = store_new();
    client->calls = store_group_new(client->store, false, do_call, client);
    client->tidying = store_group_new(client->store, true, expire_step, client);
    return client;
}

const struct state *state_client_state(const struct state_client *client)
{
    return &client->state;
}

void state_client_on_error(struct state_client *client, void (*on_error)(void *data, enum state_operation operation),
                           void *data)
{
    client->on_error = on_error;
    client->on_error_data = data;
}

void state_client_check(const struct config *config, struct diags *diags)
{
    char *paths[] = {config_state_key(config), config_state(config)};
    struct database_error error;
    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (database_check_place(paths[i], geteuid(), &error) == -1)
            diags_file_error(diags, paths[i], "the state cannot be there: %s", error.text);
        g_free(paths[i]);
    }
}

bool state_client_stop(struct state_client *client, unsigned limit)
{
    bool ended = store_stop(client->store, g_get_monotonic_time() + (gint64)limit * G_USEC_PER_SEC);
    if (ended) /* one file, without those beside it */
        g_clear_pointer(&client->file, state_file_close);
    return ended;
}

void state_client_free(struct state_client *client)
{
    if (client == NULL)
        return;
    if (client->store != NULL)
        store_free(client->store);
    state_file_close(client->file);
    state_key_free(client->key);
    state_later_free(client->later);
    g_free(client->path);
    g_free(client);
}
