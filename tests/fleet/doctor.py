"""`rcptguardq doctor` about [fleet]: each thing that can be wrong with a real database, and that the line which it prints fixes it.

There is no MTA here: what doctor says of the rest is left out.  It takes about 25 s.
"""

import os
import pathlib
import shutil
import struct
import subprocess
import time
import unittest
import unittest.mock

import daemon
import fakeclock
import postgres
import review
import surroundings
import tap

PASSWORD = "open sesame"
ADDRESS = surroundings.ADDRESSES[0]
HOST = "db1.corp.example"

CHECKS = ["fleet-passfile", "fleet", "fleet-tls", "fleet-role", "fleet-node", "fleet-clock", "fleet-decisions"]
HBA = "host rcptguard all %s/32 scram-sha-256\n" % ADDRESS


class Doctor(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = daemon.temporary_directory()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        os.chmod(cls.folder, 0o755)
        cls.server = postgres.Server(settings={"listen_addresses": "127.0.0.1, " + ADDRESS}, hba=HBA)
        cls.addClassCleanup(cls.server.close)
        cls.passfile = os.path.join(cls.folder, "passwords")
        cls.make_tables(postgres.DATABASE)

    @classmethod
    def make_tables(cls, database):
        conninfo = postgres.conninfo(host=cls.server.sockets, port=cls.server.port, user="postgres", dbname=database)
        cls.rcptguardq("fleet", "init", "--user", "postgres", "--database", conninfo)

    @classmethod
    def rcptguardq(cls, *arguments, code=0, config=None, env=None):
        """Its output."""
        path = config or daemon.write_config(os.path.join(cls.folder, "plain.conf"), {("milter", "user"): daemon.USER})
        done = subprocess.run([review.PROGRAM, *arguments, "-c", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=daemon.LIMIT, env=env or daemon.environment())
        assert code is None or done.returncode == code, done
        return done.stdout

    def setUp(self):
        """The node mx1, that was seen just now."""
        self.server.psql("DROP ROLE IF EXISTS mx1; DROP ROLE IF EXISTS mx2")
        self.server.create_role("mx1", groups=["rcptguard_node"], password=PASSWORD)
        self.server.create_role("mx2", groups=["rcptguard_node"])
        self.add_node("mx1", "mx1")
        postgres.write_passfile(self.passfile, ["*:*:*:mx1:" + PASSWORD], daemon.USER)
        self.keys = {("fleet", "database"): self.conninfo(), ("fleet", "node"): "mx1"}
        self.env = daemon.environment()

    def tearDown(self):
        self.server.psql("DELETE FROM rcptguard.decision; DELETE FROM rcptguard.node")

    def conninfo(self, **options):
        return self.server.conninfo_tcp("mx1", passfile=self.passfile, **options)

    def add_node(self, name, role, age=0):
        """As that node has written it, but for the time."""
        self.server.psql("ALTER TABLE rcptguard.node DISABLE TRIGGER seen; INSERT INTO rcptguard.node (name, role, program, fleet_version, seen, skew_ms)"
                         " VALUES ('%s', '%s', 'test', 1, clock_timestamp() - interval '%d s', 0); ALTER TABLE rcptguard.node ENABLE TRIGGER seen" % (name, role, age))

    def findings(self):
        """What doctor says of the fleet: {check: [finding]}."""
        path = os.path.join(self.folder, "rcptguard.conf")
        daemon.write_config(path, {("milter", "user"): daemon.USER, ("ledger", "path"): os.path.join(self.folder, "ledger.db"), **self.keys})
        answer = review.Answer(None, self.rcptguardq("doctor", "--json", config=path, code=None, env=self.env), "")
        found = {}
        for one in answer.json():
            if one["check"].startswith("fleet"):
                self.assertEqual(one["why"] is None, one["severity"] == "ok", one)
                self.assertRegex(one["text"], r"^\S.*[^.]$")
                found.setdefault(one["check"], []).append(one)
        return found

    def wrong(self):
        """[(severity, check)], and the findings of them."""
        found = [one for several in self.findings().values() for one in several if one["severity"] != "ok"]
        return [(one["severity"], one["check"]) for one in found], found

    def apply(self, mend):
        place, line = mend["place"], mend["line"]
        if place == "psql":
            self.server.psql(line)
        elif place == "rcptguard.conf":
            key, _, value = line.partition(" = ")
            self.keys["fleet", key] = value
        else:
            self.assertEqual(place, "shell")
            subprocess.run(["sh", "-c", line], check=True)

    def check(self, *wanted, text=None, mended=True):
        """These are found, and what they say to do makes them go away."""
        names, found = self.wrong()
        self.assertEqual(names, list(wanted), found)
        if text is not None:
            self.assertRegex("\n".join(one["text"] for one in found), text)
        for one in found if mended else ():
            self.assertNotEqual(one["mend"], [], one)
            for mend in one["mend"]:
                self.apply(mend)
        if mended:
            self.assertEqual(self.wrong(), ([], []))
        return found

    def test_nothing(self):
        """without a database there is one line"""
        del self.keys["fleet", "database"]
        self.assertEqual({name: [one["text"] for one in found] for name, found in self.findings().items()}, {"fleet": ["no database is set in [fleet]"]})

    def test_sound(self):
        """each check has its line, by the loopback and by the socket"""
        found = self.findings()
        self.assertEqual(list(found), CHECKS)
        self.assertEqual({one["severity"] for several in found.values() for one in several}, {"ok"}, found)
        self.server.map_user(daemon.USER, "mx1")
        self.keys["fleet", "database"] = self.server.conninfo("mx1")
        self.check()

    def test_passfile(self):
        """missing, of another user, open to others; nothing more is said of the database until that is over"""
        os.chmod(self.passfile, 0o640)
        self.check(("error", "fleet-passfile"), text="mode 640")
        os.chown(self.passfile, 0, 0)
        self.check(("error", "fleet-passfile"), text="belongs to another user")
        os.unlink(self.passfile)
        found = self.check(("error", "fleet-passfile"), text="No such file", mended=False)
        self.apply(found[0]["mend"][0])
        self.assertEqual((os.stat(self.passfile).st_mode & 0o777, pathlib.Path(self.passfile).owner()), (0o600, daemon.USER))

    def test_refused(self):
        """a wrong password, and a role without the right"""
        postgres.write_passfile(self.passfile, ["*:*:*:mx1:wrong"], daemon.USER)
        found = self.check(("error", "fleet"), text="password authentication failed", mended=False)
        self.assertEqual([mend["place"] for mend in found[0]["mend"]], ["psql", "shell"])
        self.assertEqual(found[0]["mend"][0]["line"], r'\password "mx1"')
        self.assertEqual(found[0]["mend"][1]["line"], "echo '127.0.0.1:*:*:mx1:PASSWORD' >>%s" % self.passfile)
        daemon.write(self.passfile, "", 0o600)
        daemon.own(self.passfile)
        subprocess.run(["sh", "-c", found[0]["mend"][1]["line"].replace("PASSWORD", PASSWORD)], check=True)
        self.check()
        self.server.psql("REVOKE rcptguard_node FROM mx1")
        self.check(("error", "fleet"), text="permission denied")

    def test_away(self):
        """stopped, and silent: a warning, within its deadline"""
        self.server.stop()
        try:
            found = self.check(("warning", "fleet"), mended=False)
        finally:
            self.server.start()
        self.assertEqual(found[0]["mend"], [{"place": "shell", "line": "systemctl start postgresql"}])
        self.server.pause()
        try:
            begun = time.monotonic()
            self.check(("warning", "fleet"), mended=False)
            self.assertLess(time.monotonic() - begun, 40 * tap.SLOWNESS)
        finally:
            self.server.resume()
        self.check()

    def test_schema(self):
        """no tables, and tables of a newer program"""
        self.server.psql("CREATE DATABASE empty", database="postgres")
        self.addCleanup(self.server.psql, "DROP DATABASE empty WITH (FORCE)", database="postgres")
        self.keys["fleet", "database"] = self.conninfo(dbname="empty")
        found = self.check(("error", "fleet"), text="has no tables yet", mended=False)
        self.assertEqual(found[0]["mend"], [{"place": "shell", "line": "rcptguardq fleet init"}])
        self.make_tables("empty")
        self.assertEqual(self.wrong()[0], [("warning", "fleet-node")])
        self.keys["fleet", "database"] = self.conninfo()
        self.addCleanup(self.server.psql, "UPDATE rcptguard.fleet SET version = %s" % self.server.psql("SELECT version FROM rcptguard.fleet"))
        self.server.psql("UPDATE rcptguard.fleet SET version = 99")
        self.check(("error", "fleet"), text="schema 99, and this rcptguard knows", mended=False)

    def test_network(self):
        """over a network: without a check of the certificate a warning, with it none"""
        self.make_certificate()
        common = {"host": HOST, "hostaddr": ADDRESS, "sslrootcert": os.path.join(self.folder, "server.crt")}
        for options in {}, {"sslmode": "prefer"}, {"sslmode": "require"}, {"sslmode": "verify-ca"}:
            with self.subTest(options):
                self.keys["fleet", "database"] = self.conninfo(**common, **options)
                self.check(("warning", "fleet-tls"), text="sslmode is %s" % options.get("sslmode", "not set"))
                self.assertIn("sslmode=verify-full", self.keys["fleet", "database"])
        self.keys["fleet", "database"] = "postgresql://mx1@%s:%d/rcptguard?hostaddr=%s&sslrootcert=%s&passfile=%s" % (
            HOST, self.server.port, ADDRESS, common["sslrootcert"], self.passfile)
        self.check(("warning", "fleet-tls"))

    def make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.crt", "-days", "30", "-subj", "/CN=" + HOST,
                        "-addext", "subjectAltName=DNS:" + HOST], cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name in "server.key", "server.crt":
            self.server.write(name, pathlib.Path(self.folder, name).read_text())
        self.server.psql("ALTER SYSTEM SET ssl = on")
        self.server.reload()

    def test_role(self):
        """each right that a node should not have"""
        for right in "SUPERUSER", "BYPASSRLS", "CREATEROLE":
            with self.subTest(right):
                self.server.psql("ALTER ROLE mx1 " + right)
                self.check(("warning", "fleet-role"), text="the role mx1 has " + right)
        for group in "rcptguard_owner", "rcptguard_reviewer":
            with self.subTest(group):
                self.server.psql("GRANT %s TO mx1" % group)
                self.check(("warning", "fleet-role"), text="the role mx1 is in " + group)
        # As an owner of another kind: it can read, and is no node.
        self.server.psql("REVOKE rcptguard_node FROM mx1; GRANT rcptguard_reviewer TO mx1")
        self.check(("warning", "fleet-role"), ("error", "fleet-role"), text="is not in rcptguard_node")

    def test_node(self):
        """unknown, not seen, or another one's"""
        self.keys["fleet", "node"] = "mx9"
        found = self.check(("warning", "fleet-node"), text="does not know a node mx9", mended=False)
        self.assertEqual(found[0]["mend"], [{"place": "shell", "line": "systemctl enable rcptguard-fleet.service && systemctl restart rcptguard-fleet.service"}])
        self.add_node("mx9", "mx2")
        self.check(("error", "fleet-node"), text="is that of a node whose role is mx2")
        self.assertEqual(self.keys["fleet", "node"], "mx1")
        self.server.psql("DELETE FROM rcptguard.node")
        self.add_node("mx1", "mx1", age=600)
        self.check(("warning", "fleet-node"), text="published nothing for 10 minutes", mended=False)

    def test_decisions(self):
        """one that waits for long"""
        insert = "INSERT INTO rcptguard.decision (node, row, action, at) VALUES ('mx1', 1, 'release', clock_timestamp() - interval '%d s')"
        self.server.psql(insert % 10)
        self.check()
        self.server.psql(insert % 420)
        self.check(("warning", "fleet-decisions"), text="2 decisions for this node wait, the oldest for 7 minutes", mended=False)
        self.server.psql("UPDATE rcptguard.decision SET done = clock_timestamp()")
        self.check()

    def test_clock(self):
        """one that is ahead, and one that is behind"""
        path = os.path.join(self.folder, "clock")
        for seconds, word in (60, "ahead of"), (-60, "behind"):
            with self.subTest(seconds):
                daemon.write(path, struct.pack("=q", seconds) + bytes(4088))
                with unittest.mock.patch.dict(os.environ, LD_PRELOAD=fakeclock.LIBRARY, FAKE_CLOCK=path):
                    self.env = dict(daemon.environment(), LD_PRELOAD=fakeclock.LIBRARY)
                self.check(("warning", "fleet-clock"), text=r"is (60|5\d)\.\d s %s that of the database" % word, mended=False)
        self.env = daemon.environment()
        self.check()


if __name__ == "__main__":
    surroundings.enter()
    tap.main()
