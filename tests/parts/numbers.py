"""The samples of tests/parts with as many people as an accident has: each is counted, exactly, and the example's rules hold it.

A sample keeps the structure that its program gave it; its guests, or the people in its To and Cc, are multiplied in the form,
the encoding and the character set of that program.
"""

import base64
import email
import email.policy
import pathlib
import quopri
import re
import textwrap
import unittest

import daemon
import tap
import tool

HERE = pathlib.Path(__file__).resolve().parent / "samples"
EXAMPLE = pathlib.Path(daemon.SOURCE, "packaging", "examples", "attachments.policy")
GUESTS, FORWARDED = 45, 450


def read(name):
    return (HERE / name).read_bytes()


def people(count):
    return ["person%d@site%d.example" % (n, n) for n in range(1, count + 1)]


def encode(data, encoding):
    if encoding == "base64":
        return base64.encodebytes(data)
    return quopri.encodestring(data) if encoding == "quoted-printable" else data


def changed(raw, types, change):
    """The message with the text of its parts of these types changed, in their encoding and character set; and of how many parts."""
    count = 0
    head = email.message_from_bytes(raw, policy=email.policy.compat32)
    for part in head.walk():
        if part.is_multipart() or part.get_content_type() not in types:
            continue
        encoding = (part["Content-Transfer-Encoding"] or "7bit").lower()
        data = part.get_payload(decode=True)
        encoded = part.get_payload().encode() if encoding in ("base64", "quoted-printable") else data
        charset = part.get_content_charset("utf-8")
        if data.startswith(b"\xff\xfe"):
            charset = "utf-16"
        new = encode(change(data.decode(charset)).encode(charset), encoding)
        if encoded in raw:  # a part that is there twice is changed at once
            raw = raw.replace(encoded, new)
            count += 1
    return raw, count


def calendar(raw, guests):
    """An invitation with these guests in the form of its first one."""
    def change(text):
        end = "\r\n" if "\r\n" in text else "\n"
        lines = re.sub(r"\r?\n[ \t]", "", text).replace("late@seventh.example", "late@me.example").splitlines()  # in a description, where it counts
        first = next(line for line in lines if line.startswith("ATTENDEE") and "ann@first.example" in line)
        place = lines.index(first)
        lines = [line for line in lines if not line.startswith("ATTENDEE")]
        lines[place - 1:place - 1] = [first.replace("ann@first.example", guest).replace("Ann Lee", "Guest %d" % number) for number, guest in enumerate(guests)]
        return "".join((end + " ").join([line[:75]] + [line[at:at + 74] for at in range(75, len(line), 74)]) + end for line in lines)
    return changed(raw, ("text/calendar", "application/ics"), change)


def quoted(raw, more, html):
    """A forward whose Cc goes on with these people."""
    def change(text):
        apple, gmail = "Begin forwarded message" in text, "Forwarded message" in text
        if html:
            found = re.search(r"Eve (&lt;.*?&gt;)", text).group(0)
            return text.replace(found, "; ".join([found] + [found.replace("Eve", "Name %d" % number).replace("eve@fifth.example", one) for number, one in enumerate(more)]))
        between = ", " if apple or gmail else "; "
        line = between.join(["Eve <eve@fifth.example>"] + ["Name %d <%s>" % each for each in enumerate(more)])
        if apple or gmail:
            line = ("\n> " if apple else "\n").join(textwrap.wrap(line, 72, break_long_words=False, break_on_hyphens=False))
        assert "Eve <eve@fifth.example>" in text
        return text.replace("Eve <eve@fifth.example>", line)
    return changed(raw, ("text/html",) if html else ("text/plain",), change)


