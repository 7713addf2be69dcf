/*
 * conf_instance - several rcptguards on one host: the instance NAME has the configuration NAME.conf
 * beside rcptguard.conf, and defaults that no other instance has (see conf.c).
 */
#ifndef RCPTGUARD_CONF_INSTANCE_H
#define RCPTGUARD_CONF_INSTANCE_H

#include "policy/base/diagnostics.h"

#include <stdbool.h>

/* Where the configurations are. */
#define INSTANCE_DIRECTORY SYSCONFDIR "/rcptguard"

/* What a name has to be, for an error. */
#define INSTANCE_NAME_EXPECTED                                                                                         \
    "at most 63 letters, digits, dots, hyphens and underscores, of which the first is a letter or a digit; and not "   \
    "`rcptguard`"

bool instance_name_is_sound(const char *name);

/* The path of its configuration, and the instance whose configuration has an absolute path, or NULL; for g_free. */
char *instance_path(const char *name);
char *instance_of_path(const char *path);

/*
 * Whoever names an instance does not choose whose file it is: the file and its directory have to be root's, and no one
 * else may be able to write to them.  False with the reason in `diags`.
 */
bool instance_is_roots(const char *path, struct diags *diags);

#endif
