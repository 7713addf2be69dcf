"""Counts within a time, and known parties: what the daemon remembers from one message to the next."""

import json
import os
import pathlib

import threading

import daemon
import guardcase
import ledgerfile
import milterclient
import policies
import privacy
import statecase
import tap

SENDER = guardcase.SENDER
MIN = "parties(external)"

MASS = policies.rule("mass", MIN + " >= 50", 'reject "{parties} outside"')
WIDE = policies.rule("wide", MIN + " >= 12", 'quarantine "wide: {parties}"')
SPLIT = policies.rule("split", MIN + " within 10m >= 20", 'quarantine "{within} outside parties in several messages"')
ALIKE = policies.rule("alike", MIN + " within 10m alike >= 20", 'quarantine "{within} in messages that are alike"')

REMEMBER = policies.policy(expectations="remember 90d\n", rules=(
    policies.rule("boss", 'user = "boss"', "accept") + policies.rule("tagged", 'user = "tagged"', 'tag "x"') + MASS
    + policies.rule("trial", 'user = "trial" and %s >= 5' % MIN, 'quarantine "trial"', monitor=True)
    + policies.rule("wide", MIN + ' >= 10 and not known and not user =~ /(chief|trial).*/', 'quarantine "wide"')
    + policies.rule("split", MIN + " within 10m >= 20", 'quarantine "{within} outside"')))


def group(first, count=9):
    """People of so many organisations, numbered from `first`: two groups whose numbers differ have nobody in common."""
    return ["c%d@mail%d.example" % (n, n) for n in range(first, first + count)]


class HistoryCase(guardcase.GuardCase):
    users = 0

    def user(self):
        """A login that nobody else has had."""
        HistoryCase.users += 1
        return "user%d" % HistoryCase.users

    def judge(self, mta=None, **options):
        mta = mta or self.mta()
        return statecase.in_time(self.guard, lambda: self.send(mta, **options))

    def verdict_of(self, people, user=None, wanted="accept", mta=None, **options):
        """Sends to these people in To, and gives the line of the message, which has that verdict."""
        _, line = self.judge(mta, to=people, user=user, **options)
        self.assertLine(line, verdict=wanted)
        return line

    def assertWindow(self, line, window, value, **fields):
        self.assertLine(line, within="%s:%s" % (window, value), **fields)

    def tearDown(self):
        self.assertEqual(privacy.names_in(self.guard.state_files()), [])


class Delays(HistoryCase):
    """A window that refuses a message ends what its author has on delay."""

    POLICY = policies.policy(rules=(
        policies.rule("refused", 'header("X-End") = "reject" and %s within 10m >= 20' % MIN, 'reject "{within} outside"')
        + policies.rule("deferred", 'header("X-End") = "tempfail" and %s within 10m >= 20' % MIN, 'tempfail "{within} outside"')
        + policies.rule("alone", 'header("X-End") = "alone"', 'reject "no"')
        + policies.rule("trial", 'header("X-End") = "trial" and %s within 10m >= 20' % MIN, 'reject "no"', monitor=True)
        + policies.rule("slow", MIN + " >= 9", 'quarantine "{parties} outside" release after 10m')))

    def slow(self, first, user):
        answer, _line = self.judge(to=group(first), user=user)
        self.assertHeld(answer)
        return answer.queue_id

    def last(self, end, user, first=18, count=8):
        answer, _line = self.judge(to=group(first, count), user=user, headers=[("X-End", end)])
        return answer

    def ended(self, queue_id):
        """The rule that ended its delay, or None."""
        row = ledgerfile.row(self.guard.ledger_path, queue_id)
        self.assertEqual(row["leaves"] == 0, row["stopped"] is not None)
        return row["stopped"]

    def test_refused(self):
        """rejected or deferred; only what the same author sent"""
        for end, rule in ("reject", "refused"), ("tempfail", "deferred"):
            with self.subTest(end):
                user, other = self.user(), self.user()
                mine, others = [self.slow(0, user), self.slow(9, user)], self.slow(0, other)
                bell = os.path.join(os.path.dirname(self.guard.ledger_path), "agent.wake")
                os.unlink(bell)
                answer = self.last(end, user)
                self.assertEqual(answer.reply[:3], "550" if end == "reject" else "451")
                self.assertEqual([self.ended(one) for one in mine], [rule, rule])
                self.assertIsNone(self.ended(others))
                self.assertTrue(os.path.exists(bell))  # the agent is woken, and tells the author

    def test_by_another_rule(self):
        """a rule without a window, a monitor rule, and a window that is not reached end nothing"""
        user = self.user()
        mine = [self.slow(0, user), self.slow(9, user)]
        self.assertRejected(self.last("alone", user))
        self.assertPassed(self.last("reject", user, 0, 8))
        self.assertPassed(self.last("trial", user))
        self.assertEqual([self.ended(one) for one in mine], [None, None])

    def test_not_written(self):
        """the refusal is for now while the ledger is locked, whatever on-error says"""
        user = self.user()
        mine = [self.slow(0, user), self.slow(9, user)]
        with ledgerfile.locked(self.guard.ledger_path):
            answer = self.last("reject", user)
        self.assertDeferred(answer)
        self.assertEqual(self.guard.verdict(answer).rule, "error:refused")
        self.assertRejected(self.last("reject", user))
        self.assertEqual([self.ended(one) for one in mine], ["refused", "refused"])


