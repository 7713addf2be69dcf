/* windows - see windows.h */

#include "policy/language/windows.h"

#include "policy/conditions/condition_flag.h"
#include "policy/conditions/condition_window.h"

#include <string.h>

static unsigned find_signature(struct policy *policy, const struct window_test *test)
{
    g_autofree char *text = window_signature(test);
    unsigned i;

    for (i = 0; i < policy->signatures->len; i++)
        if (strcmp(g_array_index(policy->signatures, struct signature, i).text, text) == 0)
            return i;
    struct signature signature = {g_steal_pointer(&text), test->count.count, test->count.mask};
    g_array_append_val(policy->signatures, signature);
    return i;
}

static void find_in(void *data, const struct test *test)
{
    struct policy *policy = data;
    struct window_test *found = (struct window_test *)window_test_of(test);
    unsigned i;

    policy->asks_known = policy->asks_known || condition_is_known(test);
    if (found == NULL)
        return;
    policy->longest = MAX(policy->longest, found->within.seconds);
    const struct window window = {find_signature(policy, found), found->within.seconds, found->alike};
    for (i = 0; i < policy->windows->len; i++) {
        const struct window *other = &g_array_index(policy->windows, struct window, i);
        if (other->signature == window.signature && other->seconds == window.seconds && other->alike == window.alike)
            break;
    }
    if (i == policy->windows->len)
        g_array_append_val(policy->windows, window);
    found->window = i;
}

void policy_find_windows(struct policy *policy)
{
    policy_each_test(policy, find_in, policy);
}
