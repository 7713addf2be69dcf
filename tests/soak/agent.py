"""rcptguardq agent: killed at any of its calls, with 500 messages due at once, with the machine down over the due time, and over leaps of the clock: each message leaves once, or is still on hold; nothing expires unannounced."""

import collections
import contextlib
import os
import subprocess

import accounting
import daemon
import decided
import fakeclock
import faultshim
import ledgerfile
import mta
import policies
import review
import soak

KILLS = soak.pick(4, 100)
DUE = soak.pick(20, 500)
STEPS = soak.pick(60, 1500)  # half hours with leaps in between
SECOND = 1000000  # microseconds
HOUR = 3600 * SECOND
CLAIM = 11 * 60 * SECOND
DELAY = 600  # seconds
ALL = "write fsync rename open fcntl fork"

SLOW = ("X-Slow", "yes")
RULES = policies.rule("slow", 'header("X-Slow")', 'quarantine "{parties} outside parties" release after 10m') + policies.RULES
ENDS = {"release": "released", "return": "returned", "delete": "deleted"}

# Forth and back, in seconds; what is less than three minutes is no leap.
LEAPS = [300, 3000, 5 * 3600, 19 * 3600, 23 * 3600, 25 * 3600, 30 * 86400, 366 * 86400, -300, -5 * 3600, -25 * 3600, -366 * 86400]


def running_in(group):
    """The processes of a process group that go on; they may end while they are listed."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as file:
                state, _parent, its_group = file.read().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                found.append(int(name))
    return found


class AgentCase(fakeclock.FakeClock, accounting.AccountingCase):
    MTAS = soak.MTAS
    # Everything is judged here, bounces and our own mails too.
    POLICY = policies.policy(rules=RULES, outbound='outbound when local or authenticated or client in "127.0.0.0/8"')

    def setUp(self):
        super().setUp()
        self.count = 0
        self.ahead = 0
        for table in "decision", "held", "notice":
            ledgerfile.execute(self.guard.ledger_path, "DELETE FROM " + table)
        self.ran()

    def set(self, seconds):
        self.ahead = seconds
        super().set(seconds)

    def now(self):
        return ledgerfile.now() + self.ahead * SECOND

    def ran(self):
        """The agent has run each minute for days, but let nothing expire for an hour."""
        now = self.now()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE agent SET last = ?, running = ?, steady = ?, expired = 0", now, now - 90 * HOUR, now - 90 * HOUR)

    def agent(self, env=None):
        return subprocess.run(self.command("agent"), env=env or self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=mta.LIMIT + DUE, check=False)

    def agent_says(self, wanted):
        done = self.agent()
        self.assertEqual((done.returncode, done.stderr, done.stdout.decode()), (review.DONE, b"", wanted))

    def author(self):
        """One of its own for each message, so that no bound holds for several."""
        self.count += 1
        return "author%d@me.example" % self.count

    def slow(self):
        return self.hold(sender=self.author(), headers=[SLOW])

    def mails(self, author, words):
        return [one for one in self.mta.deliveries() if one.recipients == [author] and words in one.message]

    def leaves(self, held):
        """They are delivered by themselves, or wait for the queue's next run."""
        for one in held:
            try:
                daemon.wait_until(lambda one=one: len(self.mta.recipients(one.subject)) >= len(one.recipients), 5, "the delivery")
            except AssertionError:
                self.mta.flush(one.id)
        self.assertDeliveredOnce(held)


