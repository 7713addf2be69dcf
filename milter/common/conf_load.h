/*
 * conf_load - reads rcptguard.conf(5).
 *
 * The syntax is GLib's key file.  A scan of our own knows the line of each key,
 * which GLib does not report, and finds duplicates and comments after values,
 * which GLib accepts silently.  conf_keys.c reads the values.
 */
#ifndef RCPTGUARD_CONF_LOAD_H
#define RCPTGUARD_CONF_LOAD_H

#include "milter/common/conf.h"
#include "policy/base/diagnostics.h"

/* A configuration file's size in bytes. */
#define CONFIG_SIZE_LIMIT (256u * 1024)

/*
 * Reads the file.  NULL if there is any error; all of them are in `diags` then.
 * Each key has a default, so an empty file is a configuration; none is an error.
 * Relative paths count from the file's directory.
 */
struct config *config_load(const char *path, struct diags *diags);

/* The same from memory; `path` is for messages and relative names. */
struct config *config_parse(const char *path, const char *text, size_t length, struct diags *diags);

#endif
