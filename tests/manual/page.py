"""Reads a manual page: what its macros mark, its items, its displays.

`mandoc -T tree` says what mandoc understood, so that a word counts as marked
only where a reader sees it marked.  Displays, and the comments that say what
they are, come from the source.
"""

import os
import re
import subprocess
import unittest

import daemon

PAGES = {
    "rcptguard(1)": "policy/rcptguard/rcptguard.1",
    "rcptguard-policy(5)": "policy/rcptguard/rcptguard-policy.5",
    "rcptguard.conf(5)": "milter/common/rcptguard.conf.5",
    "rcptguard-fleet(7)": "milter/fleet/rcptguard-fleet.7",
    "rcptguard-web(7)": "packaging/web/rcptguard-web.7",
    "rcptguardd(8)": "milter/daemon/rcptguardd.8",
    "rcptguardq(8)": "milter/rcptguardq/rcptguardq.8",
}

_NODE = re.compile(r"^( *)(.*) \((text|elem|block|head|body|tail|comment|root|eqn|tbl)\)(?: .*)?$")
_ESCAPES = {r"\e": "\\", r"\&": "", r"\(dq": '"', r"\-": "-"}


def path(name):
    return os.path.join(daemon.SOURCE, PAGES[name])


def read(name):
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def plain(text):
    """Text without the escapes of roff that our pages use; another one is an error."""
    def one(match):
        if match.group() not in _ESCAPES:
            raise AssertionError("an escape that the tests do not know: %s" % match.group())
        return _ESCAPES[match.group()]
    return re.sub(r"\\(?:\(..|.)", one, text.replace("\\\\&", ""))


def mandoc(*arguments):
    """(exit code, output) of mandoc.  Without mandoc a test fails: what cannot be read is not proved."""
    try:
        done = subprocess.run(["mandoc", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=daemon.LIMIT)
    except FileNotFoundError:
        raise AssertionError("mandoc is missing; install the package mandoc") from None
    return done.returncode, done.stdout.decode("utf-8", "replace")


class Node:
    def __init__(self, kind, name):
        self.kind = kind
        self.name = name
        self.children = []

    def text(self):
        if self.kind == "text":
            return plain(self.name)
        return " ".join(child.text() for child in self.children if child.kind != "comment")

    def find(self, name, kind=None):
        """All nodes below with this macro, in order."""
        for child in self.children:
            if child.kind != "text" and child.name.split(" ")[0] == name and kind in (None, child.kind):
                yield child
            yield from child.find(name, kind)

    def part(self, kind):
        return next(child for child in self.children if child.kind == kind)


def tree(name):
    """The page as a tree of nodes."""
    code, output = mandoc("-T", "tree", path(name))
    # 3: there is a warning; that is what the lint test is for.
    assert code <= 3 and "Sh (block)" in output, output
    root = Node("root", "")
    above = [(-1, root)]
    # mandoc's own bytes for a hyphen where a line may break, and for a blank where it may not
    output = output.replace("\x1e", "-").replace("\x1f", " ")
    for line in output.split("\n\n", 1)[1].split("\n"):
        if not line:
            continue
        match = _NODE.match(line)
        assert match, "a line of mandoc's tree that the tests do not know: %r" % line
        kind = match.group(3)
        # A text that begins with blanks (in displays) would seem to be deeper; nothing is ever below a text.
        depth = len(match.group(1))
        while above[-1][0] >= depth:
            above.pop()
        node = Node(kind, match.group(2))
        above[-1][1].children.append(node)
        if kind not in ("text", "comment"):
            above.append((depth, node))
    return root


def marked(node, macro):
    """The words that a macro marks: {word}."""
    words = set()
    for element in node.find(macro, "elem"):
        for child in element.children:
            words.update(child.text().split())
    return words


def section(node, title, macro="Sh"):
    for block in node.find(macro, "block"):
        if block.part("head").text() == title:
            return block.part("body")
    raise AssertionError("there is no section %s" % title)


def items(node):
    """(head, body) of the items of every list in a node, but for lists within lists."""
    for child in node.children:
        if child.kind == "block" and child.name.split(" ")[0] == "It":
            yield child.part("head"), child.part("body")
        elif child.kind != "text":
            yield from items(child)


class Display:
    """What stands between .Bd and .Ed, and the words of the `example:` comment before it."""

    def __init__(self, page, line, words, text):
        self.page = page
        self.line = line
        self.kind = words[0] if words else None
        self.name = words[1] if len(words) > 1 else None
        self.text = text

    def __str__(self):
        return "%s line %d" % (PAGES[self.page], self.line)


def displays(name):
    found = []
    words = []
    lines = read(name).splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        if start is not None:
            if line == ".Ed":
                text = "".join(plain(one) + "\n" for one in lines[start:number - 1])
                found.append(Display(name, start, words, text))
                start = None
                words = []
        elif line.startswith(".Bd "):
            start = number
        elif line.startswith('.\\" example: '):
            words = line.split()[2:]
    return found


class PageCase(unittest.TestCase):
    PAGE = None

    @classmethod
    def setUpClass(cls):
        cls.tree = tree(cls.PAGE)

    def assertSame(self, manual, code, what):
        """Both directions at once, with words that tell which side is to be mended."""
        missing, extra = set(code) - set(manual), set(manual) - set(code)
        trouble = []
        if missing:
            trouble.append("%s lacks %s" % (self.PAGE, ", ".join(sorted(missing))))
        if extra:
            trouble.append("the code lacks %s" % ", ".join(sorted(extra)))
        self.assertTrue(set(code), "the code has no %s: is the test blind?" % what)
        if trouble:
            self.fail("%s: %s" % (what, "; ".join(trouble)))
