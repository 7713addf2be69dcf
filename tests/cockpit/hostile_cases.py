"""What strangers write is shown as text and recorded as it is: subjects, senders, names of files, bodies, and reasons."""

import os
import subprocess

import mailhost
import pagecase

RIGHT_TO_LEFT, ISOLATE, BELL, HIDDEN = "\u202e", "\u2066", "\x07", "\u200b"

SUBJECTS = {
    "script": "<script>window.sprung = 1</script>",
    "image": "<img src=x onerror=\"window.sprung = 1\">",
    "svg": "\"><svg onload=window.sprung=1><b>bold",
    "shell": "$(touch /tmp/sprung) `touch /tmp/sprung` ; touch /tmp/sprung | & > /tmp/sprung",
    "quotes": "it's \"quoted\" \\ back\\\\slash %s %n {0} ${x} {{y}}",
    "option": "--reason --yes",
    "bidi": "price" + RIGHT_TO_LEFT + "fdp.exe " + ISOLATE + "isolated",
    "controls": "a" + BELL + "b\x1b[2Jc" + HIDDEN + "d",
    "entity": "&lt;b&gt; &amp; &#x202e;",
    "link": "javascript:alert(1) http://evil.example/ data:text/html,<script>window.sprung=1</script>",
}

# Not for a subject in this form, but for a reason.
REASONS = {**{name: text for name, text in SUBJECTS.items() if name not in ("bidi", "controls")},
           "dashes": "--", "help": "--help", "dash": "-", "accents": "Gr\u00fc\u00dfe an \u674e \U0001f600", "long": "long " * 200 + "end"}


