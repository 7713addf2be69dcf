"""Counts within a time, and known parties, by real SASL logins.

Takes 15 to 30 s: it starts each MTA three times, and hands in 450 single messages to each.
"""

import contextlib
import itertools
import os
import re
import shutil
import threading

import daemon
import mta
import mtacase
import policies
import privacy
import review
import statecase

PARTIES = "parties(external)"
MASS = policies.rule("mass", PARTIES + " >= 50", 'reject "{parties} outside"')
SPLIT = policies.rule("split", PARTIES + " within 10m >= 20", 'quarantine "{within} outside parties in several messages"')

_numbers = itertools.count(1)


def group(first, count=9):
    """People of so many organisations, numbered from `first`: two groups whose numbers differ have nobody in common."""
    return ["c%d@mail%d.example" % (n, n) for n in range(first, first + count)]


class Messages:
    """What the classes of this file do with messages."""

    def login(self):
        """A login that has sent nothing yet."""
        name = "user%d" % next(_numbers)
        self.mta.add_login(name)
        return name

    def session(self, login):
        session = self.mta.connect("auth", login=login)
        self.addCleanup(session.close)
        return session

    def text(self, people, field="To", sender=mtacase.SENDER, **options):
        return mta.message(self.mta.new_subject(), sender, **{field.lower(): people}, **options)

    def taken(self, session, people, envelope=None, text=None, sender=mtacase.SENDER, **options):
        """A message that is taken, in the end by a daemon whose state is not too late; gives its line."""
        text = text or self.text(people, sender=sender, **options)

        def line():
            reply = self.in_time(lambda: self.mta.transaction(session, sender, envelope or people, text))
            self.assertEqual((reply.stage, reply.code), ("data", 250), reply)
            found = self.guard.verdict(reply.queue_id)
            return None if statecase.is_late(self.guard, found) else found
        return daemon.wait_until(line, mta.LIMIT, "an answer of the state")

    def passed(self, session, people, value, **options):
        line = self.taken(session, people, **options)
        self.assertLine(line, verdict="accept", within="split:%d" % value)
        return line

    def held(self, session, people, value, **options):
        """Held by its window."""
        line = self.taken(session, people, **options)
        self.assertLine(line, verdict="quarantine", rule="split", within="split:%d" % value)
        daemon.wait_until(lambda: line.queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % line.queue_id)
        return line

    def assertNoNames(self):
        """Neither in the state, nor (of recipients) in the daemon's log."""
        self.assertEqual(privacy.names_in(self.guard.state_files()), [])
        self.assertEqual([line for line in self.guard.lines if re.search(r"mail\d+\.example", re.sub(" sender=[^ ]*", "", line))], [])


class HistoryCase(Messages, mtacase.MtaCase):
    def tearDown(self):
        self.assertNoNames()


