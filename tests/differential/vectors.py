"""Other projects' address tests: who is missed, and who is found besides.

    vectors.py          the tests, as TAP
    vectors.py -l       each input that is read in another way than the project says, with its judgement

The inputs are data, in the file `vectors`, which says how its lines are read.
"""

import collections
import os
import re
import sys
import unittest

import crossing
import tap

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors")
ITEMS = crossing.ITEMS
ADDRESS = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^\s"])+')

Vector = collections.namedtuple("Vector", "project text meant judgement")
Result = collections.namedtuple("Result", "vector under over malformed missing")


def _plain(text):
    """Pictures of control characters as these."""
    return re.sub("[\u2400-\u241f]", lambda sign: chr(ord(sign.group()) - 0x2400), text)


def _parse(lines):
    project = None
    for line in lines:
        if line.startswith("# "):
            project = line[2:].split(":")[0]
        elif line and line != "#":
            text, meant, *judgement = line.split("\t")
            yield Vector(project, _plain(text), [] if meant == "-" else ADDRESS.findall(_plain(meant)), "".join(judgement))


def vectors():
    with open(FILE, encoding="utf-8") as file:
        return list(_parse(file.read().split("\n")))


def results(some):
    """What is counted of each, once and sixty times."""
    once = crossing.read([vector.text.replace("{n}", "0") for vector in some])
    often = crossing.read([", ".join(vector.text.replace("{n}", str(n)) for n in range(ITEMS)) for vector in some])
    for vector, one, sixty in zip(some, once, often, strict=True):
        meant = {address.replace("{n}", "0") for address in vector.meant}
        least = max(ITEMS * sum("{n}" in address for address in vector.meant), len(meant))
        yield Result(vector, meant - one.addresses, one.addresses - meant, one.malformed, 0 if sixty.malformed else max(0, least - sixty.count))


def kind(result):
    """What a judgement has to begin with."""
    if result.malformed:
        return "malformed"
    return " ".join(name for name, people in (("over", result.over), ("under", result.under)) if people)


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.results = list(results(vectors()))

    def test_judged(self):
        """Whatever is read in another way than the project says is judged, and nothing else is."""
        wrong = [(result.vector.text, kind(result), result.vector.judgement) for result in self.results if kind(result) != result.vector.judgement.partition(":")[0]]
        self.assertEqual(wrong, [])

    def test_sixty(self):
        """Sixty of each are sixty, or malformed; whoever is missed once is counted under another spelling."""
        self.assertEqual([(result.vector.text, result.missing) for result in self.results if result.missing], [])
        self.assertEqual([result.vector.text for result in self.results if len(result.under) > len(result.over) and not result.malformed], [])

    def test_all_are_read(self):
        self.assertGreater(len(self.results), 200)
        self.assertGreater(len({result.vector.project for result in self.results}), 6)

    def test_a_miss_is_noticed(self):
        two = Vector("", "u{n}@x.example", ["u{n}@x.example", "v{n}@x.example"], "")
        result = next(results([two]))
        self.assertEqual((kind(result), result.under, result.missing), ("under", {"v0@x.example"}, ITEMS))


def report():
    table = collections.Counter()
    for result in results(vectors()):
        table[kind(result)] += 1
        if kind(result):
            print("%r (%s)\n    missed %s, found besides %s\n    %s" % (result.vector.text, result.vector.project, sorted(result.under), sorted(result.over), result.vector.judgement))
    print("%d inputs: %d as their projects say, %s" % (sum(table.values()), table.pop(""), ", ".join("%d %s" % (table[name], name) for name in sorted(table))))


if __name__ == "__main__":
    if sys.argv[1:] == ["-l"]:
        report()
    else:
        tap.main(60)
