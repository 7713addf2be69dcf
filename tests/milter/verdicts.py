"""What becomes of a message: each disposition, with its figures in the reply and in the log."""

import guardcase
import policies
import tap


class Verdicts(guardcase.GuardCase):
    def test_450_in_cc_are_rejected(self):
        answer, line = self.judge(to=["care@me.example"], cc=policies.people(450))
        self.assertRejected(answer, policies.REJECT_TEXT % 450)
        self.assertLine(line, verdict="reject", rule="mass-disclosure", would="-", visible=450,
                        parties=450, domains=450, internal=1, hidden=0, defects="none", text=(policies.REJECT_TEXT % 450).replace(",", "\\x2C"))
        self.assertEqual(answer.actions, [])

    def test_12_strangers_are_held(self):
        answer, line = self.judge(to=["care@me.example"], cc=policies.people(12))
        self.assertHeld(answer, "wide Cc: 12 addresses, 12 parties")
        self.assertLine(line, verdict="quarantine", rule="wide-cc", visible=12, parties=12, domains=12, internal=1, hidden=0, defects="none",
                        text="wide Cc: 12 addresses\\x2C 12 parties")

    def test_450_in_the_envelope_pass(self):
        answer, line = self.judge(to=["care@me.example"], envelope=policies.people(450))
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="default", visible=0, parties=0, domains=0, internal=1, hidden=450, text="-")

    def test_30_of_one_customer_pass(self):
        answer, line = self.judge(to=policies.people(30, domain="customer.example"))
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="default", visible=30, parties=1, domains=1, internal=0, hidden=0)

    def test_40_of_one_customer_are_held(self):
        """At least 40 addresses, not more than 40."""
        answer, line = self.judge(to=policies.people(40, domain="customer.example"))
        self.assertHeld(answer, "wide Cc: 40 addresses, 1 parties")
        self.assertLine(line, verdict="quarantine", rule="wide-cc", visible=40, parties=1, domains=1)

    def test_thresholds_are_inclusive(self):
        for count, verdict, rule in ((9, "accept", "default"), (10, "quarantine", "wide-cc"), (49, "quarantine", "wide-cc"), (50, "reject", "mass-disclosure")):
            with self.subTest(count):
                _, line = self.judge(cc=policies.people(count))
                self.assertLine(line, verdict=verdict, rule=rule, parties=count)

    def test_private_mailboxes_are_parties_of_their_own(self):
        answer, line = self.judge(to=policies.private(37), sender="clinic@me.example")
        self.assertHeld(answer, "37 outside parties would see each other")
        self.assertLine(line, verdict="quarantine", rule="sensitive", visible=37, parties=37, domains=5)

    def test_the_monitor_rule_is_only_logged(self):
        answer, line = self.judge(cc=policies.people(5))
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="default", would="quarantine:trial", parties=5)

    def test_no_monitor_rule_no_would(self):
        _, line = self.judge(cc=policies.people(4))
        self.assertLine(line, would="-")

    def test_colleagues_pass(self):
        answer, line = self.judge(to=policies.colleagues(800))
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", visible=0, internal=800, hidden=0)

    def test_the_exempt_user_passes(self):
        answer, line = self.judge(cc=policies.people(146), user="developer")
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="developer", user="developer", visible=146)

    def test_from_counts_like_the_envelope_sender(self):
        """A sensitive From behind another envelope sender."""
        answer = self.mta().message("care@me.example", ["a@cust1.example"],
                                    [("From", "HR <hr@me.example>"), ("To", "a@cust1.example, b@cust2.example")])
        self.assertHeld(answer, "2 outside parties would see each other")


class Dispositions(guardcase.GuardCase):
    """The ones that the usual policy does not have."""

    POLICY = policies.policy(rules=policies.rule("wait", 'header("X-Wait")', 'tempfail "come back later, {rule}"')
                             + policies.rule("mark", 'header("X-Mark")', 'tag "marked"')
                             + policies.rule("tidy", 'header("X-Tidy")', "accept"), default='reject "nothing else goes out"')

    def test_tempfail(self):
        answer, line = self.judge(to=["a@cust1.example"], headers=[("X-Wait", "yes")])
        self.assertDeferred(answer)
        self.assertIsNotNone(answer.reply)
        self.assertRegex(answer.reply, r"^45\d 4\.\d+\.\d+ come back later, wait$")
        self.assertLine(line, verdict="tempfail", rule="wait", text="come back later\\x2C wait")

    def test_tag(self):
        answer, line = self.judge(to=["a@cust1.example"], headers=[("X-Mark", "yes")])
        self.assertEqual((answer.stage, answer.verdict), ("eom", "accept"))
        self.assertEqual(answer.added(), [("X-Rcptguard", "mark")])
        self.assertLine(line, verdict="tag", rule="mark", text="marked")

    def test_accept(self):
        answer, line = self.judge(to=["a@cust1.example"], headers=[("X-Tidy", "yes")])
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="tidy")

    def test_default_may_reject(self):
        answer, line = self.judge(to=["a@cust1.example"])
        self.assertRejected(answer, "nothing else goes out")
        self.assertLine(line, verdict="reject", rule="default", text="nothing else goes out")

    def test_no_recipient_header_at_all(self):
        answer, line = self.judge(envelope=["a@cust1.example"], headers=[("X-Tidy", "yes")])
        self.assertPassed(answer)
        self.assertLine(line, visible=0, internal=0, hidden=1, defects="none")


if __name__ == "__main__":
    tap.main()
