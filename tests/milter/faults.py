"""A policy that cannot be evaluated to its end: never "no match", always the declared outcome."""

import os
import sqlite3

import guardcase
import milterclient
import policies
import tap

# Matched against many `a` without an end that fits, this tries every way to part them.
EVIL = 'header("Subject") =~ /(a+)+/'
TRAP = [("Subject", "a" * 60 + "!")]
RULES = policies.rule("evil", EVIL, 'reject "never said"') + policies.rule("after", "visible(external) >= 1", 'tag "after"')


class Fault(guardcase.GuardCase):
    POLICY = policies.policy(rules=RULES)

    def trapped(self, **options):
        people = policies.people(12)
        answer = self.mta().message("care@me.example", people, TRAP + [("To", policies.folded(people))], **options)
        return answer, self.guard.verdict(answer)


class HeldByDefault(Fault):
    def test_quarantine(self):
        answer, line = self.trapped()
        self.assertHeld(answer, "evil")
        self.assertLine(line, verdict="quarantine", rule="fault:evil", visible=12, parties=12)

    def test_the_rule_still_works_where_it_can(self):
        answer = self.mta().message("care@me.example", ["x@cust1.example"], [("Subject", "aaa"), ("To", "x@cust1.example")])
        self.assertRejected(answer, "never said")
        self.assertLine(self.guard.verdict(answer), rule="evil")

    def test_no_match_is_no_fault(self):
        answer = self.mta().message("care@me.example", ["x@cust1.example"], [("Subject", "b"), ("To", "x@cust1.example")])
        self.assertLine(self.guard.verdict(answer), verdict="tag", rule="after")

    def test_the_next_message_is_not_touched(self):
        mta = self.mta()
        people = policies.people(12)
        mta.message("care@me.example", people, TRAP + [("To", policies.folded(people))])
        answer, line = self.judge(mta, to=["x@me.example"])
        self.assertPassed(answer)
        self.assertLine(line, rule="default")

    def test_where_no_quarantine_is_offered(self):
        """A hold that cannot be had must not become a pass."""
        mta = self.mta(actions=milterclient.ALL_ACTIONS & ~milterclient.QUARANTINE)
        answer = mta.message("care@me.example", ["x@cust1.example"], TRAP + [("To", "x@cust1.example")])
        self.assertDeferred(answer)
        self.assertLine(self.guard.verdict(answer), verdict="tempfail")


class Deferred(Fault):
    CONFIG = {("milter", "on-fault"): "tempfail"}

    def test_tempfail(self):
        answer, line = self.trapped()
        self.assertDeferred(answer)
        self.assertLine(line, verdict="tempfail", rule="fault:evil", visible=12)


class Rejected(Fault):
    CONFIG = {("milter", "on-fault"): "reject"}

    def test_reject(self):
        answer, line = self.trapped()
        self.assertRejected(answer)
        self.assertLine(line, verdict="reject", rule="fault:evil", visible=12)


class Held(Fault):
    CONFIG = {("milter", "on-fault"): "quarantine"}

    def test_quarantine(self):
        answer, line = self.trapped()
        self.assertHeld(answer, "evil")
        self.assertLine(line, verdict="quarantine", rule="fault:evil")


class Monitored(Fault):
    POLICY = policies.policy(rules=policies.rule("trial", EVIL, 'reject "never said"', monitor=True)
                             + policies.rule("wide", "parties(external) >= 13", 'reject "wide"'))

    def test_only_logged(self):
        answer, line = self.trapped()
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="default", would="fault:trial")


class InOutbound(Fault):
    """Whether the message is ours cannot be told: it is judged, and its verdict is the fault."""

    POLICY = policies.policy(rules=RULES, outbound="outbound when sender =~ /(a+)+@me\\.example/")

    def test_fault(self):
        sender = "a" * 60 + "!@me.example"
        answer, line = self.judge(sender=sender, to=["x@cust1.example"])
        self.assertHeld(answer)
        self.assertLine(line, verdict="quarantine", rule="fault:outbound")

    def test_no_fault(self):
        answer = self.send(sender="b@me.example", to=["x@cust1.example"])
        self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))


class ManyHeaders(Fault):
    """The budget of a message holds over all its headers: a thousand traps take no thousand times as long."""

    POLICY = policies.policy(rules=policies.rule("evil", 'header("X-Trap") =~ /(a+)+/', 'reject "never said"'))

    def test_budget(self):
        mta = self.mta(timeout=60)
        answer, line = self.judge(mta, to=["x@cust1.example"], headers=[("X-Trap", "a" * 60 + "!")] * 2000)
        self.assertHeld(answer)
        self.assertLine(line, rule="fault:evil")


class WithoutState(guardcase.GuardCase):
    """A count within a time, while another process keeps the record of earlier mail: never accepted by accident."""

    POLICY = policies.policy(rules=policies.rule("split", "parties(external) within 10m >= 20", 'quarantine "{within}"'))

    def setUp(self):
        super().setUp()
        other = sqlite3.connect(os.path.join(self.guard.state_directory, "state.db"), isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")

    def test_deferred(self):
        people = policies.people(2)
        answer = self.mta().message("care@me.example", people, [("To", policies.folded(people))])
        self.assertDeferred(answer)
        self.assertLine(self.guard.verdict(answer), verdict="tempfail", rule="error:split")

    def test_one_party_asks_nothing(self):
        answer = self.mta().message("care@me.example", ["x@cust1.example"], [("To", "x@cust1.example")])
        self.assertPassed(answer)


class WithoutStateAccepted(WithoutState):
    CONFIG = {("milter", "on-error"): "accept"}

    def test_deferred(self):
        people = policies.people(2)
        answer = self.mta().message("care@me.example", people, [("To", policies.folded(people))])
        self.assertPassed(answer)
        self.assertLine(self.guard.verdict(answer), verdict="accept", rule="error:split")


if __name__ == "__main__":
    tap.main()
