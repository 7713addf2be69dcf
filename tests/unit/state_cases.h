/*
 * state_cases - what every implementation of policy/state/state.h must answer.  A test program gives its name, its
 * functions, and how one that is empty is opened and closed.
 */
#ifndef RCPTGUARD_STATE_CASES_H
#define RCPTGUARD_STATE_CASES_H

#include "policy/state/state.h"
#include "unit.h"

struct state_case_maker {
    const char *name; /* of the implementation, for the paths of the tests */
    const struct state_functions *functions;
    void *(*open)(void);
    void (*close)(void *data);
};

struct state_case {
    const struct state_case_maker *maker;
    void (*run)(const struct state_functions *functions, void *data);
};

/* ---- one step, with small numbers as hashes */

#define NOW 1800000000

struct case_message {
    state_hash id, author, subject;
    gint64 time;
    state_hash signature;
    state_hash first; /* its values are first, first + 1, ... */
    unsigned count;
};

/* The value that a window of so many seconds has with this message. */
static inline guint32 case_window(const struct state_functions *functions, void *data, const struct case_message *from,
                                  bool keep, unsigned seconds, bool alike)
{
    g_autofree state_hash *values = g_new(state_hash, from->count);
    for (unsigned i = 0; i < from->count; i++)
        values[i] = from->first + i;
    const struct state_values set = {from->signature, values, from->count};
    const struct state_record record = {from->id, from->author, from->subject, from->time, &set, 1};
    struct state_window window = {.seconds = seconds, .alike = alike};

    enum state_outcome outcome = functions->window(data, &record, keep, &window, 1);
    g_assert_cmpint(outcome, ==, window.value == STATE_WINDOW_MANY ? STATE_BOUND : STATE_OK);
    return window.value;
}

/* Numbers up to 0 as a set. */
static inline struct state_set case_set(const state_hash *parties)
{
    struct state_set set = {.parties = parties};

    while (parties[set.count] != 0)
        set.count++;
    return set;
}

#define PARTIES(...) ((const state_hash[]){__VA_ARGS__, 0})

static inline gint64 case_known(const struct state_functions *functions, void *data, const state_hash *parties,
                                gint64 since)
{
    const struct state_set set = case_set(parties);
    gint64 when = -1;

    g_assert_cmpint(functions->known(data, &set, since, &when), ==, STATE_OK);
    return when;
}

static inline void case_learn(const struct state_functions *functions, void *data, const state_hash *parties,
                              gint64 time)
{
    const struct state_set set = case_set(parties);

    g_assert_cmpint(functions->learn(data, &set, time), ==, STATE_OK);
}

/* What comes of a claim at that time by that author and message. */
static inline enum state_claimed case_claim(const struct state_functions *functions, void *data, state_hash code,
                                            state_hash author, state_hash message, const state_hash *visible,
                                            gint64 time, state_hash *rule)
{
    const struct state_set set = case_set(visible);
    const struct state_claim claim = {code, author, message, set.parties, set.count, time};
    enum state_claimed claimed = (enum state_claimed) - 1;

    *rule = 99;
    g_assert_cmpint(functions->claim(data, &claim, &claimed, rule), ==, STATE_OK);
    g_assert_cmpuint(*rule, ==, claimed == CLAIM_TAKEN ? *rule : 0);
    return claimed;
}

/* A permit of author 7 for rule 3, for ten minutes from that time. */
static inline void case_permit(const struct state_functions *functions, void *data, state_hash code, gint64 time,
                               const state_hash *visible)
{
    const struct state_set set = case_set(visible);
    const struct state_permit permit = {code, 3, 7, set.parties, set.count, time, time + 600};

    g_assert_cmpint(functions->permit(data, &permit), ==, STATE_OK);
}

/* ---- permits */

struct case_claimed {
    state_hash code, author, message;
    const state_hash *visible;
    gint64 time;
    enum state_claimed want;
};

