/* state_checks - the checks of what is remembered between messages; see checks.h */

#include "milter/setup/checks.h"
#include "milter/state/site_state.h"
#include "milter/state/state_key_file.h"
#include "policy/engine/policy.h"

#include <string.h>
#include <sys/statvfs.h>

#define RELOAD  "systemctl reload %s"
#define RESTART "systemctl restart %s"

/* A file system with less is nearly full, in bytes: SQLite's log grows to 8 of them. */
#define ROOM_LEAST (32 * G_GINT64_CONSTANT(1048576))

static const char deferred[] = "Messages that a rule with `within` needs it for are deferred; nothing is `known`.";

/* Whether a rule of the policy needs the state at all; no, if it cannot be read: another check says so. */
static bool is_needed(const struct doctor *doctor)
{
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = policy_load(doctor->tool->config->policy, diags);
    return policy != NULL && policy_remembers(policy);
}

static void examine_key(struct doctor *doctor)
{
    if (!is_needed(doctor))
        return;
    struct database_error error;
    g_autofree char *path = config_state_key(doctor->tool->config);
    auto_free(state_key) key = state_key_file_read(path, tool_daemon_user(doctor->tool), DATABASE_EXISTING, &error);
    if (key != NULL) {
        findings_ok(doctor->findings, "%s is a key that its owner alone can read", path);
        return;
    }
    bool missing = error.failure == DATABASE_MISSING;
    struct finding *finding = findings_add(
        doctor->findings, missing ? SEVERITY_WARNING : SEVERITY_ERROR,
        missing ? "The daemon makes it when a policy comes in force that needs it."
                : "Without its key the daemon does not start, and what is remembered is worth nothing: restore it.",
        "%s", error.text);
    if (missing)
        finding_mend(finding, MEND_SHELL, RELOAD, doctor->unit);
    else if (error.failure == DATABASE_INSECURE && g_str_has_prefix(error.text, path))
        finding_mend(finding, MEND_SHELL, "chown %s %s && chmod 600 %s", doctor->tool->config->user, path, path);
}

/* The database that several servers share gives no answer. */
static void examine_database(struct doctor *doctor, const struct database_error *error)
{
    bool local = doctor->tool->config->state_on_away == STATE_AWAY_LOCAL;
    bool passes = error->failure == DATABASE_BUSY;
    findings_add(doctor->findings, local && passes ? SEVERITY_WARNING : SEVERITY_ERROR,
                 !passes ? "Until it is fixed, the daemon does not start."
                 : local ? "The daemon's own file answers: windows have what this server has seen, and no other."
                         : deferred,
                 "%s", error->text);
}

static void examine_state(struct doctor *doctor)
{
    struct database_error error;
    const struct config *config = doctor->tool->config;
    g_autofree char *path = config_state(config);
    if (!is_needed(doctor)) {
        findings_ok(doctor->findings, "no rule needs one");
        return;
    }
    doctor->remembered = site_state_open(config, tool_daemon_user(doctor->tool), DATABASE_EXISTING, &error);
    if (doctor->remembered != NULL) {
        findings_ok(doctor->findings, "%s%s", site_state_is_shared(doctor->remembered) ? "the database answers" : path,
                    site_state_is_shared(doctor->remembered) ? ", and has the same key" : "");
        return;
    }
    if (g_str_has_prefix(error.text, SITE_STATE_DATABASE)) {
        examine_database(doctor, &error);
        return;
    }
    if (!g_str_has_prefix(error.text, path)) /* the key: said above */
        return;
    bool missing = error.failure == DATABASE_MISSING;
    struct finding *finding = findings_add(
        doctor->findings, missing ? SEVERITY_WARNING : SEVERITY_ERROR,
        missing ? "The daemon makes it when a policy comes in force that needs it." : deferred, "%s", error.text);
    if (missing)
        finding_mend(finding, MEND_SHELL, RELOAD, doctor->unit);
    else if (error.failure == DATABASE_INSECURE)
        finding_mend(finding, MEND_SHELL, "chown %s %s* && chmod 600 %s*", config->user, path, path);
}

static void examine_integrity(struct doctor *doctor)
{
    struct database_error error;
    if (doctor->remembered == NULL || !site_state_has_file(doctor->remembered))
        return;
    if (site_state_check(doctor->remembered, &error) == 0) {
        findings_ok(doctor->findings, "every page is sound");
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "The daemon sets it aside and begins a new one when it reads the damage.", "%s", error.text);
    finding_mend(finding, MEND_SHELL, RESTART, doctor->unit);
}

/* Whether its file system has room for more. */
static void examine_room(struct doctor *doctor)
{
    struct statvfs status;
    if (doctor->remembered == NULL || !site_state_has_file(doctor->remembered))
        return;
    g_autofree char *path = config_state(doctor->tool->config);
    g_autofree char *folder = g_path_get_dirname(path);
    if (statvfs(folder, &status) == -1)
        return;
    gint64 room = (gint64)status.f_bavail * (gint64)status.f_frsize;
    if (room >= ROOM_LEAST)
        findings_ok(doctor->findings, "%" G_GINT64_FORMAT "M are free", room / 1048576);
    else
        findings_add(doctor->findings, SEVERITY_WARNING, deferred,
                     "only %" G_GINT64_FORMAT "M are free on the file system of %s", room / 1048576, folder);
}

/* What the daemon has counted since its start, as its metrics have it. */
static void examine_errors(struct doctor *doctor)
{
    static const char name[] = "rcptguard_state_errors_total";
    const char *path = doctor->tool->config->metrics;
    g_autofree char *text = NULL;
    if (doctor->remembered == NULL || path == NULL || !g_file_get_contents(path, &text, NULL, NULL))
        return;
    guint64 errors = 0;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        const char *value = strrchr(*line, ' ');
        if (g_str_has_prefix(*line, name) && value != NULL)
            errors += g_ascii_strtoull(value + 1, NULL, 10);
    }
    if (errors == 0)
        findings_ok(doctor->findings, "none since the daemon's start");
    else
        findings_add(doctor->findings, SEVERITY_NOTE,
                     "The lines in the daemon's log that begin with `state:` have the reason.",
                     "the daemon could not use it %" G_GUINT64_FORMAT " times since its start", errors);
}

const struct examination checks_of_state[] = {
    {"state-key", examine_key},   {"state", examine_state},         {"state-integrity", examine_integrity},
    {"state-room", examine_room}, {"state-errors", examine_errors}, {NULL, NULL},
};
