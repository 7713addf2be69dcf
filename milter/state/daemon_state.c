/* daemon_state - see daemon_state.h, which is beside the program that asks */

#include "policy/rcptguard/daemon_state.h"

#include "milter/common/conf_load.h"
#include "milter/postgresql/pg_session.h"
#include "milter/state/site_state.h"
#include "policy/cli/version_text.h"

#include <string.h>

struct daemon_state {
    struct site_state *site;
};

void daemon_state_serve(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], PG_SESSION_WORD) == 0)
        pg_session_serve(argv + 2);
}

struct daemon_state *daemon_state_open(const char *config_path, struct diags *diags)
{
    struct database_error error;
    auto_free(config) config = config_load(config_path != NULL ? config_path : CONFIG_DEFAULT_PATH, diags);
    if (config == NULL)
        return NULL;
    auto_free(site_state) site = site_state_open(config, config_owner(config), DATABASE_EXISTING, &error);
    if (site == NULL) {
        g_autofree char *path = config_state(config);
        diags_file_error(diags, config_state_database(config) == NULL ? path : config->path,
                         "what the daemon remembers cannot be read: %s", error.text);
        return NULL;
    }
    struct daemon_state *state = g_new(struct daemon_state, 1);
    state->site = g_steal_pointer(&site);
    return state;
}

void daemon_state_close(struct daemon_state *state)
{
    if (state == NULL)
        return;
    site_state_close(state->site);
    g_free(state);
}

const struct state *daemon_state_get(const struct daemon_state *state)
{
    return site_state_get(state->site);
}

void daemon_state_add_versions(GString *out)
{
    g_autofree char *postgresql = pg_library_version();
    versions_add(out, "SQLite", database_library_version());
    versions_add(out, "libpq", postgresql == NULL ? "none" : postgresql);
}
