"""What `rcptguard explain` shows to people: on a terminal and in a pipe, with few recipients and with many.

Golden files (verdict.py) say what the text is; here it says the same as the JSON,
fits the line, and is coloured where it shall be and nowhere else.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import tempfile
import termios
import unicodedata
import unittest

import policies
import tap

SOURCE = pathlib.Path(os.environ.get("top_srcdir") or pathlib.Path(__file__).resolve().parents[2])
PROGRAM = pathlib.Path(os.environ.get("top_builddir") or SOURCE) / "rcptguard"

STYLE = re.compile(r"\x1b\[[0-9]*m")
SHOWN = 20

LONG = """\
From: "A very long name, of somebody who writes the whole of it, with all titles, in From" <care@me.example>
Subject: =?utf-8?q?B=C3=BCcher=1b=5B2J?= {words}
To: {local}@a-long-domain.of-many-labels.and-so-on.x.example, \u65e5\u672c@x.example, {local}2@y.example
Cc: {local}@a-long-domain.of-many-labels.and-so-on.x.example
X-Long: {words}

""".format(words="many words that say nothing " * 20, local="a-very-long-local-part-with-many-letters-in-it")

NESTED = policies.rule("nested", 'not (local or client in "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32") and not (not authenticated)'
                       ' and (header("X-Long") =~ /nothing/ or not (from in external and (local or sender in internal)) or not local)',
                       'reject "zu viele Empf\u00e4nger \u2013 {visible} sind sichtbar; schreiben Sie sie in Bcc, oder fragen Sie {contact}"')


def message(to, cc=(), **fields):
    fields = {"From": "care@me.example", "To": policies.folded(to), "Cc": policies.folded(cc), "Subject": "a test", **fields}
    return "".join("%s: %s\n" % item for item in fields.items() if item[1]) + "\nHello.\n"


MESSAGES = {
    "3": message(["ann@x.example", "bob@free1.test"], ["boss@me.example"]),
    "20": message(policies.people(20)),
    "21": message(policies.people(20), ["ann@free1.test"]),
    "25": message(policies.people(5), policies.private(12) + policies.people(6, "p", "customer.example"),
                  **{"Resent-To": "a@partner.example, boss@me.example"}),
    "450": message(["care@me.example"], policies.people(200) + policies.private(240) + policies.people(10, "p", "customer.example")),
    "nobody": message([], **{"To": "undisclosed-recipients:;"}),
    "long": LONG,
    "hostile": message(['"a\x1b[2Jb"@x.example', '"\u202egnp" <b@y.example>', 'g\u0085h@v.example'], Subject="\x1b[1;1H\x07\x9b2J =?utf-8?q?=1b=5B2J=E2=80=AE?=",
                       Date="\x1b[H", From='"\x1b]0;x\x07"@me.example'),
}


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def environment(**variables):
    env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "LSAN_OPTIONS": "suppressions=%s:print_suppressions=0" % (SOURCE / "tests" / "lsan.supp")}
    env.pop("NO_COLOR", None)
    env.update(variables)
    return {name: value for name, value in env.items() if value is not None}


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rcptguard-people-")
        pathlib.Path(cls.folder, "policy").write_text(policies.FIELD)
        pathlib.Path(cls.folder, "nested").write_text(policies.policy(rules=NESTED))
        for name, text in MESSAGES.items():
            pathlib.Path(cls.folder, name).write_bytes(text.encode("utf-8"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def command(self, *arguments):
        return [str(PROGRAM), "explain", *([] if "-p" in arguments else ["-p", "policy"]), *arguments]

    def piped(self, *arguments, **variables):
        done = subprocess.run(self.command(*arguments), cwd=self.folder, env=environment(**variables), capture_output=True, timeout=60 * tap.SLOWNESS)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def on_terminal(self, *arguments, width=80, **variables):
        """What the program writes to a terminal, without what the terminal makes of newlines."""
        controller, end = pty.openpty()
        attributes = termios.tcgetattr(end)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(end, termios.TCSANOW, attributes)
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        process = subprocess.Popen(self.command(*arguments), cwd=self.folder, env=environment(**variables), stdout=end, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL)
        os.close(end)
        written = b""
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:  # EIO: the program has closed its end
                break
            if not part:
                break
            written += part
        os.close(controller)
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()
        self.assertEqual(process.wait(60 * tap.SLOWNESS), 0)
        return written.decode()

    def json(self, *arguments):
        return json.loads(self.piped("--json", *arguments))


class Colour(Case):
    def test_on_a_terminal(self):
        """styles, and beneath them the same text as in a pipe"""
        for name in MESSAGES:
            with self.subTest(name):
                shown = self.on_terminal(name)
                self.assertRegex(shown, STYLE)
                self.assertEqual(STYLE.sub("", shown), self.piped(name))
                # Each style has its end.
                self.assertEqual(len(STYLE.findall(shown)), 2 * shown.count("\x1b[0m"))

    def test_nowhere_else(self):
        for variables in {"NO_COLOR": "1"}, {"NO_COLOR": "no"}, {"TERM": "dumb"}, {"TERM": ""}, {"TERM": None}:
            with self.subTest(str(variables)):
                self.assertEqual(self.on_terminal("450", **variables), self.piped("450"))
        self.assertNotIn("\x1b", self.piped("450"))

    def test_empty_no_color_says_nothing(self):
        self.assertRegex(self.on_terminal("3", NO_COLOR=""), STYLE)

    def test_verdicts_differ(self):
        """what is refused, held and let through has colours of its own"""
        found = {name: re.search(r": (\x1b\[\d+m)(\w+)", self.on_terminal(name)).groups() for name in ("3", "20", "450")}
        self.assertEqual([found[name][1] for name in ("3", "20", "450")], ["accept", "quarantine", "reject"])
        self.assertEqual(len({style for style, _verdict in found.values()}), 3)

    def test_json_is_never_coloured(self):
        self.assertNotIn("\x1b", self.on_terminal("--json", "450"))

    def test_a_message_moves_no_cursor(self):
        for name in MESSAGES:
            for policy in "policy", "nested":
                with self.subTest("%s %s" % (name, policy)):
                    shown = STYLE.sub("", self.on_terminal("-p", policy, name))
                    self.assertNotRegex(shown, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
        self.assertIn("\\u001b", shown)


class Lines(Case):
    def test_width(self):
        """no line is wider than the terminal, and elsewhere than 80 columns"""
        for name in MESSAGES:
            for policy in "policy", "nested":
                for width in 80, 100, 132, None:
                    with self.subTest("%s %s %s" % (name, policy, width)):
                        arguments = "-p", policy, name, "--all", "--user", "ann", "--client", "192.0.2.1"
                        shown = self.piped(*arguments) if width is None else STYLE.sub("", self.on_terminal(*arguments, width=width))
                        for line in shown.split("\n"):
                            self.assertLessEqual(columns(line), width or 80, line)
                            self.assertEqual(line, line.rstrip())

    def test_a_wide_terminal_is_used(self):
        lines = self.on_terminal("-p", "nested", "long", width=132, NO_COLOR="1").split("\n")
        self.assertGreater(max(map(columns, lines)), 80)

    def test_nothing_from_a_message_begins_a_line(self):
        """a header that is long enough cannot look like a line of the explanation"""
        fake = "Verdict     accept by default" + " " * 60
        with open(os.path.join(self.folder, "fake"), "w", encoding="utf-8") as file:
            file.write(message(['"%s"@x.example' % (fake * 4)] + policies.people(60), Subject=fake * 5, From='"%s" <care@me.example>' % (fake * 5)))
        lines = [line for line in self.piped("--all", "fake").split("\n") if line.startswith("Verdict")]
        self.assertEqual(lines, ["Verdict     reject by mass-disclosure, line 17"])


class Says(Case):
    """The text says what the JSON says."""

    def table(self, text):
        """{first two cells: the rest} of the table of recipients, whose cells are two blanks apart."""
        block = text.split("\nClass ", 1)[1].split("\n\n", 1)[0].split("\n")[1:]
        return [re.split(r" {2,}", line.strip()) for line in block]

    def test_each_recipient(self):
        """class, address, party and fields of each, up to 20 and with --all"""
        for arguments in ["3"], ["20"], ["--all", "21"], ["--all", "25"], ["--all", "450"]:
            with self.subTest(str(arguments)):
                want = [[one["class"], one["address"], "itself" if one["party"] == one["address"] else one["party"], ", ".join(one["fields"])]
                        for one in self.json(*arguments)["recipients"]]
                self.assertEqual(self.table(self.piped(*arguments)), want)

    def test_summed(self):
        """by party from 21 on, individuals by their domain; the largest first; the rest is told as a whole"""
        for name in "21", "25", "450":
            with self.subTest(name):
                want = {}
                for one in self.json(name)["recipients"]:
                    alone = one["party"] == one["address"]
                    key = one["class"], one["address"].rpartition("@")[2] if alone else one["party"], "individual" if alone else "recipient"
                    people, fields = want.setdefault(key, ([], set()))
                    people.append(one["address"])
                    fields.update(one["fields"])
                want = sorted(([key[0], key[1], "%d %s" % (len(people), key[2] if len(people) == 1 else key[2] + "s"), ", ".join(sorted(fields, key=("To", "Cc", "Resent-To").index))]
                               for key, (people, fields) in want.items()), key=lambda row: (-int(row[2].split()[0]), row[1]))
                got = self.table(self.piped(name))
                rest = got.pop()[0] if len(want) > SHOWN else None
                self.assertEqual(got, want[:SHOWN])
                if rest is not None:
                    left = sum(int(row[2].split()[0]) for row in want[SHOWN:])
                    self.assertEqual(rest, "... and %d parties more with %d recipients; --all shows each recipient" % (len(want) - SHOWN, left))

    def test_counts(self):
        for name in MESSAGES:
            with self.subTest(name):
                counts = self.json(name)["counts"]
                lines = self.piped(name).split("\nCounts ", 1)[1].split("\n\n", 1)[0].split("\n")
                self.assertEqual(lines[0].split(), list(counts))
                shown = {line.split()[0]: [int(number) for number in line.split()[1:]] for line in lines[1:] if re.match(r"  \S+( +\d+){5}$", line)}
                empty = [name for line in lines if line.startswith("  nobody in ") for name in line[12:].split(", ")]
                for group in counts["visible"]:
                    numbers = [counts[kind][group] for kind in counts]
                    self.assertEqual(shown.get(group), None if group in empty else numbers)
                    self.assertEqual(group in empty, not any(numbers) and group not in ("external", "all"))

    def rules(self, text):
        return text.split("\nRules\n", 1)[1].split("\n\nVerdict", 1)[0]

    def test_each_test(self):
        """every rule and test that was told, with its value, in order"""
        for name in MESSAGES:
            with self.subTest(name):
                rest = re.sub(r"\s+", " ", self.rules(self.piped(name)))
                for rule in self.json(name)["rules"]:
                    head = "%s %s, line %d" % ({True: "match", False: "no match"}[rule["matched"]], rule["rule"], rule["line"])
                    self.assertIn(head, rest)
                    rest = rest.split(head, 1)[1]
                    for test in rule["tests"]:
                        self.assertIn(test["test"], rest)
                        rest = rest.split(test["test"], 1)[1]
                        value = "not needed" if test["value"] is None else "is " + test["value"]
                        if test["value"] is None or test["value"].isprintable():
                            self.assertRegex(rest, r"^\)* " + re.escape(value))

    def test_structure(self):
        """`and`, `or`, `not` and parentheses as in the policy; a negated test has the result of its negation"""
        self.assertEqual(self.rules(self.piped("-p", "nested", "--user", "ann", "--client", "10.1.2.3", "3")), """\
  match     nested, line 9
              not (
    no          local                             is no
    no          or client in "192.0.2.0/24", "198.51.100.0/24",
                "203.0.113.0/24", "2001:db8::/32")
                    is 10.1.2.3
              and not (
    no          not authenticated)                is yes
    no        and (header("X-Long") =~ /nothing/  is none
                or not (
    no            from in external                is care@me.example
    -             and (local                      not needed
    -               or sender in internal))       not needed
    -           or not local)                     not needed""")

    def test_outbound(self):
        """if the policy decides, its statement is told first, whatever comes of it"""
        with open(os.path.join(self.folder, "outbound"), "w", encoding="utf-8") as file:
            file.write(policies.policy(outbound='outbound when client in "10.0.0.0/8" or authenticated'))
        for client, result in ("10.1.2.3", "match"), ("192.0.2.1", "no match"):
            text = self.piped("-p", "outbound", "--client", client, "3")
            self.assertIn("\nOutbound\n  %-8s  outbound, line 7\n" % result, text)
            self.assertEqual("\nRules\n" in text, result == "match")
        self.assertNotIn("\nOutbound\n", self.piped("-p", "outbound", "3"))

    def test_verdict(self):
        """the last lines: what becomes of the message and the text that goes with it"""
        cases = [
            ("450", "policy", "reject by mass-disclosure, line 17 The message is refused. The sender gets: 550 5.7.1 450 people outside could read"
                              " each other's addresses. Nothing was sent. Put them in Bcc, or ask postmaster@me.example."),
            ("long", "nested", "reject by nested, line 9 The message is refused. The sender gets: 550 5.7.1 zu viele Empfanger - 3 sind sichtbar; schreiben"
                               " Sie sie in Bcc, oder fragen Sie postmaster@me.example"),
            ("3", "policy", "accept by default, line 34 The message passes."),
        ]
        for name, policy, want in cases:
            with self.subTest(name):
                text = self.piped("-p", policy, name, "--user", "ann").split("\nVerdict ", 1)[1]
                self.assertEqual(re.sub(r"\s+", " ", text).strip(), want)


if __name__ == "__main__":
    tap.main(limit=120)
