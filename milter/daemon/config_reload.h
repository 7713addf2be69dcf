/*
 * config_reload - rcptguard.conf read again while the daemon runs.
 */
#ifndef RCPTGUARD_CONFIG_RELOAD_H
#define RCPTGUARD_CONFIG_RELOAD_H

#include "milter/common/conf.h"
#include "policy/base/diagnostics.h"

/*
 * The configuration that a reload puts in force, for config_free: what the file says, but for
 * keys that need a restart, which stay as in `running`.  A file that the daemon's user cannot
 * read leaves all as it is, with a warning.  NULL, with errors in `diags`, if it is wrong.
 * `applied` and `waiting` name the keys that change and those that wait for a restart, as
 * "[group] key, [group] key", for g_free; or NULL if there are none.
 */
struct config *config_reload(const struct config *running, struct diags *diags, char **applied, char **waiting);

#endif