static inline void case_claims(const struct state_functions *functions, void *data)
{
    const struct case_claimed steps[] = {
        {100, 7, 1, PARTIES(50), NOW, CLAIM_UNKNOWN},
        {101, 8, 1, PARTIES(50), NOW, CLAIM_AUTHOR},
        {101, 8, 1, PARTIES(50), NOW + 700, CLAIM_AUTHOR}, /* another author learns nothing more */
        {101, 7, 1, PARTIES(50), NOW + 601, CLAIM_LATE},
        {101, 7, 1, PARTIES(50, 70), NOW, CLAIM_LARGER},
        {101, 7, 1, PARTIES(30, 40, 50, 60), NOW, CLAIM_LARGER},
        {101, 7, 1, PARTIES(50, 30), NOW + 600, CLAIM_TAKEN}, /* smaller, in the last second */
        {101, 7, 2, PARTIES(50, 30), NOW, CLAIM_USED},
        {101, 7, 1, PARTIES(50, 40, 30), NOW, CLAIM_TAKEN}, /* the same message again */
        {101, 7, 1, PARTIES(50, 70), NOW, CLAIM_LARGER},
        {101, 7, 1, PARTIES(50), NOW + 601, CLAIM_LATE},
        {102, 7, 2, PARTIES(60), NOW, CLAIM_TAKEN}, /* another permit is another's */
    };
    state_hash rule;

    case_permit(functions, data, 101, NOW, PARTIES(40, 50, 30));
    case_permit(functions, data, 102, NOW, PARTIES(60));
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        const struct case_claimed *step = &steps[i];
        enum state_claimed got =
            case_claim(functions, data, step->code, step->author, step->message, step->visible, step->time, &rule);
        if (got != step->want || (got == CLAIM_TAKEN && rule != 3))
            UNIT_FAIL("claim %u: %d instead of %d, rule %u", i, (int)got, (int)step->want, (unsigned)rule);
    }
}

static inline void case_unclaim(const struct state_functions *functions, void *data)
{
    state_hash rule;

    case_permit(functions, data, 101, NOW, PARTIES(40, 50));
    g_assert_cmpint(case_claim(functions, data, 101, 7, 1, PARTIES(40), NOW, &rule), ==, CLAIM_TAKEN);
    g_assert_cmpint(functions->unclaim(data, 101, 2), ==, STATE_OK); /* another message gives nothing back */
    g_assert_cmpint(case_claim(functions, data, 101, 7, 2, PARTIES(40), NOW, &rule), ==, CLAIM_USED);
    g_assert_cmpint(functions->unclaim(data, 101, 1), ==, STATE_OK);
    g_assert_cmpint(functions->unclaim(data, 999, 1), ==, STATE_OK);
    g_assert_cmpint(case_claim(functions, data, 101, 7, 2, PARTIES(40), NOW, &rule), ==, CLAIM_TAKEN);
    g_assert_cmpint(case_claim(functions, data, 101, 7, 1, PARTIES(40), NOW, &rule), ==, CLAIM_USED);
}

