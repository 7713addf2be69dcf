/*
 * condition_solver - see condition_solver.h
 *
 * A search: each claim is taken apart into answers of tests, which narrow what
 * is left of facts and counts; where one of several parts has to hold, each is
 * tried.  What was narrowed is on a trail, so that a try can be taken back.
 */

#include "policy/logic/condition_solver.h"

#include "policy/conditions/condition_count.h"
#include "policy/logic/condition_facts.h"

/* Tests looked at for one question, and for all: beyond that everything is possible. */
#define QUESTION_LIMIT 200000u
#define WORK_LIMIT     20000000u

/* Choices within each other. */
#define CHOICES_LIMIT 500u

enum { NO = -1, OPEN = 0, YES = 1 };

/* A claim that cannot be taken apart yet. */
struct waiting {
    struct claim claim;
    bool settled;
};

enum change_kind { CHANGE_FACT, CHANGE_LEAST, CHANGE_MOST, CHANGE_SETTLED };

/* What was there before. */
struct change {
    enum change_kind kind;
    unsigned place;
    unsigned before;
};

struct bounds {
    unsigned least, most;
};

struct logic {
    struct facts *facts;
    gint8 *answers;        /* of facts: NO, OPEN, YES */
    struct bounds *bounds; /* of variables */
    GArray *waiting;       /* struct waiting */
    GArray *trail;         /* struct change */
    unsigned *uses[2];     /* by value: how many claims ask for that answer of a fact */
    guint64 left;          /* of WORK_LIMIT */
    guint64 question_left;
};

struct logic *logic_new(const struct policy *policy)
{
    struct logic *logic = g_new0(struct logic, 1);

    logic->facts = facts_new(policy);
    logic->answers = g_new0(gint8, logic->facts->tests->len + 1);
    logic->bounds = g_new0(struct bounds, logic->facts->variables->len + 1);
    logic->waiting = g_array_new(FALSE, FALSE, sizeof(struct waiting));
    logic->trail = g_array_new(FALSE, FALSE, sizeof(struct change));
    for (unsigned value = 0; value < 2; value++)
        logic->uses[value] = g_new0(unsigned, logic->facts->tests->len + 1);
    for (unsigned i = 0; i < logic->facts->variables->len; i++)
        logic->bounds[i].most = g_array_index(logic->facts->variables, struct variable, i).most;
    logic->left = WORK_LIMIT;
    return logic;
}

void logic_free(struct logic *logic)
{
    g_free(logic->answers);
    g_free(logic->bounds);
    g_array_unref(logic->waiting);
    g_array_unref(logic->trail);
    for (unsigned value = 0; value < 2; value++)
        g_free(logic->uses[value]);
    facts_free(logic->facts);
    g_free(logic);
}

/* Work of that size is done; false if there is none left to do. */
static bool spend(struct logic *logic, unsigned work)
{
    logic->question_left -= MIN(logic->question_left, work);
    logic->left -= MIN(logic->left, work);
    return logic->question_left > 0 && logic->left > 0;
}

bool logic_is_tired(const struct logic *logic)
{
    return logic->left == 0;
}

/* ---- what is narrowed, and taken back */

static void note_change(struct logic *logic, enum change_kind kind, unsigned place, unsigned before)
{
    struct change change = {.kind = kind, .place = place, .before = before};

    g_array_append_val(logic->trail, change);
}

static void take_back(struct logic *logic, unsigned trail, unsigned waiting)
{
    while (logic->trail->len > trail) {
        const struct change *change = &g_array_index(logic->trail, struct change, logic->trail->len - 1);
        switch (change->kind) {
        case CHANGE_FACT:
            logic->answers[change->place] = OPEN;
            break;
        case CHANGE_LEAST:
            logic->bounds[change->place].least = change->before;
            break;
        case CHANGE_MOST:
            logic->bounds[change->place].most = change->before;
            break;
        case CHANGE_SETTLED:
            g_array_index(logic->waiting, struct waiting, change->place).settled = false;
            break;
        }
        g_array_set_size(logic->trail, logic->trail->len - 1);
    }
    g_array_set_size(logic->waiting, waiting);
}

static void settle(struct logic *logic, unsigned place)
{
    g_array_index(logic->waiting, struct waiting, place).settled = true;
    note_change(logic, CHANGE_SETTLED, place, 0);
}

/* Each of these is false if that cannot be. */

