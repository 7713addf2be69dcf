/* test-replay-histogram - bins that part at thresholds, bars, the ladder */

#include "policy/replay/replay_histogram.h"
#include "unit.h"

#define RULES                                                                                                          \
    UNIT_HEAD "class partner { domain \"partner.example\" }\n"                                                         \
              "rule clinic { when sender in \"clinic@me.example\" and parties(external) >= 2 quarantine \"x\" }\n"     \
              "rule a { when parties(external) > 11 or visible(external) >= 40 reject \"x\" }\n"                       \
              "rule b { when parties(external) >= 12 and parties(partner) >= 7 and not local tag \"x\" }\n"            \
              "rule c { when parties(external) >= 30000 tag \"x\" }\n"                                                 \
              "default accept\n"
#define NONE UNIT_HEAD "default accept\n"

static GArray *edges_of(const char *text, enum count count)
{
    struct policy *policy = policy_of(text);
    GArray *edges = histogram_edges(policy, count);

    policy_unref(policy);
    return edges;
}

static struct spread spread_new(void)
{
    return (struct spread){.messages = g_malloc0_n(SPREAD_VALUES, sizeof *((struct spread *)NULL)->messages)};
}

static void put(struct spread *spread, unsigned value, enum disposition disposition, guint64 messages)
{
    spread->messages[value][disposition] += messages;
    spread->most = MAX(spread->most, value);
}

/* Those over `external` only, by number, those of one number together; a number that no message reaches is none. */
static void test_edges(void)
{
    g_autoptr(GArray) parties = edges_of(RULES, COUNT_PARTIES);
    g_autoptr(GArray) visible = edges_of(RULES, COUNT_VISIBLE);

    g_assert_cmpuint(parties->len, ==, 2);
    g_assert_cmpuint(g_array_index(parties, struct edge, 0).number, ==, 2);
    g_assert_cmpuint(g_array_index(parties, struct edge, 1).number, ==, 12);
    g_assert_cmpuint(g_array_index(parties, struct edge, 1).thresholds->len, ==, 2);
    g_assert_cmpuint(visible->len, ==, 1);
    g_assert_cmpuint(g_array_index(visible, struct edge, 0).number, ==, 40);
}

/* "0=3 1=0 2=5 3-4=0" */
static char *bins_text(const GArray *bins)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < bins->len; i++) {
        const struct bin *bin = &g_array_index(bins, struct bin, i);
        g_string_append_printf(out, "%s%u", i > 0 ? " " : "", bin->from);
        if (bin->to > bin->from)
            g_string_append_printf(out, "-%u", bin->to);
        g_string_append_printf(out, "=%" G_GUINT64_FORMAT, bin->messages);
    }
    return g_string_free(out, FALSE);
}

