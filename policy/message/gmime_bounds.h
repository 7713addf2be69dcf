/*
 * gmime_bounds - what GMime gets to see of one message.
 *
 * It is quadratic in some shapes, recurses in nested groups (about 220 bytes of
 * stack each), needs seventy times an input's size in memory, and loses some of it
 * in one shape.  Beyond the bounds the scanner reads alone.
 */
#ifndef RCPTGUARD_GMIME_BOUNDS_H
#define RCPTGUARD_GMIME_BOUNDS_H

#include <glib.h>
#include <stdbool.h>

#define GMIME_BYTES_LIMIT   (128u * 1024)
#define GMIME_MARKS_LIMIT   5000u /* of `@` and `:` */
#define GMIME_COLONS_LIMIT  200u  /* in one header: groups may nest that deep */
#define GMIME_BARE_LIMIT    500u  /* items of a list beyond two for each `@` */
#define GMIME_OPEN_LIMIT    100u  /* comments in one header that nothing closes */
#define GMIME_LITERAL_LIMIT 50u   /* comments in one header after what looks like a domain literal */

/* What was shown of the headers of one message so far; zeroed at first. */
struct parsable {
    size_t bytes;
    unsigned marks;
    unsigned bare;
};

/* Whether GMime may see this header value too (`length` bytes and a NUL); counts it. */
bool parsable_show(struct parsable *shown, const char *value, size_t length);

/* What is counted of a value. */
struct parsable_marks {
    size_t bytes;
    unsigned ats, colons;
    unsigned separators; /* `,` and `;` */
    unsigned open;       /* parentheses that nothing closes */
};

/* The same of a value without domain literals in which these were counted already. */
bool parsable_add(struct parsable *shown, const struct parsable_marks *marks);

#endif
