/*
 * metrics_text - how metrics are written for Prometheus: the text format 0.0.4
 * of prometheus.io/docs/instrumenting/exposition_formats, which node_exporter's
 * textfile collector reads.  It writes no timestamps after the values.
 *
 * Nothing in here depends on the locale.
 */
#ifndef RCPTGUARD_METRICS_TEXT_H
#define RCPTGUARD_METRICS_TEXT_H

#include <glib.h>

/* Most bounds of a histogram, without +Inf. */
#define METRICS_BOUNDS 16

/* An inclusive upper bound of a bucket: as text for the label, and in the unit that is counted. */
struct metrics_bound {
    const char *label;
    guint64 value;
};

/* The bounds of a histogram, rising and ended by a NULL label. */
struct metrics_scale {
    guint64 unit; /* the number of counted units in one written unit */
    struct metrics_bound bounds[METRICS_BOUNDS + 1];
};

struct metrics_histogram {
    guint64 buckets[METRICS_BOUNDS + 1]; /* each by itself, the last for what is beyond every bound */
    guint64 sum;
};

/* One value more. */
void metrics_histogram_add(struct metrics_histogram *histogram, const struct metrics_scale *scale, guint64 value);

/* Name and value of one label; of an array that ends with a NULL name. */
struct metrics_label {
    const char *name;
    const char *value;
};

/* Where samples go, and the label that each of them has: which of the daemons of a host it is; NULL: none has one. */
struct metrics_text {
    GString *out;
    const char *instance;
};

/* The name of that label.  `instance` is the one that Prometheus itself gives to whatever it reads. */
#define METRICS_INSTANCE "rcptguard_instance"

/* `# HELP` and `# TYPE`: what comes before the samples of a metric.  `type` is "counter", "gauge" or "histogram". */
void metrics_text_begin(const struct metrics_text *text, const char *name, const char *type, const char *help);

/* One sample.  Labels may be NULL; their values, which are made valid UTF-8, are escaped. */
void metrics_text_number(const struct metrics_text *text, const char *name, const struct metrics_label *labels,
                         guint64 value);

/* The same, of microseconds, in seconds. */
void metrics_text_seconds(const struct metrics_text *text, const char *name, const struct metrics_label *labels,
                          gint64 value);

/* All samples of a histogram without further labels. */
void metrics_text_histogram(const struct metrics_text *text, const char *name, const struct metrics_scale *scale,
                            const struct metrics_histogram *histogram);

#endif
