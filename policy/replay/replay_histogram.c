/* replay_histogram - see replay_histogram.h */

#include "policy/replay/replay_histogram.h"

#include <math.h>

/* Where bins and rungs begin; from 100 on, both go on by these steps. */
static const unsigned bin_starts[] = {0, 1, 2, 3, 5, 10, 20, 50};
static const unsigned rungs[] = {2, 3, 5, 10, 15, 20, 30, 50};
static const unsigned steps[] = {1, 2, 5};

static int compare_numbers(gconstpointer a, gconstpointer b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

/* The numbers of both kinds in order, each once, up to `last`. */
static GArray *numbers_upto(const unsigned *first, unsigned count, const GArray *edges, unsigned last)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(unsigned));
    unsigned kept = 0;

    g_array_append_vals(numbers, first, count);
    for (unsigned hundreds = 100; hundreds <= RECIPIENTS_LIMIT; hundreds *= 10) {
        for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
            unsigned number = hundreds * steps[i];
            g_array_append_val(numbers, number);
        }
    }
    for (unsigned i = 0; i < edges->len; i++)
        g_array_append_val(numbers, g_array_index(edges, struct edge, i).number);
    g_array_sort(numbers, compare_numbers);
    for (unsigned i = 0; i < numbers->len; i++) {
        unsigned number = g_array_index(numbers, unsigned, i);
        if (number <= last && (kept == 0 || g_array_index(numbers, unsigned, kept - 1) != number))
            g_array_index(numbers, unsigned, kept++) = number;
    }
    g_array_set_size(numbers, kept);
    return numbers;
}

static unsigned last_edge(const GArray *edges)
{
    return edges->len > 0 ? g_array_index(edges, struct edge, edges->len - 1).number : 0;
}

/* ---- edges */

static int compare_edges(gconstpointer a, gconstpointer b)
{
    return compare_numbers(&((const struct edge *)a)->number, &((const struct edge *)b)->number);
}

static void edge_clear(gpointer data)
{
    g_array_unref(((struct edge *)data)->thresholds);
}

static struct edge *find_edge(const GArray *edges, unsigned number)
{
    for (unsigned i = 0; i < edges->len; i++)
        if (g_array_index(edges, struct edge, i).number == number)
            return &g_array_index(edges, struct edge, i);
    return NULL;
}

static struct edge *add_edge(GArray *edges, unsigned number)
{
    struct edge edge = {.number = number, .thresholds = g_array_new(FALSE, FALSE, sizeof(unsigned))};

    g_array_append_val(edges, edge);
    return find_edge(edges, number);
}

GArray *histogram_edges(const struct policy *policy, enum count count)
{
    GArray *edges = g_array_new(FALSE, FALSE, sizeof(struct edge));

    for (unsigned i = 0; i < MIN(policy_threshold_count(policy), REPLAYED_THRESHOLDS); i++) {
        const struct threshold *threshold = policy_threshold(policy, i);
        if (threshold->count != count || threshold->classes != CLASS_EXTERNAL || threshold->number >= SPREAD_VALUES)
            continue;
        struct edge *edge = find_edge(edges, threshold->number);
        if (edge == NULL)
            edge = add_edge(edges, threshold->number);
        g_array_append_val(edge->thresholds, i);
    }
    g_array_set_clear_func(edges, edge_clear);
    g_array_sort(edges, compare_edges);
    return edges;
}

/* ---- bins */

GArray *histogram_bins(const struct spread *spread, const GArray *edges)
{
    unsigned last = MAX(spread->most, last_edge(edges));
    g_autoptr(GArray) starts = numbers_upto(bin_starts, G_N_ELEMENTS(bin_starts), edges, SPREAD_VALUES - 1);
    GArray *bins = g_array_new(FALSE, FALSE, sizeof(struct bin));

    for (unsigned i = 0; i < starts->len && g_array_index(starts, unsigned, i) <= last; i++) {
        struct bin bin = {.from = g_array_index(starts, unsigned, i), .to = SPREAD_VALUES - 1};
        if (i + 1 < starts->len)
            bin.to = g_array_index(starts, unsigned, i + 1) - 1;
        for (unsigned value = bin.from; value <= bin.to; value++) {
            for (unsigned j = 0; j < DISPOSITIONS; j++) {
                bin.by[j] += spread->messages[value][j];
                bin.messages += spread->messages[value][j];
            }
        }
        g_array_append_val(bins, bin);
    }
    return bins;
}

guint64 histogram_fullest(const GArray *bins)
{
    guint64 fullest = 0;

    for (unsigned i = 0; i < bins->len; i++)
        fullest = MAX(fullest, g_array_index(bins, struct bin, i).messages);
    return fullest;
}

unsigned histogram_length(guint64 messages, guint64 fullest, unsigned whole)
{
    if (messages == 0)
        return 0;
    return MAX(1, (unsigned)lround(whole * log1p((double)messages) / log1p((double)fullest)));
}

void histogram_parts(const struct bin *bin, unsigned length, unsigned parts[DISPOSITIONS])
{
    unsigned kinds = 0, given = 0;

    /* One for each, the worst first if there is no room; the rest by shares, so that the parts add up to the whole. */
    for (unsigned i = DISPOSITIONS; i-- > 0;) {
        parts[i] = bin->by[i] > 0 && kinds < length ? 1 : 0;
        kinds += parts[i];
    }
    for (guint64 i = 0, sum = 0; i < DISPOSITIONS; i++) {
        if (parts[i] == 0)
            continue;
        sum += bin->by[i];
        unsigned upto = (unsigned)lround((length - kinds) * ((double)sum / (double)bin->messages));
        parts[i] += upto - given;
        given = upto;
    }
}

/* ---- ladder */

GArray *histogram_ladder(const struct spread *spread, const GArray *edges)
{
    unsigned last = MAX(spread->most, last_edge(edges));
    g_autoptr(GArray) numbers = numbers_upto(rungs, G_N_ELEMENTS(rungs), edges, last);
    GArray *ladder = g_array_new(FALSE, FALSE, sizeof(struct rung));

    for (unsigned i = 0; i < numbers->len; i++) {
        struct rung rung = {.number = g_array_index(numbers, unsigned, i)};
        /* From 1 on all mail to the outside is held: no rung that anybody asks for. */
        if (rung.number < rungs[0])
            continue;
        rung.messages = spread_from(spread, rung.number);
        rung.edge = find_edge(edges, rung.number) != NULL;
        g_array_append_val(ladder, rung);
    }
    return ladder;
}
