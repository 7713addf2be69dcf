/*
 * html_page - one self-contained HTML document: escaped text, its style sheet, its
 * plots.
 *
 * Ownership: everything is appended to the caller's string.
 */
#ifndef RCPTGUARD_HTML_PAGE_H
#define RCPTGUARD_HTML_PAGE_H

#include "policy/replay/replay_histogram.h"

#include <glib.h>

/* The text before and after the body.  The document loads nothing and runs nothing, and says so to the browser. */
void page_begin(GString *out, const char *title);
void page_end(GString *out);

/*
 * Appends text from elsewhere so that it is only text: no markup, nothing that
 * hides or reorders.  Within an element or an attribute in quotes.
 */
void page_append_text(GString *out, const char *text);

/* The same in a separate element, so that letters written from right to left do not affect the text around it. */
void page_append_isolated(GString *out, const char *text);

/* A bar parted by verdict, as long as its share of the widest. */
void page_append_bar(GString *out, const struct bin *bin, guint64 fullest);

/* How many messages have at least a number, as a curve; both axes are logarithmic, and the edges are marked. */
void page_append_curve(GString *out, const struct spread *spread, const GArray *edges, const char *of);

#endif
