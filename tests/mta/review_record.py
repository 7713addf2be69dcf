"""What rcptguardq says and records is true, and can be read: times with their zone, ids as they are pasted, subjects with long words."""

import email.header
import os
import re

import daemon
import ledgerfile
import mta
import mtacase
import review

ZONES = "/usr/share/zoneinfo"


class Times(review.ReviewCase):
    """One zone at a time, and it is named."""

    MTAS = ("postfix",)

    def zone(self, name):
        """The time zone of the machine: this test has an /etc of its own."""
        os.unlink("/etc/localtime")
        os.symlink(os.path.join(ZONES, name), "/etc/localtime")

    def test_zone(self):
        """list, show, log and decisions in the zone of the machine or, with --utc, in UTC"""
        before = os.readlink("/etc/localtime")
        self.addCleanup(lambda: self.zone(before))
        self.zone("Asia/Tokyo")
        held = self.hold()
        self.assertSame("show", held.id)
        self.done("release", held.id, reason="ok")
        self.assertSame("show", held.id)
        self.assertSame("log", held.id)
        self.assertSame("release", held.id, reason="again")

    def assertSame(self, *arguments, **options):
        """The same moments: 9 hours between the two."""
        pattern = r"(\d{4}-\d\d-\d\d (\d\d):\d\d:\d\d) (\w+)"
        local, utc = [re.findall(pattern, answer.out + answer.err) for answer in (self.ask(*arguments, **options), self.ask(*arguments, "--utc", **options))]
        self.assertTrue(local)
        for here, there in zip(local, utc, strict=True):
            self.assertEqual((here[2], there[2]), ("JST", "UTC"))
            self.assertEqual((int(here[1]) - int(there[1])) % 24, 9)


class Words(review.ReviewCase):
    """What people paste, and what they send."""

    def test_ids(self):
        """each command takes an id as mailq and logs print it"""
        for form in "%s!", "%s*", "%s#", "%s:", "<%s>", "(%s)", " %s ", "'%s',":
            with self.subTest(form):
                held = self.hold()
                pasted = form % held.id
                self.assertIn(held.id, self.done("show", pasted).out)
                self.assertEqual(self.done("release", pasted, reason="ok").out, "%s: released\n" % held.id)
                self.assertIn(held.id, self.done("log", pasted).out)
        self.refused(review.WRONG, "^4NoSuchThing: is not known", "delete", "4NoSuchThing!", reason="x")

    def test_files(self):
        """the name of a control file of Sendmail will do, and a sender in angle brackets, as logs have it"""
        held = self.hold()
        if self.MTA == "sendmail":
            self.assertIn(held.id, self.done("show", "hf" + held.id).out)
        self.assertEqual(list(self.listed("--sender", "<%s>" % mtacase.SENDER)), [held.id])
        self.assertEqual(self.listed("--sender", "<>"), {})

    def test_subjects(self):
        """the mail to the sender of a returned message has its subject, whatever its words, in lines that every program takes"""
        address = "https://tickets.corp.example/browse/OPS-12345?focusedCommentId=1234567&page=com"
        for number, (subject, sent) in enumerate([(address, address), ("機" * 40, email.header.Header("機" * 40, "utf-8").encode())]):
            with self.subTest(subject):
                sender = "word%d@me.example" % number
                held = self.hold(sender=sender, subject=sent)
                self.done("return", held.id, reason="please use Bcc")
                notices = []

                def arrived():
                    notices[:] = [mail for mail in self.mta.deliveries() if mail.recipients == [sender] and "From: Mail review" in mail.header]
                    return notices
                daemon.wait_until(arrived, mta.LIMIT, "the notice")
                field, = re.findall(r"(?m)^Subject: (.*(?:\n[ \t].*)*)", notices[0].header)
                self.assertEqual(str(email.header.make_header(email.header.decode_header(field))), "Not sent: " + subject)
                for line in ("Subject: " + field).splitlines():
                    self.assertLessEqual(len(line), 78)
                for word in re.findall(r"=\?\S+\?=", field):
                    self.assertLessEqual(len(word), 75)


