/* state_call - see state_call.h */

#include "milter/state/state_call.h"

static enum state_outcome learn_in_file(void *data, const struct state_learned *sets, unsigned count)
{
    return state_file_learn(data, sets, count);
}

static enum state_outcome learn_in_database(void *data, const struct state_learned *sets, unsigned count)
{
    return state_database_learn(data, sets, count);
}

static enum state_outcome withdraw_in_file(void *data, const state_hash *ids, unsigned count)
{
    enum state_outcome outcome = STATE_OK;
    for (unsigned i = 0; i < count && outcome != STATE_AWAY; i++)
        outcome = state_file_functions.withdraw(data, ids[i]);
    return outcome;
}

static enum state_outcome withdraw_in_database(void *data, const state_hash *ids, unsigned count)
{
    return state_database_withdraw(data, ids, count);
}

struct state_target state_call_file(struct state_file *file)
{
    return (struct state_target){&state_file_functions, file, learn_in_file, withdraw_in_file, STATE_IN_FILE};
}

struct state_target state_call_database(struct state_database *database)
{
    return (struct state_target){&state_database_functions, database, learn_in_database, withdraw_in_database,
                                 STATE_IN_DATABASE};
}

static enum state_outcome ask_window(const struct state_target *target, const struct state_call *call,
                                     struct state_question *known)
{
    if (!call->with_set)
        return target->functions->window(target->data, &call->record, call->keep, call->windows, call->count);
    return target->functions->known_else_window(target->data, known, &call->record, call->keep, call->windows,
                                                call->count);
}

/* Of what is kept, or of what is not written yet. */
static enum state_outcome ask_set(const struct state_target *target, struct state_later *later,
                                  const struct state_call *call, struct state_question *known)
{
    gint64 when = state_later_known(later, &call->set, call->time);
    if (when == 0 && call->with_set)
        return ask_window(target, call, known);
    known->outcome = target->functions->known(target->data, &call->set, call->time, &known->when);
    if (known->outcome != STATE_AWAY && when != 0) {
        known->outcome = STATE_OK;
        known->when = MAX(known->when, when);
    }
    return known->outcome;
}

static enum state_outcome ask(const struct state_target *target, struct state_later *later,
                              const struct state_call *call, struct state_results *results)
{
    struct state_question *known = &results->known;
    *known = (struct state_question){.set = call->set, .since = call->time};
    switch (call->operation) {
    case STATE_WINDOW:
        return call->with_set ? ask_set(target, later, call, known) : ask_window(target, call, known);
    case STATE_KNOWN:
        return ask_set(target, later, call, known);
    case STATE_WITHDRAW:
        return target->functions->withdraw(target->data, call->id);
    case STATE_LEARN:
        return call->sets_count == 0 ? STATE_OK : target->learn(target->data, call->sets, call->sets_count);
    case STATE_PERMIT:
        return target->functions->permit(target->data, &call->permit);
    case STATE_CLAIM:
        if (call->message != 0)
            return target->functions->unclaim(target->data, call->id, call->message);
        return target->functions->claim(target->data, &call->claim, &results->claimed, &results->rule);
    default:
        return STATE_AWAY;
    }
}

enum state_outcome state_call_withdraw_waiting(const struct state_target *target, struct state_later *later)
{
    state_hash ids[STATE_LATER_LIMIT];
    unsigned count = state_later_withdrawn(later, target->place, ids);
    if (count > 0 && target->withdraw(target->data, ids, count) == STATE_AWAY)
        return STATE_AWAY;
    if (count > 0)
        state_later_drop_withdrawn(later, target->place, count);
    return STATE_OK;
}

enum state_outcome state_call_ask(const struct state_target *target, struct state_later *later,
                                  const struct state_call *call, struct state_results *results)
{
    enum state_outcome outcome = state_call_withdraw_waiting(target, later);
    return outcome == STATE_AWAY ? outcome : ask(target, later, call, results);
}
