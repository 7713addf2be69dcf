/*
 * conf_keys - the keys of rcptguard.conf, and how the value of each is read.
 */
#ifndef RCPTGUARD_CONF_KEYS_H
#define RCPTGUARD_CONF_KEYS_H

#include "milter/common/conf.h"

struct conf_word {
    const char *name;
    int value;
};

struct key {
    const char *group;
    const char *name;
    /* Stores the value, or returns what is wrong with it, for g_free. */
    char *(*read)(const struct key *key, struct config *config, const char *value);
    size_t offset;                 /* of what it is stored in, in struct config */
    const struct conf_word *words; /* that it may be, ended by a NULL name */
    unsigned least, most;          /* of a time, in seconds */
};

/* Each there is, from 0, those of a group together; NULL behind the last. */
const struct key *key_at(unsigned index);

/* NULL if there is no such key in the group. */
const struct key *key_find(const char *group, const char *name);

#endif
