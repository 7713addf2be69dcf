/*
 * terminal - what the commands of rcptguard(1) know of the terminal that they
 * print to: whether it is one, how wide it is, whether it wants colour; and text
 * from messages made safe for it.
 *
 * Ownership: styles are constant strings; everything else is appended to the
 * caller's string.
 */
#ifndef RCPTGUARD_TERMINAL_H
#define RCPTGUARD_TERMINAL_H

#include "policy/message/disposition.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

bool terminal_is(FILE *stream);

/* In columns, from 40 on.  What is no terminal, or does not know, has 80. */
unsigned terminal_width(FILE *stream);

/* Whether to use colour: it is a terminal, TERM is not `dumb`, and NO_COLOR (https://no-color.org) is not set. */
bool terminal_colours(FILE *stream);

enum terminal_style {
    STYLE_PLAIN,
    STYLE_STRONG,
    STYLE_FAINT,
    STYLE_GREEN,
    STYLE_CYAN,
    STYLE_YELLOW,
    STYLE_RED,
    STYLE_MAGENTA
};

/* What begins a style, and what ends whichever began last; "" without colours. */
const char *terminal_begin(bool colours, enum terminal_style style);
const char *terminal_end(bool colours);

/* The style of a verdict: the same in every command. */
enum terminal_style terminal_verdict(enum disposition disposition);

/* What a bar of such messages is made of, so that it can be read without colours. */
const char *terminal_block(enum disposition disposition);

/*
 * Appends text from elsewhere so that it can neither move the cursor nor hide
 * anything: what does not show, and what is no UTF-8, becomes \uXXXX or U+FFFD.
 * Returns how many columns it takes.
 */
unsigned terminal_append_plain(GString *out, const char *text);

/* How many columns it would take. */
unsigned terminal_columns(const char *text);

/* The same in at most `columns` of them; what is cut ends in "...". */
unsigned terminal_append_within(GString *out, const char *text, unsigned columns);

/*
 * The same over several lines, broken at blanks, so that none goes beyond column
 * `width`; the first begins at column `indent`, where the next ones are indented
 * to.  A word that is longer than a line is broken where the line ends.  No
 * newline at the end; returns the column that it ends at.
 */
unsigned terminal_append_wrapped(GString *out, const char *text, unsigned indent, unsigned width);

/* Blanks from one column to another; none if that is passed. */
void terminal_append_blanks(GString *out, unsigned from, unsigned to);

#endif
