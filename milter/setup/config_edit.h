/*
 * config_edit - a configuration file that is not ours: shows a change as diff(1) does,
 * makes it whole or not at all, keeps what was there beside it, and takes a
 * change back without what others changed since.
 *
 * Ownership: texts, paths and errors are for g_free.
 */
#ifndef RCPTGUARD_CONFIG_EDIT_H
#define RCPTGUARD_CONFIG_EDIT_H

#include <glib.h>
#include <stdbool.h>

/* What is there.  NULL with `error`. */
char *edit_read(const char *path, char **error);

/* The change from the file to `text`, in unified form.  NULL with `error`. */
char *edit_diff(const char *path, const char *text, char **error);

/*
 * Puts `text` in the place of the file, which still has to be `before`; its owner
 * and mode stay.  With `backup`, what was there is kept beside it first, as
 * PATH.rcptguard-DATE.bak, whose name is given.  `now` is in microseconds.
 * 0, or -1 with `error`: then the file is as it was.
 */
int edit_replace(const char *path, const char *before, const char *text, gint64 now, char **backup, char **error);

/* The newest that edit_replace kept, or NULL. */
char *edit_backup(const char *path);

/*
 * `text` with the step from `after` back to `before` made: what was changed
 * elsewhere stays.  NULL if the changes overlap, or there is no diff3(1).
 */
char *edit_revert(const char *text, const char *after, const char *before);

/* A private directory for copies, and its removal. */
char *edit_scratch(char **error);
void edit_scratch_remove(const char *folder);

#endif
