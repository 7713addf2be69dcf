"""What goes wrong between servers that share a database: agents that are killed, a database that is away, silent, read-only, another one, newer; a server that is cut off; clocks that differ.

What is held and decided on a server goes on meanwhile, and in the end each message was delivered once or is still held, with the same trail everywhere.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
import unittest

import daemon
import decided
import devlog
import fakeclock
import faultshim
import fleetcase
import ledgerfile
import mta
import postgres
import review
import soak
import tap
import tcplink

ANN = fleetcase.ANN
ALL = "write fsync rename open fcntl fork"

# Seconds: the agent notices a database that says nothing within its patience, and tries again after a pause of a minute at most.
NOTICED = 90 * tap.SLOWNESS
BACK = 150 * tap.SLOWNESS

AWAY = r"rcptguardq\[\d+\]: fleet: .*until that is over"
THERE = r"rcptguardq\[\d+\]: fleet: the database is there again"


class TroubleCase(fleetcase.FleetCase):
    def setUp(self):
        super().setUp()
        self.mark = len(devlog.lines())

    def said(self, pattern):
        return [line for line in devlog.lines()[self.mark:] if re.search(pattern, line)]

    def wait_said(self, pattern, count=1, limit=NOTICED):
        daemon.wait_until(lambda: len(self.said(pattern)) >= count, limit, "%d lines %r in the log" % (count, pattern))

    def check_local_work(self, node):
        """A hold and a decision, here, while the database is away; gives the messages: one left, one is held."""
        released, kept = node.hold(), node.hold()
        answer, took = soak.timed(lambda: node.ask("release", released.id, reason="local"))
        self.assertEqual(answer.code, review.DONE, answer)
        self.assertRegex(answer.err, r"\A(rcptguardq: other nodes are not shown: .*\n)?\Z")
        self.assertLess(took, 60 * tap.SLOWNESS)
        node.assertArrived(released)
        return released, kept

    def check_all_is_well(self, node, *held):
        """What is held is published, decisions are taken."""
        more = node.hold()
        self.assertPublished(node, more, *held)
        number, = self.decide([(node, more)])
        self.assertEqual(self.answer(number, BACK), (review.DONE, "released"))
        node.assertDeliveredOnce([more])


class Killed(TroubleCase):
    NODES = ("postfix", "sendmail")
    AGENTS = False
    STEPS = soak.pick(8, 50)  # on each node

    def exchange_once(self, node, env=None):
        return subprocess.run(node.command("agent", "--fleet"), env=env or daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=mta.LIMIT, check=False)

    def test_at_each_step(self):
        """of an exchange that takes a decision, carries it out, publishes and answers: the next one goes on, and it is delivered once"""
        shim = faultshim.Shim()
        self.addCleanup(shim.close)
        chance = soak.chance("fleet killed")
        killed = still = 0
        for node in self.nodes:
            self.assertEqual(self.exchange_once(node).returncode, review.DONE)
            held = node.hold()
            number, = self.decide([(node, held)])
            shim.count(ALL)
            self.assertEqual(self.exchange_once(node, shim.environment(daemon.environment())).returncode, review.DONE)
            calls = sum(shim.seen().values())
            shim.disarm()
            self.assertEqual(self.answer(number).code, review.DONE)
            # The last ones are those of an exchange that begins: what matters comes in between, so each part of it has its share.
            parts = [chance.randrange(calls * part // self.STEPS, max(calls * (part + 1) // self.STEPS, calls * part // self.STEPS + 1)) + 1 for part in range(self.STEPS)]
            for step in parts:
                with self.subTest("%s, step %d of %d" % (node.NODE, step, calls)):
                    held = node.hold()
                    number, = self.decide([(node, held)])
                    shim.arm(ALL, step, action=faultshim.KILL)
                    self.exchange_once(node, shim.environment(daemon.environment()))
                    place = shim.disarm()
                    killed += place is not None
                    still += held.id in node.mta.held()
                    daemon.wait_until(lambda node=node: self.exchange_once(node).returncode == review.DONE, mta.LIMIT, "an exchange that leaves nothing")
                    self.assertEqual(self.answer(number).code, review.DONE, place)
                    self.assertEqual(self.settle([(node, held)]), [])
                    self.assertEqual([event[:2] for event in node.events(held.id)], [(ANN, "release")])
                    self.assertPublished(node, held)
        soak.measured("an exchange killed at %d steps: %d times the message was still on hold, else it had left; each was delivered once", killed, still)
        self.assertGreater(killed, 0)

    def test_with_all_its_processes(self):
        """the agent, what exchanges and what carries out, killed while many are decided; they go on when it is started again"""
        chance = soak.chance("fleet killed together")
        for node in self.nodes:
            with self.subTest(node.NODE):
                held = node.hold_many(soak.pick(10, 100))
                node.agent()
                self.addCleanup(node.stop_agent)
                daemon.wait_until(lambda node=node: node.unpublished() == 0, mta.LIMIT, "the publishing")
                numbers = self.decide([(node, one) for one in held])
                for _ in range(soak.pick(2, 20)):
                    goal = chance.randrange(1, len(held) + 1)
                    daemon.wait_until(lambda node=node, goal=goal: len(node.mta.held()) <= goal, mta.LIMIT, "some releases") if goal >= len(held) - 3 else None
                    node.stop_agent(signal.SIGKILL)
                    node.agent()
                answers = self.wait_answered(numbers, BACK + 10 * len(held))
                self.assertEqual({answer.code for answer in answers.values()}, {review.DONE})
                self.assertEqual(self.settle([(node, one) for one in held]), [])
                self.assertPublished(node, *held)
                node.stop_agent()


class Alone(TroubleCase):
    """One process, or one row, of which something is wrong."""

    NODES = ("postfix", "postfix")

    def exchanging(self, node):
        """The process that `agent --wait` started for the exchange."""
        for child in daemon.children(node.process.pid):
            with contextlib.suppress(OSError), open("/proc/%d/cmdline" % child, "rb") as file:  # others come and go
                if b"--fleet" in file.read().split(b"\0"):
                    return child
        return None

    def test_the_exchange_is_killed(self):
        """the agent starts it again; and it ends with the agent"""
        node = self.nodes[0]
        first = daemon.wait_until(lambda: self.exchanging(node), mta.LIMIT, "the process of the exchange")
        os.kill(first, signal.SIGKILL)

        def another():
            decided.ring(node)  # the agent looks at each of its turns, and this begins one; a process with threads takes a moment to be gone
            found = self.exchanging(node)
            return found if found != first else None
        second = daemon.wait_until(another, mta.LIMIT, "another one")
        self.check_all_is_well(node)
        os.kill(node.process.pid, signal.SIGKILL)
        daemon.wait_until(lambda: not daemon.alive(second), mta.LIMIT, "its end with the agent")

    def test_ledger_is_another_one(self):
        """an exchange whose ledger was set aside ends: the next one opens what is there then"""
        node = self.nodes[0]
        node.stop_agent()
        node.hold()
        process = subprocess.Popen(node.command("agent", "--fleet", "--wait"), stderr=subprocess.PIPE, env=daemon.environment(), text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_published(node)
        path = node.guard.ledger_path
        os.rename(path, path + ".away")
        try:
            decided.ring(node)
            process.wait(mta.LIMIT)
        finally:
            os.rename(path + ".away", path)
        self.assertIn(process.returncode, (review.WRONG, review.PASSING))
        self.assertIn("ledger", process.stderr.read())
        node.agent()
        self.check_all_is_well(node)

    def test_what_the_database_cannot_take(self):
        """a row with such a text stays out of it, which the log says; the others come in"""
        node = self.nodes[0]
        bad, worse, good = node.hold(), node.hold(), node.hold()
        self.wait_published(node)
        node.stop_agent()
        for held, value in (bad, "'a' || char(0) || 'b'"), (worse, "CAST(x'61ff62' AS TEXT)"), (good, "'Grüße'"):
            ledgerfile.execute(node.guard.ledger_path, "UPDATE held SET subject = %s WHERE queue_id = '%s'" % (value, held.id))
            ledgerfile.execute(node.guard.ledger_path, "INSERT OR REPLACE INTO unpublished SELECT id, 1 FROM held WHERE queue_id = ?", held.id)
        node.agent()
        self.assertPublished(node, good)
        self.wait_said("fleet: row %d of the ledger cannot be published" % node.row(bad.id)["id"])
        self.check_all_is_well(node)

    def test_name_of_another(self):
        """a node that calls itself as another one does, or that has taken another name, is told so"""
        node, other = self.nodes
        node.stop_agent()
        self.addCleanup(node.configure)
        for name in other.NODE, "mx9":
            path = node.configure()
            text = open(path, encoding="utf-8").read()
            daemon.write(path, text.replace("node = %s\n" % node.NODE, "node = %s\n" % name))
            answer = node.ask("agent", "--fleet")
            self.assertEqual(answer.code, review.PASSING)
            self.assertRegex(answer.err, "the node `%s` has another role than `%s`, or this role is another node's" % (name, node.NODE))

    def test_not_configured(self):
        node = self.nodes[0]
        node.stop_agent()  # which may not have read its configuration yet
        path = node.configure()
        self.addCleanup(node.configure)
        text = open(path, encoding="utf-8").read()
        daemon.write(path, text.partition("[fleet]")[0])
        node.refused(review.WRONG, r"\[fleet\] database is not configured", "agent", "--fleet")


class Away(TroubleCase):
    NODES = ("postfix", "sendmail")

    def check(self, goes, comes_back):
        """Local work goes on while it is away, the log says so once for each node, and afterwards all is as it would have been."""
        before = [(node, node.hold()) for node in self.nodes]
        numbers = self.decide(before[:1], "delete")
        self.wait_answered(numbers)
        goes()
        try:
            meanwhile = [(node, *self.check_local_work(node)) for node in self.nodes]
            self.wait_said(AWAY, len(self.nodes), NOTICED)
        finally:
            comes_back()
        self.wait_said(THERE, len(self.nodes), BACK)
        self.assertEqual((len(self.said(AWAY)), len(self.said(THERE))), (len(self.nodes), len(self.nodes)), self.said("fleet:"))
        for node, released, kept in meanwhile:
            self.check_all_is_well(node, released, kept)
        self.assertEqual(len(self.settle(before[1:] + [(node, kept) for node, _, kept in meanwhile])), len(self.nodes) * 2 - 1)

    def test_killed(self):
        """it crashes, and is started again"""
        self.check(self.server.kill, self.server.start)

    def test_silent(self):
        """it is stopped: the system still accepts connections for it"""
        self.check(self.server.pause, self.server.resume)

    def test_read_only(self):
        def setting(value):
            self.server.psql("ALTER SYSTEM SET default_transaction_read_only = %s" % value)
            self.server.reload()

        self.check(lambda: setting("on"), lambda: setting("off"))

    def test_newer(self):
        """its schema is of a version to come: it is left alone, and local work goes on"""
        def version(number):
            self.server.psql("UPDATE rcptguard.fleet SET version = " + number)
            self.hang_up("mx%")
        self.check(lambda: version("version + 98"), lambda: version("version - 98"))
        self.assertRegex(self.said(AWAY)[0], r"has schema \d+, this rcptguard knows \d+: update it")

    def test_made_anew(self):
        """another database under the same name is filled from the ledgers, and its decisions are new ones though their numbers are not"""
        held = [(node, node.hold()) for node in self.nodes]
        for node, one in held:
            self.assertEqual(self.answer(self.decide([(node, one)], "delete")[0]).code, review.DONE)
            self.assertPublished(node, one)
        before = {node.NODE: set(self.published(node)) for node in self.nodes}
        # Of two that wait for each other's locks an agent gives way, and comes again.
        self.server.psql("SET deadlock_timeout = '10min'; DROP SCHEMA rcptguard CASCADE")
        self.fleet.manage("init")
        for node, one in held:
            node.hold()  # so that its agent looks now
            daemon.wait_until(lambda node=node: set(self.published(node)) >= before[node.NODE], BACK, "what %s has in the new database" % node.NODE)
            self.assertPublished(node, one)
            self.check_all_is_well(node)

    def test_lost_the_last_minute(self):
        """a database that was restored from an earlier state gets what it lost"""
        node = self.nodes[0]
        held = node.hold()
        self.assertPublished(node, held)
        row = node.row(held.id)["id"]
        self.server.psql("UPDATE rcptguard.node SET published = published - interval '1 hour' WHERE name = 'mx1';"
                         "UPDATE rcptguard.held SET record = '{}' WHERE node = 'mx1' AND row = %d" % row)
        self.hang_up("mx1")
        daemon.wait_until(lambda: self.published(node)[row] != {}, BACK, "the record")
        self.assertPublished(node, held)


class FailedOver(TroubleCase):
    """Two servers, of which one follows the other; when it is killed the other one takes its place."""

    NODES = ("postfix", "sendmail")
    AGENTS = False

    def test_second_server(self):
        node, other = self.nodes
        standby = postgres.Server(standby_of=self.server)
        self.addCleanup(standby.close)

        def both(name):
            return postgres.conninfo(host="%s,%s" % (self.server.sockets, standby.sockets), port="%d,%d" % (self.server.port, standby.port), user=name, dbname=postgres.DATABASE)
        self.fleet.conninfo_of = both
        for each in self.nodes:
            each.configure()
        self.start_agents()
        before = [(each, each.hold()) for each in self.nodes]
        self.wait_answered(self.decide(before[:1], "delete"))
        for each, held in before:
            self.assertPublished(each, held)
        first = self.server
        first.kill()
        meanwhile = [(each, *self.check_local_work(each)) for each in self.nodes]
        self.wait_said(AWAY, len(self.nodes))
        standby.promote()
        self.fleet.server = type(self).server = standby
        self.addCleanup(lambda: (setattr(self.fleet, "server", first), setattr(type(self), "server", first)))
        self.wait_said(THERE, len(self.nodes), BACK)
        for each, released, kept in meanwhile:
            self.check_all_is_well(each, released, kept)
        for each in self.nodes:
            each.stop_agent()


class CutOff(TroubleCase):
    NODES = ("postfix", "postfix")
    AGENTS = False

    def test_cut_off(self):
        """a node cannot reach the database, and is not told so: decisions for it wait, it decides for itself, and when it is back both are known everywhere"""
        node, other = self.nodes
        link = tcplink.Link(self.server.port)
        self.addCleanup(link.close)
        self.server.psql("ALTER ROLE mx1 PASSWORD 'for mx1'")
        passfile = postgres.write_passfile(os.path.join(self.fleet.folder, "pgpass"), ["*:*:*:*:for mx1"], daemon.USER)
        self.fleet.conninfo_of = lambda name: self.server.conninfo_tcp(name, port=link.port, passfile=passfile) if name == node.NODE else self.server.conninfo(name)
        node.configure()
        self.start_agents()
        waiting, kept, elsewhere = node.hold(), node.hold(), other.hold()
        self.assertPublished(node, waiting, kept)
        link.stop()
        released, _ = self.check_local_work(node)
        number, late = self.decide([(node, waiting), (node, released)])
        self.wait_said(AWAY)
        if soak.LONG:
            time.sleep(60)  # the minute that is tried
        self.assertEqual(self.answer(self.decide([(other, elsewhere)])[0]), (review.DONE, "released"))
        self.assertEqual(self.rows("SELECT id FROM rcptguard.decision WHERE done IS NULL ORDER BY id"), [{"id": number}, {"id": late}])
        node.assertOnHold(waiting)
        link.resume()
        self.assertEqual(self.answer(number, BACK), (review.DONE, "released"))
        self.assertEqual(self.answer(late, BACK).code, review.GONE)
        node.assertDeliveredOnce([waiting, released])
        self.assertPublished(node, waiting, released, kept)
        for each in self.nodes:
            each.stop_agent()


class Clocks(TroubleCase):
    """Five seconds apart, and the database's is a third."""

    NODES = ("postfix", "postfix")
    BASES = (fakeclock.FakeClock, fleetcase.Node)
    AGENTS = False

    def test_apart(self):
        """each decision is carried out once; the trails agree, and the database knows by how much each clock is off"""
        aheads = dict(zip(self.nodes, (5, -5)))
        for node, ahead in aheads.items():
            node.set(ahead)
            node.exchange(env=node.environment())
        self.start_agents()
        messages = [(node, node.hold()) for node in self.nodes for _ in range(3)]
        for who in ANN, fleetcase.BOB:
            answers = self.wait_answered(self.decide(messages[::3], who=who))
        self.assertEqual({answer.code for answer in answers.values()}, {review.GONE})
        self.assertEqual(self.wait_answered(self.decide(messages[1::3])).popitem()[1], (review.DONE, "released"))
        left = self.settle(messages)
        self.assertEqual(left, messages[2::3])
        for node, held in messages:
            self.assertPublished(node, held)
            decided = node.record(held.id)["decision"]
            # The process that carries it out keeps no environment, and so has the machine's clock.
            ahead = max(aheads[node], 0) * 1000000
            self.assertEqual([each["done"] + ahead >= each["at"] for each in decided], [True] * len(decided))
        # A sign of life that was long on its way is followed by another one.
        daemon.wait_until(lambda: self.rows("SELECT name FROM rcptguard.node WHERE abs(skew_ms - CASE name WHEN 'mx1' THEN 5000 ELSE -5000 END) <= 2000 ORDER BY name")
                          == [{"name": "mx1"}, {"name": "mx2"}], mta.LIMIT, "the clocks' differences")
        for node in self.nodes:
            node.stop_agent()

    def test_days_apart(self):
        """how old a decision is the database says, whose clock may be days off: it is carried out, or refused if a day has passed"""
        clock = self.nodes[0]
        self.addCleanup(lambda: (self.server.stop(), self.server.start()))
        self.start_agents()
        for days in -2, 2:
            with self.subTest(days):
                messages = [(node, node.hold()) for node in self.nodes for _ in range(2)]
                for node in self.nodes:
                    node.stop_agent()
                clock.set(days * 86400)
                self.server.stop()
                self.server.start(**clock.shim)
                new, old = self.decide(messages[::2]), self.decide(messages[1::2])
                self.server.psql("UPDATE rcptguard.decision SET at = at - interval '25 hours' WHERE id IN (%d, %d)" % tuple(old))
                for node in self.nodes:
                    node.agent()
                self.assertEqual(set(self.wait_answered(new).values()), {(review.DONE, "released")})
                self.assertEqual({answer.code for answer in self.wait_answered(old).values()}, {review.FORBIDDEN})
                self.assertEqual({re.search("older than a day", answer.words) is not None for answer in self.wait_answered(old).values()}, {True})
                self.assertEqual(self.settle(messages), messages[1::2])
        for node in self.nodes:
            node.stop_agent()


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    fleetcase.main(max(soak.LIMIT, 600))