static inline void case_permits_end(const struct state_functions *functions, void *data)
{
    state_hash rule;
    unsigned gone = 0;

    for (unsigned i = 0; i <= STATE_PERMITS_LIMIT; i++)
        case_permit(functions, data, 200 + i, NOW + i, PARTIES(40, 50));
    g_assert_cmpint(case_claim(functions, data, 200, 7, 1, PARTIES(40), NOW, &rule), ==, CLAIM_UNKNOWN);
    g_assert_cmpint(case_claim(functions, data, 201, 7, 1, PARTIES(40), NOW, &rule), ==, CLAIM_TAKEN);

    case_permit(functions, data, 300, NOW + 600 + STATE_PERMIT_KNOWN, PARTIES(60));
    g_assert_cmpint(case_claim(functions, data, 202, 7, 1, PARTIES(40), NOW + 1000, &rule), ==, CLAIM_LATE);
    case_permit(functions, data, 301, NOW + 700 + STATE_PERMIT_KNOWN, PARTIES(70));
    g_assert_cmpint(case_claim(functions, data, 202, 7, 1, PARTIES(40), NOW + 1000, &rule), ==, CLAIM_UNKNOWN);

    g_assert_cmpint(functions->forget(data, PARTIES(60), 1, &gone), ==, STATE_OK);
    g_assert_cmpuint(gone, ==, 1);
    g_assert_cmpint(case_claim(functions, data, 300, 7, 1, PARTIES(60), NOW, &rule), ==, CLAIM_UNKNOWN);
    g_assert_cmpint(functions->forget(data, PARTIES(7), 1, &gone), ==, STATE_OK);
    g_assert_cmpint(case_claim(functions, data, 301, 7, 1, PARTIES(70), NOW, &rule), ==, CLAIM_UNKNOWN);
}

/* Whatever their codes are, of those of one second the first one goes. */
static inline void case_permits_at_once(const struct state_functions *functions, void *data)
{
    state_hash rule;

    for (unsigned i = 0; i < 2 * STATE_PERMITS_LIMIT; i++) {
        unsigned code = 200 + (i * 7) % (2 * STATE_PERMITS_LIMIT);
        case_permit(functions, data, code, NOW, PARTIES(40, 50));
    }
    for (unsigned i = 0; i < 2 * STATE_PERMITS_LIMIT; i++) {
        unsigned code = 200 + (i * 7) % (2 * STATE_PERMITS_LIMIT);
        g_assert_cmpint(case_claim(functions, data, code, 7, 1, PARTIES(40), NOW, &rule), ==,
                        i < STATE_PERMITS_LIMIT ? CLAIM_UNKNOWN : CLAIM_TAKEN);
    }
}

static inline void case_permit_of_many(const struct state_functions *functions, void *data)
{
    g_autofree state_hash *many = g_new(state_hash, STATE_PERMIT_LIMIT + 1);
    struct state_permit permit = {101, 3, 7, many, STATE_PERMIT_LIMIT + 1, NOW, NOW + 600};
    struct state_claim claim = {101, 7, 1, many, STATE_PERMIT_LIMIT, NOW};
    enum state_claimed claimed;
    state_hash rule;

    for (unsigned i = 0; i <= STATE_PERMIT_LIMIT; i++)
        many[i] = 5 + i * 3;
    g_assert_cmpint(functions->permit(data, &permit), ==, STATE_BOUND);
    permit.count--;
    g_assert_cmpint(functions->permit(data, &permit), ==, STATE_OK);
    g_assert_cmpint(functions->claim(data, &claim, &claimed, &rule), ==, STATE_OK);
    g_assert_cmpint(claimed, ==, CLAIM_TAKEN);
}

/* ---- windows */

/* Messages one after the other, and the value of each. */
struct case_step {
    struct case_message message;
    unsigned seconds;
    bool alike;
    guint32 want;
};

static inline void case_steps(const struct state_functions *functions, void *data, const struct case_step *steps,
                              unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        guint32 got = case_window(functions, data, &steps[i].message, true, steps[i].seconds, steps[i].alike);
        if (got != steps[i].want)
            UNIT_FAIL("step %u: %u instead of %u", i, got, steps[i].want);
    }
}

