"""Where Postfix's lines go to the journal alone: the new id of a message that is queued anew is found there."""

import os
import re
import unittest

import daemon
import journald
import mtacase
import review


@unittest.skipUnless(journald.available(), "there is no systemd-journald")
class Journalled(review.ReviewCase):
    MTAS = ("postfix",)
    EXTRA = {"postfix": "maillog_file =\n"}  # by syslog(3)

    @classmethod
    def setUpClass(cls):
        cls.journal = journald.Journal().__enter__()
        cls.addClassCleanup(cls.journal.__exit__)
        mtacase.MtaCase.setUpClass.__func__(cls)  # without the reader of /dev/log, which is the journal's here
        cls.configure()

    def check_requeued(self):
        held = self.hold_old(6)
        result = self.done("release", held.id, reason="ok")
        new = re.fullmatch(r"%s: released, as ([0-9A-Za-z]+)\n" % held.id, result.out)
        self.assertIsNotNone(new, result)
        self.assertArrived(held)
        line = "%s: uid=\\d+ from=<%s> orig_id=%s" % (new.group(1), re.escape(mtacase.SENDER), held.id)
        self.assertTrue([entry for entry in self.journal.entries() if re.fullmatch(line, entry["MESSAGE"])], line)

    def test_requeued(self):
        """with no file of the log"""
        self.assertEqual(self.mta.lines(), [])
        self.assertFalse(os.path.exists("/var/log/mail.log"))
        self.check_requeued()

    def test_left_over(self):
        """with a file that a syslog daemon left when it was taken away"""
        path = daemon.write("/var/log/mail.log", "Jan  1 00:00:00 old postfix/qmgr[1]: the end\n")
        self.addCleanup(os.unlink, path)
        os.utime(path, (1, 1))
        self.check_requeued()


if __name__ == "__main__":
    there = daemon.ROOT and journald.available()
    mtacase.main(240, ["/run", "/var/log"], journald.enter if there else None)
