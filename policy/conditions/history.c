/* history - see history.h */

#include "policy/conditions/history.h"

#include "policy/address/address.h"
#include "policy/base/keyed_hash.h"
#include "policy/state/state_keys.h"

#include <string.h>

static bool has_state(const struct history *history)
{
    return history->state != NULL && history->state->functions != NULL && history->state->key != NULL;
}

static void note(struct history *history, enum state_outcome outcome)
{
    history->away = history->away || outcome == STATE_AWAY;
    history->bound = history->bound || outcome == STATE_BOUND;
}

/* ---- the values of a message */

static const char *value_of(const struct exposed *exposed, enum count count)
{
    return count == COUNT_PARTIES   ? exposed->party
           : count == COUNT_DOMAINS ? address_domain(exposed->address)
                                    : exposed->address;
}

static enum state_kind kind_of(enum count count)
{
    return count == COUNT_PARTIES ? STATE_PARTY : count == COUNT_DOMAINS ? STATE_DOMAIN : STATE_VISIBLE;
}

/* Parties are asked for by `known`, by windows, and by what is to be learned: each is hashed once. */
static state_hash hash_of(struct evaluation *evaluation, enum count count, unsigned index)
{
    const struct state_key *key = evaluation->history.state->key;
    const char *value = value_of(exposure_get(evaluation->exposure, index), count);

    if (count != COUNT_PARTIES)
        return state_hash_text(key, kind_of(count), value);
    if (evaluation->history.parties == NULL)
        evaluation->history.parties = g_new0(state_hash, exposure_visible(evaluation->exposure));
    state_hash *hash = &evaluation->history.parties[index];
    if (*hash == 0)
        *hash = state_hash_text(key, STATE_PARTY, value);
    return *hash;
}

/* The distinct values of the classes, as hashes; of those that were delivered alone, or of all that is visible. */
static GArray *values_of(struct evaluation *evaluation, enum count count, class_mask mask, bool delivered)
{
    const struct exposure *exposure = evaluation->exposure;
    GArray *values = g_array_new(FALSE, FALSE, sizeof(state_hash));
    g_autoptr(GHashTable) seen = g_hash_table_new(hash_string, g_str_equal);

    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const struct exposed *exposed = exposure_get(exposure, i);
        const char *value = value_of(exposed, count);
        if ((mask & (class_mask)1 << exposed->class_index) == 0 || (delivered && !exposed->delivered) ||
            !g_hash_table_add(seen, (gpointer)value))
            continue;
        const state_hash hash = hash_of(evaluation, count, i);
        g_array_append_val(values, hash);
    }
    return values;
}

/* ---- known */

/* Sets of one tenant mean nothing to another: the organisation of a sender whose class is `separate`; else 0. */
static state_hash scope_of(struct evaluation *evaluation)
{
    struct classes *classes = evaluation->policy->classes;
    const char *domain = address_domain(evaluation_sender(evaluation));

    if (domain == NULL || classes_which(classes, true) == 0)
        return 0;
    auto_free(domain_facts) facts = classes_find(classes, domain, evaluation->budget);
    if (!classes_separate(classes, (unsigned)facts->class_index))
        return 0;
    return state_hash_text(evaluation->history.state->key, STATE_SCOPE, facts->organisation);
}

/* Whether its parties can be known at all. */
static bool can_be_known(const struct evaluation *evaluation)
{
    const unsigned unreadable = DEFECT_LIMIT | DEFECT_UNPARSED | DEFECT_CUT;
    unsigned parties = exposure_count(evaluation->exposure, COUNT_PARTIES, CLASS_EXTERNAL);

    return evaluation->policy->remember.text != NULL && parties >= 2 && parties <= STATE_SET_LIMIT &&
           (exposure_defects(evaluation->exposure) & unreadable) == 0 && !exposure_fault(evaluation->exposure);
}

static bool shows_two(const struct evaluation *evaluation, class_mask mask)
{
    return exposure_count(evaluation->exposure, COUNT_PARTIES, mask) >= 2;
}

/* Whether it may be in a window. */
static bool may_be_in(const struct evaluation *evaluation)
{
    const GArray *signatures = evaluation->policy->signatures;
    bool shows = false;

    for (unsigned i = 0; i < signatures->len; i++)
        shows = shows || shows_two(evaluation, g_array_index(signatures, struct signature, i).mask);
    return shows;
}

static void ask_windows(struct evaluation *evaluation, struct state_question *known);

static void ask_known(struct evaluation *evaluation)
{
    struct history *history = &evaluation->history;
    const struct state *state = history->state;

    if (!has_state(history)) {
        note(history, STATE_AWAY);
        return;
    }
    g_autoptr(GArray) parties = values_of(evaluation, COUNT_PARTIES, CLASS_EXTERNAL, false);
    struct state_question known = {
        .set = {scope_of(evaluation), (const state_hash *)(gpointer)parties->data, parties->len},
        .since = state_time(history->now) - evaluation->policy->remember.seconds,
    };
    if (state->functions->known_else_window != NULL && may_be_in(evaluation))
        ask_windows(evaluation, &known);
    else
        known.outcome = state->functions->known(state->data, &known.set, known.since, &known.when);
    note(history, known.outcome);
    history->known_when = known.when;
    history->known = known.outcome == STATE_OK && known.when != 0;
}

bool history_known(struct evaluation *evaluation)
{
    struct history *history = &evaluation->history;

    if (!history->known_asked && evaluation->exposure != NULL && can_be_known(evaluation)) {
        history->known_asked = true;
        ask_known(evaluation);
    }
    return history->known;
}

