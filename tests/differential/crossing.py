"""Lists of sixty, written in every way that is crossed from a few tables: does any of them pass as less than sixty?

    crossing.py                              the tests, as TAP, on a sample
    crossing.py -n 100000 [-s SEED] [-m N]   the tests' conditions on that many lists, N of them handed to each MTA, and the table

A list is one item sixty times.  Crossed are where in the item a sign stands, which sign
(comments, quotes, brackets, blanks, folds, control characters, encoded-words, signs of
other scripts), a second sign at a second place, what is around the item, what parts
items, and what stands before the list in the header.

A reader sees sixty wherever the parts that differ are in sight: those lists must count
as sixty, or be malformed.  A private Postfix (`sendmail -t`) and a real Sendmail say
whom they deliver to, of these and of all other lists: no fewer may be counted.
"""

import argparse
import collections
import itertools
import os
import random
import re
import subprocess
import sys
import unittest

import daemon
import parsers
import surroundings
import tap

SEED = 1
ITEMS = 60
COUNT = 6000 if tap.SANITIZERS == "no" else 1500
MTA_COUNT = {"postfix": 60, "sendmail": 120}
READINGS = os.path.join(daemon.BUILD, "tests/differential/readings")

# Where a sign S stands in an item; `whole`: who reads it takes both halves for his own, and so sees sixty.
PLACES = {
    "before": ("{S}u{n}@d{n}.example", True),
    "in the local part": ("u{n}{S}b@x.example", False),
    "before the @": ("u{n}{S}@d{n}.example", True),
    "behind the @": ("u{n}@{S}d{n}.example", True),
    "in a label": ("b@d{S}e{n}.example", False),
    "before the dot": ("u{n}@d{n}{S}.example", True),
    "behind the dot": ("b@d.{S}e{n}", False),
    "behind another domain": ("b@x.d{S}.e{n}", False),
    "behind": ("u{n}@d{n}.example{S}", True),
}
PLAIN = "u{n}@d{n}.example"

SIGNS = {
    "comments": ["(x)", " (x) ", "(x(y)z)", "(x\\)y)", "()", "(a)(b)", "(x\n y)", "(x.y)", "(,)", "(;)"],
    "half comments": ["(", ")", "((x)", "(x))", "\\(", "\\)"],
    "quotes": ['""', '"', '" "', '"q"', '"\\""', '""""', '"a b"', "'", "''", "`"],
    "brackets": ["[", "]", "[]", "[x]", "{", "}", "{x}", "<", ">", "<>", "<x>", "<<", ">>", "[[x]]"],
    "blanks": [" ", "  ", "\t", " \t "],
    "folds": ["\n ", "\r\n\t", " \n  ", "\n (x)\n "],
    "controls": ["\x01", "\x0b", "\x0c", "\x1b", "\x7f", "\r", "\x1f "],
    "words": ["=?utf-8?q?x?=", "=?utf-8?b?eA==?=", "=?utf-8?q??=", "=?x?q?y?=", "=?", "?=", " =?utf-8?q?=20?= "],
    "other scripts": ["\u00a0", "\u3000", "\u200b", "\u00ad", "\u2605", "\u00b7", "\uff08x\uff09", "\uff1c", "\uff1e", "\u201c", "\u300c", "\u2024", "\uff0e", "\u3002", "\u202e", "\u0301"],
    "bytes": ["\udcff", "\udcc3", "\udce2\udc80"],
    "dots": [".", "..", " . ", ". ", " .", ".(x).", "\n .\n "],
    "marks": [":", "\\", "%", "!", "/", "|", "=", "&", "+", "#", "*", "?", "-", "_", "~", "^", "$"],
    "at signs": ["@", "@@", " @ ", "@ ", "\\@"],
    "nothing": [""],
}

AROUND = ["{I}", "<{I}>", "U <{I}>", '"U, {n}" <{I}>', "U{n} {I}", "<{I}> (U)", "<{I}", "{I}>", "[{I}]", "{{{I}}}", "({I})", '"{I}"', "'{I}'", "<mailto:{I}>", "&lt;{I}&gt;"]
SEPARATORS = ["; ", ", ", ",\n ", ";\n\t", ";", " ,", ";,"]
HEADS = ["", "x; ", "Pete) ", "(", '"', "G: ", "<a@z.example>, ", "a@z.example; ", "=?utf-8?q?x?= ", "[", "<", "@", "a, b, c; ", "x <y> ", "undisclosed-recipients:; "]

