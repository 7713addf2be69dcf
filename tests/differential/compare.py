"""Compares rcptguard with the truth and with independent parsers, on generated headers.

    compare.py                  the tests, as TAP, on a sample
    compare.py -n 100000 [-s SEED] [-p POSTFIX-SAMPLE]
                                the tests' conditions on that many, and the table

The table has a line for each class of header and a column for each parser:
how often it agrees with the truth, finds fewer (under), more (over), or misses
some and finds others (different).  A second table says why each differs, and a
third how often two of them do.
"""

import argparse
import collections
import itertools
import sys
import unittest

import generate
import parsers
import reasons
import tap

SEED = 1
COUNT = 6000 if tap.SANITIZERS == "no" else 1500
POSTFIX_COUNT = 240
VERDICTS = ("agrees", "under", "over", "different")


def _family(case):
    return "valid" if case.valid else "broken"


def verdict(found, truth):
    if found == truth:
        return "agrees"
    if found < truth:
        return "under"
    return "over" if found > truth else "different"


def problem(case, reading):
    """What is wrong with rcptguard's reading of a case, or None."""
    found, missing = reading.addresses, case.truth - reading.addresses
    if missing:
        return "misses %r" % sorted(missing)
    if len(found) < case.least:
        return "finds %d of at least %d" % (len(found), case.least)
    if reading.count != len(found):
        return "counts %d and lists %d" % (reading.count, len(found))
    if case.valid and found != case.truth:
        return "finds %r, who cannot be read there" % sorted(found - case.truth)
    if case.valid and reading.defects & {"limit", "unparsed"}:
        return "has the defects %r, and is valid" % sorted(reading.defects)
    return None


def problems(cases, readings):
    return ["%s\n    rcptguard %s" % (case, what) for case, what in ((case, problem(case, reading)) for case, reading in zip(cases, readings)) if what]


class Table:
    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)  # (family, kind) -> {(parser, verdict): n}
        self.reasons = collections.Counter()  # (parser, family, reason) -> n
        self.pairs = collections.defaultdict(collections.Counter)  # (parser, parser) -> {(family, whether they differ): n}
        self.parsers = []

    def add(self, cases, readings):
        """`readings`: parser -> what it found in each of the cases, None where it was not asked."""
        for parser, found in readings.items():
            if parser not in self.parsers:
                self.parsers.append(parser)
            for case, addresses in zip(cases, found):
                if addresses is not None:
                    self._add(parser, case, addresses)

    def compare(self, cases, readings):
        """The parsers with each other."""
        for one, other in itertools.combinations(readings, 2):
            for case, here, there in zip(cases, readings[one], readings[other]):
                if here is not None and there is not None:
                    self.pairs[one, other][_family(case), here != there] += 1

    def _add(self, parser, case, addresses):
        self.counts[_family(case), case.kind][parser, verdict(addresses, case.truth)] += 1
        why = reasons.of(case, addresses)
        assert bool(why) == (addresses != case.truth), case
        for reason in why:
            self.reasons[parser, _family(case), reason] += 1

    def lines(self):
        width = 23
        yield "%-34s" % "class" + "".join("%*s" % (width, parser) for parser in self.parsers)
        yield "%-34s" % "" + "".join("%*s" % (width, "agr/undr/over/diff") for _ in self.parsers)
        for family in ("valid", "broken"):
            total = collections.Counter()
            for (of, kind), counts in sorted(self.counts.items()):
                if of == family:
                    yield self._line("%s %s" % (family, kind), counts, width)
                    total.update(counts)
            yield self._line("%s, all" % family, total, width)
            yield ""

    def reason_lines(self):
        """In how many headers, valid and broken, each has a reason to differ from the truth; a header may have several."""
        yield "%-54s" % "why they differ: in valid/broken headers" + "".join("%23s" % parser for parser in self.parsers)
        for reason, text in reasons.REASONS.items():
            yield "%-54s" % text + "".join("%23s" % "/".join(str(self.reasons[parser, family, reason]) for family in ("valid", "broken")) for parser in self.parsers)

    def pair_lines(self):
        for (one, other), counts in self.pairs.items():
            yield "%-54s valid %d of %d, broken %d of %d" % ("%s and %s differ in" % (one, other), counts["valid", True], counts["valid", True] + counts["valid", False],
                                                           counts["broken", True], counts["broken", True] + counts["broken", False])

    def _line(self, name, counts, width):
        return "%-34s" % name + "".join("%*s" % (width, "/".join(str(counts[parser, verdict]) for verdict in VERDICTS)) for parser in self.parsers)


