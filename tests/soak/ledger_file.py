"""The ledger's disk full, read-only or out of inodes, its files locked, damaged or deleted, while the daemon runs and at its start.

What would be held is deferred, or held with a row that can be read; all other mail goes on; the metrics count each failure,
from which one alert is made; and once the cause is gone, mail is held again without a restart.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import unittest

import daemon
import guardcase
import ledgerfile
import milterclient
import mta
import mtacase
import policies
import prometheus
import soak
import surroundings
import tap

WIDE = policies.people(12)
NARROW = policies.people(3)
SIZE, INODES = 2 * 1024 * 1024, 64
SUFFIXES = "", "-wal", "-shm"
TRIES = soak.pick(2, 20)
PATIENCE = soak.pick(60, 1) * tap.SLOWNESS

HELD, DEFERRED, PASSED = "held", "deferred", "passed"


# ---- the faults: what is broken when the block begins is repaired when it ends


@contextlib.contextmanager
def full(case):
    # A log with room left in it would take some rows more.
    ledgerfile.execute(case.path, "PRAGMA wal_checkpoint(TRUNCATE)")
    filler = os.path.join(case.folder, "filler")
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    yield
    os.unlink(filler)


@contextlib.contextmanager
def out_of_inodes(case):
    """Whether a file can be made is asked only if one is missing."""
    for suffix in SUFFIXES[1:]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(case.path + suffix)
    names = []
    with contextlib.suppress(OSError):
        while True:
            name = os.path.join(case.folder, "empty%d" % len(names))
            with open(name, "wb"):
                names.append(name)
    yield
    for name in names:
        os.unlink(name)


@contextlib.contextmanager
def read_only(case):
    """Mounted over: what the daemon has open for writing stays so.  fail_once.py has the disk that turns read-only under open files."""
    lower = os.path.join(case.place, "lower")
    subprocess.run(["mount", "--bind", case.folder, lower], check=True)
    subprocess.run(["mount", "--bind", lower, case.folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", case.folder], check=True)
    yield
    subprocess.run(["umount", "-l", case.folder], check=True)
    subprocess.run(["umount", "-l", lower], check=True)


@contextlib.contextmanager
def locked(case):
    if not os.path.exists(case.path):
        ledgerfile.execute(case.path, "PRAGMA journal_mode = WAL")
        daemon.own(case.path)
    with ledgerfile.locked(case.path):
        yield


def damaged(suffix, content):
    """Written over in place, and taken away by a person if the daemon has not set it aside."""
    @contextlib.contextmanager
    def fault(case):
        if suffix == "":  # all that was written is in the file, and not in its -wal alone
            ledgerfile.execute(case.path, "PRAGMA wal_checkpoint(TRUNCATE)")
        path = case.path + suffix
        with open(path, "r+b" if os.path.exists(path) else "wb") as file:
            size = max(os.fstat(file.fileno()).st_size, 8192)
            file.write((content * (size // len(content) + 1))[:size])
            file.flush()
            inode = os.fstat(file.fileno()).st_ino
        daemon.own(path)
        os.chmod(path, 0o600)
        yield
        if suffix == "" and os.path.exists(path) and os.stat(path).st_ino == inode:
            case.remove(*SUFFIXES)
    return fault


def deleted(*suffixes):
    @contextlib.contextmanager
    def fault(case):
        case.remove(*suffixes)
        yield
    return fault


@contextlib.contextmanager
def without_directory(case):
    away = case.folder + ".away"
    if case.mounted:
        subprocess.run(["umount", "-l", case.folder], check=True)
        case.mounted = False
    os.rename(case.folder, away)
    yield
    shutil.rmtree(away)
    case.make_folder()


GARBAGE, ZEROES = b"\xa5\x5a no database \xff", b"\0"

# name: the fault; what may come of a message that should be held; whether a daemon that starts may refuse to.
FAULTS = {
    "full": (full, {DEFERRED}, False),
    "out of inodes": (out_of_inodes, {DEFERRED, HELD}, True),
    "read-only": (read_only, {DEFERRED, HELD}, True),
    "locked": (locked, {DEFERRED}, False),
    "damaged": (damaged("", GARBAGE), {DEFERRED, HELD}, False),
    "damaged with zeroes": (damaged("", ZEROES), {DEFERRED, HELD}, False),
    "damaged -wal": (damaged("-wal", GARBAGE), {DEFERRED, HELD}, False),
    "damaged -shm": (damaged("-shm", GARBAGE), {DEFERRED, HELD}, False),
    "deleted": (deleted(*SUFFIXES), {HELD}, False),
    "deleted ledger.db": (deleted(""), {DEFERRED, HELD}, False),
    "deleted -wal": (deleted("-wal"), {DEFERRED, HELD}, False),
    "deleted -shm": (deleted("-shm"), {DEFERRED, HELD}, False),
    "deleted directory": (without_directory, {DEFERRED}, True),
}


class Faults:
    """Mixed into a case that says how messages come: hand_in(kind) gives (HELD, DEFERRED or PASSED, queue id, seconds)."""

    def make_folder(self):
        os.makedirs(self.folder, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,nr_inodes=%d,mode=700" % (SIZE, INODES), "tmpfs", self.folder], check=True)
        self.mounted = True
        daemon.own(self.folder)

    def prepare(self):
        self.place = daemon.temporary_directory()
        self.folder = os.path.join(self.place, "state")
        os.mkdir(os.path.join(self.place, "lower"))
        self.path = os.path.join(self.folder, "ledger.db")
        self.metrics = os.path.join(self.place, "metrics")
        os.mkdir(self.metrics)
        daemon.own(self.metrics)
        self.make_folder()
        self.guard = None
        self.addCleanup(shutil.rmtree, self.place, True)
        self.addCleanup(self.unmount)
        self.addCleanup(self.end)

    def unmount(self):
        for path in self.folder, self.folder, os.path.join(self.place, "lower"):
            subprocess.run(["umount", "-l", path], stderr=subprocess.DEVNULL, check=False)

    def begin(self):
        self.guard = self.start(config={("ledger", "path"): self.path, ("metrics", "path"): os.path.join(self.metrics, "rcptguard.prom")})

    def end(self):
        if self.guard is not None:
            self.guard._clean()
            self.guard = None

    def remove(self, *suffixes):
        for suffix in suffixes:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path + suffix)

    def errors(self):
        """What the metrics counted of failed holds, after a reload, which has them written."""
        return prometheus.after_reload(os.path.join(self.metrics, "rcptguard.prom"), self.guard).get("rcptguard_ledger_errors_total", "operation", "hold")

    def readable(self, queue_id):
        try:
            return len(ledgerfile.rows(self.path, queue_id)) == 1
        except sqlite3.Error:
            return False

    def hold(self, allowed):
        outcome, queue_id, took = self.hand_in(WIDE)
        self.assertIn(outcome, allowed)
        line = self.guard.verdict(queue_id)
        if outcome == HELD:
            self.assertTrue(self.readable(queue_id), "%s is held, and nobody can read why" % queue_id)
        else:
            self.assertEqual((line.verdict, line.rule), ("tempfail", "error:wide-cc"), line.raw)
            self.assertIn("ledger", line.text)
            self.assertLess(took, PATIENCE)
        return outcome

    def passes(self):
        outcome, queue_id, took = self.hand_in(NARROW)
        self.assertEqual(outcome, PASSED)
        self.assertLess(took, PATIENCE)
        self.assertEqual(self.guard.verdict(queue_id).verdict, "accept")

    def broken(self, name, at_start):
        """Gives (messages held, messages deferred, whether the daemon would not start)."""
        fault, allowed, may_refuse = FAULTS[name]
        self.begin()
        self.hold({HELD})
        if at_start:
            self.guard.stop()
            self.end()
        outcomes, refused = [], False
        with fault(self):
            if at_start:
                refused = not self.begins(may_refuse)
            if not refused:
                for _ in range(TRIES):
                    outcomes.append(self.hold(allowed))
                    self.passes()
                deferred = outcomes.count(DEFERRED)
                self.assertEqual(self.errors(), deferred, "what the alert counts")
        if refused:
            self.begin()
        daemon.wait_until(lambda: self.hand_in(WIDE)[0] == HELD, what="a hold after the repair")
        self.assertEqual(self.hold({HELD}), HELD)
        self.passes()
        self.assertEqual(ledgerfile.integrity(self.path), ["ok"])
        self.guard.stop()
        self.end()
        return outcomes.count(HELD), outcomes.count(DEFERRED), refused

    def begins(self, may_refuse):
        try:
            self.begin()
        except daemon.Exited as refusal:
            self.assertTrue(may_refuse, refusal)
            self.assertRegex(str(refusal), r"ended with (1|75):(.|\n)*ledger")
            self.end()
            return False
        return True

    def every(self, at_start):
        when = "at the start" if at_start else "running"
        for name in FAULTS:
            with self.subTest(name + ", " + when):
                try:
                    held, deferred, refused = self.broken(name, at_start)
                    soak.measured("%s, %s, %s: %s", type(self).__name__, name, when, "does not start" if refused else "%d held, %d deferred" % (held, deferred))
                finally:
                    self.end()
                    self.unmount()
                    self.make_folder()

    def test_running(self):
        self.every(False)

    def test_at_the_start(self):
        self.every(True)


@unittest.skipUnless(daemon.ROOT, "only root can mount a small disk")
class Protocol(Faults, unittest.TestCase):
    def setUp(self):
        self.prepare()

    def start(self, **options):
        return daemon.Daemon(policies.FIELD, **options)

    def hand_in(self, people):
        with self.guard.client() as client:
            client.connect("127.0.0.1")
            answer, took = soak.timed(lambda: guardcase.send(client, cc=people))
        if answer.verdict == milterclient.TEMPFAIL:
            return DEFERRED, answer.queue_id, took
        self.assertEqual(answer.verdict, milterclient.ACCEPT)
        return (PASSED if answer.quarantine() is None else HELD), answer.queue_id, took


class Mail(Faults, mtacase.MtaCase):
    """The same through a real MTA, in the long form."""

    MTAS = soak.MTAS if soak.LONG else ()

    def setUp(self):
        type(self).guard.stop()
        type(self).guard._clean()
        self.prepare()

    @classmethod
    def tearDownClass(cls):
        cls.mta.close()

    def start(self, **options):
        return self.mta.guard(self.POLICY, **options)

    def hand_in(self, people):
        subject, text = self.message(cc=people)
        reply, took = soak.timed(lambda: self.mta.send("plain", mtacase.SENDER, people, text))
        if reply.code == 451:
            self.assertEqual((reply.stage, self.mta.recipients(subject)), ("data", []))
            return DEFERRED, self.rejected_id(subject), took
        self.assertEqual(reply.code, 250, reply)
        if len(people) < 10:
            self.assertDelivered(reply.queue_id, subject, people)
            return PASSED, reply.queue_id, took
        daemon.wait_until(lambda: reply.queue_id in self.mta.held(), mta.LIMIT, "the hold")
        self.assertEqual(self.mta.recipients(subject), [])
        return HELD, reply.queue_id, took


if __name__ == "__main__":
    mtacase.main(soak.LIMIT)
