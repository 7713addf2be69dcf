"""X-Rcptguard: added by `tag`, and never believed when a message brings it along."""

import guardcase
import policies
import tap

FORGED = [("X-Rcptguard", "one"), ("x-rcptguard", "two"), ("X-RCPTGUARD", "three")]


class Tagging(guardcase.GuardCase):
    POLICY = policies.policy(rules=policies.rule("marked-wide", "parties(external) >= 3", 'tag "wide"')
                             + policies.rule("held", 'header("X-Hold")', 'quarantine "held"')
                             + policies.rule("refused", 'header("X-Refuse")', 'reject "refused"'))

    def assertRemoved(self, answer, count):
        changes = [action for action in answer.actions if action.name == "change-header"]
        self.assertEqual([action.index for action in changes], list(range(count, 0, -1)))
        for action in changes:
            self.assertEqual((action.header.lower(), action.value), ("x-rcptguard", ""))

    def test_tag_adds_the_rule(self):
        answer, line = self.judge(to=policies.people(3))
        self.assertEqual([(a.name, a.header, a.value) for a in answer.actions], [("add-header", "X-Rcptguard", "marked-wide")])
        self.assertEqual(answer.verdict, "accept")
        self.assertLine(line, verdict="tag", rule="marked-wide", text="wide")

    def test_tag_removes_forged_ones_first(self):
        """From the highest index to the lowest, as both MTAs need it; then the own one."""
        answer, _ = self.judge(to=policies.people(3), headers=FORGED)
        self.assertRemoved(answer, 3)
        self.assertEqual([action.name for action in answer.actions], ["change-header"] * 3 + ["add-header"])
        self.assertEqual(answer.added(), [("X-Rcptguard", "marked-wide")])

    def test_accept_removes_forged_ones(self):
        answer, line = self.judge(to=policies.people(1), headers=FORGED)
        self.assertEqual((answer.stage, answer.verdict), ("eom", "accept"))
        self.assertRemoved(answer, 3)
        self.assertEqual(answer.added(), [])
        self.assertLine(line, verdict="accept")

    def test_a_hold_does_not_let_forged_ones_out(self):
        answer, _ = self.judge(to=policies.people(1), headers=FORGED + [("X-Hold", "1")])
        self.assertHeld(answer, "held")
        self.assertRemoved(answer, 3)

    def test_a_reject_touches_nothing(self):
        answer, _ = self.judge(to=policies.people(1), headers=FORGED + [("X-Refuse", "1")])
        self.assertRejected(answer, "refused")
        self.assertEqual(answer.actions, [])

    def test_nothing_is_removed_where_nothing_was(self):
        answer, _ = self.judge(to=policies.people(1), headers=[("X-Rcptguard-Other", "x"), ("XX-Rcptguard", "x")])
        self.assertPassed(answer)

    def test_the_count_is_that_of_the_message(self):
        mta = self.mta()
        first, _ = self.judge(mta, to=policies.people(1), headers=FORGED)
        self.assertRemoved(first, 3)
        second, _ = self.judge(mta, to=policies.people(1), headers=FORGED[:1])
        self.assertRemoved(second, 1)
        third, _ = self.judge(mta, to=policies.people(1))
        self.assertPassed(third)


if __name__ == "__main__":
    tap.main()
