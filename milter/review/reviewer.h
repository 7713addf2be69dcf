/*
 * reviewer - who runs rcptguardq(8), and what the configuration lets him do.
 *
 * Ownership: a reviewer owns its strings; errors are texts for g_free.
 */
#ifndef RCPTGUARD_REVIEWER_H
#define RCPTGUARD_REVIEWER_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct reviewer {
    char *login;
    uid_t uid;
    bool root;      /* root itself: may do everything */
    bool sudo;      /* root lent by sudo(8) to a person */
    GArray *groups; /* gid_t: those of the person, whatever the process has */
};

/*
 * Finds out who it is.  Root that was lent by sudo(8) is the person whom SUDO_UID
 * names, which sudo sets whatever the person's environment says; else it is the
 * user of the process.  NULL with `error`.
 */
struct reviewer *reviewer_find(char **error);

/* The person of that name, as if he ran a command by sudo(8); NULL: there is no such user. */
struct reviewer *reviewer_named(const char *login);
void reviewer_free(struct reviewer *reviewer);
AUTO_FREE_DEFINE(reviewer, reviewer_free)

/* Whether he is root or in one of the groups (ended by NULL; NULL is none). */
bool reviewer_may(const struct reviewer *reviewer, const char *const *groups);

#endif
