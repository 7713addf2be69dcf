"""A refusal that its sender overrides: `reject ... override`, and the message that is sent again with the address."""

import contextlib
import re
import sqlite3
import time

import daemon
import guardcase
import milterclient
import policies
import privacy
import statecase
import tap

ANSWERS = "guard@me.example"
MASS = policies.rule("mass", "parties(external) >= 5", 'reject "{parties} outside; add {override} in Bcc" override 10m')
LIST = policies.rule("list", "hidden(external) >= 5", 'reject "{hidden} hidden; {override}" override 10s')
POLICY = policies.policy(rules=MASS + LIST + policies.rule("wide", "parties(external) >= 20", 'quarantine "wide"'))
PEOPLE = policies.people(6)


class OverrideCase(guardcase.GuardCase):
    POLICY = POLICY
    CONFIG = {("review", "answers"): ANSWERS}
    number = 0

    def refused(self, people=PEOPLE, user="care", rule="mass", **options):
        """Has a message refused, and gives the address that overrides that."""
        OverrideCase.number += 1
        answer, line = self.in_time(to=people, user=user, message_id="first%d@me.example" % self.number, **options)
        self.assertLine(line, verdict="reject", rule=rule, override=None)
        address, = re.findall(r"guard\+o-[a-z2-7]{13}@me\.example", answer.reply)
        self.assertNotIn(address, line.raw)
        self.assertIn("-", line.text)
        return address

    def again(self, address, people=PEOPLE, user="care", message_id=None, envelope=None, away=False, **options):
        """Sends a message with the address; `away`: the state is."""
        OverrideCase.number += 1
        envelope = list(people if envelope is None else envelope) + ([address] if address is not None else [])
        judge = self.judge if away else self.in_time
        return judge(to=people, user=user, envelope=envelope, message_id=message_id or "again%d@me.example" % self.number, **options)

    def in_time(self, mta=None, **options):
        mta = mta or self.mta()
        return statecase.in_time(self.guard, lambda: self.send(mta, **options))

    def assertOverridden(self, answer, line, address, **fields):
        self.assertEqual((answer.verdict, answer.reply), (milterclient.ACCEPT, None))
        self.assertEqual([(action.name, action.value) for action in answer.actions], [("delete-recipient", "<%s>" % address)])
        self.assertLine(line, **{"verdict": "accept", "rule": "default", "override": "yes", "hidden": 0, **fields})

    def assertRefused(self, answer, line, why, text):
        self.assertRejected(answer)
        self.assertIn(text, answer.reply)
        self.assertEqual(answer.actions, [])
        self.assertLine(line, verdict="reject", rule="override:" + why, override=None)

    def tearDown(self):
        self.assertEqual(privacy.names_in(self.guard.state_files()), [])
        self.assertEqual([line for line in self.guard.lines if re.search(r"o-[a-z2-7]{13}", line)], [], "a code in the log")


