"""Connections to a real PostgreSQL: deadlines, failures and what is said of them, logins, several hosts, TLS; by tests/fleet/pg-probe.

It makes several clusters of PostgreSQL, and breaks them, which takes about 40 s.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time
import unittest

import daemon
import postgres
import surroundings
import tap
import tcplink

PROBE = os.path.join(daemon.BUILD, "tests/fleet/pg-probe")

# How much later than its deadline a call may end here: two loaded cores, and sanitizers.
LATE = 60 * tap.SLOWNESS

PASSWORD = "s3cret-Horse-battery"


def command(kind, seconds, sql="", values=()):
    def escape(text):
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return " ".join([kind, str(seconds), "\t".join([escape(sql), *("\\N" if value is None else escape(value) for value in values)])]).rstrip(" ")


class Probe:
    """One connection; `who` is a user of the system, or `connection` for none."""

    def __init__(self, who, conninfo, seconds=60, home=None):
        env = daemon.environment()
        if home is not None:
            env["PROBE_HOME"] = home
        self.errors = os.path.join(daemon.temporary_directory(), "errors")
        options = {}
        if who == "connection" and daemon.ROOT:  # as the daemon does
            options = {"user": daemon.USER}
            env["HOME"] = "/nonexistent"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen([_program(), who, conninfo, str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=env,
                                            cwd="/", text=True, **options)
        self.opened = self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        code = self.process.wait(daemon.LIMIT)
        self.process.stdout.close()
        said = pathlib.Path(self.errors).read_text("utf-8", "replace")
        shutil.rmtree(os.path.dirname(self.errors))
        assert code == 0 and daemon.SANITIZER_REPORT.search(said) is None, "exit code %s: %s" % (code, said)

    def answer(self):
        """(rows, what the last line says as a list)"""
        rows = []
        while True:
            line = self.process.stdout.readline()
            assert line, "the probe has ended: " + pathlib.Path(self.errors).read_text("utf-8", "replace")
            if not line.startswith("row "):
                return rows, line.rstrip("\n").split(" ", 4)
            rows.append([None if word == "\\N" else word for word in line[4:].rstrip("\n").split("\t")])

    def send(self, *words, **options):
        self.process.stdin.write(command(*words, **options) + "\n")
        self.process.stdin.flush()

    def query(self, sql, *values, seconds=60):
        self.send("query", seconds, sql, values)
        return self.answer()

    def wait(self, seconds=60):
        self.send("wait", seconds)
        return self.answer()


def _program():
    """A checkout may be where only root can read."""
    if not hasattr(_program, "path"):
        _program.folder = daemon.temporary_directory()
        _program.path = shutil.copy(PROBE, _program.folder)
    return _program.path


class Case(unittest.TestCase):
    def assertRow(self, answer, *values):
        self.assertEqual(answer[1][0], "ok", answer)
        self.assertEqual(answer[0], [list(values)])

    def assertError(self, answer, kind, sqlstate, words, dead=True):
        """`words` are in its text; no password is."""
        self.assertEqual((answer[0], answer[1][:4]), ([], ["error", kind, sqlstate, "dead" if dead else "alive"]), answer)
        self.assertIn(words, answer[1][4])
        self.assertNotIn(PASSWORD, answer[1][4])

    def assertInTime(self, began, seconds):
        took = time.monotonic() - began
        self.assertLess(took, seconds + LATE)
        return took


class Ways(Case):
    """What is the same for a connection of our own and for a session of another user."""

    WAYS = "connection", "nobody"

    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server()
        cls.server.create_role("relay1", system_user="nobody", password=PASSWORD)
        cls.server.psql("CREATE TABLE numbers (number int); GRANT SELECT, INSERT ON numbers TO relay1; CREATE TABLE secret (number int)")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def each(self, **options):
        for way in self.WAYS:
            with self.subTest(way), Probe(way, self.server.conninfo("relay1", **options)) as probe:
                self.assertEqual(probe.opened[1], ["ok", "0"])
                yield probe

    def test_values(self):
        """values, NULL, text of several lines; what was changed; the settings of a session"""
        for probe in self.each():
            self.assertRow(probe.query("SELECT $1::text, $2::text, $3::int + 1", "a\tb\n'; --\u00e9", None, "41"),
                           "a\\tb\\n'; --\\303\\251", None, "42")
            self.assertEqual(probe.query("SELECT generate_series(1, 3)"), ([["1"], ["2"], ["3"]], ["ok", "3"]))
            self.assertEqual(probe.query("INSERT INTO public.numbers VALUES (1), (2)"), ([], ["ok", "2"]))
            self.assertRow(probe.query("SELECT session_user, current_setting('search_path'), current_setting('application_name'), current_setting('TimeZone')"),
                           "relay1", "pg_catalog", "rcptguard", "UTC")

    def test_large(self):
        """a million bytes in a value, and a hundred thousand rows"""
        for probe in self.each():
            self.assertRow(probe.query("SELECT length($1::text)", "x" * 1_000_000), "1000000")
            rows, last = probe.query("SELECT number, repeat('y', 20) FROM generate_series(1, 100000) AS number")
            self.assertEqual((len(rows), rows[-1], last), (100000, ["100000", "y" * 20], ["ok", "100000"]))

    def test_prepared_once(self):
        """the same text is prepared once"""
        for probe in self.each():
            for number in range(3):
                self.assertRow(probe.query("SELECT $1::int * 2", str(number)), str(2 * number))
            self.assertRow(probe.query("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%* 2'"), "1")

    def test_statement_errors(self):
        """what a statement did wrong leaves the connection as it is; a missing right is said to be one"""
        for probe in self.each():
            self.assertError(probe.query("SELECT * FROM public.secret"), "refused", "42501", "permission denied for table secret", dead=False)
            self.assertError(probe.query("SELECT * FROM rcptguard.held"), "wrong", "42P01", 'relation "rcptguard.held" does not exist', dead=False)
            self.assertError(probe.query("SELEC 1"), "wrong", "42601", "syntax error", dead=False)
            self.assertError(probe.query("SELECT 1; SELECT 2"), "wrong", "42601", "multiple commands", dead=False)
            self.assertRow(probe.query("SELECT 1"), "1")

    def test_transaction(self):
        """statements of a transaction, and its end by an error"""
        for probe in self.each():
            for sql in "BEGIN", "INSERT INTO public.numbers VALUES (77)":
                self.assertEqual(probe.query(sql)[1][0], "ok")
            self.assertError(probe.query("SELECT 1/0"), "wrong", "22012", "division by zero", dead=False)
            self.assertError(probe.query("SELECT 1"), "wrong", "25P02", "aborted", dead=False)
            self.assertEqual(probe.query("ROLLBACK")[1][0], "ok")
            self.assertRow(probe.query("SELECT count(*) FROM public.numbers WHERE number = 77"), "0")

    def test_deadline(self):
        """a query that takes too long: the connection is dead, and later calls fail at once"""
        for probe in self.each():
            began = time.monotonic()
            self.assertError(probe.query("SELECT pg_sleep(600)", seconds=0.2), "away", "-", "has not answered in time")
            self.assertGreaterEqual(self.assertInTime(began, 0.2), 0.2)
            self.assertError(probe.query("SELECT 1"), "away", "-", "the connection was closed")
            self.assertError(probe.wait(), "away", "-", "the connection was closed")

    def test_wait(self):
        """a notification: at once, later, while a query runs; several are one; none until the deadline"""
        for probe in self.each():
            probe.query("LISTEN rcptguard")
            self.assertEqual(probe.wait(0.01)[1], ["ok", "0"])
            self.server.psql("NOTIFY rcptguard, 'one'; NOTIFY rcptguard, 'two'")
            self.assertEqual(probe.wait()[1], ["ok", "1"])
            probe.send("wait", 60)
            self.server.psql("NOTIFY rcptguard, 'three'")
            self.assertEqual(probe.answer()[1], ["ok", "1"])
            self.assertEqual(probe.query("NOTIFY rcptguard, 'four'")[1][0], "ok")
            self.assertRow(probe.query("SELECT 1"), "1")
            self.assertEqual(probe.wait()[1], ["ok", "1"])
            self.assertEqual(probe.wait(0.01)[1], ["ok", "0"])

    def test_lock(self):
        """a lock that somebody else has is waited for until the deadline"""
        for probe in self.each():
            with Probe("nobody", self.server.conninfo("relay1")) as other:
                self.assertEqual(other.query("SELECT pg_advisory_lock(7)")[1][0], "ok")
                self.assertError(probe.query("SELECT pg_advisory_lock(7)", seconds=0.3), "away", "-", "in time")


class Trouble(Case):
    """A server that ends, says nothing, or is not there."""

    def setUp(self):
        self.server = postgres.Server()
        self.addCleanup(self.server.close)
        self.server.create_role("relay1", system_user="nobody", password=PASSWORD)

    def test_killed(self):
        """in the middle of a query, while one waits, and between calls; then it is back"""
        for way in Ways.WAYS:
            for call in "query", "wait", "between":
                with self.subTest(way + " " + call), Probe(way, self.server.conninfo("relay1")) as probe:
                    if call == "query":
                        probe.send("query", 60, "SELECT pg_sleep(600)")
                        daemon.wait_until(lambda: self.server.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(600)%' AND usename = 'relay1'") == "1")
                    elif call == "wait":
                        probe.send("wait", 60)
                    self.server.kill()
                    answer = probe.answer() if call != "between" else probe.query("SELECT 1")
                    self.assertEqual(answer[1][:2], ["error", "away"], answer)
                    self.assertError(probe.query("SELECT 1"), "away", "-", "the connection was closed")
                    self.server.start()

    def test_stopped(self):
        """what the server says at its end is passed on"""
        with Probe("connection", self.server.conninfo("relay1")) as probe:
            probe.send("query", 60, "SELECT pg_sleep(600)")
            daemon.wait_until(lambda: self.server.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(600)%' AND usename = 'relay1'") == "1")
            self.server.stop()
            self.assertError(probe.answer(), "away", "57P01", "terminating connection due to administrator command")

    def test_silent(self):
        """a paused server: the deadline holds, for a session and for a login"""
        for way in Ways.WAYS:
            with self.subTest(way), Probe(way, self.server.conninfo("relay1")) as probe:
                self.server.pause()
                began = time.monotonic()
                self.assertError(probe.query("SELECT 1", seconds=0.2), "away", "-", "has not answered in time")
                with Probe(way, self.server.conninfo("relay1"), seconds=0.2) as other:
                    self.assertError(other.opened, "away", "-", "has not answered in time")
                self.assertInTime(began, 0.4)
                self.server.resume()
                with Probe(way, self.server.conninfo("relay1")) as other:
                    self.assertRow(other.query("SELECT 1"), "1")

    def test_nothing_on_the_port(self):
        """nobody listens; somebody listens and says nothing; somebody who is no server"""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            for way in Ways.WAYS:
                with self.subTest(way), Probe(way, postgres.conninfo(host="127.0.0.1", port=port, user="relay1")) as probe:
                    self.assertError(probe.opened, "away", "-", "Connection refused")
            listener.listen()
            for way in Ways.WAYS:
                began = time.monotonic()
                with self.subTest(way), Probe(way, postgres.conninfo(host="127.0.0.1", port=port, user="relay1"), seconds=0.2) as probe:
                    self.assertError(probe.opened, "away", "-", "has not answered in time")
                    self.assertInTime(began, 0.2)
        for way in Ways.WAYS:
            with self.subTest(way), Probe(way, postgres.conninfo(host="/nonexistent", user="relay1")) as probe:
                self.assertError(probe.opened, "away", "-", "No such file or directory")

    def test_child(self):
        """the child of a session ends with its parent, and a child that dies is an error"""
        with Probe("nobody", self.server.conninfo("relay1")) as probe:
            child, = daemon.children(probe.process.pid)
            os.kill(child, signal.SIGKILL)
            self.assertError(probe.query("SELECT 1"), "away", "-", "has ended")
        probe = Probe("nobody", self.server.conninfo("relay1"))
        child, = daemon.children(probe.process.pid)
        status = daemon.status(child)
        uid = str(pwd.getpwnam("nobody").pw_uid)
        self.assertEqual(status["Uid"].split(), [uid] * 4)
        self.assertEqual(status["NoNewPrivs"], "1")
        environment = pathlib.Path("/proc/%d/environ" % child).read_bytes().decode().split("\0")
        self.assertEqual(sorted(word.partition("=")[0] for word in environment if word), ["HOME", "LC_ALL", "LOGNAME", "PATH", "USER"])
        self.assertNotIn("port", pathlib.Path("/proc/%d/cmdline" % child).read_text())
        probe.process.kill()
        probe.process.wait()
        probe.process.stdin.close()
        probe.process.stdout.close()
        daemon.wait_until(lambda: not daemon.alive(child), what="the end of the child")

    def test_child_of_another(self):
        """who may run the program by sudo cannot be the parent, and connect as whom he likes"""
        nobody = pwd.getpwnam("nobody")
        words = [os.path.join(daemon.BUILD, "rcptguardq"), "postgresql-session", str(nobody.pw_uid), str(nobody.pw_gid), "nobody"]
        for way, arguments, environment in (("by sudo", words, {**daemon.environment(), "SUDO_UID": "1000"}),
                                            ("another's socket", ["sh", "-c", '"$@"; exit $?', "sh", *words], daemon.environment())):
            with self.subTest(way):
                mine, other = socket.socketpair()
                with mine, other:
                    process = subprocess.run(arguments, stdin=other, env=environment, timeout=daemon.LIMIT, check=False)
                self.assertEqual(process.returncode, 2)
        process = subprocess.run(words, stdin=subprocess.DEVNULL, env=daemon.environment(), timeout=daemon.LIMIT, check=False)
        self.assertEqual(process.returncode, 2)

    def test_root(self):
        """root does not talk to a server"""
        with Probe("root", self.server.conninfo("relay1")) as probe:
            self.assertError(probe.opened, "wrong", "-", "root does not talk to a database server")


class Stopped(Case):
    """The network stops while a statement is on its way, and goes on when nobody waits for the statement any more."""

    INSERT = "INSERT INTO public.numbers SELECT length($1::text)"
    STATEMENT = 60_000  # more than the network takes while it has stopped: the rest waits in the client's kernel, which has room for that

    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server(hba="host all all 127.0.0.1/32 trust\n")
        cls.addClassCleanup(cls.server.close)
        cls.server.create_role("relay1", system_user="nobody")
        cls.server.psql("CREATE TABLE numbers (number int); GRANT SELECT, INSERT ON numbers TO relay1")

    @contextlib.contextmanager
    def stopped(self, way):
        """A connection whose network has stopped."""
        self.server.psql("TRUNCATE numbers")
        with contextlib.closing(tcplink.Link(self.server.port, window=4096)) as link:
            probe = Probe(way, self.server.conninfo_tcp("relay1", port=link.port, sslmode="disable", gssencmode="disable"))
            self.assertEqual(probe.query(self.INSERT, "x")[1], ["ok", "1"])  # it is prepared now
            link.stop()
            yield probe, link

    def assertNotCarriedOut(self, link):
        link.resume()
        link.ended()
        daemon.wait_until(lambda: self.server.psql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'relay1'") == "0", what="the end of the session")
        self.assertEqual(self.server.psql("SELECT string_agg(number::text, ' ') FROM numbers"), "1")

    def test_late(self):
        """it failed, and is not carried out later"""
        for way in Ways.WAYS:
            with self.subTest(way), self.stopped(way) as (probe, link), probe:
                self.assertError(probe.query(self.INSERT, "x" * self.STATEMENT, seconds=0.5), "away", "-", "has not answered in time")
                self.assertNotCarriedOut(link)

    def test_killed_caller(self):
        """so it is if the process is killed"""
        for way in Ways.WAYS:
            with self.subTest(way), self.stopped(way) as (probe, link):
                probe.send("query", 60, sql=self.INSERT, values=["x" * self.STATEMENT])
                daemon.wait_until(link.holds_back, what="the statement")
                children = daemon.children(probe.process.pid)
                probe.process.kill()
                probe.process.communicate()
                daemon.wait_until(lambda children=children: not any(daemon.alive(pid) for pid in children), what="the end of its child")
                shutil.rmtree(os.path.dirname(probe.errors))
                self.assertNotCarriedOut(link)

    def test_ordinary(self):
        """a connection that ends in order is not reset, which the server would log"""
        for way in Ways.WAYS:
            with self.subTest(way), Probe(way, self.server.conninfo_tcp("relay1", sslmode="disable", gssencmode="disable")) as probe:
                self.assertRow(probe.query("SELECT 1"), "1")
        daemon.wait_until(lambda: self.server.psql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'relay1'") == "0", what="the end of the sessions")
        self.assertNotIn("eset by peer", pathlib.Path(self.server.folder, "log").read_text("utf-8"))


class Login(Case):
    """Who may log in, by what, and what is said to whom may not."""

    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server()
        cls.server.create_role("relay1", system_user="nobody", password=PASSWORD)
        cls.home = daemon.temporary_directory()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        shutil.rmtree(cls.home)

    def passfile(self, password=PASSWORD, name=".pgpass", owner="nobody"):
        return postgres.write_passfile(os.path.join(self.home, name), ["127.0.0.1:%d:rcptguard:relay1:%s" % (self.server.port, password)], owner)

    def test_peer(self):
        """by the user of the process, and nobody else's role"""
        with Probe("nobody", self.server.conninfo("relay1")) as probe:
            self.assertRow(probe.query("SELECT session_user"), "relay1")
        with Probe("nobody", self.server.conninfo("postgres")) as probe:
            self.assertError(probe.opened, "refused", "28000", "Peer authentication failed")
        with Probe("daemon", self.server.conninfo("relay1")) as probe:
            self.assertError(probe.opened, "refused", "28000", "eer authentication failed")

    def test_scram(self):
        """the password of a passfile, in the home and elsewhere; a wrong one and none"""
        with Probe("nobody", self.server.conninfo_tcp("relay1"), home=self.home) as probe:
            self.assertError(probe.opened, "refused", "-", "no password supplied")
        other = self.passfile(name="elsewhere")
        with Probe("nobody", self.server.conninfo_tcp("relay1", passfile=other), home=self.home) as probe:
            self.assertRow(probe.query("SELECT 1"), "1")
        path = self.passfile()
        self.addCleanup(os.unlink, path)
        with Probe("nobody", self.server.conninfo_tcp("relay1"), home=self.home) as probe:
            self.assertRow(probe.query("SELECT 1"), "1")
        with Probe("connection", self.server.conninfo_tcp("relay1", passfile=path)) as probe:
            self.assertRow(probe.query("SELECT 1"), "1")
        self.passfile(PASSWORD + "-wrong")
        with Probe("nobody", self.server.conninfo_tcp("relay1"), home=self.home) as probe:
            self.assertError(probe.opened, "refused", "28P01", "password authentication failed")

    def test_wrong(self):
        """what a person has to fix: the string, the database; a role that is not there"""
        for conninfo, words in (("host=%s nonsense=1" % self.server.sockets, "nonsense"), ("host", "cannot be read"), ("host=a %s" % PASSWORD, "cannot be read"),
                                ("postgresql://relay1:%s@[::1" % PASSWORD, "cannot be read"), (self.server.conninfo("relay1", sslmode="never"), "sslmode"),
                                ("service=nosuch", "nosuch")):
            for way in Ways.WAYS:
                with self.subTest(way + " " + words), Probe(way, conninfo) as probe:
                    self.assertError(probe.opened, "wrong", "-", words)
        with Probe("nobody", self.server.conninfo("relay1").replace("dbname=rcptguard", "dbname=nosuch")) as probe:
            self.assertError(probe.opened, "wrong", "3D000", 'database "nosuch" does not exist')
        with Probe("nobody", self.server.conninfo("nosuch")) as probe:
            self.assertError(probe.opened, "refused", "28000", "eer authentication failed")

    def test_service(self):
        """a service of the person's own file"""
        path = daemon.write(os.path.join(self.home, ".pg_service.conf"), "[fleet]\n" + self.server.conninfo("relay1").replace(" ", "\n") + "\n")
        self.addCleanup(os.unlink, path)
        with Probe("nobody", "service=fleet", home=self.home) as probe:
            self.assertRow(probe.query("SELECT session_user"), "relay1")

    def test_too_many(self):
        """a server without a place: away, not refused"""
        self.server.psql('ALTER ROLE relay1 CONNECTION LIMIT 0')
        with Probe("nobody", self.server.conninfo("relay1")) as probe:
            self.assertError(probe.opened, "away", "53300", "too many connections")
        self.server.psql('ALTER ROLE relay1 CONNECTION LIMIT -1')


