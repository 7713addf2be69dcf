"""The one pass over ordinary lists finds just what the long way finds: recipients, their order, defects, authors.

    one_pass.py                       the tests, as TAP, on a sample
    one_pass.py -n 1000000 [-s SEED]  the same on that many headers

Compared are, in turn: the headers of generate.py, of all classes; ordinary lists, as mail programs
write them; such lists with a few bytes put in, left out or doubled; and messages of several
such headers, of which one may change how the next is read.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import unittest

import daemon
import generate
import tap

SEED = 1
COUNT = 20000 if tap.SANITIZERS == "no" else 4000
READINGS = os.path.join(daemon.BUILD, "tests/differential/readings")

FIELDS = generate.VISIBLE + generate.HIDDEN
LOCALS = ["ann", "bob.lee", "first_last", "a+tag", "o'brien", "x-1", "UPPER", "bounce+ann=x.example", "r&d", "_old", "a--b", "end-"]
DOMAINS = ["x.example", "mail.y-z.example", "CORP.EXAMPLE", "a.b.c.example", "1and1.example", "x.co.uk"]
ODD_DOMAINS = ["localhost", "x.example.", "xn--bcher-kva.example", "[192.0.2.1]", "b\u00fccher.example", "-x.example", "a--b.example", "x_y.example"]
ATOMS = ["Ann", "Lee", "Q.", "J.R.", "O'Brien", "Sales-EU", "AT&T", "Yahoo!", "#1", "Dr.", "van", "-", "&", "/", "x_y", "N1", "$", "~", "St.Mary"]
QUOTED = ["Lee, Ann", "Lee, Ann (Sales)", "B. Bo", "A; B: C", "Ann \\\"The\\\" Lee", "", "(", ")", "[EXT] Ann", "x=y", "100%", "a!b", "a.b.c!ann", "tab\there", "back\\\\slash", "'Ann'", "=", "?=", "Ann\n Lee"]
PAYLOADS = ["J\u00f6rg", "M\u00fcller, J\u00f6rg", "\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432", "Ren\u00e9e (Paris)", "\u7530\u4e2d\uff08\u55b6\u696d\uff09", "plain", "a: b", "a; b", "x", "((a)b)", "\u20ac",
            "Zo\u00eb \U0001f600", "a!b.c", "100%", "[x]", "\u201eJ\u201c", "\uff0c\u3001", "'"]
ODD_PAYLOADS = ["a@b", "ann@x.example", "<ann@x.example>", '"', "a\\", "\uff20", "a\uff20x.example", "\uff1c", "\uff02", "\x00", "\x1b(B", "\n", "\ufe6b", "\uff3c", "(", ")", ")(", "a\uff08"]
WORD_SETS = ["utf-8", "utf-8", "utf-8", "utf8", "us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "koi8-r", "koi8-u"]
ODD_SETS = ["gb18030", "big5", "iso-2022-jp", "shift_jis", "euc-kr", "utf-16", "utf-7", "x-unknown", "utf-8*en", "windows-1256", "iso-8859-6"]


class Lists:
    """Makes ordinary lists; `odd`: how often a part is one that is not accepted, perhaps."""

    def __init__(self, rng):
        self.rng = rng
        self.odd = rng.choice([0, 0, 0, 0, 0.02, 0.1])
        self.newline = rng.choice(["\n", "\n", "\r\n"])
        self.few = rng.random() < 0.3  # addresses, so that some come again

    def chance(self, part):
        return self.rng.random() < part

    def pick(self, usual, odd=None):
        return self.rng.choice(odd if odd is not None and self.chance(self.odd) else usual)

    def blank(self):
        return self.pick([" ", " ", " ", "", "  ", "\t", self.newline + " ", self.newline + "\t", " " + self.newline + "  "])

    def gap(self):
        return self.blank() or " "

    def address(self):
        local = self.pick(LOCALS, ["a..b", ".a", "a.", '"a b"', "a b", "=?utf-8?q?a?=", "a%x.example", "x!ann", "'ann", "j\u00f6rg", "/ann", "a(c)"])
        return "%s%s@%s" % (local, "" if self.few else self.rng.randrange(50), self.pick(DOMAINS, ODD_DOMAINS))

    def word(self):
        text = self.pick(PAYLOADS, ODD_PAYLOADS)
        charset = self.pick(WORD_SETS, ODD_SETS)
        try:
            data = text.encode(charset.split("*")[0])
        except (LookupError, UnicodeError):
            data = text.encode()
        if self.chance(self.odd):
            data = data[:self.rng.randrange(len(data) + 1)]  # half a character
        if self.chance(self.odd):
            data += bytes([self.rng.randrange(256)])
        charset = self.pick([charset, charset.upper()])
        if self.chance(0.4):
            return "=?%s?%s?%s?=" % (charset, self.pick("bB"), generate.base64.b64encode(data).decode())
        safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/" + self.pick([b"", b".'&"], [b"(),", b"<@>", b'"', b" :;"])
        return "=?%s?%s?%s?=" % (charset, self.pick("qQ"), "".join("_" if c == 0x20 else chr(c) if c in safe else "=%02X" % c for c in data))

    def name(self):
        form = self.rng.randrange(10)
        if form < 4:
            return self.gap().join(self.pick(ATOMS, ["a@b", "(c)", "J\u00f6rg", "..", ".x", "a=b", "=?", "x;y", "[x]"]) for _ in range(self.rng.randrange(1, 4)))
        if form < 6:
            return '"%s"' % self.pick(QUOTED, ["a@b", "<x>", "=?utf-8?q?x?=", "a) [b]", "\\", '\\"', "J\u00f6rg", "a\\@b", ")[", "a\rb"])
        if form < 9:
            return self.gap().join(self.word() for _ in range(self.pick([1, 1, 2, 3])))
        return self.pick([self.gap()], [""]).join([self.name(), self.name()])

    def mailbox(self):
        form = self.rng.randrange(10)
        if form < 3:
            return self.address()
        if form < 4:
            return "<%s>" % self.address()
        return self.name() + self.blank() + "<%s>" % self.address() + self.pick([""], [" (Ann)", " Ann", ";", ">", "(", '"'])

    def separator(self):
        return self.pick(["", "", " "]) + self.pick([","], [";", ",,", "", ", ,"]) + self.blank()

    def item(self):
        if self.chance(0.06):
            members = self.separator().join(self.mailbox() for _ in range(self.rng.randrange(4)))
            return self.name() + self.blank() + ":" + self.blank() + members + self.blank() + self.pick([";"], ["", ";;", ",;"])
        return self.mailbox()

    def list(self):
        count = self.pick([1, 1, 2, 3, 5, 8, 20])
        text = self.blank() + self.separator().join(self.item() for _ in range(count)) + self.pick(["", "", self.blank()], [",", ";", " ()"])
        return text.encode("utf-8")

    def broken(self):
        """A list with a few bytes put in, left out or doubled."""
        data = bytearray(self.list())
        for _ in range(self.rng.randrange(1, 4)):
            at = self.rng.randrange(len(data) + 1)
            how = self.rng.randrange(4)
            if how == 0:
                data[at:at] = self.rng.choice(generate.JUNK).encode("utf-8", "surrogateescape")
            elif how == 1:
                data[at:at] = bytes([self.rng.choice(b"@<>()\"\\,;:=?. \t\n\r[]%!_-'+&") if self.chance(0.8) else self.rng.randrange(1, 256)])
            elif how == 2:
                del data[at:at + self.rng.randrange(1, 4)]
            else:
                data[at:at] = data[at:at + self.rng.randrange(1, 12)]
        return bytes(data)


def fields(number, seed):
    """The fields of one message, [("To", b"..."), ...]."""
    rng = random.Random("one pass %s:%d" % (seed, number))
    lists = Lists(rng)
    kind = number % 4
    if kind == 0:
        return generate.case(number // 4, seed).fields
    if kind == 1:
        return [(rng.choice(FIELDS), lists.list())]
    if kind == 2:
        return [(rng.choice(FIELDS), lists.broken())]
    several = [("From", lists.list() if rng.random() < 0.7 else lists.broken())]
    for _ in range(rng.randrange(1, 4)):
        value = lists.list() if rng.random() < 0.5 else lists.broken() if rng.random() < 0.5 else generate.case(rng.randrange(10 ** 6), seed).fields[0][1]
        several.append((rng.choice(FIELDS), value))
    return several


def lines(count, seed):
    """Messages of `count` recipient headers or a few more, as `readings --compare` reads them."""
    headers, number = 0, 0
    while headers < count:
        some = fields(number, seed)
        yield "%s %s\n" % ("PS"[number // 4 % 2], " ".join("%s:%s" % (name, value.hex()) for name, value in some))
        headers += sum(name != "From" for name, _ in some)
        number += 1


def compare(count, seed):
    """What the program says, and whether all are the same."""
    with subprocess.Popen([READINGS, "--compare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace", env=daemon.environment()) as process:
        # It writes little before its input ends, unless much is wrong.
        for line in lines(count, seed):
            process.stdin.write(line)
        output, _ = process.communicate()
        return output, process.returncode == 0


class OnePass(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.output, cls.same = compare(COUNT, SEED)

    def test_same(self):
        self.assertTrue(self.same, self.output[:4000])

    def test_many_are_read_so(self):
        """The comparison is of something: a good part of these headers is read in one pass."""
        headers, at_once = map(int, re.search(r"(\d+) headers, (\d+) in one pass", self.output).groups())
        self.assertGreaterEqual(headers, COUNT)
        self.assertGreater(at_once, headers // 4)
        self.assertLess(at_once, headers)

    def test_every_form(self):
        """Each form of an ordinary list is read in one pass."""
        for form in ("ann@x.example", "Ann Q. Lee <ann@x.example>", '"Lee, Ann" <ann@x.example>', "=?utf-8?q?J=C3=B6rg?= <ann@x.example>", "=?ISO-8859-1?Q?J=F6rg?= Lee <ann@x.example>",
                     "=?utf-8?b?SsO2cmc=?=\n =?utf-8?b?SsO2cmc=?= <ann@x.example>", "Team: ann@x.example, Bob <b@x.example>;", "undisclosed-recipients:;",
                     "ann@x.example,\n\tbob@x.example,\r\n c@y.example"):
            with self.subTest(form=form):
                done = subprocess.run([READINGS, "--compare"], input="P To:%s\n" % form.encode().hex(), stdout=subprocess.PIPE, text=True, check=True, env=daemon.environment())
                self.assertEqual(done.stdout, "1 headers, 1 in one pass, 0 messages read otherwise\n")


if __name__ == "__main__":
    if any(argument.startswith("-") for argument in sys.argv[1:]):
        arguments = argparse.ArgumentParser(description="The full comparison.")
        arguments.add_argument("-n", type=int, default=1000000)
        arguments.add_argument("-s", type=int, default=SEED)
        options = arguments.parse_args()
        text, fine = compare(options.n, options.s)
        print(text, end="")
        sys.exit(0 if fine else 1)
    tap.main(120)
