"""What is remembered between messages fails: full, read-only, deleted, damaged, locked.  Nothing passes that a window would have stopped, and all that does not need it goes on."""

import glob
import json
import os
import re
import subprocess
import time
import unittest

import daemon
import damage
import guardcase
import ledgerfile
import policies
import prometheus
import statecase
import surroundings
import tap


class Locked(statecase.StateCase):
    def metrics(self):
        """(the configuration of a daemon that writes metrics, a function that gives how many questions of windows have failed until it was stopped)"""
        folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, folder, True)
        daemon.own(folder)
        path = os.path.join(folder, "rcptguard.prom")
        return {("metrics", "path"): path}, lambda: prometheus.read(path).get("rcptguard_state_errors_total", "operation", "window")

    def test_window(self):
        """by another process: deferred after 200 ms, then at once for 5 s; the window goes on where it was"""
        config, failed = self.metrics()
        start = time.monotonic()
        guard = self.guard(config=config)
        self.assertEqual([self.again(guard) for _ in range(2)], [9, 18])
        with ledgerfile.locked(guard.state):
            mark, began = guard.mark(), time.monotonic()
            self.assertIsNone(self.ask(guard))
            self.assertGreater(time.monotonic() - began, statecase.WAIT / 2)
            for _ in range(20):
                self.assertIsNone(self.ask(guard))
                self.assertOthersPass(guard)
            guard.wait_for_line("state: .* deferred", mark=mark)
            self.assertEqual(len([line for line in self.failures(guard, mark) if "deferred" in line]), 1, "logged once a minute")
        self.assertEqual(self.again(guard), 27)
        guard.wait_for_line("state: .* can be used again", mark=mark)
        guard.stop()
        # By the thread that asks, and by the message that waits for it: each time that something is asked at all.
        self.assertLessEqual(failed(), 2 * (1 + (time.monotonic() - start) // statecase.PAUSE))

    def test_known(self):
        """not known, and a line a minute: the rule applies as to strangers, and nothing is deferred"""
        guard = self.guard(statecase.KNOWN)
        circle, wide = self.people(9), self.people(12)
        self.assertPassed(self.send(guard, circle))
        self.assertHeld(self.send(guard, wide))
        with ledgerfile.locked(guard.state):
            for _ in range(3):
                self.assertPassed(self.send(guard, circle))
                answer = self.send(guard, wide)
                self.assertHeld(answer)
                self.assertEqual(guard.verdict(answer).rule, "circle")
        guard.stop()
        self.assertEqual(len([line for line in self.failures(guard) if "deferred" in line]), 1)

    def test_counted(self):
        config, failed = self.metrics()
        guard = self.guard(config=config)
        with ledgerfile.locked(guard.state):
            self.assertIsNone(self.ask(guard))
        guard.stop()
        self.assertIn(failed(), (1, 2))


class Gone(statecase.StateCase):
    def test_deleted(self):
        """under the daemon, all of it or one of its files: a line, and it goes on; the log alone is no loss"""
        for names in (("",), ("-wal",), ("-shm",), ("", "-wal", "-shm")):
            with self.subTest(names):
                guard = self.guard()
                self.again(guard)
                for name in names:
                    os.unlink(guard.state + name)
                found = self.again(guard)
                self.assertIn(found, (9, 18))
                guard.wait_for_line("state: .* was deleted or replaced")
                self.assertEqual(self.again(guard), found + 9)
                self.assertOthersPass(guard)
                self.assertEqual(ledgerfile.integrity(guard.state), ["ok"])
                guard.stop()

    def test_directory(self):
        """deferred while there is none; the ledger needs it too, and both come back"""
        guard = self.guard()
        self.again(guard)
        os.rename(guard.state_directory, guard.state_directory + ".away")
        self.assertIsNone(self.ask(guard))
        self.assertOthersPass(guard)
        os.rename(guard.state_directory + ".away", guard.state_directory)
        self.assertEqual(self.again(guard), 18)
        guard.stop()


class Damaged(statecase.StateCase):
    """Each file, in each way: what is lost is said, it recovers by itself, and the ledger stays as it is."""

    def check(self, guard, before, mark=0):
        answered = [self.again(guard) for _ in range(4)]
        for one, other in zip(answered, answered[1:]):
            self.assertGreaterEqual(other, one + 9, answered)
        lines = self.failures(guard, mark)
        if answered[0] < before + 9:
            self.assertTrue([line for line in lines if "damaged" in line or "lost" in line], "records are lost, and no line says so: %r" % lines)
        aside = glob.glob(guard.state + ".damaged-*Z")
        self.assertEqual(len(aside), len([line for line in lines if "was renamed to %s" % (aside[0] if aside else "") in line]))
        if aside:  # else what nobody reads may be damaged still
            self.assertEqual(ledgerfile.integrity(guard.state), ["ok"])
        self.assertEqual(ledgerfile.integrity(guard.ledger_path), ["ok"])
        self.assertFalse([line for line in guard.lines if "ledger: " in line])

    def test_running(self):
        for suffix in "", "-wal", "-shm":
            for kind in damage.KINDS:
                if suffix == "-shm" and kind in (damage.cut_to_nothing, damage.cut_in_half):
                    continue  # the kernel ends who uses memory that is not there
                with self.subTest(suffix=suffix, kind=kind.__name__):
                    guard = self.guard()
                    for _ in range(2):
                        self.again(guard)
                    if suffix == "":
                        ledgerfile.execute(guard.state, "PRAGMA wal_checkpoint(TRUNCATE)")
                        self.again(guard)
                    mark = guard.mark()
                    damage.damage(guard.state + suffix, kind)
                    self.check(guard, 27 if suffix == "" else 18, mark)
                    guard.stop()

    def test_starting(self):
        """damaged while nobody has it open"""
        for kind in damage.KINDS:
            with self.subTest(kind=kind.__name__):
                folder = daemon.temporary_directory()
                self.addCleanup(daemon.shutil.rmtree, folder, True)
                os.chmod(folder, 0o700)
                daemon.own(folder)
                path = os.path.join(folder, "state.db")
                config = {("state", "path"): path, ("state", "key"): os.path.join(folder, "state.key")}
                guard = self.guard(config=config)
                self.again(guard)
                guard.stop()
                damage.damage(path, kind)
                guard = self.guard(config=config)
                guard.state = path
                if kind in (damage.everything, damage.zeros, damage.beginning):  # it may be something else
                    self.assertIsNone(self.ask(guard))
                    self.assertOthersPass(guard)
                    guard.wait_for_line("state: ")
                elif kind is damage.cut_to_nothing:  # as a file that has just been made
                    self.assertEqual([self.again(guard), self.again(guard)], [9, 18])
                else:
                    self.check(guard, 9)
                guard.stop()


@unittest.skipUnless(daemon.ROOT, "only root can mount a small disk")
class Disk(statecase.StateCase):
    SIZE = 512 * 1024

    def disk(self, policy=statecase.WINDOWS):
        """A daemon whose state is on a small disk of its own."""
        self.folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, self.folder, True)
        self.mount("size=%d,mode=700" % self.SIZE)
        self.filler = os.path.join(self.folder, "filler")
        path = os.path.join(self.folder, "state.db")
        guard = self.guard(policy, config={("state", "path"): path, ("state", "key"): os.path.join(self.folder, "state.key")})
        guard.state = path
        return guard

    def mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "%s,uid=%d" % (options, daemon.pwd.getpwnam(daemon.USER).pw_uid), "tmpfs", self.folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=True)

    def fill(self, free):
        status = os.statvfs(self.folder)
        with open(self.filler, "ab") as file:
            file.write(bytes(max(status.f_bavail * status.f_bsize - free, 0)))

    FULL = "state: .*(full|No space)"

    def is_full(self, guard):
        """Whether it has said so; what a loaded machine was too late for is asked again."""
        return any(re.search(self.FULL, line) for line in self.failures(guard))

    def test_full(self):
        """at every level: what has no record is deferred, and none that passed is missing in the window"""
        guard = self.disk()
        passed, deferred = 0, 0
        for free in range(64 * 1024, -1, -8 * 1024):
            self.fill(free)
            for _ in range(30):
                found = daemon.wait_until(lambda: self.ask(guard) or self.is_full(guard), (statecase.PAUSE + 115) * tap.SLOWNESS, "an answer of the state")
                if found is True:
                    deferred += 1
                    break
                passed += 1
                self.assertGreaterEqual(found, 9 * passed)
            else:
                continue
            self.assertOthersPass(guard)
            break
        self.assertEqual(deferred, 1)
        os.unlink(self.filler)
        self.assertGreaterEqual(self.again(guard), 9 * (passed + 1))
        self.assertEqual(ledgerfile.integrity(guard.state), ["ok"])
        guard.stop()

    def test_read_only(self):
        """at the start: the daemon does not start, and says why"""
        self.folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, self.folder, True)
        self.mount("ro,size=64k,mode=755")
        with self.assertRaises(daemon.Exited) as found:
            self.guard(config={("state", "path"): os.path.join(self.folder, "state.db"), ("state", "key"): os.path.join(self.folder, "state.key")})
        self.assertRegex(str(found.exception), "key of \\[state\\] cannot be there: .*[Rr]ead-only")

    def test_no_longer_writable(self):
        """deleted, and nobody may make it again: deferred until he may"""
        guard = self.disk()
        self.assertEqual([self.again(guard), self.again(guard)], [9, 18])
        for name in glob.glob(guard.state + "*"):
            os.unlink(name)
        os.chmod(self.folder, 0o500)
        self.assertIsNone(self.ask(guard))
        self.assertOthersPass(guard)
        os.chmod(self.folder, 0o700)
        self.assertEqual(self.again(guard), 9)
        guard.stop()