class Hosts(Case):
    """Several hosts: the one that can be written is found, and found again after it has changed."""

    def setUp(self):
        self.first = postgres.Server()
        self.addCleanup(self.first.close)
        self.first.create_role("relay1", system_user="nobody")
        self.second = postgres.Server(standby_of=self.first)
        self.addCleanup(self.second.close)

    def conninfo(self, *servers):
        return postgres.conninfo(host=",".join(server.sockets for server in servers), port=",".join(str(server.port) for server in servers), user="relay1", dbname="rcptguard")

    def test_failover(self):
        """a standby is passed over; the first is killed, the standby takes over, a silent one hides nobody"""
        both = self.conninfo(self.second, self.first)
        for way in Ways.WAYS:
            with self.subTest(way), Probe(way, both) as probe:
                self.assertRow(probe.query("SELECT current_setting('port')"), str(self.first.port))
            with self.subTest(way + " standby"), Probe(way, self.conninfo(self.second)) as probe:
                self.assertEqual(probe.opened[1][:2], ["error", "away"])
                self.assertRegex(probe.opened[1][4], "read-only|hot standby")
        with Probe("nobody", both) as probe:
            self.first.kill()
            self.assertError(probe.query("SELECT 1"), "away", "-", "")
        with Probe("nobody", both) as probe:
            self.assertEqual(probe.opened[1][:2], ["error", "away"])
            self.assertIn("; ", probe.opened[1][4])  # of both
        self.second.promote()
        with Probe("nobody", self.conninfo(self.first, self.second)) as probe:
            self.assertRow(probe.query("SELECT current_setting('port')"), str(self.second.port))

    def test_silent_first(self):
        """a host that says nothing takes its part of the time alone"""
        self.first.psql("SELECT pg_create_physical_replication_slot('x')")
        self.second.promote()
        self.first.pause()
        try:
            for way in Ways.WAYS:
                with self.subTest(way):
                    daemon.wait_until(lambda way=way: self.is_found(way), 120 * tap.SLOWNESS, "a connection to the second")
        finally:
            self.first.resume()

    def is_found(self, way):
        """A loaded machine may need more than the five seconds that are left to the second one."""
        with Probe(way, self.conninfo(self.first, self.second), seconds=10) as probe:
            if probe.opened[1][:2] == ["error", "away"]:
                self.assertRegex(probe.opened[1][4], "in time; .* in time")
                return False
            self.assertRow(probe.query("SELECT current_setting('port')"), str(self.second.port))
            return True

    def test_read_only(self):
        """a session that finds its server read-only is over: the next looks for the one that can be written"""
        with Probe("nobody", self.conninfo(self.second) + " target_session_attrs=any") as probe:
            self.assertError(probe.query("CREATE TABLE public.x (y int)"), "away", "25006", "read-only transaction")


