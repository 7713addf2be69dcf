/* site_state - see site_state.h */

#include "milter/state/site_state.h"

#include "milter/state/state_key_file.h"

struct site_state *site_state_open(const struct config *config, uid_t owner, enum database_mode mode,
                                   struct database_error *error)
{
    g_autofree char *path = config_state(config);
    g_autofree char *key_path = config_state_key(config);
    auto_free(state_key) key = state_key_file_read(key_path, owner, mode, error);
    if (key == NULL)
        return NULL;
    auto_free(state_file) file = state_file_open(path, owner, mode, SITE_STATE_WAIT, error);
    if (file == NULL)
        return NULL;
    struct site_state *state = g_new0(struct site_state, 1);
    state->file = g_steal_pointer(&file);
    state->key = g_steal_pointer(&key);
    state->state = (struct state){.functions = &state_file_functions, .data = state->file, .key = state->key};
    return state;
}

void site_state_close(struct site_state *state)
{
    if (state == NULL)
        return;
    state_file_close(state->file);
    state_key_free(state->key);
    g_free(state);
}
