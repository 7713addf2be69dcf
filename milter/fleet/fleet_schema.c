/* fleet_schema - see fleet_schema.h */

#include "milter/fleet/fleet_schema.h"

#include "milter/state/state_schema.h"

#include <string.h>

/* A number of our own, for the lock of those who change the schema at the same moment. */
#define SCHEMA_LOCK "7166188114920261130"

/* ---- roles: once a cluster, so they are of no version */

#define ROLE_IF_MISSING(name)                                                                                          \
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '" name "') THEN"                      \
    " CREATE ROLE " name " NOLOGIN; END IF; END $$"

static const char *const roles[] = {
    ROLE_IF_MISSING(FLEET_OWNER),
    ROLE_IF_MISSING(FLEET_NODE),
    ROLE_IF_MISSING(FLEET_REVIEWER),
    /* The tables belong to the role, so who makes them has to have its rights. */
    "DO $$ BEGIN IF NOT pg_catalog.pg_has_role(session_user, '" FLEET_OWNER "', 'USAGE') THEN"
    " EXECUTE pg_catalog.format('GRANT " FLEET_OWNER " TO %I', session_user); END IF; END $$",
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'rcptguard') THEN"
    " CREATE SCHEMA rcptguard AUTHORIZATION " FLEET_OWNER "; END IF; END $$",
    NULL,
};

/* ---- version 1: nodes, what they hold, decisions */

/* The body of a function: names in it are found in no schema that somebody else may write to. */
#define FUNCTION(name, result, language, options, body)                                                                \
    "CREATE FUNCTION rcptguard." name "() RETURNS " result " LANGUAGE " language " " options                           \
    " SET search_path = pg_catalog, pg_temp AS $$" body "$$"

/* For each operation, with what it has changed as a table. */
#define HELD_NOTICE(operation, table)                                                                                  \
    "CREATE TRIGGER notice_" operation " AFTER " operation " ON rcptguard.held REFERENCING " table                     \
    " TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rcptguard.notice_held()"

