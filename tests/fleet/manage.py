"""rcptguardq fleet: the database is made, brought up to date, looked at; who may do so; and what is said where that does not work.

It makes a dozen clusters of PostgreSQL, which takes about 30 s.
"""

import json
import os
import pathlib
import re
import sys
import time
import unittest

import daemon
import fleetdb
import postgres
import surroundings
import tap

sys.path.insert(0, os.path.join(daemon.SOURCE, "tests", "manual"))
import csource  # noqa: E402  after the path
import page  # noqa: E402
import tool_page  # noqa: E402

KNOWN = int(re.search(r"steps\[\] = \{([^}]*)\}", csource.read("milter/fleet/fleet_schema.c")).group(1).count(",")) + 1
AS_OWNER = ["--user", "boss"]


class Case(unittest.TestCase):
    """One server; the system's user `mail` is the role boss, who owns fleets, and `nobody`, the daemon's user, is relay1."""

    INIT = True

    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.create_role("boss", system_user="mail", options="LOGIN CREATEROLE")
        cls.server.psql("GRANT CREATE ON DATABASE rcptguard TO boss")
        if cls.INIT:
            cls.run_as("boss", "mail", "init")
            cls.server.create_role("relay1", groups=["rcptguard_node"], system_user=daemon.USER)
            cls.server.create_role("alice", groups=["rcptguard_reviewer"], system_user="daemon")

    @classmethod
    def run_as(cls, role, user, *arguments):
        """As root, by the user of the system with the role: (exit code, standard output, standard error)"""
        with fleetdb.config(cls.server.conninfo(role)) as path:
            return fleetdb.command(path, *arguments, "--user", user)

    def boss(self, *arguments, code=0):
        done = self.run_as("boss", "mail", *arguments)
        self.assertEqual(done[0], code, done)
        return done[1]

    def report(self, code=0):
        return json.loads(self.boss("status", "--json", code=code))

    def assertFailed(self, done, code, words):
        self.assertEqual((done[0], done[1]), (code, ""), done)
        self.assertIn(words, done[2])

    def incarnation(self):
        return self.server.psql("SELECT incarnation FROM rcptguard.fleet")


