"""What reviewers decide reaches the state: who was released together is known, and what was returned leaves the windows.

The state may be away when they decide, and they may be killed on the way.
"""

import contextlib
import itertools
import os
import signal
import unittest

import daemon
import devlog
import faultshim
import ledgerfile
import policies
import review
import tap

POLICY = policies.policy(rules="remember 90d\n" + policies.rule("split", "parties(external) within 10m >= 20 and not known", 'quarantine "{within} outside parties"') +
                         policies.rule("odd", 'header("X-Odd")', 'quarantine "odd"') + policies.rule("wide", "parties(external) >= 10 and not known", 'quarantine "{parties} outside parties"'))

# A kill is tried at every so many of the writes of a release: there are many.
STEP = 3


class StateCase(review.ReviewCase):
    POLICY = POLICY
    numbers = itertools.count(1)

    @property
    def state_path(self):
        return os.path.join(self.guard.state_directory, "state.db")

    def circle(self, count=12):
        """People who were never together in a message before, and an author who has not written to anybody."""
        number = next(self.numbers)
        return {"people": policies.people(count, domain="circle%d-{n}.example" % number), "sender": "author%d@me.example" % number}

    def sets(self):
        """How many sets were learned."""
        return ledgerfile.query(self.state_path, "SELECT count(*) AS many FROM circle")[0]["many"]

    def shown(self, held):
        return self.done("show", "--json", held.id).json()[0]

    def assertPasses(self, people, sender):
        """A message to them is delivered."""
        self.check_delivered("plain", people, sender=sender, cc=people)

    def state_elsewhere(self, **keys):
        """rcptguardq looks for these keys of [state], of which the daemon knows nothing."""
        with open(self.config_path, "a", encoding="utf-8") as file:
            file.write("[state]\n" + "".join("%s = %s\n" % each for each in keys.items()))


class Decisions(StateCase):
    def test_release(self):
        """first mail to 12 is held, and released: the next to them passes, and with one more it is held"""
        circle = self.circle()
        held = self.hold(**circle)
        self.assertEqual((self.shown(held)["within"], self.shown(held)["known"]), (None, "no"))
        self.assertRegex(self.done("show", held.id).out, r"(?m)^  holds when  parties\(external\) >= 10  has 12\n +and not known +has no$(.*\n)*?Known         no$")
        self.assertEqual(self.done("release", held.id, reason="they are one project").out, "%s: released\n" % held.id)
        self.assertArrived(held)
        self.assertPasses(**circle)
        more = self.hold(people=circle["people"] + self.circle(1)["people"], sender=circle["sender"])
        self.assertEqual(self.shown(more)["known"], "no")

    def test_return(self):
        """what was returned or deleted teaches nothing and leaves the window of its author; what is still on hold stays in it"""
        for what in "return", "delete", None:
            with self.subTest(what):
                first, second, third = self.circle(), self.circle(), self.circle(3)
                sender = first["sender"]
                self.hold(**first)
                held = self.hold(people=second["people"], sender=sender)
                self.assertEqual(self.shown(held)["within"], "split:24")
                self.assertRegex(self.done("show", held.id).out, r"(?m)^Within        split: 24 parties$")
                if what is None:
                    last = self.hold(people=third["people"], sender=sender)
                    self.assertEqual(self.shown(last)["within"], "split:27")
                    continue
                self.done(what, held.id, reason="not like this")
                self.assertPasses(third["people"], sender)
                self.assertIsNotNone(self.hold(people=second["people"], sender=second["sender"]))

    def test_left(self):
        """what left by hand teaches nothing"""
        circle = self.circle()
        held = self.hold(**circle)
        self.done("list")
        before = self.sets()
        self.mta.release(held.id)
        self.assertArrived(held)
        self.done("list")
        self.assertEqual((self.state(held.id), self.sets()), ("left", before))
        self.hold(**circle)

    def test_forget(self):
        """what is forgotten while a message is on hold is not learned when it is released"""
        circle, others = self.circle(), self.circle(2)
        held, pair = self.hold(**circle), self.hold(headers=[("X-Odd", "yes")], **others)
        domain = circle["people"][0].partition("@")[2]
        self.assertEqual(self.done("forget", "--party", domain, "--json").json(), [{"forgotten": 2}])  # its record, and what the ledger has
        self.assertEqual(self.done("forget", "--party", domain).out, "nothing of it was remembered\n")
        self.done("release", held.id, reason="ok")
        self.assertArrived(held)
        self.hold(**circle)
        self.assertPasses(circle["people"][1:], circle["sender"])
        self.assertEqual(self.done("forget", "--party", others["people"][0].partition("@")[2], "--json").json(), [{"forgotten": 2}])
        before = self.sets()
        self.done("release", pair.id, reason="ok")
        self.assertEqual(self.sets(), before)  # one of two is not a set


