"""Who may do what in the fleet's database: every role, table, column and verb of the catalogue, tried, and compared with the tables here.

Two clusters of PostgreSQL and two thousand statements take about 20 s.
"""

import json
import unittest

import connection
import fleetdb
import postgres
import surroundings
import tap

# The roles that try: a member of each group, another node, and one who is in none.
ROLES = ["owner", "relay1", "relay2", "alice", "stranger"]
GROUPS = {"owner": "owner", "relay1": "node", "relay2": "node", "alice": "reviewer", "stranger": None}

ALL = "*"
# By group and table: what it may read, add, change and delete; the owner may do everything, and nobody else has any other right.
RIGHTS = {
    "fleet": {"node": {"SELECT": ALL}, "reviewer": {"SELECT": ALL}},
    "node": {"node": {"SELECT": ALL, "INSERT": "name program fleet_version ledger_version mta host published skew_ms waiting failures",
                      "UPDATE": "program fleet_version ledger_version mta host published skew_ms waiting failures"},
             "reviewer": {"SELECT": ALL}},
    "held": {"node": {"SELECT": ALL, "INSERT": ALL, "UPDATE": ALL, "DELETE": ALL}, "reviewer": {"SELECT": ALL}},
    "policy": {"node": {"SELECT": ALL, "INSERT": ALL, "UPDATE": ALL, "DELETE": ALL}, "reviewer": {"SELECT": ALL}},
    "decision": {"node": {"SELECT": ALL, "INSERT": "node row queue_id action reason vouched_for", "UPDATE": "taken done code words"},
                 "reviewer": {"SELECT": ALL, "INSERT": "node row queue_id action reason"}},
    "state_key": {"node": {"SELECT": ALL, "INSERT": "digest"}},
}
# What [state] remembers belongs to all nodes.
SHARED = ["state_record", "state_circle", "state_party", "state_permit", "state_need"]
RIGHTS.update({table: {"node": {"SELECT": ALL, "INSERT": ALL, "UPDATE": ALL, "DELETE": ALL}} for table in SHARED})
# Those with one row.
SINGLE = ["fleet", "state_key"]

# A row of each node, without the columns that the database fills in; # is its number.
ROWS = {
    "fleet": {"version": "1"},
    "node": {"name": "'%s'"},
    "held": {"node": "'%s'", "row": "1", "record": "'{}'"},
    "policy": {"node": "'%s'", "digest": "'abc'", "record": "'{}'"},
    "decision": {"node": "'%s'", "row": "1", "action": "'release'"},
    "state_record": {"author": "5", "signature": "5", "at": "5", "id": "#", "subject": "5", "hashes": "'{1}'"},
    "state_circle": {"scope": "#", "parties": "'{1,2}'", "at": "5", "placed": "5"},
    "state_party": {"hash": "#", "circle": "5"},
    "state_permit": {"code": "#", "rule": "5", "author": "5", "at": "5", "until": "5", "visible": "'{1}'"},
    "state_need": {"node": "'%s'", "records": "5", "sets": "5", "at": "5"},
    "state_key": {"digest": "5"},
}
KEYS = {"node": "name = '%s'", "state_record": "id = #", "state_circle": "scope = #", "state_party": "hash = #", "state_permit": "code = #"}
# Another value for the columns that the rows have, and one for each of the others, by its type.
OTHERS = {("held", "row"): "2", ("policy", "digest"): "'def'", ("node", "name"): "'relay9'"}
VALUES = {"boolean": "true", "integer": "7", "bigint": "7", "text": "'x'", "name": "session_user", "uuid": "gen_random_uuid()", "jsonb": "'{}'", "bigint[]": "'{7}'",
          "timestamp with time zone": "now()"}

# The columns that the database alone fills in, even for the owner.
GENERATED = {("decision", "id"), ("state_circle", "id")}

REFUSED = "42501"

