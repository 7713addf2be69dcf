"""The ledger: what is held has its row before the MTA is told so, or is not held; and nothing that befalls the file stops other mail."""

import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

import daemon
import guardcase
import ledgerfile
import milterclient
import policies
import surroundings
import tap

WIDE = policies.people(12)

# What one callback may wait, with room for a loaded machine.
PATIENCE = 25 * tap.SLOWNESS


def hold(mta, **options):
    return guardcase.send(mta, cc=WIDE, **options)


def timed(function):
    start = time.monotonic()
    value = function()
    return value, time.monotonic() - start


class LedgerCase(guardcase.GuardCase):
    @property
    def path(self):
        return self.guard.ledger_path

    def row(self, answer):
        return ledgerfile.row(self.path, answer.queue_id)

    def assertPasses(self):
        """Mail that is not to be held goes on, at once."""
        (answer, line), took = timed(lambda: self.judge(to=["one@else.example"]))
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="default")
        self.assertLess(took, PATIENCE)

    def assertNotRecorded(self, answer, *words, rule="error:wide-cc"):
        """Deferred, and the line says why."""
        self.assertDeferred(answer)
        line = self.guard.verdict(answer)
        self.assertLine(line, verdict="tempfail", rule=rule, visible=12)
        for word in words:
            self.assertIn(word, line.text)

    def hold(self, mta=None, late=guardcase.SLOW, **options):
        """The answer to a message that a loaded machine may have deferred at first."""
        mta = mta or self.mta()
        return guardcase.in_time(self.guard, lambda: hold(mta, **options), late)

    def assertHolds(self):
        """A message is held, and has its row; after a lock it has little time for that."""
        answer = self.hold(late=guardcase.SLOW_OR_BUSY)
        self.assertHeld(answer)
        self.assertEqual(self.row(answer)["state"], "pending")
        return answer


