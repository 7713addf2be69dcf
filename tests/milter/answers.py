"""Mail to and around the address that people answer to: only the right answer is one, and all others go on as they would.

10,000 generated messages are no answers, and 100 differ from a right one in one property each.  It takes about 20 s.
"""

import os
import random
import re

import daemon
import decided
import guardcase
import ledgerfile
import milterclient
import policies
import tap

ANSWERS = "guard@me.example"
RULE = policies.rule("mine", "parties(external) >= 5", 'quarantine "{parties} outside" release by sender with reason')
NOTICE = "packaging/examples/notice.txt"
PEOPLE = policies.people(6)
DIGITS = "abcdefghijklmnopqrstuvwxyz234567"


class AnswersCase(guardcase.GuardCase):
    POLICY = policies.policy(rules=RULE)
    LENIENT = {}

    @classmethod
    def setUpClass(cls):
        cls.CONFIG = {**cls.LENIENT, ("review", "answers"): ANSWERS, ("review", "notice"): os.path.join(daemon.SOURCE, NOTICE)}
        super().setUpClass()

    def tearDown(self):
        words = re.compile(r"[gcrbd]-[0-9]+-[a-z2-7]{13}|@cust[0-9]|fine subject", re.IGNORECASE)
        self.assertEqual([line for line in self.guard.lines if words.search(line)], [], "a code, a recipient or a subject in the log")

    def hold(self):
        """A message that its author was told of."""
        answer = self.send(to=PEOPLE, user="care", headers=[("Subject", "A fine subject")])
        self.assertHeld(answer)
        row = ledgerfile.row(self.guard.ledger_path, answer.queue_id)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET state = 'sent', at = ? WHERE held = ?", ledgerfile.now(), row["id"])
        return row

    def address(self, row, word="g", login="care"):
        return decided.answer_address(self, row, login, word, ANSWERS)

    def answer(self, address, mta=None, user="care", sender="care@me.example", subject="Reason: fine", more=(), others=(), **options):
        fields = [("From", "<care@me.example>"), ("To", address)] + ([("Subject", subject)] if subject is not None else []) + list(more)
        mta = mta or self.mta()
        return guardcase.in_time(self.guard, lambda: mta.message(sender, [address, *others], fields, user=user, **options))

    def decisions(self, row):
        return ledgerfile.query(self.guard.ledger_path, "SELECT * FROM decision WHERE held = ?", row["id"])

    def first(self):
        """The key is made when it is needed first."""
        self.assertRejected(self.answer("guard+g-1-aaaaaaaaaaaab@me.example"))


class Right(AnswersCase):
    def test_right(self):
        """discarded once the row is there, whoever else reads the ledger"""
        self.first()
        row = self.hold()
        answer = self.answer(self.address(row))
        self.assertEqual((answer.stage, answer.verdict, answer.actions), ("eom", milterclient.DISCARD, []))
        one, = self.decisions(row)
        self.assertEqual((one["held"], one["action"], one["way"], one["who"], one["reason"]), (row["id"], "release", "author", "care", "fine"))
        self.assertEqual(self.guard.verdict(answer).rule, "answer:taken")

    def test_not_written(self):
        """451 while the ledger is locked, and nothing is there"""
        self.first()
        row = self.hold()
        with ledgerfile.locked(self.guard.ledger_path):
            answer = self.answer(self.address(row))
        self.assertDeferred(answer)
        self.assertEqual(answer.reply[:3], "451")
        self.assertEqual(self.decisions(row), [])
        self.assertEqual(self.answer(self.address(row)).verdict, milterclient.DISCARD, "the next try")


    def test_spellings(self):
        """an answer however its address is written: none is taken for ordinary mail"""
        self.first()
        for form in "{upper}", '"{local}"@{domain}', '"{first}"{rest}@{domain}', "{address}.", "{local}", "@relay.example:{address}", "{domain}!{local}", "{local}%{domain}":
            with self.subTest(form):
                address = self.address(self.hold())
                local, _, domain = address.partition("@")
                words = {"address": address, "local": local, "domain": domain, "upper": address.upper(), "first": local[:5], "rest": local[5:]}
                written = form.format(**words)
                self.assertRejected(self.answer(written, others=["ann@me.example"]))
                self.assertEqual(self.answer(written).verdict, milterclient.DISCARD)

    def test_large(self):
        """one of whose header not all is kept decides nothing: it may be an automatic one"""
        self.first()
        row = self.hold()
        answer = self.answer(self.address(row), more=[("X-Long%d" % n, "x" * 1000000) for n in range(70)])
        self.assertRejected(answer)
        self.assertEqual(self.decisions(row), [])
        self.assertEqual(self.answer(self.address(row)).verdict, milterclient.DISCARD)

    def test_abandoned(self):
        """what comes after an answer that was given up is ordinary mail"""
        self.first()
        row, mta = self.hold(), self.mta()
        for anew in False, True:
            mta.mail("care@me.example", user="care")
            mta.rcpt(self.address(row))
            if not anew:
                mta.abort()
            answer, line = self.judge(mta, to=["one@cust1.example"], user="care")
            self.assertPassed(answer)
            self.assertLine(line, rule="default", visible=1, hidden=0)
        self.assertEqual(self.decisions(row), [])


class LenientRight(Right):
    """The same with the most lenient configuration: what is no answer is not accepted for that."""

    LENIENT = {("milter", "on-error"): "accept"}


