/* instance_checks - the checks of several rcptguards on one host; see checks.h and conf_instance.h */

#include "milter/setup/checks.h"

#include "milter/common/conf_instance.h"
#include "milter/common/conf_load.h"

#include <string.h>

/* What two must not have together. */
enum { SEPARATE_SOCKET, SEPARATE_LEDGER, SEPARATE_STATE, SEPARATE_METRICS, SEPARATE_KEY, SEPARATES };

static const char *const names[SEPARATES] = {
    [SEPARATE_SOCKET] = "the socket",         [SEPARATE_LEDGER] = "the ledger",
    [SEPARATE_STATE] = "the file of [state]", [SEPARATE_METRICS] = "the metrics",
    [SEPARATE_KEY] = "the key of decisions",
};

static char *value_of(const struct config *config, unsigned which)
{
    switch (which) {
    case SEPARATE_SOCKET:
        return g_strdup(config->socket->kind == ENDPOINT_FD ? NULL : config->socket->name);
    case SEPARATE_LEDGER:
        return g_strdup(config->ledger);
    case SEPARATE_STATE:
        return config_state(config);
    case SEPARATE_METRICS:
        return g_strdup(config->metrics);
    default:
        return config_decision_key(config);
    }
}

static void compare(struct doctor *doctor, const struct config *other)
{
    const struct config *config = doctor->tool->config;
    for (unsigned i = 0; i < SEPARATES; i++) {
        g_autofree char *ours = value_of(config, i), *theirs = value_of(other, i);
        if (ours != NULL && g_strcmp0(ours, theirs) == 0)
            findings_add(doctor->findings, SEVERITY_ERROR,
                         "Two daemons that share it overwrite, decide and remember what is the other's.",
                         "%s is that of %s, too: %s", names[i], other->path, ours);
    }
}

static void compare_with(struct doctor *doctor, const char *path)
{
    auto_free(diags) diags = diags_new();
    auto_free(config) other = config_load(path, diags);
    if (other != NULL)
        compare(doctor, other);
}

static void examine_separate(struct doctor *doctor)
{
    g_autoptr(GDir) directory = g_dir_open(INSTANCE_DIRECTORY, 0, NULL);
    const char *name;
    unsigned count = 0;
    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *path = g_build_filename(INSTANCE_DIRECTORY, name, NULL);
        if (!g_str_has_suffix(name, ".conf") || strcmp(path, doctor->tool->config->path) == 0)
            continue;
        compare_with(doctor, path);
        count++;
    }
    if (findings_silent(doctor->findings) && count == 0)
        findings_ok(doctor->findings, "there is no other configuration in " INSTANCE_DIRECTORY);
    else if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "it shares nothing with %u other%s in " INSTANCE_DIRECTORY, count,
                    count == 1 ? "" : "s");
}

const struct examination checks_of_instances[] = {
    {"separate", examine_separate},
    {NULL, NULL},
};
