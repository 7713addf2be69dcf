"""Many messages that are to be held at once, a slow disk, reloads and old rows: none is deferred, and each has its row."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import unittest

import daemon
import guardcase
import ledgerfile
import milterclient
import policies
import surroundings
import tap

WIDE = policies.people(12)
DELAY = 8  # milliseconds of a sync: a disk in a network, or a busy one
CONNECTIONS = 100 if tap.SANITIZERS == "no" else 20

# A loaded machine may be too slow for a message; what the daemon is too slow for is deferred each time.
TRIES = 5

# Closed rows for a ledger that has never been tidied, each with its parties.
OLD_ROWS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO held (queue_id, mta, began, judged, sender, rule, line, policy, visible, parties, domains, internal, hidden, recipients, defects,
                      approvals, state, changed)
    SELECT 'OLD' || i, mta, 1, 1, sender, rule, line, policy, visible, parties, domains, internal, hidden, recipients, defects, approvals, 'left', 1
    FROM n, (SELECT * FROM held ORDER BY id LIMIT 1)"""
OLD_PARTIES = "INSERT INTO party SELECT held.id, class, name, individuals, people, party.parties FROM held, party WHERE held.judged = 1 AND party.held = ?1"


def slow_sync(directory):
    """The library that makes each sync slow, in a directory that every user may enter."""
    path = os.path.join(directory, "slow-sync.so")
    compiler = (os.environ.get("CC") or "cc").split()
    subprocess.run([*compiler, "-shared", "-fPIC", "-O1", "-o", path, os.path.join(daemon.SOURCE, "tests", "bench", "slow-sync.c")], check=True)
    return path


class Slow(guardcase.GuardCase):
    """A daemon whose syncs take as long as DELAY says."""

    DELAY = DELAY

    @classmethod
    def setUpClass(cls):
        cls.directory = daemon.temporary_directory()
        cls.addClassCleanup(shutil.rmtree, cls.directory, True)
        before = daemon.environment
        library = slow_sync(cls.directory)

        def environment(directory=None):
            env = before(directory)
            env["SLOW_SYNC_MS"] = str(cls.DELAY)
            env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"  # it need not be the first library
            env["LD_PRELOAD"] = " ".join(filter(None, [env.get("LD_PRELOAD"), library]))
            return env

        daemon.environment = environment
        try:
            super().setUpClass()
        finally:
            daemon.environment = before

    @property
    def path(self):
        return self.guard.ledger_path

    def session(self, barrier, messages, answers, failures):
        try:
            with self.guard.client() as mta:
                mta.connect("127.0.0.1")
                barrier.wait()
                for _ in range(messages):
                    answers.append(guardcase.send(mta, cc=WIDE))
                mta.quit()
        except BaseException as failure:  # shown in the test's own thread
            failures.append(failure)
            barrier.abort()

    def storm(self, connections, messages, meanwhile=None):
        """Each connection sends its messages, one after the other; all at once.  Gives the answers."""
        barrier = threading.Barrier(connections + 1)
        answers, failures = [], []
        threads = [threading.Thread(target=self.session, args=(barrier, messages, answers, failures)) for _ in range(connections)]
        for thread in threads:
            thread.start()
        barrier.wait()
        if meanwhile is not None:
            meanwhile()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(answers), connections * messages)
        return answers

    def assertAllHeld(self, storm):
        """Of what `storm` sends none is deferred, and each has its one row."""
        for _ in range(TRIES):
            answers = storm()
            deferred = [answer for answer in answers if answer.verdict != milterclient.ACCEPT or answer.quarantine() is None]
            if not deferred:
                break
        self.assertEqual(len(deferred), 0, "of %d; the first: %r" % (len(answers), deferred[:1]))
        found = ledgerfile.queue_ids(self.path)
        self.assertEqual(sorted(answer.queue_id for answer in answers), sorted(set(found) & {answer.queue_id for answer in answers}))
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(ledgerfile.integrity(self.path), ["ok"])


class ManyAtOnce(Slow):
    def test_many_at_once(self):
        """A hundred connections: what waits together is committed together, or the last ones would wait for 0.8 s."""
        for _ in range(3):
            self.assertAllHeld(lambda: self.storm(CONNECTIONS, 3))

    def test_reloads(self):
        """21 reloads meanwhile, each with a policy that the ledger does not have yet."""

        def reload():
            for number in range(21):
                self.guard.set_policy(policies.policy(default='tag "%d"' % number, rules=policies.rule("wide", "visible(external) >= 5", 'quarantine "x"')))
                self.assertIn("reload done", self.guard.reload())

        try:
            self.assertAllHeld(lambda: self.storm(CONNECTIONS // 5, 40, reload))
        finally:
            self.guard.set_policy(policies.FIELD)
            self.guard.reload()
        digests = [each[0] for each in ledgerfile.query(self.path, "SELECT digest FROM policy")]
        self.assertGreaterEqual(len(digests), 22)

    def test_old_rows(self):
        """20,000 closed rows leave while messages are held."""
        count = 20000 if tap.SANITIZERS == "no" else 2000
        first = self.send(cc=WIDE)
        row = ledgerfile.row(self.path, first.queue_id)

        def left():
            return ledgerfile.query(self.path, "SELECT count(*) FROM held WHERE judged = 1")[0][0]

        def storm():
            ledgerfile.execute(self.path, OLD_ROWS, count)
            ledgerfile.execute(self.path, OLD_PARTIES, row["id"])
            self.assertEqual(left(), count)
            mark = self.guard.mark()
            answers = self.storm(CONNECTIONS // 5, 40, lambda: self.assertIn("reload done", self.guard.reload()))
            print("# of %d rows %d had left when %d messages were held" % (count, count - left(), len(answers)), file=sys.stdout)
            self.assertIn("removed %d closed rows" % count, self.guard.wait_for_line("ledger: removed", mark=mark))
            self.assertEqual(left(), 0)
            return answers

        self.assertAllHeld(storm)


class TooSlow(Slow):
    """A disk that takes longer than a message may wait."""

    DELAY = 700

    def test_no_row_behind_a_deferral(self):
        answers = self.storm(4, 1)
        for answer in answers:
            self.assertDeferred(answer)
            line = self.guard.verdict(answer)
            self.assertLine(line, verdict="tempfail", rule="error:wide-cc")
            self.assertIn("slow", line.text)
        daemon.wait_until(lambda: ledgerfile.queue_ids(self.path) == [], what="the rows to be void")
        answer = self.send(to=["one@else.example"])
        self.assertPassed(answer)


class Stopped(Slow):
    def test_stopped(self):
        """SIGTERM while messages are held: those that were, have their rows, and the others were not."""
        held, failures = [], []

        def session():
            try:
                with self.guard.client() as mta:
                    mta.connect("127.0.0.1")
                    while True:
                        answer = guardcase.send(mta, cc=WIDE)
                        if answer.quarantine() is not None and answer.verdict == milterclient.ACCEPT:
                            held.append(answer.queue_id)
                        elif answer.verdict != milterclient.TEMPFAIL:
                            failures.append(answer)
            except (milterclient.ProtocolError, OSError):
                return  # it has ended

        threads = [threading.Thread(target=session) for _ in range(10)]
        for thread in threads:
            thread.start()
        daemon.wait_until(lambda: len(held) > 50, what="held messages")
        self.guard.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.guard.wait_exit(), 0)
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(set(held) - set(ledgerfile.queue_ids(self.path)), set(), "held without a row")
        self.assertEqual([line for line in self.guard.lines if "hangs" in line], [])


if __name__ == "__main__":
    surroundings.enter()
    tap.main(120)