class Wrong(AnswersCase):
    def changed(self, address):
        """Answers that differ from the right one in one property each."""
        local = address.partition("@")[0]
        code = local[-13:]
        for i in range(13):  # another letter, a digit that is none, a letter less
            yield "letter %d" % i, dict(address=address.replace(code, code[:i] + DIGITS[(DIGITS.index(code[i]) + 1 + 15 * (i > 0)) % (16 if i == 0 else 32)] + code[i + 1:]))
            yield "digit %d" % i, dict(address=address.replace(code, code[:i] + "1" + code[i + 1:]))
            yield "without letter %d" % i, dict(address=address.replace(code, code[:i] + code[i + 1:]))
        for i in range(12):  # two letters in the other order
            if code[i] != code[i + 1]:
                yield "order %d" % i, dict(address=address.replace(code, code[:i] + code[i + 1] + code[i] + code[i + 2:]))
        for word in "crbd":  # for something else
            yield "for " + word, dict(address=address.replace("+g-", "+%s-" % word))
        number = re.search(r"-(\d+)-", address).group(1)
        for row in list(range(1, 12)) + [10 ** 9, 10 ** 15]:  # of another message
            if str(row) != number:
                yield "row %d" % row, dict(address=address.replace("-%s-" % number, "-%d-" % row))
        for user in ("Care", "care ", "care@me.example", "other", "car", "caree", None):
            yield "login %s" % user, dict(user=user)
        yield "null sender", dict(sender="")
        for value in ("auto-replied", "auto-generated", "yes", "", "no-one", "Auto-Replied (vacation)", "auto-notified; x=no", "none"):
            yield "Auto-Submitted: " + value, dict(more=[("Auto-Submitted", value)])
        yield "two Auto-Submitted", dict(more=[("Auto-Submitted", "no"), ("auto-submitted", "auto-replied")])
        for other in ("ann@me.example", "c1@cust1.example", ANSWERS, address, address.upper(), address.replace("+g-", "+c-"), "guard+o-%s@me.example" % code):
            yield "also to " + other, dict(others=[other])
        for subject in (None, "", "Reason:", "Re: Reason: ", " ", "Re:"):
            yield "subject %s" % subject, dict(subject=subject)

    def test_one_property(self):
        """nothing is decided, and the reply says why"""
        self.first()
        mta, count = self.mta(), 0
        row = self.hold()
        right = self.address(row)
        for name, change in self.changed(right):
            with self.subTest(name):
                answer = self.answer(**{"address": right, "mta": mta, **change})
                self.assertRejected(answer)
                count += 1
        self.assertGreaterEqual(count, 94)
        # With those below, 100.
        for shift in (-2 * 3600 - 1, -86400):  # late
            ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = ? WHERE held = ?", ledgerfile.now() + shift * 1000000, row["id"])
            self.assertRejected(self.answer(right, mta=mta))
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = ? WHERE held = ?", ledgerfile.now(), row["id"])
        for state in "left", "released", "returned", "deleted":
            ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET state = ? WHERE id = ?", state, row["id"])
            self.assertRejected(self.answer(right, mta=mta))
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET state = 'held' WHERE id = ?", row["id"])
        self.assertEqual(self.decisions(row), [])
        answer = self.answer(right, mta=mta)
        self.assertEqual(answer.verdict, milterclient.DISCARD)
        for word in "gc":  # a second one
            self.assertRejected(self.answer(self.address(row, word), mta=mta))
        self.assertEqual(len(self.decisions(row)), 1)

    def test_generated(self):
        """10,000 messages to addresses around ours, in To, Cc and the envelope: none is an answer"""
        self.first()
        row = self.hold()
        right = self.address(row)
        source, mta, kinds = random.Random(22), self.mta(), {}
        for _ in range(10000):
            address = self.near(source, right)
            envelope = {"other": ["someone@me.example"], "near": [address], "both": ["someone@me.example", address]}[source.choice(("other", "near", "both"))]
            fields = [("From", "<care@me.example>"), ("Subject", "Re: Reason: x"), (source.choice(("To", "Cc", "Reply-To")), source.choice((right, address)))]
            user = source.choice(("care", "other"))
            answer = guardcase.in_time(self.guard, lambda envelope=envelope, fields=fields, user=user: mta.message("care@me.example", envelope, fields, user=user))
            self.assertIn(answer.verdict, (milterclient.ACCEPT, milterclient.REJECT), address)
            if envelope == ["someone@me.example"]:  # whatever its header says, it is mail as any other
                self.assertEqual((answer.verdict, answer.actions), (milterclient.ACCEPT, []), address)
            elif answer.verdict == milterclient.REJECT:
                self.assertEqual(answer.reply[:3], "550", address)
            kinds[answer.verdict] = kinds.get(answer.verdict, 0) + 1
        self.assertEqual(self.decisions(row), [])
        self.assertGreater(kinds[milterclient.ACCEPT], 3000)
        self.assertEqual(self.answer(right, mta=mta).verdict, milterclient.DISCARD)

    @staticmethod
    def near(source, right):
        """Not the right one: bytes of it changed, moved, left out, or something added."""
        while True:
            text = list(right)
            for _ in range(source.randint(1, 3)):
                at = source.randrange(len(text))
                text[at:at + source.randint(0, 2)] = source.choice(("", "-", "+", ".", "a", "g", "7", "8", "@", "x", "guard", "1", "+g-"))
            made = "".join(text)
            if made.lower() != right.lower() and made.count("@") == 1 and not made.startswith("@") and not made.endswith("@"):
                return made


if __name__ == "__main__":
    tap.main()
