/*
 * inside_counts - how many people outside a message shows beside its recipient headers, by kind of part: what the log,
 * the metrics and the ledger keep of it.  Counts only, nobody's address.
 */
#ifndef RCPTGUARD_INSIDE_COUNTS_H
#define RCPTGUARD_INSIDE_COUNTS_H

#include "policy/parts/part_kind.h"

#include <stdbool.h>

struct parts_exposure;

/* The kinds of parts in the order of their bits, then all header fields that the policy counts inside. */
#define INSIDE_PLACES (PART_KINDS + 1)
#define INSIDE_HEADER PART_KINDS

/* Bytes of a text of them, and of one. */
#define INSIDE_TEXT_SIZE 256u
#define INSIDE_ITEM_SIZE 40u

/* Whether a rule that was tried asked for it, and had an answer. */
enum inside_asked { INSIDE_NOT_ASKED, INSIDE_AWAY, INSIDE_READ };

struct inside_counts {
    enum inside_asked asked;
    struct inside_place {
        unsigned people; /* external, whom the recipient headers do not show */
        unsigned parties;
    } places[INSIDE_PLACES];
    unsigned opaque; /* bits of enum opaque_kind */
};

/* `exposure` is NULL if no rule asked, or if the body was not there: `away`. */
struct inside_counts inside_counts(const struct parts_exposure *exposure, bool away);

/* "calendar", ..., "header". */
const char *inside_place_name(unsigned place);

/* The place with most people; one with 0 people if nobody is there. */
struct inside_place inside_counts_largest(const struct inside_counts *counts);

/* Whether anybody is there. */
bool inside_counts_any(const struct inside_counts *counts);

/* "calendar:45/43", people and parties, into INSIDE_ITEM_SIZE bytes. */
void inside_item(const struct inside_counts *counts, unsigned place, char *item);

/* As a ledger keeps it, into INSIDE_TEXT_SIZE bytes: "calendar:45/43,text:45/43", "none", "away"; "" if not asked. */
void inside_counts_text(const struct inside_counts *counts, char *text);

/* Reads such a text back, with the opaque kinds; NULL is "".  What is not understood counts nobody. */
struct inside_counts inside_counts_parse(const char *text, unsigned opaque);

#endif
