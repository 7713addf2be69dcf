/*
 * simple_list - ordinary address lists, read in one pass.
 *
 * The long way reads a list by the grammar (GMime), as a person would (address_scan.h) and around
 * each `@` (at_signs.h), and compares.  On the lists that are accepted here all of them find the same
 * addresses, without a defect, so one pass is enough.  Accepted is this part of RFC 5322
 * section 3.4, and nothing else; one other byte anywhere, and the whole value goes the long way:
 *
 *     list     = item *("," item)
 *     item     = mailbox / phrase ":" [mailbox *("," mailbox)] ";"
 *     mailbox  = address / [phrase] "<" address ">"
 *     phrase   = word *(1*blank word)         of atoms, quoted strings and encoded-words
 *     address  = local "@" label 1*("." label)
 *
 * with blanks and folds between these, where RFC 5322 allows them outside of an address.  No local
 * part, domain or word is longer than some 256 bytes, and no phrase than 32 words.
 *
 * Why it is the same:
 *
 *   - Address.  A local part is of letters, digits and `_-+'=&`, begins with a letter, a digit or
 *     `_`, and has single dots within; labels are of letters and digits, joined by single hyphens; no label
 *     is an A-label (GMime decodes these); a domain has two labels or more and no dot at its end.  The scanner's
 *     tight and wide reading of such an address are the same, its normal form is that in
 *     lower case, and it is never a source route, a literal or a wrapped one.
 *   - `@`.  Each one is that of an address: an atom, a quoted string or an encoded-word that
 *     has one, or decodes to one (simple_words.h), is not accepted.  So a name holds nobody to
 *     any reader, undecoded or decoded.
 *   - Neighbours.  An address is between `<` and `>`, or between separators, so the third reading finds it
 *     alone (GREEDY_SAME) and notes nothing.  Comments, `<` and `>` in quoted strings, a backslash out of them, and
 *     "=?" that begins no accepted word would keep it from that.  Behind the colon of a group it
 *     looks around a bare address, which `walks` counts, and finds just that; what it
 *     notes of it could matter from the third group on, so there are two at most.
 *   - Routes without an `@` (source_route.h) cannot be: an item has an `@` unless it is a name.
 *   - Bounds.  What the long way counts of a message (bytes as GMime would get them, marks, encoded-words,
 *     readings) is reported, for the caller to count it too.
 *
 * tests/differential/one_pass.py and tests/fuzz/fuzz-onepass.c compare the two.
 *
 * Ownership: a list owns what it points to, but the addresses are places in the caller's value.
 */
#ifndef RCPTGUARD_SIMPLE_LIST_H
#define RCPTGUARD_SIMPLE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* An address in the value, in any case. */
struct simple_address {
    const char *start;
    const char *end;
};

/* A value that was read; zeroed at first, and then used for one value after the other. */
struct simple_list {
    struct simple_address *addresses; /* in order; one may be there several times */
    unsigned count, size;
    char *normal; /* the last one that was asked for */
    size_t normal_size;
    size_t bytes;        /* of the text with words as words_read mends them (encoded_words.h) */
    unsigned colons;     /* in this text, */
    unsigned separators; /* `,` and `;`, */
    unsigned open;       /* and parentheses that nothing closes */
    unsigned words;      /* runs of encoded-words */
    unsigned groups;
    unsigned walks; /* `@` that the third reading would look around */
};

/* Whether the value is accepted; if so, it was read. */
bool simple_list_read(struct simple_list *list, const char *value);
void simple_list_clear(struct simple_list *list);

/* An address in its normal form (address.h), which is the one in lower case, until the next call; not ended by a NUL.
 */
const char *simple_list_normal(struct simple_list *list, unsigned index, size_t *length);

#endif
