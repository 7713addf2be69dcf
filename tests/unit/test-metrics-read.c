/* test-metrics-read - the verdicts of a metrics file; files that are cut, too long, or no files */

#include "milter/metrics/metrics_read.h"

#include "unit.h"

#include <string.h>
#include <sys/stat.h>

#define TIMES "rcptguard_start_time_seconds 1795341600.5\nrcptguard_metrics_timestamp_seconds 1795345200\n"

static char *folder;

/* "accept tag quarantine reject tempfail" of a text in a file, or why there are none, without the path. */
static char *read_of(const char *text, gssize length)
{
    g_autofree char *path = folder_write(folder, "metrics.prom", text, length);
    struct metrics_verdicts verdicts;
    char *error = NULL;
    GString *out = g_string_new(NULL);
    int result = metrics_read(path, &verdicts, &error);
    g_assert_cmpint(result, ==, error == NULL ? 0 : -1);
    if (error != NULL) {
        g_assert_true(g_str_has_prefix(error, path));
        g_string_append(out, error + strlen(path) + strlen(": "));
        g_free(error);
        return g_string_free(out, FALSE);
    }
    for (unsigned i = 0; i < DISPOSITIONS; i++)
        g_string_append_printf(out, "%s%" G_GUINT64_FORMAT, i > 0 ? " " : "", verdicts.messages[i]);
    return g_string_free(out, FALSE);
}

#define CHECK_READ(text, length, wanted)                                                                               \
    do {                                                                                                               \
        g_autofree char *read_text = read_of(text, length);                                                            \
        if (g_strcmp0(read_text, wanted) != 0)                                                                         \
            UNIT_FAIL("%s: got `%s`, want `%s`", text, read_text, wanted);                                             \
    } while (0)