static bool set_fact(struct logic *logic, unsigned fact, bool value)
{
    const GArray *consequences = g_ptr_array_index(logic->facts->consequences[value], fact);

    if (logic->answers[fact] != OPEN)
        return (logic->answers[fact] == YES) == value;
    logic->answers[fact] = value ? YES : NO;
    note_change(logic, CHANGE_FACT, fact, 0);
    spend(logic, consequences->len);
    for (unsigned i = 0; i < consequences->len; i++) {
        const struct consequence *consequence = &g_array_index(consequences, struct consequence, i);
        if (!set_fact(logic, consequence->other, consequence->then))
            return false;
    }
    return true;
}

static bool narrow(struct logic *logic, unsigned variable, unsigned least, unsigned most)
{
    struct bounds *bounds = &logic->bounds[variable];

    if (least > bounds->least) {
        note_change(logic, CHANGE_LEAST, variable, bounds->least);
        bounds->least = least;
    }
    if (most < bounds->most) {
        note_change(logic, CHANGE_MOST, variable, bounds->most);
        bounds->most = most;
    }
    return bounds->least <= bounds->most;
}

static bool narrow_order(struct logic *logic, const struct order *order)
{
    const struct bounds low = logic->bounds[order->low], high = logic->bounds[order->high];

    if (order->presence)
        return narrow(logic, order->high, low.least > 0 ? 1 : 0, G_MAXUINT) &&
               narrow(logic, order->low, 0, high.most == 0 ? 0 : G_MAXUINT);
    return narrow(logic, order->high, low.least, G_MAXUINT) && narrow(logic, order->low, 0, high.most);
}

static bool narrow_sum(struct logic *logic, const struct sum *sum)
{
    const struct bounds total = logic->bounds[sum->total], one = logic->bounds[sum->one];
    const struct bounds other = logic->bounds[sum->other];

    return narrow(logic, sum->total, 0, one.most + other.most) &&
           narrow(logic, sum->one, total.least > other.most ? total.least - other.most : 0, G_MAXUINT) &&
           narrow(logic, sum->other, total.least > one.most ? total.least - one.most : 0, G_MAXUINT);
}

/* What one count says of the others. */
static bool narrow_all(struct logic *logic)
{
    const GArray *orders = logic->facts->orders, *sums = logic->facts->sums;
    unsigned before = logic->trail->len;

    while (spend(logic, orders->len + sums->len)) {
        for (unsigned i = 0; i < orders->len; i++)
            if (!narrow_order(logic, &g_array_index(orders, struct order, i)))
                return false;
        for (unsigned i = 0; i < sums->len; i++)
            if (!narrow_sum(logic, &g_array_index(sums, struct sum, i)))
                return false;
        if (logic->trail->len == before)
            break;
        before = logic->trail->len;
    }
    return true;
}

/* ---- claims */

static bool is_conjunction(const struct claim *claim)
{
    return claim->expression->kind == EXPRESSION_NOT ||
           claim->expression->kind == (claim->holds ? EXPRESSION_AND : EXPRESSION_OR);
}

static unsigned part_count(const struct claim *claim)
{
    return claim->expression->parts->len;
}

static struct claim part_of(const struct claim *claim, unsigned index)
{
    bool negated = claim->expression->kind == EXPRESSION_NOT;

    return (struct claim){g_ptr_array_index(claim->expression->parts, index), claim->holds != negated};
}

static int compare(const struct bounds *bounds, enum comparison comparison, unsigned number)
{
    switch (comparison) {
    case AT_LEAST:
        return bounds->least >= number ? YES : bounds->most < number ? NO : OPEN;
    case MORE:
        return bounds->least > number ? YES : bounds->most <= number ? NO : OPEN;
    case AT_MOST:
        return -compare(bounds, MORE, number);
    case LESS:
        return -compare(bounds, AT_LEAST, number);
    case EXACTLY:
        if (bounds->least == number && bounds->most == number)
            return YES;
        return bounds->least > number || bounds->most < number ? NO : OPEN;
    }
    return OPEN;
}

