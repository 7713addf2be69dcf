/* test-progress - what the line of a long run says */

#include "policy/replay/progress.h"
#include "unit.h"

static void test_text(void)
{
    static const struct {
        guint64 messages, bytes, total;
        double seconds;
        const char *want;
    } cases[] = {
        {0, 0, 2100000000, 0, "0 messages  0.00 of 2.10 GB  0 MB/s"},
        {12345, 1230000000, 2100000000, 3.5, "12345 messages  1.23 of 2.10 GB  351 MB/s  0:02 left"},
        {7, 500000, 0, 1, "7 messages  500.00 kB  0 MB/s"},
        {7, 5000000, 0, 0.01, "7 messages  5.00 MB  500 MB/s"},
        {1, 1000000, 1000000, 1, "1 messages  1.00 of 1.00 MB  1 MB/s  0:00 left"},
        {1, 1000000, 61000000, 1, "1 messages  1.00 of 61.00 MB  1 MB/s  1:00 left"},
        {1, 1000000, 7326000000, 1, "1 messages  0.00 of 7.33 GB  1 MB/s  2:02:05 left"},
        /* A mailbox that grew: how much is left is not known any more. */
        {1, 3000000, 1000000, 1, "1 messages  3.00 of 1.00 MB  3 MB/s"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = progress_text(cases[i].messages, cases[i].bytes, cases[i].total,
                                              (gint64)(cases[i].seconds * G_USEC_PER_SEC));
        if (strcmp(text, cases[i].want) != 0)
            UNIT_FAIL("%s, expected %s", text, cases[i].want);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress/text", test_text);
    return g_test_run();
}