class Override(OverrideCase):
    def test_sent_again(self):
        address = self.refused()
        self.assertOverridden(*self.again(address), address, parties=6, visible=6)

    def test_without_regard_to_case(self):
        address = self.refused().replace("guard", "Guard")
        local, _, domain = address.partition("@")
        other = local.upper() + "@ME.example"
        self.assertOverridden(*self.again(other), other)

    def test_twice(self):
        address = self.refused()
        self.assertOverridden(*self.again(address), address)
        self.assertRefused(*self.again(address), "used", "was used already")

    def test_a_retry_of_the_same_message(self):
        """the MTA, or another filter, deferred it after our answer"""
        address = self.refused()
        for _ in range(3):
            self.assertOverridden(*self.again(address, message_id="same@me.example"), address)
        self.assertRefused(*self.again(address), "used", "was used already")

    def test_another_author(self):
        address = self.refused()
        for user in "ann", None:
            self.assertRefused(*self.again(address, user=user), "author", "given to another sender")
        self.assertOverridden(*self.again(address), address)

    def test_other_recipients(self):
        address = self.refused()
        for people in policies.people(7), policies.people(5) + ["x@elsewhere.example"], PEOPLE + ["boss@me.example"]:
            self.assertRefused(*self.again(address, people), "larger", "to fewer people")
        self.assertRefused(*self.again(address, envelope=PEOPLE + ["hidden@else.example"]), "larger", "to fewer people")
        self.assertOverridden(*self.again(address, PEOPLE[1:]), address, visible=5)

    def test_forged(self):
        self.refused()
        for code in "o-aaaaaaaaaaaaa", "o-77777777777777", "o-", "o-zzzzzzzzzzzzz", "o-a", "o-0123456789abc":
            address = "guard+%s@me.example" % code
            self.assertRefused(*self.again(address), "unknown", "is not valid")

    def test_what_is_no_such_address(self):
        """another delimiter, detail or domain is a recipient as any other"""
        code = re.search(r"o-\w+", self.refused()).group()
        for address in ("guard@me.example", "guard+x@me.example", "guard-%s@me.example" % code, "guard+%s@you.example" % code, "guards+%s@me.example" % code,
                        "guard++%s@me.example" % code, "xguard+%s@me.example" % code, "guard+%s@mail.me.example" % code):
            answer, line = self.again(address)
            self.assertRejected(answer)
            self.assertLine(line, verdict="reject", rule="mass", hidden=1)

    def test_spellings(self):
        """twelve spellings of the one address in the envelope: each is removed as it is written"""
        address = self.refused()
        local, _, domain = address.partition("@")
        spellings = [address[:n].upper() + address[n:] for n in range(1, 6)] + [local[:-n] + local[-n:].upper() + "@" + domain for n in range(1, 6)] + ['"%s"@%s' % (local, domain), local]
        answer, line = self.again(spellings[0], envelope=PEOPLE + spellings[1:])
        self.assertEqual((answer.verdict, answer.reply), (milterclient.ACCEPT, None))
        self.assertEqual(sorted(action.value for action in answer.actions), sorted("<%s>" % one for one in spellings))
        self.assertLine(line, verdict="accept", rule="default", override="yes", hidden=0, visible=6)

    def test_a_source_route(self):
        """Postfix would not find such an address to remove it"""
        address = self.refused()
        self.assertRefused(*self.again("@relay.example:" + address), "unknown", "is not valid")
        self.assertRefused(*self.again(address, envelope=PEOPLE + ["@relay.example:" + address]), "unknown", "is not valid")
        self.assertOverridden(*self.again(address), address)

    def test_late(self):
        address = self.refused(["care@me.example"], rule="list", envelope=PEOPLE)
        end = time.monotonic() + 11.5
        answer, line = self.again(address, ["care@me.example"], envelope=PEOPLE[1:], message_id="late@me.example")
        self.assertOverridden(answer, line, address, hidden=5)
        while time.monotonic() < end:
            time.sleep(0.1)
        self.assertRefused(*self.again(address, ["care@me.example"], envelope=PEOPLE, message_id="late@me.example"), "late", "time to override the refusal is over")

    def test_shown(self):
        address = self.refused()
        self.assertRefused(*self.again(address, PEOPLE + [address], envelope=PEOPLE), "shown", "into Bcc, not into To or Cc")
        self.assertRefused(*self.again(address, cc=[address]), "shown", "into Bcc, not into To or Cc")
        self.assertOverridden(*self.again(address), address)

    def test_alone(self):
        address = self.refused()
        self.assertRefused(*self.again(address, envelope=[]), "alone", "has to come in one piece")
        self.assertOverridden(*self.again(address), address)

    def test_two_at_once(self):
        first, second = self.refused(), self.refused()
        self.assertNotEqual(first, second)
        self.assertRefused(*self.again(first, envelope=PEOPLE + [second]), "unknown", "is not valid")
        self.assertOverridden(*self.again(first), first)

    def test_a_later_rule(self):
        """it is read, and may stop the message; the address is still good then if it is refused"""
        people = policies.people(21)
        address = self.refused(people)
        answer, line = self.again(address, people)
        self.assertHeld(answer, "wide")
        self.assertIn(("delete-recipient", "<%s>" % address), [(action.name, action.value) for action in answer.actions])
        self.assertLine(line, verdict="quarantine", rule="wide", override="yes")

    def test_it_was_not_needed(self):
        """the message is no longer refused, so the address stays good"""
        address = self.refused()
        answer, line = self.again(address, PEOPLE[:4])
        self.assertOverridden(answer, line, address, override=None, visible=4)
        self.assertOverridden(*self.again(address), address)

    def test_a_header_that_cannot_be_read(self):
        address = self.refused()
        self.assertRefused(*self.again(address, ", ".join(PEOPLE) + ", (((a@b@c@d@@", envelope=PEOPLE), "larger", "to fewer people")

    def test_bcc_that_is_delivered(self):
        """on Sendmail: the address counts nowhere"""
        address = self.refused()
        mta = self.mta(mta="8.17.1")
        answer, line = self.again(address, mta=mta, headers=[("Bcc", address)])
        self.assertOverridden(answer, line, address, visible=6, internal=0)

    def test_mail_that_is_not_outbound(self):
        address = self.refused()
        mta = self.mta("192.0.2.7")
        answer = self.send(mta, sender="x@outside.example", to=["care@me.example"])
        self.assertEqual((answer.stage, answer.verdict), ("data", milterclient.ACCEPT))
        self.assertEqual(self.guard.verdicts(answer.queue_id), [])
        answer, line = self.judge(mta, sender="x@outside.example", to=PEOPLE, envelope=PEOPLE + [address])
        self.assertRefused(answer, line, "outbound", "senders who log in")