class Left(review.ReviewCase):
    """What left by hand is recorded as that, whether a command of rcptguardq saw it on hold or not."""

    UNSEEN = r"is not on hold, and was never seen there: it left before anybody looked, or the MTA did not keep it, which cannot be told"
    SEEN = r"is on hold no longer: by hand it was released, requeued or deleted, which cannot be told"

    def let_wait(self, held, minutes=16):
        for column in "began", "judged":
            ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s = %s - ? WHERE queue_id = ?" % (column, column), minutes * 60 * 1000000, held.id)

    def check(self, leave, seen):
        """One message that leaves without us, and is delivered."""
        held = self.hold()
        if seen:
            self.done("list")
        leave(held.id)
        self.assertArrived(held)
        if not seen:
            self.refused(review.PASSING, "is not on hold: it is not there yet, or has left already", "release", held.id, reason="x")
            self.let_wait(held)
        self.refused(review.GONE, self.SEEN if seen else self.UNSEEN, "release", held.id, reason="x")
        self.assertEqual(self.listed("--all")[held.id]["state"], "left")
        self.assertEqual(self.events(held.id), [(None, "left", None, None if seen else "it was never seen on hold")])
        self.assertIn("[left]" if seen else "[left, never seen on hold]", self.done("show", held.id).out)

    def test_by_hand(self):
        """released and requeued, one message or all, before a look and after one"""
        for leave in self.mta.leaves():
            for seen in False, True:
                with self.subTest(leave=leave, seen=seen):
                    self.check(leave, seen)

    def test_deleted(self):
        """what was deleted by hand before a look may have been delivered, as far as anybody knows"""
        held = self.hold()
        self.mta.drop(held.id)
        self.let_wait(held)
        self.done("list")
        self.refused(review.GONE, self.UNSEEN, "release", held.id, reason="x")

    def test_other_mta(self):
        """what another MTA held is not said to have left by hand"""
        held = self.hold()
        self.done("list")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET mta = ?, queue_id = '4Elsewhere' WHERE queue_id = ?", {"postfix": "sendmail", "sendmail": "postfix"}[self.MTA], held.id)
        self.refused(review.GONE, r"is not on hold in the queue of %s, and was not held there: which queue is looked at is `mta` in \[review\]" % self.MTA.capitalize(), "release", "4Elsewhere", reason="x")

    def test_again(self):
        """taken out and put on hold again by hand, it is the same message under the same id: its row goes on"""
        held = self.hold()
        self.done("list")
        self.mta.hide(held.id)
        self.assertEqual(self.listed(), {})
        self.mta.unhide(held.id)
        self.assertEqual(self.listed()[held.id]["state"], "held")
        self.assertEqual([event[1] for event in self.events(held.id)], ["left", "held"])


class Clock(review.ReviewCase):
    """The clock was set back between the arrival of a message and its verdict."""

    SECONDS = 2

    def set_back(self, held):
        """The row as the daemon would have written it."""
        for column in "began", "judged":
            ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s = %s - ? WHERE queue_id = ?" % (column, column), (self.SECONDS + 2) * 1000000, held.id)

    def test_set_back(self):
        held = self.hold()
        self.set_back(held)
        self.assertEqual(self.listed()[held.id]["state"], "held")
        self.done("release", held.id, reason="ok")
        self.assertArrived(held)
        self.assertEqual(self.state(held.id), "released")


class ShortIdsClock(Clock):
    """The same with queue ids that are used again: the Message-ID tells."""

    MTAS = ("postfix",)
    EXTRA = {"postfix": "enable_long_queue_ids = no\n"}

    def test_another_message(self):
        """a later message that has the id, and another Message-ID, is not it"""
        held = self.hold()
        self.set_back(held)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET message_id = 'another@me.example' WHERE queue_id = ?", held.id)
        self.assertNotEqual(self.listed()[held.id]["state"], "held")
        self.assertEqual(self.state(held.id), "pending")


