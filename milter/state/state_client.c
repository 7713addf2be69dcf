/* state_client - see state_client.h */

#include "milter/state/state_client.h"

#include "milter/log/log.h"
#include "milter/state/state_key_file.h"
#include "milter/state/state_later.h"
#include "milter/state/state_store.h"
#include "milter/store/store_thread.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Between two lines about failures, in microseconds. */
#define LINE_INTERVAL (60 * G_USEC_PER_SEC)

/* Until something that failed is tried again while nothing is paused, in microseconds. */
#define RETRY (G_USEC_PER_SEC / 10)

/* What waits without anybody waiting for it; beyond, it is dropped as if it had failed. */
#define UNAWAITED_LIMIT 500u

struct state_client {
    struct state_key *key;
    struct state state; /* of this client */
    struct store *store;
    struct store_group *calls, *tidying;
    atomic_llong paused;       /* monotonic, microseconds: until then nothing is asked */
    atomic_uint unawaited;     /* calls that wait, and nobody for them */
    struct state_later *later; /* what is to be carried out later */
    atomic_bool failing;       /* the last call failed */
    atomic_llong said;         /* monotonic: when a failure was logged last */
    gint64 learning;           /* the thread's own: until then nothing is learned */
    gint64 said_of_learning;   /* the same, when that was logged last */
    void (*on_error)(void *data, enum state_operation operation);
    void *on_error_data;
    struct state_store *where; /* the thread's own, once it runs */
};