class Killed(AgentCase):
    """At any of its calls; another one goes on.

    It was killed before it took the decision; when it had taken it, or claimed the message; had acted on the queue; had
    recorded that; or was done and sent notices.
    """

    REVIEW = {"expire": "10d return"}

    def setUp(self):
        super().setUp()
        self.fault = faultshim.Shim()
        self.addCleanup(self.fault.close)
        if not os.path.exists(decided.key_path(self)):
            self.done("delete", self.hold().id, reason="the first decision makes the key")

    def both(self):
        """Both shims."""
        values = self.fault.environment(self.environment())
        return dict(values, LD_PRELOAD=faultshim.LIBRARY + ":" + fakeclock.LIBRARY)

    # ---- what there is to do

    def decision(self, action):
        held = self.hold(sender=self.author())
        decided.add(self, held, action)
        return held

    def delayed(self, _action):
        held = self.slow()
        self.done("list")
        self.set(DELAY + 1)
        self.ran()
        return held

    def expired(self, action):
        self.configure(expire="10d " + action)
        held = self.hold_old(10.5, sender=self.author())
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET announced = ? WHERE queue_id = ?", self.now() - 21 * HOUR, held.id)
        self.ran()
        return held

    # ---- killing it

    def moment(self, held):
        """How far it was."""
        rows, state = decided.rows(self, held.id), self.state(held.id)
        there = held.id in self.mta.held()
        begun = ledgerfile.query(self.guard.ledger_path, "SELECT ifnull(max(decision.since), 0) AS since FROM decision JOIN held ON held.id = decision.held WHERE queue_id = ?", held.id)[0]["since"]
        if not rows or begun == 0:
            return "before"
        if rows[-1][-1]:
            return "done"
        if state.endswith("ing") and state != "pending":
            return "claimed" if there else "acted"
        return "taken" if there else "recorded"

    def count_calls(self, make, action):
        held = make(action)
        self.fault.count(ALL)
        self.assertEqual(self.agent(self.both()).returncode, review.DONE)
        self.fault.disarm()
        self.complete(held, action)
        return sum(self.fault.seen().values())

    def strike(self, make, action, step):
        """Killed once, at that call; how far it was."""
        held = make(action)
        self.fault.arm(ALL, step, action=faultshim.KILL)
        with subprocess.Popen(self.command("agent"), env=self.both(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as process:
            process.wait(mta.LIMIT)
        # A command of the MTA that it has begun goes on; the claim, which counts as old below, outlives it.
        daemon.wait_until(lambda: not running_in(process.pid), mta.LIMIT, "the end of the MTA's commands")
        place = self.fault.disarm()
        moment = self.moment(held) if place is not None else "not"
        with self.subTest("%s: killed at call %d, %s, %s" % (action, step, place, moment)):
            self.complete(held, action)
        return moment

    def complete(self, held, action):
        """Another run does what is left, and it leaves once; what a dead one claimed is free after ten minutes, which are over."""
        gone = held.id not in self.mta.held()
        words = "has been deleted" if action == "delete" else "nobody released it in time"
        if gone and self.timed and action != "release":  # not without a mail to its author
            daemon.wait_until(lambda: self.mails("author%d@me.example" % self.count, words), mta.LIMIT, "the mail to the author")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET since = since - ? WHERE queue_id = ? AND process > 0", CLAIM, held.id)
        for _ in range(3):  # Sendmail may be at it
            self.ran()
            last = self.agent()
            if last.returncode == review.DONE and held.id not in self.mta.held():
                break
        self.assertEqual([row[3:] for row in decided.rows(self, held.id)][-1:], [(review.DONE, True)], last)
        self.assertEqual(self.state(held.id), ENDS[action])
        self.assertNotIn(held.id, self.mta.held())
        if action == "release":
            self.leaves([held])
        else:
            self.assertEqual(self.mta.recipients(held.subject), [])

    def kill_often(self, name, make, *actions):
        chance = soak.chance("agent " + name)
        calls = {action: self.count_calls(make, action) for action in set(actions)}
        moments, early = collections.Counter(), dict.fromkeys(actions, 0)
        for _ in range(KILLS):
            self.set(0)
            action = chance.choice(actions)
            step = chance.randrange(early[action] + 1, calls[action] + 1)
            moment = self.strike(make, action, step)
            moments[moment] += 1
            if moment == "before":  # most are to be later than that
                early[action] = max(early[action], min(step, calls[action] // 2))
        killed = KILLS - moments["not"]
        soak.measured("%s: the agent killed %d times over %s: %s; each left once", self.MTA, killed, name, ", ".join("%s %d" % each for each in sorted(moments.items())))
        self.assertGreater(killed, 0)

    def test_decisions(self):
        self.timed = False
        self.kill_often("decisions", self.decision, "release", "release", "return", "delete")

    def test_delays(self):
        self.timed = True
        self.kill_often("delays", self.delayed, "release")

    def test_expiries(self):
        self.timed = True
        self.kill_often("expiries", self.expired, "return", "delete")


class Due(AgentCase):
    def test_at_once(self):
        """each leaves once; its author was told before"""
        held = [self.slow() for _ in range(DUE)]
        self.agent_says("")
        daemon.wait_until(lambda: sum(1 for one in self.mta.deliveries() if "is sent by itself" in one.message) >= DUE, mta.LIMIT + DUE, "the notices")
        self.set(DELAY + 1)
        self.ran()
        done, took = soak.timed(self.agent)
        self.assertEqual(done.stdout.count(b": released\n"), DUE)
        self.assertDeliveredOnce(held)
        self.assertEqual(self.mta.held(), [])
        self.assertEqual({decided.rows(self, one.id)[0] for one in held}, {("release", "delay", None, review.DONE, True)})
        self.agent_says("")
        soak.measured("%s: %d due at once were released in %.1f s, each once", self.MTA, DUE, took)


class Down(AgentCase):
    """The machine is off when a delay is over: nothing leaves within two minutes after it is on again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guard.stop()
        cls.guard._clean()
        os.environ.update(cls.shim)
        cls.addClassCleanup(lambda: [os.environ.pop(name) for name in cls.shim])
        cls.life = soak.Life(lambda **options: cls.mta.guard(cls.POLICY, **options))
        cls.guard = cls.life.begin()
        cls.configure()

    @classmethod
    def tearDownClass(cls):
        try:
            super().tearDownClass()
        finally:
            cls.life.close()

    def begin(self):
        """The daemon is there again, with the clock of the machine."""
        self.clock[8:16] = bytes(8)
        self.set(0)
        type(self).guard = self.life.begin()

    def test_down(self):
        """for an hour, or no longer than a machine takes that is started anew"""
        for off in 3600, 60:
            with self.subTest("%d s" % off):
                held = [self.slow() for _ in range(3)]
                self.agent_says("")
                self.set(DELAY - 10)
                self.ran()
                self.agent_says("")
                self.guard.stop()
                self.addCleanup(lambda: self.guard.ended and self.begin())
                self.mta.halt()
                self.mta.resume()
                for uptime in 20, 70, 115:
                    self.set(DELAY - 10 + off + uptime)
                    self.boot(uptime)
                    self.agent_says("")
                    self.assertOnHold(*held)
                self.set(DELAY - 10 + off + 150)
                self.boot(150)
                self.assertEqual(self.agent().stdout.count(b": released\n"), 3)
                self.leaves(held)
                self.begin()


class Leaps(AgentCase):
    """The clock leaps: nothing expires unless 20 real hours ago a digest said so; and in the end all does."""

    REVIEW = {"expire": "10d return", "digest-to": "desk@me.example"}
    MESSAGES = 6

    def setUp(self):
        super().setUp()
        self.real = 0  # seconds
        self.announced = {}

    def run_agent(self):
        out = self.agent().stdout.decode()
        for line in out.splitlines():
            queue_id, _, said = line.partition(": ")
            if said == "returned to its sender":
                waited = (self.real - self.announced.pop(queue_id, self.real)) / 3600
                self.assertGreaterEqual(waited, 20, "%s was announced %.1f hours ago" % (queue_id, waited))
                self.returned += 1
            else:
                self.assertIn("left the message as it was", said)  # Sendmail was at it

    def step(self):
        """Half an hour, in which the agent runs each minute."""
        self.real += 1800
        self.set(self.ahead + 1800)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE agent SET last = ?", self.now() - 60 * SECOND)
        self.run_agent()

    def leap(self, seconds):
        self.real += 60
        self.set(self.ahead + 60 + seconds)
        self.run_agent()

    def digest(self):
        self.done("digest")
        for queue_id in self.mta.held():
            if self.row(queue_id)["announced"] > 0:
                self.announced.setdefault(queue_id, self.real)

    def add(self):
        while len(self.mta.held()) < self.MESSAGES:
            ahead = self.ahead
            self.set(0)  # the MTA's clock is the machine's
            self.hold_old(10.5, sender=self.author())
            self.set(ahead)

    def test_leaps(self):
        chance = soak.chance("agent leaps")
        self.returned = leaps = 0
        self.add()
        for number in range(STEPS):
            self.step()
            if number == STEPS // 2 and self.ahead < 0:
                self.leap(-self.ahead)
            if chance.random() < 1 / 30 or number == STEPS // 2:
                self.digest()
            if number == STEPS // 2 + 5:  # what must never be missing: 20 hours by the clock, and not in truth
                self.leap(19 * 3600)
                leaps += 1
            elif chance.random() < 1 / 40:
                self.leap(chance.choice(LEAPS))
                leaps += 1
            if number % 100 == 99:
                self.add()
        left = len(self.mta.held())
        before = self.returned
        if self.ahead < 0:  # they are too young
            self.leap(-self.ahead)
        for number in range(4 * 48):
            if number % 48 == 0:
                self.digest()
            self.step()
        self.assertEqual((self.mta.held(), self.returned - before), ([], left))
        soak.measured("%s: %d leaps of the clock within %d hours: %d messages returned, none that was not announced 20 real hours before", self.MTA, leaps, self.real // 3600, self.returned)


if __name__ == "__main__":
    review.main(soak.LIMIT)
