"""What reviewers are shown: why mail is held, whose it is, what became of it; and how ledger and queue are brought together."""

import base64
import calendar
import os
import pwd
import re
import shutil
import subprocess
import time

import daemon
import ledgerfile
import mta
import mtacase
import policies
import privacy
import review

# What a terminal would act on: colour, the title, the cursor, another line, other directions, C1.
EVIL = "\x1b[31;5m\x1b]0;title\x07\x1b[2J\x1b[H\rfirst\x08\x08\u202eright\u200bto\u2066left\u009b1m"


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Shown(review.ReviewCase):
    # ---- list

    def test_list(self):
        """the newest first, with what one needs to know"""
        held = [self.hold(way) for way in ("plain", "sendmail", "auth")]
        found = self.listed()
        self.assertEqual(list(found)[:3], [one.id for one in reversed(held)])
        one = found[held[0].id]
        self.assertEqual({key: one[key] for key in ("state", "on_hold", "sender", "user", "client", "subject", "rule", "text", "visible", "parties", "domains", "internal",
                                                    "hidden", "recipients", "defects", "approvals", "approvals_needed", "who", "reason", "requeued")},
                         {"state": "held", "on_hold": True, "sender": mtacase.SENDER, "user": None, "client": "127.0.0.1", "subject": held[0].subject, "rule": "wide-cc",
                          "text": "wide Cc: 12 addresses, 12 parties", "visible": 12, "parties": 12, "domains": 12, "internal": 0, "hidden": 0, "recipients": 12,
                          "defects": [], "approvals": 0, "approvals_needed": 1, "who": None, "reason": None, "requeued": None})
        self.assertLess(abs(time.time() - mta_time(one["arrival"])), 600)
        self.assertLess(one["age"], 600)
        self.assertEqual(found[held[2].id]["user"], "care")
        text = self.done("list").out
        self.assertEqual([line.split()[0] for line in text.splitlines()[1:4]], [one.id for one in reversed(held)])
        for line in text.splitlines()[1:4]:
            self.assertRegex(line, r"^\S+ +\d+ (?:s|min) +12 +12 +wide-cc +care@me\.example +test ")
        self.assertEqual(privacy.leaks([text, *self.done("list", "--json").out.splitlines()]), [])

    def test_filters(self):
        held = [self.hold(), self.hold(sender="Boss@me.example"), self.hold(sender="clinic@me.example", people=review.WIDE[:3])]
        for row, age in zip(held, (0, 7200, 86400 * 3)):
            for column in "began", "judged":
                ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s = %s - ? WHERE queue_id = ?" % (column, column), age * 1000000, row.id)
            self.mta.age(row.id, age)
        for arguments, wanted in (((), (0, 1, 2)), (("--sender", mtacase.SENDER), (0,)), (("--sender", "boss@ME.example"), (1,)), (("--sender", "@me.example"), (0, 1, 2)),
                                  (("--sender", "@example"), ()), (("--sender", "<>"), ()), (("--rule", "sensitive"), (2,)), (("--rule", "wide"), ()),
                                  (("--older", "1h"), (1, 2)), (("--older", "1d"), (2,)), (("--newer", "90m"), (0,)), (("--older", "1h", "--newer", "1d"), (1,)),
                                  (("--state", "held"), (0, 1, 2)), (("--state", "untracked"), ()), (("--state", "released"), ())):
            with self.subTest(arguments):
                self.assertEqual(set(self.listed(*arguments)), {held[index].id for index in wanted})
        self.done("release", held[1].id, reason="ok")
        self.assertEqual(set(self.listed()), {held[0].id, held[2].id})
        self.assertEqual(set(self.listed("--state", "released", "--newer", "1d")) & {one.id for one in held}, {held[1].id})
        self.assertEqual(set(self.listed("--all")) & {one.id for one in held}, {one.id for one in held})
        self.assertIn("  released by root  ", self.done("list", "--all", "--sender", "boss@me.example").out)

    def test_nothing(self):
        result = self.done("list")
        self.assertEqual(result.out, "Nothing waits.\n")
        self.assertEqual(self.done("list", "--json").out, "")

    # ---- show

    def test_show(self):
        """why, in words; who and what; nobody's address"""
        people = policies.people(9) + ["a@acme.example", "b@acme.example", "c@acme.example"] + ["x%d@free1.test" % n for n in range(5)]
        held = self.hold("auth", people=people + ["hidden@blind.example"], to=people[:4], cc=people[4:])
        text = self.done("show", held.id).out
        for pattern in (r"^%s  on hold for \d+ (?:s|min), since " % held.id, r"^Held because  wide Cc: 17 addresses, 15 parties$", r"^Rule          wide-cc, line \d+ of policy [0-9a-f]{12}$",
                        r"^  holds when  parties\(external\) >= 10     has 15$", r"^              or visible\(external\) >= 40  has 17$",
                        r"^Sender        care@me\.example, login care, client 127\.0\.0\.1$", r"^From          <care@me\.example>$", r"^Subject       %s$" % held.subject,
                        r"^Message-ID    <%s@me.example>$" % held.subject.replace(" ", "."), r"^Recipients    17 outside of 15 parties in 11 domains, 0 inside; Bcc: 1$",
                        r"^  stand in    To: 4, Cc: 13$", r"^Parties          5  free1\.test \(individuals\) +3  acme\.example$"):
            self.assertRegex(text, re.compile(pattern, re.M))
        self.assertEqual(privacy.leaks([text]), [])
        self.assertLessEqual(len(text.splitlines()), 24)
        parties = self.done("show", "--parties", held.id).out
        self.assertRegex(parties, re.compile(r"^Parties           5  freemail        free1\.test \(individuals\)$", re.M))
        self.assertRegex(parties, re.compile(r"^                  3  other           acme\.example$", re.M))

        found, = self.done("show", "--json", held.id).json()
        self.assertEqual(found["why"], [{"condition": "parties(external) >= 10", "has": "15"}, {"condition": "or visible(external) >= 40", "has": "17"}])
        self.assertEqual(found["largest"][:2], [{"party": "free1.test", "class": "freemail", "individuals": True, "people": 5, "parties": 5},
                                                {"party": "acme.example", "class": "other", "individuals": False, "people": 3, "parties": 1}])
        self.assertEqual({each["name"] for each in found["headers"]}, {"From", "Subject", "Date", "Message-ID"})
        self.assertNotIn("visible_recipients", found)

    def test_recipients(self):
        """only where they are asked for: the visible with their fields, then the hidden"""
        people = ["ann@x.example", "Bob@Y.example", *policies.people(10)]
        held = self.hold(people=people + ["blind@z.example"], to=people[:2], cc=people[1:])
        text = self.done("show", "--recipients", held.id).out
        self.assertRegex(text, re.compile(r"^To            ann@x\.example$", re.M))
        self.assertRegex(text, re.compile(r"^To, Cc        bob@y\.example$", re.M))
        self.assertRegex(text, re.compile(r"^hidden \(Bcc\)  blind@z\.example$", re.M))
        found, = self.done("show", "--recipients", "--json", held.id).json()
        self.assertEqual(found["visible_recipients"][:2], [{"fields": "To", "address": "ann@x.example", "name": None}, {"fields": "To, Cc", "address": "bob@y.example", "name": None}])
        self.assertEqual((len(found["visible_recipients"]), found["hidden_recipients"], found["recipients_cut"]), (12, ["blind@z.example"], False))
        self.done("delete", held.id, reason="x")
        self.refused(review.GONE, "on hold no longer", "show", "--recipients", held.id)

    def test_policy_then(self):
        """the rule is the one that was in force, whatever the policy says now"""
        held = self.hold()
        self.guard.set_policy(policies.policy(rules='rule wide-cc {\n when parties(external) >= 3\n quarantine "three"\n}\n'))
        self.guard.reload()
        try:
            later = self.hold(people=review.WIDE[:4])
            self.assertIn("parties(external) >= 10", self.done("show", held.id).out)
            self.assertIn("parties(external) >= 3", self.done("show", later.id).out)
        finally:
            self.guard.set_policy(self.POLICY)
            self.guard.reload()

    def test_message(self):
        held = self.hold()
        text = self.done("show", "--message", held.id).out
        self.assertIn("\nSubject: %s\n" % held.subject, text)
        self.assertIn("\nHello.\n", text)
        raw = self.done("show", "--raw", held.id).out
        self.assertTrue(raw.startswith("Received: "), raw[:80])
        self.assertIn("\n\nHello.\n", raw)
        found, = self.done("show", "--message", "--json", held.id).json()
        self.assertEqual(found["message"], raw)
        code, bytes_ = self.on_terminal("show", "--raw", held.id)
        self.assertEqual(code, review.USAGE, bytes_)
        # The tool of the policy reads it and agrees.
        done = subprocess.run([os.path.join(daemon.BUILD, "rcptguard"), "explain", "-p", self.guard.policy_path, "-"], input=raw.encode(), stdout=subprocess.PIPE, check=False,
                              env=daemon.environment())
        self.assertIn(b": quarantine by wide-cc", done.stdout)

    def test_terminal(self):
        """whatever a message holds, a terminal gets printable text and the ends of lines"""
        subject = "Invoice %s" % EVIL.replace("\r", "")
        encoded = "=?utf-8?b?%s?=" % base64.b64encode(("\x1b[2J" + EVIL).encode()).decode()
        for one in (subject, encoded):
            held = self.hold(headers=[("X-Mailer", EVIL.replace("\r", "")), ("Reply-To", encoded)], subject=one)
            for name, arguments in (("list", ()), ("list", ("--all",)), ("show", (held.id, "--recipients", "--message")), ("log", ()), ("list", ("--json",)),
                                    ("show", (held.id, "--recipients", "--message", "--json"))):
                code, text = self.on_terminal(name, *arguments)
                self.assertEqual(code, 0, text)
                self.assertIsNotNone(review.PLAIN.fullmatch(text.decode("utf-8")), "%s %r" % (name, text))
                if name != "log":
                    self.assertIn(b"\\u001b", text)
        self.done("delete", held.id, reason=EVIL.replace("\x00", ""))
        for name, arguments in (("log", (held.id,)), ("show", (held.id,)), ("list", ("--all",))):
            _code, text = self.on_terminal(name, *arguments)
            self.assertIsNotNone(review.PLAIN.fullmatch(text.decode("utf-8")), text)
        self.assertTrue(all(line.isprintable() for line in self.guard.lines))

    def test_every_byte(self):
        """in the subject, the sender's name, the Message-ID and a program's name, raw and encoded: a terminal gets nothing else"""
        raw = [bytes(byte for byte in range(start, start + 64) if byte not in b"\0\n\r") for start in range(0, 256, 64)]
        wide = [chr(number).encode() for number in (0x85, 0x9b, 0xad, 0x61c, 0x200b, 0x200e, 0x202a, 0x202e, 0x2028, 0x2029, 0x2066, 0x2069, 0xfeff, 0x301, 0xe0001)]
        for value in [*raw, b"".join(wide)]:
            encoded = "=?utf-8?b?%s?=" % base64.b64encode(b"a" + value + b"\r\n\0z").decode()
            text = value.decode("utf-8", "surrogateescape")
            for one in (text, encoded):
                held = self.hold(headers=[("X-Mailer", one), ("Reply-To", "%s <care@me.example>" % one), ("Sender", one)], subject="a%sz" % one)
                for name, arguments in (("list", ()), ("show", (held.id, "--recipients")), ("show", (held.id, "--message")), ("show", (held.id, "--text")), ("list", ("--json",))):
                    code, shown = self.on_terminal(name, *arguments)
                    self.assertEqual(code, 0, shown)
                    self.assertIsNotNone(review.PLAIN.fullmatch(shown.decode("utf-8")), "%s %r" % (name, shown))
                _code, shown = self.on_terminal("list")
                self.assertEqual(len(shown.split(b"\r\n")), 5 + 2 * len(self.done("list", "--json").json()), shown)
                self.done("delete", held.id, reason="x")

    def test_screen(self):
        """list and show fit a terminal of 80 by 24"""
        for _ in range(5):
            held = self.hold("auth", people=policies.people(45), subject="A subject that is by far too long to stand in a line of eighty columns with all the rest")
        for name, arguments in (("list", ()), ("show", (held.id,))):
            code, text = self.on_terminal(name, *arguments)
            lines = text.decode("utf-8").replace("\r\n", "\n").split("\n")
            self.assertEqual(code, 0)
            self.assertLessEqual(max(len(line) for line in lines), 80, text)
            self.assertLessEqual(len(lines), 25)

    # ---- the process that reads

    def test_reader(self):
        """messages are parsed by a process without root, which gains none and whose system calls are filtered"""
        filtered = "0" if "libseccomp none" in subprocess.run([review.PROGRAM, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout else "2"
        process = subprocess.Popen([review.PROGRAM, "--read-message", "1", "1", daemon.USER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=daemon.environment())
        try:
            status = daemon.wait_until(lambda: (lambda found: found if found["NoNewPrivs"] == "1" and found["Seccomp"] == filtered else None)(daemon.status(process.pid)), what="its confinement")
            user = pwd.getpwnam(daemon.USER)
            self.assertEqual(status["Uid"].split(), [str(user.pw_uid)] * 4)
            self.assertEqual(status["Gid"].split(), [str(user.pw_gid)] * 4)
            self.assertNotIn("0", status["Groups"].split())
            self.assertEqual((status["CapEff"], status["CapPrm"], status["NoNewPrivs"]), ("0" * 16, "0" * 16, "1"))
        finally:
            out, _err = process.communicate(b"sender: a@x\nrecipient: b@y.example\n*** MESSAGE CONTENTS hold/1 ***\nSubject: x\nTo: c@z.example\n")
        self.assertEqual((process.returncode, out), (0, b"hSubject\tx\naTo\t1\nvTo\tc@z.example\nbb@y.example\n"))

    def test_reader_is_used(self):
        """without its user nothing is parsed, and the rest is shown all the same"""
        held = self.hold()
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder)
        ledgerfile.copy(self.guard.ledger_path, os.path.join(folder, "ledger.db"))
        values = {("milter", "policy"): self.guard.policy_path, ("milter", "user"): "root", ("ledger", "path"): os.path.join(folder, "ledger.db")}
        values.update({("review", key): value for key, value in self.mta.review_keys().items()})
        daemon.write_config(self.config_path, values)
        result = self.ask("show", held.id)
        self.assertEqual(result.code, 0, result)
        self.assertRegex(result.out, "Not read +the process that reads messages: the user `root` is root")
        self.refused(review.PASSING, "is root", "show", "--recipients", held.id)

    # ---- log and doctor

    def test_log(self):
        held = self.hold()
        other = self.hold()
        self.done("release", held.id, reason="agreed with \"care\"")
        self.done("delete", other.id, reason="no")
        text = self.done("log", held.id).out
        self.assertRegex(text, r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC   %s +root +release +"agreed with "care""\n$' % held.id)
        lines = self.done("log").out.splitlines()
        self.assertRegex(lines[-1], r'%s +root +delete +"no"$' % other.id)
        found, = self.done("log", "--json", other.id).json()
        self.assertEqual({key: found[key] for key in ("id", "who", "action", "reason", "detail")}, {"id": other.id, "who": "root", "action": "delete", "reason": "no", "detail": None})
        self.assertEqual(self.done("log", "--newer", "1d", other.id).out, self.done("log", other.id).out)
        self.refused(review.WRONG, "is not known to the ledger", "log", "4NoSuchThing")

    def test_log_since(self):
        """entries of that time or later, by whatever zone the time is given in"""
        first, second = self.hold(), self.hold()
        self.done("delete", first.id, reason="no")
        self.done("delete", second.id, reason="no")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE history SET at = at - 2 * 86400000000 WHERE held = (SELECT id FROM held WHERE queue_id = ?)", first.id)
        at = ledgerfile.query(self.guard.ledger_path, "SELECT at FROM history JOIN held ON held.id = held WHERE queue_id = ?", second.id)[0]["at"] // 1000000
        for since, wanted in ((utc(at), True), (utc(at + 1), False), (utc(at - 3 * 86400), True), (utc(at)[:10], True), (utc(at + 86400)[:10], False),
                              (utc(at + 3600)[:-1] + "+01:00", True), (utc(at + 3601)[:-1] + "+01:00", False), (utc(at - 5400)[:-1] + "-01:30", True)):
            with self.subTest(since):
                self.assertEqual(second.id in {each["id"] for each in self.done("log", "--utc", "--json", "--since", since).json()}, wanted)
        self.assertEqual([each["id"] for each in self.done("log", "--json", "--since", utc(at - 86400), first.id).json()], [])
        self.assertEqual(self.done("log", "--since", utc(at - 3 * 86400), first.id).out, self.done("log", first.id).out)

    def test_doctor(self):
        """what review rests on; tests/mta/doctor.py has the rest of it"""
        self.hold()
        rests = {"ledger", "integrity", "queue", "agreement", "oldest", "identities", "groups"}
        everybody = {right: "root" for right in ("list", "show", "release", "return", "delete")}
        self.configure(**everybody)
        found = {one["check"]: one["severity"] for one in self.ask("doctor", "--json").json() if one["check"] in rests}
        self.assertEqual(found, dict.fromkeys(rests, "ok"))
        self.configure(**{**everybody, "release": "rcptguard-nobody-is-in-here", "approvals": 2})
        result = self.ask("doctor")
        self.assertEqual(result.code, review.WRONG)
        self.assertRegex(result.out, r"(?m)^error +groups +\[review\] names the group\s+`rcptguard-nobody-is-in-here`, and there is none")
        self.assertRegex(result.out, r"(?m)^error +identities +\[review\] asks for two reviewers and names no")

    # ---- ledger and queue

    def test_by_hand(self):
        """what is released or deleted by hand is noticed, once"""
        held = [self.hold() for _ in range(3)]
        self.assertEqual([self.state(one.id) for one in held], ["pending"] * 3)
        self.listed()
        self.assertEqual([self.state(one.id) for one in held], ["held"] * 3)
        self.mta.release(held[0].id)
        self.mta.drop(held[1].id)
        self.assertEqual(set(self.listed()), {held[2].id})
        self.assertEqual([self.state(one.id) for one in held], ["left", "left", "held"])
        self.listed()
        self.assertEqual(self.events(held[0].id), [(None, "left", None, None)])

    def test_unique_id(self):
        """an id with the time in it is enough, whatever the times and the Message-ID: it is never used again"""
        held = [self.hold("sendmail"), self.hold(), self.hold()]
        self.mta.age(held[0].id, 600)  # sendmail(1) took it long before it was judged
        judge_earlier(self.guard, held[1])
        for one in held:
            ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET message_id = 'another@me.example' WHERE queue_id = ?", one.id)
        found = self.listed()
        self.assertEqual([(found[one.id]["state"], found[one.id]["on_hold"]) for one in held], [("held", True)] * 3)

    def test_return_unjudged(self):
        """by the policy's own idea of outbound, our notice is not judged at all"""
        held = self.hold(sender="nora@me.example")
        daemon.wait_until(lambda: self.guard.verdicts(held.id), mta.LIMIT, "the line of the message")
        mark = self.guard.mark()
        self.done("return", held.id, reason="x")
        daemon.wait_until(lambda: len([one for one in self.mta.deliveries() if one.recipients == ["nora@me.example"]]) == 2, mta.LIMIT, "the notice and the bounce")
        later = self.hold()
        daemon.wait_until(lambda: self.guard.verdicts(later.id), mta.LIMIT, "the line of the message after it")
        self.assertEqual(len([line for line in self.guard.lines[mark:] if " verdict=" in line]), 1)


class ShortIds(review.ReviewCase):
    """Postfix's queue ids without the time in them are used again."""

    MTAS = ("postfix",)
    EXTRA = {"postfix": "enable_long_queue_ids = no\n"}

    def change(self, held, **columns):
        """The row is that of another message."""
        for column, value in columns.items():
            ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s = ? WHERE queue_id = ?" % column, value, held.id)

    def assertAnother(self, *held, state="pending"):
        """On hold, and neither released nor shown as the message of the row with its id."""
        found = self.done("list", "--all", "--json").json()
        for one in held:
            self.assertCountEqual([(each["state"], each["on_hold"]) for each in found if each["id"] == one.id], [("untracked", True), (state, False)])
            for action in "release", "return", "delete":
                self.refused(review.WRONG, "is on hold, but not by rcptguard", action, one.id, reason="x")
        self.assertOnHold(*held)

    def test_reused_id(self):
        """a later message under the same queue id is not the row's: not with the sender alone, the Message-ID alone, or a row without one"""
        held = [self.hold() for _ in range(3)]
        for one in held:
            judge_earlier(self.guard, one)
        self.change(held[0], message_id="another@me.example")
        self.change(held[1], sender="boss@me.example")
        self.change(held[2], message_id=None)
        self.assertAnother(*held)

    def test_reused_later(self):
        """one that was seen on hold and has left: not even with the same sender and Message-ID"""
        held = self.hold()
        self.done("list")
        self.change(held, arrival=self.row(held.id)["arrival"] - 5000000)
        self.assertAnother(held, state="left")

    def test_waited(self):
        """sendmail(1) took it long before it was judged: the Message-ID tells"""
        held = [self.hold("sendmail"), self.hold("sendmail")]
        for one in held:
            self.mta.age(one.id, 600)
        self.change(held[1], message_id="another@me.example")
        found = self.listed()
        self.assertEqual([found[one.id]["state"] for one in held], ["held", "untracked"])


def judge_earlier(guard, held):
    """The row is of 5 s before the message arrived."""
    for column in "began", "judged":
        ledgerfile.execute(guard.ledger_path, "UPDATE held SET %s = %s - 5000000 WHERE queue_id = ?" % (column, column), held.id)


def mta_time(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


if __name__ == "__main__":
    review.main(240)
