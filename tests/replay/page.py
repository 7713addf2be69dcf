"""The page that `rcptguard replay --html` writes: sound, complete, and safe whatever stands in the mail."""

import html.parser
import json
import os
import re

import mailbox
import replaycase
import tap

# HTML's elements without an end, and SVG's that stand here.
VOID = {"meta", "rect", "line", "polyline"}
ELEMENTS = VOID | {"html", "head", "title", "style", "body", "header", "section", "footer", "h1", "h2", "h3", "p", "div", "span", "ul", "li", "b", "bdi",
                   "code", "table", "thead", "tbody", "tr", "th", "td", "svg", "text"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "colspan", "role", "aria-label", "aria-hidden", "x", "y", "x1", "y1", "x2", "y2",
              "width", "height", "viewbox", "preserveaspectratio", "points", "text-anchor", "dx", "dy"}

HOSTILE = [
    "<script>alert(1)</script>@corp.example", "\"><img src=x onerror=alert(1)>@corp.example", "'onload='x@corp.example", "&lt;b&gt;@corp.example",
    "</td></table><h1>x@corp.example", "\u202egnp.exe@corp.example", "a\u2066b\u200b@corp.example", "a\x1b[2Jb@corp.example", "\u05d0\u05d1\u05d2@corp.example",
    "]]>--><!--@corp.example", "{{x}}@corp.example", "a\x7f\x01@corp.example",
]