def postfix_sample(count, seed):
    """Cases for sendmail -t, from all classes."""
    cases = (case for case in generate.cases(2 * count, seed) if case.kind != "bcc")
    return [case for case, _ in zip(cases, range(count))]


def with_postfix(cases):
    import postfix
    with postfix.Postfix(extra="header_checks = static:HOLD\nline_length_limit = 8192") as mta:
        return parsers.postfix(cases, mta)


class Generated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = list(generate.cases(COUNT, SEED))
        cls.readings = parsers.rcptguard(cls.cases)

    def check(self, cases_and_readings):
        found = problems(*zip(*cases_and_readings))
        self.assertEqual(len(found), 0, "%d of %d; the first:\n%s" % (len(found), len(cases_and_readings), "\n".join(found[:5])))

    def pairs(self, condition):
        return [(case, reading) for case, reading in zip(self.cases, self.readings) if condition(case)]

    def test_valid(self):
        """No valid header differs from the truth, and none is `limit` or `unparsed`."""
        self.check(self.pairs(lambda case: case.valid and case.kind != "bcc"))

    def test_broken(self):
        """No broken header counts fewer people than can be read."""
        self.check(self.pairs(lambda case: not case.valid and case.kind != "bcc"))

    def test_json(self):
        """Each answer is an object of JSON with all that belongs there, in UTF-8 (else there would be no reading), of one message each."""
        self.assertEqual([reading.report["index"] for reading in self.readings[:parsers.BATCH]], list(range(min(COUNT, parsers.BATCH))))
        for case, reading in zip(self.cases, self.readings):
            with self.subTest(case=case):
                self.assertEqual(set(reading.report["counts"]), {"visible", "parties", "domains", "recipients", "hidden"})
                self.assertEqual(len(reading.report["recipients"]), len(reading.addresses))
                for recipient in reading.report["recipients"]:
                    self.assertRegex(recipient["address"], r"\A(?s:.)+@[^@\s]+\Z")
                    self.assertTrue(recipient["class"] and recipient["party"] and recipient["fields"])

    def test_bad_json_is_noticed(self):
        for line in ('{"a": ', '{"a": "\t"}', '{"a": "\\ud800"}'):
            self.assertRaises(ValueError, parsers.Reading, line)

    def test_hidden(self):
        """Nobody in Bcc is visible."""
        for case, reading in self.pairs(lambda case: case.kind == "bcc"):
            self.assertEqual(reading.addresses, frozenset(), case)

    def test_fields(self):
        """Each recipient stands in the fields where it can be read, and in no other."""
        for case, reading in self.pairs(lambda case: case.kind not in ("bcc", "several-fields")):
            for fields in reading.fields.values():
                self.assertEqual(fields, [case.fields[0][0]], case)

    def test_every_class(self):
        """Every class is there, folded and not, and in every field."""
        seen = {(case.kind, case.folded) for case in self.cases}
        for kind in list(generate.VALID) + list(generate.BROKEN):
            self.assertTrue((kind, True) in seen or (kind, False) in seen, kind)
        self.assertEqual({name for case in self.cases for name, _ in case.fields}, set(generate.VISIBLE + generate.HIDDEN))
        self.assertGreater(sum(case.folded for case in self.cases), COUNT // 4)

    def test_reasons(self):
        """Each difference has a reason, and it is the right one."""
        for kind, parser, reason in (("in-comment", parsers.python_utils, "comment"), ("encoded-list", parsers.perl, "encoded"), ("in-display-name", parsers.perl, "quoted"),
                                     ("separator-semicolon", parsers.perl, "broken"), ("curly-brackets", parsers.python_utils, "spelling")):
            cases = [case for case in self.cases if case.kind == kind]
            found = collections.Counter(why for case, addresses in zip(cases, parser(cases)) for why in reasons.of(case, addresses))
            self.assertEqual(found.most_common(1)[0][0], reason, (kind, found))
        for case in self.cases[:200]:
            self.assertEqual(reasons.of(case, case.truth), set())

    def test_deterministic(self):
        again = list(generate.cases(40, SEED, first=100))
        self.assertEqual([(case.fields, case.truth) for case in again], [(case.fields, case.truth) for case in self.cases[100:140]])

    def test_a_miss_is_noticed(self):
        """The comparison itself: a reading without one of the people is a problem, one with a stranger as well."""
        case, reading = next((case, reading) for case, reading in zip(self.cases, self.readings) if case.valid and len(case.truth) > 1)
        whole = reading.addresses
        try:
            self.assertIsNone(problem(case, reading))
            reading.addresses = frozenset(sorted(whole)[1:])
            self.assertIn("misses", problem(case, reading))
            reading.addresses, reading.count = whole | {"stranger@x.example"}, len(whole) + 1
            self.assertIn("cannot be read", problem(case, reading))
        finally:
            reading.addresses, reading.count = whole, len(whole)


class Independent(unittest.TestCase):
    """The other parsers agree with the truth where they ought to: so the truth is not only the generator's own opinion."""

    EXACT = ("plain", "atext", "plus-tags", "needless-quotes", "letter-case", "groups", "obsolete-route", "encoded-name", "several-fields")

    def check(self, parser, exact=EXACT):
        cases = [case for case in generate.cases(COUNT // 2, SEED + 1) if case.kind in exact]
        table = collections.Counter()
        for case, found in zip(cases, parser(cases)):
            # People in comments are not theirs to find.
            if any(b"(" in value for _, value in case.fields):
                continue
            table[verdict(found, case.truth)] += 1
            self.assertEqual(found, case.truth, case)
        self.assertGreater(table["agrees"], COUNT // 200)

    def test_python_utils(self):
        self.check(parsers.python_utils, ("plain", "plus-tags", "letter-case", "encoded-name", "several-fields"))

    def test_python_policy(self):
        self.check(parsers.python_policy, ("plain", "plus-tags", "letter-case", "several-fields"))

    def test_perl(self):
        self.check(parsers.perl)


@unittest.skipUnless(parsers.daemon.ROOT, "Postfix starts as root only")
class Postfix(unittest.TestCase):
    def test_envelope(self):
        """Whoever Postfix takes from a header is read there by rcptguard too; on plain headers both read the same."""
        cases = postfix_sample(POSTFIX_COUNT, SEED + 2)
        readings = parsers.rcptguard(cases)
        for case, found, reading in zip(cases, with_postfix(cases), readings):
            if case.kind in ("plain", "letter-case", "encoded-name"):
                self.assertEqual(found, reading.addresses, case)
            # Postfix makes a blank of a line's end, which RFC 5322 section 2.2.3 removes.
            if case.valid and case.kind != "quoted-local-folded":
                self.assertLessEqual(found, reading.addresses, case)


def report(count, seed, postfix_count):
    """The full run.  Gives whether all is well."""
    table, bad = Table(), []
    step = 10000
    for first in range(0, count, step):
        cases = list(generate.cases(min(step, count - first), seed, first))
        readings = parsers.rcptguard(cases)
        bad.extend(problems(cases, readings))
        asked = [case.number // len(generate.KINDS) % 11 == 5 for case in cases]  # of the slow one
        slow = iter(parsers.python_policy([case for case, ask in zip(cases, asked) if ask]))
        found = {"rcptguard": [reading.addresses for reading in readings], "email.utils": parsers.python_utils(cases), "Email::Address::XS": parsers.perl(cases),
                 "headerregistry (1/11)": [next(slow) if ask else None for ask in asked]}
        table.add(cases, found)
        table.compare(cases, found)
    if postfix_count:
        cases = postfix_sample(postfix_count, seed)
        found = {"Postfix (%d)" % postfix_count: with_postfix(cases)}
        table.add(cases, found)
        table.compare(cases, {"rcptguard": [reading.addresses for reading in parsers.rcptguard(cases)], **found})
    print("%d headers of seed %d: each parser's findings against the truth" % (count, seed))
    for line in itertools.chain(table.lines(), table.reason_lines(), [""], table.pair_lines(), [""]):
        print(line)
    print("Where a broken class leaves the spelling open (at-twice, junk, 8-bit addresses, literals and lists in quotes),\n"
          "the truth is the neighbours and a number, and whoever finds it is `over`.")
    print("rcptguard: %d valid headers differ from the truth or broken ones count fewer" % len(bad))
    for text in bad[:20]:
        print(text)
    return not bad


if __name__ == "__main__":
    if any(argument.startswith("-") for argument in sys.argv[1:]):
        arguments = argparse.ArgumentParser(description="The full comparison.")
        arguments.add_argument("-n", type=int, default=100000)
        arguments.add_argument("-s", type=int, default=SEED)
        arguments.add_argument("-p", type=int, default=600)
        options = arguments.parse_args()
        sys.exit(0 if report(options.n, options.s, options.p) else 1)
    tap.main(180)
