/*
 * schema - the tables of the ledger, and the steps from each version of them to
 * the next.
 */
#ifndef RCPTGUARD_SCHEMA_H
#define RCPTGUARD_SCHEMA_H

#include "milter/database/schema_update.h"

/* "RcGd": tells our files from other programs'. */
#define SCHEMA_APPLICATION 0x52634764

/* The version that schema_update leaves behind. */
#define SCHEMA_VERSION 7u

/* As schema_bring: the ledger's tables. */
int schema_update(struct database *database, struct database_error *error);

#endif