class Rows(LedgerCase):
    def test_facts(self):
        """each fact of the message and of the verdict"""
        before = ledgerfile.now()
        people = ["a@one.example", "b@one.example", "c@mail.one.example", "x@partner.example", "staff@me.example", *policies.people(10),
                  *policies.private(6), "z@free1.test"]
        mta = self.mta(client="10.1.2.3")
        headers = [("From", "<care@me.example>"), ("Subject", "=?utf-8?Q?Gr=C3=BC=C3=9Fe?="), ("Message-ID", "<x17@me.example>"), ("Cc", policies.folded(people))]
        answer = mta.message("care@me.example", people + ["blind@else.example"], headers, user="care@me.example")
        self.assertHeld(answer)
        line, row = self.guard.verdict(answer), self.row(answer)
        self.assertEqual({name: row[name] for name in ("mta", "message_id", "sender", "user", "client", "subject", "rule", "state", "author", "approvals", "defects")},
                         {"mta": "postfix", "message_id": "x17@me.example", "sender": "care@me.example", "user": "care@me.example", "client": "10.1.2.3",
                          "subject": "Gr\u00fc\u00dfe", "rule": "wide-cc", "state": "pending", "author": "care@me.example", "approvals": 1, "defects": 0})
        for name in ("visible", "parties", "domains", "internal", "hidden"):
            self.assertEqual(row[name], getattr(line, name), name)
        self.assertEqual(row["recipients"], len(people) + 1)
        self.assertLessEqual(before, row["began"])
        self.assertLessEqual(row["began"], row["judged"])
        self.assertLessEqual(row["judged"], ledgerfile.now())
        self.assertTrue(row["policy"].startswith(line.policy))
        self.assertEqual(policies.FIELD.split("\n")[row["line"] - 1], "rule wide-cc {")
        self.assertEqual(row["text"], "wide Cc: %d addresses, %d parties" % (line.visible, line.parties))
        text, = [each["text"] for each in ledgerfile.query(self.path, "SELECT text FROM policy WHERE digest = ?", row["policy"])]
        self.assertIn("rule wide-cc {\n", text)

        found = ledgerfile.parties(self.path, row["id"])
        self.assertEqual(found[:3], [("other", "one.example", 0, 3, 1), ("freemail", "free1.test", 1, 2, 2), ("freemail", "free2.test", 1, 2, 2)])
        self.assertIn(("internal", "me.example", 0, 1, 1), found)
        self.assertEqual(sum(parties for name, _, _, _, parties in found if name != "internal"), line.parties)
        self.assertEqual(sum(count for name, _, _, count, _ in found if name != "internal"), line.visible)

    def test_no_address_of_a_recipient(self):
        """not in any file, whatever the form"""
        people = [*policies.people(12, "secret", "hush{n}.example"), *policies.private(5, "patient")]
        answer = guardcase.send(self.mta(), cc=people, envelope=people + ["blind@nowhere.example"])
        self.assertHeld(answer)
        content = b"".join(open(name, "rb").read() for name in glob.glob(self.path + "*"))
        self.assertIn(answer.queue_id.encode(), content)
        self.assertIn(b"hush7.example", content)
        for word in (b"secret", b"patient", b"blind", b"nowhere.example"):
            self.assertNotIn(word, content)

    def test_the_two_of_a_rule_that_asks(self):
        self.guard.set_policy(policies.policy(rules=policies.rule("clinic", "parties(external) >= 2", 'quarantine "x" approvals 2')))
        self.assertIn("reload done", self.guard.reload())
        try:
            self.assertEqual(self.row(self.hold())["approvals"], 2)
        finally:
            self.guard.set_policy(policies.FIELD)
            self.guard.reload()

    def test_who_can_be_told(self):
        """the login if it is an internal address, else an internal sender, else nobody"""
        for user, sender, want in (("ann@me.example", "care@me.example", "ann@me.example"), ("ann", "care@me.example", "care@me.example"),
                                   ("ann@else.example", "x@else.example", None), ("ann@me.example", "", "ann@me.example")):
            answer = self.hold(sender=sender, user=user)
            self.assertEqual(self.row(answer)["author"], want, (user, sender))
        self.assertEqual(ledgerfile.query(self.path, "SELECT * FROM notice"), [], "no notices are configured")

    def test_what_passes_has_no_row(self):
        for people, verdict in ((policies.people(3), "accept"), (policies.people(60), "reject")):
            answer, line = self.judge(cc=people)
            self.assertLine(line, verdict=verdict)
            self.assertEqual(ledgerfile.rows(self.path, answer.queue_id), [])

    def test_no_queue_id(self):
        """A row that nobody could match is none."""
        mta = self.mta()
        answer = mta.envelope("care@me.example", WIDE) or mta.data("")
        for name, value in guardcase.headers(cc=WIDE, message_id="no-queue-id@me.example"):
            mta.header(name, value, "")
        mta.eoh("")
        answer = mta.eom("")
        self.assertDeferred(answer)
        line = daemon.parse(self.guard.wait_for_line("msgid=no-queue-id@me.example"))
        self.assertLine(line, verdict="tempfail", rule="error:wide-cc", queue_id="NOQUEUE")
        self.assertIn("queue id", line.text)

    def test_modes(self):
        for name in glob.glob(self.path + "*"):
            self.assertEqual(os.stat(name).st_mode & 0o777, 0o600, name)

    def test_the_policies_in_force(self):
        """each that came in force is kept, though it held nothing"""
        first = self.digests()
        self.guard.set_policy(policies.policy(default='tag "another"'))
        self.assertIn("reload done", self.guard.reload())
        daemon.wait_until(lambda: len(self.digests()) == len(first) + 1, what="the new policy in the ledger")
        self.guard.set_policy(policies.FIELD)
        self.guard.reload()

    def digests(self):
        return daemon.wait_until(lambda: [each[0] for each in ledgerfile.query(self.path, "SELECT digest FROM policy")], what="a policy in the ledger")


class Settings(LedgerCase):
    CONFIG = {("ledger", "subject"): "no", ("review", "notice"): "held.template"}

    def test_no_subject(self):
        self.assertIsNone(self.row(self.hold())["subject"])

    def test_notices(self):
        """the daemon writes down who is to be told, and sends nothing"""
        told, stranger = self.hold(), self.hold(sender="x@else.example", user="x")
        found = {each["held"]: each for each in ledgerfile.query(self.path, "SELECT * FROM notice")}
        self.assertEqual([found[self.row(told)["id"]][name] for name in ("author", "state", "reason")], ["care@me.example", "wanted", None])
        row = found[self.row(stranger)["id"]]
        self.assertEqual([row["author"], row["state"]], [None, "skipped"])
        self.assertIn("internal", row["reason"])


