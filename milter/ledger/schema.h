/*
 * schema - the tables of the ledger, and the steps from each version of them to
 * the next.
 */
#ifndef RCPTGUARD_SCHEMA_H
#define RCPTGUARD_SCHEMA_H

#include "milter/ledger/database.h"

/* "RcGd": tells our files from other programs'. */
#define SCHEMA_APPLICATION 0x52634764

/* The version that schema_update leaves behind. */
#define SCHEMA_VERSION 3u

/*
 * Makes the tables in an empty file, and brings those of an older version up to
 * date, in one transaction.  A newer version, or another program's file, is
 * DATABASE_FOREIGN and stays as it is.
 */
int schema_update(struct database *database, struct database_error *error);

/* The version that a file has. */
int schema_version(struct database *database, unsigned *version, struct database_error *error);

#endif
