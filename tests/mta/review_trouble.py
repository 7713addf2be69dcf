"""What goes wrong around held mail: each message is queued for delivery exactly once or still held, and ledger and queue agree.

It takes about 40 s on two cores: 200 messages, and as many releases, each under kills, on both MTAs.
"""

import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import accounting
import daemon
import ledgerfile
import mta
import mtacase
import policies
import review
import tap

MESSAGES = 200 if tap.SANITIZERS == "no" else 60
SENDERS = 4


class Trouble(accounting.AccountingCase):
    # ---- the daemon and the reviewers are killed

    def sender(self, number, accepted, failures, stop):
        """Sends messages until there are enough; one that is deferred is tried again, as a mail program does."""
        try:
            while len(accepted) < MESSAGES and not stop.is_set():
                subject = "message %d of sender %d" % (len(accepted), number)
                text = mta.message(subject, mtacase.SENDER, cc=review.WIDE)
                while not stop.is_set():
                    reply = self.mta.send("plain", mtacase.SENDER, review.WIDE, text)
                    if reply.code == 250:
                        accepted.append(review.Held(reply.queue_id, subject, review.WIDE))
                        break
                    if reply.code != 451:
                        failures.append(reply)
                        return
        except Exception as failure:
            failures.append(failure)

    def restart(self):
        """Another life with the same ledger and the same socket."""
        return self.mta.guard(self.POLICY, config={("ledger", "path"): self.guard.ledger_path})

    def test_killed(self):
        """SIGKILL to the daemon while 200 messages come, then to two reviewers who release them"""
        chance = random.Random(23)
        accepted, failures, stop = [], [], threading.Event()
        threads = [threading.Thread(target=self.sender, args=(number, accepted, failures, stop)) for number in range(SENDERS)]
        guard, lives, first = self.guard, 1, self.guard
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                goal = len(accepted) + chance.randrange(5, 40)
                daemon.wait_until(lambda: len(accepted) >= goal or not any(thread.is_alive() for thread in threads), mta.LIMIT, "more messages")
                os.kill(guard.child() if lives % 2 else guard.pid, signal.SIGKILL)
                guard.process.wait()
                daemon.wait_until(lambda: guard.ended, what="the end of the daemon")
                if guard is not first:
                    guard._clean()
                guard, lives = self.restart(), lives + 1
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            self.replace_guard(first, guard)
        self.assertEqual(failures, [])
        self.assertGreaterEqual(len(accepted), MESSAGES)
        self.assertEqual(sorted(one.id for one in accepted), sorted(self.mta.held()))
        self.assertNothingDelivered(accepted)
        self.assertAgree()
        kills = self.release_with_kills(accepted, chance)
        self.assertDeliveredOnce(accepted)
        self.assertEqual(self.mta.held(), [])
        states = collections.Counter(self.state(one.id) for one in accepted)
        self.assertEqual(states, {"released": len(accepted)})
        print("# %d messages held in %d lives of the daemon, released with %d reviewers killed" % (len(accepted), lives, kills), file=sys.stdout)

    def replace_guard(self, first, last):
        """The class goes on with the last one; the directory of the first has the ledger."""
        if last is first:
            return
        last.ledger_path = first.ledger_path
        type(self).guard = last
        self.addClassCleanup(shutil.rmtree, first.directory, True)
        self.configure()

    def release_with_kills(self, accepted, chance):
        """Two reviewers at a time release everything; each is killed somewhere on the way."""
        kills = 0
        while self.mta.held():
            reviewers = [subprocess.Popen(self.command("release", "--all", "--rule", "wide-cc", "--yes", reason="round %d" % kills), stdin=subprocess.DEVNULL,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=daemon.environment()) for _ in range(2)]
            goal = len(self.mta.held()) - chance.randrange(5, 30)
            daemon.wait_until(lambda: len(self.mta.held()) <= max(goal, 0) or all(one.poll() is not None for one in reviewers), mta.LIMIT, "some releases")
            for one in reviewers:
                if one.poll() is None:
                    one.kill()
                    kills += 1
                one.wait()
        # Whoever looks next finds out what became of what they were at.
        rows = self.done("list", "--json", "--newer", "1d").json()
        self.assertEqual([one for one in rows if one["state"].endswith("ing") and one["state"] != "pending"], [])
        return kills

    # ---- two reviewers at once

    def test_at_once(self):
        """the same ids by two reviewers: for each exactly one acts, and the other is told who did"""
        held = [self.hold() for _ in range(12)]
        self.done("list")
        commands = [self.command("release", *[one.id for one in held], reason=reason) for reason in ("by the first", "by the second")]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.environment()) for command in commands]
        said = [one.communicate(timeout=mta.LIMIT) for one in both]
        for one in held:
            done = [out.decode().count("%s: released\n" % one.id) for out, _err in said]
            self.assertEqual(sum(done), 1, said)
            other = said[0 if done[1] else 1][1].decode()
            self.assertRegex(other, r"(?m)^%s: (was released by root on|root is releasing it, since) " % one.id)
            self.assertEqual([event[1] for event in self.events(one.id)], ["release"])
        self.assertEqual({one.returncode for one in both} - {0}, {review.GONE} if any(err for _out, err in said) else set())
        self.assertDeliveredOnce(held)
        self.assertAgree()

    # ---- the ledger

    def assertDeferred(self, subject, text):
        reply = self.mta.send("plain", mtacase.SENDER, review.WIDE, text)
        self.assertEqual((reply.stage, reply.code), ("data", 451), reply)
        self.assertEqual(self.mta.recipients(subject), [])

    def test_locked(self):
        """another process has the ledger locked: decisions wait half a second and say so; nothing is lost"""
        held = self.hold()
        self.done("list")
        unseen = self.hold()
        subject, text = self.message(cc=review.WIDE)
        with ledgerfile.locked(self.guard.ledger_path):
            start = time.monotonic()
            self.refused(review.PASSING, "busy|locked", "release", held.id, reason="x")
            self.assertLess(time.monotonic() - start, 30 * tap.SLOWNESS)
            self.assertDeferred(subject, text)
            self.check_delivered("plain", review.WIDE[:3], cc=review.WIDE[:3])
            result = self.ask("list", "--json")  # to read is possible all the time
            states = {one["id"]: one["state"] for one in result.json()}
            self.assertEqual((result.code, states[held.id], states[unseen.id]), (0, "held", "held"), result)
            self.assertIn("warning: the ledger could not be brought up to date", result.err)
            self.assertOnHold(held)
        self.done("release", held.id, reason="x")
        self.assertDeliveredOnce([held])
        again = self.hold(subject=subject)
        self.assertAgree()
        self.assertOnHold(again, unseen)

    def test_full(self):
        """the disk of the ledger is full: nothing is held, nothing is decided; with room again, all goes on"""
        directory = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, directory, True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", directory], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", directory], check=True)
        daemon.own(directory)
        with self.other_ledger(os.path.join(directory, "ledger.db")):
            held = self.hold()
            self.done("list")
            with open(os.path.join(directory, "filler"), "wb", buffering=0) as filler:
                try:
                    while filler.write(b"\0" * 1024):
                        pass
                except OSError:
                    pass
            subject, text = self.message(cc=review.WIDE)
            self.until_full(held)
            self.assertDeferred(subject, text)
            self.assertOnHold(held)
            self.check_delivered("plain", review.WIDE[:3], cc=review.WIDE[:3])
            os.unlink(os.path.join(directory, "filler"))
            self.done("release", held.id, reason="x")
            self.assertDeliveredOnce([held])
            self.hold()
            self.assertAgree()

    def until_full(self, held):
        """What is free inside of the ledger's own files is used up first, by messages and by decisions."""
        for _ in range(200):
            reply = self.mta.send("plain", mtacase.SENDER, review.WIDE, self.message(cc=review.WIDE)[1])
            if reply.code == 451:
                break
            self.assertEqual(reply.code, 250, reply)
        result = self.ask("release", held.id, reason="x" * 60000)
        self.assertEqual(result.code, review.PASSING, result)
        self.assertRegex(result.err, "full")

    def other_ledger(self, path):
        """The daemon in another life, with this ledger, until the block ends."""
        case = self

        class Other:
            def __enter__(self):
                self.before = case.guard
                self.before.stop()
                self.life = case.mta.guard(case.POLICY, config={("ledger", "path"): path})
                self.life.ledger_path = path
                type(case).guard = self.life
                case.configure()

            def __exit__(self, kind, value, trace):
                self.life.__exit__(kind, value, trace)
                type(case).guard = case.mta.guard(case.POLICY, config={("ledger", "path"): self.before.ledger_path})
                case.guard.ledger_path = self.before.ledger_path
                case.addClassCleanup(shutil.rmtree, self.before.directory, True)
                case.configure()

        return Other()

    def test_deleted(self):
        """the ledger is deleted: what was held stays, untracked; what comes is recorded anew"""
        old = self.hold()
        self.done("list")
        for suffix in "", "-wal", "-shm":
            os.unlink(self.guard.ledger_path + suffix)
        self.refused(review.WRONG, "ledger.db", "list")
        new = self.hold()
        found = self.listed()
        self.assertEqual({name: found[name]["state"] for name in (old.id, new.id)}, {old.id: "untracked", new.id: "held"})
        self.refused(review.WRONG, "is on hold, but not by rcptguard", "release", old.id, reason="x")
        result = self.done("release", "--all", "--newer", "1d", "--yes", reason="x")
        self.assertEqual(result.out, "%s: released\n" % new.id)
        self.assertDeliveredOnce([new])
        self.assertOnHold(old)
        self.assertEqual(ledgerfile.integrity(self.guard.ledger_path), ["ok"])


if __name__ == "__main__":
    review.main(180)
