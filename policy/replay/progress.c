/* progress - see progress.h */

#include "policy/replay/progress.h"

#include "policy/cli/terminal.h"

#include <stdio.h>
#include <string.h>

#define BETWEEN (G_USEC_PER_SEC / 5)

struct progress {
    bool wanted;      /* there is a terminal */
    unsigned columns; /* of the line that is there */
    gint64 begun;
    gint64 last;
};

struct progress *progress_new(void)
{
    struct progress *progress = g_new0(struct progress, 1);

    progress->wanted = terminal_is(stderr);
    progress->begun = progress->last = g_get_monotonic_time();
    return progress;
}

void progress_free(struct progress *progress)
{
    progress_clear(progress);
    g_free(progress);
}

/* Two numbers of bytes in the unit of the second: "1.23 of 2.10 GB". */
static void append_bytes(GString *out, guint64 bytes, guint64 total)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    double scale = 1000;
    unsigned unit = 0;

    for (; MAX(bytes, total) >= scale * 1000 && unit + 1 < G_N_ELEMENTS(units); scale *= 1000)
        unit++;
    g_string_append_printf(out, "%.2f ", (double)bytes / scale);
    if (total > 0)
        g_string_append_printf(out, "of %.2f ", (double)total / scale);
    g_string_append(out, units[unit]);
}

char *progress_text(guint64 messages, guint64 bytes, guint64 total, gint64 microseconds)
{
    GString *out = g_string_new(NULL);
    double seconds = (double)MAX(microseconds, 1) / G_USEC_PER_SEC;
    double speed = (double)bytes / seconds;

    g_string_append_printf(out, "%" G_GUINT64_FORMAT " messages  ", messages);
    append_bytes(out, bytes, total);
    g_string_append_printf(out, "  %.0f MB/s", speed / 1e6);
    if (total >= bytes && total > 0 && speed > 0) {
        unsigned left = (unsigned)MIN((double)(total - bytes) / speed + 0.5, 359999);
        if (left >= 3600)
            g_string_append_printf(out, "  %u:%02u:%02u left", left / 3600, left / 60 % 60, left % 60);
        else
            g_string_append_printf(out, "  %u:%02u left", left / 60, left % 60);
    }
    return g_string_free(out, FALSE);
}

void progress_show(struct progress *progress, guint64 messages, guint64 bytes, guint64 total)
{
    gint64 now = g_get_monotonic_time();

    if (!progress->wanted || now - progress->last < BETWEEN)
        return;
    progress->last = now;
    g_autofree char *text = progress_text(messages, bytes, total, now - progress->begun);
    unsigned columns = MIN((unsigned)strlen(text), terminal_width(stderr) - 1);
    /* Blanks over what the last one had more: a terminal needs to know nothing but the carriage return. */
    fprintf(stderr, "\r%.*s%*s", (int)columns, text,
            progress->columns > columns ? (int)(progress->columns - columns) : 0, "");
    fflush(stderr);
    progress->columns = MAX(progress->columns, columns);
}

void progress_clear(struct progress *progress)
{
    if (progress->columns == 0)
        return;
    fprintf(stderr, "\r%*s\r", (int)progress->columns, "");
    fflush(stderr);
    progress->columns = 0;
}
