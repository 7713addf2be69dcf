"""What the tests of tests/soak share: their two forms, the seed of what is random, and the figures that they measure.

`make check-soak` runs the short form, a few seconds a file; `make soak` sets SOAK_FORM=long and runs the whole row of
the table in tests/RESULTS.md: the same code with other numbers.  SOAK_SEED repeats a run that failed.
"""

import contextlib
import os
import random
import shutil
import sys
import threading
import time

import daemon
import tap

LONG = os.environ.get("SOAK_FORM") == "long"
SEED = int(os.environ.get("SOAK_SEED") or time.time_ns() % 1000000)

# The MTAs in front of the daemon: both in the long form, where one is enough to see that the case works.
MTAS = ("postfix", "sendmail") if LONG else ("postfix",)

# How long one test may take.
LIMIT = 7200 if LONG else tap.TEST_LIMIT


def pick(short, long):
    """The number of the form that runs."""
    return long if LONG else short


def chance(name):
    """A generator of random numbers, whose seed is printed."""
    print("# %s: SOAK_SEED=%d" % (name, SEED), file=sys.stderr)
    return random.Random("%s %d" % (name, SEED))


def measured(text, *values):
    """A figure for tests/RESULTS.md."""
    print("# measured: " + text % values, file=sys.stderr, flush=True)


def percentile(values, percent):
    """In the values' own unit."""
    ordered = sorted(values)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


def timed(function):
    """(its value, seconds)"""
    start = time.monotonic()
    value = function()
    return value, time.monotonic() - start


def rss(pid):
    """Resident memory in kB."""
    return int(daemon.status(pid)["VmRSS"].split()[0])


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


class Life:
    """The daemon in one life after another, with one ledger and one socket.

    start   gives a Daemon when it is called with its configuration, as mta.guard does
    """

    def __init__(self, start, directory=None):
        self.start = start
        self.directory = directory or daemon.temporary_directory()
        daemon.own(self.directory)
        os.chmod(self.directory, 0o700)
        self.ledger_path = os.path.join(self.directory, "ledger.db")
        self.guard = None

    def begin(self):
        self.guard = self.start(config={("ledger", "path"): self.ledger_path})
        self.guard.ledger_path = self.ledger_path
        return self.guard

    def killed(self):
        """Waits for the end of both processes, one of which was killed."""
        self.guard.process.wait()
        daemon.wait_until(lambda: self.guard.ended, what="the end of the daemon")
        self.guard._clean()

    def close(self):
        with contextlib.suppress(Exception):
            self.guard._clean()
        shutil.rmtree(self.directory, ignore_errors=True)


class Workers:
    """Threads that do something again and again until the block ends; what one of them raises is raised there."""

    def __init__(self, count, work):
        self.stop = threading.Event()
        self.failures = []
        self.threads = [threading.Thread(target=self._run, args=(work, number), daemon=True) for number in range(count)]

    def _run(self, work, number):
        try:
            while not self.stop.is_set():
                work(number)
        except BaseException as failure:  # raised in the test's own thread
            self.failures.append(failure)

    def alive(self):
        """Whether all of them go on."""
        if self.failures:
            raise self.failures[0]
        return True

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, _value, _trace):
        self.stop.set()
        for thread in self.threads:
            thread.join(daemon.LIMIT)
        if kind is None:
            self.alive()