static const char *const version_1[] = {
    /* `incarnation` is another one after the database was made anew, so that nodes publish all they have. */
    "CREATE TABLE rcptguard.fleet ("
    " one boolean PRIMARY KEY DEFAULT true CHECK (one),"
    " version int NOT NULL,"
    " incarnation uuid NOT NULL DEFAULT gen_random_uuid(),"
    " vouching boolean NOT NULL DEFAULT true,"
    " made timestamptz NOT NULL DEFAULT now())",

    "CREATE TABLE rcptguard.node ("
    " name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),"
    " role name UNIQUE NOT NULL DEFAULT session_user,"
    " program text, fleet_version int, ledger_version int, mta text, host text,"
    " seen timestamptz NOT NULL DEFAULT clock_timestamp()," /* the trigger sets it: by the database's clock */
    " published timestamptz, skew_ms bigint, waiting int, failures bigint)",

    "CREATE TABLE rcptguard.held ("
    " node text NOT NULL REFERENCES rcptguard.node ON DELETE CASCADE,"
    " row bigint NOT NULL, queue_id text, state text, judged bigint, changed bigint,"
    " record jsonb NOT NULL,"
    " PRIMARY KEY (node, row))",
    "CREATE INDEX ON rcptguard.held (node, state)",
    "CREATE INDEX ON rcptguard.held (judged)",
    "CREATE INDEX ON rcptguard.held (queue_id)",

    "CREATE TABLE rcptguard.policy ("
    " node text NOT NULL REFERENCES rcptguard.node ON DELETE CASCADE,"
    " digest text NOT NULL, record jsonb NOT NULL,"
    " PRIMARY KEY (node, digest))",

    /* The server fills in `who`: nobody has a right to do so. */
    "CREATE TABLE rcptguard.decision ("
    " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " node text NOT NULL REFERENCES rcptguard.node ON DELETE CASCADE,"
    " row bigint NOT NULL, queue_id text,"
    " action text NOT NULL CHECK (action IN ('release', 'return', 'delete')),"
    " reason text,"
    " who name NOT NULL DEFAULT session_user,"
    " vouched_for text CHECK (vouched_for <> ''),"
    " at timestamptz NOT NULL DEFAULT clock_timestamp(),"
    " taken timestamptz, done timestamptz, code int, words text)",
    "CREATE INDEX ON rcptguard.decision (node) WHERE done IS NULL",
    "CREATE INDEX ON rcptguard.decision (node, row)",

    /* ---- what the database does by itself */

    FUNCTION("own_node", "text", "sql", "STABLE", "SELECT name FROM rcptguard.node WHERE role = session_user"),
    FUNCTION("node_seen", "trigger", "plpgsql", "", "BEGIN NEW.seen := clock_timestamp(); RETURN NEW; END"),
    "CREATE TRIGGER seen BEFORE INSERT OR UPDATE ON rcptguard.node FOR EACH ROW"
    " EXECUTE FUNCTION rcptguard.node_seen()",
    FUNCTION("notice_held", "trigger", "plpgsql", "",
             "BEGIN PERFORM pg_notify('" FLEET_CHANNEL "', 'held ' || node)"
             " FROM (SELECT DISTINCT node FROM changed) nodes; RETURN NULL; END"),
    HELD_NOTICE("INSERT", "NEW"),
    HELD_NOTICE("UPDATE", "NEW"),
    HELD_NOTICE("DELETE", "OLD"),
    FUNCTION("notice_decision", "trigger", "plpgsql", "",
             "BEGIN PERFORM pg_notify('" FLEET_CHANNEL "', 'decision ' || NEW.node); RETURN NULL; END"),
    "CREATE TRIGGER notice_insert AFTER INSERT ON rcptguard.decision FOR EACH ROW"
    " EXECUTE FUNCTION rcptguard.notice_decision()",
    FUNCTION("notice_done", "trigger", "plpgsql", "",
             "BEGIN PERFORM pg_notify('" FLEET_CHANNEL "', 'done ' || NEW.id); RETURN NULL; END"),
    "CREATE TRIGGER notice_done AFTER UPDATE ON rcptguard.decision FOR EACH ROW"
    " WHEN (OLD.done IS NULL AND NEW.done IS NOT NULL) EXECUTE FUNCTION rcptguard.notice_done()",
    /* A decision is kept as long as its message: for this, nodes need no right to delete decisions. */
    FUNCTION("forget_decisions", "trigger", "plpgsql", "SECURITY DEFINER",
             "BEGIN DELETE FROM rcptguard.decision d USING changed c"
             " WHERE d.node = c.node AND d.row = c.row AND d.done IS NOT NULL; RETURN NULL; END"),
    "CREATE TRIGGER forget_decisions AFTER DELETE ON rcptguard.held REFERENCING OLD TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION rcptguard.forget_decisions()",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rcptguard FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION rcptguard.own_node() TO " FLEET_NODE ", " FLEET_REVIEWER,

    /* ---- who may do what; the owner of the tables may do everything */

    "GRANT USAGE ON SCHEMA rcptguard TO " FLEET_NODE ", " FLEET_REVIEWER,
    "GRANT SELECT ON rcptguard.fleet, rcptguard.node, rcptguard.held, rcptguard.policy, rcptguard.decision"
    " TO " FLEET_NODE ", " FLEET_REVIEWER,
    "GRANT INSERT (name, program, fleet_version, ledger_version, mta, host, published, skew_ms, waiting, failures),"
    " UPDATE (program, fleet_version, ledger_version, mta, host, published, skew_ms, waiting, failures)"
    " ON rcptguard.node TO " FLEET_NODE,
    "GRANT INSERT, UPDATE, DELETE ON rcptguard.held, rcptguard.policy TO " FLEET_NODE,
    "GRANT INSERT (node, row, queue_id, action, reason, vouched_for), UPDATE (taken, done, code, words)"
    " ON rcptguard.decision TO " FLEET_NODE,
    "GRANT INSERT (node, row, queue_id, action, reason) ON rcptguard.decision TO " FLEET_REVIEWER,

    "ALTER TABLE rcptguard.node ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY everybody_reads ON rcptguard.node FOR SELECT USING (true)",
    "CREATE POLICY node_adds_itself ON rcptguard.node FOR INSERT TO " FLEET_NODE " WITH CHECK (role = session_user)",
    "CREATE POLICY node_changes_itself ON rcptguard.node FOR UPDATE TO " FLEET_NODE " USING (role = session_user)",

    "ALTER TABLE rcptguard.held ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY everybody_reads ON rcptguard.held FOR SELECT USING (true)",
    "CREATE POLICY node_writes_its_own ON rcptguard.held TO " FLEET_NODE
    " USING (node = (SELECT rcptguard.own_node()))",

    "ALTER TABLE rcptguard.policy ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY everybody_reads ON rcptguard.policy FOR SELECT USING (true)",
    "CREATE POLICY node_writes_its_own ON rcptguard.policy TO " FLEET_NODE
    " USING (node = (SELECT rcptguard.own_node()))",

    "ALTER TABLE rcptguard.decision ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY everybody_reads ON rcptguard.decision FOR SELECT USING (true)",
    "CREATE POLICY reviewer_decides ON rcptguard.decision FOR INSERT TO " FLEET_REVIEWER
    " WITH CHECK (vouched_for IS NULL)",
    "CREATE POLICY node_vouches ON rcptguard.decision FOR INSERT TO " FLEET_NODE
    " WITH CHECK (vouched_for IS NOT NULL AND (SELECT rcptguard.own_node()) IS NOT NULL"
    " AND (SELECT vouching FROM rcptguard.fleet))",
    "CREATE POLICY node_answers ON rcptguard.decision FOR UPDATE TO " FLEET_NODE
    " USING (node = (SELECT rcptguard.own_node()))",

    "INSERT INTO rcptguard.fleet (version) VALUES (1)",
    NULL,
};

