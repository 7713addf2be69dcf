/*
 * state_text - the parameters of a query as text: numbers, and arrays of numbers as PostgreSQL writes them.  A hash is
 * its 64 bits as a number with a sign.
 *
 * Ownership: state_text_free frees it, and what state_text_values gives is valid until then.
 */
#ifndef RCPTGUARD_STATE_TEXT_H
#define RCPTGUARD_STATE_TEXT_H

#include "policy/base/cleanup.h"
#include "policy/state/state.h"

struct state_text;

struct state_text *state_text_new(void);
void state_text_free(struct state_text *text);
AUTO_FREE_DEFINE(state_text, state_text_free)

/* The next parameter. */
void state_text_add(struct state_text *text, const char *value);
void state_text_add_null(struct state_text *text);
void state_text_add_number(struct state_text *text, gint64 number);
void state_text_add_hash(struct state_text *text, state_hash hash);

/* The next items of an array, which is the next parameter when it has ended; it may have none. */
void state_text_add_item(struct state_text *text, gint64 number);
void state_text_add_items(struct state_text *text, const state_hash *hashes, unsigned count);
void state_text_end_items(struct state_text *text);

unsigned state_text_count(const struct state_text *text);
const char *const *state_text_values(const struct state_text *text);

/* Reads an array of at most `most` numbers: how many there are, or G_MAXUINT if it is none or has more. */
unsigned state_text_read(const char *array, gint64 *numbers, unsigned most);

#endif