static void test_bins(void)
{
    static const struct {
        const char *policy;
        unsigned values[8]; /* one message each; ended by 0 behind the first */
        const char *want;
    } cases[] = {
        {NONE, {0}, "0=1"},
        {NONE, {0, 1, 2, 3, 4, 5}, "0=1 1=1 2=1 3-4=2 5-9=1"},
        {NONE, {9, 10, 19, 20, 49, 50, 99}, "0=0 1=0 2=0 3-4=0 5-9=1 10-19=2 20-49=2 50-99=2"},
        {NONE,
         {100, 199, 200, 500, 1000},
         "0=0 1=0 2=0 3-4=0 5-9=0 10-19=0 20-49=0 50-99=0 100-199=2 200-499=1 500-999=1 1000-1999=1"},
        /* A threshold has its own bin below and above, even if no message comes to it. */
        {RULES, {11, 12}, "0=0 1=0 2=0 3-4=0 5-9=0 10-11=1 12-19=1"},
        {RULES, {1}, "0=0 1=1 2=0 3-4=0 5-9=0 10-11=0 12-19=0"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct spread spread = spread_new();
        g_autoptr(GArray) edges = edges_of(cases[i].policy, COUNT_PARTIES);
        g_autoptr(GArray) bins = NULL;
        g_autofree char *text = NULL;
        put(&spread, cases[i].values[0], DISPOSITION_ACCEPT, 1);
        for (unsigned j = 1; j < 8 && cases[i].values[j] != 0; j++)
            put(&spread, cases[i].values[j], DISPOSITION_ACCEPT, 1);
        bins = histogram_bins(&spread, edges);
        text = bins_text(bins);
        if (strcmp(text, cases[i].want) != 0)
            UNIT_FAIL("%u: %s", i, text);
        g_free(spread.messages);
    }
}

/* The largest message that is read has its bin, too. */
static void test_last_bin(void)
{
    struct spread spread = spread_new();
    g_autoptr(GArray) edges = edges_of(RULES, COUNT_PARTIES);
    g_autoptr(GArray) bins = NULL;
    const struct bin *last;

    put(&spread, SPREAD_VALUES - 1, DISPOSITION_REJECT, 2);
    bins = histogram_bins(&spread, edges);
    last = &g_array_index(bins, struct bin, bins->len - 1);
    g_assert_cmpuint(last->to, ==, SPREAD_VALUES - 1);
    g_assert_cmpuint(last->by[DISPOSITION_REJECT], ==, 2);
    g_free(spread.messages);
}

static void test_length(void)
{
    unsigned before = 0;

    g_assert_cmpuint(histogram_length(0, 1000, 60), ==, 0);
    g_assert_cmpuint(histogram_length(1000, 1000, 60), ==, 60);
    g_assert_cmpuint(histogram_length(1, 1, 60), ==, 60);
    g_assert_cmpuint(histogram_length(1, 1000000000, 10), ==, 1); /* what is there is seen */
    for (guint64 messages = 1; messages <= 1000; messages++) {
        unsigned length = histogram_length(messages, 1000, 60);
        g_assert_cmpuint(length, >=, MAX(before, 1));
        g_assert_cmpuint(length, <=, 60);
        before = length;
    }
}

static void test_parts(void)
{
    static const struct {
        guint64 by[DISPOSITIONS];
        unsigned length, want[DISPOSITIONS];
    } cases[] = {
        {{10}, 7, {7}},
        {{50, 0, 50}, 10, {5, 0, 5}},
        {{999999, 0, 1}, 10, {9, 0, 1}},
        {{1, 0, 999999, 1}, 10, {1, 0, 8, 1}},
        /* No room for all: the worst is what must be seen. */
        {{5, 0, 5, 5}, 2, {0, 0, 1, 1}},
        {{5, 1, 1, 1, 1}, 1, {0, 0, 0, 0, 1}},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct bin bin = {0};
        unsigned parts[DISPOSITIONS], sum = 0;
        for (unsigned j = 0; j < DISPOSITIONS; j++)
            bin.messages += bin.by[j] = cases[i].by[j];
        histogram_parts(&bin, cases[i].length, parts);
        for (unsigned j = 0; j < DISPOSITIONS; j++) {
            sum += parts[j];
            if (parts[j] != cases[i].want[j])
                UNIT_FAIL("%u: %s: %u", i, disposition_name((enum disposition)j), parts[j]);
        }
        g_assert_cmpuint(sum, ==, cases[i].length);
    }
}

static void test_ladder(void)
{
    static const struct rung want[] = {{2, 8, true},   {3, 6, false},  {5, 6, false},  {10, 6, false}, {12, 4, true},
                                       {15, 3, false}, {20, 3, false}, {30, 1, false}, {50, 1, false}};
    struct spread spread = spread_new();
    g_autoptr(GArray) edges = edges_of(RULES, COUNT_PARTIES);
    g_autoptr(GArray) ladder = NULL;

    put(&spread, 0, DISPOSITION_ACCEPT, 100);
    put(&spread, 2, DISPOSITION_ACCEPT, 2);
    put(&spread, 11, DISPOSITION_ACCEPT, 2);
    put(&spread, 12, DISPOSITION_REJECT, 1);
    put(&spread, 29, DISPOSITION_REJECT, 2);
    put(&spread, 60, DISPOSITION_TAG, 1);
    ladder = histogram_ladder(&spread, edges);
    g_assert_cmpuint(ladder->len, ==, G_N_ELEMENTS(want));
    for (unsigned i = 0; i < ladder->len; i++) {
        const struct rung *rung = &g_array_index(ladder, struct rung, i);
        g_assert_cmpuint(rung->number, ==, want[i].number);
        g_assert_cmpuint(rung->messages, ==, want[i].messages);
        g_assert_true(rung->edge == want[i].edge);
    }
    g_free(spread.messages);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/histogram/edges", test_edges);
    g_test_add_func("/histogram/bins", test_bins);
    g_test_add_func("/histogram/last-bin", test_last_bin);
    g_test_add_func("/histogram/length", test_length);
    g_test_add_func("/histogram/parts", test_parts);
    g_test_add_func("/histogram/ladder", test_ladder);
    return g_test_run();
}
