"""Each message of tests/parts/samples, and what it shows: `samples.py --update` writes the table anew, with tests/parts/show-parts.

The structure of a sample is what the program in its X-Sample field writes; the addresses are replaced.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import tap

HERE = pathlib.Path(__file__).resolve().parent
SHOW = os.path.join(os.environ["top_builddir"], "tests/parts/show-parts")
TABLE = HERE / "expected.txt"


def shown(path):
    return subprocess.run([SHOW, str(path)], capture_output=True, text=True, check=True).stdout


def table():
    return "".join("== %s\n%s" % (path.name, shown(path)) for path in sorted((HERE / "samples").glob("*.eml")))


def of_table(name):
    return dict(block.split("\n", 1) for block in TABLE.read_text().split("== ")[1:])[name]


class Samples(unittest.TestCase):
    maxDiff = None

    def test_each_sample_shows_what_the_table_says(self):
        self.assertEqual(table(), TABLE.read_text())

    def test_programs_and_languages(self):
        """The table itself: a forward shows the same five whoever wrote it, and an invitation all of its guests."""
        forwards = [path.name for path in (HERE / "samples").glob("forward-*.eml") if "attached" not in path.name]
        self.assertGreaterEqual(len(forwards), 8)
        five = {"%s@%s.example" % pair for pair in (("ann", "first"), ("bob", "second"), ("carl", "third"), ("dan", "fourth"), ("eve", "fifth"))}
        for name in forwards:
            line = next(line for line in of_table(name).split("\n") if line.startswith("forwarded:"))
            self.assertEqual(set(line.split()[1:]), five, name)
        for name in ("exchange", "outlook", "google", "apple", "thunderbird"):
            line = next(line for line in of_table("invitation-%s.eml" % name).split("\n") if line.startswith("calendar:"))
            self.assertGreaterEqual(len(line.split()), 6, name)

    def test_line_ends(self):
        """A message with the line ends of SMTP shows the same as one with those of a file."""
        for path in sorted((HERE / "samples").glob("*.eml")):
            raw = path.read_bytes()
            with tempfile.TemporaryDirectory() as folder:
                other = pathlib.Path(folder) / path.name
                other.write_bytes(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
                self.assertEqual(shown(other), of_table(path.name), path.name)


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        TABLE.write_text(table())
    else:
        tap.main()
