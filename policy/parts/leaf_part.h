/*
 * leaf_part - one part without parts: decoded piece by piece, and given to the readers of its kinds.
 *
 * The pieces are small whatever the part is, so that the memory does not grow with it.
 */
#ifndef RCPTGUARD_LEAF_PART_H
#define RCPTGUARD_LEAF_PART_H

#include "policy/parts/calendar_part.h"
#include "policy/parts/contacts_part.h"
#include "policy/parts/content_lines.h"
#include "policy/parts/part_kind.h"
#include "policy/parts/part_scan.h"
#include "policy/parts/quoted_headers.h"

/* What the parts of one message share. */
struct leaf_readers {
    struct part_scan *scan;
    struct quoted_headers quoted;
    struct calendar_part calendar;
    struct contacts_part contacts;
    struct content_lines calendar_lines, contacts_lines;
};

void leaf_readers_init(struct leaf_readers *readers, struct part_scan *scan);
void leaf_readers_clear(struct leaf_readers *readers);

/* Whether there was more than they may read. */
bool leaf_readers_exhausted(const struct leaf_readers *readers);

/* A part, as it came. */
struct leaf_part {
    struct part_plan plan;
    const char *charset;  /* or NULL */
    const char *encoding; /* Content-Transfer-Encoding, or NULL */
    const char *bytes;
    size_t length;
};

/* What was made of it. */
struct leaf_result {
    unsigned kinds;  /* bits of enum part_kind: how it was read */
    unsigned opaque; /* bits of enum opaque_kind */
    guint64 size;    /* bytes that were decoded; less than all if it was not read to its end */
};

struct leaf_result leaf_part_read(struct leaf_readers *readers, const struct leaf_part *part);

#endif
