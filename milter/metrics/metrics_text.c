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

/* A backslash and a newline would end what they stand in, and in a label's value so would a quote. */
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

static void append_labels(GString *text, const struct metrics_label *labels)
{
    if (labels == NULL || labels->name == NULL)
        return;
    for (const struct metrics_label *label = labels; label->name != NULL; label++) {
        g_autofree char *value = g_utf8_make_valid(label->value, -1);
        g_string_append_printf(text, "%c%s=\"", label == labels ? '{' : ',', label->name);
        append_escaped(text, value, true);
        g_string_append_c(text, '"');
    }
    g_string_append_c(text, '}');
}

/* A number of units, as a decimal fraction if it is no whole number. */
static void append_value(GString *text, guint64 value, guint64 unit)
{
    g_string_append_printf(text, " %" G_GUINT64_FORMAT, value / unit);
    guint64 rest = value % unit;
    if (rest != 0) {
        g_string_append_c(text, '.');
        for (guint64 digit = unit / 10; rest != 0; digit /= 10) {
            g_string_append_c(text, (char)('0' + rest / digit));
            rest %= digit;
        }
    }
    g_string_append_c(text, '\n');
}

/* ---- lines */

void metrics_text_begin(GString *text, const char *name, const char *type, const char *help)
{
    g_string_append_printf(text, "# HELP %s ", name);
    append_escaped(text, help, false);
    g_string_append_printf(text, "\n# TYPE %s %s\n", name, type);
}

void metrics_text_number(GString *text, const char *name, const struct metrics_label *labels, guint64 value)
{
    g_string_append(text, name);
    append_labels(text, labels);
    append_value(text, value, 1);
}

void metrics_text_seconds(GString *text, const char *name, const struct metrics_label *labels, gint64 value)
{
    g_string_append(text, name);
    append_labels(text, labels);
    append_value(text, (guint64)MAX(value, 0), G_USEC_PER_SEC);
}

void metrics_text_histogram(GString *text, const char *name, const struct metrics_scale *scale,
                            const struct metrics_histogram *histogram)
{
    guint64 count = 0;
    unsigned bucket = 0;
    for (; scale->bounds[bucket].label != NULL; bucket++) {
        count += histogram->buckets[bucket];
        g_string_append_printf(text, "%s_bucket{le=\"%s\"}", name, scale->bounds[bucket].label);
        append_value(text, count, 1);
    }
    count += histogram->buckets[bucket];
    g_string_append_printf(text, "%s_bucket{le=\"+Inf\"}", name);
    append_value(text, count, 1);
    g_string_append_printf(text, "%s_sum", name);
    append_value(text, histogram->sum, scale->unit);
    g_string_append_printf(text, "%s_count", name);
    append_value(text, count, 1);
}
