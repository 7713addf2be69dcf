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

/* In seconds. */
static void check_read(const char *text, bool utc, gint64 wanted)
{
    gint64 time = 0;
    g_assert_true(time_text_parse(text, utc, &time));
    g_assert_cmpint(time, ==, wanted * G_USEC_PER_SEC);
}

static void test_read(void)
{
    check_read("2026-03-29T00:59:59Z", false, 1774745999);
    check_read("2026-03-29t00:59:59z", true, 1774745999);
    check_read("2026-03-29T02:29:59+01:30", false, 1774745999);
    check_read("2026-03-28T19:59:59-05:00", true, 1774745999);
    check_read("2026-03-29", true, 1774742400);
    check_read("2026-03-29", false, 1774742400 - 3600); /* before summer time */
    check_read("2026-03-30", false, 1774742400 + 86400 - 7200);
    gint64 time = 0;
    g_assert_true(time_text_parse("2026-03-29T00:59:59.25Z", true, &time));
    g_assert_cmpint(time, ==, SPRING + G_USEC_PER_SEC / 4);
}

/* What names no zone, is no form of RFC 3339, or is in no calendar. */
static void test_read_none(void)
{
    static const char *const wrong[] = {
        "",
        "yesterday",
        "3d",
        "2026-03-29T00:59:59",
        "2026-03-29T00:59Z",
        "2026-03-29 00:59:59Z",
        "20260329T005959Z",
        "20260329",
        "2026-W13-7",
        "2026-088",
        "2026-02-30",
        "2026-13-01",
        "2026-03-29T24:00:00Z",
        "2026-03-29T00:60:00Z",
        "2026-03-29T00:59:59.Z",
        "2026-03-29T00:59:59,5Z",
        "2026-03-29T00:59:59+0100",
        "2026-03-29T00:59:59+01",
        "2026-03-29T00:59:59+25:00",
        "2026-03-29T00:59:59ZZ",
        " 2026-03-29",
        "2026-03-29 ",
        "0000-00-00",
        "2026-03-2\xc3\xa9",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        gint64 time;
        g_test_message("%s", wrong[i]);
        g_assert_false(time_text_parse(wrong[i], true, &time));
        g_assert_false(time_text_parse(wrong[i], false, &time));
    }
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/time-text/forms", test_forms);
    g_test_add_func("/time-text/local", test_local);
    g_test_add_func("/time-text/none", test_none);
    g_test_add_func("/time-text/read", test_read);
    g_test_add_func("/time-text/read-none", test_read_none);
    return g_test_run();
}