class Hostile(pagecase.PageCase):
    def tearDown(self):
        self.assertFalse(os.path.exists("/tmp/sprung"), "a shell has run what somebody wrote")
        super().tearDown()

    def looked_at(self, queue_id):
        """The list and the screen of it, both as text."""
        self.page.list()
        row = self.page.row_text(queue_id)
        self.assertShownAsText("#list-table")
        self.page.look(queue_id)
        headers = self.page.wait_text("#message-headers", "Subject")
        self.page.wait_text("#message-text", r"\S")
        self.assertShownAsText("#message")
        return row, headers

    def assertNoControls(self, text):
        found = [each for each in text if ord(each) < 32 and each not in "\n\t\r" or each in "\x7f\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]
        self.assertEqual(found, [], "what could turn the text round or hide in it")

    def test_subjects(self):
        """in a subject"""
        for name, subject in SUBJECTS.items():
            with self.subTest(name):
                queue_id = mailhost.hold(subject)
                row, headers = self.looked_at(queue_id)
                if name not in ("bidi", "controls"):
                    self.assertIn(subject[:40], row)
                    self.assertIn(subject, headers)
                self.assertNoControls(row + headers)
                if name == "bidi":
                    self.assertIn("\\u202E", (row + headers).replace("\\u202e", "\\u202E"))

    def test_bytes(self):
        """a subject of 10 kB, and one that is no UTF-8"""
        long = mailhost.hold("Long " + "\n ".join(["word" * 15] * 160))
        row, headers = self.looked_at(long)
        self.assertIn("Long", row)
        self.assertLess(len(row), 1000)
        self.assertEqual(self.page.script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"), True)
        broken = mailhost.hold(b"broken \xff\xfe\xc3( \xed\xa0\x80 end")
        row, headers = self.looked_at(broken)
        self.assertIn("broken", row)
        self.assertIn("end", headers)

    def test_senders(self):
        """in the envelope's sender and in From"""
        for sender, name in (("\"<img/src=x/onerror=window.sprung=1>\"@corp.example", "\"<script>window.sprung = 1</script>\" <care@corp.example>"),
                             ("\"$(touch+/tmp/sprung)`id`\"@corp.example", "=?utf-8?B?4oCucHJpY2U8aW1nIHNyYz14IG9uZXJyb3I9J3dpbmRvdy5zcHJ1bmc9MSc+?= <care@corp.example>")):
            with self.subTest(sender):
                queue_id = mailhost.hold("Hostile sender", sender=sender, visible_sender=name.encode())
                row, headers = self.looked_at(queue_id)
                self.assertIn(sender.partition("@")[0].strip("\"")[:20], row)
                self.assertNoControls(row + headers)

    def test_bodies(self):
        """in the text, the recipients' names and the whole message"""
        body = "<script>window.sprung = 1</script>\n<img src=x onerror='window.sprung = 1'>\n%sreversed%s\n$(touch /tmp/sprung)\n" % (RIGHT_TO_LEFT, BELL)
        cc = mailhost.people(12)
        queue_id = mailhost.hold("Hostile body", body=body.encode())
        _row, _headers = self.looked_at(queue_id)
        text = self.page.text("#message-text")
        self.assertIn("<script>window.sprung = 1</script>", text)
        self.assertNoControls(text)
        self.page.press("Show the whole message")
        source = self.page.wait_text("#message-source", "reversed")
        self.assertIn("<img src=x onerror='window.sprung = 1'>", source)
        self.assertNoControls(source)
        self.page.press("Show recipients")
        self.page.wait_text("#message-recipients", cc[0])
        self.assertShownAsText("#message")

    def test_reasons(self):
        """in a reason: it reaches the record as it was typed"""
        for name, reason in REASONS.items():
            with self.subTest(name):
                queue_id = mailhost.hold("Reason " + name)
                self.page.look(queue_id)
                self.page.decide("Delete\u2026", reason)
                self.page.until(lambda queue_id=queue_id: mailhost.decided(queue_id), "the decision is recorded")
                self.assertEqual(mailhost.decided(queue_id)[0][:3], ("alice", "delete", reason.strip()))
                self.page.go("#/history")
                self.page.until(lambda queue_id=queue_id: queue_id in self.page.text("#history"), "the history has it")
                self.assertShownAsText("#history")
                self.page.list()

    def test_odd_reasons(self):
        """a reason with line breaks, with controls, of 10 kB: as rcptguardq takes it from a shell"""
        for name, reason in (("lines", "first line\nsecond line"), ("bidi", "a" + RIGHT_TO_LEFT + "b"), ("long", "x" * 10000)):
            with self.subTest(name):
                shell, queue_id = mailhost.hold("Odd shell " + name), mailhost.hold("Odd page " + name)
                done = subprocess.run(["runuser", "-u", "dave", "--", "sudo", "-n", mailhost.PROGRAM, "delete", "--reason", reason, shell],
                                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
                self.page.look(queue_id)
                self.page.decide("Delete\u2026", reason)
                if done.returncode != 0:
                    self.page.wait_text("#decide-said", r"\S")
                    self.assertIn(queue_id, mailhost.held())
                    self.page.find("#decide-cancel").click()
                else:
                    self.page.until(lambda queue_id=queue_id: mailhost.decided(queue_id), "the decision is recorded")
                    self.assertEqual(mailhost.decided(queue_id)[0][2].replace(" ", "").replace("\n", ""), mailhost.decided(shell)[0][2].replace(" ", "").replace("\n", ""))
                self.page.list()

    def test_places(self):
        """in the address line: an id that is none is refused in rcptguardq's words, and no option gets through"""
        for place in "--help", "%2D%2Dall", "<img src=x onerror=window.sprung=1>", "$(touch%20/tmp/sprung)", "..%2F..%2Fetc%2Fpasswd":
            with self.subTest(place):
                self.page.go("#/message/" + place)
                self.page.until(lambda: self.page.text("#trouble") or self.page.text("[role=alert]"), "it is refused")
                self.assertShownAsText("#trouble", "#message")
                self.page.list()
                self.page.wait_rows()


class Looked(pagecase.PageCase):
    def test_looks(self):
        """recipients and the whole message are shown after a press of a button, which is in the history; the text is not"""
        queue_id = mailhost.hold("Who reads it")
        self.page.look(queue_id)
        self.page.wait_text("#message-text", "price list")
        self.assertNotIn("c1@cust1.example", self.page.text("#message"))
        self.assertEqual([each for each in mailhost.history(queue_id) if each[1] == "look"], [])
        self.page.press("Show recipients")
        text = self.page.wait_text("#message-recipients", "c12@cust12.example")
        for each in mailhost.people(12):
            self.assertIn(each, text)
        self.assertEqual([(each[0], each[3]) for each in mailhost.history(queue_id) if each[1] == "look"], [("alice", "recipients")])
        self.page.press("Show the whole message")
        self.page.wait_text("#message-source", "Message-ID: <")
        self.assertEqual([(each[0], each[3]) for each in mailhost.history(queue_id) if each[1] == "look"], [("alice", "recipients"), ("alice", "message")])
        self.page.until(lambda: "looked at the whole message" in self.page.text("#message-trail"), "the trail has it")
        self.page.shot("looked")
