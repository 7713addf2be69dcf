"""Each file of the ledger is damaged, while the daemon runs and while it does not: nothing is held without a row that can be read, and it recovers by itself."""

import glob
import os
import signal
import sqlite3

import daemon
import guardcase
import ledgerfile
import milterclient
import policies
import surroundings
import tap

WIDE = policies.people(12)
ROWS = 30
BAD = b"\xa5"


def everything(file, size):
    file.write(BAD * size)


def zeros(file, size):
    file.write(bytes(size))


def beginning(file, size):
    file.write(BAD * min(size, 120))


def the_rest(file, size):
    file.seek(4096)
    file.write(BAD * max(size - 4096, 0))


def middle(file, size):
    file.seek(size // 2 // 4096 * 4096 + 100)
    file.write(BAD * 2000)


def cut_to_nothing(file, _size):
    file.truncate(0)


def cut_in_half(file, size):
    file.truncate(size // 2 // 4096 * 4096)


KINDS = (everything, zeros, beginning, the_rest, middle, cut_to_nothing, cut_in_half)


def damage(path, kind):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        kind(file, size)


class DamageCase(guardcase.LedgerCase):
    assertHeld = guardcase.GuardCase.assertHeld
    assertPassed = guardcase.GuardCase.assertPassed

    def guard(self):
        guard = daemon.Daemon(policies.FIELD, config={("ledger", "path"): self.path})
        self.addCleanup(guard._clean)
        return guard

    def new(self):
        """Without what another case has left."""
        for name in glob.glob(self.path + "*"):
            os.unlink(name)

    def send(self, guard, cc=WIDE):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            return guardcase.send(mta, cc=cc)

    def send_in_time(self, guard):
        """That the disk was too slow says nothing about the ledger."""
        return guardcase.in_time(guard, lambda: self.send(guard))

    def hold(self, guard, count=ROWS):
        answers = [self.send_in_time(guard) for _ in range(count)]
        for answer in answers:
            self.assertHeld(answer)
        return [answer.queue_id for answer in answers]

    def there(self):
        """The queue ids that the ledger has, for who reads it."""
        try:
            return set(ledgerfile.queue_ids(self.path))
        except sqlite3.Error as failure:
            return failure

    def check(self, guard, before, mark):
        """Whatever was damaged: a row behind each hold, one line about what is lost, a sound ledger in the end."""
        self.assertPassed(self.send(guard, ["one@else.example"]))
        held = []
        for _ in range(4):
            answer = self.send_in_time(guard)
            if answer.verdict == milterclient.ACCEPT:
                self.assertHeld(answer)
                held.append(answer.queue_id)
                self.assertIn(answer.queue_id, self.there(), "held, and nobody can read why")
            else:
                self.assertEqual(answer.verdict, milterclient.TEMPFAIL)
        self.assertGreaterEqual(len(held), 3, "it does not recover by itself")
        self.assertEqual(ledgerfile.integrity(self.path), ["ok"])
        lost = set(before) - self.there()
        guard.verdict(self.send(guard, ["one@else.example"]))  # its line is after all others
        lines = [line for line in guard.lines[mark:] if "damaged" in line]
        self.assertEqual(len(lines), 1 if lost else 0, "%d rows are lost: %r" % (len(lost), lines))
        aside = glob.glob(self.path + ".damaged-*Z")
        self.assertEqual(len(aside), len(lines))
        for line in lines:
            self.assertIn(aside[0], line)
            self.assertRegex(line, "ledger: .* is damaged and was renamed")
        return bool(lines)


class Running(DamageCase):
    def test_running(self):
        for suffix in ("", "-wal", "-shm"):
            for kind in KINDS:
                if suffix == "-shm" and kind in (cut_to_nothing, cut_in_half):
                    continue  # see below
                with self.subTest(suffix=suffix, kind=kind.__name__):
                    self.new()
                    guard = self.guard()
                    before = self.hold(guard)
                    if suffix == "":
                        ledgerfile.execute(self.path, "PRAGMA wal_checkpoint(TRUNCATE)")
                        before += self.hold(guard, 1)
                    mark = guard.mark()
                    damage(self.path + suffix, kind)
                    found = self.check(guard, before, mark)
                    if suffix == "-wal":
                        self.assertTrue(found, "each byte of the log is looked at")
                    guard.stop()

    def test_memory_that_is_cut(self):
        """The shared memory is cut under a process that uses it: the kernel ends that; nothing is lost when it starts again."""
        for kind in cut_to_nothing, cut_in_half:
            with self.subTest(kind=kind.__name__):
                self.new()
                guard = self.guard()
                before = self.hold(guard)
                damage(self.path + "-shm", kind)
                try:
                    self.send(guard)
                except (milterclient.ProtocolError, OSError):
                    pass
                guard.process.wait(daemon.LIMIT)
                guard._clean()
                guard = self.guard()
                self.assertFalse(self.check(guard, before, 0))
                guard.stop()

    def test_others_write(self):
        """What other programs do to the files is no damage."""
        guard = self.guard()
        before = self.hold(guard)
        mark = guard.mark()
        for sql in ("UPDATE held SET state = 'held'", "PRAGMA wal_checkpoint(TRUNCATE)", "UPDATE held SET state = 'left'", "PRAGMA wal_checkpoint(RESTART)",
                    "DELETE FROM held WHERE id % 2 = 0", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            with self.subTest(sql):
                ledgerfile.execute(self.path, sql)
                before += self.hold(guard, 2)
        self.assertEqual([line for line in guard.lines[mark:] if "ledger: " in line], [])
        self.assertEqual(len(set(before) - self.there()), ROWS // 2 + 4)
        guard.stop()


class Starting(DamageCase):
    def test_log(self):
        """Killed, so that its rows are in the log, and damaged before it starts again."""
        for kind in KINDS:
            if kind in (cut_to_nothing, cut_in_half):
                continue  # such a log cannot be told from one that ended there
            with self.subTest(kind=kind.__name__):
                self.new()
                guard = self.guard()
                before = self.hold(guard)
                os.kill(guard.child(), signal.SIGKILL)
                guard.process.wait()
                guard._clean()
                damage(self.path + "-wal", kind)
                guard = self.guard()
                self.assertTrue(self.check(guard, before, 0))
                guard.stop()

    def test_database(self):
        for kind in KINDS:
            with self.subTest(kind=kind.__name__):
                self.new()
                guard = self.guard()
                before = self.hold(guard)
                guard.stop()
                self.assertEqual(glob.glob(self.path + "-*"), [], "a stop leaves one file")
                damage(self.path, kind)
                guard = self.guard()
                if kind in (everything, zeros, beginning):  # it is no ledger, and may be something else
                    answer = self.send(guard)
                    self.assertEqual(answer.verdict, milterclient.TEMPFAIL)
                    self.assertIn("not a database", guard.wait_for_line("ledger: "))
                    self.assertIn("corrupt", guard.verdict(answer).text)
                    self.assertPassed(self.send(guard, ["one@else.example"]))
                elif kind is cut_to_nothing:  # as a file that has just been made
                    self.hold(guard, 3)
                else:
                    self.check(guard, before, 0)
                guard.stop()


if __name__ == "__main__":
    surroundings.enter()
    tap.main(120)
