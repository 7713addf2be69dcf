"""Answers by mail about held mail: its sender releases it or has it back, with his login; everything else decides nothing.

Each way is whole: held, told, answered over the submission service, and carried out by `rcptguardq agent`.
"""

import os
import pathlib
import re
import time

import daemon
import decided
import devlog
import ledgerfile
import mta
import mtacase
import policies
import review

EXAMPLE = os.path.join(daemon.SOURCE, "packaging", "examples", "notice.txt")
ANSWERS = "guard@me.example"
CARE = mtacase.SENDER
MINUTE = 60 * 1000000  # microseconds

MINE_RULE = policies.rule("mine", 'header("X-Mine")', 'quarantine "{parties} outside" release by sender')
RULES = (policies.rule("boss", 'user = "boss"', "accept") + policies.rule("over", 'header("X-Over") and parties(external) >= 3', 'reject "{override}" override 10m') + policies.rule("slow", 'header("X-Slow")', 'quarantine "{parties} outside" release after 10m') + policies.rule("two", 'header("X-Two")', 'quarantine "{parties} outside" approvals 2') + MINE_RULE +
         policies.rule("why", 'header("X-Why")', 'quarantine "{parties} outside" release by sender with reason'))
SLOW = ("X-Slow", "yes")
MINE, WHY, TWO = ("X-Mine", "yes"), ("X-Why", "yes"), ("X-Two", "yes")


