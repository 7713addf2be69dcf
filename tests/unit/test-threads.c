/* test-threads - many threads judge with one policy while it is swapped for another (run it under TSan) */

#include "policy/exposure/exposure.h"
#include "unit.h"

#include <pthread.h>

#define THREADS  6
#define MESSAGES (UNIT_SANITIZED ? 60 : 200)

/* The policy in force, as a daemon keeps it. */
static struct policy *in_force;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int finished;

static struct policy *take_policy(void)
{
    struct policy *policy;

    pthread_mutex_lock(&lock);
    policy = policy_ref(in_force);
    pthread_mutex_unlock(&lock);
    return policy;
}

static void swap_policy(struct policy *policy)
{
    struct policy *old;

    pthread_mutex_lock(&lock);
    old = in_force;
    in_force = policy;
    pthread_mutex_unlock(&lock);
    policy_unref(old);
}

static struct policy *make_policy(unsigned threshold)
{
    g_autofree char *text = g_strdup_printf(UNIT_HEAD "class odd { match /odd[0-9]*\\.example/ individuals }\n"
                                                      "class tenants { domain \".tenant.example\" separate }\n"
                                                      "outbound when sender in internal and not user =~ /x+/\n"
                                                      "rule mass { when parties(external) >= %u or header(\"X\") =~ "
                                                      "/a+b/ reject \"{visible} of {visible all} for {sender}\" }\n"
                                                      "default accept\n",
                                            threshold);

    return policy_of(text);
}

/* Messages of one thread share domains with the others: the memory of the classes is written by all. */
static void *evaluate_many(void *data)
{
    unsigned number = GPOINTER_TO_UINT(data);

    for (unsigned i = 0; i < MESSAGES; i++) {
        struct policy *policy = take_policy();
        g_autofree char *people =
            people_of(1 + (i + number) % 20, "a{n}@odd{n}.example, \"B {n}\" <b{n}@x{n}.example>");
        g_autofree char *rare = g_strdup_printf("%s, c@rare%u-%u.example, d@b\xc3\xbc"
                                                "cher%u.tenant.example",
                                                people, number, i, i);
        auto_free(message) message = message_of("care@me.example", rare);
        struct evaluate_options options = {.on_fault = DISPOSITION_QUARANTINE};
        struct verdict *verdict;
        unsigned many = 2 * (1 + (i + number) % 20) + 2;
        message_add_header(message, "Cc", "broken <x@y.example; (z@w.example");
        options.outbound = policy_outbound(policy, message);
        g_assert_cmpint(options.outbound, ==, OUTBOUND_YES);
        verdict = policy_evaluate(policy, message, &options);
        g_assert_false(verdict->fault);
        g_assert_cmpuint(exposure_count(verdict->exposure, COUNT_VISIBLE, CLASS_ALL), ==, many + 2);
        g_assert_cmpstr(verdict->rule, ==, many + 2 >= 5 ? "mass" : "default");
        verdict_free(verdict);
        policy_unref(policy);
    }
    g_atomic_int_inc(&finished);
    return NULL;
}

static void test_swap(void)
{
    pthread_t threads[THREADS];
    unsigned swaps = 0;

    in_force = make_policy(5);
    for (unsigned i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, evaluate_many, GUINT_TO_POINTER(i)), ==, 0);
    do {
        swap_policy(make_policy(2 + swaps++ % 4));
    } while (g_atomic_int_get(&finished) < THREADS);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    g_test_message("%u swaps", swaps);
    policy_unref(in_force);
}

/* The very first messages of a process may come in several threads at once. */
int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/threads/swap", test_swap);
    return g_test_run();
}
