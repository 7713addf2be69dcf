/* test-metrics - the text format, the bounds of the buckets, rules that come and go while messages are counted */

#include "milter/metrics/metrics.h"

#include "milter/metrics/metrics_text.h"
#include "policy/replay/replay_histogram.h"
#include "unit.h"

#include <pthread.h>

#define NOW G_GINT64_CONSTANT(1795825005500000)

#define RULE(name, rest) "rule " name " { when parties(external) >= 2 " rest " }\n"
#define HOLD(name)       RULE(name, "quarantine \"x\"")

static const struct config config = {.on_error = DISPOSITION_TEMPFAIL, .on_fault = DISPOSITION_QUARANTINE};

/* As the daemon does, none is freed; from here they stay in reach. */
static struct metrics *metrics_of(struct policy *policy)
{
    static GPtrArray *all;

    if (all == NULL)
        all = g_ptr_array_new();
    g_ptr_array_add(all, metrics_new(&config, policy, NOW));
    return g_ptr_array_index(all, all->len - 1);
}

static char *text_of(struct metrics *metrics)
{
    const struct metrics_held held = {.known = false};
    GString *text = g_string_new(NULL);

    metrics_append(metrics, text, &held, NOW);
    return g_string_free(text, FALSE);
}

/* Whether a line is there, and how often a text is. */
static bool has_line(const char *text, const char *line)
{
    g_autofree char *whole = g_strdup_printf("\n%s\n", line);

    return strstr(text, whole) != NULL;
}

static unsigned times(const char *text, const char *part)
{
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void count(struct metrics *metrics, struct policy *policy, const char *to)
{
    struct message *message = message_of("care@me.example", to);
    struct verdict *verdict = evaluate_at(policy, message, NOW / G_USEC_PER_SEC);
    const struct metrics_message one = {.verdict = verdict, .disposition = verdict->disposition, .judging = 70};

    metrics_count_message(metrics, &one);
    verdict_free(verdict);
    message_free(message);
}

/* ---- the format */

static void test_escapes(void)
{
    const struct metrics_label labels[] = {{"a", "x\\y\"z\n{}"}, {"b", "\xff\xc3\xa9"}, {NULL, NULL}};
    g_autoptr(GString) text = g_string_new(NULL);

    metrics_text_begin(&(const struct metrics_text){.out = text}, "m", "counter", "a\\b\n\"c\"");
    metrics_text_number(&(const struct metrics_text){.out = text}, "m", labels, G_MAXUINT64);
    metrics_text_number(&(const struct metrics_text){.out = text}, "m", NULL, 0);
    g_assert_cmpstr(text->str, ==,
                    "# HELP m a\\\\b\\n\"c\"\n# TYPE m counter\n"
                    "m{a=\"x\\\\y\\\"z\\n{}\",b=\"\xef\xbf\xbd\xc3\xa9\"} 18446744073709551615\nm 0\n");
}

static void test_seconds(void)
{
    static const struct {
        gint64 value;
        const char *text;
    } cases[] = {{0, "0"},         {1, "0.000001"},       {999999, "0.999999"},  {1000000, "1"},
                 {1500000, "1.5"}, {2000001, "2.000001"}, {NOW, "1795825005.5"}, {-1, "0"}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *wanted = g_strdup_printf("t %s\n", cases[i].text);
        metrics_text_seconds(&(const struct metrics_text){.out = text}, "t", NULL, cases[i].value);
        g_assert_cmpstr(text->str, ==, wanted);
    }
}

static void test_histogram(void)
{
    static const struct metrics_scale scale = {G_USEC_PER_SEC, {{"0.5", 500000}, {"1", 1000000}, {NULL, 0}}};
    struct metrics_histogram histogram = {.sum = 0};
    g_autoptr(GString) text = g_string_new(NULL);
    const guint64 values[] = {0, 500000, 500001, 1000000, 1000001, 90000000};

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        metrics_histogram_add(&histogram, &scale, values[i]);
    metrics_text_histogram(&(const struct metrics_text){.out = text}, "h", &scale, &histogram);
    g_assert_cmpstr(
        text->str, ==,
        "h_bucket{le=\"0.5\"} 2\nh_bucket{le=\"1\"} 4\nh_bucket{le=\"+Inf\"} 6\nh_sum 93.000002\nh_count 6\n");
}

/* A histogram whose bounds fill the room there is for them. */
static void test_full_scale(void)
{
    struct metrics_scale scale = {.unit = 1};
    struct metrics_histogram histogram = {.sum = 0};
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < METRICS_BOUNDS; i++)
        scale.bounds[i] = (struct metrics_bound){"x", i};
    for (unsigned i = 0; i < METRICS_BOUNDS + 5; i++)
        metrics_histogram_add(&histogram, &scale, i);
    metrics_text_histogram(&(const struct metrics_text){.out = text}, "h", &scale, &histogram);
    g_assert_true(has_line(text->str, "h_bucket{le=\"+Inf\"} 21"));
}

