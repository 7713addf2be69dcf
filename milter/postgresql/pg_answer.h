/*
 * pg_answer - the rows that a query of PostgreSQL gave.
 *
 * Ownership: pg_answer_free frees an answer and its values; it does not need its connection.
 */
#ifndef RCPTGUARD_PG_ANSWER_H
#define RCPTGUARD_PG_ANSWER_H

#include "policy/base/cleanup.h"

#include <glib.h>

struct pg_answer; /* libpq has a struct pg_result already */

/* Rows and values, from 0.  A value is NULL for SQL's NULL, and where there is no such row or column. */
unsigned pg_rows(const struct pg_answer *answer);
unsigned pg_columns(const struct pg_answer *answer);
const char *pg_value(const struct pg_answer *answer, unsigned row, unsigned column);
gint64 pg_number(const struct pg_answer *answer, unsigned row, unsigned column); /* of NULL it is 0 */

/* How many rows an INSERT, UPDATE or DELETE has changed, without RETURNING too. */
unsigned pg_changed(const struct pg_answer *answer);

void pg_answer_free(struct pg_answer *answer); /* also of NULL */
AUTO_FREE_DEFINE(pg_answer, pg_answer_free)

/* One of NULLs, and its values, which are copied: for who makes an answer. */
struct pg_answer *pg_answer_new(unsigned rows, unsigned columns, unsigned changed);
void pg_answer_set(struct pg_answer *answer, unsigned row, unsigned column, const char *value);

#endif