/* Each brings the schema from the version of its index to the one after it. */
static const char *const *const steps[] = {version_1, state_schema};

unsigned fleet_schema_version(void)
{
    return G_N_ELEMENTS(steps);
}

/* ---- */

static int run(struct pg_session *session, const char *sql, gint64 deadline, struct pg_error *error)
{
    auto_free(pg_answer) answer = pg_session_query(session, sql, 0, NULL, deadline, error);
    return answer == NULL ? -1 : 0;
}

static int run_all(struct pg_session *session, const char *const *statements, gint64 deadline, struct pg_error *error)
{
    for (; *statements != NULL; statements++) {
        if (run(session, *statements, deadline, error) == -1)
            return -1;
    }
    return 0;
}

/* Ends a transaction: commits if `result` is 0, else rolls back, and the first error stays. */
static int end(struct pg_session *session, int result, gint64 deadline, struct pg_error *error)
{
    struct pg_error ignored;
    if (result == 0)
        return run(session, "COMMIT", deadline, error);
    run(session, "ROLLBACK", deadline, &ignored);
    return -1;
}

int fleet_schema_roles(struct pg_session *session, gint64 deadline, struct pg_error *error)
{
    if (run(session, "BEGIN", deadline, error) == -1)
        return -1;
    int result = run(session, "SELECT pg_advisory_xact_lock(" SCHEMA_LOCK ")", deadline, error);
    if (result == 0)
        result = run_all(session, roles, deadline, error);
    return end(session, result, deadline, error);
}

bool fleet_schema_read(struct pg_session *session, unsigned *version, gint64 deadline, struct pg_error *error)
{
    auto_free(pg_answer) there =
        pg_session_query(session, "SELECT to_regclass('rcptguard.fleet') IS NOT NULL", 0, NULL, deadline, error);
    if (there == NULL)
        return false;
    *version = 0;
    if (g_strcmp0(pg_value(there, 0, 0), "t") != 0)
        return true;
    auto_free(pg_answer) answer =
        pg_session_query(session, "SELECT version FROM rcptguard.fleet", 0, NULL, deadline, error);
    if (answer != NULL)
        *version = (unsigned)pg_number(answer, 0, 0);
    return answer != NULL;
}

/* The steps that are missing, or if none is the functions as this program has them, within a transaction. */
static int take_steps(struct pg_session *session, unsigned target, gint64 deadline, struct pg_error *error)
{
    unsigned version = 0;
    if (run(session, "SELECT pg_advisory_xact_lock(" SCHEMA_LOCK ")", deadline, error) == -1 ||
        run(session, "SET LOCAL ROLE " FLEET_OWNER, deadline, error) == -1 ||
        !fleet_schema_read(session, &version, deadline, error))
        return -1;
    if (version > target)
        return pg_error_set(error, PG_WRONG, "the fleet's database has schema %u, this rcptguard knows %u: update it",
                            version, target);
    for (unsigned i = version; i < target && i < G_N_ELEMENTS(steps); i++) {
        g_autofree char *number = g_strdup_printf("%u", i + 1);
        const char *const values[] = {number};
        if (run_all(session, steps[i], deadline, error) == -1)
            return -1;
        auto_free(pg_answer) answer =
            pg_session_query(session, "UPDATE rcptguard.fleet SET version = $1::int", 1, values, deadline, error);
        if (answer == NULL)
            return -1;
    }
    return version == G_N_ELEMENTS(steps) ? run_all(session, state_schema_functions, deadline, error) : 0;
}

int fleet_schema_bring(struct pg_session *session, unsigned target, bool no_vouching, gint64 deadline,
                       struct pg_error *error)
{
    if (run(session, "BEGIN", deadline, error) == -1)
        return -1;
    int result = take_steps(session, target, deadline, error);
    if (result == 0 && no_vouching)
        result = run(session, "UPDATE rcptguard.fleet SET vouching = false", deadline, error);
    return end(session, result, deadline, error);
}