static inline void case_adds_up(const struct state_functions *functions, void *data)
{
    static const struct case_step steps[] = {
        {{1, 7, 5, NOW, 3, 100, 9}, 600, false, 9},           {{2, 7, 5, NOW + 1, 3, 109, 9}, 600, false, 18},
        {{3, 7, 5, NOW + 2, 3, 105, 9}, 600, false, 18},      /* all of them have been there */
        {{4, 8, 5, NOW + 3, 3, 200, 9}, 600, false, 9},       /* another author */
        {{5, 7, 5, NOW + 4, 4, 300, 9}, 600, false, 9},       /* another signature */
        {{6, 7, 5, NOW + 600, 3, 400, 2}, 600, false, 20},    /* of exactly that age */
        {{7, 7, 5, NOW + 602, 3, 400, 2}, 600, false, 11},    /* the first two have left: 105 to 113, and two */
        {{8, 7, 5, NOW + 1300, 3, 400, 2}, 600, false, 2},    /* all have left */
        {{9, 7, 5, NOW + 1300, 3, 400, 2}, 86400, false, 20}, /* a longer window sees them all */
    };

    case_steps(functions, data, steps, G_N_ELEMENTS(steps));
}

static inline void case_alike(const struct state_functions *functions, void *data)
{
    static const struct case_step steps[] = {
        {{1, 7, 5, NOW, 3, 100, 9}, 600, true, 9},   {{2, 7, 6, NOW, 3, 200, 9}, 600, true, 9},
        {{3, 7, 5, NOW, 3, 300, 9}, 600, true, 18},  {{4, 7, 0, NOW, 3, 400, 9}, 600, true, 36},
        {{5, 7, 6, NOW, 3, 500, 9}, 600, true, 27}, /* 200, 400 and 500 */
        {{6, 7, 8, NOW, 3, 600, 9}, 600, true, 18}, /* 400 and 600 */
        {{7, 7, 8, NOW, 3, 700, 9}, 600, false, 63},
    };

    case_steps(functions, data, steps, G_N_ELEMENTS(steps));
}

static inline void case_future(const struct state_functions *functions, void *data)
{
    static const struct case_step steps[] = {
        {{1, 7, 5, NOW + 86400, 3, 100, 9}, 600, false, 9},
        {{2, 7, 5, NOW, 3, 200, 9}, 600, false, 18}, /* the clock went back a day */
    };

    case_steps(functions, data, steps, G_N_ELEMENTS(steps));
}

static inline void case_once(const struct state_functions *functions, void *data)
{
    const struct case_message first = {1, 7, 5, NOW, 3, 100, 9}, other = {2, 7, 5, NOW, 3, 200, 9};

    g_assert_cmpuint(case_window(functions, data, &first, true, 600, false), ==, 9);
    g_assert_cmpuint(case_window(functions, data, &first, true, 600, false), ==, 9);
    g_assert_cmpuint(case_window(functions, data, &other, false, 600, false), ==, 18);
    g_assert_cmpuint(case_window(functions, data, &first, false, 600, false), ==, 9); /* the other was not kept */
    g_assert_cmpint(functions->withdraw(data, 1), ==, STATE_OK);
    g_assert_cmpint(functions->withdraw(data, 1), ==, STATE_OK);
    g_assert_cmpuint(case_window(functions, data, &other, true, 600, false), ==, 9);
}

/* One record has several signatures, and several windows are asked for at once. */
static inline void case_several(const struct state_functions *functions, void *data)
{
    const state_hash values[] = {100, 101, 102, 103};
    const struct state_values first[] = {{3, values, 2}, {4, values, 4}};
    const struct state_values second[] = {{4, values + 1, 2}, {3, values + 2, 2}};
    const struct state_record one = {1, 7, 5, NOW, first, 2}, other = {2, 7, 6, NOW + 60, second, 2};
    struct state_window windows[] = {{0, 600, false, 0}, {1, 600, false, 0}, {1, 10, false, 0}, {1, 600, true, 0}};

    g_assert_cmpint(functions->window(data, &one, true, NULL, 0), ==, STATE_OK);
    g_assert_cmpint(functions->window(data, &other, true, windows, G_N_ELEMENTS(windows)), ==, STATE_OK);
    g_assert_cmpuint(windows[0].value, ==, 4);
    g_assert_cmpuint(windows[1].value, ==, 4);
    g_assert_cmpuint(windows[2].value, ==, 2);
    g_assert_cmpuint(windows[3].value, ==, 2);
    g_assert_cmpint(functions->withdraw(data, 1), ==, STATE_OK);
    g_assert_cmpint(functions->window(data, &other, true, windows, G_N_ELEMENTS(windows)), ==, STATE_OK);
    g_assert_cmpuint(windows[0].value, ==, 2);
    g_assert_cmpuint(windows[1].value, ==, 2);
}

