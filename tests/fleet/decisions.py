"""Held mail of three servers that share a database: decided from any, it is delivered once or still held, and the trail is the same everywhere."""

import contextlib
import os
import subprocess
import time
import unittest

import daemon
import fleetcase
import ledgerfile
import mta
import postgres
import review
import soak
import tap

HELD = soak.pick(30, 1000)
ANN, BOB, EVE = fleetcase.ANN, fleetcase.BOB, fleetcase.EVE


class Many(fleetcase.FleetCase):
    def test_decided_from_any(self):
        """each is delivered once, returned, deleted, or still held"""
        chance = soak.chance("fleet")
        messages = [(node, held) for number, node in enumerate(self.nodes) for held in node.hold_many(HELD // 3 + (number < HELD % 3))]
        chance.shuffle(messages)
        decided = {"release": messages[:HELD * 7 // 10], "delete": messages[HELD * 7 // 10:HELD * 8 // 10]}
        kept = messages[HELD * 8 // 10:]
        numbers = {action: self.decide(some, action) for action, some in decided.items()}
        answers = self.wait_answered(numbers["release"] + numbers["delete"], max(mta.LIMIT, HELD))
        self.assertEqual({answers[number].words.partition(",")[0] for number in numbers["release"]}, {"released"})
        self.assertEqual({answers[number] for number in numbers["delete"]}, {(review.DONE, "deleted")})
        self.assertEqual({held.id for _, held in self.settle(decided["release"] + kept)}, {held.id for _, held in kept})
        for node in self.nodes:
            self.assertPublished(node, *(held for where, held in messages if where is node))
            for where, held in decided["release"]:
                if where is node:
                    self.assertEqual(node.events(held.id), [(ANN, "release", "agreed", None)])
        soak.measured("%d messages held over three servers, %d decided by rows of the database: each delivered once, deleted, or still on hold", HELD, HELD * 8 // 10)


class Decisions(fleetcase.FleetCase):
    NODES = ("postfix", "sendmail")

    def test_seen(self):
        """that a message is on hold all nodes know soon, before the agent looks at the queue anyway"""
        messages = [(node, node.hold()) for node in self.nodes]
        for node, held in messages:
            daemon.wait_until(lambda node=node, held=held: self.rows("SELECT state FROM rcptguard.held WHERE node = '%s' AND queue_id = '%s'" % (node.NODE, held.id))
                              == [{"state": "held"}], 25 * tap.SLOWNESS, "the state of %s" % held.id)

    def test_each_action(self):
        """in the name of who decided, with the reason; the answer is the exit code and the words of the holding node"""
        for node in self.nodes:
            with self.subTest(node.NODE):
                released, returned, deleted = node.hold(), node.hold(), node.hold()
                first, = self.decide([(node, released)], "release", "known to us")
                second, = self.decide([(node, returned)], "return", None)
                third, = self.decide([(node, deleted)], "delete", "spam", ANN)
                self.assertEqual(self.answer(first), (review.DONE, "released"))
                self.assertEqual(self.answer(second), (review.DONE, "returned to its sender"))
                self.assertEqual(self.answer(third), (review.DONE, "deleted"))
                node.assertArrived(released)
                self.assertEqual(node.events(released.id), [(ANN, "release", "known to us", None)])
                self.assertEqual(node.events(returned.id)[0][:3], (ANN, "return", None))
                self.assertEqual(node.state(deleted.id), "deleted")
                self.assertPublished(node, released, returned, deleted)
                node.assertLogged(released.id, r"release by=%s uid=\d+ .* reason=\"known to us\"" % ANN)

    def refused(self, number, words):
        answer = self.answer(number)
        self.assertEqual(answer.code, review.FORBIDDEN, answer)
        self.assertRegex(answer.words, words)

    def test_rights(self):
        """the holding node says who may, whatever the database lets him write"""
        node = self.nodes[0]
        held = node.hold()
        self.refused(self.decide([(node, held)], "release", who=EVE)[0], "`%s` is in no group that \\[review\\] lets release" % EVE)
        self.refused(self.decide([(node, held)], "delete", who=BOB)[0], "`%s` is in no group that \\[review\\] lets delete" % BOB)
        own = node.hold(sender="ann@me.example")
        self.refused(self.decide([(node, own)], "release", who=ANN)[0], "your own mail")
        self.server.create_role("stranger", ["rcptguard_reviewer"], password=fleetcase.PASSWORD)
        self.refused(self.decide([(node, held)], "release", who="stranger")[0], "there is no user `stranger` on this node")
        node.assertOnHold(held, own)
        self.assertEqual([event[1] for event in node.events(held.id)], ["refuse"] * 3)
        self.assertPublished(node, held, own)

    def test_two_reviewers(self):
        """on different nodes: each approval counts where the message is"""
        node = self.nodes[0]
        node.configure(approvals=2)
        node.restart_agent()
        self.addCleanup(lambda: (node.configure(), node.restart_agent()))
        held = node.hold()
        first = self.answer(self.decide([(node, held)], who=ANN)[0])
        self.assertEqual(first.code, review.DONE)
        self.assertIn("approved, 1 of 2", first.words)
        again = self.answer(self.decide([(node, held)], who=ANN)[0])
        self.assertIn("approved, 1 of 2", again.words)
        node.assertOnHold(held)
        second = self.vouch(node, held, "release", BOB, self.nodes[1])
        self.assertEqual(self.answer(second), (review.DONE, "released"))
        node.assertArrived(held)

    def test_vouched(self):
        """the node that vouches is in the history, in the log and in the record; none vouches for its own users that way"""
        node, other = self.nodes
        held = node.hold()
        self.assertEqual(self.answer(self.vouch(node, held, "release", ANN, other)), (review.DONE, "released"))
        self.assertEqual([event["node"] for event in node.record(held.id)["history"]], [other.NODE])
        self.assertEqual(node.record(held.id)["held"]["node"], other.NODE)
        node.assertLogged(held.id, r"release by=%s .* node=%s" % (ANN, other.NODE))
        self.assertPublished(node, held)
        own = node.hold()
        self.refused(self.vouch(node, own, "release", ANN, node), "cannot vouch for its own users")
        node.assertOnHold(own)

    def test_no_such_message(self):
        """a row of another message, or of none, and what has left already"""
        node = self.nodes[0]
        held, gone = node.hold(), node.hold()
        row = node.row(held.id)["id"]
        number = int(self.as_person(ANN, "INSERT INTO rcptguard.decision (node, row, queue_id, action) VALUES ('%s', %d, 'other', 'release') RETURNING id" % (node.NODE, row)))
        self.assertEqual(self.answer(number), (review.WRONG, "is not in the ledger of its node"))
        number = int(self.as_person(ANN, "INSERT INTO rcptguard.decision (node, row, queue_id, action) VALUES ('%s', 999999, '%s', 'release') RETURNING id" % (node.NODE, held.id)))
        self.assertEqual(self.answer(number), (review.WRONG, "is not in the ledger of its node"))
        node.done("release", gone.id, reason="here")
        late = self.answer(self.decide([(node, gone)])[0])
        self.assertEqual(late.code, review.GONE)
        self.assertIn("was released by root", late.words)
        self.assertEqual([event[1] for event in node.events(gone.id)], ["release"])
        node.assertOnHold(held)

    def test_left_by_hand(self):
        """what leaves the queue without a decision is seen by the others, though nobody lists it on its server"""
        node = self.nodes[0]
        held = node.hold()
        self.wait_published(node)
        row = node.row(held.id)["id"]

        def is_known_as(state):
            node.restart_agent()  # it looks with each connection, and every minute
            daemon.wait_until(lambda: self.published(node)[row]["held"]["state"] == state, mta.LIMIT + 60, "what is known of it")
        is_known_as("held")
        node.mta.release(held.id)
        node.assertArrived(held)
        is_known_as("left")

    def test_idempotent(self):
        """what is in the ledger is not taken again, though the database forgot that it was taken and answered"""
        node = self.nodes[0]
        held = node.hold()
        number, = self.decide([(node, held)])
        self.assertEqual(self.answer(number).code, review.DONE)
        node.assertArrived(held)
        self.server.psql("UPDATE rcptguard.decision SET taken = NULL, done = NULL, code = NULL, words = NULL WHERE id = %d; NOTIFY rcptguard, 'decision'" % number)
        self.assertEqual(self.answer(number), (review.DONE, "released"))
        self.assertEqual(len(node.record(held.id)["decision"]), 1)
        node.assertDeliveredOnce([held])


class Waiting(fleetcase.FleetCase):
    """What cannot be done yet is tried again after pauses that grow: its own trials wake the agent, and do not count."""

    NODES = ("sendmail",)

    def test_queue(self):
        """another process is at the message: its sender gets one notice, and the answer comes once that is over"""
        node = self.nodes[0]
        held = node.hold()

        def tries():
            return [event["at"] for event in node.record(held.id)["history"] if event["action"] == "abandon"]
        with node.mta.locked(held.id):
            number, = self.decide([(node, held)], "return")
            daemon.wait_until(lambda: len(tries()) >= 3, mta.LIMIT, "the third try")
            self.assertGreaterEqual(tries()[2] - tries()[0], 3000000)  # a pause of one second, and one of two
        self.assertEqual(self.answer(number), (review.DONE, "returned to its sender"))
        last = node.hold()
        node.done("return", last.id, reason="its notice is sent after the others")
        daemon.wait_until(lambda: node.mta.deliveries("Not sent: " + last.subject), mta.LIMIT, "the later notice")
        self.assertEqual(len(node.mta.deliveries("Not sent: " + held.subject)), 1)
        self.assertPublished(node, held)

    def test_claim(self):
        """a process has claimed the message: that is looked at now and then; a decision that is new does not wait for it"""
        node = self.nodes[0]
        held, other = node.hold(), node.hold()
        self.wait_published(node)
        process = subprocess.Popen(["sleep", "600"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        ledgerfile.execute(node.guard.ledger_path, "UPDATE held SET state = 'releasing', since = ?, process = ? WHERE id = ?", ledgerfile.now(), process.pid, node.row(held.id)["id"])
        number, = self.decide([(node, held)])
        begin, runs = time.monotonic(), set()

        def ran():
            runs.add(ledgerfile.query(node.guard.ledger_path, "SELECT last FROM agent")[0]["last"])
            return len(runs) >= 6 or time.monotonic() - begin > 20
        daemon.wait_until(ran, mta.LIMIT, "some runs of the agent")
        self.assertGreater(time.monotonic() - begin, 5)
        self.assertEqual(self.answer(self.decide([(node, other)], "delete")[0]), (review.DONE, "deleted"))
        process.kill()
        process.wait()
        self.assertEqual(self.answer(number, 60 + mta.LIMIT).code, review.DONE)
        node.assertArrived(held)


class Races(fleetcase.FleetCase):
    """A release here and one by the database at the same moment."""

    TIMES = soak.pick(5, 200)

    def test_at_the_same_moment(self):
        chance = soak.chance("fleet races")
        here = there = 0
        for number in range(self.TIMES):
            node = self.nodes[number % len(self.nodes)]
            with self.subTest(number):
                held = node.hold()
                self.wait_published(node)
                local = None
                central = None
                pause = chance.random() * 0.1

                def release(node=node, held=held):
                    return subprocess.Popen(node.command("release", held.id, reason="local"), env=daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                if chance.random() < 0.5:
                    local = release()
                    time.sleep(pause)  # the moment is what is tried, and no event
                    central, = self.decide([(node, held)])
                else:
                    central, = self.decide([(node, held)])
                    time.sleep(pause)
                    local = release()
                out, err = local.communicate(timeout=mta.LIMIT)
                code = local.returncode
                if code == review.PASSING:  # it left between two looks of the command, which were slow
                    self.assertIn(b"try again", err)
                    code = node.ask("release", held.id, reason="local").code
                answer = self.answer(central)
                node.assertArrived(held)
                node.assertDeliveredOnce([held])
                by_local = code == review.DONE
                by_central = answer.code == review.DONE
                self.assertEqual(by_local + by_central, 1, (out, err, answer))
                self.assertIn(code, (review.DONE, review.GONE), err)
                self.assertIn(answer.code, (review.DONE, review.GONE))
                here += by_local
                there += by_central
                self.assertEqual([event[:2] for event in node.events(held.id)], [("root" if by_local else ANN, "release")])
                self.assertPublished(node, held)
        soak.measured("%d releases here and by the database at the same moment: %d by the one, %d by the other, each delivered once", self.TIMES, here, there)


class Privacy(fleetcase.FleetCase):
    NODES = ("postfix",)

    def dump(self):
        done = subprocess.run([os.path.join(self.server.programs, "pg_dump"), "-h", self.server.sockets, "-p", str(self.server.port), "-U", postgres.SUPERUSER, postgres.DATABASE],
                              user=postgres.SUPERUSER, extra_groups=[], cwd="/", stdout=subprocess.PIPE, check=True, env={"PATH": os.environ["PATH"]}, timeout=mta.LIMIT)
        return done.stdout.decode()

    def test_no_recipient(self):
        """no recipient's address is in the database, and a subject only as [ledger] subject says; what is gone from the ledger is gone there"""
        node = self.nodes[0]
        held = [node.hold(people=["ann%d@party%d.example" % (n, n) for n in range(12)], subject="About the takeover of ACME"), *node.hold_many(3)]
        self.decide([(node, held[1])])
        self.assertEqual(self.answer(self.decide([(node, held[2])], "return")[0]).code, review.DONE)
        self.assertPublished(node, *held)
        text = self.dump()
        self.assertIn("care@me.example", text)
        self.assertIn("party3.example", text)
        self.assertIn("About the takeover", text)
        for one in held:
            for recipient in one.recipients:
                self.assertNotIn(recipient, text)

    def test_retention(self):
        """what its time is over for in the ledger is removed from the database, with its policy and its decisions"""
        node = self.nodes[0]
        old, new = node.hold(), node.hold()
        self.assertEqual(self.answer(self.decide([(node, old)], "delete")[0]).code, review.DONE)
        self.assertPublished(node, old, new)
        row = node.row(old.id)["id"]
        with contextlib.closing(ledgerfile.connect(node.guard.ledger_path)) as connection:
            connection.executescript("PRAGMA foreign_keys = ON; DELETE FROM held WHERE id = %d" % row)  # as the daemon's prune does
        node.restart_agent()  # it looks with each connection, and every half a minute
        daemon.wait_until(lambda: row not in self.published(node), mta.LIMIT + 60, "the removal")
        self.assertIn(node.row(new.id)["id"], self.published(node))
        self.assertEqual(self.rows("SELECT id FROM rcptguard.decision WHERE node = '%s' AND row = %d" % (node.NODE, row)), [])


class WithoutSubjects(fleetcase.FleetCase):
    NODES = ("postfix",)
    ATTRIBUTES = {"CONFIG": {("ledger", "subject"): "no"}}

    def test_no_subject(self):
        """with `subject = no` the database has none either"""
        node = self.nodes[0]
        held = node.hold(subject="About the takeover of ACME")
        self.assertPublished(node, held)
        self.assertIsNone(self.published(node)[node.row(held.id)["id"]]["held"]["subject"])
        self.assertEqual(self.rows("SELECT 1 AS one FROM rcptguard.held WHERE record::text LIKE '%takeover%'"), [])


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    fleetcase.main(max(soak.LIMIT, 600))
