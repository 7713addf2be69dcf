/*
 * typed_ids - queue ids as people give them: the first characters of one, or a list of them on
 * standard input, such as a part of what `list` has printed.
 *
 * Ownership: arrays free what is in them, by g_ptr_array_unref.
 */
#ifndef RCPTGUARD_TYPED_IDS_H
#define RCPTGUARD_TYPED_IDS_H

#include "milter/review/rcptguardq_tool.h"

#include <glib.h>
#include <stdio.h>

/* Fewer characters are no beginning of a queue id. */
#define TYPED_ID_LEAST 3u

/* Queue ids that are read. */
#define TYPED_IDS_LIMIT 100000u

/* Of several instances more than one has a message of that id: see view_find_several. */
#define TYPED_ID_SEVERAL "is on hold in several instances: say which, %s"

/*
 * The queue id that a person means who types `id`: itself if there is such a message, or else the only
 * one that begins so.  Of `view` (NULL: the ledger alone) what waits comes first; then what the ledger has.  NULL
 * after it was said why not, with the candidates; `status` is the exit code then.  For g_free.
 */
char *typed_id_complete(struct tool *tool, const struct view *view, const char *id, int *status);

/* Those that begin with `id`, one after the other with commas, for an error; NULL if there are none.  For g_free. */
char *typed_id_hint(const struct view *view, const char *id);

/*
 * The first word of each line, without the marks around it: char *.  Empty lines, indented ones and the heading of
 * `list` have none.  NULL with `error` if it cannot be read, or has more than are read.
 */
GPtrArray *typed_ids_read(FILE *stream, char **error);

#endif
