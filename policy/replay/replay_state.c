/* replay_state - see replay_state.h */

#include "policy/replay/replay_state.h"

#include "policy/state/state_memory.h"

/* Seconds of the mailbox after which what is too old is deleted. */
#define EXPIRE_EVERY (60 * 60)

/* What goes on if the policy were as it is, without `known`, and without windows. */
enum way { AS_WRITTEN, WITHOUT_KNOWN, WITHOUT_WINDOWS, WAYS };

struct play {
    struct policy *policy;
    struct policy_state needs;
    struct state_scratch scratches[WAYS];
    gint64 expired;
    struct play_figures figures;
};

/* A window that sees this message alone. */
static enum state_outcome window_alone(void *data, const struct state_record *record, bool keep,
                                       struct state_window *windows, unsigned count)
{
    (void)data;
    (void)keep;
    for (unsigned i = 0; i < count; i++)
        windows[i].value = record->values[windows[i].values].count;
    return STATE_OK;
}

struct play *play_new(struct policy *policy)
{
    struct policy_state needs = policy_state(policy);

    if (needs.windows == 0 && needs.remember == 0)
        return NULL;
    struct play *play = g_new0(struct play, 1);
    play->policy = policy_ref(policy);
    play->needs = needs;
    play->figures = (struct play_figures){.known = needs.remember > 0, .windows = needs.windows > 0};
    for (unsigned i = 0; i < WAYS; i++)
        state_scratch_open(&play->scratches[i]);
    play->scratches[WITHOUT_WINDOWS].functions.window = window_alone;
    return play;
}

void play_free(struct play *play)
{
    for (unsigned i = 0; i < WAYS; i++)
        state_scratch_close(&play->scratches[i]);
    policy_unref(play->policy);
    g_free(play);
}

/* What is held passes in the end. */
static void settle(struct verdict *verdict, const struct state *state, gint64 time)
{
    enum verdict_end end = verdict_end_of(verdict->disposition);

    if (end == VERDICT_HELD && verdict->state.parties != NULL) {
        verdict->state.teaches = true;
        end = VERDICT_PASSED;
    }
    verdict_settle(verdict, state, end, time);
}

static struct verdict *evaluate_way(struct play *play, enum way way, const struct message *message,
                                    const struct evaluate_options *options, gint64 time)
{
    struct evaluate_options own = *options;

    own.state = &play->scratches[way].state;
    own.time = time;
    own.no_known = way == WITHOUT_KNOWN;
    if (way != AS_WRITTEN) {
        own.trace = NULL;
        own.watch = NULL;
    }
    struct verdict *verdict = policy_evaluate(play->policy, message, &own);
    settle(verdict, own.state, time);
    return verdict;
}

static void expire(struct play *play, gint64 time)
{
    if (time - play->expired < EXPIRE_EVERY)
        return;
    play->expired = time;
    for (unsigned i = 0; i < WAYS; i++) {
        const struct state *state = &play->scratches[i].state;
        state->functions->expire(state->data, time - play->needs.windows, time - play->needs.remember);
    }
}

/* By a rule, on trial or not: what a rule on trial would change is why somebody replays it. */
static bool is_stopped(const struct verdict *verdict)
{
    return disposition_stops(verdict->disposition) || verdict_would_stop(verdict);
}

struct verdict *play_evaluate(struct play *play, const struct message *message, const struct evaluate_options *options,
                              gint64 time)
{
    struct play_figures *figures = &play->figures;

    expire(play, time);
    struct verdict *verdict = evaluate_way(play, AS_WRITTEN, message, options, time);
    bool stopped = is_stopped(verdict);
    figures->stopped += stopped;
    if (figures->known) {
        auto_free(verdict) other = evaluate_way(play, WITHOUT_KNOWN, message, options, time);
        figures->without_known += is_stopped(other);
        figures->spared += is_stopped(other) && !stopped;
    }
    if (figures->windows) {
        auto_free(verdict) other = evaluate_way(play, WITHOUT_WINDOWS, message, options, time);
        figures->added += stopped && !is_stopped(other);
    }
    return verdict;
}

struct play_figures play_figures(const struct play *play)
{
    return play != NULL ? play->figures : (struct play_figures){0};
}
