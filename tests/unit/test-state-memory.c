/* test-state-memory - the state in memory passes the cases of every implementation */

#include "policy/state/state_memory.h"
#include "state_cases.h"

static void *open_memory(void)
{
    return state_memory_new();
}

static void close_memory(void *data)
{
    state_memory_free(data);
}

int main(int argc, char **argv)
{
    static const struct state_case_maker maker = {"memory", &state_memory_functions, open_memory, close_memory};

    g_test_init(&argc, &argv, NULL);
    state_cases_add(&maker);
    return g_test_run();
}
