/* metrics_text - see metrics_text.h */

#include "milter/metrics/metrics_text.h"

#include <stdbool.h>

/* ---- histograms */

void metrics_histogram_add(struct metrics_histogram *histogram, const struct metrics_scale *scale, guint64 value)
{
    unsigned bucket = 0;
    while (scale->bounds[bucket].label != NULL && value > scale->bounds[bucket].value)
        bucket++;
    histogram->buckets[bucket]++;
    histogram->sum += value;
}

/* ---- parts of a line */

/* A backslash and a newline would end what they are in, and in a label's value so would a quote. */
static void append_escaped(GString *text, const char *value, bool quoted)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            g_string_append(text, "\\n");
        else if (*value == '\\' || (quoted && *value == '"'))
            g_string_append_printf(text, "\\%c", *value);
        else
            g_string_append_c(text, *value);
    }
}

static void append_label(GString *text, const struct metrics_label *label, bool *first)
{
    g_autofree char *value = g_utf8_make_valid(label->value, -1);
    g_string_append_printf(text, "%c%s=\"", *first ? '{' : ',', label->name);
    append_escaped(text, value, true);
    g_string_append_c(text, '"');
    *first = false;
}

/* That of all samples before those of this one. */
static void append_labels(const struct metrics_text *text, const struct metrics_label *labels)
{
    const struct metrics_label instance = {METRICS_INSTANCE, text->instance};
    bool first = true;
    if (text->instance != NULL)
        append_label(text->out, &instance, &first);
    for (const struct metrics_label *label = labels; label != NULL && label->name != NULL; label++)
        append_label(text->out, label, &first);
    if (!first)
        g_string_append_c(text->out, '}');
}

/* A number of units, as a decimal fraction if it is no whole number. */
static void append_value(GString *text, guint64 value, guint64 unit)
{
    g_string_append_printf(text, " %" G_GUINT64_FORMAT, value / unit);
    guint64 rest = value % unit;
    if (rest != 0) {
        g_string_append_c(text, '.');
        for (guint64 digit = unit / 10; rest != 0 && digit != 0; digit /= 10) {
            g_string_append_c(text, (char)('0' + rest / digit));
            rest %= digit;
        }
    }
    g_string_append_c(text, '\n');
}

/* ---- lines */

void metrics_text_begin(const struct metrics_text *text, const char *name, const char *type, const char *help)
{
    g_string_append_printf(text->out, "# HELP %s ", name);
    append_escaped(text->out, help, false);
    g_string_append_printf(text->out, "\n# TYPE %s %s\n", name, type);
}

void metrics_text_number(const struct metrics_text *text, const char *name, const struct metrics_label *labels,
                         guint64 value)
{
    g_string_append(text->out, name);
    append_labels(text, labels);
    append_value(text->out, value, 1);
}

void metrics_text_seconds(const struct metrics_text *text, const char *name, const struct metrics_label *labels,
                          gint64 value)
{
    g_string_append(text->out, name);
    append_labels(text, labels);
    append_value(text->out, (guint64)MAX(value, 0), G_USEC_PER_SEC);
}

static void append_bucket(const struct metrics_text *text, const char *name, const char *bound, guint64 count)
{
    const struct metrics_label labels[] = {{"le", bound}, {NULL, NULL}};
    g_string_append_printf(text->out, "%s_bucket", name);
    append_labels(text, labels);
    append_value(text->out, count, 1);
}

void metrics_text_histogram(const struct metrics_text *text, const char *name, const struct metrics_scale *scale,
                            const struct metrics_histogram *histogram)
{
    guint64 count = 0;
    unsigned bucket = 0;
    for (; scale->bounds[bucket].label != NULL; bucket++) {
        count += histogram->buckets[bucket];
        append_bucket(text, name, scale->bounds[bucket].label, count);
    }
    count += histogram->buckets[bucket];
    append_bucket(text, name, "+Inf", count);
    g_string_append_printf(text->out, "%s_sum", name);
    append_labels(text, NULL);
    append_value(text->out, histogram->sum, scale->unit);
    g_string_append_printf(text->out, "%s_count", name);
    append_labels(text, NULL);
    append_value(text->out, count, 1);
}
