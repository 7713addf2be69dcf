"""SIGKILL of worker and supervisor at random moments under load through a real MTA: nothing passes, nothing is lost or doubled, and it is back at once."""

import itertools
import os
import signal
import time

import accounting
import daemon
import mta
import mtacase
import policies
import review
import soak
import tap

KILLS = soak.pick(5, 200)
SENDERS = 3
BACK = soak.pick(60, 2) * tap.SLOWNESS  # seconds

# What becomes of a message, and the people in its Cc who cause it.
KINDS = {"pass": policies.people(3), "hold": policies.people(12), "refuse": policies.people(60)}
TURNS = "pass", "pass", "hold", "refuse"


class Kills(accounting.AccountingCase):
    MTAS = soak.MTAS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guard.stop()
        cls.guard._clean()
        cls.life = soak.Life(lambda **options: cls.mta.guard(cls.POLICY, **options))
        cls.guard = cls.life.begin()
        cls.configure()

    @classmethod
    def tearDownClass(cls):
        try:
            super().tearDownClass()
        finally:
            cls.life.close()

    def sender(self, number):
        """One message, on a connection of its own; what the MTA said is kept."""
        count = next(self.numbers)
        kind = TURNS[count % len(TURNS)]
        subject = "%s %d of %s" % (kind, count, os.path.basename(self.mta.root))
        text = mta.message(subject, mtacase.SENDER, cc=KINDS[kind])
        self.replies[kind].append((review.Held(None, subject, KINDS[kind]), self.mta.send(("plain", "auth")[number % 2], mtacase.SENDER, KINDS[kind], text)))

    def kill(self, chance):
        """At a random moment one of the two, or both; the service manager starts it again at once.  Gives the seconds until it answers."""
        time.sleep(chance.uniform(0, 0.4))  # the random moment
        victims = chance.choice(([self.guard.child()], [self.guard.pid], [self.guard.pid, self.guard.child()]))
        start = time.monotonic()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        self.life.killed()
        type(self).guard = self.life.begin()
        return time.monotonic() - start

    def test_killed(self):
        """each accepted message is delivered or held, once; no other one leaves a trace"""
        chance = soak.chance("kills")
        self.numbers = itertools.count()
        self.replies = {kind: [] for kind in KINDS}
        back = []
        with soak.Workers(SENDERS, self.sender) as workers:
            daemon.wait_until(lambda: workers.alive() and all(any(reply.code not in (451, 454) for _, reply in replies) for replies in self.replies.values()), mta.LIMIT, "an answer of each kind")
            while len(back) < KILLS and workers.alive():
                back.append(self.kill(chance))
        self.configure()
        taken = {kind: [message for message, reply in replies if reply.code == 250] for kind, replies in self.replies.items()}
        deferred = [message for replies in self.replies.values() for message, reply in replies if reply.code in (451, 454)]
        refused = [message for message, reply in self.replies["refuse"] if (reply.stage, reply.code) == ("data", 550)]
        total = sum(len(replies) for replies in self.replies.values())
        soak.measured("%s: %d kills, %d messages: %d delivered, %d held, %d refused, %d deferred; back within %.2f s", self.MTA, KILLS, total, len(taken["pass"]),
                      len(taken["hold"]), len(refused), len(deferred), max(back))
        self.assertEqual(taken["refuse"], [], "accepted, although it should have been refused")
        self.assertEqual(sum(map(len, taken.values())) + len(deferred) + len(refused), total, [reply for replies in self.replies.values() for _, reply in replies])
        for kind in KINDS:
            self.assertGreater(len([reply for _, reply in self.replies[kind] if reply.code not in (451, 454)]), 0, kind)
        self.assertLess(max(back), BACK)
        self.account(taken, deferred + refused)

    def account(self, taken, others):
        held = {reply.queue_id: message for message, reply in self.replies["hold"] if reply.code == 250}
        self.assertEqual(sorted(held), sorted(self.mta.held()))
        self.assertNothingDelivered(taken["hold"] + others)
        self.assertDeliveredOnce(taken["pass"])
        self.assertAgree()
        while self.mta.held():
            self.done("release", *self.mta.held()[:100], reason="after the kills")
        self.assertDeliveredOnce(taken["hold"])
        self.assertNothingDelivered(others)
        self.assertEqual(self.mta.held(), [])


if __name__ == "__main__":
    review.main(soak.LIMIT)
