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

/* When a change of a key holds. */
enum key_use {
    KEY_RELOAD,  /* for the daemon, from a reload on */
    KEY_RESTART, /* for the daemon, when it was started anew */
    KEY_COMMAND, /* for rcptguardq(8), which reads it each time */
};

/* What is at its place in struct config. */
enum key_kind {
    KEY_TEXT,   /* char *, or NULL */
    KEY_TEXTS,  /* char **, or NULL */
    KEY_NUMBER, /* int, unsigned or an enum */
    KEY_FLAG,   /* bool */
    KEY_SOCKET, /* struct endpoint * */
    KEY_EXPIRY, /* struct conf_expiry */
};

struct key {
    const char *group;
    const char *name;
    /* Stores the value, or returns what is wrong with it, for g_free. */
    char *(*read)(const struct key *key, struct config *config, const char *value);
    enum key_use use;
    enum key_kind kind;
    size_t place;                  /* in struct config */
    const struct conf_word *words; /* that it may be, ended by a NULL name */
    unsigned least, most;          /* of a time, in seconds, or of a size, in mebibytes */
};

/* The keys, from 0, in groups; NULL after the last. */
const struct key *key_at(unsigned index);

/* The value that a configuration has, to be compared with another's; for g_free, or NULL if there is none. */
char *key_text(const struct key *key, const struct config *config);

/* Gives a configuration the value that another has. */
void key_copy(const struct key *key, struct config *to, const struct config *from);

/* NULL if there is no such key in the group. */
const struct key *key_find(const char *group, const char *name);

#endif
