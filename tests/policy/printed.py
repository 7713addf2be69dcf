"""`rcptguard print`: its text is a policy that means the same, for every policy of the tests, the examples and the manuals.

That the digests are equal would not be enough: a digest is taken over that very
text, so what `print` forgot would be forgotten on both sides.  So the policy as
written and as printed are also read by the small reader here, and judge the same
messages.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import language
import policies
import tap

SOURCE = pathlib.Path(os.environ.get("top_srcdir") or pathlib.Path(__file__).resolve().parents[2])
PROGRAM = pathlib.Path(os.environ.get("top_builddir") or SOURCE) / "rcptguard"
sys.path.append(str(SOURCE / "tests" / "manual"))

import page  # noqa: E402

# ---- a reader of the language: what a policy says, without how it is laid out

STATEMENTS = {"version", "class", "outbound", "contact", "expect", "rule", "default"}
ACTIONS = {"accept", "tag", "quarantine", "reject", "tempfail"}
COUNTS = {"visible", "parties", "domains", "recipients", "hidden", "header"}


def is_statement(token):
    return token in STATEMENTS or str(token).startswith("remember ")


class Reader:
    def __init__(self, text):
        self.tokens = []
        for kind, word, _at in language.tokens(text):
            if kind == "duration" and self.tokens[-1] == "remember":  # a statement; a class has no duration after it
                self.tokens[-1] += " " + word
            elif kind != "comment":
                self.tokens.append(language.value(kind, word))
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *wanted):
        token = self.peek()
        assert not wanted or token in wanted, "%r instead of %r" % (token, wanted)
        self.at += 1
        return token

    def until(self, stop):
        """The tokens up to one that `stop` wants, which stays."""
        start = self.at
        while self.peek() is not None and not stop(self.peek()):
            self.at += 1
        return self.tokens[start:self.at]

    def policy(self):
        """{statement: what each of its kind says, in order}"""
        found = {}
        while self.peek() is not None:
            if str(self.peek()).startswith("remember "):
                found["remember"] = self.take()
                continue
            word = self.take(*STATEMENTS)
            found.setdefault(word, []).append(getattr(self, "read_" + word)())
        return found

    def read_version(self):
        return self.take()

    read_contact = read_version

    def read_class(self):
        name, items, marks = self.take(), [], set()
        self.take("{")
        while self.peek() != "}":
            word = self.take("domain", "match", "domains", "individuals", "separate")
            if word in ("individuals", "separate"):
                marks.add(word)
                continue
            if word == "domains":
                self.take("from")
            items.append((word, self.take()))
            while self.peek() == ",":
                self.take()
                items.append((word, self.take()))
        self.take("}")
        return name, items, sorted(marks)

    def read_outbound(self):
        self.take("when")
        return self.expression()

    def read_expect(self):
        said = []
        while self.peek() == "not" or (self.peek() == "outbound" and said in ([], ["not"])):
            said.append(self.take())
        said += self.until(is_statement)
        if "outbound" in said[:2]:  # the order of its facts says nothing
            facts, rest = [], said[said.index("outbound") + 1:]
            while rest:
                size = 1 if rest[0] == "local" else 2
                facts.append(tuple(rest[:size]))
                rest = rest[size:]
            return said[:said.index("outbound") + 1], sorted(facts)
        joined = []
        for token in said:  # `1 of` is the same as nothing
            if token == "of" and joined[-1] == 1:
                joined.pop()
            else:
                joined.append(token)
        return joined

    def read_rule(self):
        head = self.until(lambda token: token == "{")
        self.take("{")
        monitor = self.peek() == "monitor"
        if monitor:
            self.take()
        self.take("when")
        expression = self.expression()
        action = self.action(self.until(lambda token: token == "}"))
        self.take("}")
        return head, monitor, expression, action

    def read_default(self):
        return self.action(self.until(is_statement))

    @staticmethod
    def action(said):
        at = next((i for i in range(len(said)) if said[i:i + 2] == ["approvals", 1]), len(said))
        return said[:at] + said[at + 2:]  # every release needs one

    def expression(self):
        parts, word = [self.term()], None
        while self.peek() in ("and", "or"):
            word = self.take(word or self.peek())
            parts.append(self.term())
        return parts[0] if word is None else (word, parts)

    def term(self):
        if self.peek() == "not":
            self.take()
            return "not", self.term()
        if self.peek() == "(":
            self.take()
            inner = self.expression()
            self.take(")")
            return inner
        said = [self.take()]
        if said[0] in COUNTS:
            said += self.until(lambda token: token == ")") + [self.take()]
        return said + self.until(lambda token: token in ("and", "or", ")", "}") or token in ACTIONS or is_statement(token))


# ---- the policies

def everything():
    """(name, folder, file name): every policy that loads."""
    found = []
    for folder in "tests/policy/good", "tests/policy/odd", "tests/verdict", "packaging/examples", "tests/fuzz/seeds/policy":
        found += [("%s/%s" % (folder, path.name), path.parent, path.name) for path in sorted((SOURCE / folder).rglob("*")) if path.is_file() and language.is_policy(path)]
    return found


def manual_files(name):
    """{file: text} of the policies that a manual page shows, and of the files that they name."""
    found = {}
    for number, display in enumerate(page.displays(name)):
        if display.kind in ("file", "policy"):
            found[display.name if display.kind == "file" else "policy-%d" % number] = display.text
    return found


MESSAGES = [
    policies.people(3) + policies.private(2) + ["boss@me.example", "a@corp.example"],
    policies.people(60, "c", "mail{n}.example") + ["ann@corp.example", "b@mail.corp.example", "c@gmail.com", "d@partner.example"],
    ["a@x.example", "b@me.example"],
    policies.colleagues(30) + ["x@free1.test", "y@x.example"],
    [],
]
SENDERS = [("care@me.example", []), ("clinic@corp.example", ["--user", "newsletter", "--client", "10.1.2.3", "--listener", "ORIGINATING"]),
           ("ann@x.example", ["--local"])]


class Printed(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rcptguard-printed-")
        self.addCleanup(shutil.rmtree, self.folder)

    def run_tool(self, folder, *arguments):
        env = dict(os.environ, LC_ALL="C.UTF-8", LSAN_OPTIONS="suppressions=%s:print_suppressions=0:exitcode=99" % (SOURCE / "tests" / "lsan.supp"), ASAN_OPTIONS="exitcode=99")
        return subprocess.run([str(PROGRAM), *arguments], cwd=folder, env=env, capture_output=True, timeout=60 * tap.SLOWNESS)

    def print_json(self, folder, name):
        done = self.run_tool(folder, "print", "--json", "-p", name)
        if done.returncode == 1:
            return None
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return json.loads(done.stdout)

    def verdicts(self, folder, name):
        """All that is said of the messages, without the lines, which are others in the printed text."""
        for number, people in enumerate(MESSAGES):
            text = "From: care@me.example\nTo: %s\nSubject: a test\nList-Id: <list.me.example>\nX-Two: one\n\n" % policies.folded(people)
            (pathlib.Path(folder) / ("m%d" % number)).write_text(text)
        said = []
        for sender, options in SENDERS:
            done = self.run_tool(folder, "explain", "--json", "-p", name, "--time", "2027-06-30T12:00:00Z", "--sender", sender, *options,
                                 *("m%d" % number for number in range(len(MESSAGES))))
            self.assertEqual(done.returncode, 0, done.stderr)
            for one in map(json.loads, done.stdout.splitlines()):
                del one["line"]
                for counted in one["rules"] + (one["state"] or {"windows": []})["windows"]:
                    del counted["line"]
                said.append(one)
        return said

    def check(self, folder, name):
        """Whether it loads; if so, all of it."""
        first = self.print_json(folder, name)
        if first is None:
            return False
        again = pathlib.Path(folder) / "printed-again"  # beside its tables
        again.write_text(first["policy"])
        self.assertEqual(self.print_json(folder, again.name), first)
        self.assertEqual(self.run_tool(folder, "print", "-p", name).stdout.decode(), first["policy"])
        written = (pathlib.Path(folder) / name).read_text()
        self.assertEqual(Reader(first["policy"]).policy(), Reader(written).policy())
        self.assertEqual(self.verdicts(folder, again.name), self.verdicts(folder, name))
        return True

    def copy(self, folder):
        copy = os.path.join(self.folder, "copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        os.chmod(copy, 0o755)
        return copy

    def test_every_policy(self):
        """of the tests and of the examples: the same text, digest, statements and verdicts"""
        loaded = 0
        for name, folder, file in everything():
            with self.subTest(name):
                good = self.check(self.copy(folder), file)
                self.assertTrue(good or "/fuzz/" in name, "does not load")
                loaded += good
        self.assertGreater(loaded, 20)

    def test_manuals(self):
        """of the manual pages"""
        loaded = 0
        for name in "rcptguard(1)", "rcptguard-policy(5)":
            folder = tempfile.mkdtemp(dir=self.folder)
            files = manual_files(name)
            for file, text in files.items():
                pathlib.Path(folder, file).write_text(text)
            for file, text in files.items():
                if text.startswith("version"):
                    with self.subTest("%s %s" % (name, file)):
                        self.assertTrue(self.check(folder, file), "does not load")
                        loaded += 1
        self.assertGreater(loaded, 4)

    def test_what_is_dropped_is_missed(self):
        """without any one line of it, a policy has another digest or does not load"""
        folder = self.copy(SOURCE / "tests" / "policy" / "good")
        for path in sorted((SOURCE / "tests" / "policy" / "good").glob("*.canon")):
            lines = path.read_text().splitlines(keepends=True)
            digest = self.print_json(folder, path.name)["digest"]
            for number, line in enumerate(lines):
                if line == "\n":
                    continue
                pathlib.Path(folder, "less").write_text("".join(lines[:number] + lines[number + 1:]))
                less = self.print_json(folder, "less")
                with self.subTest("%s without %r" % (path.name, line)):
                    self.assertNotEqual(less and less["digest"], digest)

    def test_tables_are_in_the_digest(self):
        folder = self.copy(SOURCE / "tests" / "policy" / "good")
        for table, policy in ("freemail.domains", "classes.policy"), ("senders", "expressions.policy"):
            before = self.print_json(folder, policy)
            with open(os.path.join(folder, table), "a", encoding="utf-8") as file:
                file.write("one.more.example\n")
            after = self.print_json(folder, policy)
            self.assertEqual(before["policy"], after["policy"])
            self.assertNotEqual(before["digest"], after["digest"])


if __name__ == "__main__":
    tap.main(limit=180)