class Explain(statecase.StateCase):
    """`rcptguard explain --state`: what the daemon knows of a message, never who, and nothing is kept."""

    def explain(self, guard, people, *options):
        message = daemon.write(os.path.join(guard.directory, "message.eml"),
                               "From: <%s>\nCc: %s\nSubject: a test\n\nHello.\n" % (guardcase.SENDER, ", ".join(people)))
        done = subprocess.run([os.path.join(daemon.BUILD, "rcptguard"), "explain", "-p", guard.policy_path, *options, message], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.environment(), check=False, text=True)
        return done.returncode, done.stdout, done.stderr

    def asked(self, guard, people, *options):
        code, output, errors = self.explain(guard, people, "--json", "--state", "-c", guard.config_path, *options)
        self.assertEqual((code, errors), (0, ""))
        return json.loads(output)["state"]

    def records(self, guard):
        return [tuple(row) for table in ("record", "circle", "party") for row in ledgerfile.query(guard.state, "SELECT * FROM %s ORDER BY 1, 2" % table)]

    def test_explain(self):
        guard = self.guard(statecase.BOTH)
        met, others = self.people(), self.people()
        self.assertEqual(self.again(guard, met), 9)
        daemon.wait_until(lambda: ledgerfile.query(guard.state, "SELECT * FROM circle"), what="learning")
        before = self.records(guard)
        alone = self.explain(guard, others)
        self.assertIn("was not asked", alone[1])
        found = self.asked(guard, others)
        self.assertEqual((found["asked"], found["away"], found["known"], found["windows"][0]["value"]), (True, False, False, 18))
        found = self.asked(guard, met)
        self.assertEqual((found["known"], found["known_when"][:4]), (True, time.strftime("%Y", time.gmtime())))
        code, output, errors = self.explain(guard, others, "--state", "-c", guard.config_path)
        self.assertEqual((code, errors), (0, ""))
        for address in met:
            self.assertNotIn(address.partition("@")[2], output)
        self.assertIn("does not show these parties together", output)
        self.assertIn("the last time on", self.explain(guard, met, "--state", "-c", guard.config_path)[1])
        self.assertEqual(self.records(guard), before)
        guard.stop()

    def test_without(self):
        """no rule needs it, so nothing is opened; what cannot be read is an error with the reason"""
        guard = self.guard()
        self.again(guard)
        code, _output, errors = self.explain(guard, self.people(), "-c", guard.config_path)
        self.assertEqual((code, "--state" in errors), (2, True))
        missing = daemon.write_config(os.path.join(guard.directory, "other.conf"), {("ledger", "path"): os.path.join(guard.directory, "none", "ledger.db")})
        code, output, errors = self.explain(guard, self.people(), "--state", "-c", missing)
        self.assertEqual((code, output), (1, ""))
        self.assertIn("what the daemon remembers cannot be read", errors)
        guard.set_policy(policies.FIELD)
        self.assertEqual(self.explain(guard, self.people(), "--state", "-c", missing)[0], 0)
        guard.stop()


if __name__ == "__main__":
    surroundings.enter()
    tap.main(120)
