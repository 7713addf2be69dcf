/* test-store-thread - jobs in their order and together, deadlines, a job that outlives its caller, background work, the
 * stop */

#include "milter/store/store_thread.h"
#include "unit.h"

#include <pthread.h>

#define MILLISECOND 1000
#define LONG        (20 * G_USEC_PER_SEC)

/* A gate that a group's function waits at, and what it saw. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    unsigned arrived; /* at the gate */
    GString *seen;    /* the numbers of the jobs, in order; `|` after those of one call */
    unsigned ended, left, freed;
    unsigned steps; /* that a background job still has */
    bool last;      /* the function was called while the store stopped */
};

static struct gate gate;

static gint64 soon(gint64 milliseconds)
{
    return g_get_monotonic_time() + milliseconds * MILLISECOND;
}

static void gate_new(bool open)
{
    pthread_mutex_init(&gate.lock, NULL);
    pthread_cond_init(&gate.changed, NULL);
    gate.open = open;
    gate.arrived = gate.ended = gate.left = gate.freed = gate.steps = 0;
    gate.last = false;
    gate.seen = g_string_new(NULL);
}

static void gate_clear(void)
{
    g_string_free(gate.seen, TRUE);
    pthread_mutex_destroy(&gate.lock);
    pthread_cond_destroy(&gate.changed);
}

static void gate_open(bool open)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = open;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_pass(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.arrived++;
    pthread_cond_broadcast(&gate.changed);
    while (!gate.open)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

/* Until a number that the gate counts is reached. */
static void gate_wait(const unsigned *number, unsigned least)
{
    pthread_mutex_lock(&gate.lock);
    while (*number < least)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_count(unsigned *number)
{
    pthread_mutex_lock(&gate.lock);
    ++*number;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void free_number(gpointer data)
{
    g_free(data);
    gate_count(&gate.freed);
}

static int *number_new(int number)
{
    int *data = g_new(int, 1);
    *data = number;
    return data;
}

/* Takes all that wait, passes the gate, and gives each its number in words. */
static void work(struct store_group *group, void *owner)
{
    g_assert_true(owner == &gate);
    g_autoptr(GPtrArray) jobs = g_ptr_array_new();
    struct store_job *job;
    if (store_stopping(group))
        gate.last = true;
    while ((job = store_take(group)) != NULL) {
        g_string_append_printf(gate.seen, "%d ", *(int *)store_job_data(job));
        g_ptr_array_add(jobs, job);
    }
    if (jobs->len == 0)
        return;
    g_string_append(gate.seen, "| ");
    gate_pass();
    for (guint i = 0; i < jobs->len; i++) {
        job = g_ptr_array_index(jobs, i);
        char *answer = g_strdup_printf("answer %d", *(int *)store_job_data(job));
        gate_count(store_end(group, job, answer, g_free) ? &gate.ended : &gate.left);
    }
}

/* ---- callers */

struct caller {
    pthread_t thread;
    struct store_group *group;
    int number;
    gint64 deadline;
    enum store_result result;
    char *answer;
};

static void *call(void *data)
{
    struct caller *caller = data;
    void *answer;
    caller->result = store_do(caller->group, number_new(caller->number), free_number, caller->deadline, &answer);
    caller->answer = answer;
    return NULL;
}

static void caller_start(struct caller *caller, struct store_group *group, int number, gint64 deadline)
{
    *caller = (struct caller){.group = group, .number = number, .deadline = deadline};
    g_assert_cmpint(pthread_create(&caller->thread, NULL, call, caller), ==, 0);
}

static void caller_ends(struct caller *caller, enum store_result result, const char *answer)
{
    pthread_join(caller->thread, NULL);
    g_assert_cmpint(caller->result, ==, result);
    g_assert_cmpstr(caller->answer, ==, answer);
    g_free(caller->answer);
}

/* ---- tests */

static void test_answers(void)
{
    gate_new(true);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, work, &gate);
    void *answer;
    for (int i = 0; i < 1000; i++) {
        g_assert_cmpint(store_do(group, number_new(i), free_number, soon(20000), &answer), ==, STORE_DONE);
        g_autofree char *want = g_strdup_printf("answer %d", i);
        g_autofree char *got = answer;
        g_assert_cmpstr(got, ==, want);
    }
    g_assert_cmpuint(gate.freed, ==, 1000);
    g_assert_true(store_stop(store, soon(20000)));
    g_assert_true(gate.last);
    store_free(store);
    gate_clear();
}

/* What waits while the thread is busy is done together, in the order in which it came. */
static void test_together(void)
{
    gate_new(false);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, work, &gate);
    struct caller first, others[5];
    caller_start(&first, group, 0, STORE_FOREVER);
    gate_wait(&gate.arrived, 1);
    for (int i = 0; i < 5; i++)
        g_assert_true(store_add(group, number_new(i + 1), free_number));
    caller_start(&others[0], group, 6, soon(20000));
    /* It is in the queue, or will be: either way it is the last. */
    gate_open(true);
    caller_ends(&first, STORE_DONE, "answer 0");
    caller_ends(&others[0], STORE_DONE, "answer 6");
    g_assert_true(g_str_has_prefix(gate.seen->str, "0 | 1 2 3 4 5 "));
    g_assert_true(store_stop(store, soon(20000)));
    g_assert_cmpuint(gate.freed, ==, 7);
    g_assert_cmpuint(gate.ended, ==, 7);
    store_free(store);
    gate_clear();
}

/* Whose time is up leaves the queue, and is never begun. */
static void test_expired(void)
{
    gate_new(false);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, work, &gate);
    struct caller first;
    void *answer;
    caller_start(&first, group, 0, STORE_FOREVER);
    gate_wait(&gate.arrived, 1);
    gint64 began = g_get_monotonic_time();
    g_assert_cmpint(store_do(group, number_new(1), free_number, soon(30), &answer), ==, STORE_EXPIRED);
    g_assert_null(answer);
    gint64 took = g_get_monotonic_time() - began;
    g_assert_cmpint(took, >=, 29 * MILLISECOND);
    g_assert_cmpint(took, <, LONG);
    g_assert_cmpuint(gate.freed, ==, 1);
    g_assert_cmpint(store_do(group, number_new(2), free_number, soon(-1), &answer), ==, STORE_EXPIRED);
    gate_open(true);
    caller_ends(&first, STORE_DONE, "answer 0");
    g_assert_true(store_stop(store, soon(20000)));
    g_assert_cmpstr(gate.seen->str, ==, "0 | ");
    store_free(store);
    gate_clear();
}

