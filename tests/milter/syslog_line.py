"""The verdict line really goes to syslog, with facility, priority and the program's name."""

import os
import re
import socket
import unittest

import daemon
import guardcase
import policies
import surroundings
import tap

MAIL, LOCAL3 = 2, 19
INFO = 6


@unittest.skipUnless(daemon.ROOT, "needs a /dev of its own")
class Syslog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        cls.listener.bind("/dev/log")  # of this test's own /dev
        os.chmod("/dev/log", 0o666)
        cls.listener.settimeout(daemon.LIMIT)

    @classmethod
    def tearDownClass(cls):
        cls.listener.close()

    def read_until(self, word):
        """(facility, priority, text) of the first line with that word."""
        while True:
            text = self.listener.recv(65536).decode("utf-8")
            match = re.match(r"<(\d+)>(.*)", text, re.DOTALL)
            number = int(match.group(1))
            if word in match.group(2):
                return number >> 3, number & 7, match.group(2)

    def judged(self, config=None):
        with daemon.Daemon(policies.FIELD, config=config) as guard, guard.client() as mta:
            mta.connect("127.0.0.1")
            answer = guardcase.send(mta, cc=policies.people(12))
            line = guard.verdict(answer)
            facility, priority, text = self.read_until(answer.queue_id + ": verdict=")
        return line, facility, priority, text

    def test_the_verdict_line(self):
        line, facility, priority, text = self.judged()
        self.assertEqual((facility, priority), (MAIL, INFO))
        self.assertRegex(text, r"^\w{3} [ \d]\d \d\d:\d\d:\d\d rcptguardd\[\d+\]: %s: verdict=quarantine " % line.queue_id)
        self.assertTrue(text.rstrip("\0\n").endswith(line.raw))

    def test_another_facility(self):
        _, facility, _, _ = self.judged({("log", "facility"): "local3"})
        self.assertEqual(facility, LOCAL3)

    def test_a_start_that_fails_is_told_too(self):
        """Whoever looks at the log and not at the terminal learns why."""
        with self.assertRaises(daemon.Exited):
            daemon.Daemon('version 1\nnonsense\nclass internal { domain "corp.example" }\ndefault accept\n')
        _, priority, text = self.read_until("error: ")
        self.assertIn("policy:2:1: error: ", text)
        self.assertLessEqual(priority, 3)


if __name__ == "__main__":
    surroundings.enter()
    tap.main()
