"""A unittest case of what is remembered between messages: policies that need it, messages that show other people each, and what the daemon's lines say of them."""

import os
import re
import threading
import unittest

import daemon
import guardcase
import milterclient
import policies
import tap

SPLIT = policies.rule("split", "parties(external) within 10m >= 40", 'quarantine "{within}"')
CIRCLE = policies.rule("circle", "parties(external) >= 10 and not known", 'quarantine "wide"')
WINDOWS = policies.policy(rules=SPLIT)
KNOWN = policies.policy(rules="remember 90d\n" + CIRCLE)
BOTH = policies.policy(rules="remember 90d\n" + SPLIT)

# Two messages of 12 are more than may pass.
RACE = policies.policy(rules=policies.rule("split", "parties(external) within 10m >= 20", 'quarantine "{within}"'))
ROUNDS = 50 if tap.SANITIZERS == "no" else 10

# A call waits so long at most, and after a failure nothing is asked for so long: SITE_STATE_WAIT and STATE_CLIENT_PAUSE.
WAIT, PAUSE = 0.2, 5

# What a line says of a message that the state was too late for.
LATE = "the record of earlier messages could not be asked"

OVERRIDE = policies.policy(rules=policies.rule("mass", "parties(external) >= 5", 'reject "{parties} outside; add {override} in Bcc" override 10m'))
ANSWERS = {("review", "answers"): "guard@me.example"}


def fails(guard):
    """Whether the state could not be used the last time: it was too late on a loaded machine, and is not asked for some seconds."""
    with guard.changed:
        said = [line for line in guard.lines if line.startswith("state: ")]
    return bool(said) and "can be used again" not in said[-1]


def is_late(guard, line):
    """Whether the state was too late for the message of a line, which is deferred then, or known to nobody."""
    return LATE in line.text or (line.known is not None and fails(guard))


def in_time(guard, send):
    """(what `send` gives, the line of that message), which comes again as long as the state is too late for it."""
    def answer():
        found = send()
        line = guard.verdict(found)
        return None if is_late(guard, line) else (found, line)
    return daemon.wait_until(answer, (PAUSE + 55) * tap.SLOWNESS, "an answer of the state")


class StateCase(unittest.TestCase):
    """Each test starts daemons of its own; each message shows other people, unless it names them."""

    assertHeld = guardcase.GuardCase.assertHeld
    assertPassed = guardcase.GuardCase.assertPassed
    assertDeferred = guardcase.GuardCase.assertDeferred
    shown = 0
    held_from = 40  # parties of SPLIT

    def guard(self, policy=WINDOWS, **options):
        guard = daemon.Daemon(policy, **options)
        self.addCleanup(guard._clean)
        guard.state = os.path.join(guard.state_directory, "state.db")
        return guard

    def people(self, count=9):
        type(self).shown += 1
        return policies.people(count, "p", "set%d-{n}.example" % self.shown)

    def send(self, guard, cc=None, sender=guardcase.SENDER):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            return guardcase.send(mta, sender=sender, cc=self.people() if cc is None else cc)

    def within(self, guard, answer):
        """What the line of an answer says of the window; None: it was deferred."""
        line = guard.verdict(answer)
        if answer.verdict == milterclient.TEMPFAIL:
            self.assertDeferred(answer)
            self.assertEqual((line.verdict, line.rule), ("tempfail", "error:split"))
            return None
        name, _, value = line.within.partition(":")
        self.assertEqual(name, "split")
        self.assertEqual(line.verdict, "quarantine" if int(value) >= self.held_from else "accept")
        return int(value)

    def ask(self, guard, cc=None):
        return self.within(guard, self.send(guard, cc))

    def failures(self, guard, mark=0):
        with guard.changed:
            return [line for line in guard.lines[mark:] if "state: " in line]

    def assertOthersPass(self, guard):
        """What shows one party never asks."""
        answer = self.send(guard, ["one@else.example"])
        self.assertPassed(answer)
        self.assertIsNone(guard.verdict(answer).within)

    def answered(self, send):
        """The answer to a message that is sent by `send`, and comes again as long as the state is too late for it."""
        def answer():
            found = send()
            return found if found.verdict != milterclient.TEMPFAIL else None
        return daemon.wait_until(answer, (PAUSE + 55) * tap.SLOWNESS, "an answer of the state")

    def again(self, guard, cc=None):
        """Once it can be used, which takes longer than 200 ms if it is begun anew on a busy disk: what the window has."""
        return daemon.wait_until(lambda: self.ask(guard, cc), (PAUSE + 55) * tap.SLOWNESS, "an answer of the state")

    def race(self, guards, number, connections):
        """Two messages of one author at once, over connections that are open; gives their answers."""
        barrier, answers = threading.Barrier(2), [None, None]
        people = [self.people(12) for _ in guards]

        def send(index):
            barrier.wait()
            answers[index] = guardcase.send(connections[index], sender="author%d-%d@me.example" % (number, self.shown), cc=people[index])
        threads = [threading.Thread(target=send, args=(index,)) for index in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def check_race(self, guards):
        with guards[0].client() as first, guards[1].client() as second:
            for mta in first, second:
                mta.connect("127.0.0.1")
            decided = 0
            for number in range(ROUNDS):
                answers = self.race(guards, number, (first, second))
                passed = [answer for answer in answers if answer.verdict == milterclient.ACCEPT and answer.quarantine() is None]
                self.assertLessEqual(len(passed), 1, "both of two messages that are too many together passed")
                held = [answer for answer in answers if answer.quarantine() is not None]
                decided += (len(passed), len(held)) == (1, 1)
                if milterclient.TEMPFAIL in [answer.verdict for answer in answers]:
                    for guard in guards:  # once it is asked again
                        self.answered(lambda guard=guard: self.send(guard))
            self.assertGreater(decided, ROUNDS // 2, "nearly all is deferred")

    def refused(self, guard, people=6, sender=guardcase.SENDER):
        """Has a message refused by OVERRIDE, and gives the address that overrides that."""
        answer = self.mass(guard, policies.people(people), sender=sender)
        address, = re.findall(r"guard\+o-[a-z2-7]{13}@me\.example", answer.reply)
        return address

    def overrides(self, guard, address, people=6):
        """What comes of the address in another message: "yes", or the rule by which it is refused."""
        people = policies.people(people)
        answer = self.mass(guard, people, people + [address])
        line = guard.verdict(answer)
        return line.override if answer.verdict == milterclient.ACCEPT else line.rule

    def mass(self, guard, people, envelope=None, sender=guardcase.SENDER):
        type(self).shown += 1
        return self.answered(lambda: self.mass_once(guard, people, envelope, sender))

    def mass_once(self, guard, people, envelope=None, sender=guardcase.SENDER):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            return guardcase.send(mta, sender=sender, to=people, envelope=envelope or people, message_id="mass%d@me.example" % self.shown)