/* Whose time is up while it is being done goes on, and the group is told; the data stays until then. */
static void test_outlives(void)
{
    gate_new(false);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, work, &gate);
    struct caller caller;
    unsigned expired = 0;
    caller_start(&caller, group, 7, soon(30));
    pthread_join(caller.thread, NULL);
    /* Where the thread had no turn in that time, it was not begun: once more, with a longer time. */
    for (gint64 time = 60; caller.result == STORE_EXPIRED; time *= 2) {
        gate_wait(&gate.freed, ++expired);
        caller_start(&caller, group, 7, soon(time));
        pthread_join(caller.thread, NULL);
    }
    g_assert_cmpint(caller.result, ==, STORE_ABANDONED);
    g_assert_null(caller.answer);
    gate_wait(&gate.arrived, 1);
    g_assert_cmpuint(gate.freed, ==, expired);
    gate_open(true);
    gate_wait(&gate.left, 1);
    g_assert_true(store_stop(store, soon(20000)));
    g_assert_cmpuint(gate.freed, ==, expired + 1);
    g_assert_cmpuint(gate.ended, ==, 0);
    store_free(store);
    gate_clear();
}

/* ---- background */

static void step(struct store_group *group, void *owner)
{
    (void)owner;
    struct store_job *job = store_take(group);
    if (job == NULL)
        return;
    gate_count(&gate.arrived);
    if (!store_stopping(group) && gate.steps-- > 1)
        store_again(group, job);
    else
        gate_count(store_end(group, job, NULL, NULL) ? &gate.ended : &gate.left);
}

/* Between its steps other work is done, and it gets its turn though other work never ends. */
static void test_background(void)
{
    gate_new(true);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, work, &gate);
    struct store_group *background = store_group_new(store, true, step, NULL);
    gate.steps = G_MAXUINT;
    g_assert_true(store_add(background, number_new(-1), free_number));
    void *answer;
    for (int i = 0; i < 100; i++) {
        g_assert_cmpint(store_do(group, number_new(i), free_number, soon(20000), &answer), ==, STORE_DONE);
        g_free(answer);
    }
    gate_wait(&gate.arrived, 200);
    g_assert_true(store_stop(store, soon(20000)));
    g_assert_cmpuint(gate.freed, ==, 101);
    store_free(store);
    gate_clear();
}

