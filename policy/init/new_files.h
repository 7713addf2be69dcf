/*
 * new_files - creates files in a directory, all of them or none, and never overwrites
 * one.
 *
 * They are written to a hidden directory beside it, where they can be tested, and then
 * moved to their places.
 *
 * Ownership: free with place_free, which removes the hidden directory.  Errors are
 * texts to be freed with g_free.
 */
#ifndef RCPTGUARD_NEW_FILES_H
#define RCPTGUARD_NEW_FILES_H

#include "policy/base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct place;

/* Makes the hidden directory in the directory `folder`.  NULL if that fails; `*error` says why. */
struct place *place_new(const char *folder, char **error);
void place_free(struct place *place);
AUTO_FREE_DEFINE(place, place_free)

/* Makes a file, for everybody to read. */
bool place_add(struct place *place, const char *name, const char *text, char **error);

/* Adds a file that exists already in the directory to the new ones. */
bool place_use(struct place *place, const char *name, char **error);

/* Where a file is before it has come to its place; to be freed with g_free. */
char *place_path(const struct place *place, const char *name);

/*
 * Brings what was added to its place, in the order in which it was added.  If a
 * file of that name has appeared there, all that was brought is taken away again.
 */
bool place_commit(struct place *place, char **error);

#endif
