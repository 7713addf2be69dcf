/* config_reload - see config_reload.h */

#include "milter/daemon/config_reload.h"

#include "milter/common/conf_keys.h"
#include "milter/common/conf_load.h"

#include <errno.h>
#include <unistd.h>

static void add_name(GString *names, const struct key *key)
{
    g_string_append_printf(names, "%s[%s] %s", names->len > 0 ? ", " : "", key->group, key->name);
}

static char *names_end(GString *names)
{
    bool none = names->len == 0;
    char *text = g_string_free(names, none);
    return none ? NULL : text;
}

/* What the daemon read as root, and can read no longer. */
static struct config *same(const struct config *running, struct diags *diags)
{
    auto_free(diags) found = diags_new();
    struct config *config = config_new(running->path);
    const struct key *key;
    for (unsigned i = 0; (key = key_at(i)) != NULL; i++)
        key_copy(key, config, running);
    diags_file_error(found, running->path, "cannot be read by the daemon's user, so its values stay as they are: %s",
                     g_strerror(EACCES));
    diags_demote(found);
    diags_move(diags, found);
    return config;
}

struct config *config_reload(const struct config *running, struct diags *diags, char **applied, char **waiting)
{
    bool unreadable = access(running->path, R_OK) == -1 && errno == EACCES;
    struct config *config = unreadable ? same(running, diags) : config_load(running->path, diags);
    GString *changes = g_string_new(NULL), *later = g_string_new(NULL);
    const struct key *key;
    for (unsigned i = 0; config != NULL && (key = key_at(i)) != NULL; i++) {
        bool given = running->socket_given && key->kind == KEY_SOCKET;
        g_autofree char *before = key_text(key, running);
        g_autofree char *now = key_text(key, config);
        if (g_strcmp0(before, now) == 0)
            continue;
        if (key->use == KEY_RESTART)
            key_copy(key, config, running);
        if (key->use != KEY_COMMAND && !given)
            add_name(key->use == KEY_RESTART ? later : changes, key);
    }
    if (config != NULL)
        config->socket_given = running->socket_given;
    *applied = names_end(changes);
    *waiting = names_end(later);
    return config;
}
