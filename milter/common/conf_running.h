/*
 * conf_running - the values of rcptguard.conf with which a daemon runs, in a file beside
 * its ledger: the daemon writes it at its start and after each reload, rcptguardq(8)
 * compares it with rcptguard.conf.
 *
 * The file is the daemon's user's, so root believes nothing of it that this user could
 * not do himself.
 *
 * Ownership: running_free frees all of it.
 */
#ifndef RCPTGUARD_CONF_RUNNING_H
#define RCPTGUARD_CONF_RUNNING_H

#include "milter/common/conf_keys.h"

#include <sys/types.h>

struct running {
    pid_t process;      /* the daemon's, that takes signals */
    guint64 reloads;    /* how many there were */
    bool failed;        /* the last one */
    guint64 memory;     /* bytes that it may need */
    char *missed;       /* rules, "boss, crm", whose logins have not been met, while mail of those senders goes out */
    GHashTable *values; /* "group.key": value; of the daemon's keys with a value */
    GHashTable *known;  /* a set of "group.key": the keys that the daemon has */
};

/*
 * Writes what a daemon runs with, which is `config`; of `running` the first five count.
 * 0, or -1 with `error`, for g_free.
 */
int running_write(const struct running *running, const struct config *config, char **error);

/* What the daemon of this configuration wrote, or NULL if it wrote nothing that can be read. */
struct running *running_read(const struct config *config);
void running_free(struct running *running);
AUTO_FREE_DEFINE(running, running_free)

/*
 * The keys of one use that a daemon runs with another value of than `config` has, as
 * "[group] key, [group] key"; for g_free, or NULL if there are none.
 */
char *running_differences(const struct running *running, const struct config *config, enum key_use use);

#endif
