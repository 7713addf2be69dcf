/*
 * quoted_headers - the recipients in the headers that a mail program quotes in a text when it forwards or answers.
 *
 * A line that begins with a word such as "To:" shows recipients, and so do the lines after it, up to an empty one or
 * the next word of that kind.  One line is enough: programs differ in what they write around it.
 */
#ifndef RCPTGUARD_QUOTED_HEADERS_H
#define RCPTGUARD_QUOTED_HEADERS_H

#include "policy/parts/part_scan.h"

/* Lines of the parts of one message that are looked at. */
#define QUOTED_LINES_LIMIT 500000u

/* Words within such lines. */
#define QUOTED_WORDS_LIMIT 200000u

struct quoted_headers {
    bool recipients; /* the line before goes on with recipients */
    unsigned lines;  /* of all parts */
    unsigned words;
    bool exhausted;
};

/* A text begins. */
void quoted_headers_begin(struct quoted_headers *quoted);

/* The same of its next lines, which may begin within one (`within`): their addresses count as `kinds`, and as forwarded
 * where they are. */
void quoted_headers_take(struct quoted_headers *quoted, struct part_scan *scan, const char *text, size_t length,
                         bool within, unsigned kinds);

#endif
