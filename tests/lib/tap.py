"""Runs the unittest cases of a test file and prints TAP for automake's driver.

A test file ends with

    if __name__ == "__main__":
        tap.main()

One line a test: `ok 1 - name` or `not ok 1 - name` with the traceback as `#`
lines.  The plan comes last, so a run that dies on the way has none and is an
error.  A test that did not come to its turn (its class could not be set up) is
`not ok`.  A test that hangs is cut by an alarm and fails; what it started is
stopped like after any failure.
"""

import os
import signal
import sys
import time
import traceback
import unittest

# Sanitizers make everything several times slower; every limit is multiplied by this.
SANITIZERS = os.environ.get("SANITIZERS", "no") or "no"
SLOWNESS = {"no": 1}.get(SANITIZERS, 5)

# How long one test, and one class with its set-up, may take; a file may say otherwise by `main`.
TEST_LIMIT = 300

# A test that takes as many seconds is remarked on.
SLOW = 2

_reporters = []


def on_failure(reporter):
    """`reporter()` gives lines that help to understand a failure; they are printed with each one."""
    _reporters.append(reporter)


def forget(reporter):
    if reporter in _reporters:
        _reporters.remove(reporter)


class Hung(BaseException):
    """Raised by the alarm.  No Exception, so that no helper takes it for its own."""


def _alarm(_signal, _frame):
    raise Hung("the time for this test is over")


def _terminate(number, _frame):
    raise SystemExit("ended by signal %d" % number)


class _Result(unittest.TestResult):
    def __init__(self, stream, limit):
        super().__init__()
        self.stream = stream
        self.limit = limit
        self.number = 0
        self.bad = 0
        self.reported = set()
        self.trouble = []
        self.skipped_because = None

    def _print(self, good, name, comment="", lines=()):
        self.number += 1
        self.bad += 0 if good else 1
        self.stream.write("%s %d - %s%s\n" % ("ok" if good else "not ok", self.number, name.replace("#", "\\#"), comment))
        for line in lines:
            self.stream.write("# %s\n" % line.encode("ascii", "backslashreplace").decode("ascii"))
        self.stream.flush()

    @staticmethod
    def _explain(error):
        lines = "".join(traceback.format_exception(*error)).rstrip("\n").split("\n")
        for reporter in list(_reporters):
            try:
                lines.extend(reporter())
            except Exception as failure:  # a report must not hide what it reports on
                lines.append("(no report: %s)" % failure)
        return lines

    def startTest(self, test):
        super().startTest(test)
        self.trouble = []
        self.skipped_because = None
        self.begun = time.monotonic()
        signal.alarm(self.limit)

    def stopTest(self, test):
        signal.alarm(self.limit)  # for what the class does after its last test
        self.reported.add(test.id())
        name = _name(test)
        if self.trouble:
            self._print(False, name, lines=self.trouble)
        elif self.skipped_because is not None:
            self._print(True, name, " # SKIP %s" % self.skipped_because)
        else:
            self._print(True, name, lines=self._slow())
        super().stopTest(test)

    def _slow(self):
        """A remark on a test that took long, for whoever wants the suite to be quicker."""
        taken = time.monotonic() - self.begun
        return ["it took %.1f s" % taken] if taken >= SLOW else []

    def addError(self, test, err):
        if not isinstance(test, unittest.TestCase):  # a class or the module could not be set up or torn down
            self._print(False, str(test), lines=self._explain(err))
        else:
            self.trouble.extend(self._explain(err))

    def addFailure(self, test, err):
        self.trouble.extend(self._explain(err))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.trouble.append("in %s:" % subtest.id())
            self.trouble.extend(self._explain(err))

    def addSkip(self, test, reason):
        if isinstance(test, unittest.TestCase):
            self.skipped_because = reason
        else:
            self._print(True, str(test), " # SKIP %s" % reason)

    def addUnexpectedSuccess(self, test):
        self.trouble.append("passed, although it is marked as an expected failure")


def _name(test):
    words = test.id().split(".")[-2:]
    description = test.shortDescription()
    return ".".join(words) + (": " + description if description else "")


def _flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _flatten(item)
        else:
            yield item


def main(limit=TEST_LIMIT):
    """Runs the tests of __main__, all of them or those whose name holds a word of the command line."""
    tests = list(_flatten(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])))
    if sys.argv[1:]:
        tests = [test for test in tests if any(word in test.id() for word in sys.argv[1:])]
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a test or a program prints is no TAP
    result = _Result(stream, limit * SLOWNESS)
    signal.signal(signal.SIGALRM, _alarm)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _terminate)
    signal.alarm(result.limit)
    unittest.TestSuite(tests).run(result)
    signal.alarm(0)
    for test in tests:
        if test.id() not in result.reported:
            result._print(result.skipped_because is not None, _name(test), lines=["it did not come to its turn"])
    stream.write("1..%d\n" % result.number)
    stream.flush()
    sys.exit(1 if result.bad or not tests else 0)
