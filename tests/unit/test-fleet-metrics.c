/* test-fleet-metrics - the figures of the exchange with a fleet's database, and their file */

#include "milter/fleet/fleet_metrics.h"

#include "unit.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW (G_GINT64_CONSTANT(1795345200) * G_USEC_PER_SEC)

static char *folder;

static const struct fleet_figures figures = {
    .started = NOW - 100 * G_USEC_PER_SEC,
    .reached = NOW - G_USEC_PER_SEC / 2,
    .published = NOW - 3 * G_USEC_PER_SEC,
    .unpublished = 7,
    .waiting = 2,
    .oldest = NOW - 60 * G_USEC_PER_SEC,
    .errors = {[PG_AWAY] = 5, [PG_REFUSED] = 1},
};

/* The samples alone, without the comments. */
static char *samples_of(const struct config *config, const struct fleet_figures *of)
{
    g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
    fleet_metrics_append(config, of, NOW, text);
    g_assert_true(g_str_has_suffix(text->str, "\n# EOF\n"));
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        if (**line != '#' && **line != '\0')
            g_string_append_printf(out, "%s\n", *line + strlen("rcptguard_fleet_"));
    }
    return g_strdup(out->str);
}

static void test_text(void)
{
    struct config config = {.instance = NULL};
    const struct fleet_figures nothing = {.started = NOW};
    g_autofree char *some = samples_of(&config, &figures), *none = samples_of(&config, &nothing);
    g_assert_cmpstr(some, ==,
                    "reached_timestamp_seconds 1795345199.5\n"
                    "published_timestamp_seconds 1795345197\n"
                    "unpublished_messages 7\n"
                    "waiting_decisions 2\n"
                    "oldest_waiting_timestamp_seconds 1795345140\n"
                    "errors_total{kind=\"away\"} 5\n"
                    "errors_total{kind=\"refused\"} 1\n"
                    "errors_total{kind=\"wrong\"} 0\n"
                    "start_time_seconds 1795345100\n"
                    "metrics_timestamp_seconds 1795345200\n");
    g_assert_cmpstr(none, ==,
                    "reached_timestamp_seconds 0\n"
                    "published_timestamp_seconds 0\n"
                    "unpublished_messages 0\n"
                    "waiting_decisions 0\n"
                    "errors_total{kind=\"away\"} 0\n"
                    "errors_total{kind=\"refused\"} 0\n"
                    "errors_total{kind=\"wrong\"} 0\n"
                    "start_time_seconds 1795345200\n"
                    "metrics_timestamp_seconds 1795345200\n");
}

static void test_instance(void)
{
    struct config config = {.instance = (char *)"out"};
    g_autofree char *text = samples_of(&config, &figures);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; **line != '\0'; line++)
        g_assert_nonnull(strstr(*line, "{rcptguard_instance=\"out\""));
    g_assert_cmpuint(g_strv_length(lines), ==, 10 + 1);
}

static void test_path(void)
{
    static const char *const cases[][2] = {{"/run/x/rcptguard.prom", "/run/x/rcptguard-fleet.prom"},
                                           {"/run/x/a.prom.b", "/run/x/a.prom.b-fleet.prom"},
                                           {NULL, NULL}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct config config = {.metrics = (char *)cases[i][0]};
        g_autofree char *path = fleet_metrics_path(&config);
        g_assert_cmpstr(path, ==, cases[i][1]);
    }
}

/* As root it is the daemon's user who writes, and so the file is his. */
static void test_file(void)
{
    g_autofree char *path = g_build_filename(folder, "r.prom", NULL);
    g_autofree char *written = g_build_filename(folder, "r-fleet.prom", NULL);
    struct config config = {.metrics = path, .user = (char *)"nobody"};
    const struct passwd *user = geteuid() == 0 ? getpwnam(config.user) : getpwuid(geteuid());
    g_assert_nonnull(user);
    if (geteuid() == 0)
        g_assert_cmpint(chown(folder, user->pw_uid, user->pw_gid), ==, 0);
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *error = fleet_metrics_write(&config, &figures, NOW), *text = NULL;
        g_assert_cmpstr(error, ==, NULL);
        g_assert_true(g_file_get_contents(written, &text, NULL, NULL));
        g_assert_true(g_str_has_prefix(text, "# HELP rcptguard_fleet_reached_timestamp_seconds "));
        struct stat status;
        g_assert_cmpint(stat(written, &status), ==, 0);
        g_assert_cmpuint(status.st_uid, ==, user->pw_uid);
        g_assert_cmpuint(status.st_mode & 0777, ==, 0644);
    }
}

static void test_no_file(void)
{
    struct config config = {.metrics = NULL, .user = (char *)"nobody"};
    g_assert_null(fleet_metrics_write(&config, &figures, NOW));
    config.metrics = (char *)"/nonexistent/r.prom";
    g_autofree char *error = fleet_metrics_write(&config, &figures, NOW);
    g_assert_cmpstr(error, ==, "the directory /nonexistent: No such file or directory");
    if (geteuid() != 0)
        return;
    config.user = (char *)"no-such-user";
    g_autofree char *nobody = fleet_metrics_write(&config, &figures, NOW);
    g_assert_true(g_str_has_prefix(nobody, "there is no user `no-such-user`"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = folder_new();
    g_test_add_func("/fleet-metrics/text", test_text);
    g_test_add_func("/fleet-metrics/instance", test_instance);
    g_test_add_func("/fleet-metrics/path", test_path);
    g_test_add_func("/fleet-metrics/file", test_file);
    g_test_add_func("/fleet-metrics/no-file", test_no_file);
    int result = g_test_run();
    folder_remove(folder);
    g_free(folder);
    return result;
}