class Locked(LedgerCase):
    def test_locked(self):
        """Another process has the lock: what would be held is deferred within a second, all other mail goes on."""
        self.assertHolds()
        with ledgerfile.locked(self.path):
            for _ in range(3):
                answer, took = timed(lambda: hold(self.mta()))
                self.assertNotRecorded(answer, "busy", "locked")
                self.assertLess(took, PATIENCE)
                self.assertEqual(answer.actions, [])
                self.assertPasses()
        self.assertHolds()
        self.assertEqual(ledgerfile.integrity(self.path), ["ok"])

    def test_many_wait(self):
        """Many at once wait for the lock together, none for longer than its time; and are held if the lock is free by then."""
        count = 12

        def session(barrier, results):
            with self.guard.client() as mta:
                mta.connect("127.0.0.1")
                mta.envelope("care@me.example", WIDE)
                mta.data("X")
                for name, value in guardcase.headers(cc=WIDE):
                    mta.header(name, value, "X")
                mta.eoh("X")
                barrier.wait()
                queue_id = milterclient.new_queue_id()
                results.append((*timed(lambda: mta.eom(queue_id)), queue_id))

        def start(results):
            barrier = threading.Barrier(count + 1)
            threads = [threading.Thread(target=session, args=(barrier, results)) for _ in range(count)]
            for thread in threads:
                thread.start()
            barrier.wait()
            return threads

        results = []
        mark = self.guard.mark()
        with ledgerfile.locked(self.path):
            for thread in start(results):
                thread.join()
        self.assertEqual([answer.verdict for answer, _, _ in results], [milterclient.TEMPFAIL] * count)
        self.assertLess(max(took for _, took, _ in results), PATIENCE)
        daemon.wait_until(lambda: len([line for line in self.guard.lines[mark:] if "verdict=tempfail" in line and "(busy): " in line]) == count, what="their lines")

        def all_held():
            self.assertHolds()
            results.clear()
            with ledgerfile.locked(self.path):
                threads = start(results)  # they wait while it is locked, or come later: both are right
            for thread in threads:
                thread.join()
            return milterclient.TEMPFAIL not in [answer.verdict for answer, _, _ in results]

        daemon.wait_until(all_held, what="a lock that was free in time")  # a loaded machine may keep it for too long
        for answer, _, queue_id in results:
            self.assertHeld(answer)
            self.assertEqual(ledgerfile.row(self.path, queue_id)["state"], "pending")

    def test_two_at_once(self):
        """Without a lock nobody is turned away."""
        for _ in range(5):
            barrier = threading.Barrier(8)
            answers = []

            def session():
                with self.guard.client() as mta:
                    mta.connect("127.0.0.1")
                    barrier.wait()
                    answers.append(self.hold(mta))

            threads = [threading.Thread(target=session) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(answers), 8)
            for answer in answers:
                self.assertHeld(answer)
                self.assertEqual(self.row(answer)["state"], "pending")


class Accepting(LedgerCase):
    """on-error = accept is the admin's choice: it passes, and is not held without a record."""

    CONFIG = {("milter", "on-error"): "accept"}

    def test_locked(self):
        with ledgerfile.locked(self.path):
            answer = hold(self.mta())
        self.assertPassed(answer)
        self.assertLine(self.guard.verdict(answer), verdict="accept", rule="error:wide-cc")
        self.assertEqual(ledgerfile.rows(self.path, answer.queue_id), [])


class Deleted(LedgerCase):
    def test_deleted(self):
        """The file is gone under the running daemon: the next message has its row in a new one."""
        self.assertHolds()
        for name in glob.glob(self.path + "*"):
            os.unlink(name)
        mark = self.guard.mark()
        answer = self.assertHolds()
        self.assertEqual(ledgerfile.queue_ids(self.path), [answer.queue_id])
        self.assertIn(self.path, self.guard.wait_for_line("ledger: .* deleted or replaced", mark=mark))
        self.assertHolds()

    def test_one_of_its_files(self):
        for suffix in ("-wal", "-shm"):
            with self.subTest(suffix):
                self.assertHolds()
                os.unlink(self.path + suffix)
                answer = self.assertHolds()
                self.assertIn(answer.queue_id, ledgerfile.queue_ids(self.path))
                self.assertEqual(ledgerfile.integrity(self.path), ["ok"])

    def test_replaced(self):
        """Another file with the name: that one is used."""
        self.assertHolds()
        other = self.path + ".other"
        with ledgerfile.connect(self.path) as connection:
            connection.execute("VACUUM INTO ?", (other,))
        ledgerfile.execute(other, "DELETE FROM held")
        daemon.own(other)
        for name in glob.glob(self.path + "-*"):
            os.unlink(name)
        os.rename(other, self.path)
        answer = self.assertHolds()
        self.assertEqual(ledgerfile.queue_ids(self.path), [answer.queue_id])

    def test_folder(self):
        """Without its folder nothing is held; once it is there again, it goes on."""
        self.assertHolds()
        shutil.rmtree(self.guard.state_directory)
        self.assertNotRecorded(hold(self.mta()), "missing", "install -d")
        self.assertPasses()
        os.mkdir(self.guard.state_directory, 0o700)
        self.assertNotRecorded(hold(self.mta())) if daemon.ROOT else None  # it is root's
        daemon.own(self.guard.state_directory)
        self.assertHolds()

    def test_a_folder_that_others_may_write(self):
        self.assertHolds()
        for name in glob.glob(self.path + "*"):
            os.unlink(name)
        os.chmod(self.guard.state_directory, 0o777)
        self.assertNotRecorded(hold(self.mta()), "insecure")
        self.assertPasses()
        os.chmod(self.guard.state_directory, 0o700)
        self.assertHolds()