class Numbers(unittest.TestCase):
    def count(self, raw, part):
        """What a rule counts there, outside."""
        with tool.Folder() as folder:
            folder.write("p", 'version 1\ncontact "x@me.example"\nclass internal { domain "me.example", ".me.example" }\n'
                         'rule r { when visible(external) inside %s >= 1 quarantine "{inside}" }\ndefault accept\n' % part)
            (pathlib.Path(folder.path) / "m.eml").write_bytes(raw)
            said, = folder.json("explain", "--json", "-p", "p", "--sender", "care@me.example", "m.eml")
        return int(said["text"] or 0)

    def decided(self, raw, bcc=()):
        """The example's rule."""
        with tool.Folder() as folder:
            (pathlib.Path(folder.path) / "m.eml").write_bytes(raw.replace(b"me.example", b"corp.example"))
            said, = folder.json("explain", "--json", "-p", str(EXAMPLE), "--sender", "care@corp.example", *[word for one in bcc for word in ("--recipient", one)], "m.eml")
        return said["verdict"], said["rule"]

    def test_invitations(self):
        """45 guests are held, whoever wrote the invitation, and those in Bcc too; 3 pass"""
        names = sorted(path.name for path in HERE.glob("invitation-*.eml"))
        self.assertEqual(len(names), 5)
        for name in names:
            for number, rule in (GUESTS, ("quarantine", "invite")), (3, ("accept", "default")):
                raw, parts = calendar(read(name), people(number))
                with self.subTest(name, number=number):
                    self.assertGreaterEqual(parts, 1)
                    self.assertEqual(self.count(raw, "calendar"), number)
                    self.assertEqual(self.decided(raw), rule)
                    self.assertEqual(self.decided(raw, ["one@last.example"] + people(number)), rule)

    def test_forwards(self):
        """the people of the original are counted in each language and program"""
        names = sorted(path.name for path in HERE.glob("forward-*.eml") if "attached" not in path.name)
        self.assertGreaterEqual(len(names), 8)
        for name in names:
            for html in (False, True):
                if (b"text/html" if html else b"text/plain") not in read(name):
                    continue
                with self.subTest(name, html=html):
                    raw, parts = quoted(read(name), people(FORWARDED - 5), html)
                    self.assertEqual(parts, 1)
                    self.assertEqual(self.count(raw, "forwarded"), FORWARDED)
                    self.assertEqual(self.decided(raw, ["one@last.example"]), ("quarantine", "customer-list"))

    def test_attached(self):
        """the same of a message that is attached, as it is and in base64"""
        more = ",\n ".join(["fay@sixth.example"] + people(FORWARDED - 8))
        plain = read("forward-attached.eml").replace(b"fay@sixth.example", more.encode())
        packed, parts = changed(read("forward-attached-base64.eml"), ("application/octet-stream",), lambda text: text.replace("fay@sixth.example", more))
        self.assertEqual(parts, 1)
        for raw in plain, packed:
            self.assertEqual(self.count(raw, "forwarded"), FORWARDED)
            self.assertEqual(self.decided(raw, ["one@last.example"]), ("quarantine", "customer-list"))

    def test_lists(self):
        """a table in UTF-16 with semicolons, and cards of vCard 2.1 in quoted-printable"""
        table, parts = changed(read("table-utf16.eml"), ("application/vnd.ms-excel",), lambda text: text + "".join("Name;%s;K\u00f6ln\r\n" % one for one in people(FORWARDED - 4)))
        self.assertEqual((parts, self.count(table, "table")), (1, FORWARDED))
        cards, parts = changed(read("contacts-vcard21.eml"), ("text/x-vcard",), lambda text: text + "".join(
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen\r\n"
            "EMAIL;INTERNET;ENCODING=QUOTED-PRINTABLE:%s=\r\n.example\r\nEND:VCARD\r\n" % one.removesuffix(".example").replace("@", "=40") for one in people(FORWARDED - 4)))
        self.assertEqual((parts, self.count(cards, "contacts")), (1, FORWARDED))
        for raw in table, cards:
            self.assertEqual(self.decided(raw, ["one@last.example"]), ("quarantine", "customer-list"))


if __name__ == "__main__":
    tap.main(limit=120)
