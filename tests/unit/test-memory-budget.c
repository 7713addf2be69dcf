/* test-memory-budget - what all messages may have, what one sender may, and that all of it comes back */

#include "milter/arrival/memory_budget.h"
#include "unit.h"

#define LIMIT (64u * 1024 * 1024)
#define PART  (LIMIT / MEMORY_PARTS)

static const struct memory_sender ann = {"ann", "192.0.2.1"}, bob = {"bob", "192.0.2.1"}, host = {NULL, "192.0.2.1"};

/* Takes texts of a length until there is no more; how many bytes there were. */
static size_t fill(struct memory_budget *budget, struct memory_share *share, const struct memory_sender *sender,
                   size_t length, enum memory_answer *answer)
{
    size_t got = 0;

    while ((*answer = memory_take(budget, share, sender, length)) == MEMORY_GIVEN)
        got += length;
    return got;
}

static void test_small(void)
{
    auto_free(memory_budget) budget = memory_budget_new(LIMIT);
    struct memory_share share = {0};

    for (unsigned i = 0; i < 20; i++)
        g_assert_cmpint(memory_take(budget, &share, &ann, 100), ==, MEMORY_GIVEN);
    g_assert_cmpuint(memory_taken(budget), ==, 0);
    g_assert_cmpint(memory_take(budget, &share, &ann, 4000), ==, MEMORY_GIVEN);
    g_assert_cmpuint(memory_taken(budget), >=, 2000 + 4000 + 21 * MEMORY_ITEM - MEMORY_FREE);
    memory_give_back(budget, &share);
    g_assert_cmpuint(memory_taken(budget), ==, 0);
}

/* By login, whatever the client; a client without one is another. */
static void test_quarter(void)
{
    auto_free(memory_budget) budget = memory_budget_new(LIMIT);
    struct memory_share first = {0}, second = {0}, others[2] = {{0}, {0}};
    enum memory_answer answer;

    size_t got = fill(budget, &first, &ann, 60000, &answer);
    g_assert_cmpint(answer, ==, MEMORY_ONE_OWNER);
    g_assert_cmpuint(got, >, PART - 512 * 1024);
    g_assert_cmpuint(got, <, PART);
    g_assert_cmpint(memory_take(budget, &second, &ann, 300000), ==, MEMORY_ONE_OWNER);
    g_assert_cmpint(memory_take(budget, &others[0], &bob, 300000), ==, MEMORY_GIVEN);
    g_assert_cmpint(memory_take(budget, &others[1], &host, 300000), ==, MEMORY_GIVEN);
    memory_give_back(budget, &first);
    g_assert_cmpint(memory_take(budget, &second, &ann, 300000), ==, MEMORY_GIVEN);
    memory_give_back(budget, &second);
    memory_give_back(budget, &others[0]);
    memory_give_back(budget, &others[1]);
    g_assert_cmpuint(memory_taken(budget), ==, 0);
}

static void test_all(void)
{
    auto_free(memory_budget) budget = memory_budget_new(LIMIT);
    struct memory_share shares[MEMORY_PARTS + 2] = {{0}};
    size_t got = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(shares); i++) {
        g_autofree char *client = g_strdup_printf("192.0.2.%u", i);
        const struct memory_sender sender = {NULL, client};
        enum memory_answer answer;
        got += fill(budget, &shares[i], &sender, 60000, &answer);
        g_assert_cmpint(answer, ==, i < MEMORY_PARTS ? MEMORY_ONE_OWNER : MEMORY_FULL);
    }
    g_assert_cmpuint(got, <=, LIMIT);
    g_assert_cmpuint(memory_taken(budget), <=, LIMIT);
    for (unsigned i = 0; i < G_N_ELEMENTS(shares); i++)
        memory_give_back(budget, &shares[i]);
    g_assert_cmpuint(memory_taken(budget), ==, 0);
}

