"""`rcptguardq show --text`: messages as real programs write them, as their readers would see them; and hostile ones.

Each NAME.eml of tests/mta/messages has the text expected of it in NAME.txt; with UPDATE_GOLDEN in the
environment those are written anew.
"""

import os
import re

import daemon
import mta
import review
import screen

MESSAGES = os.path.join(daemon.SOURCE, "tests", "mta", "messages")
NAMES = sorted(name[:-4] for name in os.listdir(MESSAGES) if name.endswith(".eml"))
UPDATE = "UPDATE_GOLDEN" in os.environ

# Parts in parts in parts.
DEEP = 60


def read(name):
    with open(os.path.join(MESSAGES, name), "rb") as file:
        return file.read()


def whole(header, body):
    """A message of these lines and this body."""
    return "".join(line + "\n" for line in ("From: <care@me.example>", "Subject: a test", "MIME-Version: 1.0", *header)).encode() + b"\n" + body


class Text(review.ReviewCase):
    def hold_raw(self, raw, people=review.WIDE):
        """Puts a message on hold as it is, but that people stand in its Cc."""
        raw = b"Cc: " + ", ".join(people).encode() + b"\n" + raw
        queue_id = self.accepted("plain", [address.rpartition("<")[2].rstrip(">") for address in people], None, raw.replace(b"\n", b"\r\n"))
        daemon.wait_until(lambda: queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % queue_id)
        return queue_id

    def text_of(self, queue_id, *arguments):
        """What it prints behind the title."""
        title, empty, text = self.done("show", "--text", queue_id, *arguments).out.split("\n", 2)
        self.assertTrue(title.startswith(queue_id + "  on hold for "), title)
        self.assertEqual(empty, "")
        self.assertTrue(review.PLAIN.fullmatch(text), text)
        return text

    def test_programs(self):
        """what ten mail programs wrote, and one that no honest one does"""
        self.assertGreaterEqual(len(NAMES), 12)
        for name in NAMES:
            with self.subTest(name):
                text = self.text_of(self.hold_raw(read(name + ".eml")))
                if UPDATE:
                    daemon.write(os.path.join(MESSAGES, name + ".txt"), text.encode())
                self.assertEqual(text, read(name + ".txt").decode("utf-8"))

    def test_json(self):
        """the same as JSON, beside what show always has"""
        queue_id = self.hold_raw(read("outlook.eml"))
        one, = self.done("show", "--json", "--text", queue_id).json()
        self.assertEqual((one["id"], one["state"], one["text_cut"]), (queue_id, "held", False))
        self.assertEqual([(part["name"], part["type"], part["size"], part["use"]) for part in one["parts"]],
                         [(None, "text/plain", 145, "alternative"), (None, "text/html", 1428, "text"), ("image001.png", "image/png", 120, "embedded"),
                          ("Preisliste Händler.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 3000, "attachment")])
        self.assertIn("  anbei unsere Preise für 2027.", one["text_of_message"])
        self.assertNotIn("parts", self.done("show", "--json", queue_id).json()[0])

    def test_recipients(self):
        """nobody's address unless asked for; then with the names beside them, which cannot be taken for addresses"""
        people = ['"c0@cust0.example" <c1@cust1.example>', "=?utf-8?q?Ren=C3=A9e=1B?= <c2@cust2.example>", *review.WIDE[2:]]
        queue_id = self.hold_raw(read("gmail.eml"), people)
        self.assertNotIn("cust", self.text_of(queue_id).partition("\n\n")[0])
        for arguments in ("--text",), ():
            text = self.done("show", "--recipients", *arguments, queue_id).out
            self.assertRegex(text, r'(?m)^To            bob@customer.example  "Bob Ray"$')
            self.assertRegex(text, r'(?m)^Cc            c1@cust1.example  "c0@cust0.example"$')
            self.assertRegex(text, r'(?m)^Cc            c2@cust2.example  "Renée\\u001b"$')
            self.assertRegex(text, r"(?m)^Cc            c3@cust3.example$")
        one, = self.done("show", "--json", "--recipients", queue_id).json()
        self.assertEqual({each["address"]: each["name"] for each in one["visible_recipients"] if each["name"]},
                         {"bob@customer.example": "Bob Ray", "c1@cust1.example": "c0@cust0.example", "c2@cust2.example": "Renée\\u001b"})

    def test_other_forms(self):
        """--message and --raw are what they were: the message as it came"""
        queue_id = self.hold_raw(read("gmail.eml"))
        self.assertIn("July 3rd</b> =E2=80=93", self.done("show", "--message", queue_id).out)
        self.assertIn("July 3rd</b> =E2=80=93", self.done("show", "--raw", queue_id).out)
        for arguments in ("--raw",), ("--message",), ("--parties",):
            self.refused(review.USAGE, "--raw prints the message alone|instead of the facts", "show", "--text", *arguments, queue_id)

    def test_key(self):
        """`v` of review shows the same, `V` the message as it came"""
        queue_id = self.hold_raw(read("quoted-printable.eml"))
        with screen.Screen(self.command("review"), lines=60) as terminal:
            terminal.wait_for("1 of 1  %s" % queue_id)
            terminal.keys("v")
            terminal.wait_for("Subject       Öffnungszeiten über die Feiertage")
            text = terminal.wait_for("wir schließen über die Feiertage.")
            self.assertNotIn("=FC", text)
            terminal.keys("V")
            terminal.wait_for("wir schlie=DFen =FCber die Feiertage.")
            terminal.keys("V")
            terminal.wait_for("holds when")
            terminal.keys("q")

    def test_terminal(self):
        """on a terminal it is wrapped to its width, and nothing moves the cursor"""
        queue_id = self.hold_raw(read("hostile.eml"))
        code, output = self.on_terminal("show", "--text", queue_id, columns=60)
        text = output.decode("utf-8").replace("\r\n", "\n")
        self.assertEqual(code, 0)
        self.assertTrue(review.PLAIN.fullmatch(text), output)
        self.assertLessEqual(max(len(line) for line in text.split("\n")[1:]), 60)

    def test_bounds(self):
        """what is too deep, too much or too long is cut, and said"""
        deep = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(1, DEEP)) + b"\ninnermost\n"
        many = b"".join(b"--b0\nContent-Type: application/x-n; name=f%d\n\nx\n" % n for n in range(20000))
        long = b"A line of text that is as long as lines of text are.\n" * 40000
        html = b"<p>A line of text that is as long as lines of text are." * 40000
        nested = b"<div>" * 100000 + b"bottom"
        multipart = ('Content-Type: multipart/mixed; boundary="b0"',)
        for name, header, body, words in (("deep", multipart, b"--b0\n" + deep, "cut here: parts are nested too deep"),
                                          ("many", multipart, many, "cut here: there are more parts than are read"),
                                          ("long", (), long, "cut here: there is more text than is shown"),
                                          ("html", ("Content-Type: text/html",), html, "cut here: there is more text than is shown"),
                                          ("nested", ("Content-Type: text/html",), nested, "cut here|bottom|There is no text in it")):
            with self.subTest(name):
                text = self.text_of(self.hold_raw(whole(header, body)))
                self.assertRegex(text, words)
                self.assertLess(len(text), 2 * 1024 * 1024)
        self.assertRegex(self.text_of(self.hold_raw(whole(multipart, many))), r"(?m)^ +\.\.\. and \d+ more$")

    def test_lookalikes(self):
        """neither a line of the message nor a name in it looks like a line of ours"""
        fake = "---- the end of the message in this message"
        inner = ("Content-Type: message/rfc822\n\nFrom: <a@x.example>\nSubject: %s%s\nContent-Type: text/plain; name=\"%s%s\"\n\n%s\nFrom: The Boss\n" % (
            "x" * 66 + " ", fake, "y" * 66 + " ", fake, fake)).encode()
        text = self.text_of(self.hold_raw(whole(('Content-Type: multipart/mixed; boundary="b0"',), b"--b0\n" + inner + b"--b0--\n")))
        self.assertGreaterEqual(text.count(fake), 5)
        self.assertEqual(re.findall("(?m)^" + fake, text), [fake])
        self.assertTrue(text.endswith("\n" + fake + "\n"), text)
        self.assertEqual(len(re.findall("(?m)^From", text)), 2)

    def test_nothing(self):
        """a message without text, without a body, and one whose parts end nowhere"""
        for header, body, words in (((), b"", "There is no text in it."), (("Content-Type: application/pdf", "Content-Transfer-Encoding: base64"), b"JVBERi0=\n", "Attachments   application/pdf, 5 bytes"),
                                    (('Content-Type: multipart/mixed; boundary="x"',), b"--x\n\nbegun", "  begun"), (("Content-Type: text/plain; charset=no-such-set",), b"caf\xe9\n", "  café"),
                                    (("Content-Type: text/html",), b"", "There is no text in it.")):
            with self.subTest(words):
                self.assertIn(words, self.text_of(self.hold_raw(whole(header, body))))

    def test_gone(self):
        """what is decided is in the queue no longer"""
        held = self.hold()
        self.done("delete", held.id, reason="x")
        self.refused(review.GONE, "is on hold no longer", "show", "--text", held.id)


if __name__ == "__main__":
    review.main(240)