/* What is known of a claim. */
static int standing(struct logic *logic, const struct claim *claim)
{
    const struct test *test = claim->expression->test;
    int result;

    if (test != NULL) {
        const struct count_test *count = count_test_of(test);
        unsigned place = facts_place(logic->facts, test);
        spend(logic, 1);
        result = count == NULL ? logic->answers[place]
                               : compare(&logic->bounds[place], count->comparison.comparison, count->comparison.number);
        return claim->holds ? result : -result;
    }
    bool conjunction = is_conjunction(claim);
    result = conjunction ? YES : NO;
    for (unsigned i = 0; i < part_count(claim); i++) {
        struct claim part = part_of(claim, i);
        int one = standing(logic, &part);
        result = conjunction ? MIN(result, one) : MAX(result, one);
    }
    return result;
}

static void wait_for(struct logic *logic, const struct claim *claim)
{
    struct waiting waiting = {.claim = *claim};

    g_array_append_val(logic->waiting, waiting);
}

static bool take_count(struct logic *logic, const struct claim *claim, const struct number_comparison *wanted)
{
    unsigned variable = facts_place(logic->facts, claim->expression->test), number = wanted->number;
    enum comparison comparison = wanted->comparison;
    static const enum comparison opposites[] = {
        [AT_LEAST] = LESS, [MORE] = AT_MOST, [AT_MOST] = MORE, [LESS] = AT_LEAST, [EXACTLY] = EXACTLY};

    if (comparison == EXACTLY && !claim->holds) {
        const struct bounds bounds = logic->bounds[variable];
        /* A gap in the middle is looked at again when the bounds have come nearer. */
        if (bounds.least < number && number < bounds.most)
            wait_for(logic, claim);
        return narrow(logic, variable, bounds.least == number ? number + 1 : 0,
                      bounds.most == number && number > 0 ? number - 1 : G_MAXUINT);
    }
    switch (claim->holds ? comparison : opposites[comparison]) {
    case AT_LEAST:
        return narrow(logic, variable, number, G_MAXUINT);
    case MORE:
        return narrow(logic, variable, number + 1, G_MAXUINT);
    case AT_MOST:
        return narrow(logic, variable, 0, number);
    case LESS:
        return number > 0 && narrow(logic, variable, 0, number - 1);
    case EXACTLY:
        break;
    }
    return narrow(logic, variable, number, number);
}

/* Makes a claim true as far as that leaves no choice. */
static bool take(struct logic *logic, const struct claim *claim)
{
    const struct test *test = claim->expression->test;
    const struct count_test *count = count_test_of(test);

    spend(logic, 1);
    if (count != NULL)
        return take_count(logic, claim, &count->comparison) && narrow_all(logic);
    if (test != NULL)
        return set_fact(logic, facts_place(logic->facts, test), claim->holds);
    if (!is_conjunction(claim)) {
        wait_for(logic, claim);
        return true;
    }
    for (unsigned i = 0; i < part_count(claim); i++) {
        struct claim part = part_of(claim, i);
        if (!take(logic, &part))
            return false;
    }
    return true;
}

/* If one part is all that is left of a claim, it has to hold; of `not =`, if its gap has come to a bound. */
static bool take_last_part(struct logic *logic, unsigned place)
{
    const struct claim claim = g_array_index(logic->waiting, struct waiting, place).claim;
    const struct count_test *count = count_test_of(claim.expression->test);
    struct claim last = {NULL, false};
    unsigned open = 0;

    if (count != NULL) {
        const struct bounds *bounds = &logic->bounds[facts_place(logic->facts, &count->test)];
        if (bounds->least < count->comparison.number && count->comparison.number < bounds->most)
            return true;
        settle(logic, place);
        return take(logic, &claim);
    }
    for (unsigned i = 0; open < 2 && i < part_count(&claim); i++) {
        struct claim part = part_of(&claim, i);
        if (standing(logic, &part) == OPEN) {
            last = part;
            open++;
        }
    }
    if (open != 1)
        return true;
    settle(logic, place);
    return take(logic, &last);
}

/* Draws all conclusions that need no choice. */
static bool conclude(struct logic *logic)
{
    unsigned before;

    do {
        before = logic->trail->len;
        for (unsigned i = 0, count = logic->waiting->len; i < count; i++) {
            const struct waiting *waiting = &g_array_index(logic->waiting, struct waiting, i);
            const struct claim claim = waiting->claim;
            if (waiting->settled)
                continue;
            int stands = standing(logic, &claim);
            if (stands == NO)
                return false;
            if (stands == YES)
                settle(logic, i);
            else if (!take_last_part(logic, i))
                return false;
        }
    } while (logic->trail->len > before && spend(logic, 1));
    return true;
}