class Damaged(guardcase.LedgerCase):
    """What was wrong before the start, and may pass by itself."""

    assertHeld = guardcase.GuardCase.assertHeld
    assertDeferred = guardcase.GuardCase.assertDeferred
    assertPassed = guardcase.GuardCase.assertPassed

    def guard(self, **config):
        guard = daemon.Daemon(policies.FIELD, config={("ledger", "path"): self.path, **{("ledger", key): value for key, value in config.items()}})
        self.addCleanup(guard._clean)
        return guard

    def send(self, guard, cc):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            return guardcase.send(mta, cc=cc)

    def test_corrupt(self):
        """The daemon starts, says so, and holds nothing until the file is mended or gone."""
        daemon.write(self.path, b"no database at all, but as long as the header of one would be" * 4, 0o600)
        daemon.own(self.path)
        guard = self.guard()
        self.assertIn("not a database", guard.wait_for_line("ledger: "))
        answer = self.send(guard, WIDE)
        self.assertDeferred(answer)
        self.assertIn("corrupt", guard.verdict(answer).text)
        self.assertPassed(self.send(guard, ["one@else.example"]))
        os.unlink(self.path)
        answer = self.send(guard, WIDE)
        self.assertHeld(answer)
        ledgerfile.row(self.path, answer.queue_id)
        guard.stop()

    def test_damaged_pages(self):
        """A damage within: the ledger is put aside and a new one begun; tests/milter/damage.py has all kinds."""
        guard = self.guard()
        for _ in range(30):
            self.assertHeld(guardcase.in_time(guard, lambda: self.send(guard, WIDE)))
        guard.stop()
        ledgerfile.execute(self.path, "PRAGMA wal_checkpoint(TRUNCATE)")
        size = os.path.getsize(self.path)
        with open(self.path, "r+b") as file:
            for page in range(2, size // 4096):
                file.seek(page * 4096)
                file.write(b"\xa5" * 4096)
        guard = self.guard()
        answer = self.send(guard, WIDE)
        self.assertHeld(answer)
        ledgerfile.row(self.path, answer.queue_id)
        self.assertIn("is damaged and was renamed", guard.wait_for_line("ledger: "))
        self.assertPassed(self.send(guard, ["one@else.example"]))
        guard.stop()

    def test_locked_at_the_start(self):
        self.guard().stop()
        with ledgerfile.locked(self.path):
            guard = self.guard()
            answer = self.send(guard, WIDE)
            self.assertDeferred(answer)
        answer = guardcase.in_time(guard, lambda: self.send(guard, WIDE), guardcase.SLOW_OR_BUSY)
        self.assertHeld(answer)
        ledgerfile.row(self.path, answer.queue_id)
        guard.stop()

    def test_old_rows(self):
        """What is closed and older than `keep` goes at the start; what waits stays, however old."""
        guard = self.guard()
        answers = [guardcase.in_time(guard, lambda: self.send(guard, WIDE)) for _ in range(3)]
        guard.stop()
        for answer, state, days in zip(answers, ("released", "held", "left"), (40, 400, 20)):
            ledgerfile.execute(self.path, "UPDATE held SET state = ?, changed = ? WHERE queue_id = ?", state, ledgerfile.now() - days * 86400 * 1000000, answer.queue_id)
        guard = self.guard(keep="30d")
        self.assertIn("removed 1 closed rows", guard.wait_for_line("ledger: removed"))
        self.assertEqual(ledgerfile.queue_ids(self.path), [answer.queue_id for answer in answers[1:]])
        guard.stop()


@unittest.skipUnless(daemon.ROOT, "only root can mount a small disk")
class Full(LedgerCase):
    """The disk is full, at every fill level: what has no row is deferred, and the file stays sound."""

    SIZE = 1024 * 1024

    def setUp(self):
        directory = self.guard.state_directory
        for name in glob.glob(self.path + "*"):
            os.unlink(name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=700" % self.SIZE, "tmpfs", directory], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", directory], check=True)
        daemon.own(directory)
        self.filler = os.path.join(directory, "filler")

    def fill(self, free):
        """Leaves so many bytes."""
        self.unfill()
        status = os.statvfs(self.guard.state_directory)
        with open(self.filler, "wb") as file:
            file.write(bytes(max(status.f_bavail * status.f_bsize - free, 0)))

    def unfill(self):
        if os.path.exists(self.filler):
            os.unlink(self.filler)

    def test_every_level(self):
        held = [self.assertHolds()]
        deferred = 0
        mta = self.mta()
        for free in range(0, 120 * 1024, 12 * 1024):
            self.fill(free)
            for _ in range(60):
                answer = self.hold(mta)
                if answer.quarantine() is None:
                    self.assertNotRecorded(answer, "full")
                    deferred += 1
                    break
                self.assertHeld(answer)
                held.append(answer)
            self.assertEqual(ledgerfile.queue_ids(self.path), [answer.queue_id for answer in held])
            self.assertEqual(ledgerfile.integrity(self.path), ["ok"])
        self.assertGreater(deferred, 3)
        self.assertPasses()
        self.unfill()
        self.assertHolds()

    def test_full_from_the_start(self):
        """No room even for the file: nothing is held until there is."""
        self.fill(0)
        self.assertNotRecorded(hold(self.mta()))
        self.assertPasses()
        self.unfill()
        self.assertHolds()

    def test_read_only(self):
        self.assertHolds()
        for name in glob.glob(self.path + "*"):
            os.unlink(name)
        hold(self.mta())  # whatever comes of it, the old files are closed now
        for name in glob.glob(self.path + "*"):
            os.unlink(name)
        directory = self.guard.state_directory
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=64k,mode=755", "tmpfs", directory], check=True)
        try:
            self.assertNotRecorded(hold(self.mta()), "ead-only")
            self.assertPasses()
        finally:
            subprocess.run(["umount", "-l", directory], check=True)
        self.assertHolds()


