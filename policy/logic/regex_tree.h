/*
 * regex_tree - the parts of a regular expression (pcre2pattern(3)), as far as a lint
 * has to know them: which parts are adjacent, repetitions, and a text that matches.
 * Private to the library.
 *
 * It reads what PCRE2 has compiled, so there are no errors.  What it does not
 * know matches nothing; test a text made of the parts before you rely on it.
 *
 * Ownership: regex_free.
 */
#ifndef RCPTGUARD_REGEX_TREE_H
#define RCPTGUARD_REGEX_TREE_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum regex_kind {
    REGEX_CHARACTER, /* itself */
    REGEX_ANY,       /* a dot */
    REGEX_SET,       /* one of several characters: [a-z], \d */
    REGEX_GROUP,
    REGEX_OTHER, /* what takes no text, or what is not known */
};

#define REGEX_NO_BOUND G_MAXUINT

struct regex_node {
    enum regex_kind kind;
    size_t offset; /* in the pattern */
    size_t length; /* of it without what says how often */
    unsigned least, most;
    gunichar character;  /* that it is; of a set one that is in it, 0 if none was found */
    bool letters;        /* of a set: `x` is in it */
    GPtrArray *branches; /* of a group: GPtrArray of struct regex_node * */
};

struct regex {
    GPtrArray *branches; /* as those of a group */
    GPtrArray *nodes;    /* struct regex_node *, which it owns: all of them, in the order of the expression */
};

struct regex *regex_parse(const char *pattern);
void regex_free(struct regex *regex);
AUTO_FREE_DEFINE(regex, regex_free)

/*
 * Appends a short text for the whole expression, in which `filling` replaces
 * the node `at`; each node is repeated as little as possible.  The place of `filling` in
 * the text is stored in `*place`.  Returns false if the text would be too long, or if
 * no text contains the node.
 */
bool regex_text(const struct regex *regex, GString *text, const struct regex_node *at, const char *filling,
                size_t *place);

/* Appends a short text for one node, of its branch with that index if it is a group. */
void regex_node_text(const struct regex_node *node, unsigned branch, GString *text);

/* Bytes in a text. */
#define REGEX_TEXT_LIMIT 2000u

#endif
