"""What rcptguardq says and records is true: times with their zone."""

import os
import re

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


if __name__ == "__main__":
    mtacase.main(120, ["/etc"])
