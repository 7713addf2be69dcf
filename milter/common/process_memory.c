/* process_memory - see process_memory.h */

#include "milter/common/process_memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUPS "/sys/fs/cgroup"

/* A larger one is none: version 1 writes the largest number of pages. */
#define LIMIT_MOST (G_GUINT64_CONSTANT(1) << 60)

static guint64 lower_of(guint64 a, guint64 b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The number in a file, or 0: "max" is none. */
static guint64 read_limit(const char *path)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    guint64 limit = g_ascii_strtoull(text, NULL, 10);
    return limit < LIMIT_MOST ? limit : 0;
}

/* The lowest limit from a group up to the root: each of them counts. */
static guint64 limit_upwards(const char *root, const char *group, const char *file)
{
    g_autofree char *rest = g_strdup(group);
    guint64 limit = 0;

    for (;;) {
        g_autofree char *path = g_strconcat(root, rest, "/", file, NULL);
        char *slash = strrchr(rest, '/');
        limit = lower_of(limit, read_limit(path));
        if (slash == NULL)
            return limit;
        *slash = '\0';
    }
}

/* A line of /proc/PID/cgroup: NUMBER:CONTROLLERS:/GROUP; version 2 names no controllers. */
static guint64 limit_of_line(const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line, ":", 3);

    if (g_strv_length(parts) != 3)
        return 0;
    g_auto(GStrv) controllers = g_strsplit(parts[1], ",", -1);
    if (parts[1][0] == '\0')
        return limit_upwards(GROUPS, parts[2], "memory.max");
    if (g_strv_contains((const char *const *)controllers, "memory"))
        return limit_upwards(GROUPS "/memory", parts[2], "memory.limit_in_bytes");
    return 0;
}

guint64 process_memory_limit(pid_t process)
{
    g_autofree char *path = g_strdup_printf("/proc/%ld/cgroup", (long)process);
    g_autofree char *text = NULL;
    guint64 limit = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        limit = lower_of(limit, limit_of_line(*line));
    return limit;
}

guint64 process_memory_resident(void)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        return 0;
    const char *second = strchr(text, ' ');
    return second == NULL ? 0 : g_ascii_strtoull(second, NULL, 10) * (guint64)sysconf(_SC_PAGESIZE);
}
