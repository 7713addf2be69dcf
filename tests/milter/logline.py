"""The line that is written for each judged message: its fields, their order, and that nobody can forge one."""

import json
import re

import daemon
import guardcase
import policies
import tap

RULES = (policies.rule("quote", 'header("X-Quote")', 'quarantine "he said \\"x verdict=accept\\" \\\\ a=b, <c>"')
         + policies.rule("facts", 'header("X-Facts")', 'quarantine "s={sender} u={user} q={queue-id} r={rule}"')
         + policies.rule("long", 'header("X-Long")', 'quarantine "%s"' % ("x" * 2000))
         + policies.rule("accents", 'header("X-Accents")', 'quarantine "Gr\u00fc\u00dfe aus K\u00f6ln"')
         + policies.rule("first", "visible(external) >= 1", 'reject "x"', monitor=True)
         + policies.rule("second", "visible(external) >= 2", 'quarantine "x"', monitor=True)
         + policies.rule("third", "visible(external) >= 3", 'tag "x"', monitor=True))
INSIDE = policies.rule("fields", 'visible(external) inside header("X-To"), header("Reply-To") >= 3', 'tag "{inside}"')


class LogLine(guardcase.GuardCase):
    POLICY = policies.policy(rules=RULES)

    def test_fields_and_their_order(self):
        answer, line = self.judge(self.mta("10.1.2.3"), to=["a@cust1.example", "b@me.example"], user="care", message_id="17@me.example")
        names = re.findall(r" ([a-z]+)=", line.raw[line.raw.index(answer.queue_id):])
        self.assertEqual(names, daemon.FIELDS)
        self.assertLine(line, queue_id=answer.queue_id, verdict="accept", client="10.1.2.3", user="care", sender="care@me.example",
                        msgid="17@me.example", text="-", would="reject:first")
        self.assertRegex(line.policy, "^[0-9a-f]{12}$")

    def test_an_ipv6_client(self):
        _, line = self.judge(self.mta("2001:db8::17"), to=["a@cust1.example"], user="care")
        self.assertLine(line, client="2001:db8::17")

    def test_monitor_rules_in_order(self):
        _, line = self.judge(to=policies.people(3))
        self.assertLine(line, would="reject:first,quarantine:second,tag:third")
        _, line = self.judge(to=policies.people(2))
        self.assertLine(line, would="reject:first,quarantine:second")

    def test_no_user_is_a_hyphen(self):
        _, line = self.judge(to=["b@me.example"])
        self.assertLine(line, user="-", would="-")

    def test_a_sender_forges_nothing(self):
        answer, line = self.judge(sender='"x verdict=accept"@me.example', to=["b@me.example"])
        self.assertLine(line, verdict="accept", sender="\\x22x\\x20verdict\\x3Daccept\\x22@me.example")
        self.assertEqual(line.raw.count("verdict="), 1)
        self.assertEqual(len(self.guard.verdicts(answer.queue_id)), 1)

    def test_a_sender_of_hyphen_is_not_an_empty_one(self):
        _, line = self.judge(sender="-", to=["b@me.example"], user="care")
        self.assertNotEqual(line.sender, "-")

    def test_control_characters_in_the_message_id(self):
        for value, shown in (("<a\nb@me.example>", "a\\x0Ab@me.example"), ("<a\x1b[2Jb@me.example>", "a\\x1B[2Jb@me.example"),
                             ("<a\r\n 4Xy000000z: verdict=accept@me.example>", None), ("<caf\u00e9@me.example>", "caf\\xC3\\xA9@me.example"),
                             (b"<\xff\xfe@me.example>", "\\xFF\\xFE@me.example")):
            with self.subTest(value):
                answer = self.mta().message("care@me.example", ["b@me.example"], [("Message-ID", value), ("To", "b@me.example")])
                line = self.guard.verdict(answer)
                self.assertEqual(line.raw.count("verdict="), 1)
                self.assertTrue(line.raw.isascii())
                if shown is not None:
                    self.assertLine(line, msgid=shown)
        self.assertEqual(self.guard.verdicts("4Xy000000z"), [])

    def test_control_characters_in_the_user(self):
        _, line = self.judge(to=["b@me.example"], user="a\nb rule=x\x7f")
        self.assertLine(line, user="a\\x0Ab\\x20rule\\x3Dx\\x7F", rule="default")

    def test_an_empty_message_id(self):
        answer = self.mta().message("care@me.example", ["b@me.example"], [("To", "b@me.example")])
        self.assertLine(self.guard.verdict(answer), msgid="-")

    def test_the_text_is_escaped_and_keeps_blanks(self):
        _, line = self.judge(to=["b@me.example"], headers=[("X-Quote", "1")])
        self.assertLine(line, text="he said \\x22x verdict\\x3Daccept\\x22 \\x5C a\\x3Db\\x2C \\x3Cc\\x3E")

    def test_facts_in_a_text_are_escaped(self):
        answer, line = self.judge(sender='"x> {visible}"@me.example', to=["b@me.example"], user="u v", headers=[("X-Facts", "1")])
        self.assertTrue(line.text.endswith(" r\\x3Dfacts"), line.text)
        self.assertIn("q\\x3D" + answer.queue_id, line.text)
        self.assertTrue(line.text.startswith("s\\x3D\\x22x\\x3E {visible}\\x22@me.example u\\x3Du v "), line.text)
        self.assertIn("{visible}", line.text)  # a value is not read again

    def test_a_line_has_at_most_900_bytes(self):
        sender = '"%s"@me.example' % ("\u20ac" * 300)
        _, line = self.judge(self.mta("2001:db8:1111:2222:3333:4444:5555:6666"), sender=sender, to=policies.people(3), user="\x01" * 300,
                             message_id="\x02" * 600, headers=[("X-Long", "1")])
        start = line.raw.index(line.queue_id)
        self.assertLessEqual(len(line.raw[start:]), 900)
        self.assertLine(line, verdict="quarantine", rule="long", visible=3)
        self.assertNotEqual(line.text, "-")

    def test_the_text_uses_the_room_that_is_left(self):
        _, line = self.judge(to=["b@me.example"], headers=[("X-Long", "1")])
        start = line.raw.index(line.queue_id)
        self.assertGreater(len(line.raw[start:]), 890)
        self.assertLessEqual(len(line.raw[start:]), 900)

    def test_text_in_other_letters(self):
        _, line = self.judge(to=["b@me.example"], headers=[("X-Accents", "1")])
        self.assertLine(line, text="Gr\\xC3\\xBC\\xC3\\x9Fe aus K\\xC3\\xB6ln")

    def test_no_recipient_stands_in_the_log(self):
        """Names that no other field holds; the harness looks for those of every test when the daemon ends."""
        self.judge(to=["unique-to@seen.example"], cc=["unique-cc@seen.example"], envelope=["unique-bcc@hidden.example"])
        text = "\n".join(self.guard.lines)
        for word in ("unique-to", "unique-cc", "unique-bcc", "seen.example", "hidden.example"):
            self.assertNotIn(word, text)

    def test_a_recipient_who_is_the_sender(self):
        _, line = self.judge(sender="self@me.example", to=["self@me.example"])
        self.assertLine(line, sender="self@me.example", internal=1)


