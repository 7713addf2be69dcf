"""Each write, fsync, rename, open, fcntl and fork fails once, at each place, in a hold, a reload, a metrics write, a release and a setup.

What comes of it is a clean error or a tempfail: no half file, no lost or double message, and the next attempt succeeds.
The long form fails every call; the short one some of them, chosen by the seed.
"""

import collections
import errno
import os
import re
import subprocess
import sys
import unittest

import accounting
import daemon
import faultshim
import guardcase
import ledgerfile
import milterclient
import mtacase
import policies
import prometheus
import review
import soak

sys.path.append(os.path.join(daemon.SOURCE, "tests", "mta"))
import setup  # noqa: E402

WIDE = policies.people(12)


class FailCase(unittest.TestCase):
    KINDS = " ".join(faultshim.KINDS)

    def each_place(self, name, act, check, sample):
        """act() with each call failing, then check(what act gave, the place).  The short form takes a sample of so many calls."""
        self.shim.count(self.KINDS)
        value = act()
        self.shim.disarm()
        calls = [(kind, number) for kind, count in self.shim.seen().items() for number in range(1, count + 1)]
        check(value, None)
        if not soak.LONG:
            soak.chance("fail_once " + name).shuffle(calls)
        failed = collections.Counter()
        for kind, number in calls:
            if not soak.LONG and sum(failed.values()) == sample:
                break
            self.shim.arm(kind, number)
            try:
                value = act()
            finally:
                place = self.shim.disarm()
            with self.subTest("%s: %s %d, %s" % (name, kind, number, place)):
                if place is not None:  # how many there are differs a little, by what threads do meanwhile
                    failed[kind] += 1
                check(value, place)
        soak.measured("%s: %d calls failed: %s", name, sum(failed.values()), ", ".join("%s %d" % pair for pair in failed.items()))
        self.assertGreater(sum(failed.values()), 0)


@unittest.skipUnless(daemon.ROOT, "a daemon of another user's")
class Daemon(FailCase):
    KINDS = "write fsync rename open fcntl"  # no process is made while it serves

    def setUp(self):
        self.shim = faultshim.Shim()
        self.addCleanup(self.shim.close)
        self.folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, self.folder, True)
        daemon.own(self.folder)
        self.metrics = os.path.join(self.folder, "rcptguard.prom")
        with self.shim.loaded():
            self.guard = daemon.Daemon(policies.FIELD, config={("metrics", "path"): self.metrics})
        self.addCleanup(self.guard._clean)
        self.child = self.guard.child()

    def tearDown(self):
        self.assertEqual(self.guard.child(), self.child, "it was started anew")
        self.guard.stop()

    def send(self, people=WIDE):
        """The answer; None if the connection broke, after which an MTA defers."""
        try:
            with self.guard.client(timeout=60) as client:
                client.connect("127.0.0.1")
                return guardcase.send(client, cc=people)
        except (milterclient.ProtocolError, OSError) as failure:
            self.assertNotIn("no answer", str(failure))
            return None

    def check_hold(self, answer, place):
        if answer is not None and answer.verdict != milterclient.TEMPFAIL:
            self.assertEqual(answer.verdict, milterclient.ACCEPT)
            self.assertIsNotNone(answer.quarantine(), "it passed")
            self.assertEqual(ledgerfile.row(self.guard.ledger_path, answer.queue_id)["state"], "pending")
        elif place is None:
            self.fail("deferred, and nothing failed: %r" % answer)
        answer = daemon.wait_until(self.send, what="an answer")
        self.assertIsNotNone(answer.quarantine(), "the next message is not held: %r" % answer)
        self.assertEqual(ledgerfile.integrity(self.guard.ledger_path), ["ok"])

    def test_hold(self):
        self.each_place("hold", self.send, self.check_hold, 8)

    def test_a_disk_that_turns_read_only(self):
        """under the open files of the ledger: each write fails from then on"""
        self.assertIsNotNone(self.send().quarantine())
        self.shim.arm("write fsync rename", 1, errno.EROFS, faultshim.FAIL_ALWAYS)
        answers = [self.send() for _ in range(3)]
        passes = self.send(WIDE[:3])
        place = self.shim.disarm()
        for answer in answers:
            self.assertEqual((answer.stage, answer.verdict), ("eom", milterclient.TEMPFAIL))
            self.assertIn("read-only", self.guard.verdict(answer).text)
        self.assertEqual(passes.verdict, milterclient.ACCEPT)
        self.check_hold(answers[0], place)

    def reload(self):
        """The word of the log, and the rule's text afterwards."""
        self.texts = [text for text in ("first", "second") if text != self.text]
        self.guard.set_policy(policies.policy(rules=policies.rule("wide", "parties(external) >= 5", 'reject "%s"' % self.texts[0])))
        return self.reload_and_write()

    def reload_and_write(self):
        """The word of the log.  The daemon's thread writes the metrics anew after each reload, or says why not; of a trouble that lasts it says nothing more."""
        mark, before = self.guard.mark(), os.stat(self.metrics).st_mtime_ns
        word = re.search("done|failed", self.guard.reload()).group()
        daemon.wait_until(lambda: os.stat(self.metrics).st_mtime_ns != before or any("metrics: " in line for line in self.guard.lines[mark:]), what="the writing of the metrics")
        return word

    def check_reload(self, word, _place):
        answer = daemon.wait_until(self.send, what="an answer")
        text = answer.reply.rpartition(" ")[2]
        self.assertEqual(text, self.texts[0] if word == "done" else self.text)
        self.text = text
        self.check_file()

    def check_file(self):
        """Whole, and nothing is left beside it after the next writing."""
        prometheus.read(self.metrics)
        if [name for name in os.listdir(self.folder) if name != "rcptguard.prom"]:
            self.reload_and_write()
            daemon.wait_until(lambda: os.listdir(self.folder) == ["rcptguard.prom"], what="the end of the temporary file")

    def test_reload(self):
        """and the writing of the metrics, which follows each reload"""
        daemon.wait_until(lambda: os.path.exists(self.metrics), what="the first writing of the metrics")
        self.text = None
        self.assertEqual(self.reload(), "done")
        self.text = self.texts[0]
        self.each_place("reload and metrics", self.reload, self.check_reload, 5)


