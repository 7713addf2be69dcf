/*
 * conf_keys - the keys of rcptguard.conf, and how the value of each is read.
 */
#ifndef RCPTGUARD_CONF_KEYS_H
#define RCPTGUARD_CONF_KEYS_H

#include "milter/common/conf.h"
#include "policy/base/diagnostics.h"

struct key {
    const char *group;
    const char *name;
    /* Stores the value, or returns what is wrong with it, for g_free. */
    char *(*read)(struct config *config, const char *value);
};

/* The keys, from 0, in groups; NULL after the last. */
const struct key *key_at(unsigned index);

/* NULL if there is no such key in the group. */
const struct key *key_find(const char *group, const char *name);

#endif
