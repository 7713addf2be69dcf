/* test-time-text - every text of a time names its zone, also on the day when the clock changes */

#include "policy/base/time_text.h"
#include "unit.h"

#define SPRING (G_GINT64_CONSTANT(1774745999) * G_USEC_PER_SEC) /* a second before summer time begins in Berlin */

static void check(char *text, const char *wanted)
{
    g_assert_cmpstr(text, ==, wanted);
    g_free(text);
}

static void test_forms(void)
{
    check(time_text(SPRING, true), "2026-03-29 00:59:59 UTC");
    check(time_text_mail(SPRING), "2026-03-29 00:59 UTC");
    check(time_text_json(SPRING), "2026-03-29T00:59:59Z");
    check(time_text_file(SPRING), "20260329T005959Z");
    check(time_text_json(SPRING + G_USEC_PER_SEC - 1), "2026-03-29T00:59:59Z");
}

static void test_local(void)
{
    check(time_text(SPRING, false), "2026-03-29 01:59:59 CET");
    check(time_text(SPRING + G_USEC_PER_SEC, false), "2026-03-29 03:00:00 CEST");
}

/* What a damaged ledger may hold. */
static void test_none(void)
{
    check(time_text(G_MAXINT64, true), "?");
    check(time_text(G_MININT64, false), "?");
    check(time_text_json(G_MAXINT64), "?");
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/time-text/forms", test_forms);
    g_test_add_func("/time-text/local", test_local);
    g_test_add_func("/time-text/none", test_none);
    return g_test_run();
}