static int first_choice(const struct logic *logic)
{
    for (unsigned i = 0; i < logic->waiting->len; i++) {
        const struct waiting *waiting = &g_array_index(logic->waiting, struct waiting, i);
        if (!waiting->settled && waiting->claim.expression->test == NULL)
            return (int)i;
    }
    return -1;
}

static bool search(struct logic *logic, unsigned depth)
{
    if (!conclude(logic))
        return !spend(logic, 0);
    int place = first_choice(logic);
    if (place < 0 || depth >= CHOICES_LIMIT || !spend(logic, 1))
        return true;
    struct claim claim = g_array_index(logic->waiting, struct waiting, place).claim;
    settle(logic, (unsigned)place);
    for (unsigned i = 0; i < part_count(&claim); i++) {
        struct claim part = part_of(&claim, i);
        unsigned trail = logic->trail->len, waiting = logic->waiting->len;
        if (standing(logic, &part) == NO)
            continue;
        if (take(logic, &part) && search(logic, depth + 1))
            return true;
        take_back(logic, trail, waiting);
        /* From here on it does not hold. */
        part.holds = !part.holds;
        if (!take(logic, &part))
            return !spend(logic, 0);
    }
    return !spend(logic, 0);
}

/* ---- claims that do not matter */

/* Counts, or takes back, what a claim asks of facts. */
static void use(struct logic *logic, const struct claim *claim, int step)
{
    const struct test *test = claim->expression->test;

    spend(logic, 1);
    if (test != NULL && count_test_of(test) == NULL)
        logic->uses[claim->holds][facts_place(logic->facts, test)] += (unsigned)step;
    for (unsigned i = 0; test == NULL && i < part_count(claim); i++) {
        struct claim part = part_of(claim, i);
        use(logic, &part, step);
    }
}

/* Whether nobody minds that a claim be true: it asks for facts of which nobody asks the opposite. */
static bool is_free(const struct logic *logic, const struct claim *claim)
{
    const struct test *test = claim->expression->test;

    if (count_test_of(test) != NULL)
        return false;
    if (test == NULL) {
        bool conjunction = is_conjunction(claim);
        for (unsigned i = 0; i < part_count(claim); i++) {
            struct claim part = part_of(claim, i);
            if (is_free(logic, &part) != conjunction)
                return !conjunction;
        }
        return conjunction;
    }
    unsigned fact = facts_place(logic->facts, test);
    const GArray *consequences = g_ptr_array_index(logic->facts->consequences[claim->holds], fact);
    if (logic->uses[!claim->holds][fact] > 0)
        return false;
    for (unsigned i = 0; i < consequences->len; i++) {
        const struct consequence *consequence = &g_array_index(consequences, struct consequence, i);
        if (logic->uses[!consequence->then][consequence->other] > 0)
            return false;
    }
    return true;
}

/* Leaves out claims that can be true whatever becomes of the others, so that the search is not lost among them. */
static GArray *needed(struct logic *logic, const struct claim *claims, unsigned count)
{
    GArray *left = g_array_sized_new(FALSE, FALSE, sizeof *claims, count);
    unsigned kept;

    g_array_append_vals(left, claims, count);
    for (unsigned i = 0; i < count; i++)
        use(logic, &claims[i], 1);
    do {
        kept = 0;
        for (unsigned i = 0; i < left->len; i++) {
            struct claim claim = g_array_index(left, struct claim, i);
            if (is_free(logic, &claim))
                use(logic, &claim, -1);
            else
                g_array_index(left, struct claim, kept++) = claim;
        }
        count = left->len;
        g_array_set_size(left, kept);
    } while (kept < count && spend(logic, count));
    for (unsigned i = 0; i < left->len; i++)
        use(logic, &g_array_index(left, struct claim, i), -1);
    return left;
}

bool logic_possible(struct logic *logic, const struct claim *claims, unsigned count)
{
    bool possible = true;

    logic->question_left = QUESTION_LIMIT;
    if (!spend(logic, 1))
        return true;
    g_autoptr(GArray) left = needed(logic, claims, count);
    for (unsigned i = 0; possible && i < left->len; i++)
        possible = take(logic, &g_array_index(left, struct claim, i));
    possible = (possible && search(logic, 0)) || !spend(logic, 0);
    take_back(logic, 0, 0);
    return possible;
}
