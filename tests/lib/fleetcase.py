"""A unittest case with several servers that share one PostgreSQL: two private Postfix and a private Sendmail, each with its daemon and agent.

    class Decisions(fleetcase.FleetCase):
        def test_release(self):
            held = self.nodes[0].hold()
            number, = self.decide([(self.nodes[0], held)], "release")
            self.assertEqual(self.answer(number).code, review.DONE)

    if __name__ == "__main__":
        fleetcase.main()

A node is a review.ReviewCase of its own, which is no test: all that such a case can do can be done there, as
`node.hold()`, `node.done("list")`, `node.row(queue_id)`.  Its agent runs from the start; agent() starts it again.
"""

import collections
import contextlib
import json
import os
import signal
import subprocess
import unittest

import accounting
import daemon
import devlog
import ledgerfile
import mta
import mtacase
import postgres
import review
import surroundings
import tap

# Users that every system has, who are reviewers here, with roles of the same names; and one who is in no group.
ANN, BOB, EVE = "games", "news", "lp"
PASSWORD = "open sesame"

# What is compared of a record: what means nothing elsewhere is not in it.
TABLES = {"party": "held", "approval": "held", "history": "held", "decision": "held", "inside_test": "held"}
LEFT_OUT = {"held": ("process",), "decision": ("seal", "process", "origin")}

Answer = collections.namedtuple("Answer", "code words")