# Each in a subtransaction that is undone: how many rows it was, or the SQLSTATE.
ATTEMPT = """
CREATE FUNCTION public.attempt(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE number int;
BEGIN
    EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', role);
    EXECUTE statement;
    GET DIAGNOSTICS number = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'ZZ001', MESSAGE = number::text;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'ZZ001' THEN SQLERRM ELSE SQLSTATE END;
END $$;
"""


class Rights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server()
        fleetdb.init(cls.server)
        for role in ROLES:
            cls.server.create_role(role, groups=["rcptguard_" + GROUPS[role]] if GROUPS[role] else [])
        cls.server.create_role("relay3", groups=["rcptguard_node"])  # has no row yet
        cls.server.psql("GRANT USAGE ON SCHEMA public TO PUBLIC; " + ATTEMPT)
        for node in "relay1", "relay2":
            cls.server.psql("INSERT INTO rcptguard.node (name, role) VALUES ('%s', '%s')" % (node, node))
            for table in ["held", "policy", "decision", *SHARED]:
                cls.server.psql(cls.insert(table, node))
        cls.server.psql(cls.insert("state_key", "relay1"))

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    # ---- the catalogue

    def columns(self):
        """{table: {column: type}} of everything with columns in the schema"""
        found = {}
        for line in self.server.psql("SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                                     " WHERE c.relnamespace = 'rcptguard'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped"
                                     " ORDER BY 1, a.attnum").splitlines():
            table, column, kind = line.split("|")
            found.setdefault(table, {})[column] = kind
        return found

    @staticmethod
    def insert(table, whose, more=()):
        values = dict(ROWS[table], **dict(more))
        return "INSERT INTO rcptguard.%s (%s) VALUES (%s)" % (table, ", ".join(values), ", ".join(Rights.of(whose, value) for value in values.values()))

    @staticmethod
    def of(node, text):
        return text.replace("%s", node).replace("#", node[-1])

    def where(self, table, node):
        return "" if table in SINGLE else " WHERE " + self.of(node, KEYS.get(table, "node = '%s'"))

    def attempts(self, tried):
        """What came of each (role, statement)."""
        lines = []
        for first in range(0, len(tried), 200):
            lines += self.server.psql("SELECT public.attempt(one ->> 0, one ->> 1) FROM jsonb_array_elements($json$%s$json$) WITH ORDINALITY AS t(one, number) ORDER BY number"
                                      % json.dumps(tried[first:first + 200])).splitlines()
        self.assertEqual(len(lines), len(tried))
        return lines

    def compare(self, expected):
        """`expected`: {(role, statement): what comes of it, or a set of what may}"""
        wrong = ["%s: %s: %s, expected %s" % (role, statement, got, want) for ((role, statement), want), got in zip(expected.items(), self.attempts(list(expected)))
                 if got not in (want if isinstance(want, set) else {want})]
        self.assertEqual(wrong, [])
        self.assertGreater(len(expected), 4)

    @staticmethod
    def may(role, table, verb, column=None):
        """By the table above."""
        if GROUPS[role] == "owner":
            return True
        allowed = RIGHTS[table].get(GROUPS[role], {}).get(verb, "")
        return allowed == ALL or (column is not None and column in allowed.split())

    # ---- the tests

    def test_complete(self):
        """the tables here are those of the catalogue, and every one with rows of several nodes has row-level security"""
        self.assertEqual(set(self.columns()), set(RIGHTS))
        secured = set(self.server.psql("SELECT relname FROM pg_class WHERE relnamespace = 'rcptguard'::regnamespace AND relrowsecurity").split())
        self.assertEqual(secured, {"node", "held", "policy", "decision"})

    def test_granted(self):
        """what the catalogue says of each group, column and verb; PUBLIC has nothing"""
        for table, columns in self.columns().items():
            for group in "node", "reviewer":
                for verb in "SELECT", "INSERT", "UPDATE", "REFERENCES":
                    has = self.server.psql("SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = 'rcptguard.%s'::regclass AND a.attnum > 0"
                                           " AND has_column_privilege('rcptguard_%s', a.attrelid, a.attnum, '%s')" % (table, group, verb)).split()
                    allowed = RIGHTS[table].get(group, {}).get(verb, "")
                    self.assertEqual(sorted(has), sorted(columns if allowed == ALL else allowed.split()), (group, table, verb))
                for verb in "DELETE", "TRUNCATE", "TRIGGER":
                    has = self.server.psql("SELECT has_table_privilege('rcptguard_%s', 'rcptguard.%s', '%s')" % (group, table, verb))
                    self.assertEqual(has == "t", verb in RIGHTS[table].get(group, {}), (group, table, verb))
        self.assertEqual(self.server.psql("SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'rcptguard'::regnamespace AND a.grantee = 0"), "0")
        self.assertEqual(self.server.psql("SELECT count(*) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
                                          " WHERE p.pronamespace = 'rcptguard'::regnamespace AND a.grantee = 0"), "0")
        self.assertEqual(self.server.psql("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'rcptguard'::regnamespace"), "rcptguard_owner")

    def test_select(self):
        """who reads what: all rows or nothing, in each column"""
        expected = {}
        for role in ROLES:
            for table, columns in self.columns().items():
                count = "1" if table in SINGLE else "2"
                for column in columns:
                    expected[role, "SELECT %s FROM rcptguard.%s" % (column, table)] = count if self.may(role, table, "SELECT") else REFUSED
        self.compare(expected)

    def test_insert(self):
        """a row for oneself and for another node, with each column"""
        expected = {}
        for role in [*ROLES, "relay3"]:
            group = GROUPS.get(role, "node")
            for table, columns in self.columns().items():
                for column, kind in columns.items():
                    for node in "relay1", "relay2":
                        value = OTHERS.get((table, column), ROWS[table].get(column, VALUES[kind]))
                        more = {column: value}
                        if table == "decision" and group == "node" and column != "vouched_for":
                            more["vouched_for"] = "'bob'"
                        expected[role, self.insert(table, node, more)] = self.inserted(role, group, table, column, node)
        self.compare(expected)

    @staticmethod
    def inserted(role, group, table, column, node):
        if (table, column) in GENERATED:
            return {"428C9", REFUSED}
        if group == "owner":
            # Each may be there already; else there is nothing that it may not add.
            return "1" if table == "decision" else {"1", "23505"}
        allowed = RIGHTS[table].get(group, {}).get("INSERT", "")
        needed = set(ROWS[table]) | {column} | ({"vouched_for"} if table == "decision" and group == "node" else set())
        if allowed != ALL and not needed <= set(allowed.split()):
            return REFUSED
        if table in SHARED or table == "state_key":
            return {"1", "23505"}
        if table == "decision":
            return REFUSED if role == "relay3" else "1"  # who is no node yet vouches for nobody
        if table == "node":
            # Its role is the one that tries: only relay3 has no row yet, and `relay1` and `relay2` are taken.
            return "1" if role == "relay3" and column == "name" else "23505"
        if role != node:
            return REFUSED
        return "1" if (table, column) in OTHERS else "23505"

    def test_update(self):
        """each column of one's own row and of another node's"""
        expected = {}
        for role in ROLES:
            for table, columns in self.columns().items():
                for column in columns:
                    for node in "relay1", "relay2":
                        statement = "UPDATE rcptguard.%s SET %s = %s%s" % (table, column, column, self.where(table, node))
                        mine = GROUPS[role] == "owner" or role == node or table in SHARED
                        if (table, column) in GENERATED:
                            expected[role, statement] = {"428C9", REFUSED}
                        else:
                            expected[role, statement] = REFUSED if not self.may(role, table, "UPDATE", column) else "1" if mine else "0"
        self.compare(expected)

    def test_delete(self):
        """one's own row, another node's, and all of them"""
        expected = {}
        for role in ROLES:
            for table in self.columns():
                for node in "relay1", "relay2":
                    mine = GROUPS[role] == "owner" or role == node or table in SHARED
                    expected[role, "DELETE FROM rcptguard.%s%s" % (table, self.where(table, node))] = REFUSED if not self.may(role, table, "DELETE") else "1" if mine else "0"
                expected[role, "TRUNCATE rcptguard.%s CASCADE" % table] = "0" if GROUPS[role] == "owner" else REFUSED
        self.compare(expected)

    def test_moved(self):
        """a row cannot be given to another node"""
        self.compare({("relay1", "UPDATE rcptguard.held SET node = 'relay2', row = 5 WHERE node = 'relay1'"): REFUSED,
                      ("relay1", "UPDATE rcptguard.policy SET node = 'relay2', digest = 'x' WHERE node = 'relay1'"): REFUSED,
                      ("relay1", "UPDATE rcptguard.node SET role = 'relay3' WHERE name = 'relay1'"): REFUSED,
                      ("relay1", "INSERT INTO rcptguard.held (node, row, record) VALUES ('relay2', 1, '{\"x\": 1}') ON CONFLICT (node, row) DO UPDATE SET record = excluded.record"): REFUSED,
                      ("relay3", "INSERT INTO rcptguard.held (node, row, record) VALUES ('relay1', 9, '{}')"): REFUSED})

    def test_forged(self):
        """who decided is said by the server"""
        forged = "INSERT INTO rcptguard.decision (node, row, action, who) VALUES ('relay1', 1, 'release', 'bob')"
        vouched = "INSERT INTO rcptguard.decision (node, row, action, vouched_for) VALUES ('relay1', 1, 'release', %s)"
        self.compare({("alice", forged): REFUSED, ("relay1", forged): REFUSED, ("stranger", forged): REFUSED,
                      ("alice", vouched % "'bob'"): REFUSED, ("relay1", vouched % "NULL"): REFUSED, ("relay1", vouched % "''"): "23514", ("relay2", vouched % "'bob'"): "1",
                      ("alice", "UPDATE rcptguard.decision SET who = 'bob'"): REFUSED, ("relay1", "UPDATE rcptguard.decision SET who = 'bob'"): REFUSED,
                      ("alice", "INSERT INTO rcptguard.decision (node, row, action, done, code) VALUES ('relay1', 1, 'release', now(), 0)"): REFUSED,
                      ("relay1", "UPDATE rcptguard.node SET seen = now() + interval '1 day'"): REFUSED,
                      ("alice", "INSERT INTO rcptguard.decision (node, row, action) VALUES ('relay1', 1, 'approve')"): "23514",
                      ("alice", "INSERT INTO rcptguard.decision (node, row, action) VALUES ('nosuch', 1, 'release')"): "23503"})

    def test_vouching(self):
        """an owner forbids that nodes vouch: reviewers decide themselves, and nodes for nobody"""
        vouched = "INSERT INTO rcptguard.decision (node, row, action, vouched_for) VALUES ('relay2', 1, 'release', 'bob')"
        own = "INSERT INTO rcptguard.decision (node, row, action) VALUES ('relay2', 1, 'release')"
        self.compare({("relay1", vouched): "1", ("alice", own): "1", ("owner", vouched): "1", ("relay2", vouched): "1", ("relay3", vouched): REFUSED})
        self.server.psql("UPDATE rcptguard.fleet SET vouching = false")
        self.addCleanup(self.server.psql, "UPDATE rcptguard.fleet SET vouching = true")
        self.compare({("relay1", vouched): REFUSED, ("alice", own): "1", ("owner", vouched): "1", ("relay2", vouched): REFUSED, ("relay1", own): REFUSED})

    def test_names(self):
        """a node has one name, and the name one node; a name that cannot be typed is refused"""
        named = "INSERT INTO rcptguard.node (name) VALUES ('%s')"
        self.compare({("relay3", named % "relay3"): "1", ("relay3", named % "relay1"): "23505", ("relay1", named % "other"): "23505",
                      ("relay3", named % "a:b"): "23514", ("relay3", named % "-a"): "23514", ("relay3", named % ""): "23514", ("alice", named % "x"): REFUSED})

    def test_schema(self):
        """nobody but the owner makes anything in the schema, calls its functions, or becomes another role"""
        expected = {}
        for role in "relay1", "alice", "stranger":
            for statement in ("CREATE TABLE rcptguard.x (y int)", "CREATE FUNCTION rcptguard.x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP TABLE rcptguard.held", "DROP SCHEMA rcptguard CASCADE",
                              "ALTER TABLE rcptguard.held DISABLE ROW LEVEL SECURITY", "DROP POLICY node_writes_its_own ON rcptguard.held", "GRANT ALL ON rcptguard.held TO " + role,
                              "ALTER TABLE rcptguard.decision DISABLE TRIGGER notice_done", "SELECT nextval('rcptguard.decision_id_seq')", "SET ROLE rcptguard_owner",
                              "COPY rcptguard.held TO PROGRAM 'true'", "LOCK TABLE rcptguard.held IN ACCESS EXCLUSIVE MODE"):
                # Without the option to grant, nothing is granted.
                expected[role, statement] = {"0", REFUSED} if statement.startswith("GRANT") else REFUSED
        # What may lock a table is a question of the right to change it, so a node may; idle_in_transaction_session_timeout ends that.
        expected["relay1", "LOCK TABLE rcptguard.held IN ACCESS EXCLUSIVE MODE"] = {"0", REFUSED}
        self.compare(expected)


