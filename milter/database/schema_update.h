/*
 * schema_update - the tables of a file, made or brought up to date in one transaction.
 */
#ifndef RCPTGUARD_SCHEMA_UPDATE_H
#define RCPTGUARD_SCHEMA_UPDATE_H

#include "milter/database/database.h"

/* What a file of ours has in it. */
struct schema {
    gint32 application;       /* tells it from other programs' files, and from our others */
    const char *file;         /* in words: "ledger" */
    const char *const *steps; /* each brings the tables from the version of its index to the one after it */
    unsigned version;         /* how many there are */
};

/*
 * Makes the tables in an empty file, and brings those of an older version up to
 * date, in one transaction.  A newer version, or another program's file, is
 * DATABASE_FOREIGN and stays as it is.
 */
int schema_bring(struct database *database, const struct schema *schema, struct database_error *error);

/* The version that a file has. */
int schema_version(struct database *database, unsigned *version, struct database_error *error);

#endif
