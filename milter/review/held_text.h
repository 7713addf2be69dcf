/*
 * held_text - a held message as its reader would see it: who wrote it, when and about what,
 * its parts by name, type and size, and its text; for `show --text` and `review`.
 *
 * The lines of the message are indented.  What begins at the left is ours, whatever the message says.
 */
#ifndef RCPTGUARD_HELD_TEXT_H
#define RCPTGUARD_HELD_TEXT_H

#include "milter/review/held_details.h"

/* Reads the message in a process without rights.  QUEUE_DONE with `content`, for content_free. */
enum queue_answer held_text_fetch(const struct held_details *shown, struct content **content, char **error);

/* Appends all of it but the title, as lines for a terminal of this one's width. */
void held_text_append(GString *out, const struct held_details *shown, const struct content *content);

/* Members of the object that `json` is in: rcptguardq(8) lists them. */
void held_text_json(JsonBuilder *json, const struct content *content);

#endif