Case = collections.namedtuple("Case", "text place sign around whole")


def _items(rng):
    """Endless cases, by a generator of random numbers.  Every fourth has a second sign."""
    while True:
        kind = rng.choice(list(SIGNS))
        place = rng.choice(list(PLACES))
        form, whole = PLACES[place]
        item = form.replace("{S}", rng.choice(SIGNS[kind]))
        if rng.random() < 0.25 and "{n}@" in item:
            other = rng.choice(list(SIGNS))
            item = item.replace("{n}@", "{n}" + rng.choice(SIGNS[other]).replace("@", "") + "@", 1)
        around = rng.choice(AROUND) if rng.random() < 0.6 else rng.choice(AROUND[:4])
        form = around.replace("{{", "{").replace("}}", "}").replace("{I}", item)
        separator = rng.choice(SEPARATORS) if rng.random() < 0.5 else rng.choice(SEPARATORS[:2])
        head = rng.choice(HEADS) if rng.random() < 0.3 else ""
        text = head + separator.join(form.replace("{n}", str(n)) for n in range(ITEMS))
        yield Case(text, place, kind, around, whole)


def cases(count, seed=SEED):
    return list(itertools.islice(_items(random.Random(seed)), count))


def encode(text):
    return text.encode("utf-8", "surrogateescape")


class Reading:
    def __init__(self, line):
        count, longer, malformed, *names = line.split()
        self.count, self.longer, self.malformed = int(count), int(longer), malformed == b"1"
        self.addresses = {bytes.fromhex(name.decode()).decode() for name in names}


def read(texts):
    """What rcptguard makes of each, by the program `readings`."""
    done = subprocess.run([READINGS, "--names"], input=b"".join(encode(text).hex().encode() + b"\n" for text in texts), stdout=subprocess.PIPE, check=True, env=daemon.environment())
    return [Reading(line) for line in done.stdout.splitlines()]


def outcome(reading):
    if reading.count - reading.longer >= ITEMS:
        return "at once"
    if reading.count >= ITEMS:
        return "by the third reading"
    return "malformed" if reading.malformed else "fewer"


OUTCOMES = ("at once", "by the third reading", "malformed", "fewer")


def passes(case, reading):
    """Whether a list that a reader takes for sixty is taken for less and for whole."""
    return case.whole and outcome(reading) == "fewer"


# ---- the MTAs

def postfix(texts):
    """Whom Postfix delivers to: what is in its hold queue."""
    import postfix as library
    with library.Postfix(extra="header_checks = static:HOLD\nline_length_limit = 8192") as mta:
        answers = parsers.envelopes(mta, [b"To: " + encode(text) + b"\n" for text in texts])
        return [people([] if isinstance(answer, bytes) else answer, library.DOMAIN) for answer in answers]


