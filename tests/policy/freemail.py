"""packaging/examples/freemail.domains is what its head says: sorted, nothing twice, no public suffix.

`make check-freemail` runs it alone.
"""

import ctypes
import ctypes.util
import os
import re
import unittest

import daemon
import tap
import tool

LIST = os.path.join(daemon.SOURCE, "packaging", "examples", "freemail.domains")
NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")

# Of each part of the world, one that everybody there would miss.
KNOWN = """gmail.com hotmail.co.uk outlook.fr live.nl yahoo.co.jp yahoo.com.br aol.com icloud.com gmx.de gmx.net web.de t-online.de bluewin.ch orange.fr
    laposte.net libero.it virgilio.it telenet.be ziggo.nl btinternet.com sky.com virginmedia.com seznam.cz wp.pl onet.pl o2.pl interia.pl freemail.hu abv.bg
    mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com ukr.net naver.com daum.net qq.com 163.com 126.com sina.com docomo.ne.jp rediffmail.com uol.com.br
    bol.com.br terra.com.br proton.me protonmail.com tutanota.com fastmail.com zohomail.com comcast.net verizon.net att.net bigpond.com xtra.co.nz
    mweb.co.za walla.co.il maktoob.com""".split()


class Suffixes:
    """libpsl, as the program uses it."""

    def __init__(self):
        name = ctypes.util.find_library("psl")
        assert name, "libpsl is missing"
        self.psl = ctypes.CDLL(name)
        self.psl.psl_latest.restype = ctypes.c_void_p
        self.psl.psl_latest.argtypes = [ctypes.c_char_p]
        self.psl.psl_is_public_suffix.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        self.list = self.psl.psl_latest(None)
        assert self.list, "there is no Public Suffix List"

    def is_suffix(self, domain):
        return bool(self.psl.psl_is_public_suffix(self.list, domain.encode()))


def sections(text):
    """[(title, [(line number, item)])]: a section is a comment and what follows to the next empty line."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            if not found or found[-1][1] or found[-1][0] is None:
                found.append((line[1:].strip(), []))
        elif line:
            if not found:
                found.append((None, []))
            found[-1][1].append((number, line))
    return [(title, items) for title, items in found if items]


def problems(text, suffixes):
    """What is wrong, each with its line."""
    found = []
    seen = {}
    for _title, items in sections(text):
        before = ""
        for number, item in items:
            name = item[1:] if item.startswith(".") else item
            if item != item.lower():
                found.append("%d: %s is not in lower case" % (number, item))
            elif not NAME.fullmatch(name):
                found.append("%d: %s is no domain" % (number, item))
            elif suffixes.is_suffix(name):
                found.append("%d: %s is a public suffix" % (number, item))
            if name in seen:
                found.append("%d: %s is in line %d already" % (number, item, seen[name]))
            elif name < before:
                found.append("%d: %s stands behind %s" % (number, item, before))
            seen.setdefault(name, number)
            before = name
    covered = {item[1:] for _title, items in sections(text) for _number, item in items if item.startswith(".")}
    for name, number in seen.items():
        above = name.split(".")
        if any(".".join(above[start:]) in covered for start in range(1, len(above))):
            found.append("%d: %s is below a suffix that is in the list" % (number, name))
    return found


class Freemail(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with open(LIST, encoding="ascii") as file:
            cls.text = file.read()
        cls.suffixes = Suffixes()
        cls.names = {item for _title, items in sections(cls.text) for _number, item in items}

    def test_form(self):
        """sorted, lower case, nothing twice, no public suffix"""
        self.assertEqual(problems(self.text, self.suffixes), [])

    def test_each_mistake_is_found(self):
        """the checks can fail"""
        for text, problem in (("# A\nb.com\na.com\n", "3: a.com stands behind b.com"), ("# A\nb.com\nb.com\n", "3: b.com is in line 2 already"),
                              ("# A\na.com\n\n# B\na.com\n", "5: a.com is in line 2 already"), ("# A\na.com\n\n# B\n.a.com\n", "5: .a.com is in line 2 already"),
                              ("# A\nB.com\n", "2: B.com is not in lower case"), ("# A\na b.com\n", "2: a b.com is no domain"),
                              ("# A\ncom\n", "2: com is no domain"), ("# A\nco.uk\n", "2: co.uk is a public suffix"),
                              ("# A\n.blogspot.com\n", "2: .blogspot.com is a public suffix"), ("a.com # x\n", "1: a.com # x is no domain"),
                              ("# A\n.a.com\nb.a.com\n", "3: b.a.com is below a suffix that is in the list")):
            with self.subTest(text):
                self.assertEqual(problems(text, self.suffixes), [problem])

    def test_sections(self):
        """each domain stands in a section with a title, and no title twice"""
        titles = [title for title, _items in sections(self.text)]
        self.assertGreater(len(titles), 30)
        self.assertEqual([title for title in titles if not title], [])
        self.assertEqual(len(titles), len(set(titles)))

    def test_providers(self):
        """the large providers are in it"""
        self.assertGreater(len(self.names), 1500)
        self.assertEqual([name for name in KNOWN if name not in self.names], [])

    def test_rcptguard_reads_it(self):
        """a table of individuals: two mailboxes are two parties, and a look-alike is none of it"""
        policy = 'version 1\nclass internal { domain "corp.example" }\nclass freemail { domains from "freemail.domains" individuals }\n'
        policy += "".join('expect "%s" is freemail\n' % name.lstrip(".") for name in sorted(self.names))
        policy += 'expect "xgmail.com" is other\nexpect "gmail.com.example" is other\nexpect "x.gmail.com" is other\nexpect "user.plus.com" is freemail\n'
        policy += 'expect message from "a@corp.example" to "a@gmail.com", "b@gmail.com" gives reject by two\n'
        policy += 'rule two { when parties(external) >= 2 reject "x" }\ndefault accept\n'
        with tool.Folder({"policy": policy, "freemail.domains": self.text}) as folder:
            code, output, errors = folder.run("check", "--strict", "-p", "policy")
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("expectations that hold %d," % (len(self.names) + 5), output)


if __name__ == "__main__":
    tap.main()