class Page(html.parser.HTMLParser):
    """Reads a page and says what is wrong with it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.trouble = []
        self.seen = []
        self.texts = []
        self.rows = []
        self.feed(text)
        self.close()
        if self.open:
            self.trouble.append("not ended: %s" % self.open)

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ELEMENTS:
            self.trouble.append("element %s" % tag)
        for name, _value in attributes:
            if name not in ATTRIBUTES:
                self.trouble.append("attribute %s of %s" % (name, tag))
        if len({name for name, _value in attributes}) != len(attributes):
            self.trouble.append("an attribute twice: %s" % attributes)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.trouble.append("</%s> in %s" % (tag, self.open))
        else:
            self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    def handle_comment(self, data):
        self.trouble.append("comment %s" % data)

    def handle_pi(self, data):
        self.trouble.append("instruction %s" % data)

    @property
    def text(self):
        return "".join(self.texts)


class Sound(replaycase.ReplayCase):
    def check(self, text):
        page = Page(text)
        self.assertEqual(page.trouble, [])
        self.assertNotIn("script", page.seen)
        self.assertEqual(text.count("<!DOCTYPE html>"), 1)
        return page

    def test_well_formed(self):
        page = self.check(self.page("sent"))
        self.assertEqual(page.seen.count("svg") > 20, True)
        self.check(self.page("--against", "policy", "sent", policy="other"))
        self.check(self.page("--recipients", "sent"))

    def test_needs_nothing(self):
        """nothing is loaded, nothing runs, and the browser is told so"""
        text = self.page("sent")
        self.assertIn("default-src 'none'; style-src 'unsafe-inline'", text)
        self.assertNotRegex(text, r"(?i)https?:|//|\burl\(|@import|\bsrc=|\bhref=|javascript|\bon\w+=|<script|<link|<iframe|<object|<img")

    def test_for_phones_paper_and_the_dark(self):
        text = self.page("sent")
        for part in ('name="viewport" content="width=device-width', "@media print", "@media (max-width:", "prefers-color-scheme:dark", "@page"):
            self.assertIn(part, text)

    def test_hostile(self):
        """senders, files and domains that try to be markup are only text"""
        made = mailbox.messages(len(HOSTILE))
        for number, sender in enumerate(HOSTILE):
            text = made[number].text().replace("From: The sender <%s>" % made[number].sender, "From: \"%s\"@corp.example" %
                                               sender.split("@")[0].replace("\\", "").replace('"', '\\"'))
            text = re.sub(r"(?m)^To: .*(\n\t.*)*", 'To: %s' % ", ".join("p%d@x%d&'\u05d0 y" % (n, n) for n in range(12)), text)
            self.folder.write("hostile/<script>'\"&\u202e\x1b[2J%d" % number, text)
        for arguments in ([], ["--recipients"], ["--against", "other"]):
            text = self.page(*arguments, "hostile")
            page = self.check(text)
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
            self.assertIn("<script>'\"&\\u202e\\u001b[2J", page.text)
            self.assertNotIn("<script>", text)
            self.assertRegex(text, "x\\d&amp;&(apos|#39);\u05d0: 1")

    def test_hostile_warnings(self):
        """names in what could not be read, likewise"""
        code, _output, errors = self.folder.run("replay", "-p", "policy", "--html", "page.html", "sent", "<b>missing&</b>")
        self.assertEqual(code, 1)
        with open(self.path("page.html"), encoding="utf-8") as file:
            page = self.check(file.read())
        self.assertIn("Not everything could be read", page.text)
        self.assertIn("<b>missing&</b>: does not exist", page.text)
        self.assertIn("<b>missing&</b>: ", errors)


class Complete(replaycase.ReplayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("page")
        cls.html = Page(case.page("sent"))
        cls.last = json.loads(case.replay("--json", "sent"))

    def rows(self, *start):
        """The rows that begin with these cells, without blanks and commas."""
        plain = [[re.sub(r"(?<=\d),(?=\d)", "", re.sub(r",?\s+", " ", cell)).strip() for cell in row] for row in self.html.rows]
        return [row for row in plain if tuple(row[:len(start)]) == start]

    def test_tiles(self):
        for name in ("accept", "quarantine", "reject"):
            self.assertIn("%s %s" % (name, format(self.last["verdicts"][name], ",")), self.html.text)

    def test_rules(self):
        for rule in self.last["rules"]:
            row, = self.rows("%s line %d" % (rule["rule"], rule["line"]))
            self.assertEqual(row[1:3], [("would " if rule["monitor"] else "") + rule["verdict"], str(rule["messages"])])

    def test_senders(self):
        for sender in self.last["senders"]:
            self.assertIn([sender["sender"]] + [str(sender[key]) for key in ("messages", "quarantine", "reject")], self.rows(sender["sender"]))

    def test_histograms(self):
        for kind in ("parties", "visible"):
            for each in self.last["spread"][kind]["bins"]:
                number = "%d\u2013%d" % (each["from"], each["to"]) if each["to"] > each["from"] else str(each["from"])
                self.assertTrue(self.rows(number, str(each["messages"])), number)

    def test_thresholds_are_marked(self):
        cells = [row[0] for row in self.html.rows if len(row) == 1]
        for name in ("2: clinic, quarantine if other tests hold too", "5: trial, would quarantine", "10: wide, quarantine", "50: mass, reject", "40: wide, quarantine"):
            self.assertIn(name, cells)

    def test_ladder(self):
        for kind in ("parties", "visible"):
            for rung in self.last["spread"][kind]["ladder"]:
                self.assertTrue(self.rows(str(rung["at"]), str(rung["held"])), rung)

    def test_next_to_thresholds(self):
        for each in self.last["thresholds"]:
            self.assertIn("%s of %s" % (each["test"], each["rule"]), self.html.text)
            for message in each["below"] + each["above"]:
                rows = self.rows(str(message["value"]), "%s by %s" % (message["verdict"], message["rule"]), message["date"][:10])
                place = "sent [%d]" % message["index"] if message["index"] else "sent"
                self.assertTrue([row for row in rows if row[3].startswith("%s%s parties %d" % (message["sender"], place, message["counts"]["parties"]))],
                                message)

    def test_curve(self):
        """falls from all messages to the outside down to the largest, within the plot"""
        text = self.page("sent")
        for points in re.findall(r'points="([^"]*)"', text):
            pairs = [tuple(map(float, pair.split(","))) for pair in points.split()]
            self.assertGreater(len(pairs), 30)
            self.assertEqual(pairs, sorted(pairs), "it goes to the right and down")
            self.assertTrue(all(0 <= x <= 100 and 0 <= y <= 100 for x, y in pairs))
            self.assertEqual((pairs[0], pairs[-1][0]), ((0, 0), 100))

    def test_bars(self):
        """parts within the whole, one behind the other"""
        for svg in re.findall(r'<svg aria-hidden="true">(.*?)</svg>', self.page("sent")):
            end = 0
            for x, width in re.findall(r' x="([\d.]+)%" width="([\d.]+)%"', svg):
                self.assertEqual(float(x), end)
                end = round(float(x) + float(width), 1)
            self.assertLessEqual(end, 100)

    def test_against(self):
        page = Page(self.page("--against", "policy", "sent", policy="other"))
        changed = [message for message in self.made if message.old_verdict() != message.new_verdict()]
        self.assertIn("What changes", page.text)
        rows = [row for row in page.rows if len(row) == 4 and "sent" in row[3] and " by " in row[0] and " by " in row[1]]
        self.assertEqual([(row[0], row[1]) for row in rows], [("%s by %s" % m.old_verdict(), "%s by %s" % m.new_verdict()) for m in changed[:200]])


class Writing(replaycase.ReplayCase):
    def test_replaced_as_a_whole(self):
        """the old page or the new one, and nothing is left beside it"""
        self.folder.write("page.html", "old")
        self.page("sent")
        self.assertEqual(sorted(os.listdir(self.folder.path)), ["other", "page.html", "policy", "sent"])

    def test_cannot_be_written(self):
        """told before the mailbox is read"""
        os.mkdir(self.path("folder"))
        self.addCleanup(os.rmdir, self.path("folder"))
        for name, message in (("nowhere/page.html", "cannot be written: No such file or directory"), ("folder", "is a directory; expected a file to write")):
            code, output, errors = self.folder.run("replay", "-p", "policy", "--html", name, "sent")
            self.assertEqual((code, output, errors), (1, "", "%s: error: %s\n" % (name, message)))

    def test_figures_are_printed_too(self):
        self.assertEqual(self.replay("--html", "page.html", "sent"), self.replay("sent"))

    def test_empty(self):
        """a mailbox of which nothing is judged"""
        self.assertEqual(Page(self.page("--client", "192.0.2.1", "sent")).trouble, [])


if __name__ == "__main__":
    tap.main()