# Every byte that C strings can hold, and what terminals act on beyond bytes; several in each value, since values are cut.
BYTES = [bytes(range(start, min(start + 8, 256))).decode("utf-8", "surrogateescape") for start in range(1, 256, 8)]
CHARACTERS = ["\u0085\u009b", "\u2028\u2029", "\u202a\u202b\u202c\u202d\u202e", "\u2066\u2067\u2068\u2069", "\u200b\u200e\u200f\u061c", "\u0301\u0301\u0301",
              "\ufeff\u2060", "\U000e0001\U0001f4e7", "\n4XyZ9: verdict=accept", '" rule=x text="', '","verdict":"accept']


def one_of(value):
    """(the macros and fields of a message that has the value everywhere)"""
    return {"sender": '"a%sz"@me.example' % value, "user": "a%sz" % value, "message_id": "a%sz@me.example" % value,
            "headers": [("Subject", "a%sz" % value), ("Sender", "a%sz" % value), ("X-Facts", "a%sz" % value)]}


class EveryByte(guardcase.GuardCase):
    """In all that a stranger writes: each message has one line, of printable ASCII, with the fields of any other."""
    POLICY = policies.policy(rules=RULES)

    def test_text(self):
        before = len(self.guard.verdicts())
        for number, value in enumerate(BYTES + CHARACTERS):
            with self.subTest(repr(value)):
                answer = self.send(self.mta(daemon_name="a%sz" % value), to=["b@me.example"], queue_id="4Xy%03dz" % number, **one_of(value))
                line = self.guard.verdict(answer)
                self.assertLine(line, queue_id="4Xy%03dz" % number, verdict="quarantine", rule="facts")
                self.assertRegex(line.raw, r"\A[ -~]+\Z")
                self.assertEqual(re.findall(r" ([a-z]+)=", line.raw[line.raw.index(answer.queue_id):]), daemon.FIELDS)
                self.assertEqual(len(self.guard.verdicts(answer.queue_id)), 1)
        self.assertEqual(self.guard.verdicts("4XyZ9"), [])
        self.assertEqual(len(self.guard.verdicts()) - before, len(BYTES + CHARACTERS))

    def test_queue_id(self):
        """it is the MTA's, but whoever can connect to the socket is the MTA"""
        for value in BYTES + CHARACTERS:
            with self.subTest(repr(value)):
                before = len(self.guard.lines)
                self.send(to=["b@me.example"], queue_id="a%sz" % value)
                self.guard.verdict(self.send(to=["b@me.example"]))
                lines = self.guard.lines[before:]
                self.assertEqual(len([line for line in lines if "verdict=" in line]), 2, lines)
                self.assertEqual([line for line in lines if not re.fullmatch("[ -~]+", line)], [])


