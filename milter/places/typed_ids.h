/*
 * typed_ids - queue ids as people give them: "ID" or, of one node of a fleet, "NODE:ID", each with "INSTANCE/" before
 * the id, or without; the first characters of one; or a list of them on standard input, such as a part of what `list`
 * has printed.
 *
 * Ownership: arrays free what is in them, by g_ptr_array_unref; items belong to the places.
 */
#ifndef RCPTGUARD_TYPED_IDS_H
#define RCPTGUARD_TYPED_IDS_H

#include "milter/places/places.h"

#include <glib.h>
#include <stdio.h>

/* Fewer characters are no beginning of a queue id. */
#define TYPED_ID_LEAST 3u

/* Queue ids that are read. */
#define TYPED_IDS_LIMIT 100000u

/*
 * The message that a whole id means: what is on hold under it now, or else what a ledger last knew of it.  NULL with an
 * exit code: in `said` is a sentence without the id, for g_free, unless it was reported already.
 */
const struct view_item *typed_id_find(struct places *places, const char *word, char **said, int *status);

/*
 * The id that a person means who types `word`: itself if there is such a message, or else the only one that begins so,
 * with its node if that is another one.  What waits comes first; then what the ledgers have.  NULL after it was said
 * why not, with the candidates; `status` is the exit code then.  For g_free.
 */
char *typed_id_complete(struct places *places, const char *word, int *status);

/*
 * The first word of each line, without the marks around it: char *.  Empty lines, indented ones and the heading of
 * `list` have none.  NULL with `error` if it cannot be read, or has more than are read.
 */
GPtrArray *typed_ids_read(FILE *stream, char **error);

#endif
