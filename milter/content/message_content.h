/*
 * message_content - what is in a message, for a person: the lines of its text, and its parts
 * by name, type and size (RFC 2045 to 2049, 2183, 2231).
 *
 * Of forms of the same text (multipart/alternative) the last one that can be read is
 * shown, as a mail program shows it.  Everything is bounded, and what goes beyond is said.
 *
 * Ownership: content_free frees what is in it.
 */
#ifndef RCPTGUARD_MESSAGE_CONTENT_H
#define RCPTGUARD_MESSAGE_CONTENT_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of text that are shown of one part, and of all. */
#define CONTENT_PART_LIMIT (256u * 1024)
#define CONTENT_TEXT_LIMIT (1024u * 1024)

/* Parts that are listed, and how deep they may lie in each other. */
#define CONTENT_PARTS_LIMIT 200u
#define CONTENT_DEPTH_LIMIT 20u

/* Lines that may begin a part; after them a message is read no further. */
#define CONTENT_BOUNDARIES_LIMIT 10000u

/* Characters of a name or a type. */
#define CONTENT_NAME_LIMIT 200u

/* What a part is for. */
enum content_use {
    CONTENT_SHOWN,       /* its text is among the lines */
    CONTENT_ATTACHED,    /* an attachment */
    CONTENT_EMBEDDED,    /* belongs to the text, such as a picture in it */
    CONTENT_ALTERNATIVE, /* another form of the text that is shown */
};
#define CONTENT_USES (CONTENT_ALTERNATIVE + 1)

/* "text", "attachment", "embedded", "alternative". */
const char *content_use_name(enum content_use use);

struct content_part {
    char *name;  /* or NULL */
    char *type;  /* "text/plain" */
    gint64 size; /* bytes, decoded */
    enum content_use use;
};

/* A line of the message, or one of ours between them, such as where a forwarded message begins. */
struct content_line {
    bool ours;
    char *text;
};

struct content {
    GPtrArray *parts; /* struct content_part * */
    GPtrArray *lines; /* struct content_line * */
    size_t bytes;     /* of the lines */
    unsigned more;    /* parts that are not listed */
    bool cut;         /* something was left out: the last of our lines say what */
};

struct content *content_new(void);
void content_free(struct content *content);
AUTO_FREE_DEFINE(content, content_free)

void content_add_part(struct content *content, const struct content_part *part);
void content_add_line(struct content *content, bool ours, const char *text);

/* Reads a message as a receiver gets it: strangers wrote it, so this is for a process without rights. */
struct content *content_read(const char *raw, size_t length);

#endif
