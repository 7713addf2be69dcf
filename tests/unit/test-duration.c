/* test-duration - times with units */

#include "milter/common/duration.h"

static void test_read(void)
{
    static const struct {
        const char *text, *units;
        char bare;
        gint64 want;
    } cases[] = {
        {"90s", "smhd", 's', 90},
        {"15m", "smhd", 's', 900},
        {"2h", "smhd", '\0', 7200},
        {"3d", "smhd", '\0', 259200},
        {"1w", "smhdw", 's', 604800},
        {"5", "smhdw", 'd', 432000},
        {"0", "smhd", 's', 0},
        {"99999999d", "smhd", 's', G_GINT64_CONSTANT(8639999913600)},
        /* None. */
        {"1w", "smhd", 's', -1},
        {"5", "smhd", '\0', -1},
        {"", "smhd", 's', -1},
        {"s", "smhd", 's', -1},
        {"-1s", "smhd", 's', -1},
        {"1.5h", "smhd", 's', -1},
        {"1 h", "smhd", 's', -1},
        {"1hh", "smhd", 's', -1},
        {"1y", "smhd", 's', -1},
        {"100000000s", "smhd", 's', -1},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(duration_read(cases[i].text, cases[i].units, cases[i].bare), ==, cases[i].want);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/duration/read", test_read);
    return g_test_run();
}