@unittest.skipUnless(daemon.ROOT, "edits what is root's")
class Setup(FailCase):
    """of a Postfix and of a Sendmail: the configuration is the old one or the new one, and the old one is kept beside it"""

    def each(self, kind):
        case = kind("setUp")
        case.setUp()
        self.addCleanup(case.doCleanups)
        self.shim = faultshim.Shim()
        self.addCleanup(self.shim.close)
        path = case.main if kind is setup.OnPostfix else case.mc
        before = case.read(path)
        names = set(os.listdir(os.path.dirname(path)))
        case.done(*case.arguments, "--yes")
        after = case.read(path)
        self.assertNotEqual(before, after)

        def act():
            daemon.write(path, before)
            for name in set(os.listdir(os.path.dirname(path))) - names:
                os.unlink(os.path.join(os.path.dirname(path), name))
            with self.shim.loaded():
                return case.ask(*case.arguments, "--yes")

        def check(answer, place):
            text = case.read(path)
            self.assertIn(text, (before, after), "half a file")
            self.assertIn(answer.code, (review.DONE, review.WRONG, review.PASSING), answer)
            if text == before:
                self.assertNotEqual((answer.code, answer.err), (review.DONE, ""), "no error, and no change")
            else:
                self.assertEqual([case.read(backup) for backup in case.backups(path)], [before])
            left = {name for name in os.listdir(os.path.dirname(path)) if not name.endswith(".bak")} - names
            if not (place or "").startswith("unlink"):
                self.assertEqual(left, set(), "left behind")
            self.assertEqual(case.ask(*case.arguments, "--yes").code, review.DONE)
            self.assertEqual(case.read(path), after)

        self.each_place("setup of " + case.arguments[0], act, check, 1)

    def test_postfix(self):
        self.each(setup.OnPostfix)

    def test_sendmail(self):
        self.each(setup.OnSendmail)


class Release(accounting.AccountingCase, FailCase):
    """of a message that is on hold: delivered once, or still on hold until the next attempt"""

    MTAS = soak.MTAS

    def setUp(self):
        super().setUp()
        self.shim = faultshim.Shim()
        self.addCleanup(self.shim.close)

    def release(self):
        self.message_held = self.hold()
        return self.ask("release", self.message_held.id, reason="x", env=self.shim.environment(daemon.environment()))

    def check_release(self, answer, place):
        held = self.message_held
        if answer.code == review.DONE:
            self.assertIn("%s: released" % held.id, answer.out)
            if held.id in [entry["queue_id"] for entry in self.mta.queue()]:  # "it leaves when the queue manager looks next"
                self.mta.flush(held.id)
        elif place is None:
            self.fail("nothing failed: %r" % answer)
        else:
            self.assertNotEqual(answer.err, "")
            if held.id in self.mta.held():
                self.done("release", held.id, reason="again")
            else:
                self.done("list")  # finds out what became of it
                if held.id in [entry["queue_id"] for entry in self.mta.queue()]:
                    self.mta.flush(held.id)
        self.assertDeliveredOnce([held])
        self.assertEqual(self.state(held.id), "released")
        self.assertEqual(ledgerfile.integrity(self.guard.ledger_path), ["ok"])

    def test_release(self):
        self.each_place("release on " + self.MTA, self.release, self.check_release, 3)


if __name__ == "__main__":
    mtacase.main(soak.LIMIT)