class Killed(unittest.TestCase):
    """SIGKILL at random moments while mail comes: the ledger is sound, and each message that was held has its row."""

    ROUNDS = 8 if tap.SANITIZERS == "no" else 3

    def session(self, guard, held, failures):
        try:
            with guard.client() as mta:
                mta.connect("127.0.0.1")
                while True:
                    answer = hold(mta)
                    if answer.quarantine() is not None and answer.verdict == milterclient.ACCEPT:
                        held.append(answer.queue_id)
                    elif answer.verdict != milterclient.TEMPFAIL:
                        failures.append(answer)
        except (milterclient.ProtocolError, OSError):
            return  # it is dead, as it should be

    def test_killed(self):
        directory = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, directory, True)
        daemon.own(directory)
        path = os.path.join(directory, "ledger.db")
        held, failures = [], []
        chance = random.Random(17)
        for number in range(self.ROUNDS):
            guard = daemon.Daemon(policies.FIELD, config={("ledger", "path"): path})
            try:
                threads = [threading.Thread(target=self.session, args=(guard, held, failures)) for _ in range(4)]
                before = len(held)
                for thread in threads:
                    thread.start()
                daemon.wait_until(lambda: len(held) > before, what="a held message")
                goal = before + chance.randrange(1, 60)
                daemon.wait_until(lambda: len(held) >= goal, what="more held messages")
                os.kill(guard.child() if number % 2 else guard.pid, signal.SIGKILL)
                for thread in threads:
                    thread.join()
                guard.process.wait()
                daemon.wait_until(lambda: guard.ended, what="the end of both")
            finally:
                guard._clean()
            self.assertEqual(failures, [])
            self.assertEqual(ledgerfile.integrity(path), ["ok"])
            missing = set(held) - set(ledgerfile.queue_ids(path))
            self.assertEqual(missing, set(), "held without a row")
        found = ledgerfile.queue_ids(path)
        self.assertEqual(len(found), len(set(found)))
        print("# %d held in %d lives, %d rows" % (len(held), self.ROUNDS, len(found)), file=sys.stdout)


if __name__ == "__main__":
    surroundings.enter()
    tap.main(120)
