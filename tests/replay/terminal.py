"""`rcptguard replay` for people: in a pipe, and on a terminal that is narrow, wide, without colours."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios

import replaycase
import tap
import tool

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
BAR = "\u2591\u2592\u2593\u2588\u259a"


def bar(line):
    return sum(line.count(block) for block in BAR)


class Text(replaycase.ReplayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("replay")
        cls.text = case.replay("sent")
        cls.last = json.loads(case.replay("--json", "sent"))

    def part(self, title):
        """The lines below a title."""
        lines = self.text.split("\n")
        start = next(number for number, line in enumerate(lines) if line.startswith(title))
        end = lines.index("", start)
        return lines[start + 1:end]

    def test_head(self):
        self.assertRegex(self.text, r"\A1,500 messages, 2025-01-01 to 2026-11-28; policy policy, [0-9a-f]{12}\n\n")

    def test_rules(self):
        lines = self.part("   Messages     Share  Verdict")
        self.assertEqual(len(lines), len(self.last["rules"]))
        for line, rule in zip(lines, self.last["rules"]):
            self.assertEqual(line[:11].replace(",", "").strip(), str(rule["messages"]))
            self.assertTrue(line.endswith("%s, line %d" % (rule["rule"], rule["line"])), line)
            self.assertIn(("  would " if rule["monitor"] else "  ") + rule["verdict"], line)

    def test_senders(self):
        """the first ten, and the sum of the others"""
        lines = self.part("   Messages quarantine     reject  Sender")
        self.assertEqual(len(lines), 11)
        for line, sender in zip(lines[:10], self.last["senders"]):
            self.assertEqual(line.replace(",", "").split(), [str(sender["messages"]), str(sender["quarantine"]), str(sender["reject"]), sender["sender"]])
        rest = self.last["senders"][10:]
        self.assertEqual(lines[-1].replace(",", "").split(), [str(sum(each["messages"] for each in rest)), str(sum(each["quarantine"] for each in rest)),
                                                              str(sum(each["reject"] for each in rest)), "others"])

    def histogram(self, title, kind):
        lines = [line for line in self.part(title)[1:] if not line.startswith("  ---")]
        bins = self.last["spread"][kind]["bins"]
        self.assertEqual(len(lines), len(bins))
        for line, each in zip(lines, bins):
            number = "%d-%d" % (each["from"], each["to"]) if each["to"] > each["from"] else str(each["from"])
            self.assertEqual(line.replace(",", "").split()[:2], [number, str(each["messages"])])
            self.assertEqual(bar(line) > 0, each["messages"] > 0)
            self.assertLessEqual(len(line), 80)
            for block, name in zip(BAR, replaycase.DISPOSITIONS):
                self.assertEqual(block in line, each[name] > 0, "%s: %s" % (line, name))
        longest = max(range(len(bins)), key=lambda index: bins[index]["messages"])
        self.assertEqual(max(map(bar, lines)), bar(lines[longest]))
        self.assertEqual(len(lines[longest]), 80, "the longest bar fills the line")

    def test_histograms(self):
        self.histogram("Messages by parties outside", "parties")
        self.histogram("Messages by visible recipients outside", "visible")

    def test_thresholds_are_marked(self):
        """each between the bins that it parts"""
        lines = self.part("Messages by parties outside")
        marks = {int(line.split()[1].rstrip(":")): number for number, line in enumerate(lines) if line.startswith("  --- ")}
        self.assertEqual(list(marks), [2, 5, 10, 50])
        for threshold, number in marks.items():
            self.assertRegex(lines[number + 1], r"^ +%d[- ]" % threshold)
            self.assertNotRegex(lines[number - 1], r"^ +%d[- ]" % threshold)
        self.assertIn("  --- 10: wide, quarantine ---", "\n".join(lines))
        self.assertIn("  --- 5: trial, would quarantine ---", "\n".join(lines))

    def test_ladder(self):
        for title, kind, unit in (("If the number of parties alone", "parties", "parties"), ("If the number of recipients alone", "visible", "recipients")):
            lines = self.part(title)
            ladder = self.last["spread"][kind]["ladder"]
            self.assertEqual(len(lines), len(ladder))
            numbers = {each["number"] for each in self.last["thresholds"]}
            for line, rung in zip(lines, ladder):
                self.assertRegex(line, r"^[* ] at +%d %s you would have held %s of 1,500(, .*%%)?$" % (rung["at"], unit, format(rung["held"], ",")))
                self.assertEqual(line[0] == "*", rung["at"] in (numbers & ({2, 5, 10, 50} if kind == "parties" else {40})))

    def test_next_to_thresholds(self):
        for each in self.last["thresholds"]:
            lines = self.part("Next to `%s` of %s, line %d: " % (each["test"], each["rule"], each["line"]))
            places = [line for line in lines if re.match(r" +\d+  [a-z]+ by ", line)]
            near = each["below"][::-1] + each["above"]
            self.assertEqual(len(places), len(near))
            for line, message in zip(places, near):
                self.assertEqual(line.strip(), "%d  %s by %s: sent%s" % (message["value"], message["verdict"], message["rule"],
                                                                                   " [%d]" % message["index"] if message["index"] else ""))
            for message in near:
                self.assertIn("%s, %s: parties %d, visible %d," % (message["date"], message["sender"], message["counts"]["parties"],
                                                                    message["counts"]["visible"]), re.sub(r"\n +", " ", "\n".join(lines)))

    def test_individuals(self):
        """people at a provider are told as a number"""
        self.assertRegex(self.text, r"free\d\.example: \d+ individuals?\b")
        self.assertRegex(self.text, r"cust\d+\.example: \d")

    def test_plain(self):
        self.assertNotIn("\x1b", self.text)
        self.assertNotRegex(self.text, r"[ \t]\n")

    def test_lines_fit(self):
        self.assertEqual([line for line in self.text.split("\n") if len(line) > 80], [])


class Terminal(replaycase.ReplayCase):
    def on_terminal(self, *arguments, columns=80, environment=()):
        """(standard output, standard error), both terminals of their own."""
        ends = [pty.openpty(), pty.openpty()]
        for _controller, end in ends:
            fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = dict(tool.environment(), TERM="xterm")
        env.pop("NO_COLOR", None)
        env.update(environment)
        process = subprocess.Popen([tool.PROGRAM, "replay", "-p", "policy", *arguments], cwd=self.folder.path, env=env, stdin=subprocess.DEVNULL,
                                   stdout=ends[0][1], stderr=ends[1][1])
        for _controller, end in ends:
            os.close(end)
        found = read_all(*(controller for controller, _end in ends))
        self.assertEqual(process.wait(self.LIMIT), 0)
        return [text.decode().replace("\r\n", "\n") for text in found]

    def test_colours(self):
        """the same text, with colours"""
        output, _errors = self.on_terminal("sent")
        self.assertIn("\x1b[31m", output)
        self.assertEqual(ESCAPE.sub("", output), self.replay("sent"))

    def test_no_colours(self):
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            output, _errors = self.on_terminal("sent", environment=environment)
            self.assertEqual(output, self.replay("sent"))

    def test_widths(self):
        """nothing goes beyond the terminal, and bars fill it"""
        for columns in (40, 60, 132):
            with self.subTest(columns):
                output, _errors = self.on_terminal("sent", columns=columns)
                lines = ESCAPE.sub("", output).split("\n")
                bars = [line for line in lines if bar(line) > 2 and re.match(r" +\d", line)]
                self.assertEqual(max(map(len, bars)), columns)
                self.assertTrue([line for line in lines if re.match("  --- 10: wide.*---$", line) and len(line) == columns])

    def test_progress(self):
        """on a terminal a line says how far it is, and is taken away in the end"""
        controller, end = pty.openpty()
        process = self.start("--json", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=end)
        os.close(end)
        with open(self.path("sent"), "rb") as file:
            text = file.read()
        shown = b""
        while b" MB/s" not in shown:  # the alarm of the test is the limit
            process.stdin.write(text)
            if select.select([controller], [], [], 0)[0]:
                shown += os.read(controller, 65536)
        process.stdin.close()
        shown += read_all(controller)[0]
        with process.stdout:
            self.assertEqual(len(process.stdout.read().splitlines()), 1)
        self.assertEqual(process.wait(self.LIMIT), 0)
        self.assertRegex(shown.decode(), r"\r\d+ messages  \d+\.\d\d [kMG]B  \d+ MB/s")
        self.assertRegex(shown.decode(), r"\r *\r\Z")
        self.assertNotIn("\n", shown.decode())


def read_all(*controllers):
    """What comes from terminals until their other ends are closed; in the order of the arguments."""
    found = {controller: b"" for controller in controllers}
    left = set(controllers)
    while left:
        for controller in select.select(left, [], [])[0]:
            try:
                found[controller] += os.read(controller, 65536)
            except OSError:  # what Linux says at the end of a terminal
                left.remove(controller)
                os.close(controller)
    return [found[controller] for controller in controllers]


if __name__ == "__main__":
    tap.main()
