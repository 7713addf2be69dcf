/*
 * content_lines - the lines of a calendar, a vCard or an LDIF file, unfolded (RFC 5545 section 3.1, RFC 6350 section
 * 3.2, RFC 2849), and with the soft line ends of quoted-printable of vCard 2.1.
 *
 * Ownership: content_lines_clear frees what it holds.
 */
#ifndef RCPTGUARD_CONTENT_LINES_H
#define RCPTGUARD_CONTENT_LINES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of a line that are given at once.  A longer one comes in pieces that overlap by so many. */
#define CONTENT_LINE_LIMIT   65536u
#define CONTENT_LINE_OVERLAP 512u

/* Lines of the parts of one message. */
#define CONTENT_LINES_LIMIT 500000u

/* `goes_on`: the line began in the call before. */
typedef void (*content_line_taker)(void *data, const char *line, size_t length, bool goes_on);

struct content_lines {
    content_line_taker take;
    void *data;
    GString *line; /* so far, without its fold */
    bool ended;    /* a line end came; it goes on only if a blank does */
    bool goes_on;  /* a piece of it was given */
    bool quoted;   /* it says that it is quoted-printable, */
    bool checked;  /* which was looked for, */
    size_t looked; /* so far */
    unsigned lines;
    bool exhausted;
};

void content_lines_start(struct content_lines *lines, content_line_taker take, void *data);
void content_lines_take(struct content_lines *lines, const char *text, size_t length);

/* Gives what is left of a text, and begins the next one. */
void content_lines_end(struct content_lines *lines);
void content_lines_clear(struct content_lines *lines);

#endif
