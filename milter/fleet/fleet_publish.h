/*
 * fleet_publish - what a node writes of itself into the fleet's database: that it is there, the records of its ledger,
 * and what is gone from the ledger.
 *
 * Errors: as in fleet.h.  Nothing is left half done: each call is one statement.
 */
#ifndef RCPTGUARD_FLEET_PUBLISH_H
#define RCPTGUARD_FLEET_PUBLISH_H

#include "milter/fleet/fleet.h"

/* How a node is. */
struct fleet_state {
    const char *node;
    const char *program; /* its version */
    const char *mta;
    const char *host;
    unsigned ledger_version;
    unsigned waiting; /* rows whose record is not published */
    gint64 failures;  /* calls of the database that failed since the agent started */
};

/*
 * Writes that the node is there now, with how far its clock is ahead of the database's; the first time that makes its
 * row.  `published` gets when it last published, as the database writes it, for g_free; NULL is never.  0 or -1.
 */
int fleet_be_there(struct fleet *fleet, const struct fleet_state *state, char **published, gint64 deadline,
                   struct pg_error *error);

/* The digests that the database has of this node: char *. */
GPtrArray *fleet_policies(struct fleet *fleet, const char *node, gint64 deadline, struct pg_error *error);

/* Adds a policy as ledger_policy_export writes it. */
int fleet_publish_policy(struct fleet *fleet, const char *node, const char *record, gint64 deadline,
                         struct pg_error *error);
int fleet_remove_policy(struct fleet *fleet, const char *node, const char *digest, gint64 deadline,
                        struct pg_error *error);

/* Writes records (char *, as ledger_record_export writes them), all or none, and gives `published` as above. */
int fleet_publish(struct fleet *fleet, const char *node, const GPtrArray *records, char **published, gint64 deadline,
                  struct pg_error *error);

/* How many rows the database has of the node. */
int fleet_count_rows(struct fleet *fleet, const char *node, gint64 *count, gint64 deadline, struct pg_error *error);

/* The first `limit` of them after a row, ascending: gint64. */
GArray *fleet_rows(struct fleet *fleet, const char *node, gint64 after, unsigned limit, gint64 deadline,
                   struct pg_error *error);

/* Removes them, with the decisions about them (a GArray of gint64). */
int fleet_remove_rows(struct fleet *fleet, const char *node, const GArray *rows, gint64 deadline,
                      struct pg_error *error);

#endif
