/* fleet - see fleet.h */

#include "milter/fleet/fleet.h"

#include "milter/fleet/fleet_schema.h"

#include <string.h>
#include <unistd.h>

struct fleet {
    struct pg_session *session;
    unsigned version;
    bool vouching;
    char *incarnation;
    char *role;
};

gint64 fleet_deadline(gint64 microseconds)
{
    return g_get_monotonic_time() + microseconds;
}

/* The daemon's user, for root; another one is that himself. */
static struct pg_user *node_user(const struct config *config, struct pg_error *error)
{
    struct pg_user *user = geteuid() == 0 ? pg_user_named(config->user) : pg_user_of(geteuid());
    if (user == NULL)
        pg_error_set(error, PG_WRONG, "there is no user `%s`, as whom a node talks to the fleet's database",
                     config->user);
    return user;
}

static struct pg_session *open_session(const struct config *config, enum fleet_as as, const struct pg_user *user,
                                       gint64 deadline, struct pg_error *error)
{
    if (config->fleet_database == NULL) {
        pg_error_set(error, PG_WRONG, "%s names no database in [fleet]", config->path);
        return NULL;
    }
    if (as == FLEET_AS_USER)
        return pg_session_open(config->fleet_database, user, deadline, error);
    auto_free(pg_user) node = node_user(config, error);
    return node == NULL ? NULL : pg_session_open(config->fleet_database, node, deadline, error);
}

/* What the database says of itself. */
static int read_facts(struct fleet *fleet, gint64 deadline, struct pg_error *error)
{
    if (!fleet_schema_read(fleet->session, &fleet->version, deadline, error))
        return -1;
    if (fleet->version == 0)
        return pg_error_set(error, PG_WRONG,
                            "the fleet's database has no tables yet: an owner makes them with `rcptguardq fleet init`");
    if (fleet->version > fleet_schema_version())
        return pg_error_set(error, PG_WRONG, "the fleet's database has schema %u, this rcptguard knows %u: update it",
                            fleet->version, fleet_schema_version());
    auto_free(pg_answer) answer = pg_session_query(
        fleet->session, "SELECT incarnation, vouching, session_user FROM rcptguard.fleet", 0, NULL, deadline, error);
    if (answer == NULL)
        return -1;
    if (pg_rows(answer) != 1)
        return pg_error_set(error, PG_WRONG, "the table rcptguard.fleet has %u rows, not one", pg_rows(answer));
    fleet->incarnation = g_strdup(pg_value(answer, 0, 0));
    fleet->vouching = g_strcmp0(pg_value(answer, 0, 1), "t") == 0;
    fleet->role = g_strdup(pg_value(answer, 0, 2));
    return 0;
}

struct fleet *fleet_open(const struct config *config, enum fleet_as as, const struct pg_user *user, gint64 deadline,
                         struct pg_error *error)
{
    struct pg_session *session = open_session(config, as, user, deadline, error);
    if (session == NULL)
        return NULL;
    struct fleet *fleet = g_new0(struct fleet, 1);
    fleet->session = session;
    if (read_facts(fleet, deadline, error) == 0)
        return fleet;
    fleet_close(fleet);
    return NULL;
}

void fleet_close(struct fleet *fleet)
{
    if (fleet == NULL)
        return;
    pg_session_close(fleet->session);
    g_free(fleet->incarnation);
    g_free(fleet->role);
    g_free(fleet);
}

struct pg_answer *fleet_query(struct fleet *fleet, const char *sql, unsigned count, const char *const *values,
                              gint64 deadline, struct pg_error *error)
{
    return pg_session_query(fleet->session, sql, count, values, deadline, error);
}

int fleet_wait(struct fleet *fleet, gint64 deadline, struct pg_error *error)
{
    return pg_session_wait(fleet->session, deadline, error);
}

int fleet_fd(const struct fleet *fleet)
{
    return pg_session_fd(fleet->session);
}

bool fleet_is_dead(const struct fleet *fleet)
{
    return pg_session_is_dead(fleet->session);
}

int fleet_listen(struct fleet *fleet, gint64 deadline, struct pg_error *error)
{
    auto_free(pg_answer) answer = fleet_query(fleet, "LISTEN " FLEET_CHANNEL, 0, NULL, deadline, error);
    return answer == NULL ? -1 : 0;
}

unsigned fleet_version(const struct fleet *fleet)
{
    return fleet->version;
}

const char *fleet_incarnation(const struct fleet *fleet)
{
    return fleet->incarnation;
}

bool fleet_vouching(const struct fleet *fleet)
{
    return fleet->vouching;
}

const char *fleet_role(const struct fleet *fleet)
{
    return fleet->role;
}
