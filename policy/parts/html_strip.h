/*
 * html_strip - the text of HTML, piece by piece, for whoever looks for addresses in it and not for a reader.
 *
 * Tags become line ends where a program would begin a line, entities become characters, and the target of each mailto:
 * and any other address in a tag becomes text.  What a program might hide is left in: comments, style sheets, scripts.
 */
#ifndef RCPTGUARD_HTML_STRIP_H
#define RCPTGUARD_HTML_STRIP_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct html_strip {
    enum { HTML_TEXT, HTML_TAG, HTML_LINK, HTML_ENTITY } state;
    int before;    /* the state that an entity is in */
    char word[16]; /* the name of the tag or the entity so far */
    unsigned length;
    bool named;       /* the name of the tag is over */
    unsigned matched; /* letters of "mailto:" just read in a tag */
    char run[64];     /* what was just read in a tag without blanks and quotes */
    unsigned run_length;
    unsigned kept; /* nested elements that keep their lines */
};

/* Zeroed at first.  Appends to `out`; `last`: no more come. */
void html_strip(struct html_strip *html, const char *text, size_t length, bool last, GString *out);

#endif
