/* html_plot - the plots of a page, as SVG that is in it; see html_page.h */

#include "policy/replay/html_page.h"

#include <math.h>

/* A bar is parted into that many steps. */
#define BAR_STEPS 1000u

/* A number with a dot whatever the locale is: "12.5". */
static void append_decimal(GString *out, double number)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(out, g_ascii_formatd(digits, sizeof digits, "%.1f", number));
}

static void append_attribute(GString *out, const char *name, double percent)
{
    g_string_append_printf(out, " %s=\"", name);
    append_decimal(out, percent);
    g_string_append(out, "%\"");
}

void page_append_bar(GString *out, const struct bin *bin, guint64 fullest)
{
    unsigned length = histogram_length(bin->messages, fullest, BAR_STEPS);
    unsigned parts[DISPOSITIONS], begin = 0;

    g_string_append(out, "<svg aria-hidden=\"true\">");
    if (length > 0)
        histogram_parts(bin, length, parts);
    for (unsigned i = 0; length > 0 && i < DISPOSITIONS; i++) {
        if (parts[i] == 0)
            continue;
        g_string_append_printf(out, "<rect class=\"%s\" y=\"0\" height=\"100%%\"",
                               disposition_name((enum disposition)i));
        append_attribute(out, "x", 100.0 * begin / BAR_STEPS);
        append_attribute(out, "width", 100.0 * parts[i] / BAR_STEPS);
        g_string_append(out, "/>");
        begin += parts[i];
    }
    g_string_append(out, "</svg>");
}

/* ---- the curve */

struct axes {
    double right; /* logarithm of the number at the right end; the left one is 1 */
    double top;   /* the same of messages; the lower end is 1 */
};

/* Places in percent of the plot. */
static double place_x(const struct axes *axes, double number)
{
    return 100 * log10(MAX(number, 1)) / axes->right;
}

static double place_y(const struct axes *axes, double messages)
{
    return 100 - 100 * log10(MAX(messages, 1)) / axes->top;
}

static void append_line(GString *out, const char *class, double x1, double y1, double x2, double y2)
{
    g_string_append_printf(out, "<line class=\"%s\"", class);
    append_attribute(out, "x1", x1);
    append_attribute(out, "y1", y1);
    append_attribute(out, "x2", x2);
    append_attribute(out, "y2", y2);
    g_string_append(out, "/>\n");
}

static void append_label(GString *out, const char *class, const char *anchor, double x, double y, const char *shift,
                         guint64 number)
{
    g_string_append_printf(out, "<text class=\"%s\" text-anchor=\"%s\"", class, anchor);
    append_attribute(out, "x", x);
    append_attribute(out, "y", y);
    g_string_append_printf(out, " %s>%" G_GUINT64_FORMAT "</text>\n", shift, number);
}

static void append_grid(GString *out, const struct axes *axes)
{
    static const unsigned steps[] = {1, 2, 5};

    for (guint64 tens = 1; place_y(axes, (double)tens) >= -0.01; tens *= 10) {
        append_line(out, "grid", 0, place_y(axes, (double)tens), 100, place_y(axes, (double)tens));
        append_label(out, "y", "end", 0, place_y(axes, (double)tens), "dx=\"-8\" dy=\"4\"", tens);
    }
    for (guint64 tens = 1; place_x(axes, (double)tens) <= 100.01; tens *= 10) {
        for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
            guint64 number = tens * steps[i];
            if (place_x(axes, (double)number) <= 100.01)
                append_label(out, "x", "middle", place_x(axes, (double)number), 100, "dy=\"20\"", number);
        }
    }
}

/* Numbers that are near to each other are at two heights. */
static void append_marks(GString *out, const struct axes *axes, const GArray *edges)
{
    double last = -100;
    bool high = false;

    for (unsigned i = 0; i < edges->len; i++) {
        unsigned number = g_array_index(edges, struct edge, i).number;
        double x = place_x(axes, number);
        high = x - last < 8 && !high;
        last = x;
        append_line(out, "mark", x, 0, x, 100);
        append_label(out, "label", "middle", x, 0, high ? "dy=\"-22\"" : "dy=\"-7\"", number);
    }
}

static void append_point(GString *out, double x, double y)
{
    append_decimal(out, x);
    g_string_append_c(out, ',');
    append_decimal(out, y);
    g_string_append_c(out, ' ');
}

/* Exact: it falls after each number that has messages, by as many as these are. */
static void append_curve(GString *out, const struct axes *axes, const struct spread *spread)
{
    guint64 messages = spread_from(spread, 1);

    g_string_append(out, "<svg viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" width=\"100%\" height=\"100%\">"
                         "<polyline points=\"");
    append_point(out, 0, place_y(axes, (double)messages));
    for (unsigned value = 1; value <= spread->most; value++) {
        guint64 here = spread_at(spread, value);
        if (here == 0)
            continue;
        append_point(out, place_x(axes, value), place_y(axes, (double)messages));
        messages -= here;
        if (messages > 0)
            append_point(out, place_x(axes, value), place_y(axes, (double)messages));
    }
    g_string_append(out, "\"/></svg>\n");
}

void page_append_curve(GString *out, const struct spread *spread, const GArray *edges, const char *of)
{
    struct axes axes = {.right = log10(MAX(spread->most, 10)), .top = 1};

    axes.top = MAX(axes.top, log10((double)MAX(spread_from(spread, 1), 1)));
    for (unsigned i = 0; i < edges->len; i++)
        axes.right = MAX(axes.right, log10(g_array_index(edges, struct edge, i).number));
    g_string_append_printf(out,
                           "<div class=\"plot\"><svg role=\"img\" aria-label=\"%s: how many messages show at least so "
                           "many; the numbers are in the table\">\n",
                           of);
    append_grid(out, &axes);
    append_marks(out, &axes, edges);
    append_curve(out, &axes, spread);
    g_string_append(out, "</svg></div>\n");
}
