/* test-message-id - see policy/message/message_id.h */

#include "policy/message/message_id.h"

#include <glib.h>

static void test_message_id(void)
{
    const char *const cases[][2] = {
        {"<17@x.example>", "17@x.example"},
        {"\n <17@x> (a comment)", "17@x"},
        {"17@x \n", "17@x"},
        {"", ""},
        {"<>", ""},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        size_t length;
        const char *start = message_id_find(cases[i][0], &length);
        g_autofree char *got = g_strndup(start, length);
        g_assert_cmpstr(got, ==, cases[i][1]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message-id/find", test_message_id);
    return g_test_run();
}
