/*
 * ledger_record - what the ledger has of one held message as a JSON object, and a ledger in memory that such records of
 * another ledger are read into.
 *
 * An object has a member for each table, of which "held" is the row and the others are arrays of rows; a row has its
 * columns by name.  What means nothing elsewhere is not in it: seals, hashes, process ids.  No recipient's address is
 * in a record, as none is in the ledger.
 *
 * A mirror is written by the import alone.  Its records may come from a newer or older version: columns that are not
 * known here are ignored, and those that are missing have their default.
 *
 * Ownership, errors: as in ledger.h.
 */
#ifndef RCPTGUARD_LEDGER_RECORD_H
#define RCPTGUARD_LEDGER_RECORD_H

#include "milter/ledger/ledger.h"

/* For g_free; NULL with DATABASE_NONE if there is no such row. */
char *ledger_record_export(struct ledger *ledger, gint64 id, struct database_error *error);

/* A ledger without rows, for ledger_close. */
struct ledger *ledger_open_mirror(struct database_error *error);

/* Adds the record to a mirror, or puts it in the place of an earlier one of the same row. */
int ledger_record_import(struct ledger *mirror, const char *json, struct database_error *error);

/* The same of a policy by its whole digest. */
char *ledger_policy_export(struct ledger *ledger, const char *digest, struct database_error *error);
int ledger_policy_import(struct ledger *mirror, const char *json, struct database_error *error);

#endif