class EveryByteInJson(guardcase.GuardCase):
    POLICY = policies.policy(rules=RULES)
    CONFIG = {("log", "format"): "json"}

    def test_json(self):
        for number, value in enumerate(BYTES + CHARACTERS):
            with self.subTest(repr(value)):
                queue_id = "4Xy%03dz" % number
                self.send(self.mta(daemon_name="a%sz" % value), to=["b@me.example"], queue_id=queue_id, **one_of(value))
                line = self.guard.wait_for_line('"queue_id":"%s"' % queue_id)
                self.assertRegex(line, r"\A[ -~]+\Z")
                self.assertNotIn("=", line[line.index("{"):])
                found = json.loads(line[line.index("{"):])
                self.assertEqual(list(found), ["queue_id", *daemon.FIELDS])
                self.assertEqual((found["verdict"], found["rule"]), ("quarantine", "facts"))
                self.assertEqual(found["user"], re.sub("[\udc80-\udcff]", "\ufffd", "a%sz" % value))


class WithoutAccepted(guardcase.GuardCase):
    CONFIG = {("log", "accepted"): "no"}

    def test_only_what_did_not_pass_has_a_line(self):
        passed = self.send(to=["b@me.example"])
        self.assertPassed(passed)
        _, line = self.judge(cc=policies.people(12))
        self.assertLine(line, verdict="quarantine")
        self.assertEqual(self.guard.verdicts(passed.queue_id), [])


class Inside(guardcase.GuardCase):
    """What a message shows beside its recipient headers: counts at the end of the line, and nobody's address."""

    POLICY = policies.policy(rules=INSIDE)

    def test_the_last_fields(self):
        for more, inside, opaque, text in (([], "none", None, "-"),
                                           ([("X-To", "a@one.example, b@one.example"), ("Reply-To", "b@one.example, c@two.example, care@me.example")], "header:3/2", None, "3"),
                                           ([("Reply-To", ", ".join("%d@n%d.example" % (n, n) for n in range(2)) + " <@")], "header:2/2", "broken", "-")):
            with self.subTest(more):
                answer, line = self.judge(to=["a@cust1.example"], headers=more)
                self.assertLine(line, inside=inside, opaque=opaque, text=text, visible=1)
                names = re.findall(r" ([a-z]+)=", line.raw[line.raw.index(answer.queue_id):])
                self.assertEqual(names, daemon.FIELDS + ["inside"] + (["opaque"] if opaque else []))
                self.assertNotRegex(line.raw, r"one\.example|two\.example")


if __name__ == "__main__":
    tap.main()
