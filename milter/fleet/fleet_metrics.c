/* fleet_metrics - see fleet_metrics.h */

#include <config.h>

#include "milter/fleet/fleet_metrics.h"

#include "milter/common/privileges.h"
#include "milter/metrics/metrics_replace.h"
#include "milter/metrics/metrics_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUFFIX ".prom"

/* Of what a child says. */
#define SAID_LIMIT 1024

char *fleet_metrics_path(const struct config *config)
{
    const char *path = config->metrics;
    if (path == NULL)
        return NULL;
    size_t length = strlen(path) - (g_str_has_suffix(path, SUFFIX) ? strlen(SUFFIX) : 0);
    return g_strdup_printf("%.*s-fleet%s", (int)length, path, SUFFIX);
}

/* ---- text */

static void one_time(const struct metrics_text *text, const char *name, const char *help, gint64 value)
{
    metrics_text_begin(text, name, "gauge", help);
    metrics_text_seconds(text, name, NULL, value);
}

static void one_number(const struct metrics_text *text, const char *name, const char *help, guint64 value)
{
    metrics_text_begin(text, name, "gauge", help);
    metrics_text_number(text, name, NULL, value);
}

void fleet_metrics_append(const struct config *config, const struct fleet_figures *figures, gint64 now, GString *out)
{
    static const char errors[] = "rcptguard_fleet_errors_total",
                      oldest[] = "rcptguard_fleet_oldest_waiting_timestamp_seconds";
    static const char *const kinds[] = {"away", "refused", "wrong"};
    G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == G_N_ELEMENTS(figures->errors));
    const struct metrics_text text = {.out = out, .instance = config->instance};
    one_time(&text, "rcptguard_fleet_reached_timestamp_seconds",
             "When the fleet's database answered last; 0 if it has not.", figures->reached);
    one_time(&text, "rcptguard_fleet_published_timestamp_seconds",
             "When the database last had all that this ledger has; 0 if it has not.", figures->published);
    one_number(&text, "rcptguard_fleet_unpublished_messages", "Messages whose record the database lacks.",
               figures->unpublished);
    one_number(&text, "rcptguard_fleet_waiting_decisions", "Decisions in the database for this node, not carried out.",
               figures->waiting);
    metrics_text_begin(&text, oldest, "gauge", "When the oldest of them was made; absent if there is none.");
    if (figures->oldest > 0)
        metrics_text_seconds(&text, oldest, NULL, figures->oldest);
    metrics_text_begin(&text, errors, "counter", "Failures of the database, by whether it was away, refused or wrong.");
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const struct metrics_label labels[] = {{"kind", kinds[i]}, {NULL, NULL}};
        metrics_text_number(&text, errors, labels, figures->errors[i]);
    }
    one_time(&text, "rcptguard_fleet_start_time_seconds", "When the exchange with the database began.",
             figures->started);
    one_time(&text, "rcptguard_fleet_metrics_timestamp_seconds", "When these metrics were written.", now);
    g_string_append(out, "# EOF\n");
}

/* ---- the file */

static void write_and_exit(const char *user, const char *path, const GString *text, int descriptor)
{
    char *error = NULL;
    if (privileges_drop(user, true, &error) == 0)
        error = metrics_replace(path, text);
    if (error != NULL && write(descriptor, error, strlen(error)) == -1)
        _exit(errno);
    _exit(0);
}

/* Until the child has closed its end. */
static char *read_said(int descriptor)
{
    char said[SAID_LIMIT];
    size_t length = 0;
    while (length < sizeof said) {
        ssize_t got = read(descriptor, said + length, sizeof said - length);
        if (got == -1 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    return length == 0 ? NULL : g_strndup(said, length);
}

/* The directory is the daemon's, who could put links into it: root does not write there itself. */
static char *write_as_user(const char *user, const char *path, const GString *text)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == -1)
        return g_strdup(g_strerror(errno));
    pid_t child = fork();
    if (child == 0)
        write_and_exit(user, path, text, ends[1]);
    char *error = child == -1 ? g_strdup(g_strerror(errno)) : NULL;
    close(ends[1]);
    if (child > 0) {
        pid_t ended;
        error = read_said(ends[0]);
        do
            ended = waitpid(child, NULL, 0);
        while (ended == -1 && errno == EINTR);
    }
    close(ends[0]);
    return error;
}

char *fleet_metrics_write(const struct config *config, const struct fleet_figures *figures, gint64 now)
{
    g_autofree char *path = fleet_metrics_path(config);
    g_autoptr(GString) text = g_string_new(NULL);
    if (path == NULL)
        return NULL;
    fleet_metrics_append(config, figures, now, text);
    return geteuid() == 0 ? write_as_user(config->user, path, text) : metrics_replace(path, text);
}