class Init(Case):
    INIT = False

    def test_1_not_there(self):
        """before it is made"""
        for action in ["status"], ["update"], ["remove", "relay1"]:
            self.assertFailed(self.run_as("boss", "mail", *action), 1, "there are no tables yet: `rcptguardq fleet init` makes them")

    def test_2_refused(self):
        """who may not make roles, or no schema, makes nothing"""
        self.server.create_role("relay9", system_user="nobody")
        self.assertFailed(self.run_as("relay9", "nobody", "init"), 4, "permission denied to create role")
        self.server.create_role("half", system_user="daemon", options="LOGIN CREATEROLE")
        self.assertFailed(self.run_as("half", "daemon", "init"), 4, "permission denied for database rcptguard")
        self.assertEqual(self.server.psql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'rcptguard\\_%'"), "0")

    def test_3_made(self):
        """by a role that is no superuser; the second time nothing happens"""
        self.assertEqual(self.boss("init"), "made: schema %d, and the roles rcptguard_owner, rcptguard_node and rcptguard_reviewer\n" % KNOWN)
        before = self.incarnation()
        self.assertEqual(self.boss("init"), "it is there already: `rcptguardq fleet status` says how it is\n")
        self.assertEqual(json.loads(self.boss("init", "--no-vouching", "--json")), {"changed": False, "before": 0, "version": KNOWN})
        self.assertEqual((self.incarnation(), self.server.psql("SELECT vouching FROM rcptguard.fleet")), (before, "f"), "the answer of the first one may have been lost")
        self.boss("init")
        self.assertEqual(self.server.psql("SELECT vouching FROM rcptguard.fleet"), "f", "that is for update")
        self.boss("update", "--vouching", "yes")
        self.assertEqual(self.server.psql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'rcptguard\\_%' AND rolcanlogin"), "")

    def test_4_another(self):
        """a second database of the cluster, where the roles are already; without vouching; by --database"""
        self.server.psql("CREATE DATABASE second OWNER boss", database="postgres")
        with fleetdb.config(self.server.conninfo("boss")) as path:
            code, output, errors = fleetdb.command(path, "init", "--no-vouching", "--json", "--user", "mail",
                                                   "--database", self.server.conninfo("boss").replace("dbname=rcptguard", "dbname=second"))
        self.assertEqual((code, json.loads(output)), (0, {"changed": True, "before": 0, "version": KNOWN}), errors)
        self.assertEqual(self.server.psql("SELECT vouching FROM rcptguard.fleet", database="second"), "f")
        self.assertNotEqual(self.server.psql("SELECT incarnation FROM rcptguard.fleet", database="second"), self.incarnation())


class Status(Case):
    def setUp(self):
        self.server.psql("DELETE FROM rcptguard.node; INSERT INTO rcptguard.node (name, role, program, fleet_version, ledger_version, mta, host, skew_ms, waiting, failures)"
                         " VALUES ('relay1', 'relay1', '0.1.0', %d, 7, 'postfix', 'relay1.me.example', 20, 0, 0)" % KNOWN)

    def change(self, assignments, sql=""):
        """Also what a trigger sets."""
        self.server.psql("ALTER TABLE rcptguard.node DISABLE TRIGGER seen; UPDATE rcptguard.node SET %s; ALTER TABLE rcptguard.node ENABLE TRIGGER seen; %s" % (assignments, sql))

    def assertTrouble(self, *troubles):
        """These, and exit code 1; with none 0."""
        report = self.report(code=1 if troubles else 0)
        found = [trouble for node in report["nodes"] for trouble in node["troubles"]]
        self.assertEqual(found, list(troubles))
        text = self.boss("status", code=1 if troubles else 0)
        self.assertEqual(re.findall(r"(?m)^    ! (.*)$", text), list(troubles))
        return report, text

    def test_fine(self):
        report, text = self.assertTrouble()
        self.assertRegex(text, r"\Aschema %d, nodes may vouch for people, 1 node\n"
                         r"relay1           rcptguard 0\.1\.0 \(schema %d\), postfix: seen \d+ s ago, published never, clock \+0\.0 s, 0 held, 0 waiting\n\Z" % (KNOWN, KNOWN))
        self.assertEqual((report["version"], report["vouching"], report["incarnation"]), (KNOWN, True, self.incarnation()))

    def test_by_the_node(self):
        """root without a name looks as the node does"""
        with fleetdb.config(self.server.conninfo("relay1")) as path:
            self.assertEqual(fleetdb.command(path, "status")[0], 0)

    def test_json(self):
        """the keys of the manual, with their types"""
        documented = {}
        tree = page.tree("rcptguardq(8)")
        for head, _body in page.items(page.section(tree, "rcptguardq fleet", "Ss")):
            for element in head.find("Va", "elem"):
                documented[element.text()] = {kind.text() for kind in head.find("Vt", "elem")}
        seen = {}
        self.change("published = clock_timestamp()")
        self.boss("update")
        reports = [self.report()]
        self.change("seen = now() - interval '1 hour', published = NULL, program = NULL, mta = NULL, host = NULL")
        reports.append(self.report(code=1))
        self.server.psql("UPDATE rcptguard.fleet SET version = 1")
        reports.append(self.report(code=1))
        reports.append(json.loads(self.boss("update", "--json")))
        reports.append(json.loads(self.boss("remove", "relay1", "--anyway", "--json")))
        for report in reports:
            for path, kind in tool_page.flatten(report):
                seen.setdefault(path, set()).add(kind)
        self.maxDiff = None
        self.assertEqual(seen, documented)

    def is_fine_at_170(self):
        """Three minutes are late.  Whether it was looked at before they were over, which a loaded machine may be too slow for."""
        self.change("seen = clock_timestamp() - interval '170 s'")
        begun = time.monotonic()
        try:
            self.assertTrouble()
        except AssertionError:
            if time.monotonic() - begun < 10:
                raise
            return False
        return True

    def test_late(self):
        """a node that was not seen, decisions that wait"""
        self.server.psql("INSERT INTO rcptguard.decision (node, row, action) VALUES ('relay1', 1, 'release')")
        daemon.wait_until(self.is_fine_at_170, 60 * tap.SLOWNESS, "a look within ten seconds")
        self.change("seen = now() - interval '10 min'", "UPDATE rcptguard.decision SET at = now() - interval '7 min'")
        report, _text = self.assertTrouble("was not seen for 10 min: is rcptguard-fleet.service running there?", "1 decision for it waits, the oldest for 7 min")
        self.assertEqual((report["nodes"][0]["waiting"], report["nodes"][0]["seen_age"] // 60), (1, 10))
        self.server.psql("INSERT INTO rcptguard.decision (node, row, action) VALUES ('relay1', 2, 'release')")
        self.change("seen = now() - interval '3 days'")
        self.assertTrouble("was not seen for 3 days: is rcptguard-fleet.service running there?", "2 decisions for it wait, the oldest for 7 min")
        self.change("seen = now()", "UPDATE rcptguard.decision SET done = now()")
        self.assertTrouble()

    def test_clock(self):
        self.change("skew_ms = 5000")
        self.assertTrouble()
        self.change("skew_ms = 7000")
        self.assertTrouble("its clock is 7.0 s ahead of that of the database")
        self.change("skew_ms = -61500")
        self.assertTrouble("its clock is 61.5 s behind that of the database")

    def test_versions(self):
        """an older program, an older schema of a node, an older one of the database"""
        self.change("program = '0.0.9', fleet_version = %d" % (KNOWN - 1))
        self.assertTrouble("its rcptguard knows schema %d, the database has %d: update it" % (KNOWN - 1, KNOWN), "it has rcptguard 0.0.9, this is 0.1.0")
        self.change("program = '0.1.0', fleet_version = %d" % KNOWN)
        self.server.psql("UPDATE rcptguard.fleet SET version = %d" % (KNOWN - 1))
        self.addCleanup(self.server.psql, "UPDATE rcptguard.fleet SET version = %d" % KNOWN)
        self.assertEqual(self.report(code=1)["troubles"], ["the database has schema %d, this rcptguard knows %d: `rcptguardq fleet update`" % (KNOWN - 1, KNOWN)])

    def test_role(self):
        """a node whose role was taken away"""
        self.server.psql("REVOKE rcptguard_node FROM relay1")
        self.addCleanup(self.server.psql, "GRANT rcptguard_node TO relay1")
        self.assertTrouble("its role `relay1` is not a member of rcptguard_node")

    def test_held(self):
        """how many are on hold; nodes in the order of their names"""
        self.server.psql("INSERT INTO rcptguard.held (node, row, state, record) VALUES ('relay1', 1, 'held', '{}'), ('relay1', 2, 'pending', '{}'), ('relay1', 3, 'released', '{}');"
                         "INSERT INTO rcptguard.node (name, role) VALUES ('a', 'alice')")
        nodes = self.report(code=1)["nodes"]
        self.assertEqual([(node["node"], node["held"]) for node in nodes], [("a", 0), ("relay1", 2)])

    def test_remove(self):
        """a node that works stays; one that is gone is removed with what is known of it, and can come back"""
        self.server.psql("INSERT INTO rcptguard.held (node, row, state, record) VALUES ('relay1', 1, 'held', '{}'); INSERT INTO rcptguard.policy VALUES ('relay1', 'abc', '{}');"
                         "INSERT INTO rcptguard.decision (node, row, action) VALUES ('relay1', 1, 'release')")
        self.assertFailed(self.run_as("boss", "mail", "remove", "relay1"), 1, "stop rcptguard-fleet.service there first, or give --anyway")
        self.assertFailed(self.run_as("boss", "mail", "remove", "relay2"), 1, "there is no node `relay2`")
        self.assertFailed(self.run_as("relay1", daemon.USER, "remove", "relay1", "--anyway"), 4, "permission denied for table node")
        self.change("seen = now() - interval '10 min'")
        self.assertEqual(self.boss("remove", "relay1"), "removed: node relay1, of which 1 held message was known here, and 1 waiting decision\n")
        for table in "node", "held", "policy", "decision":
            self.assertEqual(self.server.psql("SELECT count(*) FROM rcptguard." + table), "0")
        self.server.psql("SET SESSION AUTHORIZATION relay1; INSERT INTO rcptguard.node (name) VALUES ('relay1')")
        self.assertEqual(json.loads(self.boss("remove", "relay1", "--anyway", "--json")), {"node": "relay1", "held": 0, "waiting": 0})


class Retention(Case):
    def test_decisions(self):
        """a decision is kept as long as its message; one that was not carried out longer"""
        self.server.psql("SET SESSION AUTHORIZATION relay1; INSERT INTO rcptguard.node (name) VALUES ('relay1');"
                         "INSERT INTO rcptguard.held (node, row, record) SELECT 'relay1', row, '{}' FROM generate_series(1, 3) row")
        self.server.psql("SET SESSION AUTHORIZATION alice; INSERT INTO rcptguard.decision (node, row, action) SELECT 'relay1', row, 'release' FROM generate_series(1, 3) row")
        self.server.psql("SET SESSION AUTHORIZATION relay1; UPDATE rcptguard.decision SET done = clock_timestamp() WHERE row < 3; DELETE FROM rcptguard.held WHERE row > 1")
        self.assertEqual(self.server.psql("SELECT row, done IS NOT NULL FROM rcptguard.decision ORDER BY row"), "1|t\n3|f")


class Notices(Case):
    def test_notices(self):
        """what is notified: messages of a node once for a statement, a decision for a node, an answer"""
        self.server.psql("SET SESSION AUTHORIZATION relay1; INSERT INTO rcptguard.node (name) VALUES ('relay1')")
        heard = self.server.psql("LISTEN rcptguard; SET SESSION AUTHORIZATION relay1; INSERT INTO rcptguard.held (node, row, record) SELECT 'relay1', row, '{}' FROM generate_series(1, 3) row;"
                                 "SET SESSION AUTHORIZATION alice; INSERT INTO rcptguard.decision (node, row, action) VALUES ('relay1', 1, 'release');"
                                 "SET SESSION AUTHORIZATION relay1; UPDATE rcptguard.decision SET taken = now(); UPDATE rcptguard.decision SET done = now(); UPDATE rcptguard.decision SET words = 'x';"
                                 "UPDATE rcptguard.held SET state = 'left' WHERE false")
        number = self.server.psql("SELECT id FROM rcptguard.decision")
        self.assertEqual(re.findall(r'payload "([^"]*)"', heard), ["held relay1", "decision relay1", "done " + number])


class Update(unittest.TestCase):
    """A database of the version before, as it was recorded; and one of a version after."""

    def setUp(self):
        self.server = postgres.Server()
        self.addCleanup(self.server.close)

    def command(self, *arguments, code=0, role="postgres", user=postgres.SUPERUSER):
        with fleetdb.config(self.server.conninfo(role)) as path:
            done = fleetdb.command(path, *arguments, "--user", user)
        self.assertEqual(done[0], code, done)
        return done

    def schema(self, database=postgres.DATABASE):
        """Without names that pg_dump makes for every run."""
        done = self.server._run("pg_dump", "-s", "-n", "rcptguard", "-h", self.server.sockets, "-p", str(self.server.port), "-U", postgres.SUPERUSER, database)
        self.assertEqual(done.returncode, 0, done.stdout)
        return re.sub(r"(?m)^(\\(un)?restrict|--) .*\n", "", done.stdout)

    def recorded(self):
        for role in "owner", "node", "reviewer":
            self.server.create_role("rcptguard_" + role, options="NOLOGIN")
        self.server.create_role("relay1", groups=["rcptguard_node"], system_user=daemon.USER)
        self.server.psql(pathlib.Path(daemon.SOURCE, "tests/fleet/schema-1.sql").read_text())

    def test_update(self):
        """version 1: nodes work with it; after the update it is what a new one is, with all rows"""
        self.recorded()
        rows = {table: self.server.psql("SELECT * FROM rcptguard.%s" % table) for table in ("held", "policy", "decision")}
        self.assertIn("this rcptguard knows %d: `rcptguardq fleet update`" % KNOWN, self.command("status", code=1, role="relay1", user=daemon.USER)[1])
        self.assertIn("permission denied to set role", self.command("update", code=4, role="relay1", user=daemon.USER)[2])
        self.assertEqual(self.server.psql("SELECT version FROM rcptguard.fleet"), "1")
        self.assertEqual(self.command("update")[1], "brought from schema 1 to %d\n" % KNOWN)
        self.assertEqual(self.command("update")[1], "schema %d is the one that this rcptguard knows\n" % KNOWN)
        self.assertEqual({table: self.server.psql("SELECT * FROM rcptguard.%s" % table) for table in rows}, rows)
        self.server.psql("CREATE DATABASE fresh", database="postgres")
        self.command("init", "--database", self.server.conninfo("postgres").replace("dbname=rcptguard", "dbname=fresh"))
        self.assertEqual(self.schema().splitlines(), self.schema("fresh").splitlines())

    def test_functions(self):
        """a database of the same version gets the functions of this program, which may be better ones; nobody else may replace them"""
        fleetdb.init(self.server)
        made = self.schema()
        self.server.create_role("relay1", groups=["rcptguard_node"], system_user=daemon.USER)
        self.server.psql("CREATE OR REPLACE FUNCTION rcptguard.state_withdraw(p_id bigint) RETURNS void LANGUAGE sql AS ''", role="rcptguard_owner")
        before = self.schema()
        self.assertNotEqual(before, made)
        self.assertIn("permission denied to set role", self.command("update", code=4, role="relay1", user=daemon.USER)[2])
        self.assertEqual(self.schema(), before)
        self.assertEqual(self.command("update")[1], "schema %d is the one that this rcptguard knows\n" % KNOWN)
        self.assertEqual(self.schema(), made)

    def test_at_once(self):
        """two owners at the same moment: both succeed, one of them makes it"""
        for action in "init", "update":
            if action == "update":
                self.server.psql("DROP SCHEMA rcptguard CASCADE")
                self.server.psql("DROP ROLE rcptguard_owner; DROP ROLE rcptguard_node; DROP ROLE rcptguard_reviewer")
                self.recorded()
            with fleetdb.config(self.server.conninfo("postgres")) as path:
                running = [fleetdb.start(path, action, "--user", postgres.SUPERUSER) for _ in range(4)]
                done = [(process.communicate(timeout=daemon.LIMIT), process.returncode) for process in running]
            self.assertEqual([code for _said, code in done], [0] * 4, done)
            self.assertEqual(self.server.psql("SELECT version FROM rcptguard.fleet"), str(KNOWN))

    def test_vouching(self):
        fleetdb.init(self.server)
        self.assertIn("nodes may not vouch for people", self.command("update", "--vouching", "no")[1])
        self.assertIn("nodes may not vouch for people", self.command("status")[1])
        self.assertIn("nodes may vouch for people", self.command("update", "--vouching", "yes")[1])

    def test_newer(self):
        """a newer schema is refused by this program, and stays as it is"""
        fleetdb.init(self.server)
        self.server.psql("UPDATE rcptguard.fleet SET version = %d" % (KNOWN + 1))
        before = self.schema()
        for action in ["init"], ["update"], ["status"], ["update", "--vouching", "no"], ["remove", "relay1"]:
            self.assertIn("the fleet's database has schema %d, this rcptguard knows %d: update it" % (KNOWN + 1, KNOWN), self.command(*action, code=1)[2])
        self.assertEqual((self.schema(), self.server.psql("SELECT version, vouching FROM rcptguard.fleet")), (before, "%d|t" % (KNOWN + 1)))

    def test_broken_off(self):
        """an update that fails in the middle changes nothing"""
        self.recorded()
        self.server.psql("CREATE VIEW rcptguard.state_record AS SELECT 1 AS x; ALTER VIEW rcptguard.state_record OWNER TO rcptguard_owner")
        before = self.schema()
        self.assertIn("state_record", self.command("update", code=1)[2])
        self.assertEqual((self.schema(), self.server.psql("SELECT version FROM rcptguard.fleet")), (before, "1"))


class Trouble(Case):
    """What is said of it, with which exit code."""

    def test_command_line(self):
        with fleetdb.config("host=/nowhere") as path:
            for arguments, words in (([], "expected init, update, status or remove"), (["start"], "not `start`"), (["remove"], "the name of one node"), (["status", "x"], "not `x`"),
                                     (["status", "--no-vouching"], "--no-vouching goes with fleet init"), (["init", "--vouching", "no"], "--vouching goes with fleet update"),
                                     (["update", "--vouching", "maybe"], "expected yes or no, not `maybe`"), (["status", "--anyway"], "--anyway goes with fleet remove")):
                self.assertFailed(fleetdb.command(path, *arguments), 2, words)

    def test_who(self):
        """root names a user; others need the right, and are nobody else"""
        with fleetdb.config(self.server.conninfo("relay1")) as path:
            self.assertFailed(fleetdb.command(path, "init"), 1, "root does not talk to a database server")
            self.assertFailed(fleetdb.command(path, "init", "--user", "no-such-user"), 1, "there is no user `no-such-user`")
            self.assertFailed(fleetdb.command(path, "init", "--user", "root"), 1, "root does not talk to a database server")
            self.assertFailed(fleetdb.command(path, "status", user="daemon"), 4, "fleet is for root and for the daemon's user")
            self.assertFailed(fleetdb.command(path, "status", "--user", "mail", user=daemon.USER), 1, "only root can connect as another user")
            self.assertEqual(fleetdb.command(path, "status", user=daemon.USER)[0], 0)

    def test_connection(self):
        """the database is away, refuses, or is not named"""
        for conninfo, code, words in (("host=/nowhere user=relay1", 75, "No such file or directory"), (self.server.conninfo("boss"), 4, "eer authentication failed"),
                                      (self.server.conninfo_tcp("relay1"), 4, "no password supplied"), (self.server.conninfo("relay1").replace("=rcptguard", "=nosuch"), 1, "does not exist")):
            with fleetdb.config(conninfo) as path:
                self.assertFailed(fleetdb.command(path, "status"), code, words)
                self.assertFailed(fleetdb.command(path, "status", "--database", "host=a password=s3cret"), 1, "--database: a secret does not belong here")
        with fleetdb.config("host=a password=s3cret") as path:
            done = fleetdb.command(path, "status")
            self.assertFailed(done, 1, "a secret does not belong here")
            self.assertNotIn("s3cret", done[2])
        path = daemon.write(os.path.join(self.server.folder, "none.conf"), "")
        self.assertFailed(fleetdb.command(path, "status"), 1, "names no database in [fleet]; give --database")

    def test_without_right(self):
        """a login without a role of a fleet"""
        self.server.create_role("stranger", system_user="bin")
        self.assertFailed(self.run_as("stranger", "bin", "status"), 4, "permission denied for schema rcptguard")


if __name__ == "__main__":
    surroundings.enter()
    tap.main()
