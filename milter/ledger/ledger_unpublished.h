/*
 * ledger_unpublished - which rows the database of the fleet lacks, and to which one they were published.
 *
 * Each change of a row marks it; who has published a record takes away the mark that he read before, so
 * that a change meanwhile is published too.
 *
 * Ownership, errors: as in ledger.h.
 */
#ifndef RCPTGUARD_LEDGER_UNPUBLISHED_H
#define RCPTGUARD_LEDGER_UNPUBLISHED_H

#include "milter/ledger/ledger.h"

struct ledger_unpublished {
    gint64 row;
    gint64 mark;
    char *record; /* as ledger_record_export */
    char *policy; /* the digest of its policy */
};
void ledger_unpublished_free(gpointer unpublished);

/* struct ledger_unpublished *, at most `limit`, those first that wait for a decision, then the newest. */
GPtrArray *ledger_unpublished(struct ledger *ledger, unsigned limit, struct database_error *error);

/* How many there are. */
int ledger_unpublished_count(struct ledger *ledger, unsigned *count, struct database_error *error);

/* They have been published; `published` is what the database says of when, or NULL: nothing new. */
int ledger_published(struct ledger *ledger, const GPtrArray *unpublished, const char *published,
                     struct database_error *error);

/*
 * What the database that is connected says of itself: its incarnation, and when it was last published to (NULL: never).
 * Unless that is what is known here every row is unpublished: it is another database, or an earlier state of it.  1 in
 * that case, else 0, or -1.
 */
int ledger_publish_to(struct ledger *ledger, const char *incarnation, const char *published,
                      struct database_error *error);

/*
 * Compares the rows from `first` to `last` with those that the database has of them (`rows`, gint64, ascending): what
 * it lacks is unpublished from now on, and what the ledger lacks is added to `gone`.
 */
int ledger_compare_published(struct ledger *ledger, gint64 first, gint64 last, const GArray *rows, GArray *gone,
                             struct database_error *error);

#endif