/* It is never without work, until the background job has ended. */
static void work_always(struct store_group *group, void *owner)
{
    (void)owner;
    struct store_job *job = store_take(group);
    if (job == NULL)
        return;
    pthread_mutex_lock(&gate.lock);
    bool enough = gate.ended > 0;
    pthread_mutex_unlock(&gate.lock);
    if (enough)
        store_end(group, job, NULL, NULL);
    else
        store_again(group, job);
}

static void test_turn(void)
{
    gate_new(true);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, work_always, NULL);
    struct store_group *background = store_group_new(store, true, step, NULL);
    gate.steps = 3;
    g_assert_true(store_add(group, number_new(0), free_number));
    g_assert_true(store_add(background, number_new(-1), free_number));
    gate_wait(&gate.ended, 1);
    g_assert_cmpuint(gate.arrived, ==, 3);
    g_assert_true(store_stop(store, soon(20000)));
    store_free(store);
    gate_clear();
}

/* ---- times, and the stop */

static void count_call(struct store_group *group, void *owner)
{
    (void)owner;
    struct store_job *job = store_take(group);
    if (job != NULL)
        store_end(group, job, NULL, NULL);
    gate_count(&gate.arrived);
    if (!store_stopping(group))
        store_call_at(group, soon(5));
}

static void test_call_at(void)
{
    gate_new(true);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, count_call, NULL);
    gint64 began = g_get_monotonic_time();
    store_add(group, NULL, NULL);
    gate_wait(&gate.arrived, 5);
    gint64 took = g_get_monotonic_time() - began;
    g_assert_cmpint(took, >=, 4 * 5 * MILLISECOND);
    g_assert_cmpint(took, <, LONG);
    g_assert_true(store_stop(store, soon(20000)));
    store_free(store);
    gate_clear();
}

/* What waits is done, what comes is refused. */
static void test_stop(void)
{
    gate_new(false);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, work, &gate);
    struct caller first;
    void *answer;
    caller_start(&first, group, 0, STORE_FOREVER);
    gate_wait(&gate.arrived, 1);
    store_add(group, number_new(1), free_number);
    g_assert_false(store_stop(store, soon(20))); /* it hangs */
    g_assert_cmpint(store_do(group, number_new(2), free_number, STORE_FOREVER, &answer), ==, STORE_STOPPED);
    g_assert_false(store_add(group, number_new(3), free_number));
    gate_open(true);
    g_assert_true(store_stop(store, soon(20000)));
    caller_ends(&first, STORE_DONE, "answer 0");
    g_assert_cmpstr(gate.seen->str, ==, "0 | 1 | ");
    g_assert_cmpuint(gate.freed, ==, 4);
    store_free(store);
    gate_clear();
}

/* Many at once, with deadlines of every kind: each gets its own answer or none, and all data is freed once. */
static void test_storm(void)
{
    enum { CALLERS = 32, EACH = 50 };
    gate_new(true);
    struct store *store = store_new();
    struct store_group *group = store_group_new(store, false, work, &gate);
    unsigned done = 0;
    for (int round = 0; round < EACH; round++) {
        static struct caller callers[CALLERS];
        for (int i = 0; i < CALLERS; i++)
            caller_start(&callers[i], group, i, g_get_monotonic_time() + (i % 4 == 0 ? i * 5 : 20 * G_USEC_PER_SEC));
        for (int i = 0; i < CALLERS; i++) {
            g_autofree char *want = g_strdup_printf("answer %d", i);
            pthread_join(callers[i].thread, NULL);
            g_assert_true(i % 4 == 0 || callers[i].result == STORE_DONE);
            g_assert_cmpstr(callers[i].answer, ==, callers[i].result == STORE_DONE ? want : NULL);
            done += callers[i].result == STORE_DONE;
            g_free(callers[i].answer);
        }
    }
    g_assert_true(store_stop(store, soon(20000)));
    g_assert_cmpuint(gate.freed, ==, CALLERS * EACH);
    g_assert_cmpuint(gate.ended, ==, done);
    store_free(store);
    gate_clear();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/answers", test_answers);
    g_test_add_func("/store/together", test_together);
    g_test_add_func("/store/expired", test_expired);
    g_test_add_func("/store/outlives", test_outlives);
    g_test_add_func("/store/background", test_background);
    g_test_add_func("/store/turn", test_turn);
    g_test_add_func("/store/call-at", test_call_at);
    g_test_add_func("/store/stop", test_stop);
    g_test_add_func("/store/storm", test_storm);
    return g_test_run();
}
