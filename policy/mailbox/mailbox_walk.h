/*
 * mailbox_walk - which files contain mail: paths as given, and directories with all that is
 * below them, in the order of names.
 *
 * Ownership: a walk keeps the paths that it was given by reference, and the
 * names of each directory from the first to the current one.
 */
#ifndef RCPTGUARD_MAILBOX_WALK_H
#define RCPTGUARD_MAILBOX_WALK_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

struct mailwalk;

struct mailwalk_file {
    char *path;    /* to be freed with g_free; "-" is standard input only if it was given so, and not found */
    char *problem; /* why it cannot be read ("cannot be read: ..."), or NULL; to be freed with g_free */
    bool found;    /* in a directory that is not a Maildir's: it may be something other than mail */
    bool passed;   /* it is found and certainly not mail: a deleted message of an MH folder */
    guint64 size;  /* in bytes; 0 if it is not known */
};

/* `paths` ends with NULL.  `stop` ends the walk once it is true; or NULL. */
struct mailwalk *mailwalk_new(const char *const *paths, const atomic_bool *stop);
void mailwalk_free(struct mailwalk *walk);
AUTO_FREE_DEFINE(mailwalk, mailwalk_free)

/* The next file, or what is none and should be.  False at the end. */
bool mailwalk_next(struct mailwalk *walk, struct mailwalk_file *file);

#endif
