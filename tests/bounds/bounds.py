"""What a hostile header may cost: instructions, memory and stack, for the worst shapes.

Instructions are counted, not seconds: they are the same on each run.  valgrind does that, which
takes a hundred times as long as the work itself: about 90 s for all.
"""

import os
import subprocess
import tempfile
import unittest

import tap
from shapes import NOBODY, POLICY, SHAPES, instructions, judged, write_message

BUILD = os.environ["top_builddir"]
JUDGE = os.path.join(BUILD, "tests/bench/judge")

MEGABYTE = 1000 * 1000

# A doubling of the input may cost this much more; twice is linear.
GROWTH = 2.5

# 660 million took 60 ms where this was set; 100 ms are allowed.
INSTRUCTIONS_OF_A_MEGABYTE = 750 * 1000 * 1000

# Bytes of memory a byte of headers.
MEMORY = 40

# Those that are counted here; `make growth` counts all, from 8 kB to 1 MB.
COUNTED = ("a,", "a b,", "a@b (,", "a:", "a@b c,", "a@#.x,", "\u00e9#@\u00fc#.x,", "=?utf-8?q?a=40#.x?= ", '"@', "a@b.\n ", "$@$.x.y,", "a@{b.}x", "a{" + "\u0315\u0300\u0327" * 10 + "\u200d}@b.x", "=?x#?q?a@b?= ", "a\nTo: ", "=? ", "{e\u0301}@b.x", "a@#" + ".b" * 46 + ".x,")

# Those that are dearest.
DEAR = SHAPES[-2:] + ("a@#" + ".b" * 46 + ".x,", "a@#" + ".amazonaws.com" * 16 + ",", "a@#" + ".corp" * 45 + ".x,", "a@\u00fc$.x,", "{e\u0301}@b.x", "=? ")


# What `contains` looks into, and how many instructions a byte of it may take.
WORDS_SHAPES = (("word1 and a ", 1000), ("\u0315\u0300\u0327", 2500), ("\ufdfa", 12000))

WORDS_POLICY = """version 1
class internal { domain "corp.example" }
rule words { monitor when header("Subject") contains from "words" tag "x" }
default accept
"""


class Bounds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.megabytes = {}
        cls.folder = tempfile.TemporaryDirectory()
        cls.policy = os.path.join(cls.folder.name, "policy")
        with open(cls.policy, "w") as out:
            out.write(POLICY)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def message(self, shape, size):
        path = os.path.join(self.folder.name, "message")
        write_message(path, shape, size)
        return path

    def judged_megabyte(self, shape):
        """What is found in a megabyte of it, and the peak of memory."""
        if shape not in self.megabytes:
            _, *self.megabytes[shape] = judged(JUDGE, self.policy, self.message(shape, MEGABYTE))
        return self.megabytes[shape]

    def test_cost_grows_linearly(self):
        for shape in COUNTED:
            small = instructions(JUDGE, self.policy, self.message(shape, 64000))
            large = instructions(JUDGE, self.policy, self.message(shape, 128000))
            self.assertLess(large / small, GROWTH, "from 64 to 128 kB of %r" % shape)

    def test_words_cost_linearly(self):
        """`contains`: no more for a thousand words than for one, and no more for what is dear to fold."""
        for shape, most in WORDS_SHAPES:
            costs = {}
            for words, size in (1000, 20000), (1000, 40000), (1, 40000):
                with open(os.path.join(self.folder.name, "words"), "w") as out:
                    out.write("".join("word%d and%s b\n" % (number, " a" * (number % 60)) for number in range(words)))
                with open(os.path.join(self.folder.name, "words.policy"), "w") as out:
                    out.write(WORDS_POLICY)
                costs[words, size] = instructions(JUDGE, out.name, self.message("a\nSubject: {%s}" % shape, size))
            self.assertLess(costs[1000, 40000] / costs[1000, 20000], GROWTH, shape)
            self.assertLess(costs[1000, 40000] / costs[1, 40000], 3, shape)
            self.assertLess(costs[1000, 40000] / 40000, most, shape)

    def test_a_megabyte_is_cheap(self):
        for shape in DEAR:
            count = instructions(JUDGE, self.policy, self.message(shape, MEGABYTE))
            self.assertLess(count, INSTRUCTIONS_OF_A_MEGABYTE, "1 MB of %r" % shape)

    def test_a_megabyte_is_never_taken_for_whole(self):
        for shape in SHAPES:
            found, _ = self.judged_megabyte(shape)
            if shape in NOBODY:
                self.assertRegex(found, "visible=1 |visible=0 ", "1 MB of %r" % shape)
            else:
                self.assertRegex(found, "malformed|truncated", "1 MB of %r" % shape)
                self.assertNotIn("verdict=accept", found, "1 MB of %r" % shape)

    def test_memory(self):
        _, _, least = judged(JUDGE, self.policy, self.message("a", 1))
        for shape in SHAPES:
            _, peak = self.judged_megabyte(shape)
            self.assertLess((peak - least) / MEGABYTE, MEMORY, "1 MB of %r" % shape)

    def test_stack(self):
        """All shapes, at sizes around the bounds of the parser, in a thread with 64 kB of stack."""
        paths = []
        for number, shape in enumerate(SHAPES):
            for size in (400, 4000, 32000, 128000, MEGABYTE):
                path = os.path.join(self.folder.name, "m%d-%d" % (number, size))
                write_message(path, shape, size)
                paths.append(path)
        run = subprocess.run([JUDGE, "--stack", self.policy] + paths, stdin=subprocess.DEVNULL, capture_output=True,
                             text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(len(run.stdout.splitlines()), len(paths))
        for line in run.stdout.splitlines():
            self.assertLess(int(line.split()[0]), 64 * 1024, line)


if __name__ == "__main__":
    tap.main(limit=600)