static inline void case_window_limit(const struct state_functions *functions, void *data)
{
    for (unsigned i = 0; i < 10; i++) {
        const struct case_message message = {i + 1, 7, 5, NOW, 3, 1000 + i * 1000, 1000};
        g_assert_cmpuint(case_window(functions, data, &message, true, 600, false), ==, (i + 1) * 1000);
    }
    const struct case_message over = {11, 7, 5, NOW, 3, 11000, 1};
    g_assert_cmpuint(case_window(functions, data, &over, true, 600, false), ==, STATE_WINDOW_MANY);
    const struct case_message within = {11, 7, 5, NOW, 3, 10999, 1};
    g_assert_cmpuint(case_window(functions, data, &within, true, 600, false), ==, STATE_WINDOW_LIMIT);
}

/* ---- sets */

static inline void case_sets(const struct state_functions *functions, void *data)
{
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), 0), ==, 0);
    case_learn(functions, data, PARTIES(3, 1, 2), NOW);
    case_learn(functions, data, PARTIES(4, 5), NOW + 10);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), 0), ==, NOW);
    g_assert_cmpint(case_known(functions, data, PARTIES(2, 3, 1), 0), ==, NOW);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2, 3, 4), 0), ==, 0);    /* a newcomer */
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2, 3, 4, 5), 0), ==, 0); /* two circles merged */
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 9), 0), ==, 0);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), NOW), ==, NOW);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), NOW + 1), ==, 0);
    const gint64 later = NOW + STATE_SET_FRESH;
    case_learn(functions, data, PARTIES(1, 2, 3), later);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), NOW + 1), ==, later);
    case_learn(functions, data, PARTIES(2, 1, 3), NOW - 20); /* does not make it older */
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), 0), ==, later);
}

/* Both in one call: what is known is in no window. */
static inline void case_known_else_window(const struct state_functions *functions, void *data)
{
    const state_hash values[] = {1, 2, 3};
    const struct state_values of[] = {{3, values, 3}};
    const struct state_record record = {1, 7, 5, NOW, of, 1};
    struct state_window window = {0, 600, false, 0};
    struct state_question question = {.set = {0, values, 3}};
    const struct case_message later = {2, 7, 5, NOW, 3, 10, 2};

    if (functions->known_else_window == NULL)
        return;
    case_learn(functions, data, PARTIES(1, 2, 3, 4), NOW);
    g_assert_cmpint(functions->known_else_window(data, &question, &record, true, &window, 1), ==, STATE_OK);
    g_assert_cmpint(question.outcome, ==, STATE_OK);
    g_assert_cmpint(question.when, ==, NOW);
    g_assert_cmpuint(window.value, ==, 0);
    g_assert_cmpuint(case_window(functions, data, &later, false, 600, false), ==, 2);

    question.since = NOW + 1;
    g_assert_cmpint(functions->known_else_window(data, &question, &record, true, &window, 1), ==, STATE_OK);
    g_assert_cmpint(question.outcome, ==, STATE_OK);
    g_assert_cmpint(question.when, ==, 0);
    g_assert_cmpuint(window.value, ==, 3);
    g_assert_cmpuint(case_window(functions, data, &later, false, 600, false), ==, 5);
}

static inline void case_scope(const struct state_functions *functions, void *data)
{
    const state_hash parties[] = {1, 2, 3};
    const struct state_set tenant = {77, parties, 3}, other = {78, parties, 3};
    gint64 when;

    g_assert_cmpint(functions->learn(data, &tenant, NOW), ==, STATE_OK);
    g_assert_cmpint(functions->known(data, &tenant, 0, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, NOW);
    g_assert_cmpint(functions->known(data, &other, 0, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, 0);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), 0), ==, 0);
}

