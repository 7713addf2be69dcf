"""What is remembered between messages: SIGKILL between the record and the answer, a clock that is set, a million records.

Of what was accepted nothing is missing in a window, whatever happens; a record too many is allowed.
"""

import contextlib
import mmap
import os
import shutil
import signal
import struct
import threading
import time
import unittest

import daemon
import guardcase
import ledgerfile
import milterclient
import policies
import soak
import tap

DAY = 86400
KILLS = soak.pick(10, 100)
RECORDS = soak.pick(20000, 1000000)
MESSAGES = soak.pick(100, 2000)


def policy(within):
    return policies.policy(rules="remember 90d\n" + policies.rule("split", "parties(external) within %s >= 5000 and not known" % within, 'quarantine "{within}"'))


class Remembered(unittest.TestCase):
    shown = 0

    def setUp(self):
        self.folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o700)
        daemon.own(self.folder)
        self.path = os.path.join(self.folder, "state.db")

    def start(self, within="10m"):
        guard = daemon.Daemon(policy(within), config={("state", "path"): self.path, ("state", "key"): os.path.join(self.folder, "state.key")})
        self.addCleanup(guard._clean)
        return guard

    def people(self, count):
        type(self).shown += 1
        return policies.people(count, "p", "set%d-{n}.example" % self.shown)

    def send(self, guard, sender, people):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            return guardcase.send(mta, sender=sender, cc=people)

    def line(self, guard, sender, people):
        """The line of a message that was not deferred."""
        def answered():
            answer = self.send(guard, sender, people)
            return answer if answer.verdict == milterclient.ACCEPT else None
        return guard.verdict(daemon.wait_until(answered, daemon.LIMIT, "an answer of the state"))

    def within(self, guard, sender, count=2):
        return int(self.line(guard, sender, self.people(count)).within.partition(":")[2])