/* ---- the bounds */

/* The labels `le` of a histogram are in order, and those of the parties where replay's bars end. */
static void test_bounds(void)
{
    struct policy *policy = policy_of(UNIT_HEAD "default accept\n");
    struct metrics *metrics = metrics_of(policy);
    g_autofree char *text = text_of(metrics);
    struct spread spread = {.messages = g_malloc0_n(SPREAD_VALUES, sizeof *spread.messages), .most = 1000};
    GArray *edges = histogram_edges(policy, COUNT_PARTIES);
    GArray *bins = histogram_bins(&spread, edges);

    g_assert_cmpuint(times(text, "rcptguard_message_parties_bucket"), ==, bins->len);
    for (guint i = 0; i + 1 < bins->len; i++) {
        g_autofree char *line =
            g_strdup_printf("rcptguard_message_parties_bucket{le=\"%u\"} 0", g_array_index(bins, struct bin, i).to);
        if (!has_line(text, line))
            UNIT_FAIL("%s is missing", line);
    }
    for (const char *at = text, *name = NULL; (at = strstr(at, "_bucket{le=\"")) != NULL; at++) {
        static double before;
        static const char *before_name;
        double bound = g_ascii_strtod(at + strlen("_bucket{le=\""), NULL);
        name = at;
        while (name[-1] != '\n')
            name--;
        if (before_name != NULL && strncmp(before_name, name, (size_t)(at - name)) == 0)
            g_assert_cmpfloat(bound, >, before);
        before = bound;
        before_name = name;
    }
    g_array_unref(bins);
    g_array_unref(edges);
    g_free(spread.messages);
    policy_unref(policy);
}

/* ---- rules that come and go */

static void test_reload(void)
{
    struct policy *old = policy_of(UNIT_HEAD HOLD("a") HOLD("b") "default accept\n");
    struct policy *new = policy_of(UNIT_HEAD RULE("a", "reject \"x\"") HOLD("c") "default accept\n");
    struct metrics *metrics = metrics_of(old);

    count(metrics, old, "x@one.example, y@two.example");
    metrics_count_reload(metrics, &config, new, NOW + G_USEC_PER_SEC);
    count(metrics, new, "x@one.example, y@two.example");
    count(metrics, old, "x@one.example");
    g_autofree char *text = text_of(metrics);
    g_assert_true(has_line(text, "rcptguard_messages_total{verdict=\"quarantine\",rule=\"a\"} 1"));
    g_assert_true(has_line(text, "rcptguard_messages_total{verdict=\"reject\",rule=\"a\"} 1"));
    g_assert_true(has_line(text, "rcptguard_messages_total{verdict=\"accept\",rule=\"default\"} 1"));
    g_assert_cmpuint(times(text, "rule=\"b\""), ==, 0);
    g_assert_cmpuint(times(text, "rule=\"-\""), ==, 0);
    g_assert_true(has_line(text, "rcptguard_policy_loaded_timestamp_seconds 1795825006.5"));
    g_assert_true(has_line(text, "rcptguard_policy_changed_timestamp_seconds 1795825006.5"));

    /* However often it is read, nothing grows. */
    for (unsigned i = 0; i < 50; i++)
        metrics_count_reload(metrics, &config, i % 2 == 0 ? old : new, NOW);
    metrics_count_reload(metrics, &config, NULL, NOW);
    g_autofree char *after = text_of(metrics);
    g_assert_cmpuint(times(after, "\n"), ==, times(text, "\n"));
    g_assert_true(has_line(after, "rcptguard_reloads_total{result=\"failed\"} 1"));
    policy_unref(old);
    policy_unref(new);
}