static void test_lines(void)
{
    static const char *const cases[][2] = {
        {"", "0 0 0 0 0"},
        {"rcptguard_messages_total{verdict=\"accept\",rule=\"default\"} 7\n"
         "rcptguard_messages_total{verdict=\"accept\",rule=\"trusted\"} 3\n"
         "rcptguard_messages_total{verdict=\"tempfail\",rule=\"a\"} 18446744073709551605\n",
         "10 0 0 0 18446744073709551605"},
        /* Values in quotes are not labels, whatever is in them; `}` ends nothing there. */
        {"rcptguard_messages_total{i=\"a\\\",verdict=\\\"reject\\\",\",verdict=\"tag\",rule=\"x\"} 2\n", "0 2 0 0 0"},
        {"rcptguard_messages_total{i=\"} 9\",verdict=\"tag\",rule=\"} 8\"} 2\n", "0 2 0 0 0"},
        {"rcptguard_messages_total{i=\"\\\\\",verdict=\"tag\",rule=\"\\\\\"} 2\n", "0 2 0 0 0"},
        {"rcptguard_messages_total{my_verdict=\"tag\",verdict=\"tag\",rule=\"x\"} 2\n", "0 2 0 0 0"},
        {"rcptguard_messages_total{my_verdict=\"tag\",rule=\"x\"} 2\n", "0 0 0 0 0"},
        /* Others, and what is no line of this kind. */
        {"rcptguard_messages_totals{verdict=\"tag\",rule=\"x\"} 2\nx_rcptguard_messages_total{verdict=\"tag\",} 2\n"
         "# HELP rcptguard_messages_total{verdict=\"tag\",rule=\"x\"} 2\n\n",
         "0 0 0 0 0"},
        {"rcptguard_messages_total{verdict=\"tags\",rule=\"x\"} 2\nrcptguard_messages_total 5\n", "0 0 0 0 0"},
        {"rcptguard_messages_total{verdict=\"tag\",rule=\"x\"}2\nrcptguard_messages_total{verdict=\"tag\",\n",
         "0 0 0 0 0"},
        {"rcptguard_messages_total{verdict=\"tag\",rule=\"x\n", "0 0 0 0 0"},
        {"rcptguard_messages_total{verdict=\"tag\",rule=\"x\\\n", "0 0 0 0 0"},
        /* Numbers that are none. */
        {"rcptguard_messages_total{verdict=\"tag\",rule=\"x\"} -1\n"
         "rcptguard_messages_total{verdict=\"tag\",rule=\"y\"} NaN\n"
         "rcptguard_messages_total{verdict=\"tag\",rule=\"z\"} \n"
         "rcptguard_messages_total{verdict=\"tag\",rule=\"z\"} 18446744073709551616\n",
         "0 0 0 0 0"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *before = g_strconcat(cases[i][0], TIMES, NULL), *after = g_strconcat(TIMES, cases[i][0], NULL);
        CHECK_READ(before, -1, cases[i][1]);
        CHECK_READ(after, -1, cases[i][1]);
    }
}

static void test_times(void)
{
    static const char *const none[] = {
        "",
        "x\n",
        "rcptguard_start_time_seconds 1795341600\n",
        "rcptguard_metrics_timestamp_seconds 1795345200\n",
        "rcptguard_start_time_seconds -1\nrcptguard_metrics_timestamp_seconds 1\n",
        "rcptguard_start_time_seconds NaN\nrcptguard_metrics_timestamp_seconds 1\n",
        "rcptguard_start_time_seconds 1\nrcptguard_metrics_timestamp_seconds 1e300\n",
        "rcptguard_start_time_seconds{i=\"a} 1\nrcptguard_metrics_timestamp_seconds 1\n"};
    struct metrics_verdicts verdicts;
    char *error = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
        CHECK_READ(none[i], -1, "has no metrics of rcptguardd");
    g_autofree char *path = folder_write(folder, "metrics.prom",
                                         "rcptguard_start_time_seconds{i=\"a\"} 1795341600.5\n"
                                         "rcptguard_metrics_timestamp_seconds{i=\"a\"} 1795345200\n",
                                         -1);
    g_assert_cmpint(metrics_read(path, &verdicts, &error), ==, 0);
    g_assert_cmpint(verdicts.started, ==, G_GINT64_CONSTANT(1795341600500000));
    g_assert_cmpint(verdicts.written, ==, G_GINT64_CONSTANT(1795345200000000));
}

/* A text that ends within a line says nothing of the number at its end, nor of what would follow. */
static void test_cut(void)
{
    static const char line[] = "rcptguard_messages_total{verdict=\"tag\",rule=\"x\"} 22\n";
    g_autofree char *text = g_strconcat(TIMES, line, NULL);
    for (size_t length = strlen(TIMES) + 1; length < strlen(text); length++)
        CHECK_READ(text, (gssize)length, "is cut off within a line");
    CHECK_READ(text, (gssize)strlen(TIMES), "0 0 0 0 0");
    CHECK_READ(text, (gssize)strlen(TIMES) / 2, "is cut off within a line");
    CHECK_READ(TIMES "\0\n", sizeof TIMES + 1, "is no text");
    CHECK_READ("\0", 1, "is no text");
}

static void test_length(void)
{
    g_autofree char *rest = g_strnfill(METRICS_READ_LIMIT + 2 - strlen(TIMES), '#');
    g_autofree char *text = g_strconcat(TIMES, rest, NULL);
    text[METRICS_READ_LIMIT - 2] = '\n';
    static const struct {
        size_t length;
        const char *wanted;
    } cases[] = {{METRICS_READ_LIMIT - 1, "0 0 0 0 0"},
                 {METRICS_READ_LIMIT, "is too long"},
                 {METRICS_READ_LIMIT + 2, "is too long"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = read_of(text, (gssize)cases[i].length);
        g_assert_cmpstr(found, ==, cases[i].wanted);
    }
}

static void check_refused(const char *path, const char *words)
{
    struct metrics_verdicts verdicts;
    g_autofree char *error = NULL, *wanted = g_strdup_printf("%s: %s", path, words);
    g_assert_cmpint(metrics_read(path, &verdicts, &error), ==, -1);
    g_assert_cmpstr(error, ==, wanted);
    g_assert_cmpint(verdicts.started, ==, 0);
}

/* Nothing waits for the writer of a pipe. */
static void test_no_file(void)
{
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL), *missing = g_build_filename(folder, "none", NULL);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    check_refused(fifo, "is not a regular file");
    check_refused(folder, "is not a regular file");
    check_refused("/dev/zero", "is not a regular file");
    check_refused(missing, "No such file or directory");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = folder_new();
    g_test_add_func("/metrics-read/lines", test_lines);
    g_test_add_func("/metrics-read/times", test_times);
    g_test_add_func("/metrics-read/cut", test_cut);
    g_test_add_func("/metrics-read/length", test_length);
    g_test_add_func("/metrics-read/no-file", test_no_file);
    int result = g_test_run();
    folder_remove(folder);
    g_free(folder);
    return result;
}