void history_set_free(struct history_set *set)
{
    if (set == NULL)
        return;
    g_array_unref(set->parties);
    g_free(set);
}

struct history_set *history_learnable(struct evaluation *evaluation)
{
    if (!can_be_known(evaluation) || !has_state(&evaluation->history))
        return NULL;
    g_autoptr(GArray) parties = values_of(evaluation, COUNT_PARTIES, CLASS_EXTERNAL, true);
    if (parties->len < 2)
        return NULL;
    struct history_set *set = g_new(struct history_set, 1);
    *set = (struct history_set){scope_of(evaluation), g_steal_pointer(&parties)};
    return set;
}

/* ---- windows */

bool history_is_in(struct evaluation *evaluation, struct history_window window)
{
    return shows_two(evaluation, window.mask) && !history_known(evaluation);
}

/* A record while it is made, and what is asked with it. */
struct window_call {
    GPtrArray *lists; /* GArray * of state_hash: the values */
    GArray *values;   /* struct state_values */
    GArray *windows;  /* struct state_window */
    GArray *indexes;  /* unsigned, of the policy: whose answer each one is */
};

static void add_signature(struct evaluation *evaluation, struct window_call *call, unsigned index)
{
    const struct policy *policy = evaluation->policy;
    const struct signature *signature = &g_array_index(policy->signatures, struct signature, index);
    GArray *list = values_of(evaluation, signature->count, signature->mask, false);
    const struct state_values values = {
        state_hash_text(evaluation->history.state->key, STATE_SIGNATURE, signature->text),
        (const state_hash *)(gpointer)list->data, list->len};

    g_ptr_array_add(call->lists, list);
    g_array_append_val(call->values, values);
    for (unsigned i = 0; i < policy->windows->len; i++) {
        const struct window *window = &g_array_index(policy->windows, struct window, i);
        const struct state_window asked = {call->values->len - 1, window->seconds, window->alike, 0};
        if (window->signature != index)
            continue;
        g_array_append_val(call->windows, asked);
        g_array_append_val(call->indexes, i);
    }
}

static void send(struct evaluation *evaluation, struct window_call *call, struct state_question *known)
{
    struct history *history = &evaluation->history;
    const struct state *state = history->state;
    struct state_window *windows = (struct state_window *)(gpointer)call->windows->data;
    struct state_record record = {
        .author = state_author(state->key, evaluation->message),
        .subject = state_subject(state->key, evaluation->message),
        .time = state_time(history->now),
        .values = (const struct state_values *)(gpointer)call->values->data,
        .count = call->values->len,
    };

    record.id = state_record_id(state->key, evaluation->message, &record);
    enum state_outcome outcome =
        known != NULL
            ? state->functions->known_else_window(state->data, known, &record, !history->look_only, windows,
                                                  call->windows->len)
            : state->functions->window(state->data, &record, !history->look_only, windows, call->windows->len);
    note(history, outcome);
    history->windows_asked = known == NULL || known->when == 0;
    if (!history->look_only && history->windows_asked)
        history->record = record.id;
    history->windows_away = outcome == STATE_AWAY;
    for (unsigned i = 0; i < call->windows->len; i++)
        history->values[g_array_index(call->indexes, unsigned, i)] = windows[i].value;
}

/* With a question, unless that is answered by yes. */
static void ask_windows(struct evaluation *evaluation, struct state_question *known)
{
    struct history *history = &evaluation->history;
    const GArray *signatures = evaluation->policy->signatures;
    struct window_call call = {
        .lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref),
        .values = g_array_new(FALSE, FALSE, sizeof(struct state_values)),
        .windows = g_array_new(FALSE, FALSE, sizeof(struct state_window)),
        .indexes = g_array_new(FALSE, FALSE, sizeof(unsigned)),
    };

    history->windows_asked = true;
    g_free(history->values);
    history->values = g_new0(guint32, evaluation->policy->windows->len);
    for (unsigned i = 0; has_state(history) && i < signatures->len; i++)
        if (shows_two(evaluation, g_array_index(signatures, struct signature, i).mask))
            add_signature(evaluation, &call, i);
    if (has_state(history)) {
        send(evaluation, &call, known);
    } else {
        history->windows_away = true;
        note(history, STATE_AWAY);
    }
    g_ptr_array_unref(call.lists);
    g_array_unref(call.values);
    g_array_unref(call.windows);
    g_array_unref(call.indexes);
}

int history_window(struct evaluation *evaluation, struct history_window window, guint32 *value)
{
    struct history *history = &evaluation->history;

    *value = 0;
    if (exposure_fault(evaluation->exposure))
        return TEST_FAULT;
    if (!history_is_in(evaluation, window))
        return TEST_YES;
    if (!history->windows_asked)
        ask_windows(evaluation, NULL);
    *value = history->values[window.index];
    return history->windows_away ? TEST_ERROR : TEST_YES;
}

bool history_record(struct evaluation *evaluation)
{
    struct history *history = &evaluation->history;

    if (!may_be_in(evaluation) || history_known(evaluation))
        return true;
    if (!history->windows_asked)
        ask_windows(evaluation, NULL);
    return !history->windows_away;
}

char *history_value_text(guint32 value)
{
    if (value == STATE_WINDOW_MANY)
        return g_strdup_printf("more than %u", STATE_WINDOW_LIMIT);
    return g_strdup_printf("%u", value);
}