/* By where somebody is, of messages of which it was asked. */
static void test_inside(void)
{
    struct policy *policy = policy_of(UNIT_HEAD "rule field { when visible(external) inside header(\"X-To\") >= 2 "
                                                "quarantine \"{inside}\" }\ndefault accept\n");
    struct metrics *metrics = metrics_of(policy);
    struct message *message = message_of("care@me.example", "x@one.example");

    count(metrics, policy, "x@one.example");
    message_add_header(message, "X-To", "a@two.example, b@two.example");
    struct verdict *verdict = evaluate_at(policy, message, NOW / G_USEC_PER_SEC);
    metrics_count_message(metrics,
                          &(const struct metrics_message){.verdict = verdict, .disposition = verdict->disposition});
    g_assert_cmpstr(verdict->text, ==, "2");
    verdict->body.counts = (struct inside_counts){.asked = INSIDE_AWAY};
    metrics_count_message(metrics,
                          &(const struct metrics_message){.verdict = verdict, .disposition = verdict->disposition});
    verdict->body.counts = (struct inside_counts){
        .asked = INSIDE_READ, .places = {[0] = {45, 43}, [4] = {46, 44}}, .opaque = OPAQUE_TYPES | OPAQUE_ENCRYPTED};
    metrics_count_message(metrics,
                          &(const struct metrics_message){.verdict = verdict, .disposition = verdict->disposition});
    g_autofree char *text = text_of(metrics);
    static const char *const lines[] = {
        "rcptguard_inside_messages_total{part=\"calendar\"} 1", "rcptguard_inside_messages_total{part=\"table\"} 0",
        "rcptguard_inside_messages_total{part=\"text\"} 1",     "rcptguard_inside_messages_total{part=\"header\"} 1",
        "rcptguard_inside_messages_total{part=\"none\"} 1",     "rcptguard_inside_messages_total{part=\"away\"} 1",
        "rcptguard_opaque_messages_total{kind=\"types\"} 1",    "rcptguard_opaque_messages_total{kind=\"broken\"} 0"};
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        g_assert_true(has_line(text, lines[i]));
    verdict_free(verdict);
    message_free(message);
    policy_unref(policy);
}

/* What is off counts nothing, and does not fall. */
static void test_off(void)
{
    const struct metrics_held held = {.known = false};
    g_autoptr(GString) text = g_string_new(NULL);
    struct policy *policy = policy_of(UNIT_HEAD "default accept\n");

    count(NULL, policy, "x@one.example");
    metrics_count_not_outbound(NULL);
    metrics_time_ledger(NULL, 1);
    metrics_count_ledger_error(NULL, METRICS_HOLD);
    metrics_count_reload(NULL, &config, policy, NOW);
    metrics_append(NULL, text, &held, NOW);
    g_assert_cmpuint(text->len, ==, 0);
    policy_unref(policy);
}

/* ---- threads */

#define EACH 500

struct work {
    struct metrics *metrics;
    struct policy *policies[2];
};

static void *count_many(void *data)
{
    const struct work *work = data;
    for (unsigned i = 0; i < EACH; i++) {
        metrics_time_ledger(work->metrics, i);
        metrics_count_not_outbound(work->metrics);
        if (i % 10 == 0)
            count(work->metrics, work->policies[i / 10 % 2], "x@one.example");
    }
    return NULL;
}

static void *reload_many(void *data)
{
    const struct work *work = data;
    for (unsigned i = 0; i < EACH / 10; i++) {
        metrics_count_reload(work->metrics, &config, work->policies[i % 2], NOW);
        g_free(text_of(work->metrics));
    }
    return NULL;
}

static void test_threads(void)
{
    struct policy *old = policy_of(UNIT_HEAD HOLD("a") "default accept\n");
    struct policy *new = policy_of(UNIT_HEAD HOLD("b") "default accept\n");
    struct work work = {metrics_of(old), {old, new}};
    pthread_t threads[5];

    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, i == 0 ? reload_many : count_many, &work), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_autofree char *text = text_of(work.metrics);
    g_assert_true(has_line(text, "rcptguard_not_outbound_messages_total 2000"));
    g_assert_true(has_line(text, "rcptguard_ledger_commit_duration_seconds_count 2000"));
    g_assert_true(has_line(text, "rcptguard_messages_total{verdict=\"accept\",rule=\"default\"} 200"));
    policy_unref(old);
    policy_unref(new);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/escapes", test_escapes);
    g_test_add_func("/metrics/seconds", test_seconds);
    g_test_add_func("/metrics/histogram", test_histogram);
    g_test_add_func("/metrics/full-scale", test_full_scale);
    g_test_add_func("/metrics/bounds", test_bounds);
    g_test_add_func("/metrics/reload", test_reload);
    g_test_add_func("/metrics/off", test_off);
    g_test_add_func("/metrics/inside", test_inside);
    g_test_add_func("/metrics/threads", test_threads);
    return g_test_run();
}