class Logins(unittest.TestCase):
    """The same by real logins: peer authentication, and the connection of rcptguard."""

    def test_logins(self):
        """a node and a reviewer, each as himself; what they do is theirs, and nothing else is"""
        with postgres.Server() as server:
            fleetdb.init(server)
            server.create_role("relay1", groups=["rcptguard_node"], system_user="nobody")
            server.create_role("alice", groups=["rcptguard_reviewer"], system_user="daemon")
            server.create_role("bob", system_user="mail")
            with connection.Probe("nobody", server.conninfo("relay1")) as node, connection.Probe("daemon", server.conninfo("alice")) as alice, \
                    connection.Probe("mail", server.conninfo("bob")) as bob:
                self.assertEqual(node.query("INSERT INTO rcptguard.node (name) VALUES ('relay1')")[1], ["ok", "1"])
                self.assertEqual(node.query("INSERT INTO rcptguard.held (node, row, state, record) VALUES ('relay1', 1, 'held', '{}')")[1], ["ok", "1"])
                self.assertEqual(alice.query("INSERT INTO rcptguard.decision (node, row, action, reason) VALUES ('relay1', 1, 'release', 'mine')")[1], ["ok", "1"])
                self.assertEqual(alice.query("INSERT INTO rcptguard.decision (node, row, action, who) VALUES ('relay1', 1, 'release', 'bob')")[1][:3], ["error", "refused", "42501"])
                self.assertEqual(alice.query("UPDATE rcptguard.held SET state = 'released'")[1][:3], ["error", "refused", "42501"])
                self.assertEqual(bob.query("SELECT * FROM rcptguard.held")[1][:3], ["error", "refused", "42501"])
                self.assertEqual(bob.query("INSERT INTO rcptguard.decision (node, row, action) VALUES ('relay1', 1, 'release')")[1][:3], ["error", "refused", "42501"])
                self.assertEqual(node.query("SELECT who, vouched_for, reason FROM rcptguard.decision"), ([["alice", None, "mine"]], ["ok", "1"]))


if __name__ == "__main__":
    surroundings.enter()
    tap.main()