class Encrypted(Case):
    """TLS with verification, against certificates that openssl makes here."""

    @classmethod
    def setUpClass(cls):
        cls.folder = daemon.temporary_directory()
        cls.authority("ours")
        cls.authority("theirs")
        cls.server = postgres.Server(hba="hostssl all all 127.0.0.1/32 scram-sha-256\nhostnossl all all 127.0.0.1/32 reject\n")
        cls.server.create_role("relay1", password=PASSWORD)
        cls.certificate("server", "DNS:db.me.example,IP:127.0.0.1")
        for name in "server.key", "server.crt":
            cls.server.write(name, pathlib.Path(cls.folder, name).read_text())
        cls.server.psql("ALTER SYSTEM SET ssl = on")
        cls.server.restart()
        cls.passfile = postgres.write_passfile(os.path.join(cls.folder, "pass"), ["*:*:*:relay1:" + PASSWORD], "nobody")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        shutil.rmtree(cls.folder)

    @classmethod
    def openssl(cls, *arguments):
        subprocess.run(["openssl", *arguments], cwd=cls.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)

    @classmethod
    def authority(cls, name):
        cls.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".crt", "-days", "30", "-subj", "/CN=" + name)

    @classmethod
    def certificate(cls, name, names):
        cls.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        daemon.write(os.path.join(cls.folder, name + ".ext"), "subjectAltName=" + names + "\n")
        cls.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ours.crt", "-CAkey", "ours.key", "-CAcreateserial", "-days", "30", "-extfile", name + ".ext", "-out", name + ".crt")

    def conninfo(self, authority, **options):
        return self.server.conninfo_tcp("relay1", **{"sslmode": "verify-full", "sslrootcert": os.path.join(self.folder, authority), "passfile": self.passfile, **options})

    def test_verified(self):
        """verify-full with the right authority and name, also by a name whose address is given"""
        for way in Ways.WAYS:
            for options in {}, {"host": "db.me.example", "hostaddr": "127.0.0.1"}:
                with self.subTest("%s %s" % (way, options)), Probe(way, self.conninfo("ours.crt", **options)) as probe:
                    self.assertRow(probe.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t")

    def test_not_verified(self):
        """another authority, another name, no authority, no TLS: each is an error with its reason"""
        for way in Ways.WAYS:
            for conninfo, kind, state, words in ((self.conninfo("theirs.crt"), "wrong", "-", "certificate verify failed"),
                                                 (self.conninfo("ours.crt", host="other.me.example", hostaddr="127.0.0.1"), "wrong", "-", "does not match host name"),
                                                 (self.conninfo("none.crt"), "wrong", "-", "root certificate file"),
                                                 (self.conninfo("ours.crt", sslmode="disable"), "refused", "28000", "pg_hba.conf rejects")):
                with self.subTest("%s %s" % (way, words)), Probe(way, conninfo) as probe:
                    self.assertError(probe.opened, kind, state, words)

    def test_deadline(self):
        """a query over TLS that takes too long, and a silent server"""
        with Probe("nobody", self.conninfo("ours.crt")) as probe:
            self.assertError(probe.query("SELECT pg_sleep(600)", seconds=0.2), "away", "-", "in time")
        with Probe("nobody", self.conninfo("ours.crt")) as probe:
            self.server.pause()
            try:
                self.assertError(probe.query("SELECT 1", seconds=0.2), "away", "-", "in time")
                with Probe("nobody", self.conninfo("ours.crt"), seconds=0.2) as other:
                    self.assertError(other.opened, "away", "-", "in time")
            finally:
                self.server.resume()


if __name__ == "__main__":
    surroundings.enter()
    tap.main()
