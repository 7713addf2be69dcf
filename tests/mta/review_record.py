"""What rcptguardq says and records is true, and can be read: times with their zone, ids as they are pasted, subjects with long words."""

import email.header
import os
import re

import daemon
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


if __name__ == "__main__":
    mtacase.main(120, ["/etc"])