class AcceptOnError(Delays):
    """The same with the most lenient configuration."""

    CONFIG = {("milter", "on-error"): "accept"}


class Windows(HistoryCase):
    """What counts in the window of an author, and what does not."""

    POLICY = policies.policy(rules=MASS + WIDE + SPLIT)

    def test_twenty_messages_of_nine(self):
        user = self.user()
        for n in range(20):
            answer, line = self.judge(to=group(9 * n), user=user)
            self.assertWindow(line, "split", 9 * (n + 1), verdict="accept" if n < 2 else "quarantine", parties=9, known=None)
            if n >= 2:
                self.assertHeld(answer, "split: %d outside parties in several messages" % (9 * (n + 1)))
        self.assertTrue(any(path.endswith("state.db") for path in self.guard.state_files()))

    def test_a_mail_merge_counts_nothing(self):
        user, mta = self.user(), self.mta()
        for n in range(450):
            self.assertPassed(self.send(mta, to=group(n, 1), user=user))
        for n in range(30):  # several people of one customer
            self.verdict_of(policies.people(5, domain="customer%d.example" % n), user, mta=mta)
        self.assertWindow(self.verdict_of(group(1000), user), "split", 9)

    def test_the_same_message_again(self):
        """a retry after another answer of ours was lost: the same Message-ID, with queue ids of its own"""
        user = self.user()
        for _ in range(10):
            self.assertWindow(self.verdict_of(group(1), user, message_id="again@me.example"), "split", 9)
        self.assertWindow(self.verdict_of(group(10), user), "split", 18)

    def test_a_split_envelope(self):
        """an MTA that hands the recipients of one message on in parts, the hidden ones in a transaction of their own"""
        user, people = self.user(), group(1, 11)
        for part in people[:4], people[4:8], people[8:], ["hidden@mail99.example"], people:
            self.assertWindow(self.verdict_of(people, user, envelope=part, message_id="parts@me.example"), "split", 11)
        self.assertWindow(self.verdict_of(group(12), user, wanted="quarantine"), "split", 20)

    def test_what_is_refused_does_not_count(self):
        user = self.user()
        for _ in range(3):
            answer, line = self.judge(cc=group(1, 60), user=user)
            self.assertRejected(answer, "60 outside")
            self.assertLine(line, rule="mass", within=None)
        self.verdict_of(group(1, 1), user)
        self.assertWindow(self.verdict_of(group(100), user), "split", 9)

    def test_what_is_refused_after_it_was_counted_is_taken_back(self):
        user = self.user()
        self.verdict_of(group(1), user)
        no_hold = self.mta(actions=milterclient.ALL_ACTIONS & ~milterclient.QUARANTINE)
        answer, line = self.judge(no_hold, to=group(100, 11), user=user)
        self.assertDeferred(answer)
        self.assertWindow(line, "split", 20, verdict="tempfail", rule="error:split")
        self.assertWindow(self.verdict_of(group(10), user), "split", 18)

    def test_what_another_rule_holds_counts(self):
        user = self.user()
        self.assertLine(self.verdict_of(group(1, 12), user, wanted="quarantine"), rule="wide", within=None)
        self.assertWindow(self.verdict_of(group(13, 8), user, wanted="quarantine"), "split", 20, rule="split")

    def test_what_is_given_up_does_not_count(self):
        """RSET, or a client that hangs up, inside the message"""
        user = self.user()
        for hang_up in False, True:
            mta = self.mta()
            mta.envelope(SENDER, group(1), user=user)
            mta.data("-")
            for name, value in guardcase.headers(to=group(1)):
                mta.header(name, value)
            mta.eoh()
            mta.close() if hang_up else mta.abort()
        self.assertWindow(self.verdict_of(group(10), user), "split", 9)

    def test_two_authors(self):
        one, other = self.user(), self.user()
        for n in range(4):
            self.assertWindow(self.verdict_of(group(9 * n), one if n % 2 else other), "split", 9 * (n // 2 + 1))
        self.assertWindow(self.verdict_of(group(100), one, wanted="quarantine", sender="hr@me.example"), "split", 27)

    def test_a_login_has_many_addresses(self):
        user = self.user()
        for n, name in enumerate([user, user.upper(), user]):
            self.assertWindow(self.verdict_of(group(9 * n), name, sender="box%d@me.example" % n, wanted="accept" if n < 2 else "quarantine"), "split", 9 * (n + 1))

    def test_a_sender_without_a_login(self):
        """+detail, VERP and BATV are no other author"""
        for name, forms in (("ann", ["%s", "%s+list", "%s+bob=mail1.example", "ANN"]), ("lists", ["%s", "%s-bob=mail1.example", "%s-17-carl=mail2.example"]),
                            ("batv", ["prvs=0123abcdef=%s", "prvs=9999999999=%s", "prvs=%s/0123abcdef", "btv1==0123==%s", "%s"])):
            for n, form in enumerate(forms):
                with self.subTest(form):
                    sender = (form % name if "%" in form else form) + "@me.example"
                    self.assertWindow(self.verdict_of(group(9 * n), sender=sender, wanted="accept" if n < 2 else "quarantine"), "split", 9 * (n + 1))
        self.assertWindow(self.verdict_of(group(500), sender="bob+list@me.example"), "split", 9)

    def test_two_connections_at_once(self):
        """of two messages, each below the threshold and both together above it, one is held, however close they come"""
        first, second = self.mta(), self.mta()
        late = 0  # rounds in which a loaded machine deferred one
        for n in range(500):
            user = "race%d" % n
            for mta, people in (first, group(1, 10)), (second, group(11, 10)):
                mta.envelope(SENDER, people, user=user)
                mta.data("-")
                for name, value in guardcase.headers(to=people):
                    mta.header(name, value)
                mta.eoh()
            for mta in first, second:
                mta.send_macros("eom", {"i": milterclient.new_queue_id()})
                mta.send(b"E")
            answers = [mta._answer("eom") for mta in (first, second)]
            passed = sum(answer.verdict == milterclient.ACCEPT and answer.quarantine() is None for answer in answers)
            if milterclient.TEMPFAIL in [answer.verdict for answer in answers]:
                late += 1
                self.assertLessEqual(passed, 1)
                self.judge(to=group(1), user=self.user())  # once it is asked again
            else:
                self.assertEqual(([answer.verdict for answer in answers], passed), ([milterclient.ACCEPT] * 2, 1))
        self.assertLess(late, 250, "nearly all is deferred")

    def test_many_connections_at_once(self):
        """eight threads with one login: of forty messages two pass"""
        user, passed, sent = self.user(), [], []

        def send(number):
            with self.guard.client() as mta:
                mta.connect("127.0.0.1")
                for n in range(5):
                    people = group(100 * number + 9 * n)
                    answer, _ = statecase.in_time(self.guard, lambda people=people: sent.append(people) or guardcase.send(mta, to=people, user=user))
                    passed.append(answer.quarantine() is None)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(passed), 40)
        if len(sent) == 40:
            self.assertEqual(sum(passed), 2)
        self.assertLessEqual(sum(passed), 2)  # what was deferred may have counted for others

    def test_a_reload_keeps_them(self):
        """of the same policy, and of one in which the classes have other numbers"""
        user = self.user()
        self.addCleanup(self.guard.reload)
        self.addCleanup(self.guard.set_policy, self.POLICY)
        self.verdict_of(group(1), user)
        self.assertIn("reload done", self.guard.reload())
        self.assertWindow(self.verdict_of(group(10), user), "split", 18)
        self.guard.set_policy(policies.policy(rules=WIDE + SPLIT, classes='class first { domain "first.example" }\n' + policies.CLASSES))
        self.assertIn("reload done", self.guard.reload())
        self.assertWindow(self.verdict_of(group(19), user, wanted="quarantine"), "split", 27)


class Alike(HistoryCase):
    """`alike` counts messages with the same letters in their subject."""

    POLICY = policies.policy(rules=ALIKE)

    def with_subject(self, user, first, subject, value):
        fields = [(name, text) for name, text in guardcase.headers(to=group(first)) if name != "Subject"]
        if subject is not None:
            fields.append(("Subject", subject))
        _, line = statecase.in_time(self.guard, lambda: self.mta().message(SENDER, group(first), fields, user=user))
        self.assertWindow(line, "alike", value, verdict="accept" if value < 20 else "quarantine")

    def test_parts(self):
        user = self.user()
        self.with_subject(user, 0, "Part 3/20", 9)
        self.with_subject(user, 10, "Lunch on Friday", 9)
        self.with_subject(user, 20, "Part 4/20", 18)
        self.with_subject(user, 30, "Re: lunch, on friday!", 18)
        self.with_subject(user, 40, "=?utf-8?q?AW=3A_PART_5=2F20?=", 27)

    def test_without_letters(self):
        for subject in None, "", "17/20", "=?utf-8?b?IA==?=":
            with self.subTest(subject):
                user = self.user()
                self.with_subject(user, 0, "Part 3/20", 9)
                self.with_subject(user, 10, "Lunch", 9)
                self.with_subject(user, 20, subject, 27)
                self.with_subject(user, 30, "Lunch", 27)


class Known(HistoryCase):
    """Who has been together in a message that passed."""

    POLICY = REMEMBER
    first = 0

    def setUp(self):
        Known.first += 1000

    def people(self, start=0, count=12):
        """Of this test."""
        return group(Known.first + start, count)

    def reply(self, people, known, **options):
        """A message to these people from anybody: one that is known passes, and another is held."""
        return self.assertLine(self.verdict_of(people, self.user(), wanted="accept" if known else "quarantine", **options), known="yes" if known else "no")

    def learn(self, people, **options):
        """From one who may write to more."""
        self.assertLine(self.verdict_of(people, "chief-" + self.user(), **options), known="no")

    def test_reply_to_all(self):
        people = self.people()
        self.reply(people, False)
        self.reply(people, False)  # what is held teaches nothing
        self.learn(people)
        self.reply(people, True)
        self.reply(list(reversed(people))[:11], True)
        self.reply(["other@" + address.partition("@")[2] for address in people], True)  # another mailbox of the same organisation
        self.reply(people + self.people(50, 1), False)

    def test_two_groups_together(self):
        for start in 0, 100:
            self.learn(self.people(start, 9))
        self.reply(self.people(0, 9) + self.people(100, 9), False)
        self.reply(self.people(0, 9) + self.people(100, 1), False)
        self.learn(self.people(0, 9) + self.people(100, 9))
        self.reply(self.people(0, 9) + self.people(100, 9), True)

    def test_headers_of_a_thread_change_nothing(self):
        self.learn(self.people(), message_id="thread@me.example")
        thread = [("In-Reply-To", "<thread@me.example>"), ("References", "<first@me.example> <thread@me.example>")]
        self.reply(self.people(100), False, headers=thread)
        self.reply(self.people() + self.people(100, 1), False, headers=thread)
        self.reply(self.people(), True)

    def test_what_teaches_nothing(self):
        """a rule on trial would have stopped it; accept or tag ended the reading; more than forty; refused; held"""
        people = self.people()
        self.assertLine(self.verdict_of(people, "trial"), would="quarantine:trial")
        self.verdict_of(people, "boss")
        self.verdict_of(people, "tagged", wanted="tag")
        self.verdict_of(self.people(0, 60), "chief", wanted="reject")
        self.verdict_of(self.people(0, 41), "boss")
        self.reply(people, False)
        self.verdict_of(self.people(0, 41), "chief", wanted="quarantine")  # by split
        self.reply(people, False)

    def test_who_was_not_in_the_envelope(self):
        people = self.people()
        self.learn(people, envelope=people[:11])
        self.reply(people, False)
        self.reply(people[:11], True)
        self.learn(people, envelope=people + self.people(50, 3))  # hidden ones are not learned, either
        self.reply(people, True)
        self.reply(people + self.people(50, 1), False)

    def test_an_envelope_in_parts(self):
        people = self.people()
        for part in people[:6], people[6:]:
            self.learn(people, envelope=part)
        self.reply(people, False)

    def test_what_cannot_be_read_whole(self):
        """it is not known, and teaches nothing"""
        people, unread = self.people(), [("Cc", "@")]
        self.assertLine(self.verdict_of(people, "chief-" + self.user(), headers=unread), defects="syntax,unparsed", known=None)
        self.reply(people, False)
        self.learn(people)
        line = self.verdict_of(people, self.user(), wanted="quarantine", headers=unread)
        self.assertLine(line, rule="wide", defects="syntax,unparsed", known=None)
        self.reply(people, True)

    def test_known_does_not_enter_the_window(self):
        people, user = self.people(), self.user()
        self.learn(people)
        for _ in range(3):
            self.assertLine(self.verdict_of(people, user), known="yes", within=None)
        self.assertLine(self.verdict_of(self.people(100, 9), user), known="no", within="split:9")

    def test_fewer_than_two(self):
        self.assertLine(self.verdict_of(self.people(0, 1), "chief"), known=None, within=None)
        self.assertLine(self.verdict_of(["a@one.example", "b@one.example"], "chief"), known=None, within=None)


    def test_nothing_can_be_read_in_the_state(self):
        """neither people nor their domains, nor the author and his subject; the same holds after each test"""
        people = self.people()
        self.verdict_of(people, "chief-secretlogin", sender="secretsender@me.example", headers=[("Subject", "secretsubject")])
        self.verdict_of(self.people(20, 2), None, sender="secretsender@me.example", headers=[("Comments", "secretcomment")])
        self.reply(people, True)
        self.assertTrue(self.guard.state_files())
        content = b"".join(pathlib.Path(path).read_bytes() for path in self.guard.state_files())
        self.assertGreater(len(content), 4096)
        for word in b"secret", b"mail%d" % self.first, b"example":
            self.assertNotIn(word, content.lower())


class Restart(guardcase.LedgerCase):
    """What is remembered outlives the daemon."""

    def start(self, form="text"):
        return daemon.Daemon(REMEMBER, config={("ledger", "path"): self.path, ("log", "format"): form})

    def one(self, guard, people, user):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            return statecase.in_time(guard, lambda: guardcase.send(mta, to=people, user=user))[1]

    def test_restart(self):
        lines = []
        for n in range(3):
            with self.start() as guard:
                lines.append(self.one(guard, group(9 * n), "ann"))
                lines.append(self.one(guard, group(100), "chief" if n == 0 else "bob"))
                self.assertEqual(privacy.names_in(guard.state_files()), [])
        self.assertEqual([line.within for line in lines[::2]], ["split:9", "split:18", "split:27"])
        self.assertEqual([(line.verdict, line.known) for line in lines[1::2]], [("accept", "no"), ("accept", "yes"), ("accept", "yes")])

    @staticmethod
    def answered(guard, send):
        """Sends a message, again as long as the state is too late for it."""
        def is_answered():
            answer = send()
            return statecase.LATE not in guard.wait_for_line('"queue_id":"%s"' % answer.queue_id)
        daemon.wait_until(is_answered, what="an answer of the state")

    def test_json(self):
        with self.start("json") as guard:
            for people, user in (group(0), "ann"), (group(9), "ann"), (group(18), "ann"), (group(0, 1), "ann"), (group(0), "bob"):
                with guard.client() as mta:
                    mta.connect("127.0.0.1")
                    self.answered(guard, lambda mta=mta, people=people, user=user: guardcase.send(mta, to=people, user=user))
            guard.wait_for_line('"user":"bob"')
            found = [json.loads(line[line.index("{"):]) for line in guard.lines if '"verdict"' in line and statecase.LATE not in line]
        self.assertEqual([(each["verdict"], each.get("within"), each.get("known")) for each in found],
                         [("accept", ["split:9"], "no"), ("accept", ["split:18"], "no"), ("quarantine", ["split:27"], "no"), ("accept", None, None), ("accept", None, "yes")])


if __name__ == "__main__":
    tap.main()
