"""Logs that are gone, not read, read slowly or full: mail goes on, nothing waits for them, and the lines that are lost are counted.

tests/milter/unread_log.py has the same for the daemon's log by syslog, journal and standard error; this adds rcptguardq, its
timers and the other states of a log.
"""

import contextlib
import os
import socket
import threading

import daemon
import devlog
import guardcase
import policies
import prometheus
import review
import soak
import tap

MESSAGES = soak.pick(60, 5000)
PATIENCE = soak.pick(60, 2) * tap.SLOWNESS  # seconds, for what takes some tenths of one
ANSWER = soak.pick(30, 0.5) * tap.SLOWNESS
LOG = "/dev/log"

# What the timers run, beside what reviewers type.
TIMERS = ("notify", "--if-configured"), ("digest", "--if-configured")


class Reader:
    """A log daemon that takes what it is given as slowly as it likes."""

    def __init__(self, kind=socket.SOCK_DGRAM):
        self.socket = socket.socket(socket.AF_UNIX, kind)
        self.socket.bind(LOG)
        os.chmod(LOG, 0o666)
        if kind == socket.SOCK_STREAM:
            self.socket.listen(16)

    def close(self):
        self.socket.close()
        os.unlink(LOG)


@contextlib.contextmanager
def gone():
    yield


@contextlib.contextmanager
def unread():
    reader = Reader()
    try:
        yield
    finally:
        reader.close()


@contextlib.contextmanager
def slow():
    """Twenty lines a second, or two where a loaded machine has few messages a second."""
    reader, stop = Reader(), threading.Event()

    def read():
        while not stop.wait(soak.pick(0.5, 0.05)):
            with contextlib.suppress(BlockingIOError):
                reader.socket.recv(65536, socket.MSG_DONTWAIT)
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        reader.close()


@contextlib.contextmanager
def full():
    """A stream: what it does not take is lost."""
    reader = Reader(socket.SOCK_STREAM)
    try:
        yield
    finally:
        reader.close()


STATES = {"gone": gone, "not read": unread, "slow": slow, "full": full}


class Logs(review.ReviewCase):
    MTAS = ("postfix",)  # which writes its log itself; Sendmail would wait for /dev/log
    REVIEW = {"notice": os.path.join(daemon.SOURCE, "packaging", "examples", "notice.txt"), "digest_to": "boss@me.example"}

    @classmethod
    def setUpClass(cls):
        cls.metrics = daemon.temporary_directory()
        daemon.own(cls.metrics)
        cls.addClassCleanup(daemon.shutil.rmtree, cls.metrics, True)
        cls.CONFIG = {("metrics", "path"): os.path.join(cls.metrics, "rcptguard.prom")}
        devlog.lines()
        os.rename(LOG, LOG + ".kept")  # nobody's until a test has one
        cls.addClassCleanup(os.rename, LOG + ".kept", LOG)
        super().setUpClass()

    def lost(self):
        """Counted until now, in the metrics that a reload has written."""
        path = os.path.join(self.metrics, "rcptguard.prom")
        return self.quickly("a reload", lambda: prometheus.after_reload(path, self.guard)).get("rcptguard_log_lines_lost_total")

    def quickly(self, what, function):
        value, took = soak.timed(function)
        self.assertLess(took, PATIENCE, what)
        return value

    def messages(self):
        """Gives how long the slowest took."""
        slowest = 0
        with self.guard.client() as client:
            client.connect("127.0.0.1")
            for _ in range(MESSAGES):
                answer, took = soak.timed(lambda: guardcase.send(client, cc=policies.people(3)))
                self.assertEqual(answer.verdict, "accept")
                slowest = max(slowest, took)
        self.assertLess(slowest, ANSWER)
        return slowest

    def reviewers(self):
        """What people and timers do with rcptguardq, of which each decision is a line."""
        held = self.hold()
        self.quickly("list", lambda: self.done("list"))
        self.quickly("show", lambda: self.done("show", held.id))
        for words in TIMERS:
            result = self.quickly(words[0], lambda words=words: self.ask(*words))
            self.assertEqual((result.code, result.err), (review.DONE, ""), result)
        self.quickly("release", lambda: self.done("release", held.id, reason="x"))
        self.assertArrived(held)

    def starts(self):
        """A daemon beside the other one, and a check of its configuration."""
        path = os.path.join(self.guard.run_directory, "second.sock")
        self.quickly("check", lambda: self.assertEqual(daemon.run("-n", "-c", self.guard.config_path)[0], 0))
        second = self.quickly("start", lambda: daemon.Daemon(policies.FIELD, socket="unix:" + path))
        try:
            self.quickly("stop", second.stop)
        finally:
            second._clean()

    def each(self, name):
        before = self.lost()
        mark = self.guard.mark()
        with STATES[name]():
            slowest = self.messages()
            self.quickly("another reload", self.guard.reload)
            self.reviewers()
            own = len(self.guard.lines) - mark
            self.starts()
        lost = self.lost() - before
        soak.measured("%s: %d messages, the slowest %.0f ms; %d lines, of which %d are lost and counted", name, MESSAGES, 1000 * slowest, own, lost)
        return lost

    def test_gone(self):
        """standard error has the lines"""
        self.assertEqual(self.each("gone"), 0)

    def test_not_read(self):
        self.assertGreater(self.each("not read"), MESSAGES // 2)

    def test_slow(self):
        self.assertGreater(self.each("slow"), MESSAGES // 4)

    def test_full(self):
        self.each("full")


if __name__ == "__main__":
    review.main(soak.LIMIT)
