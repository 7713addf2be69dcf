"""The process that parses held mail for rcptguardq, started by itself: what it takes, what it answers, and how it ends."""

import os
import resource
import subprocess
import time
import unittest

import daemon
import tap

RCPTGUARDQ = os.path.join(daemon.BUILD, "rcptguardq")
NO_MEMORY = b"this message needs more memory than may be used to read it"
PASSING = 75

# Seconds in which a process without memory has ended.
SOON = 30

HTML = b"From: <a@x.example>\nContent-Type: text/html\n\n" + b"<p>x <b a=1 b=2 c=3>y</b>" * 60000
TEXT = b"From: <a@x.example>\n\n" + b"a line\n" * 300000
ENVELOPE = (b"sender: a@x.example\n*** MESSAGE CONTENTS hold/x ***\nFrom: <a@x.example>\nTo: " +
            b",\n ".join(b"Person %d <p%d@c%d.example>" % (n, n, n) for n in range(8000)) + b"\n\n")


def read(message, *words, memory=None, program=RCPTGUARDQ):
    """Exit code, output, errors and seconds of one reading, with this many bytes of memory."""
    def limit():
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    begin = time.monotonic()
    done = subprocess.run([program, "--read-message", "1", "1", "nobody", *words], input=message, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          preexec_fn=limit, check=False, timeout=10 * SOON)
    return done.returncode, done.stdout, done.stderr, time.monotonic() - begin


@unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
class Reader(unittest.TestCase):
    def test_charset(self):
        """a charset that the C library keeps in a file is read for all that the process may not"""
        for name, text in (("gb18030", "你好"), ("koi8-r", "привет"), ("iso-2022-jp", "日本"), ("windows-1252", "“é”")):
            with self.subTest(name):
                message = ("Content-Type: text/plain; charset=%s\n\n%s\n" % (name, text)).encode(name)
                code, out, errors, _ = read(message, "text")
                self.assertEqual((code, errors), (0, b""))
                self.assertIn("l" + text, out.decode().split("\n"))

    @unittest.skipUnless(os.environ.get("SANITIZERS", "no") == "no", "sanitizers map terabytes")
    def test_memory(self):
        """with any amount of memory the answer is whole, or there is none and it says why; and soon"""
        least = next(megabytes for megabytes in range(8, 512) if read(b"Subject: x\n\nx\n", "text", memory=megabytes << 20)[0] == 0)
        for name, message, words in (("html", HTML, ("text",)), ("text", TEXT, ("text",)), ("envelope", ENVELOPE, ())):
            code, whole, errors, _ = read(message, *words)
            self.assertEqual((code, errors), (0, b""))
            few = many = 0
            for megabytes in range(least, least + 32, 2):
                with self.subTest(name, megabytes=megabytes):
                    code, out, errors, seconds = read(message, *words, memory=megabytes << 20)
                    self.assertLess(seconds, SOON)
                    if code == 0:
                        many += 1
                        self.assertEqual(out, whole)
                    else:
                        few += 1
                        self.assertEqual((code, out), (PASSING, b""), errors)
                        self.assertTrue(errors.endswith(NO_MEMORY + b"\n"), errors)
            self.assertGreater(few, 0, name)
            self.assertGreater(many, 0, name)


if __name__ == "__main__":
    tap.main()
