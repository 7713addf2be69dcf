/*
 * fleet_schema - the tables, roles and rights of the fleet's database, by version.
 *
 * A step that was released is never changed; a new one only adds tables and columns.  A program works with
 * the schema of the version before, so that nodes get a new one one after the other, and the schema last.
 */
#ifndef RCPTGUARD_FLEET_SCHEMA_H
#define RCPTGUARD_FLEET_SCHEMA_H

#include "milter/postgresql/pg_session.h"

/* The version that this program knows. */
unsigned fleet_schema_version(void);

/* The roles that a fleet has; people and nodes are members of them. */
#define FLEET_OWNER    "rcptguard_owner"
#define FLEET_NODE     "rcptguard_node"
#define FLEET_REVIEWER "rcptguard_reviewer"

/* The channel of NOTIFY: "decision NODE", "done ID", "held NODE". */
#define FLEET_CHANNEL "rcptguard"

/* Makes the roles that are not there yet: 0, or -1 with `error`. */
int fleet_schema_roles(struct pg_session *session, gint64 deadline, struct pg_error *error);

/*
 * The version of the schema that is there; 0: there is none.  False with `error`.
 * `version` may be newer than fleet_schema_version.
 */
bool fleet_schema_read(struct pg_session *session, unsigned *version, gint64 deadline, struct pg_error *error);

/*
 * Brings the schema from the version that it has to `target`, in one transaction, as an owner: 0, or -1
 * with `error`, and nothing has changed.  If it has the last one, its functions are replaced by this program's.  One
 * that is newer than `target` is PG_WRONG.  With `no_vouching` nodes may not vouch from then on; without it that is as
 * it was, and allowed in a new schema.
 */
int fleet_schema_bring(struct pg_session *session, unsigned target, bool no_vouching, gint64 deadline,
                       struct pg_error *error);

#endif