class AnswersCase(review.ReviewCase):
    POLICY = policies.policy(rules=RULES + policies.RULES)
    CONFIG = {("review", "notice"): EXAMPLE, ("review", "answers"): ANSWERS}
    REVIEW = {"notice": EXAMPLE, "answers": ANSWERS, "release": "games, news"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for login in "other", "boss":
            cls.mta.add_login(login)

    def tearDown(self):
        super().tearDown()
        # Notices of an author are few an hour.
        for table in "decision", "notice", "held":
            ledgerfile.execute(self.guard.ledger_path, "DELETE FROM " + table)
        ours = self.guard.lines + [line for line in devlog.lines() if re.search(r" rcptguard[dq]\[", line)] + self.said
        words = re.compile(r"[gcrbd]-[0-9]+-[a-z2-7]{13}|guard\+|test [0-9]+ of |@cust[0-9]+\.example", re.IGNORECASE)
        self.assertEqual([line for line in ours if words.search(line)], [], "a code, a subject or a recipient in our log")

    def setUp(self):
        super().setUp()
        self.said = []  # by what the units run, which is in the journal

    def ask(self, *arguments, **options):
        answer = super().ask(*arguments, **options)
        if arguments[0] in ("agent", "notify"):
            self.said += (answer.out + answer.err).splitlines()
        return answer

    def told(self, header=MINE, **options):
        """A held message, and the two addresses in its notice: (held, go, cancel)."""
        held = self.hold("auth", headers=[header], **options)
        return (held,) + self.notice(held)

    def notice(self, held):
        self.assertIn("%s: sent: %s" % (held.id, CARE), self.done("notify").out)
        def mails():
            return [one for one in self.mta.deliveries() if one.recipients == [CARE] and "(%s):" % held.id in one.message]
        daemon.wait_until(mails, mta.LIMIT, "the notice")
        mail, = mails()
        self.assertEqual(re.findall(r"guard\+", mail.header + mail.sender), [], "in the body alone")
        go, cancel = re.findall(r"mailto:(guard\+[^?]*)\?subject=Reason:%20", mail.message)
        self.assertIn("12 addresses outside, of 12 different", " ".join(mail.message.split()))
        return go, cancel

    def answer(self, address, subject="Reason: all of them know each other", recipients=None, login=None, sender=CARE, way="auth", headers=()):
        text = mta.message(subject, sender, [address], headers=headers)

        def send():
            with self.mta.connect(way, login=login) as session:
                return self.mta.transaction(session, sender, recipients or [address], text)
        return self.in_time(send)

    def taken(self, address, **options):
        reply = self.answer(address, **options)
        self.assertEqual((reply.stage, reply.code), ("data", 250), reply)
        return reply

    def refusedAnswer(self, words, address, held, **options):
        """550 with these words; nothing is decided, and the agent has nothing to do."""
        reply = self.answer(address, **options)
        self.assertEqual((reply.stage, reply.code), ("data", 550), reply)
        self.assertIn(words, " ".join(reply.text.split()))
        self.assertEqual(decided.rows(self, held.id), [])
        self.done("agent")
        self.assertOnHold(held)

    def agent(self):
        return self.done("agent").out

    def assertUntil(self, held, minutes):
        """Until when its sender can release it, in minutes after the notice; None: he cannot."""
        notice, = ledgerfile.query(self.guard.ledger_path, "SELECT at FROM notice WHERE held = ?", self.row(held.id)["id"]) or [None]
        wanted = None if minutes is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(notice["at"] // 1000000 + minutes * 60))
        self.assertEqual(self.shown(held)["sender_until"], wanted)

    def decided(self, held):
        """[(who, action, reason, way, state)] of show --json, and what came of the last one."""
        found = self.shown(held)["decisions"]
        return [tuple(each[key] for key in ("who", "action", "reason", "way", "state")) for each in found], found[-1]["detail"] if found else None


class Sender(AnswersCase):
    def test_go(self):
        """released as it is, once; the answer is delivered to nobody"""
        held, go, _ = self.told()
        sent = self.mta.deliveries()
        self.taken(go)
        self.assertEqual(decided.rows(self, held.id), [("release", "author", "care", 0, False)])
        self.assertIn("released", self.agent())
        self.assertArrived(held)
        self.assertEqual(decided.rows(self, held.id), [("release", "author", "care", review.DONE, True)])
        event = self.done("log", "--json", held.id).json()[-1]
        self.assertEqual((event["who"], event["action"], event["way"], event["reason"]), ("care", "release", "author", "all of them know each other"))
        self.assertLogged(held.id, r"release by=care .*reason=\"?all of them.* way=author")
        self.assertEqual([one for one in self.mta.deliveries() if any(name.startswith("guard+") for name in one.recipients)], [])
        line = self.guard.wait_for_line(r" verdict=accept rule=answer:taken ")
        self.assertNotIn("guard+", line)
        self.assertTrue(sent is not None)

    def test_as_without(self):
        """what arrives is what arrives of a message that is not held: each byte of header and body"""
        subject, text = self.message(CARE, cc=review.WIDE, headers=[MINE])
        held = review.Held(self.accepted("auth", review.WIDE, subject, text, CARE), subject, review.WIDE)
        daemon.wait_until(lambda: held.id in self.mta.held(), mta.LIMIT, "the hold")
        go, _ = self.notice(held)
        self.taken(go)
        self.agent()
        self.assertArrived(held)
        with self.mta.connect("auth", login="boss") as session:
            self.assertEqual(self.mta.transaction(session, CARE, review.WIDE, text).code, 250)
        daemon.wait_until(lambda: self.mta.recipients(subject) == sorted(review.WIDE * 2), mta.LIMIT, "the same from the boss")
        arrived = {mail.as_sent() for mail in self.mta.deliveries(subject)}
        self.assertEqual(len(arrived), 1, arrived)
        self.assertEqual(arrived.pop().split(), text.split())  # Sendmail folds anew

    def test_cancel(self):
        """it comes back to him, and nobody has it"""
        held, _, cancel = self.told()
        self.taken(cancel, subject="")
        self.assertIn("returned to its sender", self.agent())
        self.assertEqual(self.mta.recipients(held.subject), [])
        self.assertEqual(self.state(held.id), "returned")
        daemon.wait_until(lambda: [one for one in self.mta.deliveries() if one.recipients == [CARE] and "you had it returned" in one.message], mta.LIMIT, "the notice")

    def test_stop(self):
        """a message on delay comes back to him, however long he was told before; he cannot have it sent earlier"""
        held = self.hold("auth", headers=[SLOW])
        self.agent()
        def mails():
            return [one for one in self.mta.deliveries() if one.recipients == [CARE] and "(%s):" % held.id in one.message]
        daemon.wait_until(mails, mta.LIMIT, "the notice")
        mail, = mails()
        self.assertIn("is sent by itself after this time", mail.message)
        self.assertEqual(re.findall(r"guard\+", mail.header + mail.sender), [])
        cancel, = re.findall(r"mailto:(guard\+c-[^?]*)\?subject=Reason:%20", mail.message)
        self.refusedAnswer("its sender cannot decide", decided.answer_address(self, self.row(held.id), "care", "g", ANSWERS), held)
        self.refusedAnswer("only the login", cancel, held, login="other")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - ?", 180 * MINUTE)
        self.taken(cancel, subject="Reason: the wrong list")
        self.assertIn("returned to its sender", self.agent())
        self.assertEqual((self.mta.recipients(held.subject), self.state(held.id)), ([], "returned"))
        self.assertEqual(self.events(held.id)[-1][:3], ("care", "return", "the wrong list"))

    def test_any_case(self):
        held, go, _ = self.told()
        self.taken(go.upper())
        self.agent()
        self.assertArrived(held)

    def test_reason(self):
        """where the rule asks for one, in the subject; it is what the log says"""
        held, go, cancel = self.told(WHY)
        for subject in "", "Reason:", "Reason: ", "Re: Reason:  ":
            with self.subTest(subject):
                self.refusedAnswer("say why in the subject", go, held, subject=subject)
        self.taken(go, subject="Re: Reason: =?utf-8?q?sch=C3=B6n?= so")
        self.agent()
        self.assertArrived(held)
        self.assertEqual(self.events(held.id)[-1][2], "schön so")
        self.assertTrue(cancel)

    def test_teaches_nothing(self):
        """what the sender released himself is no reviewer's word: nothing is due to the state"""
        held, go, _ = self.told()
        self.taken(go)
        self.agent()
        self.assertArrived(held)
        self.assertEqual(ledgerfile.query(self.guard.ledger_path, "SELECT count(*) AS n FROM remembered WHERE due = 'learn'")[0]["n"], 0)


class Until(AnswersCase):
    """What show --json says of the time of the sender, and of what he decided."""

    def test_time(self):
        """from the notice on, which says so too, until it is over"""
        held = self.hold("auth", headers=[MINE])
        self.assertUntil(held, None)
        _, go, _ = (held,) + self.notice(held)
        self.assertUntil(held, 120)
        self.configure(sender_release="30m")
        self.assertUntil(held, 30)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - ?", 29 * MINUTE)
        self.assertUntil(held, 30)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - ?", 2 * MINUTE)
        self.assertUntil(held, None)
        self.configure()
        self.assertUntil(held, 120)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - ?", 120 * MINUTE)
        self.assertUntil(held, None)
        self.refusedAnswer("is over", go, held)

    def test_answer(self):
        """after an answer he has no second one; the answer waits, and then is done"""
        for word, action, code in (1, "release", "released"), (2, "return", "returned to its sender"):
            with self.subTest(action):
                told = self.told()
                held = told[0]
                self.assertUntil(held, 120)
                self.taken(told[word])
                self.assertUntil(held, None)
                self.assertEqual(self.decided(held), ([("care", action, "all of them know each other", "author", "waiting")], None))
                self.agent()
                self.assertUntil(held, None)
                done, detail = self.decided(held)
                self.assertEqual(done, [("care", action, "all of them know each other", "author", "done")])
                self.assertTrue(detail.startswith(code), detail)

    def test_refused(self):
        """a row that was forged decides nothing, and says why"""
        held, _, _ = self.told()
        decided.add_answer(self, held, "release", "care", b"\1" * 32)
        self.assertEqual(self.decided(held), ([("care", "release", "so", "author", "waiting")], None))
        self.agent()
        rows, detail = self.decided(held)
        self.assertEqual(rows, [("care", "release", "so", "author", "refused")])
        self.assertIn("no such code", detail)
        self.assertOnHold(held)

    def test_others(self):
        """no time for rules without the words, with two reviewers, or with a delay; nor once it is decided or gone"""
        held = [self.hold("auth", headers=[header]) for header in (TWO, SLOW, ("X-None", "yes"))]
        self.done("notify")
        for one in held:
            self.assertUntil(one, None)
        told, _, _ = self.told()
        self.assertUntil(told, 120)
        self.done("delete", told.id, reason="a reviewer was quicker")
        self.assertUntil(told, None)
        gone, _, _ = self.told(WHY)
        self.assertUntil(gone, 120)
        self.mta.drop(gone.id)
        self.assertUntil(gone, None)

    def test_configuration(self):
        """by what is configured now: two approvals, no answers"""
        held, _, _ = self.told()
        self.configure(approvals=2)
        self.assertUntil(held, None)
        self.configure()
        text = pathlib.Path(self.config_path).read_text(encoding="utf-8")
        daemon.write(self.config_path, text.replace("answers = %s\n" % ANSWERS, ""))
        self.assertNotEqual(pathlib.Path(self.config_path).read_text(encoding="utf-8"), text)
        self.assertUntil(held, None)
        self.configure()
        self.assertUntil(held, 120)

    def test_policy(self):
        """by the policy in force now: the rule asks a reviewer, has another name, or the policy cannot be read"""
        held, go, _ = self.told()
        text = pathlib.Path(self.guard.policy_path).read_text(encoding="utf-8")
        self.addCleanup(daemon.write, self.guard.policy_path, text)
        for changed in text.replace(MINE_RULE, MINE_RULE.replace(" release by sender", "")), text.replace("rule mine ", "rule ours "), "rule {":
            self.assertNotEqual(changed, text)
            daemon.write(self.guard.policy_path, changed)
            self.assertUntil(held, None)
        daemon.write(self.guard.policy_path, text)
        self.assertUntil(held, 120)
        self.taken(go)


class Nothing(AnswersCase):
    """What decides nothing, and says so at once."""

    def test_other_login(self):
        """a notice that was forwarded to a colleague"""
        held, go, cancel = self.told()
        self.refusedAnswer("only the login that sent", go, held, login="other")
        self.refusedAnswer("only the login that sent", cancel, held, login="other", sender="colleague@me.example")

    def test_without_login(self):
        held, go, _ = self.told()
        self.refusedAnswer("needs the login", go, held, way="plain")

    def test_other_recipients(self):
        held, go, cancel = self.told()
        for recipients in ([go, "ann@me.example"], ["ann@me.example", go], [go, cancel], ["x@out.example", go], [go, go.upper()]):
            with self.subTest(recipients):
                self.refusedAnswer("answer to this address alone", go, held, recipients=recipients)

    def test_automatic(self):
        held, go, _ = self.told()
        for value in "auto-replied", "auto-generated", "Auto-Replied; x=y", "no-really", "":
            with self.subTest(value):
                self.refusedAnswer("automatic", go, held, headers=[("Auto-Submitted", value)])
        self.refusedAnswer("automatic", go, held, sender="")
        self.taken(go, headers=[("Auto-Submitted", "no")])

    def test_twice(self):
        held, go, cancel = self.told()
        self.taken(go)
        for address in go, cancel:
            reply = self.answer(address)
            self.assertEqual((reply.code, "answered already" in reply.text), (550, True), reply)
        self.agent()
        self.assertArrived(held)
        reply = self.answer(go)
        self.assertEqual((reply.code, "decided already" in reply.text), (550, True), reply)
        self.assertEqual(len(decided.rows(self, held.id)), 1)

    def test_late(self):
        held, go, _ = self.told()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - ?", 121 * MINUTE)
        self.refusedAnswer("is over", go, held)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at + ?", 2 * MINUTE)
        self.taken(go)

    def test_before_the_notice(self):
        """a code that nobody was told of"""
        held, go, _ = self.told()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET state = 'wanted', tries = 0")
        self.refusedAnswer("is over", go, held)

    def test_forged(self):
        """of another message, for something else, with a letter changed"""
        held, go, cancel = self.told()
        other, other_go, _ = self.told()
        code, other_code = go[-24:-11], other_go[-24:-11]
        self.assertEqual(len({code, other_code, cancel[-24:-11]}), 3)
        row = self.row(held.id)["id"]
        for forged in (go.replace(code, other_code), go.replace("+g-", "+c-"), go.replace("+g-", "+r-"), go.replace("+g-", "+d-"), go.replace("-%d-" % row, "-%d-" % (row + 1000)),
                       go.replace(code, "b" + code[1:]) if code[0] != "b" else go.replace(code, "c" + code[1:]), go.replace(code, code[:-1]), go.replace(code, ""), go.replace("-%d-" % row, "-0-")):
            with self.subTest(forged):
                reply = self.answer(forged)
                self.assertEqual((reply.stage, reply.code), ("data", 550), reply)
        self.assertEqual(decided.rows(self, held.id) + decided.rows(self, other.id), [])

    def test_rules_without_the_words(self):
        """and where two reviewers are needed; the notice has no address"""
        for header in TWO, None:
            held = self.hold("auth", headers=[header] if header else [])
            self.assertIn("sent", self.done("notify").out)
            mails = daemon.wait_until(lambda id=held.id: [one for one in self.mta.deliveries() if "reference is %s" % id in one.message], mta.LIMIT, "the notice")
            self.assertNotIn("mailto:guard", mails[0].message)
            row = self.row(held.id)
            reply = self.answer(self.code(row, "g"))
            self.assertEqual((reply.code, "sender cannot decide" in reply.text), (550, True), reply)
            self.assertEqual(decided.rows(self, held.id), [])

    def code(self, row, word):
        return decided.answer_address(self, row, "care", word, ANSWERS)

    def test_forged_rows(self):
        """whoever has the ledger alone can write no answer that the agent carries out"""
        held, _, _ = self.told()
        for seal in None, b"\0" * 32, b"\1" * 32:
            decided.add_answer(self, held, "release", "care", seal)
        out = self.agent()
        self.assertEqual(out.count("no such code"), 3, out)
        self.assertOnHold(held)

    def test_taken_daemon(self):
        """whoever has the daemon's files can do no more than its sender: not for a rule without the words, not for a reviewer"""
        for header, action, way, words in ((TWO, "release", "author", "sender cannot decide"), (MINE, "delete", "author", "no such code|do not decide by mail"), (MINE, "release", "reviewer", "do not decide by mail")):
            held = self.hold("auth", headers=[header])
            self.done("list")
            row = self.row(held.id)
            word = {("release", "author"): "g", ("delete", "author"): "d", ("release", "reviewer"): "r"}[action, way]
            decided.add_answer(self, held, action, "care" if way == "author" else "games", decided.answer_seal(self, row, "care" if way == "author" else "games", word), way)
            self.assertRegex(self.agent(), "is not decided: .*(%s)" % words)
            self.assertOnHold(held)


def report(notice, recipient):
    """A bounce of a mail, as an MTA writes it, with the mail in it."""
    return ("From: MAILER-DAEMON@me.example\nTo: <%s>\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nI'm sorry.\n\n--b\nContent-Type: message/delivery-status\n\n"
            "Reporting-MTA: dns; me.example\n\nFinal-Recipient: rfc822; %s\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n%s\n\n%s\n--b--\n"
            % (recipient, CARE, notice.header, notice.message))


class Loops(AnswersCase):
    """What becomes of a notice by itself ends, and decides nothing."""

    def noticed(self, header=MINE):
        held, go, cancel = self.told(header)
        mail, = [one for one in self.mta.deliveries() if one.recipients == [CARE] and "(%s):" % held.id in one.message]
        return held, go, cancel, mail

    def assertNothingDecided(self, held):
        self.assertEqual(decided.rows(self, held.id), [])
        self.done("agent")
        self.assertOnHold(held)

    def wait_queue(self):
        """Nothing is on its way, but what is held, and what is for Sendmail's own postmaster, such as a bounce that bounced."""
        def others():
            return [one for one in self.mta.queue() if one["queue_name"] != "hold" and [to["address"].partition("@")[0] for to in one["recipients"]] != ["postmaster"]]
        daemon.wait_until(lambda: others() + others() == [], mta.LIMIT, lambda: "the end of what is on its way, %s," % others())

    def bounce(self, held, command):
        """A mail of ours that nobody takes: nobody gets another one for that, and the message stays held."""
        self.addCleanup(self.mta.start_sink)
        self.addCleanup(self.mta.stop_sink)
        self.wait_queue()  # what tests before have left
        sent, mark = len(self.mta.deliveries()), len(self.guard.lines)
        self.mta.refuse_in_sink()
        self.done(command)
        self.wait_queue()
        self.assertEqual(len(self.mta.deliveries()), sent)
        self.assertEqual([line for line in self.guard.lines[mark:] if "rule=answer:" in line], [])
        self.assertNothingDecided(held)

    def test_notice_bounces(self):
        self.bounce(self.hold("auth", headers=[MINE]), "notify")

    def test_digest_bounces(self):
        self.configure(digest_to="desk@me.example")
        self.bounce(self.hold("auth"), "digest")

    def test_addresses_of_the_notice(self):
        """where an answer goes that no person wrote: to nobody, or to the program's own address"""
        _, _, _, mail = self.noticed()
        self.assertEqual(mail.sender, "")
        self.assertIn("\nAuto-Submitted: auto-replied\n", mail.header)
        for name, value in re.findall(r"(?mi)^(From|Reply-To|Sender|Errors-To|Return-Path|Disposition-Notification-To):(.*)$", mail.header):
            self.assertNotIn("guard", value, name)

    def test_a_bounce_that_comes(self):
        """with the notice in it, to each address that it could go to"""
        held, go, cancel, mail = self.noticed()
        for address in go, cancel:
            for way in "auth", "plain":
                with self.mta.connect(way) as session:
                    reply = self.mta.transaction(session, "", [address], report(mail, address))
                self.assertEqual((reply.stage, reply.code), ("data", 550), reply)
        with self.mta.connect("plain") as session:
            self.assertEqual(self.mta.transaction(session, "", [ANSWERS], report(mail, ANSWERS)).code, 250)
        self.wait_queue()
        self.assertNothingDecided(held)

    def test_out_of_office(self):
        """of programs that know RFC 3834, and of one that answers to what it finds in the text"""
        held, go, cancel, mail = self.noticed()
        author, = re.findall(r"(?m)^From:.*<(.*)>", mail.header)
        body = "I am away.\n\n" + "".join("> %s\n" % line for line in mail.message.splitlines())
        for address, sender, headers in ((author, "", [("Auto-Submitted", "auto-replied")]), (author, CARE, []), (ANSWERS, CARE, [("Auto-Submitted", "auto-replied (vacation)")])):
            text = mta.message("Re: " + self.mta.new_subject(), CARE, [address], headers=headers, body=body)
            with self.mta.connect("auth") as session:
                self.mta.transaction(session, sender, [address], text)
        for address in go, cancel:
            self.refusedAnswer("automatic", address, held, headers=[("Auto-Submitted", "auto-replied"), ("Precedence", "bulk")])
            self.refusedAnswer("automatic", address, held, sender="", headers=[("X-Auto-Response-Suppress", "All")])
        self.wait_queue()
        self.assertNothingDecided(held)

    def test_forwarded(self):
        """the notice as a mail to a colleague is mail as any other; what he answers is refused"""
        held, go, _, mail = self.noticed()
        subject = self.mta.new_subject()
        text = mta.message(subject, CARE, ["boss@me.example"], body="%s\n\n%s" % (mail.header, mail.message))
        with self.mta.connect("auth") as session:
            self.assertEqual(self.mta.transaction(session, CARE, ["boss@me.example"], text).code, 250)
        daemon.wait_until(lambda: self.mta.recipients(subject) == ["boss@me.example"], mta.LIMIT, "the notice at the colleague's")
        self.refusedAnswer("only the login that sent", go, held, login="other", sender="boss@me.example")
        self.refusedAnswer("needs the login", go, held, way="plain", sender="boss@me.example")
        self.assertNothingDecided(held)

    def test_a_reply_to_the_notice(self):
        """what its subject quotes of the held one is no reason, and in no log"""
        held, go, _, mail = self.noticed(WHY)
        subject, = re.findall(r"(?m)^Subject: (.*)$", mail.header)
        self.assertIn(held.subject, subject)
        for prefix in "Re: ", "AW: ", "Fwd: ":
            self.refusedAnswer("say why in the subject", go, held, subject=prefix + subject)
        self.taken(go, subject="they know each other")
        self.agent()
        self.assertEqual(self.events(held.id)[-1][2], "they know each other")


class Digest(AnswersCase):
    """What senders decided themselves is in it, also if nothing waits."""

    REVIEW = {**AnswersCase.REVIEW, "digest_to": "desk@me.example"}

    def test_overridden(self):
        """by rule, with how many; in the mail and as a number"""
        self.assertIn("no mail was sent", self.done("digest").out)
        for _ in range(2):
            _, text = self.message(CARE, cc=review.WIDE[:5], headers=[("X-Over", "yes")])
            with self.mta.connect("auth") as session:
                reply = self.in_time(lambda session=session, text=text: self.mta.transaction(session, CARE, review.WIDE[:5], text))
                self.assertEqual(reply.code, 550, reply)
                envelope = review.WIDE[:5] + re.findall(r"guard\+o-[a-z2-7]{13}@me\.example", reply.text)
                self.assertEqual(len(envelope), 6)
                reply = self.in_time(lambda session=session, text=text, envelope=envelope: self.mta.transaction(session, CARE, envelope, text))
                self.assertEqual(reply.code, 250, reply)
        found, = self.done("digest", "--json").json()
        self.assertEqual((found["waiting"], found["overridden"], found["released-by-senders"], found["sent"]), (0, 2, 0, 1))
        def mails():
            return [one for one in self.mta.deliveries() if one.recipients == ["desk@me.example"] and "overrode" in one.message]
        mail = daemon.wait_until(mails, mta.LIMIT, "the digest")[-1]
        self.assertRegex(mail.message, r"(?s)Nothing waits for review\.\n\nRefusals that their senders overrode within a day, by rule:\n  over +2\n")
        self.assertNotRegex(mail.message, r"o-[a-z2-7]{13}|@cust|care")

    def test_released(self):
        """with login and reason; not that he had one back"""
        held, go, _ = self.told()
        other, _, cancel = self.told()
        self.taken(go, subject="Reason: they know each other")
        self.taken(cancel, subject="Reason: a mistake")
        self.agent()
        self.assertArrived(held)
        self.assertEqual(self.done("digest", "--json").json()[0]["released-by-senders"], 1)
        mail = daemon.wait_until(lambda: [one for one in self.mta.deliveries() if one.recipients == ["desk@me.example"] and held.id in one.message], mta.LIMIT, "the digest")[-1]
        self.assertRegex(mail.message, r"Released by their senders within a day:\n  %s +care +they know each other\n" % held.id)
        self.assertNotIn(other.id, mail.message)


class Reviewers(AnswersCase):
    """By an answer to the digest, where that is switched on."""

    CONFIG = {**AnswersCase.CONFIG, ("review", "reviewers-by-mail"): "yes"}
    REVIEW = {**AnswersCase.REVIEW, "reviewers-by-mail": "yes", "return": "games, news", "delete": "games", "digest-to": "ann@me.example, bob@me.example, desk@me.example"}
    PEOPLE = "games: ann@me.example user:ann\nnews: bob@me.example user:bob\n"

    @classmethod
    def setUpClass(cls):
        path = os.path.join(daemon.temporary_directory(), "identities")
        os.chmod(os.path.dirname(path), 0o755)
        cls.identities = daemon.write(path, cls.PEOPLE)
        os.chmod(path, 0o644)
        cls.CONFIG = {**cls.CONFIG, ("review", "identities"): path}
        super().setUpClass()
        for login in "ann", "bob":
            cls.mta.add_login(login)

    @classmethod
    def configure(cls, **keys):
        return super().configure(identities=cls.identities, **keys)

    def digest(self, who, held):
        """The addresses that somebody's digest has of a message: {word: address}"""
        def mails():
            return [one for one in self.mta.deliveries() if one.recipients == [who + "@me.example"] and held.id in one.message]
        daemon.wait_until(mails, mta.LIMIT, "the digest")
        part = mails()[-1].message.rpartition("\n%s\n" % held.id)[2] if "\n%s\n" % held.id in mails()[-1].message else ""
        return {found.partition("+")[2][0]: found for found in re.findall(r"mailto:(guard\+[^?]*)\?", part.partition("\n\n")[0])}

    def test_release(self):
        """by his own code and login alone, with his rights"""
        held = self.hold("auth")
        self.done("digest")
        ann, bob, desk = (self.digest(who, held) for who in ("ann", "bob", "desk"))
        self.assertEqual((sorted(ann), sorted(bob), desk), (["b", "d", "r"], ["b", "r"], {}))
        self.assertEqual(set(ann.values()) & set(bob.values()), set())
        for address, login in (ann["r"], "bob"), (ann["r"], "care"), (bob["r"].replace("+r-", "+d-"), "bob"):
            reply = self.answer(address, login=login)
            self.assertEqual((reply.stage, reply.code), ("data", 550), reply)
        self.taken(ann["r"], login="ann", sender="ann@me.example")
        self.assertEqual(decided.rows(self, held.id), [("release", "reviewer", "games", 0, False)])
        self.assertIn("released", self.agent())
        self.assertArrived(held)

    def test_delete_and_return(self):
        one, two = self.hold("auth"), self.hold("auth")
        self.done("digest")
        self.taken(self.digest("ann", one)["d"], login="ann")
        self.taken(self.digest("bob", two)["b"], login="bob")
        self.agent()
        self.assertEqual([self.state(held.id) for held in (one, two)], ["deleted", "returned"])
        self.assertEqual(self.mta.recipients(one.subject), [])

    def test_two(self):
        """where two have to agree, two do; and not one twice"""
        held = self.hold("auth", headers=[TWO])
        self.done("digest")
        ann, bob = self.digest("ann", held), self.digest("bob", held)
        self.taken(ann["r"], login="ann")
        self.assertIn("approved, 1 of 2", self.agent())
        self.assertOnHold(held)
        self.assertEqual(self.answer(ann["r"], login="ann").code, 550)
        self.taken(bob["r"], login="bob")
        self.assertIn("released", self.agent())
        self.assertArrived(held)
        reason = "all of them know each other"
        self.assertEqual(self.decided(held)[0], [("games", "approve", reason, "reviewer", "done"), ("news", "release", reason, "reviewer", "done")])

    def test_own_mail(self):
        """his digest has no address for it, and a code that is right all the same is no use"""
        held = self.hold("auth", sender="ann@me.example")
        self.done("digest")
        self.assertEqual(self.digest("ann", held), {})
        self.taken(decided.answer_address(self, self.row(held.id), "games", "r", ANSWERS), login="ann")
        self.assertIn("is not decided", self.agent())
        self.assertOnHold(held)

    def test_off(self):
        """switched off since the answer came: the agent asks again"""
        held = self.hold("auth")
        self.done("digest")
        self.taken(self.digest("ann", held)["r"], login="ann")
        self.configure(reviewers_by_mail="no")
        self.assertIn("do not decide by mail", self.agent())
        self.assertOnHold(held)

    def test_released_by_sender(self):
        """what senders released themselves is in the digest, with the reason"""
        held, go, _ = self.told()
        self.taken(go, subject="Reason: they know each other")
        self.agent()
        self.assertArrived(held)
        out = self.done("digest", "--print", "--always").out
        self.assertIn("Released by their senders", out)
        self.assertRegex(out, r"%s +care +they know each other" % held.id)
        self.assertNotIn("mailto:", out)


if __name__ == "__main__":
    mtacase.main()