/* A message of more than a quarter, and any message once the limit is lower than what is taken. */
static void test_lower_limit(void)
{
    auto_free(memory_budget) budget = memory_budget_new(LIMIT);
    struct memory_share first = {0}, second = {0};

    g_assert_cmpint(memory_take(budget, &first, &ann, PART + MEMORY_FREE), ==, MEMORY_ONE_OWNER);
    g_assert_cmpint(memory_take(budget, &first, &ann, PART / 2), ==, MEMORY_GIVEN);
    memory_budget_limit(budget, MEMORY_LEAST);
    g_assert_cmpint(memory_take(budget, &second, &bob, 100000), ==, MEMORY_FULL);
    memory_give_back(budget, &first);
    g_assert_cmpint(memory_take(budget, &second, &bob, 100000), ==, MEMORY_GIVEN);
    memory_give_back(budget, &second);
}

static void test_owners(void)
{
    static const struct {
        struct memory_sender a, b;
        bool one;
    } cases[] = {
        {{NULL, "2001:db8::1"}, {NULL, "2001:db8::2"}, true},
        {{NULL, "2001:db8::1"}, {NULL, "2001:db8:0:1::1"}, false},
        {{NULL, NULL}, {NULL, NULL}, true},
        {{NULL, NULL}, {"local", NULL}, false},
        {{"ann", NULL}, {"ann", "192.0.2.7"}, true},
        {{NULL, "192.0.2.7"}, {"192.0.2.7", NULL}, false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(memory_budget) budget = memory_budget_new(LIMIT);
        struct memory_share a = {0}, b = {0};
        g_assert_cmpint(memory_take(budget, &a, &cases[i].a, PART - 100000), ==, MEMORY_GIVEN);
        g_assert_cmpint(memory_take(budget, &b, &cases[i].b, 200000), ==,
                        cases[i].one ? MEMORY_ONE_OWNER : MEMORY_GIVEN);
    }
}

/* What is not kept is not counted. */
static void test_return(void)
{
    auto_free(memory_budget) budget = memory_budget_new(LIMIT);
    struct memory_share share = {0};

    for (unsigned i = 0; i < 1000; i++) {
        g_assert_cmpint(memory_take(budget, &share, &ann, 100000), ==, MEMORY_GIVEN);
        memory_return(&share, 100000);
    }
    g_assert_cmpuint(memory_taken(budget), <, 1024 * 1024);
    memory_give_back(budget, &share);
}

struct turn {
    struct memory_budget *budget;
    int running, most; /* atomic */
};

static gpointer take_turns(gpointer data)
{
    struct turn *turn = data;

    for (unsigned i = 0; i < 300; i++) {
        size_t weight = memory_evaluation_begin(turn->budget, LIMIT / 2 / MEMORY_EVALUATION / 3);
        int running = g_atomic_int_add(&turn->running, 1) + 1;
        int most = g_atomic_int_get(&turn->most);
        if (running > most)
            g_atomic_int_compare_and_exchange(&turn->most, most, running);
        g_thread_yield();
        g_atomic_int_add(&turn->running, -1);
        memory_evaluation_end(turn->budget, weight);
    }
    return NULL;
}

/* Three at once have room, all have their turn, and one that needs all the room has it. */
static void test_turns(void)
{
    auto_free(memory_budget) budget = memory_budget_new(LIMIT);
    struct turn turn = {.budget = budget};
    GThread *threads[8];

    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("turn", take_turns, &turn);
    size_t whole = memory_evaluation_begin(turn.budget, LIMIT);
    g_assert_cmpint(g_atomic_int_get(&turn.running), ==, 0);
    memory_evaluation_end(turn.budget, whole);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(turn.most, >=, 1);
    g_assert_cmpint(turn.most, <=, 3);
    g_assert_cmpuint(memory_evaluation_begin(turn.budget, 1000), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory-budget/small", test_small);
    g_test_add_func("/memory-budget/quarter", test_quarter);
    g_test_add_func("/memory-budget/all", test_all);
    g_test_add_func("/memory-budget/lower-limit", test_lower_limit);
    g_test_add_func("/memory-budget/owners", test_owners);
    g_test_add_func("/memory-budget/return", test_return);
    g_test_add_func("/memory-budget/turns", test_turns);
    return g_test_run();
}