/* The data of a job: a copy of what was asked. */
struct call {
    struct state_call asked;
    struct state_client *client;
    struct state_values *values; /* of the record */
    state_hash *hashes;          /* of the values, the permit or the claim */
    state_hash *parties;
    bool awaited;
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

/* No message waits for it, so none is deferred.  Until a failed one is tried again, the thread is there for others. */
static void failed_to_learn(struct state_client *client, const char *reason)
{
    gint64 now = g_get_monotonic_time();
    count(client, STATE_LEARN);
    client->learning = now + STATE_CLIENT_PAUSE;
    if (now - client->said_of_learning < LINE_INTERVAL)
        return;
    client->said_of_learning = now;
    log_line(LOG_ERR, "state: %s; what was to be learned is lost", reason);
}

static void succeeded(struct state_client *client)
{
    if (!atomic_exchange(&client->failing, false))
        return;
    atomic_store(&client->said, -LINE_INTERVAL);
    log_line(LOG_NOTICE, "state: %s can be used again", state_store_name(client->where));
}

/* ---- in the thread */

static enum state_outcome carry_out(struct state_client *client, const struct state_call *call,
                                    struct state_results *results)
{
    struct database_error error;
    enum state_outcome outcome = state_store_ask(client->where, call, results, &error);
    if (results->partly)
        count(client, call->operation);
    if (results->unsure)
        return outcome;
    if (outcome != STATE_AWAY)
        succeeded(client);
    else if (call->sets_count > 0)
        failed_to_learn(client, error.text);
    else
        failed(client, call->operation, error.text);
    return outcome;
}

static struct answer *answer_new(const struct state_call *call, enum state_outcome outcome,
                                 const struct state_results *results)
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

/* As state_later_due, by what is tried at the moment. */
static gint64 due_of(struct state_client *client)
{
    return state_later_is_withdrawing(client->later) ? 0 : MAX(state_later_due(client->later), client->learning);
}

/* Carries out some of what is to be done later, with or without learning: whether it could be. */
static bool write_some(struct state_client *client, bool learning)
{
    struct state_learned sets[STATE_LATER_STEP];
    g_autofree struct state_later_set *copies = g_new(struct state_later_set, STATE_LATER_STEP);
    unsigned count = learning ? state_later_sets(client->later, copies) : 0;
    for (unsigned i = 0; i < count; i++)
        sets[i] = (struct state_learned){{copies[i].scope, copies[i].parties, copies[i].count}, copies[i].time};
    const struct state_call call = {.operation = STATE_LEARN, .sets = sets, .sets_count = count};
    struct state_results results = {0};
    enum state_outcome outcome = carry_out(client, &call, &results);
    state_later_drop_sets(client->later, count); /* those that failed, too: not learned is the safe side */
    return outcome != STATE_AWAY && (count > 0 || !state_later_is_withdrawing(client->later));
}

/* What of the file the database lacks, in a turn of its own, when nothing else is to be done: no message has to come
 * for that, since the next ones may be those of another server. */
static void catch_up_later(struct state_client *client)
{
    if (state_store_is_behind(client->where))
        store_call_at(client->tidying, MAX(1, state_store_away(client->where)));
}

/* A step at a time, and other calls come between two. */
static void write_later(struct store_group *group, struct state_client *client)
{
    gint64 now = g_get_monotonic_time(), due = due_of(client), least = 1;
    if (due <= now && !is_paused(client)) {
        if (!write_some(client, client->learning <= now))
            least = MAX(now + RETRY, state_store_away(client->where));
        due = due_of(client);
    }
    if (due != STORE_FOREVER)
        store_call_at(group, MAX(MAX(due, atomic_load(&client->paused)), least));
    catch_up_later(client);
}

static void do_job(struct store_group *group, struct state_client *client, struct store_job *job)
{
    const struct call *call = store_job_data(job);
    const struct state_call *asked = &call->asked;
    bool awaited = call->awaited, taking = asked->operation == STATE_CLAIM && awaited;
    const struct state_call back = {.operation = STATE_CLAIM, .id = asked->claim.code, .message = asked->claim.message};
    struct state_results results = {.known = {.outcome = STATE_AWAY}};
    enum state_outcome outcome = asked->operation == STATE_LEARN ? STATE_OK : carry_out(client, asked, &results);
    if (!awaited)
        atomic_fetch_sub(&client->unawaited, 1);
    /* Who waits no longer withdraws what was kept, if it is to be withdrawn; a permit that he took is not used. */
    if (!store_end(group, job, awaited ? answer_new(asked, outcome, &results) : NULL, g_free) && taking &&
        outcome != STATE_AWAY)
        carry_out(client, &back, &results);
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
    while (state_later_due(client->later) != STORE_FOREVER && write_some(client, true))
        continue;
}

/* ---- handing over */

static void call_free(gpointer data)
{
    struct call *call = data;
    g_free(call->values);
    g_free(call->asked.windows);
    g_free(call->hashes);
    g_free(call->parties);
    g_free(call);
}

static struct call *call_new(struct state_client *client, enum state_operation operation)
{
    struct call *call = g_new0(struct call, 1);
    call->client = client;
    call->asked.operation = operation;
    return call;
}

static void copy_record(struct call *call, const struct state_record *record)
{
    unsigned count = 0;
    for (unsigned i = 0; i < record->count; i++)
        count += record->values[i].count;
    call->asked.record = *record;
    call->values = g_new(struct state_values, MAX(record->count, 1));
    call->hashes = g_new(state_hash, MAX(count, 1));
    call->asked.record.values = call->values;
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
    call->asked.set = *set;
    call->parties = g_memdup2(set->parties, set->count * sizeof *set->parties);
    call->asked.set.parties = call->parties;
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
    enum state_operation operation = call->asked.operation;
    void *answer = NULL;
    if (is_paused(client)) {
        call_free(call);
        return NULL;
    }
    call->awaited = true;
    const gint64 end = g_get_monotonic_time() + (gint64)SITE_STATE_WAIT * 1000;
    call->asked.end = end;
    enum store_result result = store_do(client->calls, call, call_free, end, &answer);
    if (result == STORE_EXPIRED || result == STORE_ABANDONED) {
        g_autofree char *reason =
            g_strdup_printf("%s gave no answer within %u ms", state_store_name(client->where), SITE_STATE_WAIT);
        failed(client, operation, reason);
    }
    return answer;
}

/* Without waiting.  Takes the call. */
static enum state_outcome hand_over(struct call *call)
{
    struct state_client *client = call->client;
    enum state_operation operation = call->asked.operation;
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
    call->asked.keep = keep;
    call->asked.windows = g_memdup2(windows, count * sizeof *windows);
    call->asked.count = count;
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
    call->asked.time = since;
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
    call->asked.time = known->since;
    call->asked.with_set = true;
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
    call->asked.id = id;
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
    call->asked.permit = *permit;
    call->asked.permit.visible = copy_hashes(call, permit->visible, permit->count);
    g_autofree struct answer *answer = await(call);
    return answer == NULL ? STATE_AWAY : answer->outcome;
}

static enum state_outcome claim(void *data, const struct state_claim *claim, enum state_claimed *claimed,
                                state_hash *rule)
{
    struct call *call = call_new(data, STATE_CLAIM);
    call->asked.claim = *claim;
    call->asked.claim.visible = copy_hashes(call, claim->visible, claim->count);
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
    call->asked.id = code;
    call->asked.message = message;
    return hand_over(call);
}

/* ---- tidying */

struct expiry {
    gint64 records, sets;
};

static void expire_step(struct store_group *group, struct state_client *client, struct store_job *job)
{
    const struct expiry *expiry = store_job_data(job);
    int result = 0;
    if (!store_stopping(group) && !is_paused(client))
        result = state_store_expire(client->where, expiry->records, expiry->sets);
    if (result == 1)
        store_again(group, job);
    else
        store_end(group, job, NULL, NULL);
    if (result == -1) /* the next message that needs it says why */
        count(client, STATE_EXPIRE);
}

static void tidy(struct store_group *group, void *owner)
{
    struct state_client *client = owner;
    struct store_job *job = store_take(group);
    int result = 0;
    if (job != NULL)
        expire_step(group, client, job);
    else if (!store_stopping(group) && g_get_monotonic_time() >= state_store_away(client->where))
        result = state_store_catch_up(client->where);
    if (result == -1)
        count(client, STATE_SHARE);
    if (state_store_is_behind(client->where))
        store_call_at(group, result == 1 ? 1 : MAX(g_get_monotonic_time() + RETRY, state_store_away(client->where)));
}

void state_client_expire(struct state_client *client, gint64 records, gint64 sets)
{
    struct expiry *expiry = g_new(struct expiry, 1);
    *expiry = (struct expiry){records, sets};
    store_add(client->tidying, expiry, g_free);
}

/* ---- the whole */

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

static void say_refused(const struct state_client *client, const struct config *config,
                        const struct database_error *error, struct diags *diags)
{
    if (g_str_has_prefix(error->text, state_store_name(client->where)) && config_state_database(config) != NULL)
        diags_file_error(diags, config->path, "%s", error->text);
    else
        diags_file_error(diags, config_state_database(config) == NULL ? state_store_name(client->where) : config->path,
                         "the file of [state] cannot be there: %s", error->text);
}

struct state_client *state_client_new(const struct config *config, struct diags *diags)
{
    struct database_error error;
    g_autofree char *key_path = config_state_key(config);
    auto_free(state_key) key = state_key_file_read(key_path, geteuid(), DATABASE_CREATE, &error);
    if (key == NULL) {
        diags_file_error(diags, key_path, "the key of [state] cannot be there: %s", error.text);
        return NULL;
    }
    struct state_client *client = g_new0(struct state_client, 1);
    client->key = g_steal_pointer(&key);
    client->state = (struct state){&client_functions, client, client->key};
    atomic_init(&client->said, -LINE_INTERVAL);
    client->said_of_learning = -LINE_INTERVAL;
    bool shared = config_state_database(config) != NULL;
    client->later = state_later_new(!shared || config->state_on_away == STATE_AWAY_LOCAL, shared);
    client->where = state_store_new(config, client->key, client->later);
    bool lasts;
    int result = state_store_open(client->where, &lasts, &error);
    if (result == -1 && lasts) {
        say_refused(client, config, &error, diags);
        state_client_free(client);
        return NULL;
    }
    if (result == -1)
        failed(client, STATE_WINDOW, error.text);
    client->store = store_new();
    client->calls = store_group_new(client->store, false, do_call, client);
    client->tidying = store_group_new(client->store, true, tidy, client);
    if (state_store_is_behind(client->where)) /* with what the file has of before */
        hand_over(call_new(client, STATE_LEARN));
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
    bool in_file = config_state_database(config) == NULL || config->state_on_away == STATE_AWAY_LOCAL;
    char *paths[] = {config_state_key(config), config_state(config)};
    struct database_error error;
    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        if ((i == 0 || in_file) && database_check_place(paths[i], geteuid(), &error) == -1)
            diags_file_error(diags, paths[i], "the state cannot be there: %s", error.text);
        g_free(paths[i]);
    }
}

bool state_client_stop(struct state_client *client, unsigned limit)
{
    bool ended = store_stop(client->store, g_get_monotonic_time() + (gint64)limit * G_USEC_PER_SEC);
    if (ended) /* one file, without those beside it */
        state_store_close(client->where);
    return ended;
}

void state_client_free(struct state_client *client)
{
    if (client == NULL)
        return;
    if (client->store != NULL)
        store_free(client->store);
    state_store_free(client->where);
    state_key_free(client->key);
    state_later_free(client->later);
    g_free(client);
}