static inline void case_set_limits(const struct state_functions *functions, void *data)
{
    state_hash parties[STATE_SET_LIMIT + 1];
    const struct state_set most = {0, parties, STATE_SET_LIMIT}, over = {0, parties, STATE_SET_LIMIT + 1};
    const struct state_set single = {0, parties, 1};
    gint64 when;

    for (unsigned i = 0; i < G_N_ELEMENTS(parties); i++)
        parties[i] = 1000 - i;
    g_assert_cmpint(functions->learn(data, &over, NOW), ==, STATE_BOUND);
    g_assert_cmpint(functions->learn(data, &single, NOW), ==, STATE_BOUND);
    g_assert_cmpint(functions->learn(data, &most, NOW), ==, STATE_OK);
    g_assert_cmpint(functions->known(data, &most, 0, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, NOW);
    g_assert_cmpint(functions->known(data, &over, 0, &when), ==, STATE_BOUND);
    g_assert_cmpint(when, ==, 0);
}

/* Two common parties that were never together: more sets than are looked at. */
static inline void case_common(const struct state_functions *functions, void *data)
{
    const struct state_set both = {0, PARTIES(1, 2), 2};
    gint64 when = -1;

    for (unsigned i = 0; i < STATE_SETS_READ_LIMIT + 1; i++) {
        case_learn(functions, data, PARTIES(1, 1000 + i), NOW);
        case_learn(functions, data, PARTIES(2, 3000 + i), NOW);
    }
    g_assert_cmpint(functions->known(data, &both, 0, &when), ==, STATE_BOUND);
    g_assert_cmpint(when, ==, 0);
    /* One rare party among common ones is found at once; so is what was learned last. */
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 1000), 0), ==, NOW);
    case_learn(functions, data, PARTIES(1, 2), NOW + 1);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), 0), ==, NOW + 1);
}

/* ---- what goes */

static inline void case_forget(const struct state_functions *functions, void *data)
{
    const struct case_message first = {1, 7, 5, NOW, 3, 100, 3}, asks = {9, 7, 5, NOW, 3, 200, 1};
    const struct case_message other = {2, 8, 5, NOW, 3, 100, 3}, asks_other = {9, 8, 5, NOW, 3, 200, 1};
    const state_hash value = 101, author = 8, party = 1;
    unsigned gone = 0;

    case_window(functions, data, &first, true, 600, false);
    case_window(functions, data, &other, true, 600, false);
    g_assert_cmpint(functions->forget(data, &value, 1, &gone), ==, STATE_OK);
    g_assert_cmpuint(gone, ==, 2);
    g_assert_cmpuint(case_window(functions, data, &asks, false, 600, false), ==, 3);
    g_assert_cmpint(functions->forget(data, &author, 1, &gone), ==, STATE_OK);
    g_assert_cmpuint(gone, ==, 1);
    g_assert_cmpuint(case_window(functions, data, &asks, false, 600, false), ==, 3);
    g_assert_cmpuint(case_window(functions, data, &asks_other, false, 600, false), ==, 1);
    case_learn(functions, data, PARTIES(1, 2, 3), NOW);
    case_learn(functions, data, PARTIES(1, 4), NOW);
    g_assert_cmpint(functions->forget(data, &party, 1, &gone), ==, STATE_OK);
    g_assert_cmpuint(gone, ==, 2);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), 0), ==, 0);
    g_assert_cmpint(case_known(functions, data, PARTIES(2, 3), 0), ==, NOW);
    g_assert_cmpint(functions->forget(data, &party, 1, &gone), ==, STATE_OK);
    g_assert_cmpuint(gone, ==, 0);
}