class Trouble(StateCase):
    """A decision is carried out whatever the state does, and the reviewer hears of it."""

    def test_missing(self):
        """without the state, or its key, a release teaches nothing, and that is said once"""
        for key in "path", "key":
            with self.subTest(key):
                held, before = self.hold(**self.circle()), self.sets()
                nowhere = os.path.join(self.guard.state_directory, "nowhere")
                self.state_elsewhere(**{key: nowhere})
                self.assertRegex(self.done("release", held.id, reason="ok").out, r"^%s: released; \[state\] has nothing of it: %s: .*\n$" % (held.id, nowhere))
                self.assertArrived(held)
                daemon.wait_until(lambda: any("%s: state: %s" % (held.id, nowhere) in line for line in devlog.lines()), what="the line in the log")
                self.configure()
                self.done("list")
                self.assertEqual((self.state(held.id), self.sets()), ("released", before))

    def test_locked(self):
        """a state that is locked learns it when somebody looks again"""
        held, gone = self.hold(**self.circle()), self.hold(**self.circle())
        self.done("list")
        before = self.sets()
        with ledgerfile.locked(self.state_path):
            for what, one, words in ("release", held, "released"), ("return", gone, "returned to its sender"):
                answer = self.ask(what, one.id, reason="ok")
                self.assertEqual(answer.code, review.DONE, answer)
                self.assertRegex(answer.out, r"^%s: %s; \[state\] is not up to date: .*; the next `list` tries again\n$" % (one.id, words))
            answer = self.ask("list")
            self.assertEqual(answer.code, review.DONE)
            self.assertRegex(answer.err, r"warning: \[state\] could not be brought up to date: ")
            self.assertEqual(self.sets(), before)
        self.assertArrived(held)
        self.done("list")
        self.assertEqual(self.sets(), before + 1)
        self.done("list")
        self.assertEqual(ledgerfile.query(self.guard.ledger_path, "SELECT count(*) AS many FROM remembered WHERE due IS NOT NULL")[0]["many"], 0)

    def test_damaged(self):
        """nor does a file that is no state stop anything"""
        held = self.hold(**self.circle())
        path = daemon.write(os.path.join(self.guard.state_directory, "other.db"), b"this is no database" * 1000, 0o600)
        daemon.own(path)
        self.state_elsewhere(path=path)
        self.assertRegex(self.done("release", held.id, reason="ok").out, r"^%s: released; \[state\] is not up to date: %s: " % (held.id, path))
        self.assertArrived(held)

    @unittest.skipUnless(tap.SANITIZERS == "no", "the shim comes before the sanitizer")
    def test_killed(self):
        """a reviewer who is killed at one write after another: what was released was learned, once somebody has looked"""
        places = []
        with contextlib.closing(faultshim.Shim()) as shim:
            for number in itertools.count(1, STEP):
                held = self.hold(**self.circle())
                self.done("list")
                before = self.sets()
                shim.arm("write fsync", number, action=faultshim.KILL)
                answer = self.ask("release", held.id, reason="ok", env=shim.environment(daemon.environment()))
                place = shim.disarm()
                with self.subTest(number=number, place=place):
                    self.assertEqual(answer.code, review.DONE if place is None else -signal.SIGKILL, answer)
                    ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET since = since - 60000000 WHERE queue_id = ? AND state = 'releasing'", held.id)
                    self.done("list")
                    if held.id in self.mta.held():
                        self.assertEqual((self.state(held.id), self.sets()), ("held", before))
                        self.done("release", held.id, reason="again")
                    self.assertEqual((self.state(held.id), self.sets()), ("released", before + 1))
                    self.assertArrived(held)
                if place is None:
                    break
                places.append(place)
        print("# killed at %d of the writes of a release: %s" % (len(places), ", ".join(os.path.basename(place) for place in places)))
        self.assertGreater(number, 3 * STEP)


if __name__ == "__main__":
    review.main(240)