def sendmail(texts):
    """Whom Sendmail delivers to: `sendmail -t -bv` says it, and queues nothing."""
    import sendmail as library
    found = []
    with library.Sendmail() as mta:
        for text in texts:
            done = subprocess.run([library.program(), "-C", mta._path("sendmail.cf"), "-bv", "-t"], input=b"To: " + encode(text).replace(b"\r\n", b"\n") + b"\n\nHello.\n",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            out = done.stdout.decode("utf-8", "surrogateescape")
            found.append(people(re.findall(r"deliverable: mailer \S+, host \S+, user (.*)", out), mta.ORIGIN))
    return found


def people(addresses, origin):
    """Those with a domain that is not the MTA's own; each once, however it is written.

    Letters that cannot be seen, blanks and quotes are left out: they make no other person.
    """
    found = set()
    for address in addresses:
        local, at, host = address.rpartition("@")
        local = re.sub(r'[\s"\\()\u00ad\u200b\u202e]', "", local).lower()
        host = re.sub(r'[\s"\\\u00ad\u200b\u202e]', "", host).lower().rstrip(".")
        if at and local and host and host != origin:
            found.add(local + "@" + host)
    return found


ASK = {"postfix": postfix, "sendmail": sendmail}


def missed(mta, chosen):
    """The cases of which an MTA delivers to more people than are counted, and no header is malformed; and of how many it delivers to any."""
    texts = [case.text for case in chosen]
    answers = list(zip(chosen, read(texts), ASK[mta](texts), strict=True))
    return [(case, reading, found) for case, reading, found in answers if len(found) > reading.count and not reading.malformed], sum(bool(found) for _, _, found in answers)


class Crossing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = cases(COUNT)
        cls.readings = read([case.text for case in cls.cases])

    def test_none_passes(self):
        """No list that a reader takes for sixty counts as fewer without being malformed."""
        self.assertEqual(len(self.readings), len(self.cases))
        found = [(reading.count, case.text[:200]) for case, reading in zip(self.cases, self.readings) if passes(case, reading)]
        self.assertEqual(found[:5], [], "%d of %d" % (len(found), len(self.cases)))

    def test_third_reading(self):
        """Most are counted whole, many by the third reading alone; few are malformed."""
        table = collections.Counter(outcome(reading) for reading in self.readings)
        self.assertGreater(table["by the third reading"], len(self.cases) // 10)
        self.assertLess(table["malformed"], len(self.cases) // 25)

    def test_every_place_and_sign(self):
        seen = {(case.place, case.sign) for case in self.cases}
        self.assertEqual(seen, set(itertools.product(PLACES, SIGNS)))
        self.assertEqual({case.around for case in self.cases}, set(AROUND))

    def test_a_miss_is_noticed(self):
        case = next(case for case in self.cases if case.whole)
        self.assertTrue(passes(case, Reading(b"59 0 0")))
        self.assertFalse(passes(case, Reading(b"59 0 1")))
        self.assertFalse(passes(case, Reading(b"60 60 0")))

    def test_deterministic(self):
        self.assertEqual(cases(50), cases(COUNT)[:50])


@unittest.skipUnless(daemon.ROOT, "an MTA starts as root only")
class Delivered(unittest.TestCase):
    """Whoever an MTA delivers to is counted, or the header is malformed."""

    def check(self, mta):
        chosen = cases(MTA_COUNT[mta], SEED + 1)
        wrong, asked = missed(mta, chosen)
        # Sendmail takes no address of most lists with semicolons.
        self.assertGreater(asked, len(chosen) // 8, "so few lists were delivered to anybody")
        self.assertEqual([(len(found), reading.count, case.text[:200]) for case, reading, found in wrong][:5], [], "%d of %d" % (len(wrong), len(chosen)))

    def test_postfix(self):
        self.check("postfix")

    def test_sendmail(self):
        self.check("sendmail")


def report(count, seed, mta_count):
    """The full run.  Gives whether all is well."""
    table, bad, step = collections.defaultdict(collections.Counter), [], 5000
    generator = _items(random.Random(seed))
    for first in range(0, count, step):
        some = list(itertools.islice(generator, min(step, count - first)))
        for case, reading in zip(some, read([case.text for case in some]), strict=True):
            for name in (case.sign, case.place, "all", "all that a reader takes for sixty" if case.whole else "all others"):
                table[name][outcome(reading)] += 1
            if passes(case, reading):
                bad.append("%d counted: %r" % (reading.count, case.text[:200]))
    print("%d lists of sixty, seed %d: how they are counted" % (count, seed))
    print("%-36s" % "" + "".join("%22s" % name for name in OUTCOMES))
    for name in itertools.chain(SIGNS, PLACES, ("all that a reader takes for sixty", "all others", "all")):
        print("%-36s" % name + "".join("%22d" % table[name][kind] for kind in OUTCOMES))
    print("passed as fewer, of those that a reader takes for sixty: %d" % len(bad))
    for mta in ASK if mta_count else ():
        wrong, asked = missed(mta, cases(mta_count, seed + 1))
        print("%s: %d lists, %d delivered to somebody, %d to more than are counted" % (mta, mta_count, asked, len(wrong)))
        bad += ["%s delivers to %d, %d counted: %r" % (mta, len(found), reading.count, case.text[:200]) for case, reading, found in wrong]
    for text in bad[:20]:
        print(text)
    return not bad


if __name__ == "__main__":
    surroundings.enter()
    if any(argument.startswith("-") for argument in sys.argv[1:]):
        arguments = argparse.ArgumentParser(description="The full run.")
        arguments.add_argument("-n", type=int, default=100000)
        arguments.add_argument("-s", type=int, default=SEED)
        arguments.add_argument("-m", type=int, default=1000)
        options = arguments.parse_args()
        sys.exit(0 if report(options.n, options.s, options.m) else 1)
    tap.main(120)
