"""Messages put together at random, of which it is known who is in which kind of part: each of them is found, and nobody else.

    generated.py [-n MESSAGES] [-s SEED]

What Python's email package writes is nested, encoded and put into character sets in every way that it can; the texts are written
here.  A message that shows something else is kept as its file's name says.
"""

import argparse
import base64
import binascii
import email.message
import email.policy
import os
import random
import subprocess
import sys
import tempfile
import unittest

import tap

SHOW = os.path.join(os.environ["top_builddir"], "tests/parts/show-parts")
MESSAGES = 150
SEED = 1

CHARSETS = ("us-ascii", "utf-8", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-7", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1251", "koi8-r", "iso-2022-jp", "shift_jis", "euc-jp", "gb2312", "gb18030", "big5", "euc-kr")
# As mail names them.
NAMES = {"utf-16-be": "UTF-16BE", "utf-16-le": "UTF-16LE", "windows-1251": "Windows-1251"}
WORDS = {"us-ascii": "Hello there", "iso-8859-1": "Gr\u00fc\u00dfe", "iso-8859-2": "Ko\u0161ice", "iso-8859-15": "10 \u20ac", "windows-1251": "\u041f\u0440\u0438\u0432\u0435\u0442", "koi8-r": "\u041f\u0440\u0438\u0432\u0435\u0442",
         "iso-2022-jp": "\u3053\u3093\u306b\u3061\u306f", "shift_jis": "\u3053\u3093\u306b\u3061\u306f", "euc-jp": "\u540d\u7c3f", "gb2312": "\u4f60\u597d", "gb18030": "\u4f60\u597d", "big5": "\u4f60\u597d", "euc-kr": "\uc548\ub155"}
LABELS = (("From", "To", "Cc", "Subject"), ("Von", "An", "Cc", "Betreff"), ("De\u00a0", "\u00c0\u00a0", "Cc\u00a0", "Objet\u00a0"), ("\u5dee\u51fa\u4eba", "\u5b9b\u5148", "CC", "\u4ef6\u540d"), ("\u53d1\u4ef6\u4eba", "\u6536\u4ef6\u4eba", "\u6284\u9001", "\u4e3b\u9898"),
          ("\u041e\u0442", "\u041a\u043e\u043c\u0443", "\u041a\u043e\u043f\u0438\u044f", "\u0422\u0435\u043c\u0430"), ("Od", "Do", "DW", "Temat"), ("Fr\u00e5n", "Till", "Kopia", "\u00c4mne"))