class Node(accounting.AccountingCase):
    """One server.  `NODE` is its name and the role that it logs in as, `FLEET` the fleet that it belongs to."""

    NODE = None
    FLEET = None
    REVIEW = {"release": "%s, %s" % (ANN, BOB), "return": ANN, "delete": ANN}
    LEDGER = {}  # keys of [ledger]

    def runTest(self):
        """It is no test."""

    @classmethod
    def configure(cls, **keys):
        text = "root: postmaster@me.example\n%s: ann@me.example\n%s: bob@me.example\n" % (ANN, BOB)
        path = super().configure(identities=daemon.write(os.path.join(cls.guard.directory, "identities"), text), **keys)
        with open(path, "a", encoding="utf-8") as file:
            file.write("[fleet]\ndatabase = %s\nnode = %s\n" % (cls.FLEET.conninfo(cls.NODE), cls.NODE))
        return path

    # ---- its agent

    process = None

    def agent(self, *options, env=None):
        """Starts `rcptguardq agent --wait`, which starts what exchanges with the database."""
        assert self.process is None
        self.process = subprocess.Popen(self.command("agent", "--wait", *options), env=env or daemon.environment(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        return self.process

    def exchange(self, **options):
        """Starts the half alone that exchanges with the database."""
        return self.agent("--fleet", **options)

    def stop_agent(self, number=signal.SIGTERM):
        """Ends it with all that it has started, but what the MTA does goes on."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            for child in [self.process.pid, *_descendants(self.process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, number)
        self.process.wait(mta.LIMIT)
        self.process = None

    def restart_agent(self):
        self.stop_agent()
        self.agent()

    # ---- many messages

    def hold_many(self, count, **options):
        """Puts them on hold, one after another."""
        held = []
        with self.mta.connect("plain") as session:
            for _ in range(count):
                subject, text = self.message(cc=review.WIDE, **options)
                reply = self.mta.transaction(session, mtacase.SENDER, review.WIDE, text)
                self.assertEqual((reply.stage, reply.code), ("data", 250), reply)
                held.append(review.Held(reply.queue_id, subject, review.WIDE))
        wanted = {one.id for one in held}
        daemon.wait_until(lambda: wanted <= set(self.mta.held()), mta.LIMIT, "the hold of %d messages" % count)
        for one in held:
            daemon.wait_until(lambda queue_id=one.id: self.mta.lets_go(queue_id), mta.LIMIT, "the end of what the MTA does with %s" % one.id)
        return held

    # ---- what it has written down

    def record(self, queue_id):
        """The row with all that belongs to it, as {table: [row]}, from the ledger's file."""
        row = self.row(queue_id)
        found = {"held": _columns("held", row)}
        for table, column in TABLES.items():
            found[table] = [_columns(table, each) for each in ledgerfile.query(self.guard.ledger_path, "SELECT * FROM %s WHERE %s = ? ORDER BY rowid" % (table, column), row["id"])]
        return found

    def unpublished(self):
        return ledgerfile.query(self.guard.ledger_path, "SELECT count(*) AS n FROM unpublished")[0]["n"]


def _columns(table, row):
    return {name: row[name] for name in row.keys() if name not in LEFT_OUT.get(table, ())}


def _descendants(pid):
    found = []
    for child in daemon.children(pid):
        found += [child, *_descendants(child)]
    return found


class Fleet:
    """The database, and the nodes; `nodes` are the kinds of their MTAs.  Node number 0 is mx1."""

    def __init__(self, nodes=("postfix", "postfix", "sendmail"), bases=(Node,), server=None, **attributes):
        self.server = server or postgres.Server()
        self.conninfo_of = None
        self.nodes = []
        self.classes = []
        try:
            self._make_database()
            for number, kind in enumerate(nodes, 1):
                self._add("mx%d" % number, kind, bases, attributes)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _make_database(self):
        self.server.create_role("boss", system_user=daemon.USER, options="LOGIN SUPERUSER")
        self.folder = daemon.temporary_directory()
        path = daemon.write(os.path.join(self.folder, "owner.conf"), "[milter]\npolicy = /dev/null\nsocket = inet:1@127.0.0.1\nuser = %s\n[ledger]\npath = %s/none.db\n[fleet]\ndatabase = %s\n"
                            % (daemon.USER, self.folder, self.server.conninfo("boss")))
        self.owner_config = path
        self.program = review.copy_program(self.folder)
        self.manage("init")
        for login in ANN, BOB, EVE:
            self.server.create_role(login, ["rcptguard_reviewer"], system_user=login, password=PASSWORD)

    def manage(self, *words, code=0):
        """`rcptguardq fleet WORDS` by an owner of the database."""
        done = subprocess.run([self.program, "fleet", *words, "-c", self.owner_config], user=daemon.USER, extra_groups=[], cwd="/", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=daemon.environment(), timeout=mta.LIMIT, check=False)
        assert done.returncode == code, done.stdout.decode()
        return done.stdout.decode()

    def conninfo(self, node):
        """Where a node finds the database; a test may set `conninfo_of` to another function of its name."""
        return (self.conninfo_of or self.server.conninfo)(node)

    def _add(self, name, kind, bases, attributes):
        self.server.create_role(name, ["rcptguard_node"], system_user=daemon.USER)
        cls = type("Node_" + name, bases, {"MTA": kind, "NODE": name, "FLEET": self, "__module__": __name__, **attributes})
        cls.setUpClass()
        self.classes.append(cls)
        node = cls()
        self.nodes.append(node)
        node.done("delete", node.hold().id, reason="the first decision makes the key")

    def close(self):
        for node in self.nodes:
            node.stop_agent(signal.SIGKILL)
        for cls in self.classes:
            cls.tearDownClass()
            cls.doClassCleanups()
        self.server.close()


@unittest.skipUnless(daemon.ROOT, "an MTA starts as root only")
class FleetCase(unittest.TestCase):
    NODES = ("postfix", "postfix", "sendmail")
    BASES = (Node,)  # of the nodes' classes
    AGENTS = True  # they run from the start of the class
    ATTRIBUTES = {}  # of the nodes' class

    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(cls.NODES, cls.BASES, **cls.ATTRIBUTES)
        cls.addClassCleanup(cls.fleet.close)
        cls.server = cls.fleet.server
        cls.nodes = cls.fleet.nodes
        devlog.lines()

    def setUp(self):
        if self.AGENTS:
            self.start_agents()

    def start_agents(self):
        """Those that do not run; returns once each node is in the database."""
        for node in self.nodes:
            if node.process is not None and node.process.poll() is not None:
                node.stop_agent()
            if node.process is None:
                node.agent()
        daemon.wait_until(lambda: {row["name"] for row in self.rows("SELECT name FROM rcptguard.node")} >= {node.NODE for node in self.nodes}, mta.LIMIT, "the nodes in the database")

    def tearDown(self):
        """Nothing of one test waits in the next one."""
        for node in self.nodes:
            for queue_id in node.mta.held():
                node.mta.drop(queue_id)

    # ---- the database

    def rows(self, text):
        """[{column: value}] of what the superuser asks."""
        return [json.loads(line) for line in self.server.psql("SELECT to_json(x) FROM (%s) x" % text).splitlines()]

    def hang_up(self, like):
        """Ends the sessions of these roles, after what has changed is there: they begin anew at once."""
        self.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE '%s'" % like)

    def as_person(self, login, sql, code=0):
        """What psql prints when a reviewer runs it, with his own password."""
        env = dict(os.environ, PGPASSWORD=PASSWORD, LC_ALL="C")
        done = subprocess.run([os.path.join(self.server.programs, "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.server.port),
                               "-U", login, "-d", postgres.DATABASE], input=sql.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                              timeout=mta.LIMIT, check=False)
        self.assertEqual(done.returncode, code, done.stdout.decode())
        return done.stdout.decode()

    def decide(self, messages, action="release", reason="agreed", who=ANN):
        """Decides of (node, held), as rows of the database that a reviewer adds.  Gives their ids."""
        out = self.as_person(who, "".join("INSERT INTO rcptguard.decision (node, row, queue_id, action, reason) VALUES ('%s', %d, '%s', '%s', %s) RETURNING id;\n"
                                          % (node.NODE, node.row(held.id)["id"], held.id, action, "NULL" if reason is None else "'%s'" % reason) for node, held in messages))
        return [int(line) for line in out.split()]

    def vouch(self, node, held, action, login, by, reason="agreed"):
        """The same by a node that vouches for the person."""
        return int(self.server.psql("SET SESSION AUTHORIZATION \"%s\"; INSERT INTO rcptguard.decision (node, row, queue_id, action, reason, vouched_for) VALUES"
                                    " ('%s', %d, '%s', '%s', '%s', '%s') RETURNING id" % (by.NODE, node.NODE, node.row(held.id)["id"], held.id, action, reason, login)))

    def answer(self, number, limit=mta.LIMIT):
        """What the holding node says of a decision, once it has."""
        row = daemon.wait_until(lambda: self.rows("SELECT code, words FROM rcptguard.decision WHERE id = %d AND done IS NOT NULL" % number), limit, "the answer to decision %d" % number)
        return Answer(row[0]["code"], row[0]["words"])

    def wait_answered(self, numbers, limit=mta.LIMIT):
        """{id: answer} of many."""
        wanted = ",".join(map(str, numbers))
        daemon.wait_until(lambda: self.rows("SELECT count(*) AS n FROM rcptguard.decision WHERE id IN (%s) AND done IS NULL" % wanted)[0]["n"] == 0, limit, "the answers to %d decisions" % len(numbers))
        return {row["id"]: Answer(row["code"], row["words"]) for row in self.rows("SELECT id, code, words FROM rcptguard.decision WHERE id IN (%s)" % wanted)}

    def wait_published(self, node, limit=mta.LIMIT):
        """All that the ledger has is in the database."""
        daemon.wait_until(lambda: node.unpublished() == 0, limit, "the publishing of what %s has" % node.NODE)

    def published(self, node):
        """{row: record} of what the database has of a node."""
        return {row["row"]: row["record"] for row in self.rows("SELECT row, record FROM rcptguard.held WHERE node = '%s'" % node.NODE)}

    def assertPublished(self, node, *held):
        """The trail of each is in the database what it is in the ledger.  The agent looks at the queue once a minute, and may change the one between two looks of ours."""
        found = self.differences(node, held) and self.differences(node, held)
        self.assertEqual(found, [])

    def differences(self, node, held):
        """[(queue id, table, what is published, what is in the ledger)]"""
        self.wait_published(node)
        there = self.published(node)
        found = []
        for one in held:
            record = node.record(one.id)
            published = there[record["held"]["id"]]
            found += [(one.id, table, published.get(table), record[table]) for table in ("held", *TABLES) if published.get(table) != record[table]]
        return found

    # ---- what became of the messages

    def settle(self, messages):
        """Each of (node, held) is on hold, or was delivered once; gives those that are on hold."""
        left = []
        for node in self.nodes:
            there = set(node.mta.held())
            own = [held for where, held in messages if where is node]
            gone = [held for held in own if held.id not in there]
            left += [(node, held) for held in own if held.id in there]
            node.assertNothingDelivered([held for held in own if held.id in there])
            for one in gone:
                with contextlib.suppress(AssertionError):
                    daemon.wait_until(lambda one=one, node=node: len(node.mta.recipients(one.subject)) >= len(one.recipients), 10, "the delivery")
                    continue
                node.mta.flush(one.id)
            node.assertDeliveredOnce(gone)
        return left


def main(limit=tap.TEST_LIMIT, folders=()):
    surroundings.enter(folders)
    tap.main(limit)