class Kills(Remembered):
    def load(self, guard, sender, accepted):
        """Messages that show two people each, until the daemon is gone."""
        with contextlib.suppress(milterclient.ProtocolError, OSError), guard.client() as mta:
            mta.connect("127.0.0.1")
            while True:
                accepted.append(guardcase.send(mta, sender=sender, cc=self.people(2)).verdict == milterclient.ACCEPT)

    def test_kills(self):
        chance = soak.chance("remembered")
        totals, most = {}, 0
        for number in range(KILLS):
            guard, sender, accepted = self.start(), "author%d@me.example" % number, []
            thread = threading.Thread(target=self.load, args=(guard, sender, accepted))
            thread.start()
            daemon.wait_until(lambda: accepted, what="the first answer")
            time.sleep(chance.uniform(0, 0.1))  # the random moment
            os.kill(guard.child(), signal.SIGKILL)
            thread.join()
            guard.process.wait()
            guard._clean()
            totals[sender] = 2 * sum(accepted)
            guard = self.start()
            found = self.within(guard, sender)
            self.assertGreaterEqual(found, totals[sender] + 2, "a message that was accepted is not in the window")
            self.assertLessEqual(found, totals[sender] + 4, "more than the message that had no answer")
            most = max(most, found - totals[sender] - 2)
            totals[sender] = found
            guard.stop()
        guard = self.start()
        for sender, total in totals.items():
            self.assertEqual(self.within(guard, sender), total + 2)
        self.assertEqual(ledgerfile.integrity(self.path), ["ok"])
        guard.stop()
        soak.measured("%d kills, %d messages accepted: none missing, at most %d parties too many", KILLS, sum(totals.values()) // 2 - KILLS, most)


class Clock(Remembered):
    def setUp(self):
        super().setUp()
        path = daemon.write(os.path.join(self.folder, "clock"), bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            self.clock = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.shim = {"LD_PRELOAD": os.path.join(daemon.BUILD, "tests", "soak", "fake_clock.so"), "FAKE_CLOCK": path}
        os.environ.update(self.shim)
        self.addCleanup(lambda: [os.environ.pop(name) for name in self.shim])

    def set(self, seconds):
        self.clock[:8] = struct.pack("=q", seconds)

    def test_clock(self):
        """a day forth: what was before is too old; back: what is of the future counts as now; parties stay known for 90 days"""
        guard, sender, circle = self.start(), "care@me.example", self.people(9)
        self.assertEqual([self.within(guard, sender, 9) for _ in range(2)], [9, 18])
        self.assertEqual(self.line(guard, "other@me.example", circle).known, "no")
        known = lambda: self.line(guard, "other@me.example", circle).known
        daemon.wait_until(lambda: known() == "yes", what="learning")
        self.set(DAY)
        self.assertEqual([self.within(guard, sender, 9), known()], [9, "yes"])
        self.set(-DAY)
        self.assertEqual([self.within(guard, sender, 9), known()], [36, "yes"])
        self.set(0)
        self.assertEqual(self.within(guard, sender, 9), 36)  # of the four before it, one was a day ago
        self.set(92 * DAY)
        self.assertEqual([self.within(guard, sender, 9), known()], [9, "no"])
        guard.stop()


class Many(Remembered):
    """Most of them are too old, and are deleted step by step while mail comes."""

    FILL = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
            " INSERT INTO record (author, signature, at, id, subject, hashes)"
            " SELECT abs(random()) % 1000 + 1, 1, ?2 - CASE i % 100 WHEN 0 THEN 0 ELSE 3600 + i % 80000 END, random(), 0, randomblob(72) FROM n ORDER BY 1, 2, 3, 4")

    def fill(self):
        self.filled = int(time.time())
        with contextlib.closing(ledgerfile.connect(self.path)) as connection:
            connection.execute("PRAGMA cache_size = -262144")
            connection.execute("PRAGMA synchronous = OFF")
            indices = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'record' AND sql IS NOT NULL").fetchall()
            connection.execute("BEGIN")
            for name, _sql in indices:
                connection.execute("DROP INDEX " + name)
            connection.execute(self.FILL, (RECORDS, self.filled))
            for _name, sql in indices:  # all at once, which is faster
                connection.execute(sql)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def records(self):
        return ledgerfile.query(self.path, "SELECT count(*) FROM record")[0][0]

    def old(self):
        """Whether there is one that is too old: found by the index.  Counting a million again and again would be most of the work, and keep the log from
        being emptied meanwhile."""
        return ledgerfile.query(self.path, "SELECT EXISTS (SELECT 1 FROM record WHERE at < %d)" % (self.filled - 1800))[0][0]

    def measure(self, guard, count):
        """Seconds of each message, and how many were deferred; they come again, or for some seconds all are."""
        seconds, deferred = [], 0
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            for _ in range(count):
                sender, people = "author%d@me.example" % (self.shown % 100), self.people(4)

                def passes(sender=sender, people=people):
                    return guardcase.send(mta, sender=sender, cc=people).verdict != milterclient.TEMPFAIL
                at_once, took = soak.timed(passes)
                seconds.append(took)
                if not at_once:
                    deferred += 1
                    daemon.wait_until(passes, daemon.LIMIT, "an answer of the state")
        return seconds, deferred

    def test_many(self):
        self.start().stop()
        _nothing, filling = soak.timed(self.fill)
        size = os.path.getsize(self.path)
        guard = self.start("24h")  # for which they are all needed
        seconds, deferred = self.measure(guard, MESSAGES)
        self.assertGreaterEqual(self.records(), RECORDS)
        guard.set_policy(policy("10m"))
        self.assertIn("reload done", guard.reload())  # which begins to tidy
        tidying, sent, start = [], MESSAGES, time.monotonic()
        while self.old():
            self.assertLess(time.monotonic() - start, soak.pick(150, 1200), "old records stay")
            part, more = self.measure(guard, 10)
            tidying, deferred, sent = tidying + part, deferred + more, sent + 10
        took = time.monotonic() - start
        self.assertLessEqual(self.records(), RECORDS // 100 + sent)  # those that are new
        guard.stop()
        # The short form has not the machine for itself.
        self.assertLessEqual(deferred, soak.pick(sent // 10, 0), "messages were deferred, the slowest after %.3f s" % max(seconds + tidying))
        soak.measured("%d records (%.0f MB, made in %.0f s): p99 of %d messages %.1f ms, the slowest %.1f ms; the old ones gone in %.1f s, under %d messages: p99 %.1f ms, the slowest %.1f ms",
                      RECORDS, size / 1e6, filling, MESSAGES, soak.percentile(seconds, 99) * 1e3, max(seconds) * 1e3, took, len(tidying),
                      soak.percentile(tidying or [0], 99) * 1e3, max(tidying or [0]) * 1e3)


if __name__ == "__main__":
    tap.main(soak.LIMIT)
