"""Every byte in every field that is logged or shown: one printable line each, nothing forged, on terminals too."""

import json
import re

import daemon
import guardcase
import mtacase
import policies
import review
import soak

# What a peer of the socket can put a byte into; NUL ends each of them in the protocol.
FIELDS = "sender", "user", "msgid", "queue id", "subject", "listener", "client name", "from"
BYTES = range(1, 256) if soak.LONG else (1, 10, 13, 27, 32, 34, 61, 92, 127, 155)
WIDE = policies.people(12)
TEXT = policies.policy(rules=policies.rule("wide", "parties(external) >= 10", 'quarantine "by {sender} for {user}: {visible}"'))
PRINTABLE = re.compile(r"[\x20-\x7e]+")
FORGED = "4XyFORGEDz: verdict=accept"


def value(byte, base):
    """The byte at the begin, within, and before what would be another line or another field."""
    return b"%c%s%c verdict=accept%c4XyFORGEDz: verdict=accept rule=default" % (byte, base, byte, byte)


class Logged:
    """Mixed into a case for a format of the log; said(raw) takes a line apart into {field: value as it was}."""

    def message(self, field, byte):
        evil = value(byte, b"x").replace(b"\0", b"")
        queue_id = "4Xy%s%03dz" % (field[:3].replace(" ", "").upper(), byte)
        with self.guard.client() as mta:
            if field == "client name":
                mta.connect("127.0.0.1", host=evil)
            else:
                mta.connect("127.0.0.1", daemon_name=evil if field == "listener" else "smtpd")
            sender = evil if field == "sender" else b"care@me.example"
            one_id = evil if field == "queue id" else queue_id.encode()
            mta.macros["{auth_type}"] = "PLAIN"
            mta.macros["{auth_authen}"] = evil if field == "user" else "care"
            mta._stage("mail", b"<" + sender + b">\0", {"i": one_id})
            for address in WIDE:
                mta.rcpt(address)
            mta.data(one_id)
            for name, content in (("From", evil if field == "from" else b"<care@me.example>"), ("Message-ID", b"<%s@me.example>" % (evil if field == "msgid" else queue_id.encode())),
                                  ("Subject", evil if field == "subject" else b"x"), ("Cc", policies.folded(WIDE))):
                mta.header(name, content, one_id)
            mta.eoh(one_id)
            return mta.eom(one_id)

    def test_every_byte(self):
        lines = 0
        for field in FIELDS:
            for byte in BYTES:
                with self.subTest("%s, byte %d" % (field, byte)):
                    mark = self.guard.mark()
                    answer = self.message(field, byte)
                    if answer is None or answer.verdict == "continue":
                        continue
                    daemon.wait_until(lambda: any("verdict" in line for line in self.guard.lines[mark:]), what="its line")
                    new = [line for line in self.guard.lines[mark:] if "verdict" in line]
                    self.assertEqual(len(new), 1, new)
                    self.assertRegex(new[0], PRINTABLE)
                    self.assertEqual(PRINTABLE.fullmatch(new[0]).group(), new[0])
                    self.check(new[0])
                    lines += 1
                    for text in (answer.reply or "", answer.quarantine() or ""):
                        self.assertNotRegex(text, r"[\x00-\x1f\x7f]")
        soak.measured("%s: %d bytes in each of %d fields: %d lines, each one line of its message", type(self).__name__, len(BYTES), len(FIELDS), lines)


class AsText(Logged, guardcase.GuardCase):
    POLICY = TEXT

    def check(self, line):
        found = daemon.parse(line)
        self.assertIsNotNone(found, line)
        self.assertNotIn(FORGED, line)
        self.assertIn(found.rule, ("wide", "default", "error:wide"))


class AsJson(Logged, guardcase.GuardCase):
    POLICY = TEXT
    CONFIG = {("log", "format"): "json"}

    def check(self, line):
        found = json.loads(line[line.index("{"):])
        self.assertIn(found["rule"], ("wide", "default", "error:wide"))


class Shown(review.ReviewCase):
    """What an author's message can bring: to list, show and their JSON, and to a terminal."""

    MTAS = soak.MTAS

    def test_every_byte(self):
        groups = [range(first, min(first + 32, 256)) for first in range(1, 256, 32)]
        for group in groups if soak.LONG else soak.chance("fields").sample(groups, 1):
            raw = b"".join(b"a%cb " % byte for byte in group if byte not in (10, 13))
            subject, text = self.message(cc=WIDE)
            data = text.encode().replace(b"\n", b"\r\n").replace(b"Subject: " + subject.encode(), b"Subject: " + raw).replace(b"From: <", b"From: \"" + raw.replace(b'"', b"").replace(b"\\", b"") + b"\" <")
            reply = self.mta.send("plain", mtacase.SENDER, WIDE, data)
            self.assertEqual(reply.code, 250, reply)
            daemon.wait_until(lambda: reply.queue_id in self.mta.held(), review.mta.LIMIT, "the hold")
            with self.subTest("bytes %d to %d" % (group[0], group[-1])):
                for command in ("list",), ("show", reply.queue_id), ("show", "--text", reply.queue_id):
                    result = self.ask(*command)
                    self.assertEqual(result.code, 0, result)
                    self.assertEqual(review.PLAIN.fullmatch(result.out) is not None, True, result.out)
                    code, screen = self.on_terminal(*command)
                    self.assertEqual(code, 0)
                    self.assertIsNotNone(review.PLAIN.fullmatch(screen.decode("utf-8")), screen)
                self.assertEqual([each["id"] for each in self.done("list", "--json").json() if each["state"] == "held"], self.mta.held())
                for line in self.done("show", "--json", reply.queue_id).out.splitlines():
                    json.loads(line)
            self.mta.drop(reply.queue_id)
            self.done("list")


if __name__ == "__main__":
    review.main(soak.LIMIT)