class Writer:
    """One message; `people` says who is in which kind of part."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.people = {kind: set() for kind in ("calendar", "forwarded", "contacts", "table", "text")}
        self.number = 0

    def one(self, *kinds):
        """One of them."""
        self.number += 1
        found = "%s%d@%s%d.example" % (self.random.choice(("ann", "bob.ray", "c-d", "x_y", "o+tag")), self.number, self.random.choice(("first", "mail.second", "a-b.third")), self.random.randrange(9))
        for kind in kinds:
            self.people[kind].add(found)
        return found

    def some(self, *kinds):
        """A few new people, who are in those kinds."""
        return [self.one(*kinds) for _ in range(self.random.randrange(1, 6))]

    # ---- texts

    def plain(self, words):
        forms = ("%s.", "<%s>", "(%s)", "mailto:%s", "*%s*", '"%s"', "%s,")
        return [words, ""] + [words + " " + self.random.choice(forms) % self.one("text") + " " + words for _ in range(self.random.randrange(4))]

    def quoted(self, words):
        sender, to, cc, subject = self.random.choice(LABELS)
        mark = self.random.choice(("", "> ", "| ", ">> "))
        between = self.random.choice((", ", "; "))
        lines = ["%s: Customer <%s>" % (sender, self.one("text")), "%s: %s" % (to, between.join("Name <%s>" % each for each in self.some("text", "forwarded")))]
        if self.random.random() < 0.7:
            lines.append("%s: %s" % (cc, between.join(self.some("text", "forwarded"))))
        lines += ["%s: %s" % (subject, words), ""]
        return [""] + [mark + line for line in lines] + [words]

    def text(self, words):
        lines = self.plain(words)
        if self.random.random() < 0.5:
            lines += self.quoted(words)
        return "\n".join(lines) + "\n"

    def html(self, words):
        text = self.text(words)
        return "<html><body>" + "".join("<%s>%s</%s>\r\n" % (tag, line.replace("&", "&amp;").replace("<", "&lt;").replace("@", self.random.choice(("@", "&#64;", "@"))), tag) for line in text.split("\n") for tag in [self.random.choice(("p", "div"))]) + "</body></html>"

    def calendar(self, words):
        lines = ["BEGIN:VCALENDAR", "PRODID:-//x//EN", "BEGIN:VEVENT", "UID:1@uid.example", "SUMMARY:" + words]
        for address in self.some("calendar"):
            lines.append(self.random.choice(("ATTENDEE;CN=%s:mailto:%s", "ATTENDEE;RSVP=TRUE;CN=\"Lee; %s\":MAILTO:%s", "ORGANIZER;CN=%s:mailto:%s", "ATTENDEE;X=%s;EMAIL=\"%s\":urn:uuid:1")) % (words, address))
        lines += ["END:VEVENT", "END:VCALENDAR"]
        width = self.random.choice((20, 40, 75))
        return "\r\n".join("\r\n ".join(line[i:i + width] for i in range(0, len(line), width)) for line in lines) + "\r\n"

    def contacts(self, words):
        if self.random.random() < 0.3:
            return "".join("dn: cn=%s\ncn: x\n%s\n\n" % (number, self.random.choice(("mail: " + address, "mail:: " + base64.b64encode(address.encode()).decode()))) for number, address in enumerate(self.some("contacts")))
        cards = []
        for address in self.some("contacts"):
            line = self.random.choice(("EMAIL:" + address, "item1.EMAIL;type=INTERNET:" + address, "EMAIL;ENCODING=QUOTED-PRINTABLE:" + address.replace("@", "=40")[:-3] + "=\r\n" + address[-3:], "NOTE:x\\n%s\\, y" % address))
            cards.append("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:%s\r\n%s\r\nUID:1@uid.example\r\nEND:VCARD\r\n" % (words, line))
        return "".join(cards)

    def table(self, words):
        between = self.random.choice((",", ";", "\t", "|"))
        mark = self.random.choice(("", '"'))
        return "".join(between.join(mark + cell + mark for cell in (words, address, "1")) + "\r\n" for address in self.some("table"))

    # ---- parts

    def leaf(self):
        kind, type_, name = self.random.choice((("text", "text/plain", None), ("html", "text/html", None), ("text", "text/plain", "a.txt"), ("calendar", "text/calendar", None), ("calendar", "application/octet-stream", "invite.ics"), ("contacts", "text/vcard", None),
                                                ("contacts", "application/octet-stream", "K\u00f6ln.vcf"), ("table", "text/csv", None), ("table", "application/vnd.ms-excel", "list.csv"), ("table", "text/plain", "export.TSV")))
        charset = self.random.choice(CHARSETS)
        words = WORDS.get(charset, "Hello")
        text = getattr(self, kind)(words)
        try:
            data = text.encode(charset)
        except UnicodeEncodeError:
            charset = "utf-8"
            data = text.encode(charset)
        part = email.message.Message()
        wide = charset.startswith(("utf-16", "utf-32"))
        encoding = self.random.choice(("base64", "quoted-printable") if wide else ("base64", "quoted-printable", "8bit"))
        if encoding == "base64":
            width = self.random.choice((1, 60, 76, 500))
            coded = base64.b64encode(data).decode()
            body = "\n".join(coded[i:i + width] for i in range(0, len(coded), width))
        elif encoding == "quoted-printable":
            body = binascii.b2a_qp(data, self.random.random() < 0.5, not wide).decode("latin-1")
        else:
            body = data.decode("latin-1")
        part["Content-Type"] = "%s; charset=%s" % (type_, self.random.choice(("%s", '"%s"')) % NAMES.get(charset, charset).replace("utf-32", "UTF-32" if charset == "utf-32" else charset))
        part["Content-Transfer-Encoding"] = encoding
        if name is not None:
            if self.random.random() < 0.5:
                part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
            else:
                part.set_param("name", name if name.isascii() else ("utf-8", "", name))
        part.set_payload(body)
        return part

    def message(self, depth):
        inner = self.part(depth + 1)
        addresses = self.some("forwarded")
        inner["From"] = "someone@sender.example"
        inner[self.random.choice(("To", "Cc", "Resent-To", "Bcc"))] = self.random.choice((", ", ",\n ", "; ")).join(self.random.choice(("%s", "Ann <%s>", '"Lee, Ann" <%s>', "=?utf-8?q?J=C3=BC?= <%s>")) % each for each in addresses)
        outer = email.message.Message()
        outer["Content-Type"] = "message/rfc822"
        outer.set_payload([inner])
        return outer

    def part(self, depth):
        if depth > 4 or self.random.random() < 0.3:
            return self.leaf()
        if self.random.random() < 0.3:
            return self.message(depth)
        outer = email.message.Message()
        outer["Content-Type"] = "multipart/" + self.random.choice(("mixed", "alternative", "related", "signed"))
        outer.set_payload([self.part(depth + 1) for _ in range(self.random.randrange(1, 5))])
        return outer

    def raw(self):
        whole = self.part(0)
        whole["Subject"] = "x"
        lines = self.random.choice(("\n", "\r\n"))
        return whole.as_string(policy=email.policy.compat32.clone(max_line_length=None)).replace("\r\n", "\n").replace("\n", lines).encode("latin-1")


def shown(path):
    """The addresses of each kind, and what was not read."""
    run = subprocess.run([SHOW, path], capture_output=True, text=True, check=True)
    lines = [line.split() for line in run.stdout.split("\n") if line and not line.startswith("part ")]
    return {line[0][:-1]: set(line[1:]) for line in lines}


def differences(seed, folder):
    """What is wrong with the message of a seed, as text, and how many people are in it."""
    writer = Writer(seed)
    path = os.path.join(folder, "seed-%d.eml" % seed)
    with open(path, "wb") as out:
        out.write(writer.raw())
    got = shown(path)
    wrong = [] if got.pop("opaque") == {"-"} else ["opaque"]
    for kind, people in writer.people.items():
        missed, more = people - got.get(kind, set()), got.get(kind, set()) - people
        wrong += ["%s misses %s" % (kind, " ".join(sorted(missed)))] if missed else []
        wrong += ["%s has %s" % (kind, " ".join(sorted(more)))] if more else []
    return "; ".join(wrong), sum(map(len, writer.people.values()))


class Generated(unittest.TestCase):
    def test_everybody_is_found(self):
        people = 0
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(SEED, SEED + MESSAGES):
                wrong, count = differences(seed, folder)
                self.assertEqual(wrong, "", "generated.py -n 1 -s %d" % seed)
                people += count
        self.assertGreater(people, 10 * MESSAGES)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, required=True)
    parser.add_argument("-s", type=int, default=SEED)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="rcptguard-parts-")
    wrong = 0
    for seed in range(options.s, options.s + options.n):
        difference, _ = differences(seed, folder)
        wrong += difference != ""
        if difference:
            print("%s/seed-%d.eml: %s" % (folder, seed, difference), flush=True)
        else:
            os.remove("%s/seed-%d.eml" % (folder, seed))
    print("generated %d messages, %d of them wrong" % (options.n, wrong))
    return wrong > 0


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("-"):
        sys.exit(main())
    tap.main()