class Windows(HistoryCase):
    """What counts in the window of an author, and what does not."""

    POLICY = policies.policy(rules=MASS + SPLIT)
    EXTRA = {"postfix": "smtp_destination_recipient_limit = 4\n"}

    def test_twenty_messages_of_nine(self):
        login, texts = self.login(), []
        session = self.session(login)
        for n in range(20):
            people = group(9 * n)
            line = (self.passed if n < 2 else self.held)(session, people, 9 * (n + 1))
            self.assertLine(line, user=login, parties=9, known=None)
            texts.append(line.msgid.partition("@")[0])
        delivered = [one for one in self.mta.deliveries() if any(text in one.header for text in texts)]
        self.assertLessEqual({address for one in delivered for address in one.recipients}, set(group(0, 18)))

    def lines_of_login(self, login, count):
        """The lines of a login, once there are so many."""
        lines = [line for line in self.guard.verdicts() if line.user == login]
        return lines if len(lines) == count else None

    def test_a_mail_merge_of_450(self):
        """single messages, on three connections"""
        login, wrong = self.login(), []

        def send(session, numbers):
            for n in numbers:
                reply = self.mta.transaction(session, mtacase.SENDER, group(n, 1), text % (n, group(n, 1)[0]))
                if (reply.stage, reply.code) != ("data", 250):
                    wrong.append(reply)

        text = "From: <care@me.example>\nSubject: Your invoice\nMessage-ID: <merge%d@me.example>\nTo: %s\n\nHello.\n"
        threads = [threading.Thread(target=send, args=(self.session(login), range(part, 450, 3))) for part in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        lines = daemon.wait_until(lambda: self.lines_of_login(login, 450), what="a line for each")
        self.assertEqual({(line.verdict, line.parties, line.within) for line in lines}, {("accept", 1, None)})
        self.passed(self.session(login), group(1000), 9)

    def test_the_same_message_again(self):
        session = self.session(self.login())
        text = self.text(group(1))
        for _ in range(10):
            self.passed(session, group(1), 9, text=text)
        self.passed(session, group(10), 18)

    def test_sixty_in_cc_and_then_one(self):
        session = self.session(self.login())
        for _ in range(2):
            reply = self.mta.transaction(session, mtacase.SENDER, group(1, 60), self.text(group(1, 60), "Cc"))
            self.assertEqual((reply.stage, reply.code, reply.text), ("data", 550, "5.7.1 60 outside"))
        self.assertLine(self.taken(session, group(1, 1)), verdict="accept", within=None)
        self.passed(session, group(100), 9)

    def test_two_senders(self):
        sessions = [self.session(self.login()) for _ in range(2)]
        for n in range(4):
            self.passed(sessions[n % 2], group(9 * n), 9 * (n // 2 + 1))
        self.held(sessions[0], group(100), 27, sender="hr@me.example")

    def test_two_connections_at_once(self):
        """of two messages of ten, one is held, however close they come"""
        decided = 0
        for _ in range(10):
            login, together, found = self.login(), threading.Barrier(2), []
            messages = [(self.session(login), people, self.text(people)) for people in (group(1, 10), group(11, 10))]

            def send(session, people, text, together=together, found=found):
                together.wait()
                found.append(self.mta.transaction(session, mtacase.SENDER, people, text))

            threads = [threading.Thread(target=send, args=message) for message in messages]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            lines = [self.guard.verdict(reply.queue_id) for reply in found if reply.code == 250]
            if len(lines) == 2:
                decided += 1
                self.assertEqual(sorted((line.verdict, line.within) for line in lines), [("accept", "split:10"), ("quarantine", "split:20")])
            else:  # too late for one of them, on a loaded machine
                self.assertEqual({reply.code for reply in found} | {250}, {250, 451}, found)
                self.taken(self.session(self.login()), group(1))  # once it is asked again
        self.assertGreater(decided, 5, "nearly all is deferred")

    def test_a_message_in_parts(self):
        """What the MTA splits (Postfix for a content filter, Sendmail from the MSP to the MTA) adds nothing, nor do hidden recipients."""
        sender = self.login() + "@me.example"
        people, hidden = group(1, 9), ["hidden%d@elsewhere.example" % n for n in range(3)]
        text = self.text(people, sender=sender)
        msgid = re.search(r"Message-ID: <(.*?)>", text).group(1)
        with self.parts_of_four():
            if self.MTA == "postfix":
                self.accepted("filtered", people + hidden, None, text, sender)
            else:
                self.mta.submit(sender, people + hidden, text, wait=False)
            lines = daemon.wait_until(lambda: self.lines_of(msgid, 4 if self.MTA == "postfix" else 3), mta.LIMIT, "each part")
        self.assertEqual({(line.verdict, line.parties, line.within) for line in lines}, {("accept", 9, "split:9")})
        with self.mta.connect("plain") as session:
            self.passed(session, group(10), 18, sender=sender)

    @contextlib.contextmanager
    def parts_of_four(self):
        if self.MTA == "postfix":  # EXTRA
            yield
            return
        path = self.mta._path("submit.cf")
        with open(path, encoding="utf-8") as file:
            before = file.read()
        daemon.write(path, before.replace("r=1000", "r=4"))
        try:
            yield
        finally:
            daemon.write(path, before)

    def lines_of(self, msgid, count):
        found = [line for line in self.guard.verdicts() if line.msgid == msgid]
        return found if len(found) >= count else None

    def test_a_sender_without_a_login(self):
        """+detail, VERP and BATV are no other author"""
        name = self.login()
        with self.mta.connect("plain") as session:
            for n, form in enumerate(["%s", "%s+list", "%s-bob=mail1.example", "prvs=0123abcdef=%s"]):
                (self.passed if n < 2 else self.held)(session, group(9 * n), 9 * (n + 1), sender=form % name + "@me.example")
            self.passed(session, group(100), 9, sender="other%s+list@me.example" % name)


class Restart(HistoryCase):
    """The daemon is started again between two messages."""

    POLICY = policies.policy(expectations="remember 90d\n", rules=policies.rule("wide", PARTIES + " >= 10 and not known and not user = \"developer\"", 'quarantine "x"') + SPLIT)

    def again(self):
        """The same daemon once more, with the ledger and the state of the test."""
        type(self).guard.__exit__(None, None, None)
        type(self).guard = self.mta.guard(self.POLICY, config={("ledger", "path"): self.path})

    def test_restart(self):
        ledger = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, ledger, True)
        daemon.own(ledger)
        self.path = os.path.join(ledger, "ledger.db")
        self.again()
        login, people = self.login(), group(100, 12)
        self.mta.add_login(mta.DEVELOPER)
        for n in range(3):
            (self.passed if n < 2 else self.held)(self.session(login), group(9 * n), 9 * (n + 1))
            line = self.taken(self.session(mta.DEVELOPER if n == 0 else self.login()), people)
            self.assertLine(line, verdict="accept", known="no" if n == 0 else "yes")
            self.assertNoNames()
            self.again()
        self.assertIn("reload done", self.guard.reload())
        self.held(self.session(login), group(300, 2), 29)


class Known(Messages, review.ReviewCase):
    """Who has been together in a message that was let go."""

    POLICY = policies.policy(expectations="remember 90d\n", rules=(
        policies.rule("trial", 'user = "developer" and %s >= 4' % PARTIES, 'reject "x"', monitor=True)
        + policies.rule("mass", PARTIES + ' >= 50 and not user = "developer"', 'reject "x"')
        + policies.rule("wide", PARTIES + ' >= 10 and not known and not user = "developer"', 'quarantine "x"')
        + policies.rule("alike", 'sender contains "alike" and %s within 10m alike >= 20' % PARTIES, 'quarantine "{within}"')))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mta.add_login(mta.DEVELOPER)

    def setUp(self):
        super().setUp()
        self.first = 1000 * next(_numbers)
        self.anybody = self.session(self.login())

    def tearDown(self):
        self.assertNoNames()
        super().tearDown()

    def people(self, start=0, count=12):
        """Of this test."""
        return group(self.first + start, count)

    def assertKnown(self, people, known, **options):
        """What becomes of a message to these people from anybody."""
        line = self.taken(self.anybody, people, **options)
        self.assertLine(line, verdict="accept" if known else "quarantine", known="yes" if known else "no")
        return line

    def learn(self, people):
        """A message to them is held, and released."""
        line = self.assertKnown(people, False)
        daemon.wait_until(lambda: line.queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % line.queue_id)
        self.done("release", line.queue_id, reason="one project")
        self.mta.wait_gone(line.queue_id)
        return line.msgid

    def test_reply_to_all(self):
        people = self.people()
        self.assertKnown(people, False)  # and stays on hold
        self.learn(people)
        self.assertKnown(people, True)
        self.assertKnown(list(reversed(people))[1:], True)
        self.assertKnown(people + self.people(50, 1), False)
        self.assertKnown(people[1:] + self.people(50, 1), False)

    def test_two_groups_together(self):
        both = self.people(0, 9) + self.people(100, 9)
        for people in both[:9], both[9:]:
            self.taken(self.anybody, people)
        self.assertKnown(both, False)
        self.learn(both)
        self.assertKnown(both, True)

    def test_headers_of_a_thread_change_nothing(self):
        msgid = self.learn(self.people())
        thread = [("In-Reply-To", "<%s>" % msgid), ("References", "<first@me.example> <%s>" % msgid)]
        self.assertKnown(self.people(100), False, headers=thread)
        self.assertKnown(self.people() + self.people(100, 1), False, headers=thread)
        self.assertKnown(self.people(), True)

    def test_a_trial_teaches_nothing(self):
        session = self.session(mta.DEVELOPER)
        for count in 450, 30, 12:
            self.assertLine(self.taken(session, self.people(0, count), field="Cc"), verdict="accept", would="reject:trial", parties=count)
            self.assertKnown(self.people(), False)

    def test_alike(self):
        """of strangers, in messages with the same letters in their subject; one without a subject is alike to all"""
        for n, (subject, value) in enumerate([("Part 3/20", 9), ("Lunch", 9), ("Re: PART 4/20", 18), ("=?utf-8?q?Part_5=2F20?=", 27), ("", 45)]):
            people = self.people(20 * n, 9)
            text = re.sub("Subject: .*", "Subject: " + subject, self.text(people, sender="alike@me.example"))
            line = self.taken(self.anybody, people, text=text, sender="alike@me.example")
            self.assertLine(line, verdict="accept" if value < 20 else "quarantine", known="no", within="alike:%d" % value)

    def test_who_was_not_in_the_envelope(self):
        people = self.people()
        line = self.assertKnown(people, False, envelope=people[:11] + self.people(70, 3))
        daemon.wait_until(lambda: line.queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % line.queue_id)
        self.done("release", line.queue_id, reason="ok")
        self.assertKnown(people, False)
        self.assertKnown(people[:11], True)
        self.assertKnown(people[:11] + self.people(70, 1), False)


if __name__ == "__main__":
    mtacase.main(240)
