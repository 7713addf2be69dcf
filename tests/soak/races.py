"""rcptguardq: two reviewers at the same message, killed at each step, and while the MTA is restarted: it is delivered once, or still on hold."""

import os
import subprocess

import accounting
import daemon
import faultshim
import ledgerfile
import mta
import review
import soak

RACES = soak.pick(2, 200)
STEPS = soak.pick(3, None)  # how many of the steps at which it is killed; None: all
RESTARTS = soak.pick(1, 20)
CLAIM = 11 * 60 * 1000000  # microseconds
ALL = "write fsync rename open fcntl fork"


class Races(accounting.AccountingCase):
    MTAS = soak.MTAS

    def setUp(self):
        super().setUp()
        self.shim = faultshim.Shim()
        self.addCleanup(self.shim.close)

    def start(self, name, held, reason, **options):
        options.setdefault("env", daemon.environment())
        return subprocess.Popen(self.command(name, *(one.id for one in held), reason=reason), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def settle(self, *held):
        """Whoever looks next finds out what became of them; what is on hold still is released now.  A claim of who died lasts ten minutes, which are over."""
        for one in held:
            ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET since = since - ? WHERE queue_id = ? AND since > 0", CLAIM, one.id)
        self.done("list")
        there = set(self.mta.held())
        left = [one for one in held if one.id in there]
        for one in left:
            self.assertNothingDelivered([one])
            self.done("release", one.id, reason="afterwards")
        for one in held:
            self.leaves(one)
        self.assertDeliveredOnce(held)
        self.assertAgree()
        return len(left)

    def leaves(self, one):
        """It is delivered by itself, or waits for the queue's next run, which a restart may put off."""
        try:
            daemon.wait_until(lambda: len(self.mta.recipients(one.subject)) >= len(one.recipients), 5, "the delivery")
        except AssertionError:
            self.mta.flush(one.id)

    def test_two_reviewers(self):
        """each race has one winner, and the other is told so"""
        chance = soak.chance("races")
        both = 0
        for number in range(RACES):
            with self.subTest(number):
                held = [self.hold() for _ in range(chance.randrange(1, 3))]
                self.done("list")
                pair = [self.start("release", held, reason) for reason in ("the first", "the second")]
                said = [one.communicate(timeout=mta.LIMIT) for one in pair]
                for one in held:
                    done = [out.decode().count("%s: released" % one.id) for out, _ in said]
                    self.assertEqual(sum(done), 1, said)
                    both += any(one.id.encode() in err for _, err in said)
                    self.assertEqual([event[1] for event in self.events(one.id)], ["release"])
                self.assertEqual(self.settle(*held), 0)
        soak.measured("%s: %d races, each with one winner; %d times the other came too late", self.MTA, RACES, both)

    def test_killed_at_each_step(self):
        """a release is killed at each of its calls; another reviewer goes on"""
        held = self.hold()
        self.shim.count(ALL)
        self.assertEqual(self.ask("release", held.id, reason="x", env=self.shim.environment(daemon.environment())).code, review.DONE)
        self.shim.disarm()
        steps = range(1, sum(self.shim.seen().values()) + 1)
        self.settle(held)
        if STEPS is not None:
            steps = sorted(soak.chance("races killed").sample(steps, STEPS))
        killed = still = 0
        for number in steps:
            held = self.hold()
            self.shim.arm(ALL, number, action=faultshim.KILL)
            process = self.start("release", [held], "killed", env=self.shim.environment(daemon.environment()))
            process.communicate(timeout=mta.LIMIT)
            place = self.shim.disarm()
            with self.subTest("step %d, %s" % (number, place)):
                killed += place is not None
                still += self.settle(held)
                self.assertEqual(self.state(held.id), "released")
        soak.measured("%s: killed at %d steps of a release: %d times the message was still on hold, else it had left; each was delivered once", self.MTA, killed, still)
        self.assertGreater(killed, 0)

    def test_restarts(self):
        """the MTA is stopped and started while two reviewers release"""
        chance = soak.chance("races restarts")
        still = 0
        for number in range(RESTARTS):
            with self.subTest(number):
                held = [self.hold() for _ in range(6)]
                self.done("list")
                pair = [self.start("release", held, reason) for reason in ("the first", "the second")]
                goal = chance.randrange(1, 6)
                daemon.wait_until(lambda: len(self.mta.held()) <= goal or all(one.poll() is not None for one in pair), mta.LIMIT, "some releases")
                self.mta.halt()
                self.mta.resume()
                for one in pair:
                    one.communicate(timeout=mta.LIMIT)
                still += self.settle(*held)
        soak.measured("%s: %d restarts of the MTA while %d messages were released: %d of them had to be released again; each was delivered once", self.MTA, RESTARTS, 6 * RESTARTS, still)


if __name__ == "__main__":
    review.main(soak.LIMIT)