static inline void case_forget_scope(const struct state_functions *functions, void *data)
{
    const state_hash parties[] = {1, 2, 3}, scope = 77;
    const struct state_set tenant = {scope, parties, 3};
    unsigned gone = 0;
    gint64 when = -1;

    functions->learn(data, &tenant, NOW);
    g_assert_cmpint(functions->forget(data, &scope, 1, &gone), ==, STATE_OK);
    g_assert_cmpuint(gone, ==, 1);
    functions->known(data, &tenant, 0, &when);
    g_assert_cmpint(when, ==, 0);
}

static inline void case_expire(const struct state_functions *functions, void *data)
{
    const struct case_message first = {1, 7, 5, NOW, 3, 100, 3}, second = {2, 7, 5, NOW + 10, 3, 200, 3};
    const struct case_message asks = {9, 7, 5, NOW + 10, 3, 300, 1};

    case_window(functions, data, &first, true, 600, false);
    case_window(functions, data, &second, true, 600, false);
    case_learn(functions, data, PARTIES(1, 2), NOW);
    case_learn(functions, data, PARTIES(3, 4), NOW + 10);
    g_assert_cmpint(functions->expire(data, NOW + 1, NOW + 10), ==, STATE_OK);
    g_assert_cmpuint(case_window(functions, data, &asks, false, 600, false), ==, 4);
    g_assert_cmpint(case_known(functions, data, PARTIES(1, 2), 0), ==, 0);
    g_assert_cmpint(case_known(functions, data, PARTIES(3, 4), 0), ==, NOW + 10);
}

/* ---- two at once */

struct case_thread {
    const struct state_functions *functions;
    void *data;
    state_hash id;
    guint32 value;
};

static inline gpointer case_thread_run(gpointer data)
{
    struct case_thread *thread = data;
    const struct case_message message = {thread->id, 7, 5, NOW, 3, 1000 * thread->id, 9};

    thread->value = case_window(thread->functions, thread->data, &message, true, 600, false);
    return NULL;
}

/* Of messages that are written at once, the one that reads last sees all. */
static inline void case_threads(const struct state_functions *functions, void *data)
{
    struct case_thread threads[4];
    GThread *running[G_N_ELEMENTS(threads)];
    guint32 most = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = (struct case_thread){functions, data, i + 1, 0};
        running[i] = g_thread_new("case", case_thread_run, &threads[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_thread_join(running[i]);
        most = MAX(most, threads[i].value);
    }
    g_assert_cmpuint(most, ==, 9 * G_N_ELEMENTS(threads));
}

/* ---- all of them */

static inline void case_run(gconstpointer test)
{
    const struct state_case *state_case = test;
    void *data = state_case->maker->open();

    state_case->run(state_case->maker->functions, data);
    state_case->maker->close(data);
}

static inline void state_cases_add(const struct state_case_maker *maker)
{
    static const struct {
        const char *name;
        void (*run)(const struct state_functions *functions, void *data);
    } cases[] = {
        {"permit/claims", case_claims},
        {"permit/unclaim", case_unclaim},
        {"permit/ends", case_permits_end},
        {"permit/at-once", case_permits_at_once},
        {"permit/of-many", case_permit_of_many},
        {"window/adds-up", case_adds_up},
        {"window/alike", case_alike},
        {"window/future", case_future},
        {"window/once", case_once},
        {"window/several", case_several},
        {"window/limit", case_window_limit},
        {"window/threads", case_threads},
        {"sets/known", case_sets},
        {"sets/scope", case_scope},
        {"sets/limits", case_set_limits},
        {"sets/common", case_common},
        {"forget", case_forget},
        {"known-else-window", case_known_else_window},
        {"forget-scope", case_forget_scope},
        {"expire", case_expire},
    };
    static struct state_case made[G_N_ELEMENTS(cases)];

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/state/%s/%s", maker->name, cases[i].name);
        made[i] = (struct state_case){maker, cases[i].run};
        g_test_add_data_func(path, &made[i], case_run);
    }
}

#endif
