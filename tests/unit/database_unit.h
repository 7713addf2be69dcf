/*
 * database_unit - for the tests of databases: where the reason of a failure goes, and calls that may not fail.
 */
#ifndef RCPTGUARD_DATABASE_UNIT_H
#define RCPTGUARD_DATABASE_UNIT_H

#include "milter/database/database.h"
#include "unit.h"

/* Of the last call that failed; threads have their own. */
static struct database_error error;

/* Nothing here may fail but what says so. */
#define DONE(call)                                                                                                     \
    do {                                                                                                               \
        if ((int)(call) != 0)                                                                                          \
            g_error("%s: %s", #call, error.text);                                                                      \
    } while (0)

#endif