class Remembered(OverrideCase):
    """What the memory of earlier mail has of it."""

    POLICY = policies.policy(expectations="remember 90d\n", rules=MASS + policies.rule("circle", "parties(external) >= 4 and not known", 'tag "new"')
                             + policies.rule("split", "parties(external) within 10m >= 12", 'quarantine "{within}"'))

    def test_it_counts_and_does_not_teach(self):
        address = self.refused()
        answer, line = self.again(address)
        self.assertLine(line, verdict="tag", rule="circle", override="yes", known="no")
        answer, line = self.in_time(to=PEOPLE[:3] + ["x@one.example"], user="care", message_id="next@me.example")
        self.assertLine(line, verdict="tag", known="no")
        answer, line = self.in_time(to=policies.people(3, domain="other{n}.example"), user="care", message_id="more@me.example")
        self.assertLine(line, verdict="accept", within="split:10", override=None)
        answer, line = self.in_time(to=policies.people(3, domain="third{n}.example"), user="care", message_id="last@me.example")
        self.assertLine(line, verdict="quarantine", rule="split", within="split:13")


class Lenient(OverrideCase):
    """The most lenient configuration: what comes with an address of ours passes only without it."""

    CONFIG = {("review", "answers"): ANSWERS, ("milter", "on-error"): "accept"}
    POLICY = policies.policy(rules=policies.rule("evil", 'header("Subject") =~ /(a+)+/', 'reject "no"') + MASS
                             + policies.rule("split", "parties(external) within 10m >= 3", 'tag "x"'))

    def test_not_removed(self):
        """an MTA that lets no recipient be removed: deferred, and the address stays good"""
        address = self.refused(user="mta")
        mta = self.mta(actions=milterclient.ALL_ACTIONS & ~0x08)
        answer, line = self.again(address, mta=mta, user="mta")
        self.assertDeferred(answer)
        self.assertLine(line, verdict="tempfail", rule="error:split")
        self.assertEqual(self.again(address, user="mta")[0].verdict, milterclient.ACCEPT)

    def test_without_the_state(self):
        """after the address was taken the window cannot be asked"""
        address = self.refused(user="state")
        path, = [path for path in self.guard.state_files() if path.endswith("state.db")]
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("DROP TABLE record")
        answer, line = self.again(address, user="state", away=True)
        self.assertDeferred(answer)
        self.assertLine(line, verdict="tempfail", rule="error:split")

    def test_fault(self):
        """held without the address"""
        address = self.refused(user="fault")
        answer, line = self.again(address, user="fault", headers=[("Subject", "a" * 60 + "!")])
        self.assertHeld(answer)
        self.assertIn(("delete-recipient", "<%s>" % address), [(action.name, action.value) for action in answer.actions])
        self.assertLine(line, rule="fault:evil", hidden=0)


class Without(OverrideCase):
    def test_without_an_address(self):
        """a policy with `override` is refused where no address is configured"""
        guard = daemon.Daemon(policies.FIELD)
        self.addCleanup(guard.__exit__, None, None, None)
        guard.set_policy(POLICY)
        mark = guard.mark()
        self.assertIn("reload failed", guard.reload())
        self.assertRegex("\n".join(guard.lines[mark:]), r"policy:\d+: error: `override` of `mass` needs an address that senders can use: \[review\] answers in ")

    def test_without_the_state(self):
        """neither a refusal nor what overrides it passes, or is refused for good"""
        address = self.refused()
        path, = [path for path in self.guard.state_files() if path.endswith("state.db")]
        other = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN EXCLUSIVE")
        answer, line = self.judge(to=PEOPLE, user="care")
        self.assertDeferred(answer)
        self.assertLine(line, verdict="tempfail", rule="error:mass")
        answer, line = self.again(address, away=True)
        self.assertDeferred(answer)
        self.assertLine(line, verdict="tempfail", rule="error:override")
        self.assertEqual(answer.actions, [])


if __name__ == "__main__":
    tap.main()