class Renamed(review.ReviewCase):
    """Mail on hold that has another queue id than when it was held."""

    EXTRA = {"postfix": "enable_long_queue_ids = no\n"}
    REVIEW = {"approvals": "2"}

    def configure_identities(self):
        self.configure(identities=daemon.write(os.path.join(self.guard.directory, "identities"), "root: postmaster@me.example\n"))

    def setUp(self):
        super().setUp()
        self.configure_identities()

    def check(self, held, new, detail=""):
        """It is held under its new id, and its approvals are gone."""
        self.assertNotEqual(held.id, new)
        found = self.listed()
        self.assertEqual((found[new]["state"], found[new]["former"], found[new]["approvals"]), ("held", held.id, 0))
        self.assertNotIn(held.id, found)
        self.assertEqual(self.events(new)[-1], (None, "adopt", None, "its queue id was %s%s" % (held.id, detail)))
        self.assertIn("Old queue id  %s" % held.id, self.done("show", held.id).out)
        self.assertIn("its queue id was " + held.id, self.done("log", held.id).out)

    def test_seen(self):
        """seen on hold, approved once, then renamed: it waits as before, for two reviewers"""
        held = self.hold()
        self.assertEqual(self.ask("release", held.id, reason="the first").code, review.DONE)
        new = self.mta.rename(held.id)
        self.check(held, new, "; 1 approval does not count")
        self.assertRegex(self.done("release", held.id, reason="again the first").out, "%s: approved, 1 of 2" % new)
        self.configure(approvals="1")
        self.done("release", held.id, reason="ok")
        self.assertArrived(held)
        self.assertEqual(self.state(new), "released")

    def test_unseen(self):
        """renamed before a command looked"""
        held = self.hold()
        new = self.mta.rename(held.id)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET changed = changed - 61000000 WHERE queue_id = ?", held.id)
        self.check(held, new)

    def test_restored(self):
        """released, and back from a copy of the queue: it waits, and the release does not count"""
        self.configure(approvals="1")
        held = self.hold()
        self.done("list")
        copy = self.mta.copy_held(held.id)
        self.done("release", held.id, reason="ok")
        self.assertArrived(held)
        self.mta.wait_gone(held.id)
        self.mta.restore_held(held.id, copy)
        self.assertEqual(self.listed()[held.id]["state"], "untracked", "the MTA could be at it still")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET changed = changed - 61000000 WHERE queue_id = ?", held.id)
        self.assertEqual(self.listed()[held.id]["state"], "held")
        self.assertEqual(self.events(held.id)[-1], (None, "adopt", None, "it is on hold again; that it was released by root does not count"))
        self.done("delete", held.id, reason="it was delivered already")

    def test_copies(self):
        """a copy beside the message is not it, and of two copies none is guessed"""
        held = self.hold()
        self.done("list")
        copy = self.mta.copy_held(held.id)
        other = self.mta.rename(held.id)
        self.check(held, other)
        self.mta.restore_held(held.id, copy)
        found = self.listed()
        self.assertEqual((found[other]["state"], found[held.id]["state"]), ("held", "untracked"))


class Twice(review.ReviewCase):
    """What was held for long is queued anew on Postfix, as new mail: what that does besides is said."""

    MTAS = ("postfix",)
    EXTRA = {"postfix": "always_bcc = archive@me.example\nsender_bcc_maps = static:boss@me.example\nheader_checks = regexp:{{/^X-Hold:/ HOLD}}\n"}
    COPIES = ["archive@me.example", "boss@me.example"]

    def release_old(self):
        """Gives the message, and what release said behind `released, as ID`."""
        held = self.hold_old(6)
        said = re.fullmatch(r"%s: released, as \w+(.*)\n" % held.id, self.done("release", held.id, reason="ok").out).group(1)
        return held, said

    def assertCopies(self, held, copies):
        wanted = sorted(held.recipients + copies)
        daemon.wait_until(lambda: len(self.mta.recipients(held.subject)) >= len(wanted), mta.LIMIT, "the delivery")
        self.assertEqual(self.mta.recipients(held.subject), wanted)

    def test_copies(self):
        """those that Postfix adds get it twice, and it is said and recorded; not if pickup adds none, or it was not held for long"""
        held, said = self.release_old()
        self.assertEqual(said, "; queued anew: addresses that always_bcc, sender_bcc_maps add may get it twice")
        self.assertIn(said, self.done("log", held.id).out)
        self.assertCopies(held, self.COPIES * 2)
        young = self.hold()
        self.assertEqual(self.done("release", young.id, reason="ok").out, "%s: released\n" % young.id)
        self.assertCopies(young, self.COPIES)
        path = os.path.join(self.mta.root, "etc", "master.cf")
        with open(path, encoding="utf-8") as file:
            services = file.read()
        self.mta.halt()
        daemon.write(path, re.sub(r"(?m)^pickup .*", r"\g<0>\n  -o receive_override_options=no_address_mappings", services))
        daemon.settle(path)
        self.mta.resume()
        held, said = self.release_old()
        self.assertEqual(said, "")
        self.assertCopies(held, self.COPIES)

    def test_held_again(self):
        """a HOLD of header_checks takes it anew: that is not taken for ours, and who asks is told of the release"""
        held = self.hold_old(6, headers=[("X-Hold", "yes")])
        new = re.match(r"%s: released, as (\w+)" % held.id, self.done("release", held.id, reason="ok").out).group(1)
        daemon.wait_until(lambda: new in self.mta.held(), mta.LIMIT, "the other hold")
        self.assertEqual(self.listed()[new]["state"], "untracked")
        self.refused(review.WRONG, "%s: is on hold again, but not by rcptguard; %s: was released by root on .*, as %s" % (new, held.id, new), "release", new, reason="x")


if __name__ == "__main__":
    mtacase.main(240, ["/etc"])
