/*
 * fleet_manage - what an owner of the fleet's database does: make it, bring it up to date, look at it, remove a node.
 *
 * Ownership: fleet_report_free frees a report.
 */
#ifndef RCPTGUARD_FLEET_MANAGE_H
#define RCPTGUARD_FLEET_MANAGE_H

#include "milter/postgresql/pg_session.h"

/* When a node or a decision is said to be late, in seconds; and how much a clock may differ, in milliseconds. */
#define FLEET_AWAY_AFTER    180
#define FLEET_WAITING_AFTER 300
#define FLEET_SKEW_LIMIT    5000

/* Of a node.  Ages are in seconds by the database's clock; -1: never. */
struct fleet_node {
    char *name, *role, *program, *mta, *host;
    unsigned fleet_version, ledger_version;
    char *seen, *published; /* as ISO 8601 in UTC; or NULL */
    gint64 seen_age, published_age;
    gint64 skew;        /* milliseconds that its clock is ahead of the database's */
    gint64 held;        /* messages on hold, as far as it has published them */
    gint64 waiting;     /* decisions that it has not carried out */
    gint64 waiting_age; /* of the oldest of those */
    gint64 failures;
    GPtrArray *troubles; /* char *: sentences without a full stop */
};

struct fleet_report {
    unsigned version; /* of the schema */
    char *incarnation;
    bool vouching;
    GPtrArray *nodes;    /* struct fleet_node *, by name */
    GPtrArray *troubles; /* char *: of the whole */
};
void fleet_report_free(struct fleet_report *report);
AUTO_FREE_DEFINE(fleet_report, fleet_report_free)

/*
 * Makes roles and schema: 1: made; 0: it was there already, and is as it was, but that nodes may not vouch if that was
 * asked for; -1 with `error`.
 */
int fleet_init(struct pg_session *session, bool vouching, gint64 deadline, struct pg_error *error);

/* Brings the schema and its functions up to date; `vouching` is -1 to keep, or 0 or 1.  `before` is its version until
 * then. */
int fleet_update(struct pg_session *session, int vouching, unsigned *before, gint64 deadline, struct pg_error *error);

/* Who is there and what is wrong.  NULL with `error`. */
struct fleet_report *fleet_status(struct pg_session *session, gint64 deadline, struct pg_error *error);

/* What was removed with a node. */
struct fleet_removed {
    gint64 seen_age; /* seconds; of one that was not removed, because it was seen a moment ago */
    gint64 held;     /* messages, which are where they were: on the node */
    gint64 waiting;  /* decisions that it had not carried out */
};

/*
 * Removes a node with all that it has published, and the decisions for it: 1; 0: there is no such
 * node; -1 with `error`.  One that was seen within FLEET_AWAY_AFTER stays unless `anyway`: 2.
 */
int fleet_remove(struct pg_session *session, const char *name, bool anyway, struct fleet_removed *removed,
                 gint64 deadline, struct pg_error *error);

#endif
